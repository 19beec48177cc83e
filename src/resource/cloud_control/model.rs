//! Between the properties of a stack file and the model that Cloud Control takes and returns.

use crate::data::{Attributes, Inputs, Path};
use crate::registry::RegistryType;
use crate::resource::context::{OWNER_TAG_PREFIX, Owner, user_tags};
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Tags = BTreeMap<String, String>;

/// The model of one type.
#[derive(Clone, Copy)]
pub(super) struct Model(pub(super) &'static RegistryType);

impl Model {
    /// The property that holds the tags; none where they are not a list or map of keys and values.
    pub(super) fn tag_property(self) -> Option<&'static str> {
        self.0.tagging().plain()
    }

    /// The model that the properties want, with the owner's tags where the type takes tags when
    /// it is created.
    pub(super) fn desired(self, inputs: &Inputs, owner: &Owner) -> Value {
        let mut model = inputs.clone().into_value();
        let owner = match self.0.tagging().tag_on_create {
            true => owner.tags(),
            false => Tags::new(),
        };
        self.put_tags(&mut model, owner);
        model
    }

    /// Puts further tags beside those of the properties, in the form that the service takes.
    fn put_tags(self, model: &mut Value, more: Tags) {
        let (Some(property), Some(map)) = (self.tag_property(), model.as_object_mut()) else {
            return;
        };
        let mut tags = tags_of_map(map.remove(property).as_ref());
        tags.extend(more);
        if !tags.is_empty() {
            map.insert(property.to_owned(), self.tags_as_sent(tags));
        }
    }

    /// Tags in the form that the service takes.
    pub(super) fn tags_as_sent(self, tags: Tags) -> Value {
        let form = self.0.tagging();
        if !form.is_list {
            return json!(tags);
        }
        let (key, value) = (form.key.as_str(), form.value.as_str());
        let tags = tags.into_iter();
        tags.map(|(name, text)| json!({key: name, value: text}))
            .collect()
    }

    /// The attributes in a live model: the tags as a map without the owner's and AWS's, and the
    /// identifier as `id`.
    pub(super) fn attributes(self, id: &str, mut model: Value) -> Attributes {
        let tags = self.tags_in(&model).and_then(user_tags::<String, String>);
        if let Some(map) = model.as_object_mut() {
            if let Some(property) = self.tag_property() {
                map.remove(property);
                map.extend(tags.map(|tags| (property.to_owned(), json!(tags))));
            }
            map.entry("id").or_insert_with(|| id.into());
        }
        Attributes::new(model)
    }

    /// What an identifier says: its parts, and itself as `id`.
    pub(super) fn identified(self, id: &str) -> Attributes {
        let names = self.0.primary_identifier();
        let mut model = json!({});
        for (name, part) in names.iter().zip(id.splitn(names.len(), '|')) {
            let path = Path::pointer(format!("/{name}"));
            path.set(&mut model, part.into());
        }
        model["id"] = id.into();
        Attributes::new(model)
    }

    /// The identifier that the properties give; none where the service gives a part of it.
    pub(super) fn identifier(self, text: impl Fn(&str) -> Option<String>) -> Option<String> {
        let parts = self.0.primary_identifier().iter();
        let parts: Option<Vec<String>> = parts.map(|part| text(part)).collect();
        parts.map(|parts| parts.join("|"))
    }

    /// Every tag of a live model; none where the type takes none when it is created.
    pub(super) fn all_tags(self, model: &Value) -> Option<Tags> {
        self.tags_in(model)
            .filter(|_| self.0.tagging().tag_on_create)
    }

    /// All tags that a resource shall have: those it has now, without those that the plan saw and
    /// the new properties lack, and those of the new properties.
    pub(super) fn merged_tags(self, now: &Value, live: &Attributes, new: &Inputs) -> Tags {
        let of = |value: &Value| tags_of_map(self.tag_property().and_then(|name| value.get(name)));
        let (seen, new) = (of(live), of(new));
        let mut tags = self.tags_in(now).unwrap_or_default();
        tags.retain(|key, _| {
            let is_kept = key.starts_with(OWNER_TAG_PREFIX) || !seen.contains_key(key);
            is_kept && !key.starts_with("aws:")
        });
        tags.extend(new);
        tags
    }

    fn tags_in(self, model: &Value) -> Option<Tags> {
        let (tags, form) = (model.get(self.tag_property()?), self.0.tagging());
        if !form.is_list {
            return Some(tags_of_map(tags));
        }
        let text = |tag: &Value, member: &str| tag.get(member)?.as_str().map(str::to_owned);
        let items = tags.and_then(Value::as_array).into_iter().flatten();
        let pair = |tag: &Value| {
            let value = text(tag, &form.value).unwrap_or_default();
            Some((text(tag, &form.key)?, value))
        };
        Some(items.filter_map(pair).collect())
    }
}

fn tags_of_map(tags: Option<&Value>) -> Tags {
    let tags = tags.and_then(Value::as_object).into_iter().flatten();
    tags.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}
