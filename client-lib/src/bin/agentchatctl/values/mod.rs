//! Values of arguments: lengths of time, places in the log, filters, targets.

mod filter;
mod since;
mod target;
mod time;

pub(crate) use filter::FilterArgs;
pub(crate) use since::Since;
pub(crate) use target::{HandleArg, Target};
pub(crate) use time::{Time, Until};
