//! The arguments of `archive:getFile`.

use crate::resource::author::*;

/// A zip file, the same to the byte wherever and whenever it is built from the same files: entries
/// in the order of their names' bytes, all dated 1980-01-01, mode 0644 (0755 for files their owner
/// may run), no entries for folders, Deflate at one level. Files are held in memory. A link within
/// `sourceDir` stands for the file or folder it leads to, which must be in `sourceDir` too. Exactly
/// one of `sourceDir`, `sourceFile`, `source` and `sourceContent` is given.
///
/// ```yaml
/// code:
///   type: archive:getFile
///   properties:
///     type: zip
///     sourceContent: "def handler(event, context): return event"
///     sourceContentFilename: app.py
/// ```
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetFile {
    /// The kind of archive.
    #[serde(rename = "type")]
    #[schemars(extend("enum" = ["zip"]))]
    pub kind: String,
    /// A folder; all files below it go in. Paths start from the stack file's folder.
    pub source_dir: Option<String>,
    /// One file; it goes in under its own name.
    pub source_file: Option<String>,
    /// Strings, each with its name in the archive.
    #[schemars(length(min = 1))]
    pub source: Option<Vec<Source>>,
    /// One string; goes with `sourceContentFilename`.
    pub source_content: Option<String>,
    /// The name that `sourceContent` goes in under.
    pub source_content_filename: Option<String>,
    /// What to exclude from `sourceDir`, as in `.gitignore`: paths below it, with `*`, `?`, `**`,
    /// `[ab]` and `{a,b}`; the last pattern that fits decides, and `!` takes back. Other than
    /// there, a name without a slash is one directly in `sourceDir`: `**/name` is one anywhere. A
    /// folder is excluded with all that is in it. A pattern that fits nothing is a warning.
    pub excludes: Option<Vec<String>>,
    /// The mode of every entry as octal digits, such as `0666`, in place of the files' own.
    #[schemars(regex(pattern = r"^0?[0-7]{3}$"))]
    pub output_file_mode: Option<String>,
    /// Where an apply writes the file: a path from the stack file's folder that ends in `.zip` and
    /// stays in the project's folder. It takes the place of nothing, or of an archive that
    /// stackctl wrote. A plan, `drift` and `refresh` write it nowhere: they use the archive that is
    /// kept in `.stackctl/archive`. By default the path is the one there, named after the content,
    /// so that it changes when the content does.
    #[schemars(extend("writesFile" = true))]
    pub output_path: Option<String>,
}

/// A string to put into the archive.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// The string.
    pub content: String,
    /// The name it goes in under, with forward slashes.
    #[schemars(length(min = 1))]
    pub filename: String,
}
