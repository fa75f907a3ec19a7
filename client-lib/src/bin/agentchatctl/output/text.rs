//! What may reach a terminal or a pipe of the text that others wrote.
//!
//! A message can hold sequences that move the cursor, retitle the window or answer in the user's
//! name, and characters that turn the reading direction or hide. [`clean`] leaves none of them. It is
//! the only way in: [`super::Span`] calls it for everything that it is given.

use std::iter::Peekable;
use std::str::Chars;

/// What becomes of line ends and tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    /// Line ends stay, as `\n`; a tab becomes four blanks.
    Keep,
    /// Everything on one line: line ends and tabs become one blank each.
    Fold,
}

/// The text without anything that a terminal would act on, that changes the reading direction, or that
/// cannot be seen.
///
/// Whole escape sequences go, not only their first character. The joiners and variation selectors of
/// emoji and scripts stay where they join something, up to [`MAX_MARKS`] in a row, which also bounds
/// piles of accents.
pub(crate) fn clean(text: &str, lines: Lines) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut marks = 0;
    while let Some(character) = chars.next() {
        match character {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_csi(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut chars),
            '\t' => {
                out.push_str(if lines == Lines::Keep { TAB } else { " " });
                marks = 0;
            }
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                if character == '\r' {
                    chars.next_if_eq(&'\n');
                }
                out.push(if lines == Lines::Keep { '\n' } else { ' ' });
                marks = 0;
            }
            _ if character.is_control() || is_hidden(character) => {}
            _ if is_joiner(character) || is_mark(character) => {
                let base = out.chars().next_back();
                let joins = !is_joiner(character) || base.is_some_and(|base| !base.is_ascii());
                if marks < MAX_MARKS && joins && base.is_some_and(|base| base != '\n') {
                    out.push(character);
                    marks += 1;
                }
            }
            _ => {
                out.push(character);
                // What is joined to the character before belongs to the same pile.
                marks = 0;
            }
        }
    }
    out
}

/// Whether a character must not stand in JSON as it is, although JSON allows it.
pub(crate) fn is_unsafe_in_json(character: char) -> bool {
    character.is_control() || is_hidden(character)
}

/// After ESC: a control sequence, a control string, or a short escape.
fn skip_escape(chars: &mut Peekable<Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_csi(chars);
        }
        Some('P' | 'X' | ']' | '^' | '_') => {
            chars.next();
            skip_string(chars);
        }
        _ => {
            while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
            chars.next_if(|c| matches!(c, '0'..='~'));
        }
    }
}

/// Parameters, intermediates and the final character of a control sequence.
fn skip_csi(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|c| matches!(c, '0'..='?')).is_some() {}
    while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
    chars.next_if(|c| matches!(c, '@'..='~'));
}

/// A control string up to its terminator. One without a terminator loses its beginning only: else a
/// lone character could hide everything behind it.
fn skip_string(chars: &mut Peekable<Chars<'_>>) {
    let mut ahead = chars.clone();
    for _ in 0..MAX_CONTROL_STRING {
        match ahead.next() {
            Some('\u{7}' | '\u{9c}') => {
                *chars = ahead;
                return;
            }
            Some('\u{1b}') if ahead.next_if_eq(&'\\').is_some() => {
                *chars = ahead;
                return;
            }
            Some(_) => {}
            None => return,
        }
    }
}

/// Characters that are not seen, or turn the direction of what is.
fn is_hidden(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{13430}'..='\u{13440}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Joiners of emoji and of scripts, and the two selectors between text and picture.
fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Marks that stand over, under or in the character before.
fn is_mark(character: char) -> bool {
    unicode_width::UnicodeWidthChar::width(character) == Some(0)
}

const TAB: &str = "    ";
/// Marks and joiners in a row; no script needs more.
const MAX_MARKS: usize = 6;
/// How far the terminator of a control string is looked for.
const MAX_CONTROL_STRING: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sequences_go_as_a_whole() {
        for (dirty, expected) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("a\u{9b}2Jb", "ab"),
            ("a\u{9d}52;c;aGk=\u{9c}b", "ab"),
            ("\u{1b}(Bplain", "plain"),
            ("\u{1b}]unterminated", "unterminated"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("bell\u{7} null\0 back\u{8}space", "bell null backspace"),
        ] {
            assert_eq!(clean(dirty, Lines::Fold), expected, "{dirty:?}");
        }
    }

    #[test]
    fn what_turns_or_hides_text_goes() {
        let turned = "user\u{202e}gpj.exe \u{2066}x\u{2069} \u{200b}y\u{feff}\u{e0041}";
        assert_eq!(clean(turned, Lines::Fold), "usergpj.exe x y");
        assert_eq!(clean("ali\u{200d}ce", Lines::Fold), "alice");
    }

    #[test]
    fn emoji_and_scripts_stay_whole() {
        for text in [
            "👩\u{200d}🚀 ❤\u{fe0f}",
            "می\u{200c}خواهم",
            "e\u{301}",
            "日本語",
            "🇩🇪",
        ] {
            assert_eq!(clean(text, Lines::Fold), text);
        }
    }

    #[test]
    fn a_pile_of_accents_is_cut() {
        let pile = format!("a{}b", "\u{301}".repeat(100));
        let cleaned = clean(&pile, Lines::Fold);
        assert_eq!(cleaned.chars().count(), 2 + MAX_MARKS);
    }

    #[test]
    fn line_ends_of_every_kind_stay_or_fold() {
        let text = "a\r\nb\rc\u{2028}d\u{85}e\tf";
        assert_eq!(clean(text, Lines::Keep), "a\nb\nc\nd\ne    f");
        assert_eq!(clean(text, Lines::Fold), "a b c d e f");
    }

    /// Text in which the dangerous is frequent.
    fn hostile() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            any::<char>(),
            prop::sample::select(vec![
                '\u{1b}', '[', ']', '\\', '\u{7}', '\u{9b}', '\u{9c}', '\u{9d}', 'm', ';', '3',
                '\n', '\r', '\t', '\u{202e}', '\u{200d}', '\u{fe0f}', '\u{301}', 'a', ' ',
            ]),
        ];
        prop::collection::vec(part, 0..64).prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_acts_on_is_left(text in hostile()) {
            let folded = clean(&text, Lines::Fold);
            prop_assert!(!folded.chars().any(|c| c.is_control() || is_hidden(c)), "{folded:?}");
            let kept = clean(&text, Lines::Keep);
            prop_assert!(!kept.chars().any(|c| (c.is_control() && c != '\n') || is_hidden(c)));
        }

        #[test]
        fn cleaning_twice_is_cleaning_once(text in hostile()) {
            for lines in [Lines::Keep, Lines::Fold] {
                let once = clean(&text, lines);
                prop_assert_eq!(clean(&once, lines), once);
            }
        }

        #[test]
        fn plain_text_is_left_as_it_is(text in "[ -~]{0,64}") {
            prop_assert_eq!(clean(&text, Lines::Fold), text);
        }
    }
}
