//! The figures in the older of the two text forms.
//!
//! The library writes OpenMetrics. Version 0.0.4 of Prometheus' own text, which many readers still
//! want, differs for the figures that stand here in little: a counter's `_total` and an info's
//! `_info` belong to the name, an info is a gauge, and there is no line at the end.

/// What a `TYPE` or `HELP` line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suffix {
    None,
    Total,
    Info,
}

/// OpenMetrics as text of version 0.0.4.
pub(super) fn plain(open_metrics: &str) -> String {
    let mut out = String::with_capacity(open_metrics.len());
    let mut lines = open_metrics.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        if let Some(help) = line.strip_prefix("# HELP ") {
            // The type stands below the help text, and the name depends on it.
            let suffix = lines.peek().map_or(Suffix::None, |next| suffix_of(next));
            let (name, text) = help.split_once(' ').unwrap_or((help, ""));
            push(&mut out, &["# HELP ", name, suffix.text(), " ", text]);
        } else if let Some(told) = line.strip_prefix("# TYPE ") {
            let suffix = suffix_of(line);
            let (name, kind) = told.split_once(' ').unwrap_or((told, "untyped"));
            let kind = if suffix == Suffix::Info {
                "gauge"
            } else {
                kind
            };
            push(&mut out, &["# TYPE ", name, suffix.text(), " ", kind]);
        } else {
            push(&mut out, &[line]);
        }
    }
    out
}

impl Suffix {
    const fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Total => "_total",
            Self::Info => "_info",
        }
    }
}

fn suffix_of(type_line: &str) -> Suffix {
    match type_line.rsplit(' ').next() {
        Some("counter") => Suffix::Total,
        Some("info") => Suffix::Info,
        _ => Suffix::None,
    }
}

fn push(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_their_endings_and_nothing_stands_at_the_end() {
        let open = "# HELP a_frames Frames.\n# TYPE a_frames counter\na_frames_total{type=\"x\"} 1\n\
                    # HELP a_build Program.\n# TYPE a_build info\na_build_info{version=\"1\"} 1\n\
                    # HELP a_open Open.\n# TYPE a_open gauge\na_open 2\n# EOF\n";
        let plain = plain(open);
        assert_eq!(
            plain,
            "# HELP a_frames_total Frames.\n# TYPE a_frames_total counter\n\
             a_frames_total{type=\"x\"} 1\n\
             # HELP a_build_info Program.\n# TYPE a_build_info gauge\na_build_info{version=\"1\"} 1\n\
             # HELP a_open Open.\n# TYPE a_open gauge\na_open 2\n"
        );
    }
}
