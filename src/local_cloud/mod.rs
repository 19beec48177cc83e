//! The local cloud: the AWS services a stack needs, in process, behind the SDK's HTTP
//! client seam, kept in a folder. As strict as AWS where that bites.

pub mod service;
pub struct Options;
impl Options { pub fn from_settings(_d: std::path::PathBuf, _s: Option<&str>, _l: Option<&str>, _f: Option<&str>) -> Result<Self, String> { Ok(Options) } }
pub struct Cloud;
impl Cloud { pub fn open(_o: Options) -> std::io::Result<Self> { Ok(Cloud) } pub fn http_client(&self) -> aws_smithy_runtime_api::client::http::SharedHttpClient { aws_smithy_http_client::Builder::new().build_http() } }
