//! The types there are.

/// Whether a type lives at AWS; the others have nothing to read and nothing to call.
pub fn is_remote(type_name: &str) -> bool {
    type_name.starts_with("aws:")
}
