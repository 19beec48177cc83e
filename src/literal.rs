//! Text that stands in a template as it is.

/// The string as a template that evaluates to this string.
pub fn escaped(text: &str) -> String {
    let mut template = String::with_capacity(text.len() + 8);
    let mut done = 0;
    for at in directives(text) {
        template.push_str(&text[done..at]);
        template.push('%');
        done = at;
    }
    template.push_str(&text[done..]);
    template.replace("${", "$${")
}

/// The offsets of each `%{` that starts a directive.
pub(crate) fn directives(text: &str) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b'%', text.as_bytes()).filter(|at| {
        let rest = text[at + 1..].strip_prefix('{');
        rest.is_some_and(starts_directive)
    })
}

pub(crate) fn starts_directive(rest: &str) -> bool {
    let rest = rest.strip_prefix('~').unwrap_or(rest).trim_start();
    ["if", "for", "else", "endif", "endfor"].iter().any(|word| {
        rest.strip_prefix(word).is_some_and(|after| {
            after.starts_with(|c: char| c.is_whitespace() || matches!(c, '}' | '~' | '(' | '!'))
        })
    })
}
