//! Where the sandbox differs from the recorded server on purpose, by name.

/// One difference.
#[derive(Debug)]
pub struct Difference {
    /// First two digits of the trace.
    pub trace: &'static str,
    /// Number of the step.
    pub n: u64,
    /// A part of what the comparison tells.
    pub tells: &'static str,
    /// Why it is meant to be so.
    pub why: &'static str,
}

const fn differs(trace: &'static str, n: u64, tells: &'static str, why: &'static str) -> Difference {
    Difference { trace, n, tells, why }
}

/// All of them. Each has to show itself: an entry that the comparison no longer tells is an error,
/// as is anything that the comparison tells and that is not listed.
pub const DIFFERENCES: &[Difference] = &[];
