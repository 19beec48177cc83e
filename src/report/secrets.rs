//! Keeping secret values out of what is shown.

use crate::engine::plan::Plan;

/// Secret texts that must not come out of an error message.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    texts: Vec<String>,
}

impl Secrets {
    /// The secrets that a plan knows.
    pub fn of(plan: &Plan) -> Self {
        let _ = plan;
        Self::default()
    }

    /// The text with each secret replaced by `(secret)`.
    pub fn hide(&self, text: &str) -> String {
        self.texts.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret, "(secret)")
        })
    }
}
