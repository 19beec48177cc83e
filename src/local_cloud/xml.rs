//! XML as IAM and S3 write it: elements and text, no attributes but those spelled out.

use std::fmt::{Display, Write};

/// An XML document that is being written.
#[derive(Debug, Default)]
pub(super) struct Xml(String);

impl Xml {
    /// An element with content. What follows a blank in `start` are attributes.
    pub(super) fn element(&mut self, start: &str, content: impl FnOnce(&mut Self)) {
        let name = start.split(' ').next().unwrap_or(start);
        self.0.push('<');
        self.0.push_str(start);
        self.0.push('>');
        content(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// An element with text.
    pub(super) fn text(&mut self, start: &str, value: impl Display) {
        let value = value.to_string();
        self.element(start, |xml| xml.escape(&value));
    }

    /// An element with text, where there is one.
    pub(super) fn maybe(&mut self, start: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(start, value);
        }
    }

    /// XML that is written already.
    pub(super) fn raw(&mut self, xml: &str) {
        self.0.push_str(xml);
    }

    /// What was written, without a declaration.
    pub(super) fn into_fragment(self) -> String {
        self.0
    }

    fn escape(&mut self, text: &str) {
        for symbol in text.chars() {
            match symbol {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                // Parsers normalise line ends, so a carriage return only survives as a
                // reference.
                '\r' => self.0.push_str("&#xD;"),
                // What XML 1.0 cannot hold at all is left as a question mark.
                other if (other as u32) < 0x20 && !matches!(other, '\n' | '\t') => {
                    self.0.push('?');
                }
                other => self.0.push(other),
            }
        }
    }

    /// The document, with its declaration.
    pub(super) fn finish(self) -> String {
        let mut out = String::with_capacity(self.0.len() + 40);
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}",
            self.0
        );
        out
    }
}

/// The child elements of this name, whatever their namespace.
pub(super) fn children<'a, 'input: 'a>(
    node: roxmltree::Node<'a, 'input>,
    name: &'a str,
) -> impl Iterator<Item = roxmltree::Node<'a, 'input>> {
    node.children()
        .filter(move |child| child.tag_name().name() == name)
}

/// The first child element of this name.
pub(super) fn child<'a, 'input: 'a>(
    node: roxmltree::Node<'a, 'input>,
    name: &'a str,
) -> Option<roxmltree::Node<'a, 'input>> {
    children(node, name).next()
}

/// The text of the first child element of this name; an empty element has the empty string.
pub(super) fn child_text<'a, 'input: 'a>(
    node: roxmltree::Node<'a, 'input>,
    name: &'a str,
) -> Option<&'a str> {
    child(node, name).map(|child| child.text().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_a_parser() {
        let mut xml = Xml::default();
        xml.element("Root a=\"b\"", |xml| xml.text("Key", "a<b>&\"c\"\r\nd"));
        let text = xml.finish();
        let document = roxmltree::Document::parse(&text).unwrap();
        assert_eq!(
            child_text(document.root_element(), "Key"),
            Some("a<b>&\"c\"\r\nd")
        );
    }
}
