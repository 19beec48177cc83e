//! The settings inside a stage: throttling, logging and metrics of its routes.

use crate::resource::author::*;
use aws_sdk_apigatewayv2::types;

/// The settings of all routes that have none of their own.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DefaultRouteSettings {
    /// Whether whole requests and responses are logged. WebSocket only.
    #[schemars(extend("default" = false))]
    pub data_trace_enabled: Option<bool>,
    /// Whether there are metrics for each route.
    #[schemars(extend("default" = false))]
    pub detailed_metrics_enabled: Option<bool>,
    /// What is logged: `ERROR`, `INFO` or `OFF`. WebSocket only; the account needs a
    /// CloudWatch role for API Gateway.
    #[schemars(extend("default" = "OFF", "enum" = ["ERROR", "INFO", "OFF"]))]
    pub logging_level: Option<String>,
    /// How many requests may come at once.
    #[schemars(range(min = 0))]
    pub throttling_burst_limit: Option<i32>,
    /// How many requests a second there may be for long.
    #[schemars(range(min = 0.0))]
    pub throttling_rate_limit: Option<f64>,
}

/// The settings of one route.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RouteSettings {
    /// The route's key.
    pub route_key: String,
    /// Whether whole requests and responses are logged. WebSocket only.
    #[schemars(extend("default" = false))]
    pub data_trace_enabled: Option<bool>,
    /// Whether there are metrics for the route.
    #[schemars(extend("default" = false))]
    pub detailed_metrics_enabled: Option<bool>,
    /// What is logged: `ERROR`, `INFO` or `OFF`. WebSocket only.
    #[schemars(extend("default" = "OFF", "enum" = ["ERROR", "INFO", "OFF"]))]
    pub logging_level: Option<String>,
    /// How many requests may come at once.
    #[schemars(range(min = 0))]
    pub throttling_burst_limit: Option<i32>,
    /// How many requests a second there may be for long.
    #[schemars(range(min = 0.0))]
    pub throttling_rate_limit: Option<f64>,
}

/// The account's own limits, which a stage without limits has (API Gateway quotas).
const ACCOUNT_BURST: i32 = 5000;
const ACCOUNT_RATE: f64 = 10_000.0;

impl DefaultRouteSettings {
    pub(crate) fn to_sdk(&self) -> types::RouteSettings {
        types::RouteSettings::builder()
            .set_data_trace_enabled(self.data_trace_enabled)
            .set_detailed_metrics_enabled(self.detailed_metrics_enabled)
            .set_logging_level(self.logging_level.as_deref().map(Into::into))
            .set_throttling_burst_limit(self.throttling_burst_limit)
            .set_throttling_rate_limit(self.throttling_rate_limit)
            .build()
    }

    pub(crate) fn from_sdk(live: types::RouteSettings) -> Self {
        Self {
            data_trace_enabled: live.data_trace_enabled,
            detailed_metrics_enabled: live.detailed_metrics_enabled,
            logging_level: live.logging_level.map(|level| level.as_str().to_owned()),
            throttling_burst_limit: live.throttling_burst_limit,
            throttling_rate_limit: live.throttling_rate_limit,
        }
    }

    /// These settings, with the service's defaults for what `old` had and this has not.
    pub(crate) fn reset_from(&self, old: &Self) -> Self {
        fn pick<T: Clone>(new: &Option<T>, old: &Option<T>, default: T) -> Option<T> {
            new.clone().or_else(|| old.as_ref().map(|_| default))
        }
        Self {
            data_trace_enabled: pick(&self.data_trace_enabled, &old.data_trace_enabled, false),
            detailed_metrics_enabled: pick(
                &self.detailed_metrics_enabled,
                &old.detailed_metrics_enabled,
                false,
            ),
            logging_level: pick(&self.logging_level, &old.logging_level, "OFF".to_owned()),
            throttling_burst_limit: pick(
                &self.throttling_burst_limit,
                &old.throttling_burst_limit,
                ACCOUNT_BURST,
            ),
            throttling_rate_limit: pick(
                &self.throttling_rate_limit,
                &old.throttling_rate_limit,
                ACCOUNT_RATE,
            ),
        }
    }
}

