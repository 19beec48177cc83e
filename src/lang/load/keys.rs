//! The keys of a stack file: what each is called, what it holds, and what it is for. The loader
//! takes these and no others; the schema for editors is written from the same tables.

use Holds::{Any, Bool, Choice, Entries, Map, Matching, Names, Number, Settings, Text, When};

/// A key that a map of a stack file may have.
#[derive(Debug)]
pub struct Key {
    /// How it is written.
    pub name: &'static str,
    /// What it is for: one or two sentences.
    pub about: &'static str,
    /// What its value may be.
    pub holds: Holds,
    /// Whether it must be given.
    pub is_required: bool,
    /// Whether null is the same as leaving the key out.
    pub is_nullable: bool,
}

/// What the value of a key may be.
#[derive(Debug, Clone, Copy)]
pub enum Holds {
    /// Anything.
    Any,
    /// A string.
    Text,
    /// A string that matches a pattern, or has an expression in it; the other is what is expected.
    Matching(&'static str, &'static str),
    /// The same without an expression.
    Literal(&'static str, &'static str),
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// A bool, and no expression.
    Bool,
    /// A bool, or an expression that gives one.
    When,
    /// A number, and no expression.
    Number,
    /// A list with at least one value.
    Values,
    /// A list of strings.
    Names,
    /// A map with these keys.
    Map(&'static [Key]),
    /// A map with these keys, or an expression that gives one.
    Settings(&'static [Key]),
    /// A map of entries that the file names, each of this kind.
    Entries(Entry),
    /// A map of strings, numbers and bools, or an expression that gives one.
    Tags,
    /// A list of account ids, or an expression that gives one.
    Accounts,
    /// A map, a list of strings, or an expression that gives one.
    Many,
    /// A string, or a list of at least one.
    ImportId,
    /// A string, a list of strings, or a map of these.
    Addresses,
}

/// What an entry is that the file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A variable: [`VARIABLE`].
    Variable,
    /// A local: any value.
    Local,
    /// A data source: [`DATA`].
    Data,
    /// A resource: [`RESOURCE`].
    Resource,
    /// An output: [`OUTPUT`], or any value but a map.
    Output,
    /// How bad the findings of a rule are, by the rule's code.
    Level,
}

const fn key(name: &'static str, holds: Holds, about: &'static str) -> Key {
    Key {
        name,
        about,
        holds,
        is_required: false,
        is_nullable: true,
    }
}

impl Key {
    const fn required(self) -> Self {
        Self {
            is_required: true,
            is_nullable: false,
            ..self
        }
    }

