//! Facts beyond the schemas: a table of rules, each with a code, and the room that checks them.
//!
//! A rule states one fact about AWS. Where a type states it by itself (`Resource::rules`), its
//! [`Broken`] carries the code and the table only describes it
//! ([`Check::Declared`]); else the check stands beside the description, one file a theme.
//! `docs/lint.md` is generated from the table.
//!
//! Checks see [`Facts`]: every resource of the stack with its evaluated properties, in the names of
//! stackctl's own types. A resource of a CloudFormation type (`AWS::SQS::Queue`) is shown to them
//! under the names of its twin (`spelling.rs`), and what they find is reported in its own. What is
//! not known yet is not guessed: a check that meets it says nothing.

mod apigateway;
mod facts;
mod general;
mod iam;
mod iam_actions;
mod iam_conditions;
mod iam_grants;
mod iam_principals;
mod iam_statements;
mod lambda;
mod lambda_code;
mod lambda_sources;
mod logs;
mod policies;
mod rule;
mod run;
mod s3;
mod secrets;
mod sns;
pub mod spelling;
mod sqs;
pub mod switch;
#[cfg(test)]
mod tests;

pub use facts::{ArchiveHas, Facts, PeerOf, Resource};
pub use rule::{Check, CheckOf, Rule};
pub use run::{Finding, findings};
pub use secrets::literals;

use crate::schema::broken::Broken;
use std::sync::LazyLock;

/// Every rule, in the order of the codes.
pub fn rules() -> &'static [&'static Rule] {
    static RULES: LazyLock<Vec<&Rule>> = LazyLock::new(|| {
        let themes = [
            lambda::RULES,
            lambda_code::RULES,
            lambda_sources::RULES,
            sqs::RULES,
            sns::RULES,
            iam::RULES,
            iam_statements::RULES,
            iam_conditions::RULES,
            iam_actions::RULES,
            iam_principals::RULES,
            iam_grants::RULES,
            s3::RULES,
            logs::RULES,
            apigateway::RULES,
            general::RULES,
            secrets::RULES,
        ];
        let mut all: Vec<&Rule> = themes.into_iter().flatten().collect();
        all.sort_by_key(|rule| rule.code);
        all
    });
    &RULES
}

/// The rule of a code.
pub fn rule(code: &str) -> Option<&'static Rule> {
    let rules = rules();
    let at = rules.binary_search_by_key(&code, |rule| rule.code).ok()?;
    rules.get(at).copied()
}

/// The facts that schemas state: a type, a property, and the code.
const IN_SCHEMAS: &[(&str, &str, &str)] = &[
    ("aws:cloudwatch:LogGroup", "retentionInDays", "SK0701"),
    ("aws:s3:Bucket", "bucket", "SK0601"),
];

/// The code of what a type's schema says of the value of a property, where it is a rule.
pub fn code_in_schema(type_name: &str, broken: &Broken) -> Option<&'static str> {
    let path = broken.path.to_string();
    let mut all = IN_SCHEMAS.iter();
    let found = all.find(|(name, property, _)| *name == type_name && *property == path);
    // A value of another type is another mistake.
    found
        .filter(|_| !broken.message.contains(": expected a "))
        .map(|(_, _, code)| *code)
}
