//! Tests of `archive:getFile`.

use super::*;
use crate::resource::aws::Aws;
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use tempfile::TempDir;

/// A folder with a stack folder in it.
fn place() -> (TempDir, Cx) {
    let root = tempfile::tempdir().unwrap();
    let mut cx = Cx::new(Arc::new(Aws::offline()));
    cx.stack_dir = root.path().join("stacks");
    cx.work_dir = root.path().join(".stackctl");
    fs::create_dir_all(cx.stack_dir.join("src/b")).unwrap();
    fs::create_dir_all(cx.stack_dir.join("src/empty")).unwrap();
    // A walk in folder order gives b/c before b.txt; bytes give b.txt first.
    fs::write(cx.stack_dir.join("src/b/c"), "deep\n").unwrap();
    fs::write(cx.stack_dir.join("src/b.txt"), "text ".repeat(100)).unwrap();
    fs::write(cx.stack_dir.join("src/bootstrap"), "#!/bin/sh\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let run = fs::Permissions::from_mode(0o700);
        fs::set_permissions(cx.stack_dir.join("src/bootstrap"), run).unwrap();
        let odd = fs::Permissions::from_mode(0o600);
        fs::set_permissions(cx.stack_dir.join("src/b.txt"), odd).unwrap();
    }
    (root, cx)
}

fn read(cx: &Cx, args: Value) -> Result<Outputs, Error> {
    let args = serde_json::from_value(args).unwrap();
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(GetFile::read(cx, args))
}

fn listing(cx: &Cx, outputs: &Outputs) -> Vec<(String, u32)> {
    let file = fs::File::open(cx.stack_dir.join(&outputs.output_path)).unwrap();
    let mut zip = zip::ZipArchive::new(file).unwrap();
    (0..zip.len())
        .map(|at| {
            let entry = zip.by_index(at).unwrap();
            (
                entry.name().unwrap().into_owned(),
                entry.unix_mode().unwrap() & 0o777,
            )
        })
        .collect()
}

#[cfg(unix)]
#[test]
fn a_folder_gives_the_same_bytes_everywhere() {
    let (_root, cx) = place();
    let outputs = read(&cx, json!({"type": "zip", "sourceDir": "src"})).unwrap();
    assert_eq!(
        listing(&cx, &outputs),
        [
            ("b.txt".to_owned(), 0o644),
            ("b/c".to_owned(), 0o644),
            ("bootstrap".to_owned(), 0o755),
        ]
    );
    // Pinned: a change here changes the code hash of every function that is deployed.
    assert_eq!(
        outputs.output_sha256,
        "cf6e2f4fd33bc533910841339f7c453f4eda7b291a4aa61a2f2596ca78d496fd"
    );
    let (_other, elsewhere) = place();
    let again = read(&elsewhere, json!({"type": "zip", "sourceDir": "./src"})).unwrap();
    assert_eq!(again.output_sha512, outputs.output_sha512);
    assert_eq!(again.output_path, outputs.output_path);
}

#[test]
fn the_hashes_are_those_of_the_file() {
    let (_root, cx) = place();
    let args = json!({"type": "zip", "sourceContent": "x", "sourceContentFilename": "a/x"});
    let outputs = read(&cx, args).unwrap();
    let bytes = fs::read(cx.stack_dir.join(&outputs.output_path)).unwrap();
    assert_eq!(outputs.output_size, bytes.len());
    assert_eq!(outputs.output_md5, hex::encode(Md5::digest(&bytes)));
    assert_eq!(outputs.output_sha, hex::encode(Sha1::digest(&bytes)));
    assert_eq!(
        STANDARD.decode(outputs.output_base64sha256).unwrap(),
        hex::decode(outputs.output_sha256).unwrap()
    );
    assert_eq!(
        STANDARD.decode(outputs.output_base64sha512).unwrap(),
        hex::decode(outputs.output_sha512).unwrap()
    );
    assert!(outputs.output_path.starts_with("../.stackctl/archive/"));
}

#[test]
fn excludes_and_modes_are_followed() {
    let (_root, cx) = place();
    let outputs = read(
        &cx,
        json!({"type": "zip", "sourceDir": "src", "excludes": ["b", "boot*"],
               "outputFileMode": "0666"}),
    )
    .unwrap();
    assert_eq!(listing(&cx, &outputs), [("b.txt".to_owned(), 0o666)]);
}

#[test]
fn an_unchanged_file_is_not_written_again() {
    let (_root, cx) = place();
    let args = json!({"type": "zip", "sourceFile": "src/b.txt"});
    let outputs = read(&cx, args.clone()).unwrap();
    let path = cx.stack_dir.join(outputs.output_path);
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    read(&cx, args).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
}

