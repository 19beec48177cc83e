//! Profiles: with a role, a web identity, a script, a sign-in; and what is said of one that
//! gives no credentials.

use crate::support::aws::{Asked, Server, form, refusal, sts};
use crate::support::{Ended, Project};

/// A stack with one queue, which is in the state if `applied`, and AWS's STS on loopback.
fn project(provider: &str, config: &str, server: &Server, applied: bool) -> Project {
    let mut project = Project::new();
    project.write(
        "stacks/p.yaml",
        format!(
            "name: p\nproviders: {{aws: {{{provider}}}}}\nresources:\n  \
             q: {{type: aws:sqs:Queue, properties: {{name: q}}}}\n  \
             r: {{type: aws:sqs:Queue, properties: {{name: r}}}}\n"
        ),
    );
    if applied {
        project.apply();
    }
    project.flags.clear();
    project.write(".aws/config", config);
    project.env("AWS_ENDPOINT_URL_STS", &server.url);
    // Nothing listens there: a call of another service fails at once.
    project.env("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9");
    project
}

/// What a plan says that fails, and that it says it once.
#[track_caller]
fn fails(project: &Project, once: &str) -> Ended {
    let ended = project.run(&["plan"]).expect(1);
    assert_eq!(ended.stderr.matches(once).count(), 1, "{}", ended.stderr);
    assert_eq!(
        ended.stderr.matches("error:").count(),
        1,
        "{}",
        ended.stderr
    );
    ended
}

const BASE: &str = "[profile base]\naws_access_key_id = BASEKEY\naws_secret_access_key = s\n";

#[test]
fn a_profile_with_a_role_assumes_it_in_the_stacks_region() {
    let config = format!(
        "{BASE}[profile dev]\nrole_arn = arn:aws:iam::111122223333:role/dev\n\
         source_profile = base\nexternal_id = of-mine\n"
    );
    for (provider, environment, region) in [
        ("region: eu-west-1, profile: dev", None, "eu-west-1"),
        (
            "profile: dev",
            Some(("AWS_REGION", "eu-west-2")),
            "eu-west-2",
        ),
        (
            "region: eu-west-3",
            Some(("AWS_PROFILE", "dev")),
            "eu-west-3",
        ),
    ] {
        let server = Server::start(sts);
        let mut project = project(provider, &config, &server, false);
        if let Some((name, value)) = environment {
            project.env(name, value);
        }
        project.run(&["plan"]).expect(0);
        let asked = server.asked();
        assert_eq!(asked.len(), 2, "{provider}: {asked:?}");
        assert_eq!(form(&asked[0].body, "Action"), "AssumeRole");
        assert_eq!(
            form(&asked[0].body, "RoleArn"),
            "arn:aws:iam::111122223333:role/dev"
        );
        assert_eq!(form(&asked[0].body, "ExternalId"), "of-mine");
        for (asked, key) in asked.iter().zip(["BASEKEY", "ROLEKEY"]) {
            let credential = format!("Credential={key}/");
            assert!(asked.head.contains(&credential), "{}", asked.head);
            assert!(
                asked.head.contains(&format!("/{region}/sts/")),
                "{}",
                asked.head
            );
        }
    }
}

#[test]
fn the_region_may_be_the_profiles() {
    let config = format!("{BASE}region = ap-south-1\n");
    let server = Server::start(sts);
    let project = project("profile: base", &config, &server, false);
    project.run(&["plan"]).expect(0);
    let asked = server.asked();
    assert!(asked[0].head.contains("/ap-south-1/sts/"), "{asked:?}");
}

#[test]
fn a_role_may_come_from_the_environments_keys_or_a_token() {
    let config = "[profile env]\nrole_arn = arn:aws:iam::111122223333:role/dev\n\
                  credential_source = Environment\n\
                  [profile web]\nrole_arn = arn:aws:iam::111122223333:role/web\n\
                  web_identity_token_file = token\n";
    let server = Server::start(sts);
    let mut with_env = project("region: eu-west-1, profile: env", config, &server, false);
    with_env.env("AWS_ACCESS_KEY_ID", "ENVKEY");
    with_env.env("AWS_SECRET_ACCESS_KEY", "s");
    with_env.run(&["plan"]).expect(0);
    assert!(server.asked()[0].head.contains("Credential=ENVKEY/"));
    let server = Server::start(sts);
    let with_token = project("region: eu-west-1, profile: web", config, &server, false);
    with_token.write("token", "a.b.c");
    with_token.run(&["plan"]).expect(0);
    let asked = server.asked();
    assert_eq!(form(&asked[0].body, "Action"), "AssumeRoleWithWebIdentity");
    assert_eq!(form(&asked[0].body, "WebIdentityToken"), "a.b.c");
    assert!(asked[1].head.contains("Credential=ROLEKEY/"), "{asked:?}");
}

