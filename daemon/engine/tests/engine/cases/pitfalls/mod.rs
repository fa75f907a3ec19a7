//! What has sunk other clients of this platform, by the number that `wire.md` 11 gives it
//! (`docs/delivery.md` has the table). More of them stand with the rule that they belong to.

mod link;
mod rows;
mod sends;
