//! The Lambda runtimes, as data: which names there are and which can no longer be used.
//!
//! Names: the Lambda service model. Retirement: the Lambda developer guide's table of
//! deprecated runtimes, with the dates from which creation is blocked; the retired ones
//! here are blocked as of 2026-06.

/// Runtimes that functions can be created with.
pub const CURRENT: &[&str] = &[
    "dotnet10",
    "dotnet8",
    "java11",
    "java11.al2023",
    "java17",
    "java17.al2023",
    "java21",
    "java25",
    "java8.al2",
    "java8.al2023",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "nodejs26.x",
    "provided.al2",
    "provided.al2023",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "python3.15",
    "python3.9",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "ruby4.0",
];

/// Runtimes that Lambda knows but refuses for new functions and for changes.
pub const RETIRED: &[&str] = &[
    "dotnet6",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "java8",
    "nodejs",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "nodejs16.x",
    "nodejs18.x",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "provided",
    "python2.7",
    "python3.6",
    "python3.7",
    "python3.8",
    "ruby2.5",
    "ruby2.7",
];

/// Whether Lambda refuses to create functions with this runtime because it is retired.
pub fn is_retired(name: &str) -> bool {
    RETIRED.contains(&name)
}

/// Whether the name is a runtime, retired or not. A newer one may be missing here.
pub fn is_known(name: &str) -> bool {
    CURRENT.contains(&name) || is_retired(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_is_current_or_retired() {
        assert!(is_retired("python3.8") && is_retired("nodejs18.x"));
        assert!(!is_retired("python3.12") && is_known("python3.12"));
        assert!(!is_known("python3.99"));
        assert!(CURRENT.iter().all(|name| !is_retired(name)));
    }

    /// The model's enum is the reference for the names.
    #[test]
    fn every_runtime_of_the_model_is_known() {
        for name in aws_sdk_lambda::types::Runtime::values() {
            assert!(is_known(name), "{name} is missing");
        }
        assert_eq!(
            CURRENT.len() + RETIRED.len(),
            aws_sdk_lambda::types::Runtime::values().len()
        );
    }
}
