//! Where the project ends: a stack that reads a file outside of it may be a stranger's, who wants
//! to know what is in there.

use crate::files::plain;
use std::fmt;
use std::path::{Path, PathBuf};

/// A path of the stack that leads out of the project's folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outside {
    /// As the stack names it.
    pub path: String,
    /// Where it leads, after links are followed.
    pub real: PathBuf,
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, real) = (&self.path, self.real.display());
        write!(f, "{path:?} leads out of the project's folder, to {real}")
    }
}

/// The project's folder of a stack in `dir`: the one that stackctl runs in, where that holds the
/// stack and is neither the user's home nor a folder around it; else the folder of the stack file,
/// or the one around it where it is called `stacks`.
pub fn project(dir: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let home = std::env::var_os("HOME").map(PathBuf::from);
    of(dir, &here, home.as_deref())
}

fn of(dir: &Path, here: &Path, home: Option<&Path>) -> PathBuf {
    let (dir, here) = (real(&here.join(dir)), real(here));
    let holds_home = home.is_some_and(|home| real(home).starts_with(&here));
    if dir.starts_with(&here) && !holds_home {
        return here;
    }
    match (dir.file_name(), dir.parent()) {
        (Some(name), Some(parent)) if name == "stacks" => parent.to_owned(),
        _ => dir,
    }
}

/// Where a path leads that starts from the folder `dir`, its links followed.
///
/// # Errors
/// Where it leads out of the project.
pub fn place(project: &Path, dir: &Path, path: &str) -> Result<PathBuf, Outside> {
    let here = std::env::current_dir().unwrap_or_default();
    let found = real(&here.join(dir).join(path));
    match found.starts_with(project) {
        true => Ok(found),
        false => Err(Outside {
            path: path.to_owned(),
            real: found,
        }),
    }
}

/// The path with its links followed, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let mut rest = PathBuf::new();
    let mut at = path;
    loop {
        if let Ok(found) = std::fs::canonicalize(at) {
            return plain(&found.join(rest));
        }
        let (Some(name), Some(parent)) = (at.components().next_back(), at.parent()) else {
            return plain(path);
        };
        rest = Path::new(name.as_os_str()).join(rest);
        at = parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_where_stackctl_runs_unless_that_is_a_home() {
        let root = tempfile::tempdir().unwrap();
        let root = real(root.path());
        let (home, web) = (root.join("home"), root.join("home/web"));
        std::fs::create_dir_all(web.join("stacks")).unwrap();
        std::fs::create_dir_all(root.join("else/stacks")).unwrap();
        let of = |dir: &str, here: &Path| of(Path::new(dir), here, Some(&home));
        assert_eq!(of("stacks", &web), web);
        assert_eq!(of("", &web), web);
        assert_eq!(of("web/stacks", &home), web);
        assert_eq!(of("home/web", &root), web);
        assert_eq!(of("../../else/stacks", &web), root.join("else"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed() {
        let root = tempfile::tempdir().unwrap();
        let root = real(root.path());
        let web = root.join("web");
        std::fs::create_dir_all(web.join("stacks")).unwrap();
        std::fs::write(root.join("secret"), "x").unwrap();
        std::os::unix::fs::symlink(root.join("secret"), web.join("stacks/in")).unwrap();
        std::os::unix::fs::symlink(&root, web.join("up")).unwrap();
        let stacks = web.join("stacks");
        let out = |path: &str| place(&web, &stacks, path).is_err();
        for path in [
            "in",
            "../../secret",
            "/etc/hostname",
            "../up/secret",
            "../up/none/x",
        ] {
            assert!(out(path), "{path}");
        }
        for path in ["a", "../app/x", "../stacks/../app", "../none/../x"] {
            assert!(!out(path), "{path}");
        }
    }
}
