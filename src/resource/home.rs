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

/// Where a plan's AWS resources are created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'p> {
    /// The partition: `aws`.
    pub partition: &'p str,
    /// The region.
    pub region: &'p str,
    /// The account's 12 digits.
    pub account: &'p str,
}
