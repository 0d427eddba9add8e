"""ModifyImageAttribute, ResetImageAttribute, DescribeImageAttribute: launch permissions, description, last launch.

- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/share-amis-with-organizations-and-OUs.html
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-last-launched-time.html (the owner alone is told)
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.responses.amis import AmisResponse

from ..extend import adds, replaces
from ..refusals import image_unavailable, not_permitted, refuse_many, refuse_mixed
from .public_access import public_sharing_blocked
from .visible import own_image

_flat = (
    ("UserGroups", "Group"),
    ("UserIds", "UserId"),
    ("OrganizationArns", "OrganizationArn"),
    ("OrganizationalUnitArns", "OrganizationalUnitArn"),
)


def _asked_permissions(self: Any, operation: str) -> list[dict[str, str]]:
    listed = self._get_param("LaunchPermission", {}).get(operation.capitalize(), [])
    permissions = [dict(one) for one in listed]
    if self._get_param("OperationType") == operation:
        for parameter, key in _flat:
            permissions += [{key: value} for value in self._get_param(parameter, [])]
    return permissions


@adds(AmisResponse)
def modify_image_attribute(self: Any) -> Any:
    self.error_on_dryrun()
    image = own_image(self.ec2_backend, self._get_param("ImageId"))
    if image.state != "available":
        raise image_unavailable(image.id)
    add, remove = _asked_permissions(self, "add"), _asked_permissions(self, "remove")
    refuse_mixed(bool(add), bool(remove))
    refuse_many(add, remove)
    self.ec2_backend.validate_permission_targets(add + remove)
    if {"Group": "all"} in add and public_sharing_blocked(self.current_account, self.region):
        raise not_permitted(
            "You can't publicly share this image because block public access for AMIs is enabled for this account."
        )
    for one in add:
        if one not in image.launch_permissions:
            image.launch_permissions.append(one)
    # In place: accounts it is shared with hold views of the same list.
    image.launch_permissions[:] = [one for one in image.launch_permissions if one not in remove]
    description = self._get_param("Description.Value")
    if self._get_param("Attribute") == "description":
        description = self._get_param("Value")
    if description is not None:
        image.description = description
    return EmptyResult()


@adds(AmisResponse)
def reset_image_attribute(self: Any) -> Any:
    self.error_on_dryrun()
    own_image(self.ec2_backend, self._get_param("ImageId")).launch_permissions.clear()
    return EmptyResult()


@replaces(AmisResponse, "describe_image_attribute")
def describe_image_attribute(original: Any, self: Any) -> Any:
    image = own_image(self.ec2_backend, self._get_param("ImageId"))
    attribute = self._get_param("Attribute")
    answer: dict[str, Any] = {"ImageId": image.id}
    if attribute == "lastLaunchedTime":
        value = image.last_launched_time
        return ActionResult({**answer, "LastLaunchedTime": {} if value is None else {"Value": value}})
    if attribute == "description":
        return ActionResult({**answer, "Description": {"Value": image.description}})
    if attribute == "deregistrationProtection":
        return ActionResult({**answer, "DeregistrationProtection": {"Value": image.deregistration_protection}})
    return original()
