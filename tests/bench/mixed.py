"""A stack of many types of the registry: 60 of them in turn, with what each has to be given."""

ROLE = "arn:aws:iam::000000000000:role/bench"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
VPC = "vpc-0123456789abcdef0"
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]

# {n} is the resource's number.
TYPES = {
    "AWS::ApiGateway::RestApi": {"Name": "api-{n}"},
    "AWS::ApiGateway::UsagePlan": {"UsagePlanName": "plan-{n}"},
    "AWS::ApiGatewayV2::Api": {"Name": "api-{n}", "ProtocolType": "HTTP"},
    "AWS::AppConfig::Application": {"Name": "app-{n}"},
    "AWS::AppSync::GraphQLApi": {"Name": "graph-{n}", "AuthenticationType": "API_KEY"},
    "AWS::Athena::WorkGroup": {"Name": "group-{n}"},
    "AWS::Backup::BackupVault": {"BackupVaultName": "vault-{n}"},
    "AWS::Batch::SchedulingPolicy": {"Name": "policy-{n}"},
    "AWS::Cassandra::Keyspace": {"KeyspaceName": "keyspace{n}"},
    "AWS::CloudWatch::Alarm": {"AlarmName": "alarm-{n}", "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "MetricName": "Errors", "Namespace": "AWS/Lambda", "Period": 60, "Statistic": "Sum", "Threshold": 1},
    "AWS::CloudWatch::Dashboard": {"DashboardName": "board-{n}", "DashboardBody": "{{}}"},
    "AWS::CodeArtifact::Domain": {"DomainName": "domain-{n}"},
    "AWS::Cognito::UserPool": {"UserPoolName": "pool-{n}"},
    "AWS::DynamoDB::Table": {"TableName": "table-{n}", "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]},
    "AWS::EC2::EIP": {},
    "AWS::EC2::InternetGateway": {},
    "AWS::EC2::KeyPair": {"KeyName": "key-{n}"},
    "AWS::EC2::NetworkAcl": {"VpcId": VPC},
    "AWS::EC2::RouteTable": {"VpcId": VPC},
    "AWS::EC2::SecurityGroup": {"GroupDescription": "group {n}", "GroupName": "group-{n}", "VpcId": VPC},
    "AWS::EC2::Subnet": {"VpcId": VPC, "CidrBlock": "10.0.0.0/24"},
    "AWS::EC2::VPC": {"CidrBlock": "10.0.0.0/16"},
    "AWS::ECR::Repository": {"RepositoryName": "repository-{n}"},
    "AWS::ECS::Cluster": {"ClusterName": "cluster-{n}"},
    "AWS::ECS::TaskDefinition": {"Family": "task-{n}", "ContainerDefinitions": [{"Name": "web", "Image": "nginx", "Memory": 128}]},
    "AWS::EFS::FileSystem": {"Encrypted": True},
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {"Name": "balancer-{n}", "Subnets": SUBNETS},
    "AWS::ElasticLoadBalancingV2::TargetGroup": {"Name": "targets-{n}", "Port": 80, "Protocol": "HTTP", "VpcId": VPC},
    "AWS::Events::EventBus": {"Name": "bus-{n}"},
    "AWS::Events::Rule": {"Name": "rule-{n}", "ScheduleExpression": "rate(5 minutes)"},
    "AWS::Glue::Registry": {"Name": "registry-{n}"},
    "AWS::IAM::InstanceProfile": {"InstanceProfileName": "profile-{n}", "Roles": ["bench"]},
    "AWS::IAM::ManagedPolicy": {"ManagedPolicyName": "policy-{n}", "PolicyDocument": POLICY},
    "AWS::IAM::Role": {"RoleName": "role-{n}", "AssumeRolePolicyDocument": TRUST},
    "AWS::IoT::Thing": {"ThingName": "thing-{n}"},
    "AWS::KMS::Alias": {"AliasName": "alias/key-{n}", "TargetKeyId": "12345678-1234-1234-1234-123456789012"},
    "AWS::KMS::Key": {"Description": "key {n}"},
    "AWS::Kinesis::Stream": {"Name": "stream-{n}", "ShardCount": 1},
    "AWS::Lambda::Function": {"FunctionName": "function-{n}", "Role": ROLE, "Runtime": "python3.13", "Handler": "index.handler", "Code": {"ZipFile": "def handler(event, context): pass"}},
    "AWS::Lambda::LayerVersion": {"LayerName": "layer-{n}", "Content": {"S3Bucket": "bench-layers", "S3Key": "layer.zip"}},
    "AWS::Logs::LogGroup": {"LogGroupName": "/bench/{n}", "RetentionInDays": 7},
    "AWS::Logs::QueryDefinition": {"Name": "query-{n}", "QueryString": "fields @message"},
    "AWS::RDS::DBSubnetGroup": {"DBSubnetGroupName": "group-{n}", "DBSubnetGroupDescription": "group {n}", "SubnetIds": SUBNETS},
    "AWS::ResourceGroups::Group": {"Name": "group-{n}"},
    "AWS::Route53::HealthCheck": {"HealthCheckConfig": {"Type": "HTTP", "FullyQualifiedDomainName": "a.example.com"}},
    "AWS::Route53::HostedZone": {"Name": "z{n}.example.com"},
    "AWS::S3::Bucket": {"BucketName": "bench-bucket-{n}"},
    "AWS::SES::ConfigurationSet": {"Name": "set-{n}"},
    "AWS::SNS::Topic": {"TopicName": "topic-{n}"},
    "AWS::SQS::Queue": {"QueueName": "queue-{n}"},
    "AWS::SSM::Document": {"Name": "document-{n}", "Content": {"schemaVersion": "2.2", "mainSteps": []}, "DocumentType": "Command"},
    "AWS::SSM::Parameter": {"Name": "/bench/{n}", "Type": "String", "Value": "one"},
    "AWS::Scheduler::Schedule": {"Name": "schedule-{n}", "ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": {"Arn": "arn:aws:sqs:us-west-2:000000000000:jobs", "RoleArn": ROLE}},
    "AWS::Scheduler::ScheduleGroup": {"Name": "schedules-{n}"},
    "AWS::SecretsManager::Secret": {"Name": "secret-{n}", "Description": "secret {n}"},
    "AWS::Signer::SigningProfile": {"PlatformId": "AWSLambda-SHA384-ECDSA"},
    "AWS::StepFunctions::Activity": {"Name": "activity-{n}"},
    "AWS::StepFunctions::StateMachine": {"StateMachineName": "machine-{n}", "RoleArn": ROLE, "DefinitionString": '{{"StartAt":"A","States":{{"A":{{"Type":"Pass","End":true}}}}}}'},
    "AWS::Synthetics::Group": {"Name": "group-{n}"},
    "AWS::WAFv2::IPSet": {"Name": "set-{n}", "Scope": "REGIONAL", "IPAddressVersion": "IPV4", "Addresses": ["10.0.0.0/24"]},
}


def filled(value, number):
    """The value with the resource's number in its strings."""
    if isinstance(value, str):
        return value.format(n=number)
    if isinstance(value, list):
        return [filled(item, number) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, number) for key, item in value.items()}
    return value


def resources(count):
    """So many resources, of the types in turn."""
    types = list(TYPES.items())
    found = {}
    for number in range(count):
        kind, properties = types[number % len(types)]
        found[f"r{number}"] = {"type": kind, "properties": filled(properties, number)}
    return found
