//! What clients are created with.

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::time::Duration;

/// `providers.aws` of a stack, evaluated, with what the command line puts over it.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The region; none: from the environment or the profile.
    pub region: Option<String>,
    /// A named profile; it wins over keys in the environment.
    pub profile: Option<String>,
    /// Where all services are, for an emulator.
    pub endpoint_url: Option<String>,
    /// Where it comes from, as messages name it: `--endpoint-url`.
    pub endpoint_set_by: String,
    /// A role to assume with those credentials.
    pub assume_role: Option<AssumeRole>,
    /// The local cloud, in place of the network.
    pub local: Option<Local>,
    /// Whether calls may be sent faster than AWS allows, for an emulator.
    pub unpaced: bool,
}

/// A role to assume (STS `AssumeRole`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssumeRole {
    /// Its ARN.
    pub role_arn: String,
    /// What its trust policy may ask for.
    pub external_id: Option<String>,
    /// What the session is called; none: `stackctl`.
    pub session_name: Option<String>,
    /// How long its credentials are good for; none: the service's hour.
    pub duration: Option<Duration>,
}

/// A local cloud.
#[derive(Debug, Clone)]
pub struct Local {
    /// Its HTTP client.
    pub http: SharedHttpClient,
    /// How many times faster than real time it runs.
    pub speed: f64,
}

impl Settings {
    /// Whether other settings give the same credentials and the same way to AWS, in whichever
    /// region.
    pub fn is_same_way(&self, other: &Self) -> bool {
        let way = |it: &Self| {
            (
                it.profile.clone(),
                it.endpoint_url.clone(),
                it.assume_role.clone(),
                it.unpaced,
            )
        };
        self.local.is_none() && other.local.is_none() && way(self) == way(other)
    }
}