impl RouteSettings {
    fn values(&self) -> DefaultRouteSettings {
        DefaultRouteSettings {
            data_trace_enabled: self.data_trace_enabled,
            detailed_metrics_enabled: self.detailed_metrics_enabled,
            logging_level: self.logging_level.clone(),
            throttling_burst_limit: self.throttling_burst_limit,
            throttling_rate_limit: self.throttling_rate_limit,
        }
    }

    /// The list as it is sent: by route key. `old` is what is live: a field that goes is
    /// sent with its default.
    pub(crate) fn to_sdk(new: &[Self], old: &[Self]) -> HashMap<String, types::RouteSettings> {
        new.iter()
            .map(|item| {
                let live = old.iter().find(|live| live.route_key == item.route_key);
                let live = live.map(Self::values).unwrap_or_default();
                let values = item.values().reset_from(&live);
                (item.route_key.clone(), values.to_sdk())
            })
            .collect()
    }

    pub(crate) fn from_sdk(live: HashMap<String, types::RouteSettings>) -> Vec<Self> {
        let mut list: Vec<Self> = live
            .into_iter()
            .map(|(route_key, settings)| {
                let values = DefaultRouteSettings::from_sdk(settings);
                Self {
                    route_key,
                    data_trace_enabled: values.data_trace_enabled,
                    detailed_metrics_enabled: values.detailed_metrics_enabled,
                    logging_level: values.logging_level,
                    throttling_burst_limit: values.throttling_burst_limit,
                    throttling_rate_limit: values.throttling_rate_limit,
                }
            })
            .collect();
        list.sort_by(|a, b| a.route_key.cmp(&b.route_key));
        list
    }
}

/// Takes out of each route's settings what says no more than the default: the service fills
/// these in, and a member of a set is compared as a whole.
pub(crate) fn drop_defaults(settings: &mut Value) {
    for item in settings.as_array_mut().into_iter().flatten() {
        if let Value::Object(map) = item {
            map.retain(|name, value| match name.as_str() {
                "dataTraceEnabled" | "detailedMetricsEnabled" => *value != Value::Bool(false),
                "loggingLevel" => value.as_str() != Some("OFF"),
                _ => !value.is_null(),
            });
        }
    }
}

/// A refusal for want of the role that logs are written with, with the way to set it.
pub(crate) fn explained(error: Error) -> Error {
    const NO_ROLE: &str = "CloudWatch Logs role ARN must be set in account settings";
    if !error.message().contains(NO_ROLE) {
        return error;
    }
    Error::with_hint(
        error.to_string(),
        "Add a resource of type aws:apigateway:Account, whose cloudwatchRoleArn is a role that apigateway.amazonaws.com may assume, with the policy arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs; or leave out accessLogSettings, loggingLevel and dataTraceEnabled.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_setting_that_goes_is_put_back_to_its_default() {
        let old = DefaultRouteSettings {
            logging_level: Some("INFO".to_owned()),
            throttling_burst_limit: Some(1),
            ..Default::default()
        };
        let sent = DefaultRouteSettings::default().reset_from(&old);
        assert_eq!(sent.logging_level.as_deref(), Some("OFF"));
        assert_eq!(sent.throttling_burst_limit, Some(ACCOUNT_BURST));
        assert_eq!(sent.data_trace_enabled, None, "an HTTP stage refuses it");
    }

    #[test]
    fn defaults_of_a_route_say_nothing() {
        let mut value = json!([{"routeKey": "a", "loggingLevel": "OFF", "dataTraceEnabled": false,
            "detailedMetricsEnabled": true}]);
        drop_defaults(&mut value);
        assert_eq!(
            value,
            json!([{"routeKey": "a", "detailedMetricsEnabled": true}])
        );
    }
}
