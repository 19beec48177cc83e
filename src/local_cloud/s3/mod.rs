pub struct S3;
