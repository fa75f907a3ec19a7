//! The same output in terminals of several widths, and what of a hostile text reaches one.

use crate::ctl::Ctl;
use crate::hostile::ATTACK;
use crate::stage;
use crate::terminal::{Terminal, without_colours};
use agentchatd_tests::sandbox::To;

fn shown(ctl: &Ctl, arguments: &[&str], columns: u16) -> String {
    let ran = Terminal::open(ctl, arguments, columns).end();
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stdout);
    ran.stdout
}

#[test]
fn a_terminal_has_colours_unless_it_is_told_otherwise_and_a_pipe_has_none() {
    let stage = stage();
    let _daemon = stage.ready();
    let ctl = Ctl::new(&stage);
    let coloured = shown(&ctl, &["whoami"], 80);
    assert!(coloured.contains("\u{1b}["), "{coloured}");
    let piped = ctl.ok(&["whoami"]);
    assert_eq!(without_colours(&coloured), piped);
    let told = [("NO_COLOR", "1")];
    let plain = Terminal::open_with(&ctl, &["whoami"], 80, &told).end();
    assert_eq!(plain.stdout, piped);
    assert_eq!(shown(&ctl, &["whoami", "--color", "never"], 80), piped);
}

#[test]
fn columns_are_aligned_and_cut_to_the_width_of_the_terminal_only() {
    let stage = stage();
    let daemon = stage.ready();
    let name = "A group with quite a long name that no narrow terminal has room for";
    let group = stage.sandbox.group("ann", name, &["dora"]);
    stage.sandbox.send("ann", To::Conversation(&group), "hi");
    stage.bob_says("日本 and more");
    stage.log_is_whole(&daemon);
    let ctl = Ctl::new(&stage);
    let piped = ctl.ok(&["conversations"]);
    let wide = without_colours(&shown(&ctl, &["conversations"], 250));
    assert_eq!(wide, piped);
    assert!(wide.contains(name), "{wide}");
    let narrow = without_colours(&shown(&ctl, &["conversations"], 60));
    assert!(!narrow.contains(name) && narrow.contains('…'), "{narrow}");
    for line in narrow.lines() {
        assert!(line.chars().count() <= 60, "{line:?}");
    }
    assert_eq!(narrow.lines().count(), wide.lines().count());
}

#[test]
fn control_sequences_of_a_peer_do_not_reach_the_terminal() {
    let stage = stage();
    let daemon = stage.ready();
    stage.bob_says(ATTACK);
    stage.bob_says("and a last word");
    stage.log_is_whole(&daemon);
    let ctl = Ctl::new(&stage);
    let mut tail = Terminal::open(&ctl, &["tail", "--since", "earliest"], 80);
    tail.expect("and a last word");
    tail.press("\u{3}");
    let tail = tail.end();
    assert_eq!(tail.code, 0, "{}", tail.stdout);
    // What the terminal itself echoes of Ctrl-C is no control character.
    for text in [tail.stdout, shown(&ctl, &["history", "@bob"], 80)] {
        let text = without_colours(&text);
        assert!(text.contains("red"), "{text:?}");
        let bad = text.chars().find(|c| {
            (c.is_control() && *c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}')
        });
        assert_eq!(bad, None, "{text:?}");
    }
}
