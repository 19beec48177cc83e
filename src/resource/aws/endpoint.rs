//! Where the calls of a configuration go, where that is not to AWS's own hosts.

use super::profile::variable;
use super::settings::Settings;
use crate::resource::endpoint::{Endpoint, without_password};
use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// The services that are called, as the SDK and its variables name them.
const SERVICES: &[&str] = &[
    "S3",
    "SNS",
    "SQS",
    "IAM",
    "Lambda",
    "STS",
    "CloudWatch Logs",
    "ApiGatewayV2",
    "API Gateway",
];

/// The variable for all services.
const VARIABLE: &str = "AWS_ENDPOINT_URL";

/// The addresses in place of AWS's own, as the clients take them: of the settings, else of the
/// environment and the profile.
pub(super) fn endpoints(
    settings: &Settings,
    config: &SdkConfig,
    profile: Option<&str>,
) -> Vec<Endpoint> {
    if let Some(url) = &settings.endpoint_url {
        return vec![Endpoint {
            service: None,
            url: without_password(url),
            set_by: settings.endpoint_set_by.clone(),
        }];
    }
    let found: Vec<Endpoint> = SERVICES
        .iter()
        .filter_map(|service| {
            let own = of_service(config, service);
            let url = own.or_else(|| config.endpoint_url().map(str::to_owned))?;
            Some(Endpoint {
                service: Some((*service).to_owned()),
                set_by: set_by(service, &url, profile),
                url: without_password(&url),
            })
        })
        .collect();
    let alike = |one: &Endpoint| one.url == found[0].url && one.set_by == found[0].set_by;
    if found.len() == SERVICES.len() && found.iter().all(alike) {
        return vec![Endpoint {
            service: None,
            ..found[0].clone()
        }];
    }
    found
}

/// The address that a service has for itself (`AWS_ENDPOINT_URL_S3`, or `services` in a profile).
pub(super) fn of_service(config: &SdkConfig, service: &'static str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env(VARIABLE)
        .profile("endpoint_url")
        .build();
    config.service_config()?.load_config(key.ok()?)
}

fn set_by(service: &str, url: &str, profile: Option<&str>) -> String {
    let own = format!(
        "{VARIABLE}_{}",
        service.to_ascii_uppercase().replace(' ', "_")
    );
    let mut variables = [own, VARIABLE.to_owned()].into_iter();
    match variables.find(|name| variable(name).is_some_and(|value| value == url)) {
        Some(name) => name,
        None => format!(
            "endpoint_url of the AWS profile {:?}",
            profile.unwrap_or("default")
        ),
    }
}

/// Whether a string can be a region: a part of a host's name, and nothing that ends it.
pub fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::is_region;

    #[test]
    fn a_region_leads_to_no_other_host() {
        for text in ["us-west-2", "cn-north-1", "us-gov-west-1", "fips-us-east-1"] {
            assert!(is_region(text));
        }
        for text in [
            "",
            "evil.example",
            "x.evil.example/#",
            "x@evil",
            "us-west-2?",
            "US-west-2",
            "a:1",
            "a b",
            "é",
        ] {
            assert!(!is_region(text), "{text}");
        }
    }
}
