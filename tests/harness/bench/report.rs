//! The figures: as a table for people, as JSON for programs.

use serde_json::{Value, json};
use std::fmt;

/// All figures of a run, in the order in which they were measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

/// One figure.
#[derive(Debug)]
pub(crate) struct Line {
    group: String,
    name: String,
    value: f64,
    unit: &'static str,
    ratio: Option<(f64, &'static str)>,
    bar: Option<(String, bool)>,
}

/// A part that could not be measured, or something to know about a figure.
#[derive(Debug)]
enum Kind<'a> {
    Figure(&'a Line),
    Note(&'a str),
}

impl Report {
    /// Adds a figure to a group.
    pub(crate) fn add(
        &mut self,
        group: &str,
        name: &str,
        value: f64,
        unit: &'static str,
    ) -> &mut Line {
        self.lines.push(Line {
            group: group.to_owned(),
            name: name.to_owned(),
            value,
            unit,
            ratio: None,
            bar: None,
        });
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    /// Adds a line without a figure.
    pub(crate) fn note(&mut self, group: &str, text: &str) {
        self.add(group, text, f64::NAN, "");
    }

    /// Whether no bar is missed.
    pub(crate) fn bars_are_met(&self) -> bool {
        self.lines
            .iter()
            .all(|line| line.bar.as_ref().is_none_or(|(_, met)| *met))
    }

    /// The figures for programs.
    pub(crate) fn json(&self, quick: bool) -> String {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let lines: Vec<Value> = self.lines.iter().map(Line::json).collect();
        let all = json!({ "quick": quick, "cores": cores, "lines": lines });
        format!("{all:#}\n")
    }
}

impl Line {
    /// The figure as a part of something else.
    pub(crate) fn of(&mut self, value: f64, what: &'static str) -> &mut Self {
        self.ratio = Some((self.value / value, what));
        self
    }

    /// What the figure has to be.
    pub(crate) fn bar(&mut self, text: &str, met: bool) -> &mut Self {
        self.bar = Some((text.to_owned(), met));
        self
    }

    fn kind(&self) -> Kind<'_> {
        if self.value.is_nan() {
            Kind::Note(&self.name)
        } else {
            Kind::Figure(self)
        }
    }

    fn json(&self) -> Value {
        match self.kind() {
            Kind::Note(text) => json!({ "group": self.group, "note": text }),
            Kind::Figure(_) => json!({
                "group": self.group,
                "name": self.name,
                "value": self.value,
                "unit": self.unit,
                "ratio": self.ratio.map(|(ratio, _)| ratio),
                "of": self.ratio.map(|(_, what)| what),
                "bar": self.bar.as_ref().map(|(text, _)| text),
                "met": self.bar.as_ref().map(|(_, met)| met),
            }),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut group = "";
        for line in &self.lines {
            if line.group != group {
                group = &line.group;
                writeln!(f, "{group}")?;
            }
            match line.kind() {
                Kind::Note(text) => writeln!(f, "  {text}")?,
                Kind::Figure(line) => writeln!(f, "{line}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = number(self.value);
        write!(f, "  {:<46} {value:>10} {:<9}", self.name, self.unit)?;
        if let Some((ratio, what)) = self.ratio {
            write!(f, " {ratio:>7.2} x {what}")?;
        }
        if let Some((text, met)) = &self.bar {
            let verdict = if *met { "pass" } else { "MISSED" };
            write!(f, "  [{verdict}: {text}]")?;
        }
        Ok(())
    }
}

/// With groups of three; decimals where the number is small.
fn number(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The middle one of some figures.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    percentile(values, 50.0)
}

/// The figure below which so many percent lie; sorts them.
pub(crate) fn percentile(values: &mut [f64], percent: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let place = (last as f64 * percent / 100.0).round() as usize;
    values.get(place).copied().unwrap_or(f64::NAN)
}
