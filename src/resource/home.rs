//! Where resources exist.

/// Where the resources of a type exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// At the provider of this name, which is called.
    Provider(&'static str),
    /// In the state alone: nothing is called.
    State,
}

/// AWS, whose types most are.
pub const AWS: Home = Home::Provider("aws");
