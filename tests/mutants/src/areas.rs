//! The areas of the code that are told apart in the table.

/// An area: its name, and what the paths of its files begin with. The first that fits counts.
struct Area {
    name: &'static str,
    under: &'static [&'static str],
}

const AREAS: &[Area] = &[
    Area {
        name: "engine: applying",
        under: &[
            "src/engine/observe/",
            "src/engine/apply/",
            "src/engine/after/",
        ],
    },
    Area {
        name: "engine: planning",
        under: &["src/engine/"],
    },
    Area {
        name: "store: S3",
        under: &["src/store/s3/"],
    },
    Area {
        name: "store: files, formats",
        under: &["src/store/"],
    },
    Area {
        name: "saved plans",
        under: &["src/saved/"],
    },
    Area {
        name: "secrets",
        under: &["src/secrets/", "src/report/secrets.rs", "src/cli/masks.rs"],
    },
    Area {
        name: "language: evaluation",
        under: &["src/lang/eval"],
    },
    Area {
        name: "language: files, checks",
        under: &["src/lang/", "src/schema", "src/data.rs"],
    },
    Area {
        name: "report",
        under: &["src/report/"],
    },
    Area {
        name: "types: Lambda",
        under: &["src/resource/aws/lambda/"],
    },
    Area {
        name: "types: API Gateway",
        under: &["src/resource/aws/apigateway"],
    },
    Area {
        name: "types: S3",
        under: &["src/resource/aws/s3/"],
    },
    Area {
        name: "types: IAM, SQS, logs",
        under: &[
            "src/resource/aws/iam/",
            "src/resource/aws/sns/",
            "src/resource/aws/sqs/",
            "src/resource/aws/cloudwatch/",
        ],
    },
    Area {
        name: "types: common",
        under: &["src/resource/"],
    },
    Area {
        name: "command line",
        under: &["src/cli/"],
    },
];

/// The area of a file; none for what is not mutated: the local cloud, the binary's `main`.
pub fn of(file: &str) -> Option<&'static str> {
    let fits = |area: &&Area| area.under.iter().any(|start| file.starts_with(start));
    AREAS.iter().find(fits).map(|area| area.name)
}

/// The names of all areas, in the order of the table.
pub fn names() -> impl Iterator<Item = &'static str> {
    AREAS.iter().map(|area| area.name)
}
