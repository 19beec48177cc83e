//! What is FIFO: how its name ends, and the properties that only it has.

use crate::resource::author::*;

/// A kind of resource that may be FIFO.
pub(crate) struct Fifo {
    /// What it is called.
    pub(crate) thing: &'static str,
    /// The property that says whether it is FIFO.
    pub(crate) flag: &'static str,
    /// The properties that only FIFO ones have.
    pub(crate) only: &'static [&'static str],
    /// The codes of the rules: on a FIFO name, on a standard name, on these properties.
    pub(crate) codes: [&'static str; 3],
}

impl Fifo {
    /// Whether it is FIFO; none where that is not known.
    pub(crate) fn is(&self, rules: &Rules<'_>) -> Option<bool> {
        match rules.known(self.flag) {
            Some(value) => value.as_bool(),
            None if rules.given(self.flag) => None,
            None => Some(false),
        }
    }

    /// The rules on the name, and on the properties of FIFO ones.
    pub(crate) fn rules(&self, rules: &Rules<'_>) -> Vec<Broken> {
        let Self {
            thing,
            flag,
            only,
            codes,
        } = self;
        let mut broken = Vec::new();
        let Some(fifo) = self.is(rules) else {
            return broken;
        };
        if let Some(name) = rules.known("name").and_then(Value::as_str) {
            if fifo && !name.ends_with(".fifo") {
                broken.push(
                    Broken::at(
                        "name",
                        format!("The name of a FIFO {thing} ends in \".fifo\"."),
                    )
                    .code(codes[0]),
                );
            }
            if !fifo && name.ends_with(".fifo") {
                broken.push(Broken::at(
                    "name",
                    format!("A name that ends in \".fifo\" is for a FIFO {thing}: set {flag}: true, or choose another name."),
                ).code(codes[1]));
            }
        }
        if !fifo {
            for name in *only {
                // False is what the others have anyway.
                let given = rules.given(name) && rules.known(name) != Some(&Value::Bool(false));
                if given {
                    broken.push(
                        Broken::at(
                            name,
                            format!(
                                "{name} is for FIFO {thing}s: set {flag}: true, or take it out."
                            ),
                        )
                        .code(codes[2]),
                    );
                }
            }
        }
        broken
    }
}
