//! A cloud in a folder of its own, with the real SDK clients on it, for tests.

use super::cloud::{Cloud, Options};
use super::fault::Fault;
use crate::resource::aws::Aws;
use crate::resource::aws::connect::{Local, Settings, connect};
use tempfile::TempDir;

pub(super) struct Fixture {
    pub(super) cloud: Cloud,
    pub(super) aws: Aws,
    pub(super) dir: TempDir,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn faulty(faults: Vec<Fault>) -> Self {
        Self::with(|options| options.faults = faults).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let dir = TempDir::new().unwrap();
        let mut options = Options {
            dir: dir.path().to_owned(),
            ..Options::default()
        };
        change(&mut options);
        let cloud = Cloud::open(options).unwrap();
        let aws = connect(&Settings {
            region: Some("us-west-2".to_owned()),
            local: Some(Local {
                http: cloud.http_client(),
                speed: 1.0,
            }),
            ..Settings::default()
        })
        .await
        .unwrap();
        Self { cloud, aws, dir }
    }

    /// The keys of all that the cloud holds.
    pub(super) fn keys(&self) -> Vec<String> {
        let entries = self.cloud.resources().unwrap();
        entries.into_iter().map(|entry| entry.key).collect()
    }
}
