//! A stack that sends what it reads to its author: where calls go is told before the first one,
//! and what leads out of the project is a warning, or refused.

use super::{Table, calling as project};
use crate::support::aws::{Asked, Server, refusal, sts};
use crate::support::{Ended, Project};

fn calls(aws: &str, more: &str) -> String {
    format!(
        "name: web\nvariables:\n  url: {{type: string, default: ''}}\nlocals:\n  url: ${{var.url}}\nproviders:\n  aws: {{region: us-west-2{aws}}}\n{more}\ndata: {{me: {{type: \"aws:getCallerIdentity\"}}}}\nresources: {{pet: {{type: \"random:RandomPet\"}}}}\noutputs: {{a: \"${{data.me.accountId}}\"}}\n"
    )
}

fn told(ended: &Ended, parts: &[&str]) -> Result<(), String> {
    let all = format!("{}{}", ended.stdout, ended.stderr);
    match parts.iter().find(|part| !all.contains(**part)) {
        None => Ok(()),
        Some(part) => Err(format!("{part:?} is not in {all}")),
    }
}

/// Who may say where calls go: a project that does, its flags, and the words for it.
fn ways(url: &str) -> Vec<(&'static str, Project, Vec<String>, String)> {
    let none = Vec::new;
    let plain = || project(&calls("", ""));
    let with = |name: &str| {
        let mut project = plain();
        project.env(name, url);
        project
    };
    let profile = |text: String| {
        let mut project = plain();
        std::fs::create_dir_all(project.home().join(".aws")).unwrap();
        std::fs::write(project.home().join(".aws/config"), text).unwrap();
        project.env("AWS_PROFILE", "dev");
        project
    };
    let file = project(&calls(&format!(", endpointUrl: \"{url}\""), ""));
    let variable = project(&calls(", endpointUrl: \"${var.url}\"", ""));
    let local = project(&calls(", endpointUrl: \"${local.url}\"", ""));
    let given = || vec!["--var".to_owned(), format!("url={url}")];
    let in_file = "providers.aws.endpointUrl, stacks/web.yaml:7:".to_owned();
    let of_profile = || "endpoint_url of the AWS profile \"dev\"".to_owned();
    vec![
        (
            "a flag",
            plain(),
            vec!["--endpoint-url".to_owned(), url.to_owned()],
            "--endpoint-url".to_owned(),
        ),
        ("the stack file", file, none(), in_file.clone()),
        (
            "a variable of the stack",
            variable,
            given(),
            in_file.clone(),
        ),
        ("a local of the stack", local, given(), in_file),
        (
            "AWS_ENDPOINT_URL",
            with("AWS_ENDPOINT_URL"),
            none(),
            "AWS_ENDPOINT_URL;".to_owned(),
        ),
        (
            "AWS_ENDPOINT_URL_STS",
            with("AWS_ENDPOINT_URL_STS"),
            none(),
            "AWS_ENDPOINT_URL_STS".to_owned(),
        ),
        (
            "a profile",
            profile(format!("[profile dev]\nendpoint_url = {url}\n")),
            none(),
            of_profile(),
        ),
        (
            "a profile's services",
            profile(format!(
                "[profile dev]\nservices = s\n[services s]\nsts =\n  endpoint_url = {url}\n"
            )),
            none(),
            of_profile(),
        ),
    ]
}

#[test]
fn an_endpoint_is_named_with_who_set_it() {
    let mut table = Table::new("heads");
    let server = Server::start(sts);
    for (name, project, flags, set_by) in ways(&server.url) {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let mut run = |args: &[&str], parts: &[&str]| {
            let ended = project.run(&[args, &flags[..]].concat());
            table.attack(&format!("{name}, {}", args.join(" ")), || {
                if ended.code != Some(0) {
                    return Err(ended.stderr.clone());
                }
                told(&ended, &[&server.url, "region us-west-2"])?;
                told(&ended, parts)
            });
        };
        let head = format!("endpoint {}", server.url);
        let of_service = format!("endpoint of STS {}", server.url);
        let head = match name {
            "AWS_ENDPOINT_URL_STS" | "a profile's services" => of_service,
            _ => head,
        };
        let set_by = set_by.trim_end_matches(';');
        let account = "account 111122223333";
        run(&["plan"], &[&head, account, set_by, "not to AWS"]);
        run(
            &["plan", "--json"],
            &["\"endpoints\"", "\"account\": \"111122223333\"", set_by],
        );
        run(&["apply", "--yes"], &[&head, account, set_by]);
        run(
            &["apply", "--yes", "--json"],
            &["\"endpoints\"", "\"account\":\"111122223333\"", set_by],
        );
        run(&["destroy", "--yes"], &[&head, account, set_by]);
    }
    table.end();
}

