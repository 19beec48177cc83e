//! STS: who the caller is: the root of the one account, or the session of a role.

use super::callers::Caller;
use super::query::{self, Form};
use super::service::{ACCOUNT, Refusal, Reply, Request, Service, Store};
use super::xml::Xml;

/// The service.
#[derive(Debug)]
pub struct Sts;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

impl Service for Sts {
    fn signing_name(&self) -> &'static str {
        "sts"
    }

    fn operation(&self, request: &Request) -> String {
        Form::parse(request).action().to_owned()
    }

    fn answer(&self, request: &Request, store: &mut dyn Store) -> Result<Reply, Refusal> {
        let operation = self.operation(request);
        if operation != "GetCallerIdentity" {
            return Err(Refusal::new(
                400,
                "InvalidAction",
                format!("The local cloud does not have sts:{operation}."),
            ));
        }
        let caller = Caller::of(request, store);
        let mut xml = Xml::default();
        xml.text("Arn", caller.arn);
        xml.text("UserId", caller.user_id);
        xml.text("Account", ACCOUNT);
        Ok(query::respond(NAMESPACE, &operation, xml))
    }

    fn refuse(&self, _request: &Request, refusal: &Refusal) -> Reply {
        query::refuse(NAMESPACE, refusal)
    }
}

#[cfg(test)]
mod tests {
    use crate::local_cloud::fixture::Fixture;
    use aws_sdk_sts::error::ProvideErrorMetadata;

    #[tokio::test]
    async fn the_caller_is_the_root_of_the_one_account() {
        let here = Fixture::new().await;
        let reply = here.aws.sts().get_caller_identity().send().await.unwrap();
        assert_eq!(reply.account(), Some("000000000000"));
        assert_eq!(reply.arn(), Some("arn:aws:iam::000000000000:root"));
        assert_eq!(reply.user_id(), Some("000000000000"));
        assert_eq!(here.aws.account().await.unwrap(), "000000000000");
    }

    #[tokio::test]
    async fn nothing_else_exists() {
        let here = Fixture::new().await;
        let error = here
            .aws
            .sts_once()
            .get_session_token()
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some("InvalidAction"));
    }
}
