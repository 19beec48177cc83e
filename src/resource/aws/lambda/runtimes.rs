//! Runtimes that Lambda refuses for new functions. The service model still lists them, so
//! they are kept here as data; a name that is not here may be new and is let through.

/// Runtimes of which new functions are refused (Lambda developer guide, runtime
/// deprecation). Newer ones whose last day is not settled are left to Lambda.
const RETIRED: &[&str] = &[
    "dotnet5.0",
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

/// Whether Lambda refuses new functions of this runtime.
pub fn is_retired(name: &str) -> bool {
    RETIRED.contains(&name)
}
