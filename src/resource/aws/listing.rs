//! Listings, page by page. The next page is what the service says it is, so a service (or an
//! endpoint that passes for one) could go on for ever: here pages are counted, and a token that was
//! given before ends the listing. All loops over pages go through this file.

use crate::resource::error::Error;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The most pages of a listing. The smallest pages of the services have 50 items.
const MOST_PAGES: usize = 10_000;

/// The most items that a listing may give.
const MOST_ITEMS: usize = 1_000_000;

/// A listing in progress.
#[derive(Debug)]
pub(crate) struct Listing {
    call: &'static str,
    most: usize,
    /// What each token hashes to: a token may be long.
    seen: HashSet<u64>,
}

impl Listing {
    /// A listing by this call, named as an IAM action.
    pub(crate) fn of(call: &'static str) -> Self {
        Self {
            call,
            most: MOST_PAGES,
            seen: HashSet::new(),
        }
    }

    /// The same with another number of pages, for one that deletes what it lists.
    pub(crate) fn at_most(mut self, pages: usize) -> Self {
        self.most = pages;
        self
    }

    /// The token of the next page, as the reply has it; none after the last page.
    ///
    /// # Errors
    /// When the token was given before, or there are too many pages.
    pub(crate) fn next<T: AsRef<str>>(&mut self, token: Option<T>) -> Result<Option<T>, Error> {
        let Some(token) = token.filter(|token| !token.as_ref().is_empty()) else {
            return Ok(None);
        };
        let mut hash = DefaultHasher::new();
        token.as_ref().hash(&mut hash);
        if !self.seen.insert(hash.finish()) {
            return Err(self.endless("returned the same page token twice"));
        }
        if self.seen.len() >= self.most {
            return Err(self.endless(&format!("returned {} pages, and there are more", self.most)));
        }
        Ok(Some(token))
    }

    /// Looks whether so many items may be kept.
    fn room(&self, items: usize) -> Result<(), Error> {
        if items > MOST_ITEMS {
            return Err(self.endless(&format!("returned more than {MOST_ITEMS} items")));
        }
        Ok(())
    }

    fn endless(&self, what: &str) -> Error {
        Error::with_hint(
            format!("{} {what}; the listing was ended", self.call),
            "Check the endpoint: a listing of AWS comes to an end.",
        )
    }
}

/// All that the pages of a listing give. `page` takes the token and gives what it found and the
/// next token.
///
/// # Errors
/// What `page` returns, and when the listing does not end.
pub(crate) async fn all<T, F>(
    call: &'static str,
    mut page: impl FnMut(Option<String>) -> F + Send,
) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<(Vec<T>, Option<String>), Error>> + Send,
{
    let mut listing = Listing::of(call);
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let (found, next) = page(token).await?;
        listing.room(all.len() + found.len())?;
        all.extend(found);
        token = listing.next(next)?;
        if token.is_none() {
            return Ok(all);
        }
    }
}

/// Goes through the pages of a listing until one gives something. `page` takes the token and gives
/// what it found and the next token.
///
/// # Errors
/// What `page` returns, and when the listing does not end.
pub(crate) async fn first<T, F>(
    call: &'static str,
    mut page: impl FnMut(Option<String>) -> F + Send,
) -> Result<Option<T>, Error>
where
    F: Future<Output = Result<(Option<T>, Option<String>), Error>> + Send,
{
    let mut listing = Listing::of(call);
    let mut token = None;
    loop {
        let (found, next) = page(token).await?;
        if found.is_some() {
            return Ok(found);
        }
        token = listing.next(next)?;
        if token.is_none() {
            return Ok(None);
        }
    }
}

/// The result, with an error that has one of these codes turned into none.
pub(crate) fn unless<T>(result: Result<T, Error>, codes: &[&str]) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is(codes) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn tokens(next: impl Fn(usize) -> Option<String> + Send + Sync) -> Result<usize, String> {
        let next = &next;
        let mut page = 0;
        let all = all("sqs:ListQueues", |_| {
            page += 1;
            async move { Ok((vec![()], next(page))) }
        });
        all.await
            .map(|all| all.len())
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_listing_ends_with_its_last_page_or_its_limits() {
        let three = tokens(|page| (page < 3).then(|| page.to_string())).await;
        assert_eq!(three, Ok(3));
        assert_eq!(tokens(|_| Some(String::new())).await, Ok(1));
        let same = tokens(|_| Some("x".to_owned())).await.unwrap_err();
        assert_eq!(
            same,
            "sqs:ListQueues returned the same page token twice; the listing was ended"
        );
        let circle = tokens(|page| Some((page % 7).to_string())).await;
        assert!(circle.unwrap_err().contains("twice"));
        let endless = tokens(|page| Some(page.to_string())).await.unwrap_err();
        assert!(endless.contains("10000 pages"), "{endless}");
    }

    #[tokio::test]
    async fn the_search_ends_as_well() {
        let found = first(
            "logs:DescribeLogGroups",
            |token: Option<String>| async move {
                Ok((token.filter(|token| token == "y"), Some("y".to_owned())))
            },
        );
        assert_eq!(found.await.unwrap().as_deref(), Some("y"));
        let never = first("logs:DescribeLogGroups", |_| async move {
            Ok((None::<()>, Some("y".to_owned())))
        });
        assert!(never.await.is_err());
    }
}
