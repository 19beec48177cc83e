//! The arguments of the commands that show the reference.

use clap::Args;

/// Show what types there are, and what one of them takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
A type is found by its name in any spelling, or by words. No call is made.

Examples:
  stackctl types                                   stackctl's own types
  stackctl types queue                             the types with queue in them
  stackctl types aws:sqs:Queue                     all of one type
  stackctl types AWS::DynamoDB::Table              one of the CloudFormation registry
  stackctl types AWS::DynamoDB::Table KeySchema    one of its properties
  stackctl types aws:sqs:Queue --json              its JSON schemas")]
pub struct TypesArgs {
    /// A type, and a property of it; or words to look for.
    #[arg(value_name = "TYPE or WORD")]
    pub words: Vec<String>,
}

/// Show the functions of expressions, and what else they may have in them.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Expressions are HCL templates: ${...} in any string of a stack file.

Examples:
  stackctl functions             all functions, references, operators and directives
  stackctl functions join        one of them, with an example
  stackctl functions file        the functions with file in them, if none is called so")]
pub struct FunctionsArgs {
    /// A function, the first word of a reference, an operator; or a word to look for.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}
