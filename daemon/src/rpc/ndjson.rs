//! Framing: finding the end of each JSON value in what a client writes.
//!
//! One value a line, or several that follow each other with no line break: a value is taken as soon
//! as its last bracket is there. The scanner looks at each byte once, however small the pieces in
//! which it comes. A line break always ends what stands on its line, so that the damage of a value
//! that is cut short ends with the line.

use tokio::io::{AsyncRead, AsyncReadExt};

/// What stands next in the stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The bytes of an object, an array, or a line that begins with neither; not yet known to be
    /// JSON.
    Value(Vec<u8>),
    /// Something that is not JSON, with the reason; the rest of its line is passed over.
    Broken(&'static str),
    /// A value over the limit; nothing after it is read.
    TooLong,
    /// The client has closed its side.
    End,
}

/// Splits a byte stream into values.
#[derive(Debug)]
pub(crate) struct Framer {
    buffer: Vec<u8>,
    // Bytes before this place are looked at already.
    seen: usize,
    state: State,
    limit: usize,
    ended: bool,
    // The value that was taken last ended with its line.
    line_ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between values.
    Between,
    /// Inside an object or array.
    Inside {
        depth: usize,
        string: bool,
        escape: bool,
    },
    /// In a line that begins with neither `{` nor `[`.
    Line,
    /// After something broken, up to the line break.
    Skip,
}

impl Framer {
    /// A framer for values of up to `limit` bytes. `head` was read from the stream before.
    pub(crate) fn new(head: &[u8], limit: usize) -> Self {
        Self {
            buffer: head.to_vec(),
            seen: 0,
            state: State::Between,
            limit,
            ended: false,
            line_ended: false,
        }
    }

    /// The next value. May be dropped and called again at any time: nothing is lost.
    pub(crate) async fn next<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
    ) -> std::io::Result<Frame> {
        loop {
            if let Some(frame) = self.scan() {
                return Ok(frame);
            }
            if self.ended {
                return Ok(self.finish());
            }
            if self.buffer.is_empty() && self.buffer.capacity() > IDLE_BYTES {
                // A large request is over: an idle connection does not keep its room.
                self.buffer = Vec::new();
            }
            self.buffer.reserve(READ_BYTES);
            if stream.read_buf(&mut self.buffer).await? == 0 {
                self.ended = true;
            }
        }
    }

    /// Looks at what is new in the buffer.
    fn scan(&mut self) -> Option<Frame> {
        while let Some(&byte) = self.buffer.get(self.seen) {
            self.seen += 1;
            match self.state {
                State::Between => match byte {
                    b' ' | b'\t' | b'\r' | b'\n' => {
                        // Whole runs of white space leave the buffer together, below.
                    }
                    b'{' | b'[' => {
                        self.drop_before(self.seen - 1);
                        self.state = State::Inside {
                            depth: 1,
                            string: false,
                            escape: false,
                        };
                    }
                    _ => {
                        self.drop_before(self.seen - 1);
                        self.state = State::Line;
                    }
                },
                State::Inside {
                    depth,
                    string,
                    escape,
                } => {
                    if let Some(frame) = self.inside(byte, depth, string, escape) {
                        return Some(frame);
                    }
                }
                State::Line if byte == b'\n' => return Some(self.value()),
                State::Skip if byte == b'\n' => {
                    self.drop_before(self.seen);
                    self.state = State::Between;
                }
                State::Line | State::Skip => {}
            }
            if matches!(self.state, State::Inside { .. } | State::Line) && self.seen > self.limit {
                return Some(Frame::TooLong);
            }
        }
        if matches!(self.state, State::Between | State::Skip) {
            self.drop_before(self.seen);
        }
        None
    }

    /// One byte of an object or array.
    fn inside(&mut self, byte: u8, depth: usize, string: bool, escape: bool) -> Option<Frame> {
        if byte == b'\n' {
            self.drop_before(self.seen);
            self.state = State::Between;
            return Some(Frame::Broken("the line ends inside a value"));
        }
        self.state = match (string, escape, byte) {
            (true, true, _) => State::Inside {
                depth,
                string: true,
                escape: false,
            },
            (true, false, b'\\') => State::Inside {
                depth,
                string: true,
                escape: true,
            },
            (true, false, b'"') => State::Inside {
                depth,
                string: false,
                escape: false,
            },
            (true, false, _) => return None,
            (false, _, b'"') => State::Inside {
                depth,
                string: true,
                escape: false,
            },
            (false, _, b'{' | b'[') if depth == MAX_DEPTH => {
                self.break_off();
                return Some(Frame::Broken("nested over 128 levels"));
            }
            (false, _, b'{' | b'[') => State::Inside {
                depth: depth + 1,
                string: false,
                escape: false,
            },
            (false, _, b'}' | b']') if depth == 1 => return Some(self.value()),
            (false, _, b'}' | b']') => State::Inside {
                depth: depth - 1,
                string: false,
                escape: false,
            },
            (false, _, _) => return None,
        };
        None
    }

    /// What was taken last is no JSON: passes over the rest of its line.
    pub(crate) fn skip_line(&mut self) {
        if !self.line_ended {
            self.state = State::Skip;
        }
    }

    fn break_off(&mut self) {
        self.drop_before(self.seen);
        self.state = State::Skip;
    }

    /// Takes the bytes up to here as a value.
    fn value(&mut self) -> Frame {
        let rest = self.buffer.split_off(self.seen);
        let value = std::mem::replace(&mut self.buffer, rest);
        // In a line of its own the line break was taken with the value.
        let whole_line = self.state == State::Line;
        self.line_ended = whole_line;
        self.seen = 0;
        self.state = State::Between;
        if value.len() - usize::from(whole_line) > self.limit {
            return Frame::TooLong;
        }
        Frame::Value(value)
    }

    /// The client has closed its side: what is left is a line without its break, or half a value.
    fn finish(&mut self) -> Frame {
        match self.state {
            State::Between | State::Skip => Frame::End,
            State::Line => {
                self.state = State::Between;
                self.seen = 0;
                Frame::Value(std::mem::take(&mut self.buffer))
            }
            State::Inside { .. } => {
                self.break_off();
                Frame::Broken("the stream ends inside a value")
            }
        }
    }

    fn drop_before(&mut self, place: usize) {
        self.buffer.drain(..place);
        self.seen -= place;
    }
}