#[test]
fn the_stack_says_how_its_role_is_assumed() {
    let role = "arn:aws:iam::111122223333:role/deploy";
    let short = format!("region: eu-west-1, profile: base, assumeRoleArn: '{role}'");
    let long = format!(
        "region: eu-west-1, profile: base, assumeRole: {{roleArn: '{role}', externalId: of-mine, \
         sessionName: ci, duration: 30m}}"
    );
    for (provider, session, external, seconds) in
        [(short, "stackctl", "", ""), (long, "ci", "of-mine", "1800")]
    {
        let server = Server::start(sts);
        let project = project(&provider, BASE, &server, false);
        project.run(&["plan"]).expect(0);
        let asked = server.asked();
        let body = &asked[0].body;
        assert_eq!(form(body, "RoleArn"), role, "{asked:?}");
        assert_eq!(form(body, "RoleSessionName"), session);
        assert_eq!(form(body, "ExternalId"), external);
        assert_eq!(form(body, "DurationSeconds"), seconds);
    }
}

#[test]
fn mistakes_in_how_a_role_is_assumed_have_a_place() {
    let server = Server::start(sts);
    let provider = "region: a, assumeRoleArn: x, assumeRole: {roleArn: y, sessionName: 'a b', \
                    duration: 20h, extra: 1}";
    let ended = project(provider, "", &server, false)
        .run(&["validate"])
        .expect(3);
    for text in [
        "assumeRole and assumeRoleArn both name a role",
        "\"a b\" is no sessionName",
        "\"20h\" is no duration: it must be a time from 15m to 12h",
        "extra",
    ] {
        assert!(ended.stderr.contains(text), "{text}: {}", ended.stderr);
    }
    let ended = project("region: a, assumeRole: {duration: 1h}", "", &server, false)
        .run(&["validate"])
        .expect(3);
    assert!(ended.stderr.contains("roleArn"), "{}", ended.stderr);
}