#[test]
fn an_output_path_is_written_by_an_apply_alone_and_over_nothing_of_others() {
    let (root, cx) = place();
    let write = |path: &str| {
        let args = json!({"type": "zip", "sourceFile": "src/b.txt", "outputPath": path});
        let outputs = read(&cx, args.clone()).unwrap();
        assert_eq!(outputs.output_path, path);
        let args = serde_json::from_value(args).unwrap();
        let outputs = Attributes::new(serde_json::to_value(outputs).unwrap());
        GetFile::write(&cx, &args, &outputs).map_err(|error| error.to_string())
    };
    let args = json!({"type": "zip", "sourceFile": "src/b.txt", "outputPath": "../out/a.zip"});
    read(&cx, args).unwrap();
    let path = root.path().join("out/a.zip");
    assert!(!path.exists());
    write("../out/a.zip").unwrap();
    let first = fs::read(&path).unwrap();
    fs::write(cx.stack_dir.join("src/b.txt"), "other").unwrap();
    write("../out/a.zip").unwrap();
    assert_ne!(fs::read(&path).unwrap(), first);
    for there in [&b"PK\x03\x04 of somebody"[..], b"", b"#!/bin/sh\n"] {
        fs::write(&path, there).unwrap();
        let told = write("../out/a.zip").unwrap_err();
        assert!(
            told.ends_with("exists, and stackctl did not write it"),
            "{told}"
        );
        assert_eq!(fs::read(&path).unwrap(), there);
    }
    for outside in ["../../a.zip", "/tmp/a.zip", "../out/../../a.zip"] {
        assert!(
            write(outside)
                .unwrap_err()
                .contains("outside of the project")
        );
    }
    for own in [
        "../.stackctl/a.zip",
        "../.stackctl/archive/a.zip",
        "../.git/a.zip",
    ] {
        assert!(write(own).unwrap_err().contains("of another purpose"));
    }
    for other in [
        "../out/a",
        "../.profile",
        "a.zip/",
        "../out/a.py",
        "../out/a\n.zip",
    ] {
        let told = write(other);
        assert!(other == "a.zip/" || told.is_err(), "{other}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(root.path().join("out"), root.path().join("in")).unwrap();
        std::os::unix::fs::symlink("/", root.path().join("away")).unwrap();
        std::os::unix::fs::symlink("/tmp/no.zip", root.path().join("link.zip")).unwrap();
        write("../in/b.zip").unwrap();
        assert!(write("../away/tmp/b.zip").is_err() && write("../link.zip").is_err());
    }
}

#[test]
fn what_cannot_go_in_is_refused() {
    let (_root, cx) = place();
    let refused = |args: Value| read(&cx, args).unwrap_err().to_string();
    assert!(refused(json!({"type": "zip"})).contains("exactly one"));
    assert!(refused(json!({"type": "zip", "sourceDir": "src/empty"})).contains("no file"));
    assert!(refused(json!({"type": "zip", "sourceDir": "nowhere"})).contains("does not exist"));
    assert!(refused(json!({"type": "zip", "sourceDir": "src/b.txt"})).contains("not a folder"));
    assert!(refused(json!({"type": "zip", "sourceFile": "src"})).contains("is a folder"));
    fs::write(cx.stack_dir.join("src/a\\b.txt"), "x").unwrap();
    assert!(refused(json!({"type": "zip", "sourceFile": "src/a\\b.txt"})).contains("no name"));
    let up = json!([{"content": "x", "filename": "../x"}]);
    assert!(refused(json!({"type": "zip", "source": up})).contains("no name"));
    let twice = json!([{"content": "x", "filename": "x"}, {"content": "y", "filename": "x"}]);
    assert!(refused(json!({"type": "zip", "source": twice})).contains("twice"));
}

#[cfg(unix)]
#[test]
fn links_within_the_folder_stand_for_what_they_lead_to() {
    use std::os::unix::fs::symlink;
    let (_root, cx) = place();
    let src = cx.stack_dir.join("src");
    symlink("b.txt", src.join("link")).unwrap();
    symlink("../bootstrap", src.join("b/run")).unwrap();
    symlink("b", src.join("folder")).unwrap();
    symlink(&src, cx.stack_dir.join("whole")).unwrap();
    let outputs = read(&cx, json!({"type": "zip", "sourceDir": "whole"})).unwrap();
    let expected = [
        ("b.txt", 0o644),
        ("b/c", 0o644),
        ("b/run", 0o755),
        ("bootstrap", 0o755),
        ("folder/c", 0o644),
        ("folder/run", 0o755),
        ("link", 0o644),
    ];
    let expected = expected.map(|(name, mode)| (name.to_owned(), mode));
    assert_eq!(listing(&cx, &outputs), expected);
    // The same bytes as of a folder that holds the files themselves.
    fs::remove_file(src.join("link")).unwrap();
    fs::copy(src.join("b.txt"), src.join("link")).unwrap();
    let same = read(&cx, json!({"type": "zip", "sourceDir": "src"})).unwrap();
    assert_eq!(same.output_sha256, outputs.output_sha256);
}

#[cfg(unix)]
#[test]
fn links_that_lead_elsewhere_are_refused_by_name_unless_excluded() {
    use std::os::unix::fs::symlink;
    let (_root, cx) = place();
    let src = cx.stack_dir.join("src");
    fs::write(cx.stack_dir.join("secret"), "x").unwrap();
    symlink("../secret", src.join("out")).unwrap();
    symlink("/etc", src.join("etc")).unwrap();
    symlink("nowhere", src.join("dangling")).unwrap();
    symlink("self", src.join("self")).unwrap();
    symlink("..", src.join("b/up")).unwrap();
    symlink("/dev/null", src.join("device")).unwrap();
    let args = json!({"type": "zip", "sourceDir": "src"});
    let found = GetFile::inspect(
        &cx.stack_dir,
        &serde_json::from_value(args.clone()).unwrap(),
    );
    let told: Vec<&str> = found
        .iter()
        .map(|found| found.message.split("src/").nth(1).unwrap())
        .collect();
    assert_eq!(
        told,
        [
            "b/up leads to a folder that it lies in",
            "dangling leads to a file that does not exist",
            "device leads out of the folder",
            "etc leads out of the folder",
            "out leads out of the folder",
            "self cannot be followed: Too many levels of symbolic links (os error 40)",
        ]
    );
    assert!(
        found
            .iter()
            .all(|found| found.path.to_string() == "sourceDir")
    );
    let error = read(&cx, args).unwrap_err().to_string();
    assert!(error.contains("src/b/up leads to a folder"), "{error}");
    let without = json!({
        "type": "zip", "sourceDir": "src",
        "excludes": ["{out,etc,dangling,self,device}", "b/up"],
    });
    assert!(read(&cx, without).is_ok());
}

#[test]
fn a_pattern_that_keeps_nothing_out_is_a_warning() {
    let (_root, cx) = place();
    let args = json!({
        "type": "zip", "sourceDir": "src",
        "excludes": ["boot*", "c", "nothing/**", "**/__pycache__", "!b.txt"],
    });
    let found = GetFile::inspect(&cx.stack_dir, &serde_json::from_value(args).unwrap());
    let told: Vec<String> = found
        .iter()
        .map(|found| format!("{}: {}", found.path, found.help.as_deref().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            "excludes[1]: did you mean \"**/c\"? A pattern without it starts from the folder",
            "excludes[2]: patterns start from the folder, as in .gitignore",
        ]
    );
    assert!(
        found
            .iter()
            .all(|found| found.severity == crate::severity::Severity::Warning)
    );
    let bad = json!({"type": "zip", "sourceDir": "src", "excludes": ["{a"]});
    let found = GetFile::inspect(&cx.stack_dir, &serde_json::from_value(bad.clone()).unwrap());
    assert_eq!(found[0].path.to_string(), "excludes[0]");
    assert!(
        read(&cx, bad)
            .unwrap_err()
            .to_string()
            .contains("cannot be understood")
    );
}

/// A file or a folder that is replaced by a link leading out while the archive is built: nothing
/// from outside of the folder goes in.
#[cfg(unix)]
#[test]
fn what_is_swapped_under_the_reader_does_not_go_in() {
    use crate::files::racing::Racing;
    let root = tempfile::tempdir().unwrap();
    let (base, outside) = (root.path().join("stacks"), root.path().join("outside"));
    fs::create_dir_all(base.join("src/sub")).unwrap();
    fs::create_dir_all(outside.join("sub")).unwrap();
    fs::write(base.join("src/sub/b"), "inside").unwrap();
    for name in ["a", "b", "sub/a", "sub/b"] {
        fs::write(outside.join(name), "SECRET").unwrap();
    }
    for (swapped, target) in [("src/a", "a"), ("src/sub", "sub")] {
        let (path, target) = (base.join(swapped), outside.join(target));
        let racing = match target.is_dir() {
            true => Racing::folder(&path, &target),
            false => Racing::start(&path, &target),
        };
        let args = json!({"type": "zip", "sourceDir": "src"});
        let args: GetFile = serde_json::from_value(args).unwrap();
        let mut whole = 0;
        let mut reads = 0;
        while reads < 200 || racing.goes_on() {
            reads += 1;
            if let Ok(entries) = super::files::collect(&base, &args) {
                whole += 1;
                let secret = entries.iter().find(|(_, entry)| entry.bytes == b"SECRET");
                assert_eq!(secret, None, "{swapped}");
            }
        }
        racing.end();
        // A folder that is swapped all the time may never be listed whole.
        assert!(whole > 0 || target.is_dir(), "{swapped} was never read");
    }
    // The folder itself, once it is known where it is.
    let folder = fs::canonicalize(base.join("src")).unwrap();
    let racing = Racing::folder(&folder, &outside);
    let mut whole = 0;
    let mut reads = 0;
    while reads < 300 || racing.goes_on() {
        reads += 1;
        let opened = crate::files::open_beneath(&folder, &folder.join("sub/b"));
        let read = opened.and_then(|file| crate::files::read_open(&file, 100));
        whole += usize::from(read.is_ok());
        assert!(read.is_err() || read.is_ok_and(|read| read == b"inside"));
    }
    racing.end();
    assert!(whole > 0, "it was never read");
}
