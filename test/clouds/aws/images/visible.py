"""Who sees which image: the owner, those it is shared with, everybody if public; by listing or by id.

- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html (IncludeDeprecated, IncludeDisabled)
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deprecate.html: others do not find a deprecated image in a listing, but by its id.
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/disable-an-ami.html: only the owner sees a disabled image, and only when asking for those.
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html: tags are seen by the account alone that made them.
"""

from __future__ import annotations

import copy
from typing import Any

from moto.ec2.exceptions import InvalidAMIIdError, MalformedAMIIdError
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.utils import generic_filter

from ..extend import adds
from ..refusals import image_not_found, not_owner
from ..world import every_ec2, is_due, wall_clock, world


def shared_with(permissions: list[dict[str, str]], account: str) -> bool:
    for one in permissions:
        if one.get("Group") == "all" or one.get("UserId") == account:
            return True
        arn = one.get("OrganizationArn") or one.get("OrganizationalUnitArn")
        if arn is not None and account in world.organizations.get(arn, []):
            return True
    return False


def _view(image: Ami, backend: Any) -> Ami:
    """The image as another account has it: the same facts, with tags and launch permissions of its own view."""
    if image.ec2_backend is backend:
        return image
    seen = copy.copy(image)
    seen.ec2_backend = backend
    seen.deregistration_protection = None
    seen.last_launched = None
    seen.launch_permissions = [one for one in image.launch_permissions if one.get("Group") == "all"]
    return seen


def visible_images(backend: Any) -> list[Ami]:
    found = []
    for other in every_ec2(backend.region_name):
        for image in list(other.amis.values()):
            if other is backend or (
                image.state != "disabled" and shared_with(image.launch_permissions, backend.account_id)
            ):
                found.append(_view(image, backend))
    return [image for image in found if is_due(image.visible_at)]


def visible_image(backend: Any, image_id: str) -> Ami:
    for image in visible_images(backend):
        if image.id == image_id:
            return image
    raise image_not_found(image_id)


def own_image(backend: Any, image_id: str) -> Ami:
    """For calls that only the owner may make."""
    image = visible_image(backend, image_id)
    if image.owner_id != backend.account_id:
        raise not_owner(image_id)
    return image


def _is_deprecated(image: Ami) -> bool:
    return image.deprecation_time is not None and image.deprecation_time <= wall_clock().isoformat()


@adds(AmiBackend)
def describe_images(
    self: Any,
    ami_ids: list[str] | None = None,
    filters: dict[str, Any] | None = None,
    exec_users: list[str] | None = None,
    owners: list[str] | None = None,
    include_deprecated: bool = True,
    include_disabled: bool = True,
) -> list[Ami]:
    images = visible_images(self)
    if ami_ids:
        if malformed := [one for one in ami_ids if not one.startswith("ami-")]:
            raise MalformedAMIIdError(malformed)
        known = {image.id for image in images} | set(self.deleted_amis)
        if unknown := [one for one in ami_ids if one not in known]:
            raise InvalidAMIIdError(unknown)
        images = [image for image in images if image.id in ami_ids]
    elif not include_deprecated:
        images = [one for one in images if one.owner_id == self.account_id or not _is_deprecated(one)]
    if not include_disabled:
        images = [image for image in images if image.state != "disabled"]
    if exec_users:
        who = [self.account_id if one == "self" else one for one in exec_users]
        images = [
            image
            for image in images
            if any(one.get("UserId") in who or one.get("Group") in who for one in image.launch_permissions)
        ]
    if owners:
        who = [self.account_id if one == "self" else one for one in owners]
        images = [image for image in images if image.owner_id in who or image.owner_alias in who]
    return generic_filter(filters, images) if filters else images


@adds(AmisResponse, "describe_images")
def answer_images(self: Any) -> Any:
    from moto.core.responses import ActionResult

    self.error_on_dryrun()
    images = self.ec2_backend.describe_images(
        ami_ids=self._get_param("ImageIds", []),
        filters=self._filters_from_querystring(),
        exec_users=self._get_param("ExecutableUsers", []),
        owners=self._get_param("Owners", []),
        include_deprecated=bool(self._get_param("IncludeDeprecated", False)),
        include_disabled=bool(self._get_param("IncludeDisabled", False)),
    )
    size = int(self._get_param("MaxResults", 0))
    if size == 0:
        return ActionResult({"Images": images})
    start = int(self._get_param("NextToken") or 0)
    more = {"NextToken": str(start + size)} if start + size < len(images) else {}
    return ActionResult({"Images": images[start : start + size], **more})
