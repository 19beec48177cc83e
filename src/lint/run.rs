//! Checks every rule.

use super::facts::Facts;
use super::rule::{Check, CheckOf, Rule};
use super::{rules, switch};
use crate::schema::broken::Broken;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a check found.
#[derive(Debug)]
pub struct Finding {
    /// The number of the resource.
    pub at: usize,
    /// The rule.
    pub rule: &'static Rule,
    /// What is wrong; the path is that of a property in the file.
    pub broken: Broken,
}

type Checks = Vec<(&'static Rule, CheckOf)>;

/// The checks of each type, and those of all.
static CHECKS: LazyLock<(HashMap<&'static str, Checks>, Checks)> = LazyLock::new(|| {
    let (mut by_type, mut every): (HashMap<_, Checks>, _) = (HashMap::new(), Vec::new());
    for rule in rules() {
        match rule.check {
            Check::Declared => {}
            Check::Every(check) => every.push((*rule, check)),
            Check::Of(types, check) => {
                for name in types {
                    by_type.entry(*name).or_default().push((*rule, check));
                }
            }
        }
    }
    (by_type, every)
});

/// What all rules find, but those that the stack switches off.
pub fn findings(facts: &Facts<'_>) -> Vec<Finding> {
    let (by_type, every) = &*CHECKS;
    let mut found = Vec::new();
    for resource in facts.resources.iter().filter(|one| one.is_sound) {
        let own = by_type.get(resource.type_name).into_iter().flatten();
        let own = own.map(|(rule, check)| (rule, check, false));
        let every = every.iter().map(|(rule, check)| (rule, check, true));
        for (rule, check, is_as_written) in own.chain(every) {
            if switch::is_off(facts.stack, rule) {
                continue;
            }
            let mut broken = Vec::new();
            check(facts, resource, &mut broken);
            found.extend(broken.into_iter().map(|broken| {
                let help = broken.help.clone();
                let broken = broken.code(rule.code);
                let broken = broken.help(help.or_else(|| Some(rule.fix.to_owned())));
                // What is found in the file as it is written has its place there already.
                let broken = match is_as_written {
                    true => broken,
                    false => resource.in_file(broken),
                };
                Finding {
                    at: resource.at,
                    rule,
                    broken,
                }
            }));
        }
    }
    found
}
