//! The clients against a daemon that follows a script.

mod blocking;
mod calls;
mod fake;
mod subscription;
