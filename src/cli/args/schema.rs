//! The arguments of `stackctl schema`.

use clap::Args;

/// Write the JSON Schema of stack files, for editors.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Writes .stackctl/schema.json in the project's folder. An editor with the YAML language
server (VS Code, Neovim, Zed and others) then completes, explains and checks a stack
file whose first line is:

  # yaml-language-server: $schema=../.stackctl/schema.json

All types complete. Properties are completed and checked for the native types, and for
the types of the registry that the files in stacks/ use or that are named here; run the
command again after a stack begins to use another one. No call is made.

Examples:
  stackctl schema
  stackctl schema AWS::DynamoDB::Table    with the properties of a type not used yet
  stackctl schema --json                  print the schema, write no file")]
pub struct SchemaArgs {
    /// Types of the registry whose properties are included too.
    #[arg(value_name = "TYPE")]
    pub types: Vec<String>,
}
