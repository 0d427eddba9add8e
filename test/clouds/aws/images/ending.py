"""What takes an image out of use: deprecate, disable, protect, deregister.

- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageDeprecation.html: to the minute, not in the past, at most 10 years ahead
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/disable-an-ami.html: all launch permissions are dropped, and enabling does not bring them back
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deregistration-protection.html
- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html (DeleteAssociatedSnapshots; one that another image uses is skipped)
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.responses.amis import AmisResponse

from ..extend import adds
from ..refusals import image_unavailable, invalid_value, not_permitted
from ..world import wall_clock
from .ami import snapshots_of
from .visible import own_image


def _image(self: Any) -> Any:
    self.error_on_dryrun()
    image_id = self._get_param("ImageId")
    if image_id in self.ec2_backend.deleted_amis:
        raise image_unavailable(image_id)
    return own_image(self.ec2_backend, image_id)


@adds(AmisResponse)
def enable_image_deprecation(self: Any) -> ActionResult:
    image, at = _image(self), self._get_param("DeprecateAt")
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    rounded = (at + timedelta(seconds=30)).replace(second=0, microsecond=0)
    now = wall_clock()
    if min(at, rounded) <= now:
        raise invalid_value("The value for DeprecateAt must be in the future")
    if at > now + timedelta(days=10 * 365 + 3):
        raise invalid_value("The value for DeprecateAt must be at most 10 years from now")
    image.deprecation_time = rounded.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return ActionResult({"Return": True})


@adds(AmisResponse)
def disable_image_deprecation(self: Any) -> ActionResult:
    _image(self).deprecation_time = None
    return ActionResult({"Return": True})


@adds(AmisResponse)
def disable_image(self: Any) -> ActionResult:
    image = _image(self)
    if image.state == "pending":
        raise image_unavailable(image.id)
    image.state = "disabled"
    image.launch_permissions.clear()
    return ActionResult({"Return": True})


@adds(AmisResponse)
def enable_image(self: Any) -> ActionResult:
    image = _image(self)
    if image.state == "pending":
        raise image_unavailable(image.id)
    image.state = "available"
    return ActionResult({"Return": True})


@adds(AmisResponse)
def enable_image_deregistration_protection(self: Any) -> ActionResult:
    image = _image(self)
    cooled = bool(self._get_param("WithCooldown", False))
    image.deregistration_protection = "enabled-with-cooldown" if cooled else "enabled-without-cooldown"
    return ActionResult({"Return": image.deregistration_protection})


@adds(AmisResponse)
def disable_image_deregistration_protection(self: Any) -> ActionResult:
    image = _image(self)
    # With a cooldown the protection stays on for 24 hours more.
    cooled = image.deregistration_protection == "enabled-with-cooldown"
    image.deregistration_protection = "disabled-with-cooldown" if cooled else "disabled"
    return ActionResult({"Return": image.deregistration_protection})


@adds(AmisResponse)
def deregister_image(self: Any) -> ActionResult:
    image, backend = _image(self), self.ec2_backend
    if image.deregistration_protection != "disabled":
        raise not_permitted(f"You can't deregister {image.id} because deregistration protection is enabled")
    del backend.amis[image.id]
    backend.deleted_amis.append(image.id)
    backend.tags.pop(image.id, None)
    if not self._get_param("DeleteAssociatedSnapshots", False):
        return ActionResult({"Return": True})
    return ActionResult(
        {"Return": True, "DeleteSnapshotResults": [_delete(backend, one) for one in snapshots_of(image)]}
    )


def _delete(backend: Any, snapshot: Any) -> dict[str, str]:
    used = any(snapshot in snapshots_of(other) for other in backend.amis.values())
    if not used:
        backend.snapshots.pop(snapshot.id, None)
        backend.tags.pop(snapshot.id, None)
    return {"SnapshotId": snapshot.id, "ReturnCode": "skipped" if used else "success"}
