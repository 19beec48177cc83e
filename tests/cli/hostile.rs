//! Files made to hurt: each ends with exit 3, a clear error and bounded memory.

use crate::support::{Ended, Project};
use std::process::Command;

/// The address space that a command may take, in KiB.
const MOST_MEMORY: u32 = 1 << 20;

fn validate(text: impl AsRef<[u8]>) -> Ended {
    let project = Project::new();
    project.write("stacks/h.yaml", text);
    let command = project.command(&["validate"]);
    let script = format!("ulimit -v {MOST_MEMORY} && ulimit -t 20 && exec \"$0\" \"$@\"");
    let mut limited = Command::new("sh");
    limited
        .args(["-c", &script])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(project.dir());
    let output = limited.output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[track_caller]
fn refused(text: impl AsRef<[u8]>, message: &str) {
    let ended = validate(text).expect(3);
    let first = ended.stderr.lines().next().unwrap_or_default();
    assert!(first.contains(message), "{first}");
    assert!(
        ended.stderr.len() < 5_000,
        "{} bytes of error",
        ended.stderr.len()
    );
    assert_eq!(ended.stdout, "");
}

#[test]
fn aliases() {
    let mut bomb = "name: h\nlocals:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..10 {
        let inner = vec![format!("*a{}", level - 1); 10].join(",");
        bomb.push_str(&format!("  a{level}: &a{level} [{inner}]\n"));
    }
    refused(bomb, "the file's aliases make it too large");
    let long = "x".repeat(1_000_000);
    let many = vec!["*s"; 5_000].join(",");
    let text = format!("name: h\nlocals:\n  s: &s {long}\n  l: [{many}]\n");
    refused(text, "more than 16 MiB of text, counting each alias");
}

#[test]
fn nesting() {
    let message = "the file is nested more than 100 levels deep";
    let (open, close) = ("[".repeat(10_000), "]".repeat(10_000));
    refused(format!("name: h\nlocals:\n  a: {open}{close}\n"), message);
    refused(
        format!("name: h\nlocals:\n  a:\n    {}x\n", "- ".repeat(10_000)),
        message,
    );
    let mut block = "name: h\nlocals:\n".to_owned();
    for level in 1..3_000 {
        block.push_str(&format!("{:level$}a:\n", ""));
    }
    refused(block, message);
    let expression = format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000));
    refused(
        format!("name: h\nlocals:\n  a: \"${{{expression}}}\"\n"),
        "the expression is nested too deeply",
    );
}

#[test]
fn sizes() {
    let mut large = "name: h\nlocals:\n".to_owned();
    while large.len() < 50 << 20 {
        large
            .push_str("  a: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
    }
    refused(&large, "no stack file is that large");
    refused(&large[..12 << 20], "the file is larger than 8 MiB");
    let mut growth = "name: h\nlocals:\n  a0: aaaaaaaaaaaaaaaaaaaa\n".to_owned();
    for level in 1..12 {
        let inner = format!("${{local.a{}}}", level - 1).repeat(10);
        growth.push_str(&format!("  a{level}: \"{inner}\"\n"));
    }
    refused(growth, "the string grows beyond 16 MiB");
    refused(
        "name: h\nlocals:\n  a: \"${[for x in range(100000): range(100000)]}\"\n",
        "the range has more than 1024 items",
    );
}

#[test]
fn shapes() {
    refused("name: h\n---\nname: i\n", "a second document starts here");
    refused(
        b"name: h\ndescription: \xff\xfe\n",
        "the file is not UTF-8 text",
    );
    refused(
        "name: h\nlocals: {a: 1, a: 2}\n",
        "duplicate key \"a\" (first at line 2)",
    );
    refused("name: x\0y\n", "the character U+0000");
    refused("", "the stack file is empty");
    refused("- a\n", "the stack file: expected a map");
    refused("name: h\nlocals: {a: !foo bar}\n", "YAML tags such as !foo");
}