#[test]
fn a_state_in_s3_names_the_endpoint_before_it_is_read() {
    let mut table = Table::new("heads of states");
    let server = Server::start(|_| (404, String::new()));
    let stack = calls(
        &format!(", endpointUrl: \"{}\"", server.url),
        "state: s3://a-bucket/web.json",
    );
    let project = project(&stack);
    for args in [
        &["outputs"][..],
        &["outputs", "--json"],
        &["state", "list"],
        &["state", "list", "--json"],
        &["state", "history"],
        &["state", "pull"],
        &["drift"],
        &["plan"],
        &["refresh", "--yes"],
    ] {
        let ended = project.run(args);
        table.attack(&args.join(" "), || {
            told(
                &ended,
                &[
                    &server.url,
                    "providers.aws.endpointUrl, stacks/web.yaml:7:",
                    "us-west-2",
                ],
            )
        });
    }
    table.end();
}

/// A command that calls AWS for its state alone says in which account, on stderr, or why that is
/// not known; and goes on.
#[test]
fn a_state_in_s3_names_the_account() {
    const STATE: &str = "state: s3://a-bucket/web.json";
    fn refusing(asked: &Asked) -> (u16, String) {
        match asked.head.contains("/sts/aws4_request") {
            true => (403, refusal("AccessDenied", "a policy denies it")),
            false => empty_bucket(asked),
        }
    }
    fn empty_bucket(asked: &Asked) -> (u16, String) {
        let is = |part: &str| asked.head.contains(part);
        match () {
            () if is("/sts/aws4_request") => sts(asked),
            () if is("list-type=2") => (200, "<ListBucketResult/>".to_owned()),
            () => (404, "<Error><Code>NoSuchKey</Code></Error>".to_owned()),
        }
    }
    let mut table = Table::new("heads of states");
    for (server, known) in [
        (Server::start(empty_bucket), true),
        (Server::start(refusing), false),
    ] {
        let stack = format!(
            "name: web\n{STATE}\nproviders: {{aws: {{region: us-west-2, endpointUrl: '{}'}}}}\n\
             resources: {{pet: {{type: 'random:RandomPet'}}}}\n",
            server.url
        );
        let project = project(&stack);
        for (args, code) in [
            (&["outputs"][..], 1),
            (&["outputs", "--json"], 1),
            (&["state", "list"], 0),
            (&["state", "list", "--json"], 0),
            (&["state", "show", "pet"], 1),
            (&["state", "history"], 0),
            (&["state", "pull"], 1),
            (&["state", "unlock"], 0),
            (&["state", "rekey"], 0),
            (&["plan"], 0),
            (&["plan", "--json"], 0),
            (&["drift"], 1),
        ] {
            let ended = project.run(args);
            table.attack(&format!("{}, the account {known}", args.join(" ")), || {
                let words: &[&str] = match known {
                    true => &["web, account 111122223333, region us-west-2"],
                    false => &[
                        "The account is not known: sts:GetCallerIdentity",
                        "AccessDenied",
                    ],
                };
                let head = format!("endpoint {}", server.url);
                let told: Vec<_> = words
                    .iter()
                    .chain([&"state s3://a-bucket/web.json"])
                    .collect();
                match told.iter().find(|word| !ended.stderr.contains(**word)) {
                    None if ended.stderr.contains(&head) && ended.code == Some(code) => Ok(()),
                    _ => Err(format!(
                        "{:?}: {}{}",
                        ended.code, ended.stdout, ended.stderr
                    )),
                }
            });
        }
    }
    table.attack("a state in a file calls nobody", || {
        let server = Server::start(sts);
        let project = project(&format!(
            "name: web\nproviders: {{aws: {{region: us-west-2, endpointUrl: '{}'}}}}\n",
            server.url
        ));
        let ended = project.run(&["state", "list"]);
        match server.asked().is_empty()
            && ended.code == Some(0)
            && !ended.stderr.contains("account")
        {
            true => Ok(()),
            false => Err(ended.stderr),
        }
    });
    table.end();
}

