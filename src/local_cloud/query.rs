//! The query protocol: an operation and its parameters in a form, XML back.

use super::service::{Refusal, Reply, Request};
use super::stamps;
use super::xml::Xml;

/// A request's parameters.
#[derive(Debug)]
pub(super) struct Form(Vec<(String, String)>);

/// A tag, in the order given.
pub(super) type Tag = (String, String);

impl Form {
    /// From the body, or the query of a GET.
    pub(super) fn parse(request: &Request) -> Self {
        let body = form_urlencoded::parse(&request.body).into_owned();
        Self(request.query.iter().cloned().chain(body).collect())
    }

    /// The operation; empty when there is none.
    pub(super) fn action(&self) -> &str {
        self.get("Action").unwrap_or_default()
    }

    /// A parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The values of a list: `TagKeys.member.1`, …
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        (1..)
            .map_while(|n| self.get(&format!("{name}.member.{n}")))
            .collect()
    }
}

/// The reply around a result.
pub(super) fn respond(namespace: &str, action: &str, result: Xml) -> Reply {
    let id = stamps::uuid();
    let inside = result.into_fragment();
    let mut xml = Xml::default();
    xml.element(&format!("{action}Response xmlns=\"{namespace}\""), |xml| {
        if !inside.is_empty() {
            xml.element(&format!("{action}Result"), |xml| xml.raw(&inside));
        }
        xml.element("ResponseMetadata", |xml| xml.text("RequestId", &id));
    });
    reply(200, id, xml)
}

/// An error reply.
pub(super) fn refuse(namespace: &str, refusal: &Refusal) -> Reply {
    let id = stamps::uuid();
    let mut xml = Xml::default();
    xml.element(&format!("ErrorResponse xmlns=\"{namespace}\""), |xml| {
        xml.element("Error", |xml| {
            let side = if refusal.status < 500 {
                "Sender"
            } else {
                "Receiver"
            };
            xml.text("Type", side);
            xml.text("Code", &refusal.code);
            xml.text("Message", &refusal.message);
        });
        xml.text("RequestId", &id);
    });
    reply(refusal.status, id, xml)
}

fn reply(status: u16, id: String, xml: Xml) -> Reply {
    Reply {
        status,
        headers: vec![
            ("x-amzn-requestid".to_owned(), id),
            ("content-type".to_owned(), "text/xml".to_owned()),
        ],
        body: xml.finish().into(),
    }
}

/// `<Tags>` with its members.
pub(super) fn write_tags(xml: &mut Xml, tags: &[Tag]) {
    xml.element("Tags", |xml| {
        for (key, value) in tags {
            xml.element("member", |xml| {
                xml.text("Key", key);
                xml.text("Value", value);
            });
        }
    });
}
