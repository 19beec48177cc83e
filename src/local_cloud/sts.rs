//! STS: who the caller is. In the local cloud that is always the root of its one account.

use super::service::{ACCOUNT, Refusal, Reply, Request, Service, Store};

/// The service.
#[derive(Debug)]
pub struct Sts;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

fn xml(status: u16, body: String) -> Reply {
    Reply {
        status,
        headers: vec![("content-type".to_owned(), "text/xml".to_owned())],
        body: body.into(),
    }
}

impl Service for Sts {
    fn signing_name(&self) -> &'static str {
        "sts"
    }

    fn operation(&self, request: &Request) -> String {
        form_urlencoded::parse(&request.body)
            .find(|(name, _)| name == "Action")
            .map(|(_, action)| action.into_owned())
            .unwrap_or_default()
    }

    fn answer(&self, request: &Request, _store: &mut dyn Store) -> Result<Reply, Refusal> {
        let operation = self.operation(request);
        if operation != "GetCallerIdentity" {
            return Err(Refusal::new(
                400,
                "InvalidAction",
                format!("The local cloud does not have sts:{operation}."),
            ));
        }
        let (partition, _) = crate::resource::aws::partition_of(&request.region);
        Ok(xml(
            200,
            format!(
                "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\"><GetCallerIdentityResult>\
                 <Arn>arn:{partition}:iam::{ACCOUNT}:root</Arn><UserId>{ACCOUNT}</UserId>\
                 <Account>{ACCOUNT}</Account></GetCallerIdentityResult>\
                 </GetCallerIdentityResponse>"
            ),
        ))
    }

    fn refuse(&self, _request: &Request, refusal: &Refusal) -> Reply {
        let blame = if refusal.status < 500 {
            "Sender"
        } else {
            "Receiver"
        };
        // Codes are ours; a message may hold an operation's name as sent.
        let message = refusal.message.replace('&', "&amp;").replace('<', "&lt;");
        xml(
            refusal.status,
            format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{blame}</Type>\
                 <Code>{}</Code><Message>{message}</Message></Error></ErrorResponse>",
                refusal.code
            ),
        )
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
    async fn nothing_else_is_there() {
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
