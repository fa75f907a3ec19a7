//! What the platform or the network does wrong, and the log that is whole all the same.
