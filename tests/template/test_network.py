"""The private network: no way in or out but to the services that the stack needs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from docs import idle_costs, variants
from docs.permission_table import BY_AWS, needed_by_aws, roles
from docs.policies import as_list, grants

Data = dict[str, Any]

VPC, SUBNETS = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0,subnet-0123456789abcdef1"
PRIVATE = variants.chosen(Network="private")
WITH_FUNCTIONS = variants.chosen(Network="private", FunctionsInVpc="true")
ELSEWHERE = variants.chosen(Network="private", FunctionsInVpc="true", VpcId=VPC, SubnetIds=SUBNETS)
# By Amazon ECS's and ECR's documentation what a machine without internet needs, and no more.
OF_JOBS = {"s3", "ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs"}
# The services of which functions are clients (tests/faults/test_functions.py has them all).
OF_FUNCTIONS = {"dynamodb", "sagemaker.api", "states", "sns", "batch"}
PREFIXES = {"sagemaker.api": "sagemaker"}


def test_a_private_network_has_no_gateway_no_route_out_and_no_public_address() -> None:
    resources = variants.resources(PRIVATE)
    kinds = {each["Type"] for each in resources.values()}
    assert not kinds & {
        "AWS::EC2::InternetGateway",
        "AWS::EC2::NatGateway",
        "AWS::EC2::Route",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::EC2::EIP",
    }
    subnets = _of_type(resources, "AWS::EC2::Subnet")
    assert [each["MapPublicIpOnLaunch"] for each in subnets.values()] == [False] * 3


def test_a_public_network_has_no_endpoint_that_costs_something() -> None:
    resources = variants.resources(variants.chosen())
    endpoints = _of_type(resources, "AWS::EC2::VPCEndpoint")
    assert [each["VpcEndpointType"] for each in endpoints.values()] == ["Gateway"]
    assert idle_costs.hourly(variants.chosen()) == 0


def test_there_is_an_endpoint_for_each_service_that_is_needed_there_and_for_no_other() -> None:
    assert _services(PRIVATE) == OF_JOBS
    assert _services(WITH_FUNCTIONS) == OF_JOBS | OF_FUNCTIONS


@pytest.mark.parametrize("service", sorted(OF_FUNCTIONS))
def test_an_endpoint_lets_through_exactly_what_the_functions_may_do(service: str) -> None:
    functions = [role for role in roles() if role.endswith("FunctionRole")]
    prefix = PREFIXES.get(service, service)
    assert _let_through(service) == {
        each.action for role in functions for each in grants(role) if each.action.split(":")[0] == prefix
    }


def test_the_endpoint_of_s3_lets_through_exactly_what_roles_may_do_with_each_bucket() -> None:
    policy = _policy("s3")
    for bucket in ("UploadsBucket", "ArtifactsBucket", "ResultsBucket"):
        allowed = {
            action
            for statement in policy
            if bucket in json.dumps(statement["Resource"])
            for action in as_list(statement["Action"])
        }
        needed = {
            each.action
            for role in roles()
            for each in grants(role)
            if each.action.startswith("s3:") and bucket in each.pattern
        }
        assert allowed == needed, bucket
    (layers,) = [each for each in policy if "starport-layer-bucket" in json.dumps(each)]
    assert layers["Action"] == "s3:GetObject"
    assert len(policy) == 5


def test_images_are_pulled_from_the_stacks_repository_only() -> None:
    for service in ("ecr.api", "ecr.dkr"):
        log_in, pull = _policy(service)
        assert log_in["Action"] == "ecr:GetAuthorizationToken"
        assert pull["Resource"] == {"Fn::GetAtt": ["ImageRepository", "Arn"]}
        pulled = {each.action for each in grants("ExecutionRole") if each.action.startswith("ecr:")}
        assert {log_in["Action"], *pull["Action"]} == pulled


def test_every_policy_of_an_endpoint_is_for_this_account_and_names_its_actions() -> None:
    for name, each in _of_type(variants.resources(WITH_FUNCTIONS), "AWS::EC2::VPCEndpoint").items():
        if name in {"EcsAgentEndpoint", "EcsTelemetryEndpoint"}:
            assert "PolicyDocument" not in each, "no document says that they take one"
            continue
        for statement in each["PolicyDocument"]["Statement"]:
            assert not any("*" in action for action in as_list(statement["Action"])), name
            if "starport-layer-bucket" not in json.dumps(statement):
                account = {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}
                assert statement["Condition"] == {"StringEquals": account}, name


def test_interface_endpoints_are_in_every_zone_and_open_to_the_groups_of_jobs_and_functions() -> None:
    resources = variants.resources(WITH_FUNCTIONS)
    group = resources["EndpointSecurityGroup"]["Properties"]
    (rule,) = group["SecurityGroupIngress"]
    assert (rule["FromPort"], rule["ToPort"]) == (443, 443)
    opened = rule["SourceSecurityGroupId"]
    compute = resources["ComputeEnvironment"]["Properties"]["ComputeResources"]
    assert compute["SecurityGroupIds"] == [opened]
    for name, each in _of_type(resources, "AWS::EC2::VPCEndpoint").items():
        if each["VpcEndpointType"] == "Interface":
            assert each["SubnetIds"] == compute["Subnets"], name
            assert each["PrivateDnsEnabled"] is True, name
        else:
            assert each["RouteTableIds"] == [{"Ref": "RouteTable"}], name


def test_every_subnet_of_the_stack_has_its_routes() -> None:
    for zones in (1, 2, 3):
        resources = variants.resources(variants.chosen(Zones=zones))
        subnets = set(_of_type(resources, "AWS::EC2::Subnet"))
        routed = _of_type(resources, "AWS::EC2::SubnetRouteTableAssociation").values()
        assert len(subnets) == zones
        assert {each["SubnetId"]["Ref"] for each in routed} == subnets


def test_the_way_out_is_there_until_the_machines_are_gone(resources: Data) -> None:
    """What names a thing is deleted before it."""
    for zones in (1, 2, 3):
        made = variants.resources(variants.chosen(Zones=zones))
        environment = made["ComputeEnvironment"]["Properties"]
        way = {
            *variants.names(environment["Tags"]),
            *variants.names(made["SecurityGroup"]["Properties"]["Tags"]),
        }
        routes = {name for name in made if name.endswith("Routes")}
        assert way == routes | {"InternetRoute"}
        assert {"Fn::GetAtt": ["SecurityGroup", "GroupId"]} in environment["ComputeResources"][
            "SecurityGroupIds"
        ]
    assert resources["InternetRoute"]["DependsOn"] == "InternetGatewayAttachment"


def test_what_passes_in_a_private_network_is_logged_and_the_log_ends() -> None:
    resources = variants.resources(PRIVATE)
    log = resources["FlowLog"]["Properties"]
    assert (log["ResourceId"], log["TrafficType"]) == ({"Ref": "Vpc"}, "ALL")
    group = resources[log["LogGroupName"]["Ref"]]["Properties"]
    assert group["RetentionInDays"] == PRIVATE["LogRetentionDays"]
    with_key = variants.resources(variants.chosen(Network="private", KmsKeyArn="create"))
    assert with_key["FlowLogs"]["Properties"]["KmsKeyId"] == {"Fn::GetAtt": ["Key", "Arn"]}


@pytest.mark.parametrize("values", [PRIVATE, ELSEWHERE], ids=["own", "given"])
def test_trainings_are_in_the_subnets_of_batch(values: Data) -> None:
    resources = variants.resources(values)
    subnets = resources["ComputeEnvironment"]["Properties"]["ComputeResources"]["Subnets"]
    told = resources["PrepareFunction"]["Properties"]["Environment"]["Variables"]
    given = told["CLAIMFLOW_SUBNETS"]
    assert given == ",".join(subnets) if isinstance(given, str) else given == {"Fn::Join": [",", subnets]}
    assert told["CLAIMFLOW_SECURITY_GROUP"] == {"Fn::GetAtt": ["TrainingSecurityGroup", "GroupId"]}


def test_in_a_public_network_trainings_are_in_sagemakers() -> None:
    values = variants.chosen(VpcId=VPC, SubnetIds=SUBNETS)
    for each in (variants.chosen(), values):
        told = variants.resources(each)["PrepareFunction"]["Properties"]["Environment"]["Variables"]
        assert (told["CLAIMFLOW_SUBNETS"], told["CLAIMFLOW_SECURITY_GROUP"]) == ("", "")


def test_only_instances_that_train_together_talk_to_each_other() -> None:
    assert "HostsIn" not in variants.resources(PRIVATE)
    several = variants.resources(variants.chosen(Network="private", TrainingInstanceCount=2))
    group = {"Fn::GetAtt": ["TrainingSecurityGroup", "GroupId"]}
    rules = several["HostsIn"]["Properties"], several["HostsOut"]["Properties"]
    assert [each["GroupId"] for each in rules] == [group, group]
    assert (rules[0]["SourceSecurityGroupId"], rules[1]["DestinationSecurityGroupId"]) == (group, group)


@pytest.mark.parametrize("values", [WITH_FUNCTIONS, ELSEWHERE], ids=["own", "given"])
def test_by_parameter_every_function_is_in_the_same_subnets(template: Data, values: Data) -> None:
    config = variants.value(template["Globals"]["Function"], values)["VpcConfig"]
    compute = variants.resources(values)["ComputeEnvironment"]["Properties"]["ComputeResources"]
    assert config == {"SubnetIds": compute["Subnets"], "SecurityGroupIds": compute["SecurityGroupIds"]}
    assert "VpcConfig" not in variants.value(template["Globals"]["Function"], PRIVATE)
    functions = [
        each for each in template["Resources"].values() if each["Type"] == "AWS::Serverless::Function"
    ]
    assert not any("VpcConfig" in each["Properties"] for each in functions)


def test_the_code_of_a_function_may_not_use_what_lambda_needs_for_its_addresses(resources: Data) -> None:
    functions = [role for role in roles() if role.endswith("FunctionRole")]
    for role in functions:
        networked = [each for each in grants(role) if each.action.startswith("ec2:")]
        assert all(needed_by_aws(role, each) for each in networked)
        policies = variants.value(resources[role]["Properties"]["Policies"], WITH_FUNCTIONS)
        (policy,) = [each["PolicyDocument"] for each in policies if each["PolicyName"] == "in-vpc"]
        denied = [each for each in policy["Statement"] if each["Effect"] == "Deny"]
        assert {action for each in denied for action in each["Action"]} == {
            each.action for each in networked if "Describe" not in each.action
        }
    assert len(functions) >= 10


def test_without_a_private_network_no_role_may_do_anything_with_networks() -> None:
    public = variants.resources(variants.chosen())
    assert "ec2:" not in json.dumps([each for each in public.values() if each["Type"] == "AWS::IAM::Role"])
    private = variants.resources(PRIVATE)
    naming = {
        name
        for name, each in private.items()
        if each["Type"] == "AWS::IAM::Role" and '"ec2:' in json.dumps(each)
    }
    assert naming == {"TrainingRole"}
    assert {each for each in BY_AWS["TrainingRole"] if each.startswith("ec2:")} == {
        each.action for each in grants("TrainingRole") if each.action.startswith("ec2:")
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"FunctionsInVpc": "true"}, "With FunctionsInVpc=true give Network=private, too."),
        ({"VpcId": VPC}, "Give VpcId and SubnetIds together, or neither."),
        ({"AWS::Region": "us-west-1"}, "us-west-1 has two zones - give Zones=2."),
    ],
)
def test_what_contradicts_itself_is_refused_with_a_sentence(given: Data, said: str) -> None:
    assert variants.refused(variants.chosen() | given) == [said]


@pytest.mark.parametrize(
    "given", [{}, {"AWS::Region": "us-west-1", "Zones": 2}, {"Network": "private", "FunctionsInVpc": "true"}]
)
def test_what_fits_together_is_not_refused(given: Data) -> None:
    assert variants.refused(variants.chosen() | given) == []


def _services(values: Data) -> set[str]:
    endpoints = _of_type(variants.resources(values), "AWS::EC2::VPCEndpoint").values()
    return {_service(each) for each in endpoints}


def _service(endpoint: Data) -> str:
    return str(endpoint["ServiceName"]["Fn::Sub"]).removeprefix("com.amazonaws.${AWS::Region}.")


def _policy(service: str) -> list[Data]:
    endpoints = _of_type(variants.resources(WITH_FUNCTIONS), "AWS::EC2::VPCEndpoint").values()
    (endpoint,) = [each for each in endpoints if _service(each) == service]
    return list(endpoint["PolicyDocument"]["Statement"])


def _let_through(service: str) -> set[str]:
    return {action for each in _policy(service) for action in as_list(each["Action"])}


def _of_type(resources: Data, wanted: str) -> dict[str, Data]:
    found = {name: each["Properties"] for name, each in resources.items() if each["Type"] == wanted}
    assert found
    return found
