//! Between canned ACLs and the grants that S3 stores in their place.

use aws_sdk_s3::types::{Grant, Owner, Permission};

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

/// The canned ACL that these grants stand for; none where they match no canned ACL.
pub fn canned(owner: Option<&Owner>, grants: &[Grant]) -> Option<&'static str> {
    let owner = owner.and_then(Owner::id);
    let (mut full, mut all_read, mut all_write) = (false, false, false);
    let (mut authenticated, mut logs_write, mut logs_read) = (false, false, false);
    for grant in grants {
        let grantee = grant.grantee()?;
        let seen = match (grantee.uri(), grant.permission()?) {
            (None, Permission::FullControl) if grantee.id() == owner => &mut full,
            (Some(ALL_USERS), Permission::Read) => &mut all_read,
            (Some(ALL_USERS), Permission::Write) => &mut all_write,
            (Some(AUTHENTICATED), Permission::Read) => &mut authenticated,
            (Some(LOG_DELIVERY), Permission::Write) => &mut logs_write,
            (Some(LOG_DELIVERY), Permission::ReadAcp) => &mut logs_read,
            _ => return None,
        };
        *seen = true;
    }
    if !full {
        return None;
    }
    match (all_read, all_write, authenticated, logs_write, logs_read) {
        (false, false, false, false, false) => Some("private"),
        (true, false, false, false, false) => Some("public-read"),
        (true, true, false, false, false) => Some("public-read-write"),
        (false, false, true, false, false) => Some("authenticated-read"),
        (false, false, false, true, true) => Some("log-delivery-write"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::types::{Grantee, Type};

    fn to_owner(id: &str) -> Grant {
        let grantee = Grantee::builder().id(id).r#type(Type::CanonicalUser);
        Grant::builder()
            .grantee(grantee.build().unwrap())
            .permission(Permission::FullControl)
            .build()
    }

    fn to_group(uri: &str, permission: Permission) -> Grant {
        let grantee = Grantee::builder().uri(uri).r#type(Type::Group);
        Grant::builder()
            .grantee(grantee.build().unwrap())
            .permission(permission)
            .build()
    }

    #[test]
    fn the_canned_acls_are_derived_from_their_grants() {
        let owner = Owner::builder().id("me").build();
        let read = to_group(ALL_USERS, Permission::Read);
        let write = to_group(ALL_USERS, Permission::Write);
        let signed = to_group(AUTHENTICATED, Permission::Read);
        let told = |grants: &[Grant]| canned(Some(&owner), grants);
        assert_eq!(told(&[to_owner("me")]), Some("private"));
        assert_eq!(told(&[read.clone(), to_owner("me")]), Some("public-read"));
        assert_eq!(
            told(&[to_owner("me"), write.clone(), read]),
            Some("public-read-write")
        );
        assert_eq!(told(&[to_owner("me"), signed]), Some("authenticated-read"));
        let logs = [
            to_owner("me"),
            to_group(LOG_DELIVERY, Permission::Write),
            to_group(LOG_DELIVERY, Permission::ReadAcp),
        ];
        assert_eq!(told(&logs), Some("log-delivery-write"));
        assert_eq!(told(&logs[..2]), None);
        assert_eq!(told(&[to_owner("me"), write]), None);
        assert_eq!(told(&[to_owner("me"), to_owner("you")]), None);
        assert_eq!(told(&[]), None);
    }
}
