"""Resource types of a private network that ministack lacks: rules of security groups, and flow logs."""

import secrets
from typing import Any

from local.patches import part

Properties = dict[str, Any]
Created = tuple[str, dict[str, Any]]

_DIRECTIONS = {"Ingress": "IpPermissions", "Egress": "IpPermissionsEgress"}


def install() -> None:
    """Register the resource types."""
    handlers = part("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
    for direction, key in _DIRECTIONS.items():
        handlers[f"AWS::EC2::SecurityGroup{direction}"] = {
            "create": lambda _logical_id, properties, _stack, key=key: _add_rule(properties, key),
            "delete": lambda rule, properties, key=key: _remove_rule(rule, properties, key),
        }
    handlers["AWS::EC2::FlowLog"] = {"create": _create_flow_log, "delete": _delete_flow_log}


def _add_rule(properties: Properties, key: str) -> Created:
    (rule,) = part("services.cloudformation.provisioners", "_ec2_sg_permissions")([properties])
    rule["SecurityGroupRuleId"] = f"sgr-{secrets.token_hex(8)}"
    _group(properties)[key].append(rule)
    return rule["SecurityGroupRuleId"], {"Id": rule["SecurityGroupRuleId"]}


def _remove_rule(rule: str, properties: Properties, key: str) -> None:
    groups = part("services.ec2", "_security_groups")
    if properties["GroupId"] in groups:
        kept = [each for each in _group(properties)[key] if each.get("SecurityGroupRuleId") != rule]
        _group(properties)[key] = kept


def _group(properties: Properties) -> dict[str, Any]:
    group: dict[str, Any] | None = part("services.ec2", "_security_groups").get(properties["GroupId"])
    if group is None:
        raise ValueError(f"The security group '{properties['GroupId']}' does not exist")
    return group


def _create_flow_log(_logical_id: str, properties: Properties, _stack: str) -> Created:
    request = {key: [value] for key, value in properties.items() if isinstance(value, str)}
    request["ResourceId.1"] = request.pop("ResourceId")
    logs = part("services.ec2", "_flow_logs")
    before = set(logs)
    part("services.ec2", "_create_flow_logs")(request)
    (made,) = set(logs) - before
    return made, {"Id": made}


def _delete_flow_log(made: str, _: Properties) -> None:
    part("services.ec2", "_delete_flow_logs")({"FlowLogId.1": [made]})