/// True where a string in this JSON text has a surrogate escape without its other half.
pub(crate) fn has_lone_surrogate(json: &str) -> bool {
    let bytes = json.as_bytes();
    let mut place = 0;
    let mut high = false;
    while let Some(&byte) = bytes.get(place) {
        let unit = match (byte, bytes.get(place + 1)) {
            (b'\\', Some(b'u')) => json
                .get(place + 2..place + 6)
                .and_then(|hex| u16::from_str_radix(hex, 16).ok()),
            _ => None,
        };
        // An escape is passed over whole, so that the second of two backslashes begins nothing.
        place += match (byte, unit) {
            (_, Some(_)) => 6,
            (b'\\', None) => 2,
            _ => 1,
        };
        match unit {
            Some(0xD800..=0xDBFF) if !high => high = true,
            Some(0xDC00..=0xDFFF) if high => high = false,
            Some(0xD800..=0xDFFF) => return true,
            _ if high => return true,
            _ => {}
        }
    }
    high
}

/// How deep a value may be nested.
pub(crate) const MAX_DEPTH: usize = 128;

/// How much is asked from the socket at a time.
const READ_BYTES: usize = 8 << 10;

/// A buffer over this size is given back when it is empty.
const IDLE_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// All frames of a stream that comes in pieces of `step` bytes.
    fn frames(input: &[u8], step: usize, limit: usize) -> Vec<Frame> {
        let mut framer = Framer::new(b"", limit);
        let mut frames = Vec::new();
        for piece in input.chunks(step) {
            framer.buffer.extend_from_slice(piece);
            while let Some(frame) = framer.scan() {
                frames.push(frame);
                if frames.last() == Some(&Frame::TooLong) {
                    return frames;
                }
            }
        }
        loop {
            let frame = framer.finish();
            let end = frame == Frame::End;
            frames.push(frame);
            if end {
                return frames;
            }
        }
    }

    fn value(text: &str) -> Frame {
        Frame::Value(text.as_bytes().to_vec())
    }

    #[track_caller]
    fn check(input: &str, expected: &[Frame]) {
        for step in [1, 2, 3, 7, 1000] {
            let mut got = frames(input.as_bytes(), step, 1 << 20);
            assert_eq!(got.pop(), Some(Frame::End));
            assert_eq!(got, expected, "in pieces of {step}");
        }
    }

    #[test]
    fn values_are_found_by_line_or_by_their_own_end() {
        let one = value(r#"{"a":[1,{"b":2}]}"#);
        let two = value("[1,2]");
        check("{\"a\":[1,{\"b\":2}]}\n[1,2]\n", &[one, two]);
        check(
            "{}{}[] {}\n",
            &[value("{}"), value("{}"), value("[]"), value("{}")],
        );
        check("\n\r\n \t{}\r\n\n", &[value("{}")]);
    }

    #[test]
    fn brackets_and_quotes_inside_strings_count_for_nothing() {
        let text = r#"{"a":"}]\"{\\","b":"\\\""}"#;
        check(&format!("{text}{text}\n"), &[value(text), value(text)]);
    }

    #[test]
    fn a_line_break_ends_what_is_cut_short() {
        let broken = || Frame::Broken("the line ends inside a value");
        check("{\"a\":\n{}\n", &[broken(), value("{}")]);
        check("{\"a\":\"x\n{}\n", &[broken(), value("{}")]);
        check("{\"a\":\"x\\\n{}\n", &[broken(), value("{}")]);
    }

    #[test]
    fn a_line_that_is_no_object_is_taken_whole() {
        check("hello {}\n{}\n", &[value("hello {}\n"), value("{}")]);
        check("}{}\n", &[value("}{}\n")]);
        check("17", &[value("17")]);
    }

    #[test]
    fn half_a_value_at_the_end_is_broken() {
        check(
            "{}{\"a\"",
            &[value("{}"), Frame::Broken("the stream ends inside a value")],
        );
    }

    #[test]
    fn nesting_is_bounded_and_the_rest_of_the_line_is_passed_over() {
        let deep = |n| format!("{}{}", "[".repeat(n), "]".repeat(n));
        check(&deep(128), &[value(&deep(128))]);
        let input = format!("{}{{}}\n{{}}", deep(129));
        check(
            &input,
            &[Frame::Broken("nested over 128 levels"), value("{}")],
        );
    }

    #[test]
    fn a_value_over_the_limit_is_noticed_before_it_ends() {
        for step in [1, 1000] {
            let exact = format!("[{}]\n", "1".repeat(98));
            assert_eq!(frames(exact.as_bytes(), step, 100).len(), 2);
            let over = format!("[{}", "1".repeat(100));
            assert_eq!(frames(over.as_bytes(), step, 100), [Frame::TooLong]);
            let line = "x".repeat(101);
            assert_eq!(frames(line.as_bytes(), step, 100), [Frame::TooLong]);
        }
        let blank = format!("{}{{}}\n", "\n".repeat(1000));
        assert_eq!(
            frames(blank.as_bytes(), 7, 100).len(),
            2,
            "white space is no request"
        );
    }

    #[tokio::test]
    async fn after_a_value_that_is_no_json_the_rest_of_its_line_is_passed_over() {
        let mut framer = Framer::new(b"{x}{}{}\nhello\n{\"a\":1}\n", 100);
        let mut empty: &[u8] = b"";
        for expected in ["{x}", "hello\n", "{\"a\":1}"] {
            assert_eq!(framer.next(&mut empty).await.unwrap(), value(expected));
            framer.skip_line();
        }
        assert_eq!(framer.next(&mut empty).await.unwrap(), Frame::End);
    }

    #[tokio::test]
    async fn a_read_that_is_dropped_loses_nothing() {
        use tokio::io::AsyncWriteExt;
        let (mut near, mut far) = tokio::io::duplex(64);
        let mut framer = Framer::new(b"{", 100);
        far.write_all(b"\"a\":").await.unwrap();
        let waiting = framer.next(&mut near);
        assert!(
            tokio::time::timeout(std::time::Duration::ZERO, waiting)
                .await
                .is_err()
        );
        far.write_all(b"1}").await.unwrap();
        assert_eq!(framer.next(&mut near).await.unwrap(), value(r#"{"a":1}"#));
        drop(far);
        assert_eq!(framer.next(&mut near).await.unwrap(), Frame::End);
    }

    #[tokio::test]
    async fn after_a_last_line_without_its_end_comes_the_end() {
        for json in [true, false] {
            let mut framer = Framer::new(b"{}\n17", 100);
            let mut empty: &[u8] = b"";
            for expected in ["{}", "17"] {
                assert_eq!(framer.next(&mut empty).await.unwrap(), value(expected));
            }
            if !json {
                framer.skip_line();
            }
            for _ in 0..2 {
                assert_eq!(framer.next(&mut empty).await.unwrap(), Frame::End);
            }
        }
    }

    #[test]
    fn a_surrogate_escape_needs_its_other_half() {
        for good in [
            r#""\ud83d\ude00""#,
            r#""\\ud83d""#,
            r#""\u00e9\n""#,
            r#""\\\\\"x""#,
            "{}",
        ] {
            assert!(!has_lone_surrogate(good), "{good}");
        }
        for bad in [
            r#""\ud83d""#,
            r#""\ude00""#,
            r#""\ud83dx\ude00""#,
            r#""\ud83d\ud83d""#,
            r#""\ude00\ud83d""#,
            r#""\ud83d\n""#,
            r#""\\\uD83D""#,
        ] {
            assert!(has_lone_surrogate(bad), "{bad}");
        }
    }
}
