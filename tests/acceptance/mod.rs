//! The conformance cases and the repository's stack on an account, with a message and its reply:
//!
//! ```sh
//! STACKCTL_ACCEPTANCE=1 cargo test acceptance -- --show-output
//! ```
//!
//! The account is that of the environment (`AWS_PROFILE`, keys, `AWS_REGION`). Every name begins
//! with `sctacc-`, everything that has tags is tagged `stackctl-acceptance`, each case destroys what
//! it made, and what is left all the same is swept: at the end of a test what this run made, and
//! by `acceptance::sweep` what any run made. Without the variable the tests say that they are
//! skipped. The emulator tests run the same code against moto (`emulator::acceptance`).

mod sweep;
mod talk;

use crate::conformance::{self, Case, cases};
use crate::support::{Project, actions, in_parallel};
use rand::RngExt;
use serde_json::{Value, json};
use stackctl::resource::aws::Aws;
use stackctl::resource::aws::connect::{Settings, connect};
use std::path::{Path, PathBuf};

/// How every name begins.
const PREFIX: &str = "sctacc-";

/// Something that is left out, and why.
pub(crate) type Skipped = (&'static str, &'static str);

/// An account.
pub(crate) struct Place {
    /// Clients of the tests' own.
    pub(crate) aws: Aws,
    /// The account's number.
    pub(crate) account: String,
    /// How the names of this run begin: as long as `conformance`, whose place it takes.
    pub(crate) run: String,
    /// Added to each command.
    pub(crate) flags: Vec<String>,
    /// The commands' environment.
    pub(crate) env: Vec<(String, String)>,
    /// Cases (by file) that are left out.
    pub(crate) cases: &'static [Skipped],
    /// Properties that are left out of all cases.
    pub(crate) properties: &'static [Skipped],
    /// Why nothing is tagged, where tags are lost.
    pub(crate) untagged: Option<&'static str>,
    /// Why no message can be sent, where none can.
    pub(crate) silent: Option<&'static str>,
}

/// What an account does not have for every case.
const NOT_IN_AN_ACCOUNT: &[Skipped] = &[
    ("kmsKeyId", "the cases name a key that does not exist"),
    (
        "reservedConcurrentExecutions",
        "a new account has no concurrency to reserve",
    ),
];

/// What an account that has a logging role already is left with.
const HAS_A_ROLE: &[Skipped] = &[(
    "aws-apigateway-Account.yaml",
    "the account has a logging role, which is not the tests' to replace",
)];

/// The account of the environment; none, said, where none was asked for.
async fn account(test: &str) -> Option<Place> {
    if std::env::var("STACKCTL_ACCEPTANCE").as_deref() != Ok("1") {
        println!(
            "skipped: acceptance::{test}: STACKCTL_ACCEPTANCE is not 1, so no account is used"
        );
        return None;
    }
    let aws = connect(&Settings::default()).await.unwrap();
    let account = aws.account().await.unwrap().to_owned();
    let settings = aws.apigateway_v1().get_account().send().await.unwrap();
    let role = settings.cloudwatch_role_arn.unwrap_or_default();
    let of_users = |name: &str| {
        ["AWS_", "HTTP", "http", "NO_PROXY", "no_proxy"]
            .iter()
            .any(|start| name.starts_with(start))
            || name == "HOME"
    };
    // Where the tests' own projects have it switched off, an instance's role would not be found.
    let metadata = ("AWS_EC2_METADATA_DISABLED".to_owned(), "false".to_owned());
    let env = std::env::vars().filter(|(name, _)| of_users(name));
    Some(Place {
        aws,
        account,
        run: run(),
        flags: Vec::new(),
        env: std::iter::once(metadata).chain(env).collect(),
        cases: match role.is_empty() || role.contains(PREFIX) {
            true => &[],
            false => HAS_A_ROLE,
        },
        properties: NOT_IN_AN_ACCOUNT,
        untagged: None,
        silent: None,
    })
}

/// A run's own prefix.
pub(crate) fn run() -> String {
    let mut rng = rand::rng();
    let symbol = || char::from(b'a' + rng.random_range(0..26));
    let drawn: String = std::iter::repeat_with(symbol).take(4).collect();
    format!("{PREFIX}{drawn}")
}

/// A project whose stack is destroyed at the end, however the test ends.
struct Deployed(Project);

impl Drop for Deployed {
    fn drop(&mut self) {
        let ended = self.0.run(&["destroy", "--yes"]);
        if ended.code != Some(0) {
            println!("not destroyed:\n{}{}", ended.stdout, ended.stderr);
        }
    }
}

impl Place {
    fn prepare(&self, mut project: Project) -> Deployed {
        project.flags.clone_from(&self.flags);
        for (name, value) in &self.env {
            project.env(name, value);
        }
        Deployed(project)
    }

    /// A text of a case in this account: its names, numbers and places.
    fn here(&self, text: &str) -> String {
        text.replace("conformance", &self.run)
            .replace("000000000000", &self.account)
            .replace("arn:aws:", &format!("arn:{}:", self.aws.partition()))
            .replace("us-west-2", self.aws.region())
    }

    fn provider(&self) -> Value {
        let mut provider = json!({"aws": {"region": self.aws.region()}});
        match self.untagged {
            Some(why) => println!("skipped: tags: {why}"),
            None => provider["aws"]["defaultTags"] = json!({"stackctl-acceptance": self.run}),
        }
        provider
    }

    fn write(&self, project: &Project, case: &Case) {
        let stack = json!({
            "name": "case", "providers": self.provider(),
            "resources": case.resources, "data": case.data,
        });
        project.write("stacks/case.yaml", stack.to_string());
    }

