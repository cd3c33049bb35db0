"""The SageMaker model registry: groups of model packages, each with a version and an approval status."""

import copy
import threading
import time
from collections.abc import Callable
from typing import Any

from local.service_errors import ServiceError, page

_STATUSES = ("Approved", "Rejected", "PendingManualApproval")
_STORES = ("groups", "packages", "last_versions", "tokens")
_SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
)


class ModelRegistry:
    """The groups and packages of one server. Every operation takes and gives the JSON of the AWS API."""

    def __init__(self, make_arn: Callable[[str], str], announce: Callable[[dict[str, Any]], None]) -> None:
        """Make an empty registry.

        Args:
            make_arn: makes the ARN of a resource of the request's account
            announce: is told each package that was made, changed or deleted, as it is then

        """
        self._make_arn = make_arn
        self._announce = announce
        self._lock = threading.RLock()
        self._groups: dict[str, dict[str, Any]] = {}
        self._packages: dict[str, dict[str, Any]] = {}
        self._last_versions: dict[str, int] = {}
        self._tokens: dict[str, str] = {}

    def operations(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """Return the API's operations by name."""
        return {
            "CreateModelPackageGroup": self.create_group,
            "DescribeModelPackageGroup": self.describe_group,
            "ListModelPackageGroups": self.list_groups,
            "DeleteModelPackageGroup": self.delete_group,
            "CreateModelPackage": self.create_package,
            "DescribeModelPackage": self.describe_package,
            "ListModelPackages": self.list_packages,
            "UpdateModelPackage": self.update_package,
            "DeleteModelPackage": self.delete_package,
        }

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            for name in _STORES:
                getattr(self, f"_{name}").clear()

    def state(self) -> dict[str, Any]:
        """Return all it holds, to be kept as JSON."""
        with self._lock:
            return copy.deepcopy({name: getattr(self, f"_{name}") for name in _STORES})

    def restore(self, state: dict[str, Any]) -> None:
        """Take what `state` gave."""
        with self._lock:
            for name in _STORES:
                getattr(self, f"_{name}").update(state[name])

    def create_group(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateModelPackageGroup."""
        name = request["ModelPackageGroupName"]
        arn = self._make_arn(f"model-package-group/{name}")
        with self._lock:
            if name in self._groups:
                raise ServiceError("ValidationException", f"Model Package Group already exists: {arn}")
            self._groups[name] = {
                "ModelPackageGroupName": name,
                "ModelPackageGroupArn": arn,
                "ModelPackageGroupDescription": request.get("ModelPackageGroupDescription", ""),
                "CreationTime": time.time(),
                "CreatedBy": {},
                "ModelPackageGroupStatus": "Completed",
            }
        return {"ModelPackageGroupArn": arn}

    def describe_group(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeModelPackageGroup."""
        with self._lock:
            return copy.deepcopy(self._group(request["ModelPackageGroupName"]))

    def list_groups(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListModelPackageGroups."""
        with self._lock:
            groups = [copy.deepcopy(group) for group in self._groups.values()]
        wanted = [
            group for group in groups if request.get("NameContains", "") in group["ModelPackageGroupName"]
        ]
        return _listing("ModelPackageGroupSummaryList", wanted, request, "ModelPackageGroupName")

    def delete_group(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteModelPackageGroup: refused while the group holds packages."""
        with self._lock:
            group = self._group(request["ModelPackageGroupName"])
            name = group["ModelPackageGroupName"]
            if any(package["ModelPackageGroupName"] == name for package in self._packages.values()):
                raise ServiceError(
                    "ConflictException",
                    f"Model Package Group {group['ModelPackageGroupArn']} cannot be deleted: it still "
                    "contains model packages.",
                )
            del self._groups[name]
        return {}

    def create_package(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateModelPackage: the next version of its group; the same ClientToken gives the same one."""
        status = request.get("ModelApprovalStatus", "PendingManualApproval")
        _check_status(status)
        with self._lock:
            token = request.get("ClientToken")
            if token and token in self._tokens:
                return {"ModelPackageArn": self._tokens[token]}
            name = self._group(request.get("ModelPackageGroupName", ""))["ModelPackageGroupName"]
            version = self._last_versions[name] = self._last_versions.get(name, 0) + 1
            arn = self._make_arn(f"model-package/{name.lower()}/{version}")
            now = time.time()
            self._packages[arn] = {
                **{key: value for key, value in request.items() if key not in ("ClientToken", "Tags")},
                "ModelPackageGroupName": name,
                "ModelPackageVersion": version,
                "ModelPackageArn": arn,
                "ModelApprovalStatus": status,
                "ModelPackageStatus": "Completed",
                "ModelPackageStatusDetails": {"ValidationStatuses": []},
                "CreationTime": now,
                "LastModifiedTime": now,
                "CreatedBy": {},
            }
            if token:
                self._tokens[token] = arn
            package = copy.deepcopy(self._packages[arn])
        self._announce(package)
        return {"ModelPackageArn": arn}

    def describe_package(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeModelPackage."""
        with self._lock:
            return copy.deepcopy(self._package(request["ModelPackageName"]))

    def list_packages(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListModelPackages, filtered and sorted as AWS does (oldest first unless asked otherwise)."""
        group = request.get("ModelPackageGroupName", "").rpartition("/")[2]
        status = request.get("ModelApprovalStatus")
        earliest, latest = (
            request.get("CreationTimeAfter", 0),
            request.get("CreationTimeBefore", float("inf")),
        )
        with self._lock:
            packages = [
                {key: package[key] for key in _SUMMARY if key in package}
                for package in self._packages.values()
                if (not group or package["ModelPackageGroupName"] == group)
                and (not status or package["ModelApprovalStatus"] == status)
                and request.get("NameContains", "") in package["ModelPackageGroupName"]
                and earliest <= package["CreationTime"] <= latest
            ]
        return _listing("ModelPackageSummaryList", packages, request, "ModelPackageArn")

    def update_package(self, request: dict[str, Any]) -> dict[str, Any]:
        """UpdateModelPackage: the approval status and the customer's own properties."""
        with self._lock:
            package = self._package(request["ModelPackageArn"])
            if "ModelApprovalStatus" in request:
                _check_status(request["ModelApprovalStatus"])
                package["ModelApprovalStatus"] = request["ModelApprovalStatus"]
            if "ApprovalDescription" in request:
                package["ApprovalDescription"] = request["ApprovalDescription"]
            properties = package.setdefault("CustomerMetadataProperties", {})
            properties.update(request.get("CustomerMetadataProperties", {}))
            for key in request.get("CustomerMetadataPropertiesToRemove", []):
                properties.pop(key, None)
            package["LastModifiedTime"] = time.time()
            package = copy.deepcopy(package)
        self._announce(package)
        return {"ModelPackageArn": package["ModelPackageArn"]}

    def delete_package(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteModelPackage; its version is never given again."""
        with self._lock:
            package = self._packages.pop(self._package(request["ModelPackageName"])["ModelPackageArn"])
        self._announce({**package, "ModelPackageStatus": "Deleting"})
        return {}

    def _group(self, name_or_arn: str) -> dict[str, Any]:
        group = self._groups.get(name_or_arn.rpartition("/")[2])
        if group is None:
            raise ServiceError("ValidationException", f"ModelPackageGroup {name_or_arn} does not exist.")
        return group

    def _package(self, arn: str) -> dict[str, Any]:
        package = self._packages.get(arn)
        if package is None:
            raise ServiceError("ValidationException", f"ModelPackage {arn} does not exist.")
        return package


def _check_status(status: str) -> None:
    if status not in _STATUSES:
        raise ServiceError(
            "ValidationException",
            f"1 validation error detected: Value '{status}' at 'modelApprovalStatus' failed to satisfy "
            f"constraint: Member must satisfy enum value set: [{', '.join(_STATUSES)}]",
        )


def _listing(key: str, items: list[dict[str, Any]], request: dict[str, Any], name_key: str) -> dict[str, Any]:
    """Return a page of a list, by creation time or name; versions made in one moment keep their order."""
    by_name = request.get("SortBy") == "Name"
    items.sort(
        key=lambda item: (
            item[name_key] if by_name else item["CreationTime"],
            item.get("ModelPackageVersion", 0),
        )
    )
    if request.get("SortOrder") == "Descending":
        items.reverse()
    shown, token = page(items, request.get("NextToken"), int(request.get("MaxResults") or 10))
    return {key: shown, "NextToken": token} if token else {key: shown}
