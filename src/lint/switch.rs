//! `lint:` of a stack file: which rules are off, and how bad a finding of the others is.

use super::rule::Rule;
use super::{rule, rules};
use crate::data::Path;
use crate::lang::diagnostic::{Diagnostic, Place};
use crate::lang::stack::Stack;
use crate::nearest::nearest;
use crate::severity::Severity;

/// What a rule can be set to.
pub const LEVELS: &[&str] = &["off", "warning", "error"];

fn level<'s>(stack: &'s Stack, rule: &Rule) -> Option<&'s str> {
    let level = stack.lint.get(rule.code)?.as_str();
    level.filter(|_| !rule.is_refused)
}

/// Whether the stack switches a rule off.
pub fn is_off(stack: &Stack, rule: &Rule) -> bool {
    !stack.lint.is_empty() && level(stack, rule) == Some("off")
}

/// A mistake as the stack wants it: as bad as it says, or none where its rule is off. What AWS
/// refuses in this plan stays an error.
pub fn switched(stack: &Stack, mut found: Diagnostic) -> Option<Diagnostic> {
    let rule = match found.code.and_then(rule) {
        Some(rule) if !stack.lint.is_empty() => rule,
        _ => return Some(found),
    };
    let is_refusal = found.severity == Severity::Error && rule.severity == Severity::Warning;
    match level(stack, rule) {
        Some("off") if !is_refusal => return None,
        Some("warning") if !is_refusal => found.severity = Severity::Warning,
        Some("error") => found.severity = Severity::Error,
        _ => {}
    }
    Some(found)
}

/// What is wrong with `lint:` itself.
pub fn check(stack: &Stack) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (code, level) in &stack.lint {
        let path = Path::root().join("lint").join(code);
        let Some(rule) = rule(code) else {
            let message = format!("unknown rule {code:?}");
            let near = nearest(code, rules().iter().map(|rule| rule.code));
            let help = match near {
                Some(near) => format!("did you mean \"{near}\"? docs/lint.md lists the rules"),
                None => "docs/lint.md lists the rules".to_owned(),
            };
            found.push(Diagnostic::error(Place::Key(path), message).help(help));
            continue;
        };
        // YAML reads a bare `off` as false in some of its versions.
        let Some(level) = level.as_str().filter(|level| LEVELS.contains(level)) else {
            let message = format!("{code}: expected off, warning or error");
            found.push(Diagnostic::error(Place::Value(path), message));
            continue;
        };
        if rule.is_refused && level != "error" {
            let message = format!("{code} cannot be switched to {level}: AWS itself refuses it");
            let help = format!("take the line out; {code} says: {}", rule.title);
            found.push(Diagnostic::error(Place::Value(path), message).help(help));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::load::{Given, load};

    fn said(lint: &str) -> Vec<String> {
        let text = format!("name: s\nlint: {lint}\n");
        let file = ("s.yaml".to_owned(), text.into_bytes());
        let loaded = load(file, None, ".".into(), &Given::default());
        assert_eq!(loaded.diagnostics, []);
        let found = check(&loaded.stack).into_iter();
        found
            .map(|one| format!("{} ({})", one.message, one.help.unwrap_or_default()))
            .collect()
    }

    #[test]
    fn what_is_wrong_with_the_switch_is_told() {
        assert_eq!(
            said("{SK0704: off, SK0205: error, SK0310: warning}"),
            [""; 0]
        );
        assert_eq!(
            said("{SK07O4: off}"),
            ["unknown rule \"SK07O4\" (did you mean \"SK0704\"? docs/lint.md lists the rules)"]
        );
        assert_eq!(
            said("{SK0704: loud}"),
            ["SK0704: expected off, warning or error ()"]
        );
        let refused = said("{SK0301: off}");
        assert!(refused[0].starts_with("SK0301 cannot be switched to off: AWS itself refuses it"));
    }
}
