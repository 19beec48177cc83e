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

/// When runtimes are deprecated, and what succeeds them. The dates are those of the Lambda developer
/// guide's table, as cfn-lint 1.58 has it (`LmbdRuntimeLifecycle.json`, MIT-0); those that lie ahead
/// are plans.
const DEPRECATIONS: &[(&str, &str, &str)] = &[
    ("dotnet6", "2024-12-20", "dotnet10"),
    ("dotnet8", "2026-11-10", "dotnet10"),
    ("dotnet9", "2026-11-10", "dotnet10"),
    ("dotnetcore1.0", "2019-06-27", "dotnet10"),
    ("dotnetcore2.0", "2019-05-30", "dotnet10"),
    ("dotnetcore2.1", "2022-01-05", "dotnet10"),
    ("dotnetcore3.1", "2023-04-03", "dotnet10"),
    ("go1.x", "2024-01-08", "provided.al2023"),
    ("java11", "2027-06-30", "java25"),
    ("java17", "2027-06-30", "java25"),
    ("java21", "2029-06-30", "java25"),
    ("java8", "2024-01-08", "java25"),
    ("java8.al2", "2027-06-30", "java25"),
    ("nodejs", "2016-08-30", "nodejs24.x"),
    ("nodejs10.x", "2021-07-30", "nodejs24.x"),
    ("nodejs12.x", "2023-03-31", "nodejs24.x"),
    ("nodejs14.x", "2023-12-04", "nodejs24.x"),
    ("nodejs16.x", "2024-06-12", "nodejs24.x"),
    ("nodejs18.x", "2025-09-01", "nodejs24.x"),
    ("nodejs20.x", "2026-04-30", "nodejs24.x"),
    ("nodejs22.x", "2027-04-30", "nodejs24.x"),
    ("nodejs4.3", "2020-03-05", "nodejs24.x"),
    ("nodejs4.3-edge", "2020-03-05", "nodejs24.x"),
    ("nodejs6.10", "2019-08-12", "nodejs24.x"),
    ("nodejs8.10", "2020-03-06", "nodejs24.x"),
    ("provided", "2024-01-08", "provided.al2023"),
    ("provided.al2", "2026-07-31", "provided.al2023"),
    ("python2.7", "2021-07-15", "python3.14"),
    ("python3.10", "2026-10-31", "python3.14"),
    ("python3.11", "2027-06-30", "python3.14"),
    ("python3.12", "2028-10-31", "python3.14"),
    ("python3.13", "2029-06-30", "python3.14"),
    ("python3.6", "2022-07-18", "python3.14"),
    ("python3.7", "2023-12-04", "python3.14"),
    ("python3.8", "2024-10-14", "python3.14"),
    ("python3.9", "2025-12-15", "python3.14"),
    ("ruby2.5", "2021-07-30", "ruby4.0"),
    ("ruby2.7", "2023-12-07", "ruby4.0"),
    ("ruby3.2", "2026-03-31", "ruby4.0"),
    ("ruby3.3", "2027-03-31", "ruby4.0"),
    ("ruby3.4", "2028-03-31", "ruby4.0"),
];

/// When a runtime is deprecated (`2026-10-31`), and the runtime that succeeds it.
pub fn deprecation(name: &str) -> Option<(&'static str, &'static str)> {
    let found = DEPRECATIONS.iter().find(|(runtime, ..)| *runtime == name);
    found.map(|(_, date, successor)| (*date, *successor))
}

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