#[test]
fn a_profile_that_does_not_exist_is_told_with_its_place() {
    let server = Server::start(sts);
    let config = format!("{BASE}[profile other]\nregion = us-east-1\n");
    for applied in [false, true] {
        let project = project(
            "region: us-west-2, profile: nope",
            &config,
            &server,
            applied,
        );
        let ended = fails(&project, "nope");
        let home = project.home().canonicalize().unwrap();
        let expected = format!(
            "error: No AWS profile \"nope\" in {home}/.aws/config or {home}/.aws/credentials \
             (does not exist) (set by providers.aws.profile, stacks/p.yaml:2:47).\n  \
             now: Nothing was changed.\n  next: The profiles there are: base, other.\n",
            home = home.display()
        );
        assert_eq!(ended.stderr, expected);
    }
    let mut by_variable = project("region: us-west-2", "", &server, true);
    by_variable.env("AWS_PROFILE", "nope");
    let ended = by_variable.run(&["plan"]).expect(1);
    assert!(
        ended.stderr.contains("(set by AWS_PROFILE)"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("aws configure sso --profile nope"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stderr.matches("error:").count(), 1);
    assert!(server.asked().is_empty());
}

const SSO: &str = "[profile corp]\nregion = us-west-2\nsso_session = s\n\
                   sso_account_id = 111122223333\nsso_role_name = Admin\n\
                   [sso-session s]\nsso_region = us-east-1\n\
                   sso_start_url = https://example.awsapps.com/start\n";

#[test]
fn a_profile_of_sso_says_how_to_sign_in() {
    let server = Server::start(sts);
    let mut project = project("region: us-west-2, profile: corp", SSO, &server, true);
    let ended = fails(&project, "is not signed in to SSO");
    assert!(
        ended.stderr.contains("Run `aws sso login --profile corp`"),
        "{}",
        ended.stderr
    );
    // The name of the file is the SHA-1 of the session's name.
    project.write(
        ".aws/sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json",
        r#"{"accessToken": "t", "expiresAt": "2020-01-01T00:00:00Z"}"#,
    );
    let ended = fails(
        &project,
        "The SSO session of AWS profile \"corp\" has expired",
    );
    assert!(
        ended.stderr.contains("Run `aws sso login --profile corp`"),
        "{}",
        ended.stderr
    );
    // The same by a role on top of it, and by the variable.
    let config = format!(
        "{SSO}[profile top]\nrole_arn = arn:aws:iam::111122223333:role/top\nsource_profile = corp\n"
    );
    project.write(".aws/config", config);
    project.write(
        "stacks/p.yaml",
        "name: p\nproviders: {aws: {region: us-west-2}}\nresources:\n  \
         q: {type: aws:sqs:Queue, properties: {name: q}}\n",
    );
    project.env("AWS_PROFILE", "top");
    let ended = fails(&project, "has expired");
    assert!(
        ended.stderr.contains("aws sso login --profile corp"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_script_that_fails_is_quoted_and_run_once() {
    let server = Server::start(sts);
    let config = "[profile s]\ncredential_process = sh ./creds.sh\n";
    let project = project("region: us-west-2, profile: s", config, &server, true);
    project.write(
        "creds.sh",
        "echo run >> runs\necho 'vault is sealed: run vault login' >&2\nexit 3\n",
    );
    let ended = fails(&project, "vault is sealed: run vault login");
    assert!(
        ended
            .stderr
            .contains("The credential_process of AWS profile \"s\" failed"),
        "{}",
        ended.stderr
    );
    assert_eq!(project.read("runs"), "run\n");
}

/// S3 with an empty bucket, and STS.
fn empty_bucket(asked: &Asked) -> (u16, String) {
    match asked.head.contains("/s3/") {
        true if asked.head.contains("list-type") => (
            200,
            "<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>".to_owned(),
        ),
        true => (404, "<Error><Code>NoSuchKey</Code></Error>".to_owned()),
        false => sts(asked),
    }
}

/// A script that gives credentials, and counts how often it runs.
const SCRIPT: &str = "echo run >> runs\necho '{\"Version\": 1, \"AccessKeyId\": \"SCRIPTKEY\", \
                      \"SecretAccessKey\": \"s\"}'\n";

#[test]
fn a_script_runs_once_for_the_stack_and_its_state() {
    let server = Server::start(empty_bucket);
    let config = "[profile s]\ncredential_process = sh ./creds.sh\n";
    for place in ["s3://states/p.json", "s3://states/p.json?region=eu-west-1"] {
        let mut project = project("region: us-west-2, profile: s", config, &server, false);
        project.env("AWS_ENDPOINT_URL_S3", &server.url);
        project.write("creds.sh", SCRIPT);
        project.run(&["plan", "--state", place]).expect(0);
        assert_eq!(project.read("runs"), "run\n", "{place}");
    }
    let asked = server.asked();
    let of = |service: &str| {
        let of = format!("/{service}/aws4_request");
        asked.iter().filter(|it| it.head.contains(&of)).count()
    };
    let counts = [
        "eu-west-1/s3",
        "us-west-2/s3",
        "us-west-2/sts",
        "eu-west-1/sts",
    ]
    .map(of);
    assert!(
        // Who one is, is asked with the read of the state, where that is.
        counts[0] > 0 && counts[1] > 0 && counts[2..] == [1, 1],
        "eu-west-1/s3, us-west-2/s3, us-west-2/sts, eu-west-1/sts: {counts:?}"
    );
}

const LOGIN: &str = "[profile l]\nlogin_session = arn:aws:iam::111122223333:user/u\n";

/// Writes the session that `aws login` leaves behind. The name of the file is the SHA-256 of the
/// profile's `login_session`.
fn session(project: &Project, expires: &str) {
    let token = serde_json::json!({
        "accessToken": {
            "accessKeyId": "LOGINKEY", "secretAccessKey": "s", "sessionToken": "t",
            "accountId": "111122223333", "expiresAt": expires,
        },
        "tokenType": "aws_sigv4",
        "refreshToken": "r",
        "clientId": "arn:aws:signin:::devtools/same-device",
        // A key of no account, from the SDK's documentation.
        "dpopKey": "-----BEGIN EC PRIVATE KEY-----\n\
            MHcCAQEEIFDZHUzOG1Pzq+6F0mjMlOSp1syN9LRPBuHMoCFXTcXhoAoGCCqGSM49\n\
            AwEHoUQDQgAE9qhj+KtcdHj1kVgwxWWWw++tqoh7H7UHs7oXh8jBbgF47rrYGC+t\n\
            djiIaHK3dBvvdE7MGj5HsepzLm3Kj91bqA==\n-----END EC PRIVATE KEY-----\n",
    });
    let name = "b5566ca2612c2524aced2e7b9df48e14d22bc287e028ba502bb45ba4198fd52c";
    project.write(&format!(".aws/login/cache/{name}.json"), token.to_string());
}

#[test]
fn a_profile_of_aws_login_uses_its_session() {
    let server = Server::start(sts);
    let project = project("region: us-west-2, profile: l", LOGIN, &server, false);
    session(&project, "2099-01-01T00:00:00Z");
    project.run(&["plan"]).expect(0);
    let asked = server.asked();
    assert!(
        asked[0].head.contains("Credential=LOGINKEY/"),
        "{}",
        asked[0].head
    );
}

#[test]
fn a_profile_of_aws_login_says_how_to_sign_in() {
    let server = Server::start(sts);
    let mut project = project("region: us-west-2, profile: l", LOGIN, &server, true);
    let ended = fails(&project, "error: AWS profile \"l\" is not signed in");
    assert!(
        ended.stderr.contains("Run `aws login --profile l`"),
        "{}",
        ended.stderr
    );
    // A session that has to be renewed, without a network.
    session(&project, "2020-01-01T00:00:00Z");
    project.env("HTTPS_PROXY", "http://127.0.0.1:9");
    let ended = project.run(&["plan"]).expect(1);
    assert!(
        ended.stderr.contains("Check the network and the proxy"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_device_that_must_be_asked_is_told() {
    let server = Server::start(|asked| match form(&asked.body, "Action").as_str() {
        "AssumeRole" => (
            403,
            refusal(
                "AccessDenied",
                "User: arn:aws:iam::111122223333:user/u is not authorized to perform: \
                 sts:AssumeRole on resource: arn:aws:iam::111122223333:role/dev",
            ),
        ),
        _ => sts(asked),
    });
    let role = "role_arn = arn:aws:iam::111122223333:role/dev\nsource_profile = base\n";
    let config = format!(
        "{BASE}[profile mfa]\n{role}mfa_serial = arn:aws:iam::111122223333:mfa/u\n\
         [profile plain]\n{role}"
    );
    let with_device = project("region: us-west-2, profile: mfa", &config, &server, true);
    let ended = fails(&with_device, "names an MFA device (mfa_serial)");
    assert!(
        ended
            .stderr
            .contains("aws configure export-credentials --profile mfa --format env"),
        "{}",
        ended.stderr
    );
    let plain = project("region: us-west-2, profile: plain", &config, &server, true);
    let ended = fails(&plain, "could not assume its role");
    assert!(!ended.stderr.contains("MFA"), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("Allow sts:AssumeRole on arn:aws:iam::111122223333:role/dev"),
        "{}",
        ended.stderr
    );
    // Two commands, one call each: the reads of the queues wait for the same credentials.
    assert_eq!(server.count("AssumeRole"), 2);
}

#[test]
fn without_any_credentials_the_ways_are_named_once() {
    let server = Server::start(sts);
    let bare = project("region: us-west-2", "", &server, true);
    let ended = fails(&bare, "No AWS credentials were found");
    assert!(ended.stderr.contains("--local"), "{}", ended.stderr);
    let empty = project(
        "region: us-west-2, profile: e",
        "[profile e]\nregion = us-west-2\n",
        &server,
        true,
    );
    let ended = fails(&empty, "AWS profile \"e\" has no credentials");
    assert!(ended.stderr.contains(".aws/config"), "{}", ended.stderr);
}

#[test]
fn an_expired_token_is_told_once_and_not_by_each_read() {
    fn expired(_: &Asked) -> (u16, String) {
        let message = "The security token included in the request is expired";
        (403, refusal("ExpiredToken", message))
    }
    let server = Server::start(expired);
    let mut project = project("region: us-west-2, profile: base", BASE, &server, true);
    project.env("AWS_ENDPOINT_URL_SQS", &server.url);
    let ended = fails(&project, "is expired");
    assert!(ended.stderr.contains("sign in again"), "{}", ended.stderr);
}

/// The region may be the environment's for both, or named for the state alone.
#[test]
fn a_script_runs_once_where_no_region_is_named() {
    let server = Server::start(empty_bucket);
    let config = "[profile s]\ncredential_process = sh ./creds.sh\n";
    for (place, runs, state) in [
        ("s3://states/p.json", "run\n", "us-west-2"),
        (
            "s3://states/p.json?region=eu-west-1",
            "run\nrun\n",
            "eu-west-1",
        ),
    ] {
        let mut project = project("profile: s", config, &server, false);
        project.env("AWS_REGION", "us-west-2");
        project.env("AWS_ENDPOINT_URL_S3", &server.url);
        project.write("creds.sh", SCRIPT);
        let plan = project.run(&["plan", "--state", place]).expect(0);
        assert!(plan.stdout.contains("region us-west-2"), "{}", plan.stdout);
        assert_eq!(project.read("runs"), runs, "{place}");
        let asked = server.asked();
        let mut read = asked
            .iter()
            .filter(|it| it.head.contains("/s3/aws4_request"));
        let last = read.next_back().expect("the state is read");
        assert!(
            last.head.contains(&format!("/{state}/s3/")),
            "{}",
            last.head
        );
    }
}
