//! S3's error codes with their statuses and standard messages.

use super::super::service::Refusal;

/// A refusal by code (S3 API reference, "List of error codes"). An empty `message` takes the
/// standard one.
pub(super) fn error(code: &str, message: &str) -> Refusal {
    let (status, standard) = standard(code);
    let message = if message.is_empty() {
        standard
    } else {
        message
    };
    Refusal::new(status, code, message)
}

fn standard(code: &str) -> (u16, &'static str) {
    match code {
        "NotModified" => (304, "Not Modified"),
        "AccessDenied" => (403, "Access Denied"),
        "MethodNotAllowed" => (
            405,
            "The specified method is not allowed against this resource.",
        ),
        "NoSuchBucket" => (404, "The specified bucket does not exist"),
        "NoSuchKey" => (404, "The specified key does not exist."),
        "NoSuchUpload" => (
            404,
            "The specified multipart upload does not exist. The upload ID might be invalid, or the multipart upload might have been aborted or completed.",
        ),
        "InvalidPart" => (
            400,
            "One or more of the specified parts could not be found.",
        ),
        "InvalidPartOrder" => (400, "The list of parts was not in ascending order."),
        "EntityTooSmall" => (
            400,
            "Your proposed upload is smaller than the minimum allowed object size.",
        ),
        "NoSuchVersion" => (404, "The specified version does not exist."),
        "NoSuchTagSet" => (404, "The TagSet does not exist"),
        "NoSuchBucketPolicy" => (404, "The bucket policy does not exist"),
        "NoSuchPublicAccessBlockConfiguration" => {
            (404, "The public access block configuration was not found")
        }
        "OwnershipControlsNotFoundError" => (404, "The bucket ownership controls were not found"),
        "ObjectLockConfigurationNotFoundError" => (
            404,
            "Object Lock configuration does not exist for this bucket",
        ),
        "BucketAlreadyOwnedByYou" => (
            409,
            "Your previous request to create the named bucket succeeded and you already own it.",
        ),
        "BucketNotEmpty" => (409, "The bucket you tried to delete is not empty"),
        "PreconditionFailed" => (
            412,
            "At least one of the pre-conditions you specified did not hold",
        ),
        "InvalidRange" => (416, "The requested range is not satisfiable"),
        "NotImplemented" => (501, "The local cloud does not have this operation of S3."),
        "InvalidBucketName" => (400, "The specified bucket is not valid."),
        "KeyTooLongError" => (400, "Your key is too long"),
        "MalformedXML" => (
            400,
            "The XML you provided was not well-formed or did not validate against our published schema",
        ),
        "AccessControlListNotSupported" => (400, "The bucket does not allow ACLs"),
        "InvalidBucketAclWithObjectOwnership" => (
            400,
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        ),
        "BadDigest" => (
            400,
            "The Content-MD5 you specified did not match what we received.",
        ),
        "InvalidDigest" => (400, "The Content-MD5 you specified was invalid."),
        "MetadataTooLarge" => (
            400,
            "Your metadata headers exceed the maximum allowed metadata size",
        ),
        "InvalidStorageClass" => (400, "The storage class you specified is not valid"),
        "IncompleteBody" => (
            400,
            "You did not provide the number of bytes specified by the Content-Length HTTP header.",
        ),
        "InvalidLocationConstraint" => (400, "The specified location-constraint is not valid"),
        _ => (400, "The request is not valid."),
    }
}
