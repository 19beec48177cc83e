//! A state that leaves the bucket or comes into it.

use super::bucket::{If, Object};
use super::{Lease, S3Store};
use crate::resource::error::Error;
use crate::store::error::StoreError;
use crate::store::format;
use crate::store::history::VersionName;

impl S3Store {
    /// A version as it is kept.
    pub(in crate::store) async fn packed(&self, name: &VersionName) -> Result<Vec<u8>, StoreError> {
        let key = self.version_key(name);
        let object = self.bucket.get(&key).await?;
        let gone = || {
            self.bucket
                .error("reading", &key, Error::failed("it is gone"))
        };
        Ok(object.ok_or_else(gone)?.body)
    }

    /// Keeps a version that comes from elsewhere.
    pub(in crate::store) async fn keep_packed(
        &self,
        name: &VersionName,
        packed: Vec<u8>,
    ) -> Result<(), StoreError> {
        self.bucket
            .put(&self.version_key(name), packed, If::Always)
            .await?;
        self.observe(|known| {
            known.names.insert(name.clone());
        });
        Ok(())
    }

    /// See [`crate::store::Store::retire`].
    pub(in crate::store) async fn retire(&self, text: Vec<u8>) -> Result<(), StoreError> {
        let Some(lease) = self.held() else {
            return Err(self.lost("it was never locked"));
        };
        lease.check().await?;
        self.replace(text, &lease).await
    }

    /// Writes what is in the state's place from now on, if it holds what was read there, which
    /// is kept among the versions first.
    pub(super) async fn replace(&self, text: Vec<u8>, lease: &Lease) -> Result<(), StoreError> {
        let known = self.observed();
        // The version before may lack in the history, when a run died in between.
        if let Some(before) = &known.state
            && let Ok(found) = format::read(&before.body)
        {
            let name = VersionName::of(&found.state, &found.checksum);
            self.keep(&name, &before.body, &known.names).await?;
        }
        let etag = known.state.as_ref().map(|state| state.etag.as_str());
        let condition = etag.map_or(If::New, If::Match);
        let Some(etag) = self.bucket.put(&self.key, text.clone(), condition).await? else {
            return Err(lease.lose("another run has saved it meanwhile"));
        };
        self.observe(|known| known.state = Some(Object { body: text, etag }));
        Ok(())
    }
}
