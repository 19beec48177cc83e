//! The table of types: one line a type, the path of the struct that implements
//! [`Resource`](super::Resource) or [`DataSource`](super::DataSource).

use super::typed::{Typed, TypedData};
use super::types::Types;
use super::{archive, aws, cloud_control, random};
use std::sync::OnceLock;

macro_rules! table {
    (
        resources { $($kind:path,)* }
        data { $($source:path,)* }
    ) => {
        /// The types of this program, those of the registry among them.
        pub fn native() -> &'static Types {
            static TYPES: OnceLock<Types> = OnceLock::new();
            TYPES.get_or_init(|| {
                let mut types = Types::default();
                $({
                    static TYPED: Typed<$kind> = Typed::new();
                    static ROW: &Typed<$kind> = &TYPED;
                    types.add_static(&ROW);
                })*
                $({
                    static TYPED: TypedData<$source> = TypedData(Typed::new());
                    static ROW: &TypedData<$source> = &TYPED;
                    types.add_data_source(&ROW);
                })*
                types.add_family(cloud_control::FAMILY);
                types
            })
        }

        /// The lines, as they are written.
        #[cfg(test)]
        const LINES: &[&str] = &[$(stringify!($kind),)* $(stringify!($source),)*];
    };
}

table! {
    resources {
        aws::apigateway::account::Account,
        aws::apigatewayv2::api::Api,
        aws::apigatewayv2::deployment::Deployment,
        aws::apigatewayv2::integration::Integration,
        aws::apigatewayv2::integration_response::IntegrationResponse,
        aws::apigatewayv2::route::Route,
        aws::apigatewayv2::route_response::RouteResponse,
        aws::apigatewayv2::stage::Stage,
        aws::cloudwatch::log_group::LogGroup,
        aws::iam::policy::ManagedPolicy,
        aws::iam::role::Role,
        aws::iam::role_policy::RolePolicy,
        aws::iam::role_policy_attachment::RolePolicyAttachment,
        aws::lambda::event_source_mapping::EventSourceMapping,
        aws::lambda::function::Function,
        aws::lambda::permission::Permission,
        aws::s3::acl::BucketAcl,
        aws::s3::bucket::Bucket,
        aws::s3::object::BucketObject,
        aws::s3::ownership_controls::BucketOwnershipControls,
        aws::s3::policy::BucketPolicy,
        aws::s3::public_access_block::BucketPublicAccessBlock,
        aws::s3::versioning::BucketVersioning,
        aws::sns::topic::Topic,
        aws::sns::topic_subscription::TopicSubscription,
        aws::sqs::queue::Queue,
        aws::sqs::queue_policy::QueuePolicy,
        random::id::RandomId,
        random::password::RandomPassword,
        random::pet::RandomPet,
        random::string::RandomString,
    }
    data {
        archive::get_file::GetFile,
        aws::get_caller_identity::GetCallerIdentity,
        aws::get_partition::GetPartition,
        aws::get_region::GetRegion,
    }
}

#[cfg(test)]
mod tests {
    use super::LINES;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// The structs below a folder that are types, as the table writes them.
    fn implemented(folder: &Path, module: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if path.is_dir() {
                implemented(&path, &format!("{module}{name}::"), found);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for line in text.lines() {
                let kind = ["Resource", "Setting", "DataSource"]
                    .iter()
                    .find_map(|it| line.strip_prefix(&format!("impl {it} for ")));
                if let Some(kind) = kind.and_then(|rest| rest.strip_suffix(" {")) {
                    found.insert(format!("{module}{name}::{kind}"));
                }
            }
        }
    }

    #[test]
    fn every_type_has_a_line() {
        let mut found = BTreeSet::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resource");
        implemented(&folder, "", &mut found);
        let lines: BTreeSet<String> = LINES.iter().map(|line| line.replace(' ', "")).collect();
        assert_eq!(lines.len(), LINES.len());
        assert_eq!(found, lines);
    }
}