    fn case(&self, path: &Path) -> Case {
        let text = std::fs::read_to_string(path).unwrap();
        let mut case: Case = serde_yaml::from_str(&self.here(&text)).unwrap();
        for (name, why) in self.properties {
            if case.leave_out(name) {
                println!("skipped: {name} in {}: {why}", path.display());
            }
        }
        case
    }

    /// One conformance case, as `conformance` runs it on the local cloud.
    fn holds(&self, path: &Path) {
        let mut case = self.case(path);
        let deployed = self.prepare(Project::new());
        let project = &deployed.0;
        for (path, text) in &case.files {
            project.write(path, text);
        }
        self.write(project, &case);
        project.apply();
        project.expect_no_changes();
        self.adopted(project, &case);
        for update in case.take_updates() {
            conformance::changed(&mut case, update);
            self.write(project, &case);
            conformance::expect_action(project, &case.address, &[&["update"]]);
        }
        if let Some(replace) = case.replace.take() {
            conformance::changed(&mut case, replace);
            self.write(project, &case);
            let either: &[&[&str]] = &[&["create", "delete"], &["delete", "create"]];
            conformance::expect_action(project, &case.address, either);
        }
        project.run(&["destroy", "--yes"]).expect(0);
        assert_eq!(project.state()["resources"], json!({}));
    }

    /// The resource is lost from the state, and imported: nothing is left to do.
    fn adopted(&self, project: &Project, case: &Case) {
        let (known, id) = conformance::lost(project, case);
        project.write("list.yaml", json!({&case.address: id}).to_string());
        let import = ["import", "--file", "list.yaml", "--yes"];
        project.run(&import).expect(0);
        if case.untold().is_empty() {
            project.expect_no_changes();
        } else {
            project.apply();
        }
        assert_eq!(
            project.state()["resources"][&case.address]["id"],
            known["id"]
        );
    }

    /// Every case that the place has what it takes for, two at a time.
    pub(crate) fn all_cases(&self) {
        let remote = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let left_out = self.cases.iter().find(|(case, _)| *case == name);
            if let Some((case, why)) = left_out {
                println!("skipped: {case}: {why}");
            }
            name.starts_with("aws-") && left_out.is_none()
        };
        let paths = cases().into_iter().map(|(_, path)| path);
        in_parallel(paths.filter(remote).collect(), |path| self.holds(&path));
    }

    /// The repository's stack: up, a message and its reply, a change, down.
    pub(crate) async fn stack(&self) {
        let deployed = self.prepare(Project::websocket());
        let project = &deployed.0;
        let path = "stacks/websocket-sqs.yaml";
        let mut text = project.read(path);
        for name in [
            "tf-APIGWWebsocketQueue.fifo",
            "APIGWWebsocketSQSLambda",
            "ApiGatewayWebsocketSQSRole",
            "APIGatewaySQSSendMessagePolicy",
            "SQSWebsocketResponseServiceRole",
            "apigw-websocket\n",
            "apigw-websocket-response\n",
        ] {
            let of_run = format!("{}-{name}", self.run);
            assert_eq!(text.matches(name).count(), 1, "{name} in {path}");
            text = text.replace(name, &of_run);
        }
        // The function's name begins so by now, and a role's is short.
        text = text.replace("WebsocketApi-${local", "${local");
        let region = "    region: \"${var.aws_region}\"\n";
        assert_eq!(text.matches(region).count(), 1, "{region} in {path}");
        if self.untagged.is_none() {
            let tags = format!("    defaultTags: {{stackctl-acceptance: {}}}\n", self.run);
            text = text.replace(region, &format!("{region}{tags}"));
        }
        text = text.replace(
            "default: us-west-2",
            &format!("default: {}", self.aws.region()),
        );
        project.write(path, text);
        project.apply();
        project.expect_no_changes();
        let outputs = project.run(&["outputs", "--json"]).expect(0).json();
        assert_eq!(outputs["account_id"], *self.account);
        match self.silent {
            Some(why) => println!("skipped: the message and its reply: {why}"),
            None => talk::replies(outputs["websocket_URI"].as_str().unwrap()).await,
        }
        let change = "--var=lambda_log_retention=14";
        let plan = project.run(&["plan", "--json", change]).expect(0).json();
        assert_eq!(actions(&plan).len(), 1, "{plan:#}");
        project.run(&["apply", "--yes", change]).expect(0);
        project
            .run(&["plan", "--detailed-exitcode", change])
            .expect(0);
        project.run(&["destroy", "--yes"]).expect(0);
        assert_eq!(project.state()["resources"], json!({}));
    }

    /// Nothing of this run is left; what is, is swept, and fails the test.
    pub(crate) async fn nothing_is_left(&self) {
        let left = sweep::sweep(&self.aws, &self.run).await;
        assert!(left.is_empty(), "left behind, and swept: {left:#?}");
    }
}

#[tokio::test]
async fn the_cases_hold() {
    let Some(place) = account("the_cases_hold").await else {
        return;
    };
    let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| place.all_cases()));
    place.nothing_is_left().await;
    held.unwrap();
}

#[tokio::test]
async fn the_stack_answers() {
    let Some(place) = account("the_stack_answers").await else {
        return;
    };
    place.stack().await;
    place.nothing_is_left().await;
}

/// Deletes what any run has left, such as one that was killed.
#[tokio::test]
async fn sweep() {
    let Some(place) = account("sweep").await else {
        return;
    };
    for what in sweep::sweep(&place.aws, PREFIX).await {
        println!("swept: {what}");
    }
}
