//! What a state in a bucket does when its bucket does not, on the local cloud.

mod faults;
mod kept;
mod lease;
mod scenes;
mod wire;
