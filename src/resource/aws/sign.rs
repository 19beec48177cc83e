//! Signatures of requests that no SDK client sends: the opening of a WebSocket (API Gateway
//! developer guide, "Use IAM authorization" of WebSocket APIs).

use super::Aws;
use crate::resource::error::Error;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;

impl Aws {
    /// Adds the headers of a signature to the request that opens a WebSocket of a stage. The region
    /// is that of the host `<api>.execute-api.<region>.…`, else of these clients.
    ///
    /// # Errors
    /// When there are no credentials, or the URL cannot be signed.
    pub async fn sign_connection(
        &self,
        url: &str,
        request: &mut http::Request<()>,
    ) -> Result<(), Error> {
        let failed = |why: String| Error::failed(format!("the connection cannot be signed: {why}"));
        let provider = self.config.credentials_provider();
        let provider = provider.ok_or_else(|| failed("credentials are missing".to_owned()))?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| failed(error.to_string()))?;
        let identity: Identity = credentials.into();
        let time = self.config.time_source();
        let now = time.map(|source| source.now());
        let now = now.ok_or_else(|| failed("the clock is missing".to_owned()))?;
        let mut parts = url
            .split('.')
            .skip_while(|part| !part.ends_with("execute-api"));
        let region = parts.nth(1).unwrap_or(self.region());
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("execute-api")
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| failed(error.to_string()))?
            .into();
        let uri = request.uri().to_string();
        let host = request
            .headers()
            .get("host")
            .and_then(|host| host.to_str().ok());
        let headers = host.map(|host| ("host", host)).into_iter();
        let signable = SignableRequest::new("GET", uri, headers, SignableBody::Bytes(&[]));
        let signable = signable.map_err(|error| failed(error.to_string()))?;
        let signed = sign(signable, &params).map_err(|error| failed(error.to_string()))?;
        signed.into_parts().0.apply_to_request_http1x(request);
        Ok(())
    }
}
