//! Which operation a method and a path name.

/// The kinds of resources below an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integration,
    IntegrationResponse,
    Route,
    RouteResponse,
    Stage,
    Deployment,
}

impl Kind {
    /// The name in the operations' names.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Integration => "Integration",
            Self::IntegrationResponse => "IntegrationResponse",
            Self::Route => "Route",
            Self::RouteResponse => "RouteResponse",
            Self::Stage => "Stage",
            Self::Deployment => "Deployment",
        }
    }

    /// The name in the store's keys.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Integration => "integration",
            Self::IntegrationResponse => "integrationresponse",
            Self::Route => "route",
            Self::RouteResponse => "routeresponse",
            Self::Stage => "stage",
            Self::Deployment => "deployment",
        }
    }

    /// The member that identifies a resource.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Integration => "integrationId",
            Self::IntegrationResponse => "integrationResponseId",
            Self::Route => "routeId",
            Self::RouteResponse => "routeResponseId",
            Self::Stage => "stageName",
            Self::Deployment => "deploymentId",
        }
    }

    /// The kind of the parent, for resources that are not right below an API.
    pub(super) const fn parent(self) -> Option<Self> {
        match self {
            Self::IntegrationResponse => Some(Self::Integration),
            Self::RouteResponse => Some(Self::Route),
            Self::Integration | Self::Route | Self::Stage | Self::Deployment => None,
        }
    }

    fn of(segment: &str) -> Option<Self> {
        Some(match segment {
            "integrations" => Self::Integration,
            "integrationresponses" => Self::IntegrationResponse,
            "routes" => Self::Route,
            "routeresponses" => Self::RouteResponse,
            "stages" => Self::Stage,
            "deployments" => Self::Deployment,
            _ => return None,
        })
    }
}

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The account's settings.
    Account,
    Apis,
    Api(String),
    Cors(String),
    /// All resources of a kind: API, kind, and the parent for responses.
    All(String, Kind, String),
    /// One resource: API, kind, the parent for responses, id.
    One(String, Kind, String, String),
    /// API, route, parameter.
    RouteRequestParameter(String, String, String),
    /// API, stage.
    AccessLogSettings(String, String),
    /// API, stage, route key.
    RouteSettings(String, String, String),
    /// An ARN.
    Tags(String),
}

/// The target of a percent-encoded path.
pub(super) fn target(path: &str) -> Option<Target> {
    let parts: Vec<String> = path
        .trim_matches('/')
        .split('/')
        .map(|part| {
            percent_encoding::percent_decode_str(part)
                .decode_utf8_lossy()
                .into_owned()
        })
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let own = str::to_owned;
    Some(match &parts[..] {
        ["account"] => Target::Account,
        ["v2", "tags", arn @ ..] if !arn.is_empty() => Target::Tags(arn.join("/")),
        ["v2", "apis"] => Target::Apis,
        ["v2", "apis", api] => Target::Api(own(api)),
        ["v2", "apis", api, "cors"] => Target::Cors(own(api)),
        ["v2", "apis", api, "stages", stage, "accesslogsettings"] => {
            Target::AccessLogSettings(own(api), own(stage))
        }
        ["v2", "apis", api, "stages", stage, "routesettings", key] => {
            Target::RouteSettings(own(api), own(stage), own(key))
        }
        ["v2", "apis", api, "routes", route, "requestparameters", key] => {
            Target::RouteRequestParameter(own(api), own(route), own(key))
        }
        ["v2", "apis", api, kind] => Target::All(own(api), below(None, kind)?, String::new()),
        ["v2", "apis", api, kind, id] => {
            Target::One(own(api), below(None, kind)?, String::new(), own(id))
        }
        ["v2", "apis", api, parent, of, kind] => {
            Target::All(own(api), below(Some(parent), kind)?, own(of))
        }
        ["v2", "apis", api, parent, of, kind, id] => {
            Target::One(own(api), below(Some(parent), kind)?, own(of), own(id))
        }
        _ => return None,
    })
}

/// The kind that a segment names below another one; without it, right below an API.
fn below(parent: Option<&str>, segment: &str) -> Option<Kind> {
    let parent = match parent {
        Some(segment) => Some(Kind::of(segment)?),
        None => None,
    };
    Kind::of(segment).filter(|kind| kind.parent() == parent)
}

/// The operation's name; none where the operation does not exist.
pub(super) fn operation(method: &str, target: &Target) -> Option<String> {
    let named = match (method, target) {
        ("GET", Target::Account) => "GetAccount",
        ("PATCH", Target::Account) => "UpdateAccount",
        ("POST", Target::Apis) => "CreateApi",
        ("GET", Target::Apis) => "GetApis",
        ("GET", Target::Api(_)) => "GetApi",
        ("PATCH", Target::Api(_)) => "UpdateApi",
        ("PUT", Target::Api(_)) => "ReimportApi",
        ("DELETE", Target::Api(_)) => "DeleteApi",
        ("DELETE", Target::Cors(_)) => "DeleteCorsConfiguration",
        ("POST", Target::Tags(_)) => "TagResource",
        ("GET", Target::Tags(_)) => "GetTags",
        ("DELETE", Target::Tags(_)) => "UntagResource",
        ("DELETE", Target::RouteRequestParameter(..)) => "DeleteRouteRequestParameter",
        ("DELETE", Target::AccessLogSettings(..)) => "DeleteAccessLogSettings",
        ("DELETE", Target::RouteSettings(..)) => "DeleteRouteSettings",
        ("POST", Target::All(_, kind, _)) => return Some(format!("Create{}", kind.name())),
        ("GET", Target::All(_, kind, _)) => return Some(format!("Get{}s", kind.name())),
        ("GET", Target::One(_, kind, ..)) => return Some(format!("Get{}", kind.name())),
        ("PATCH", Target::One(_, kind, ..)) => return Some(format!("Update{}", kind.name())),
        ("DELETE", Target::One(_, kind, ..)) => return Some(format!("Delete{}", kind.name())),
        _ => return None,
    };
    Some(named.to_owned())
}