#[test]
fn an_endpoint_without_tls_is_a_warning_and_with_strict_refused() {
    let mut table = Table::new("open endpoints");
    let server = Server::start(sts);
    // This machine by an address that is not the loopback's.
    let open = server.url.replace("127.0.0.1", "0.0.0.0");
    for (name, project, flags, _) in ways(&open) {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let ended = project.run(&[&["plan"], &flags[..]].concat());
        table.attack(&format!("{name}, warned of"), || {
            told(&ended, &["warning", &open, "not encrypted"])
        });
        let before = server.asked().len();
        for command in [&["plan"][..], &["apply", "--yes"], &["destroy", "--yes"]] {
            let args = [command, &["--strict"], &flags[..]].concat();
            let ended = project.run(&args);
            table.attack(&format!("{name}, {}", args.join(" ")), || {
                match matches!(ended.code, Some(1 | 3)) && server.asked().len() == before {
                    true => told(&ended, &[&open]),
                    false => Err(format!("{:?}: {}", ended.code, ended.stderr)),
                }
            });
        }
    }
    // One that a stack names is refused with TLS as well, and validate says so, too.
    for url in [
        "https://evil.example",
        "http://evil.example",
        "https://127.0.0.1.evil.example",
        "https://localhost@evil.example",
        "HTTP://EVIL.EXAMPLE",
        "https://x.execute-api.us-west-2.amazonaws.com",
    ] {
        let project = project(&calls(&format!(", endpointUrl: \"{url}\""), ""));
        for (args, code) in [
            (&["validate"][..], Some(0)),
            (&["validate", "--strict"], Some(3)),
            (&["plan", "--strict"], Some(3)),
        ] {
            let ended = project.run(args);
            table.attack(&format!("{url}, {}", args.join(" ")), || {
                match ended.code == code {
                    true => told(&ended, &["stacks/web.yaml:7:", "on this machine"])
                        .or_else(|_| told(&ended, &["stacks/web.yaml:7:", "on another machine"])),
                    false => Err(format!("{:?}: {}", ended.code, ended.stderr)),
                }
            });
        }
    }
    table.end();
}

#[test]
fn a_region_leads_to_no_other_host() {
    let mut table = Table::new("regions");
    for region in [
        "evil.example",
        "x.evil.example/#",
        "a@evil.example",
        "us-west-2/",
        "us-west-2?x",
        "u:1",
    ] {
        let mut project = project(&calls("", "").replace("us-west-2", &format!("\"{region}\"")));
        let ended = project.run(&["plan"]);
        let refused = |ended: &Ended| match ended.code {
            Some(1 | 3) => told(ended, &["is not an AWS region"]),
            _ => Err(ended.stderr.clone()),
        };
        table.attack(&format!("{region} in the file"), || refused(&ended));
        project.write(
            "stacks/web.yaml",
            calls("", "").replace("{region: us-west-2}", "{}"),
        );
        project.env("AWS_REGION", region);
        let ended = project.run(&["plan"]);
        table.attack(&format!("{region} in AWS_REGION"), || refused(&ended));
        project.unset("AWS_REGION");
        let state = format!(
            "state: \"s3://a-bucket/k.json?region={}\"",
            region.replace('#', "%23")
        );
        project.write("stacks/web.yaml", calls("", &state));
        let ended = project.run(&["outputs"]);
        table.attack(&format!("{region} of a state"), || refused(&ended));
    }
    table.end();
}

/// What reads a file, with `@` for its path, and where the warning stands.
const READERS: &[(&str, &str)] = &[
    ("file", "locals:\n  a: ${file(\"@\")}\n"),
    ("filebase64", "locals:\n  a: ${filebase64sha256(\"@\")}\n"),
    ("filemd5", "locals:\n  a: ${filemd5(\"@\")}\n"),
    ("filesha256", "locals:\n  a: ${filesha256(\"@\")}\n"),
    ("fileexists", "locals:\n  a: ${fileexists(\"@\")}\n"),
    (
        "a path that is put together",
        "locals:\n  a: ${file(join(\"\", [\"@\", \"\"]))}\n",
    ),
    (
        "a path behind a local",
        "locals:\n  p: \"@\"\n  a: ${file(local.p)}\n",
    ),
    ("an output", "outputs:\n  a: ${file(\"@\")}\n"),
    ("try", "locals:\n  a: ${try(file(\"@\"), 1)}\n"),
    ("can", "locals:\n  a: ${can(file(\"@\"))}\n"),
    (
        "a condition",
        "locals:\n  a: '${length(file(\"@\")) > 1 ? 1 : 2}'\n",
    ),
    ("a list", "locals:\n  a: [1, {b: 'x ${file(\"@\")}'}]\n"),
    (
        "a property",
        "resources:\n  o: {type: \"random:RandomPet\", properties: {prefix: '${md5(file(\"@\"))}'}}\n",
    ),
    (
        "an import",
        "resources:\n  b: {type: \"aws:s3:Bucket\", options: {import: '${base64encode(file(\"@\"))}'}}\n",
    ),
    (
        "source",
        "resources:\n  o: {type: \"aws:s3:BucketObject\", properties: {bucket: b, key: k, source: \"@\"}}\n",
    ),
    (
        "sourceFile",
        "data:\n  z: {type: \"archive:getFile\", properties: {type: zip, sourceFile: \"@\"}}\n",
    ),
    (
        "sourceDir",
        "data:\n  z: {type: \"archive:getFile\", properties: {type: zip, sourceDir: \"@/..\"}}\n",
    ),
    (
        "a tag of the provider",
        "providers:\n  aws: {region: us-west-2, defaultTags: {a: '${file(\"@\")}'}}\n",
    ),
    (
        "the endpoint",
        "providers:\n  aws: {region: us-west-2, endpointUrl: 'http://127.0.0.1/${file(\"@\")}'}\n",
    ),
    (
        "the state",
        "state: 's3://a-bucket/${base64encode(file(\"@\"))}'\n",
    ),
];