    const fn not_null(self) -> Self {
        Self {
            is_nullable: false,
            ..self
        }
    }
}

/// The names of keys.
pub fn names(keys: &'static [Key]) -> impl Iterator<Item = &'static str> + Clone {
    keys.iter().map(|key| key.name)
}

/// What a name must be that expressions use; see `is_identifier`.
pub const IDENTIFIER: &str = "^[A-Za-z_][A-Za-z0-9_-]*$";

/// What the name of a stack must be; see `is_file_name`.
const FILE_NAME: &str = "^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$";

/// A time such as `1h30m`; see `duration`.
const TIME: &str = "^(?=.)([0-9]+h)?([0-9]+m)?([0-9]+s)?$";
const A_TIME: &str = "a time such as 90s, 5m or 1h30m";

/// The types that a variable may have.
const TYPES: &[&str] = &["string", "number", "bool", "list", "map", "any"];

/// The top-level keys. Keys that begin with `x-` are free: a place for anchors.
pub const FILE: &[Key] = &[
    key(
        "name",
        Holds::Literal(
            FILE_NAME,
            "up to 100 letters, digits, - and _, a letter or digit first",
        ),
        "The stack's name. The state file is called after it.",
    )
    .required(),
    key("description", Text, "What the stack is for."),
    key(
        "state",
        Text,
        "Where the state is kept: the path of a file, or s3://bucket/key. Without it, a file under \
         state/.",
    ),
    key(
        "variables",
        Entries(Entry::Variable),
        "Values that come from outside: --var, --var-file, STACKCTL_VAR_<name>, or the file of \
         --env. Expressions read them as var.<name>.",
    ),
    key("providers", Map(PROVIDERS), "How the services are reached."),
    key(
        "lint",
        Entries(Entry::Level),
        "How bad a finding of a rule is, by the rule's code: off, warning or error.",
    ),
    key(
        "locals",
        Entries(Entry::Local),
        "Values with a name. Expressions read them as local.<name>.",
    ),
    key(
        "data",
        Entries(Entry::Data),
        "Data sources: what is read and never changed. Expressions read them as data.<name>.",
    ),
    key(
        "resources",
        Entries(Entry::Resource),
        "Resources: what stackctl creates, updates and deletes. Expressions read them by their \
         names.",
    ),
    key(
        "outputs",
        Entries(Entry::Output),
        "Values that stackctl outputs prints, and that the state keeps.",
    ),
];

/// The keys of an entry of `variables`.
pub const VARIABLE: &[Key] = &[
    key(
        "type",
        Choice(TYPES),
        "The type of the value. Without it, any.",
    ),
    key(
        "default",
        Any,
        "The value where none is given. It cannot refer to anything.",
    ),
    key("description", Text, "What the variable is for."),
    key(
        "sensitive",
        Bool,
        "Whether the value, and all that is computed from it, is secret: it is shown nowhere.",
    )
    .not_null(),
    key("enum", Holds::Values, "The values that are allowed.").not_null(),
    key(
        "pattern",
        Text,
        "A regular expression that the string must match.",
    )
    .not_null(),
    key("minimum", Number, "The least number that is allowed.").not_null(),
    key("maximum", Number, "The greatest number that is allowed.").not_null(),
];

/// The keys of `providers`.
pub const PROVIDERS: &[Key] = &[key("aws", Map(AWS), "How AWS is reached.")];

/// The keys of `providers.aws`.
pub const AWS: &[Key] = &[
    key(
        "region",
        Text,
        "The region. Without it, AWS_REGION or the profile says which.",
    ),
    key(
        "profile",
        Text,
        "The profile with the credentials; it wins over keys in the environment.",
    ),
    key(
        "endpointUrl",
        Text,
        "The address of an emulator to call in place of AWS.",
    ),
    key(
        "assumeRole",
        Settings(ASSUME_ROLE),
        "A role to assume, and how.",
    ),
    key("assumeRoleArn", Text, "The ARN of a role to assume."),
    key(
        "allowedAccountIds",
        Holds::Accounts,
        "The accounts that may be changed; another one is refused.",
    ),
    key(
        "defaultTags",
        Holds::Tags,
        "Tags of all resources that take tags.",
    ),
];

/// The keys of `providers.aws.assumeRole`.
pub const ASSUME_ROLE: &[Key] = &[
    key("roleArn", Text, "The ARN of the role.").required(),
    key(
        "externalId",
        Matching(
            "^[A-Za-z0-9_+=,.@:/-]{2,1224}$",
            "2 to 1224 letters, digits and characters of _+=,.@:/-",
        ),
        "The external id that the role's trust policy asks for.",
    ),
    key(
        "sessionName",
        Matching(
            "^[A-Za-z0-9_+=,.@-]{2,64}$",
            "2 to 64 letters, digits and characters of _+=,.@-",
        ),
        "The name of the session, which CloudTrail shows.",
    ),
    key(
        "duration",
        Matching(TIME, A_TIME),
        "How long the session lasts: 15m to 12h.",
    ),
];

/// The keys of an entry of `data`.
pub const DATA: &[Key] = &[
    key(
        "type",
        Text,
        "The data source, such as aws:getCallerIdentity.",
    )
    .required(),
    key(
        "properties",
        Map(&[]),
        "What is read: the data source's arguments.",
    ),
];

/// The keys of an entry of `resources`.
pub const RESOURCE: &[Key] = &[
    key(
        "type",
        Text,
        "The resource type, such as aws:sqs:Queue or AWS::DynamoDB::Table.",
    )
    .required(),
    key("properties", Map(&[]), "What the resource is to be."),
    key("options", Map(OPTIONS), "How stackctl treats the resource."),
];

/// The keys of `options`.
pub const OPTIONS: &[Key] = &[
    key(
        "dependsOn",
        Names,
        "Names of resources that are created before this one and deleted after it. What the \
         properties refer to need not be named.",
    ),
    key(
        "protect",
        When,
        "Whether a deletion or a replacement is refused.",
    ),
    key(
        "retainOnDelete",
        When,
        "Whether the resource stays when it is taken out of the file: stackctl forgets it.",
    ),
    key(
        "ignoreChanges",
        Names,
        "Properties, as dotted paths, whose difference is left alone.",
    ),
    key(
        "replaceOnChanges",
        Names,
        "Properties, as dotted paths, whose change replaces the resource.",
    ),
    key(
        "deleteBeforeReplace",
        Bool,
        "Whether a replacement deletes the old resource before it creates the new one.",
    ),
    key(
        "forEach",
        Holds::Many,
        "A map, or a list of distinct strings: one instance for each entry. Expressions read it as \
         each.key and each.value.",
    ),
    key(
        "when",
        When,
        "Whether the resource exists; with false it does not.",
    ),
    key(
        "timeouts",
        Map(TIMEOUTS),
        "How long the steps may take, such as 90s, 5m or 1h30m.",
    ),
    key(
        "import",
        Holds::ImportId,
        "The id of an existing resource that the next apply imports. The parts of a compound id \
         may be a list.",
    ),
    key(
        "movedFrom",
        Holds::Addresses,
        "The address that the resource had before, or a list of them; with forEach also a map of \
         these by key.",
    ),
];

/// The keys of `options.timeouts`.
pub const TIMEOUTS: &[Key] = &[
    key(
        "create",
        Holds::Literal(TIME, A_TIME),
        "How long a create may take.",
    )
    .not_null(),
    key(
        "update",
        Holds::Literal(TIME, A_TIME),
        "How long an update may take.",
    )
    .not_null(),
    key(
        "delete",
        Holds::Literal(TIME, A_TIME),
        "How long a delete may take.",
    )
    .not_null(),
];

/// The keys of an entry of `outputs`.
pub const OUTPUT: &[Key] = &[
    key("value", Any, "The value: an expression, most often.").required(),
    key("description", Text, "What the value is."),
    key(
        "sensitive",
        Bool,
        "Whether the value is secret: it is shown on request only.",
    )
    .not_null(),
];
