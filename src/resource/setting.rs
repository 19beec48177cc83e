//! Types that are a setting of another resource: a bucket's policy, a queue's. There is one at
//! most, so its parent's id is its own; a create and an update put it, a deletion removes it.

use super::context::Cx;
use super::declaration::{Change, Lane, Live, Made, New, Resource};
use super::error::Error;
use super::import_id::{Import, exists};
use super::known::Known;
use super::read::Read;
use super::relation::{After, Parent};
use super::rules::Rules;
use crate::data::Attributes;
use crate::schema::broken::Broken;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A setting of another resource. What it does not define has the default of [`Resource`].
pub trait Setting:
    Serialize + DeserializeOwned + JsonSchema + Send + Sync + Sized + 'static
{
    /// See [`Resource::TYPE`].
    const TYPE: &'static str;
    /// See [`Resource::CALLS`].
    const CALLS: &'static [&'static str];
    /// What it is a setting of, and the property that names it.
    const OF: Parent;
    /// See [`Resource::AFTER`].
    const AFTER: &'static [After] = &[];
    /// See [`Resource::LANE`].
    const LANE: Lane;
    /// See [`Resource::IMPORT`].
    const IMPORT: Import;
    /// What another setting in the way of a create is called, such as `a policy of the bucket`;
    /// none where a create puts its own in place of any.
    const IN_THE_WAY: Option<&'static str> = None;
    /// The outputs, derived from the parent's id.
    type Outputs: From<String> + Serialize + JsonSchema + Send + 'static;

    /// See [`Resource::rules`].
    fn rules(_rules: &Rules<'_>) -> Vec<Broken> {
        Vec::new()
    }

    /// The id of what it is a setting of.
    fn parent(&self) -> &str;

    /// Whether what is known is enough to identify the setting.
    fn is_identifiable(known: &Known) -> bool {
        !known.withholds()
    }

    /// Whether the live setting is this one.
    fn is_same(&self, live: &Self) -> bool;

    /// Reads it; none where it does not exist. `attributes` are what is known of it.
    fn get(
        cx: &Cx,
        parent: &str,
        attributes: &Attributes,
    ) -> impl Future<Output = Result<Option<Self>, Error>> + Send;

    /// Puts it in place of the one there is. Without `change` it is created.
    fn put(
        cx: &Cx,
        props: &Self,
        change: Option<&Change<Self>>,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Removes it; a setting that does not exist is success.
    fn remove(
        cx: &Cx,
        parent: &str,
        attributes: &Attributes,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

impl<T: Setting> Resource for T {
    const TYPE: &'static str = T::TYPE;
    const CALLS: &'static [&'static str] = T::CALLS;
    const IMPORT: Import = T::IMPORT;
    const IDENTITY: &'static [&'static str] = &[T::OF.property];
    const PARENTS: &'static [Parent] = &[T::OF];
    const AFTER: &'static [After] = T::AFTER;
    const LANE: Option<Lane> = Some(T::LANE);
    type Outputs = T::Outputs;

    fn rules(rules: &Rules<'_>) -> Vec<Broken> {
        T::rules(rules)
    }

    async fn create(cx: &Cx, new: New<Self>) -> Result<Made<T::Outputs>, Error> {
        let parent = new.props.parent();
        // The write would overwrite what somebody else allowed.
        if let Some(what) = T::IN_THE_WAY
            && let Some(live) = T::get(cx, parent, &Attributes::default())
                .await
                .map_err(Error::before_write)?
            && !new.props.is_same(&live)
        {
            return Err(exists(cx, what, parent));
        }
        T::put(cx, &new.props, None).await?;
        Ok(created(parent))
    }

    async fn read(cx: &Cx, read: &Read) -> Result<Option<Live<Self, T::Outputs>>, Error> {
        let live = T::get(cx, &read.id, &read.attributes).await?;
        Ok(live.map(|props| Live::new(props, read.id.clone().into())))
    }

    async fn update(cx: &Cx, change: Change<Self>) -> Result<Made<T::Outputs>, Error> {
        T::put(cx, &change.new, Some(&change)).await?;
        Ok(created(&change.id))
    }

    async fn delete(cx: &Cx, id: &str, attributes: &Attributes) -> Result<(), Error> {
        T::remove(cx, id, attributes).await
    }

    async fn find(cx: &Cx, known: &Known) -> Result<Option<String>, Error> {
        let Some(parent) = known
            .text(T::OF.property)
            .filter(|_| T::is_identifiable(known))
        else {
            return Ok(None);
        };
        let wanted: T = known.parsed()?;
        let given = Attributes::of(known.inputs(), &Attributes::default());
        let live = T::get(cx, parent, &given).await?;
        let same = live.is_some_and(|live| wanted.is_same(&live));
        Ok(same.then(|| parent.to_owned()))
    }
}

fn created<O: From<String>>(parent: &str) -> Made<O> {
    Made::new(parent, parent.to_owned().into())
}