#[test]
fn a_file_outside_of_the_project_is_told_and_with_strict_refused() {
    let mut table = Table::new("files outside");
    let outside = tempfile::tempdir().unwrap();
    std::fs::create_dir(outside.path().join("dir")).unwrap();
    let target = outside.path().join("dir/secret");
    std::fs::write(&target, "s").unwrap();
    let mut project = Project::new();
    project.flags.clear();
    let linked = project.dir().join("stacks/linked");
    std::os::unix::fs::symlink(&target, &linked).unwrap();
    project.write("stacks/in/side", "s");
    let up = "../".repeat(12);
    let relative = format!(
        "{up}{}",
        target.display().to_string().trim_start_matches('/')
    );
    let absolute = target.display().to_string();
    for (how, path) in [
        ("absolute", absolute.as_str()),
        ("relative", &relative),
        ("linked", "linked"),
    ] {
        for (name, text) in READERS {
            if *name == "sourceDir" && how == "linked" {
                continue;
            }
            let text = text.replace('@', path);
            project.write("stacks/web.yaml", format!("name: web\n{text}"));
            let ended = project.run(&["validate"]);
            let row = format!("{name}, {how}");
            table.attack(&row, || match ended.code {
                Some(0) | Some(3) => told(
                    &ended,
                    &[
                        "warning",
                        "leads out of the project's folder",
                        "stacks/web.yaml:",
                    ],
                ),
                _ => Err(ended.stderr.clone()),
            });
            let ended = project.run(&["validate", "--strict"]);
            table.attack(&format!("{row}, --strict"), || match ended.code {
                Some(3) => told(&ended, &["error", "leads out of the project's folder"]),
                _ => Err(format!("{:?}: {}", ended.code, ended.stderr)),
            });
        }
    }
    for (name, text) in READERS {
        let text = text.replace("@/..", "in").replace('@', "in/side");
        project.write("stacks/web.yaml", format!("name: web\n{text}"));
        let ended = project.run(&["validate", "--strict"]);
        assert!(
            !ended.stderr.contains("leads out"),
            "{name}: {}",
            ended.stderr
        );
    }
    // plan and apply refuse the same, before there is a call.
    project.write(
        "stacks/web.yaml",
        format!("name: web\nlocals:\n  a: ${{file(\"{absolute}\")}}\n"),
    );
    for args in [
        &["plan", "--strict"][..],
        &["apply", "--yes", "--strict"],
        &["plan", "--strict", "--json"],
    ] {
        let ended = project.run(args);
        table.attack(&args.join(" "), || match ended.code {
            Some(3) => told(&ended, &["leads out of the project's folder"]),
            _ => Err(format!("{:?}: {}", ended.code, ended.stderr)),
        });
    }
    let state = format!(
        "name: web\nstate: 's3://a-bucket/${{base64encode(file(\"{absolute}\"))}}'\nproviders: {{aws: {{region: us-west-2}}}}\n"
    );
    project.write("stacks/web.yaml", state);
    for args in [
        &["outputs"][..],
        &["state", "list"],
        &["drift"],
        &["state", "history"],
        &["state", "pull"],
    ] {
        let ended = project.run(&[args, &["--strict"]].concat());
        table.attack(&format!("{} --strict", args.join(" ")), || {
            match ended.code {
                Some(3) => told(&ended, &["leads out of the project's folder"]),
                _ => Err(format!("{:?}: {}", ended.code, ended.stderr)),
            }
        });
    }
    table.end();
}
