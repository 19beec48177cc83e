//! Resource types and data sources: what stackctl can make, read, change and delete.
//!
//! A type is one struct that implements [`Resource`] (or [`DataSource`]) in a file of its own
//! and has one line in the table at the end of this file.

pub mod archive;
pub mod aws;
pub mod contents;
pub mod context;
pub mod declaration;
pub mod denial;
pub mod endpoint;
pub mod error;
pub(crate) mod flight;
pub mod home;
pub mod import_id;
pub mod known;
pub mod notify;
pub mod random;
pub mod relation;
pub mod rules;
pub mod spread;
pub mod typed;
pub mod types;
mod waits;

pub use crate::schema::broken::{Broken, Part};
pub use crate::schema::document;
pub use context::Applied;
pub use declaration::{Change, DataSource, HeldBy, Live, Made, New, Resource, Told, WrittenFile};
pub use home::Home;
pub use known::{Known, Match};
pub use rules::{Caution, Refused, Rules};
pub use typed::{DataSourceType, ResourceType, outputs_of, overlay};

use std::sync::OnceLock;
use typed::{Typed, TypedData};
use types::Types;

/// Declares each type's module and its row in the registry, so that the two cannot differ.
macro_rules! table {
    (
        resources { $($module:ident $path:literal => $struct:ident,)* }
        data { $($data_module:ident $data_path:literal => $data_struct:ident,)* }
    ) => {
        $(#[path = $path] pub mod $module;)*
        $(#[path = $data_path] pub mod $data_module;)*

        /// The types of this program.
        pub fn native() -> &'static Types {
            static TYPES: OnceLock<Types> = OnceLock::new();
            TYPES.get_or_init(|| {
                let mut types = Types::default();
                $({
                    static TYPED: Typed<$module::$struct> = Typed::new();
                    static ROW: &Typed<$module::$struct> = &TYPED;
                    types.add_static(&ROW);
                })*
                $({
                    static TYPED: TypedData<$data_module::$data_struct> = TypedData(Typed::new());
                    static ROW: &TypedData<$data_module::$data_struct> = &TYPED;
                    types.add_data_source(&ROW);
                })*
                types
            })
        }
    };
}

// The table: one line a type. `module "file" => Struct,`
table! {
    resources {
        aws_apigateway_account "aws/apigateway/account.rs" => Account,
        aws_apigatewayv2_api "aws/apigatewayv2/api.rs" => Api,
        aws_apigatewayv2_deployment "aws/apigatewayv2/deployment.rs" => Deployment,
        aws_apigatewayv2_integration "aws/apigatewayv2/integration.rs" => Integration,
        aws_apigatewayv2_integration_response "aws/apigatewayv2/integration_response.rs" => IntegrationResponse,
        aws_apigatewayv2_route "aws/apigatewayv2/route.rs" => Route,
        aws_apigatewayv2_route_response "aws/apigatewayv2/route_response.rs" => RouteResponse,
        aws_apigatewayv2_stage "aws/apigatewayv2/stage.rs" => Stage,
        aws_cloudwatch_log_group "aws/cloudwatch/log_group.rs" => LogGroup,
        aws_iam_policy "aws/iam/policy.rs" => ManagedPolicy,
        aws_iam_role "aws/iam/role.rs" => Role,
        aws_iam_role_policy "aws/iam/role_policy.rs" => RolePolicy,
        aws_iam_role_policy_attachment "aws/iam/role_policy_attachment.rs" => RolePolicyAttachment,
        aws_sqs_queue "aws/sqs/queue.rs" => Queue,
        aws_sqs_queue_policy "aws/sqs/queue_policy.rs" => QueuePolicy,
        aws_lambda_event_source_mapping "aws/lambda/event_source_mapping.rs" => EventSourceMapping,
        aws_lambda_function "aws/lambda/function.rs" => Function,
        aws_lambda_permission "aws/lambda/permission.rs" => Permission,
        random_id "random/id.rs" => RandomId,
        random_password "random/password.rs" => RandomPassword,
        random_pet "random/pet.rs" => RandomPet,
        random_string "random/string.rs" => RandomString,
        s3_bucket "aws/s3/bucket.rs" => Bucket,
        s3_bucket_acl "aws/s3/acl.rs" => BucketAcl,
        s3_bucket_object "aws/s3/object.rs" => BucketObject,
        s3_bucket_ownership_controls "aws/s3/ownership_controls.rs" => BucketOwnershipControls,
        s3_bucket_policy "aws/s3/policy.rs" => BucketPolicy,
        s3_bucket_public_access_block "aws/s3/public_access_block.rs" => BucketPublicAccessBlock,
        s3_bucket_versioning "aws/s3/versioning.rs" => BucketVersioning,
    }
    data {
        archive_get_file "archive/get_file.rs" => GetFile,
        aws_get_caller_identity "aws/get_caller_identity.rs" => GetCallerIdentity,
        aws_get_partition "aws/get_partition.rs" => GetPartition,
        aws_get_region "aws/get_region.rs" => GetRegion,
    }
}
