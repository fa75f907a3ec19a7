//! Daemon.
pub mod command;
pub mod driver;
pub mod event;
pub mod feed;
pub mod hub;
pub mod store;
pub mod upstream;

/// Stub.
pub mod notify {
    /// Stub.
    pub fn status(_: &str) {}
}

/// Stub.
pub mod shutdown {
    /// Stub.
    #[derive(Debug, Clone, Default)]
    pub struct Tasks(tokio_util::task::TaskTracker);
    impl Tasks {
        /// Stub.
        pub fn spawn<F: Future<Output = ()> + Send + 'static>(&self, _: &'static str, f: F) {
            self.0.spawn(f);
        }
    }
}
