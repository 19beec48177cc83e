//! What a rule is.

use super::facts::{Facts, Resource};
use crate::schema::broken::Broken;
use crate::severity::Severity;

/// One fact, how it is checked, and what is said of it.
#[derive(Debug)]
pub struct Rule {
    /// `SK` and four digits: the first two are the theme.
    pub code: &'static str,
    /// How bad a finding is where the stack file says nothing else.
    pub severity: Severity,
    /// Whether AWS itself refuses a breach: then the rule cannot be switched off.
    pub is_refused: bool,
    /// The fact in a few words: a sentence without a full stop.
    pub title: &'static str,
    /// Why it holds: one or two sentences, with the page of AWS that says so.
    pub why: &'static str,
    /// The next step.
    pub fix: &'static str,
    /// Resources that break it, as YAML; what stands under `resources:`, or a whole stack without
    /// its name where it begins with `data:`, `variables:` or `locals:`.
    pub bad: &'static str,
    /// Resources that keep it.
    pub good: &'static str,
    /// How it is checked.
    pub check: Check,
}

/// A check of one resource: adds what is wrong with it, with the paths of properties.
pub type CheckOf = fn(&Facts<'_>, &Resource<'_>, &mut Vec<Broken>);

/// How a rule is checked.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// The type states the fact: in its rules or its schema.
    Declared,
    /// Each resource of these types.
    Of(&'static [&'static str], CheckOf),
    /// Each resource.
    Every(CheckOf),
}

impl Rule {
    /// A rule whose breach AWS refuses.
    pub(super) const fn refused(code: &'static str, title: &'static str) -> Self {
        Self {
            is_refused: true,
            severity: Severity::Error,
            ..Self::warning(code, title)
        }
    }

    /// A rule whose breach AWS refuses by its documentation alone: it can be switched off.
    pub(super) const fn error(code: &'static str, title: &'static str) -> Self {
        Self {
            severity: Severity::Error,
            ..Self::warning(code, title)
        }
    }

    /// A rule whose breach AWS accepts.
    pub(super) const fn warning(code: &'static str, title: &'static str) -> Self {
        Self {
            code,
            severity: Severity::Warning,
            is_refused: false,
            title,
            why: "",
            fix: "",
            bad: "",
            good: "",
            check: Check::Declared,
        }
    }

    /// With the reason.
    pub(super) const fn why(self, why: &'static str) -> Self {
        Self { why, ..self }
    }

    /// With the next step.
    pub(super) const fn fix(self, fix: &'static str) -> Self {
        Self { fix, ..self }
    }

    /// With a bad and a good example.
    pub(super) const fn examples(self, bad: &'static str, good: &'static str) -> Self {
        Self { bad, good, ..self }
    }

    /// Checked for each resource of these types.
    pub(super) const fn of(self, types: &'static [&'static str], check: CheckOf) -> Self {
        let check = Check::Of(types, check);
        Self { check, ..self }
    }

    /// Checked for each resource.
    pub(super) const fn every(self, check: CheckOf) -> Self {
        let check = Check::Every(check);
        Self { check, ..self }
    }
}
