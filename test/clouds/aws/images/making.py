"""CreateImage, RegisterImage and CopyImage.

- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html (tags of image and snapshots)
- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyImage.html (client token, encryption; no permissions and, unless asked, no tags)
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/CopyingAMIs.html (a shared image can be copied if its snapshots are shared too)
- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (InvalidAMIName.Duplicate)
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.amis import Ami
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.utils import random_ami_id

from ..extend import adds
from ..refusals import image_unavailable
from ..tokens import once
from ..world import due_after, ec2
from .ami import snapshots_of
from .visible import visible_image, visible_images


def _refuse_used_name(backend: Any, name: str) -> None:
    for image in backend.amis.values():
        if image.name == name:
            raise EC2ClientError(
                "InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {image.id}"
            )


def _tag(backend: Any, image: Ami, specifications: list[dict[str, Any]]) -> None:
    """Tags of the request, on the image and on all of its snapshots."""
    for one in specifications:
        tags = {tag["Key"]: tag["Value"] for tag in one.get("Tags", [])}
        kind = one.get("ResourceType")
        if kind not in ("image", "snapshot"):
            raise EC2ClientError("InvalidParameterValue", f"'{kind}' is not a valid taggable resource type")
        for resource in [image] if kind == "image" else snapshots_of(image):
            backend.create_tags([resource.id], tags)


def _snapshot(backend: Any, image: Ami, volume_id: str, description: str) -> Any:
    snapshot = backend.create_snapshot(volume_id, description, image.owner_id, from_ami=image.id)
    snapshot.completed_at = image.available_at
    return snapshot


@adds(AmisResponse)
def create_image(self: Any) -> ActionResult:
    self.error_on_dryrun()
    backend, name = self.ec2_backend, self._get_param("Name")
    _refuse_used_name(backend, name)
    instance = backend.get_instance(self._get_param("InstanceId"))
    if instance.state in ("terminated", "shutting-down"):
        raise EC2ClientError("IncorrectState", f"Instance {instance.id} is {instance.state}")
    image_id = random_ami_id()
    description = f"Created by CreateImage({instance.id}) for {image_id}"
    image = Ami(
        backend,
        image_id,
        instance=instance,
        name=name,
        description=self._get_param("Description", ""),
        root_device_name=instance.root_device_name,
        snapshot_description=description,
    )
    source = backend.amis.get(instance.image_id)
    image.source_image_id, image.source_image_region = instance.image_id, backend.region_name
    image.boots = source is None or source.boots
    for device, block in instance.get_block_device_mapping:
        volume = backend.get_volume(block.volume_id)
        if device == instance.root_device_name:
            image.root_volume = {"size": volume.size, "type": volume.volume_type}
            continue
        snapshot = _snapshot(backend, image, volume.id, description)
        image.further_devices.append(
            {"name": device, "snapshot": snapshot, "size": volume.size, "type": volume.volume_type}
        )
    _tag(backend, image, self._get_param("TagSpecifications", []))
    backend.amis[image_id] = image
    return ActionResult({"ImageId": image_id})


@adds(AmisResponse)
def register_image(self: Any) -> ActionResult:
    self.error_on_dryrun()
    backend, name = self.ec2_backend, self._get_param("Name")
    _refuse_used_name(backend, name)
    image = Ami(
        backend,
        random_ami_id(),
        name=name,
        description=self._get_param("Description", ""),
        architecture=self._get_param("Architecture", "i386"),
        virtualization_type=self._get_param("VirtualizationType", "paravirtual"),
        root_device_name=self._get_param("RootDeviceName", "/dev/sda1"),
    )
    for device in self._get_param("BlockDeviceMappings", []):
        snapshot_id = device.get("Ebs", {}).get("SnapshotId")
        if snapshot_id is None:
            continue
        snapshot = backend.get_snapshot(snapshot_id)
        snapshot.from_ami = image.id
        if device["DeviceName"] == image.root_device_name:
            backend.snapshots.pop(image.ebs_snapshot.id, None)
            image.ebs_snapshot = snapshot
        else:
            image.further_devices.append({"name": device["DeviceName"], "snapshot": snapshot})
    _tag(backend, image, self._get_param("TagSpecifications", []))
    backend.amis[image.id] = image
    return ActionResult({"ImageId": image.id})


@adds(AmisResponse)
def copy_image(self: Any) -> ActionResult:
    self.error_on_dryrun()
    return once(self, "CopyImage", lambda: _copy(self))


def _copy(self: Any) -> ActionResult:
    backend = self.ec2_backend
    source_region = self._get_param("SourceRegion")
    source = visible_image(ec2(self.current_account, source_region), self._get_param("SourceImageId"))
    if source.state != "available":
        raise image_unavailable(source.id)
    if source.owner_id != self.current_account and not all(
        self.current_account in one.create_volume_permission_userids for one in snapshots_of(source)
    ):
        raise EC2ClientError("InvalidRequest", "You do not have permission to access the storage of this ami")
    name = self._get_param("Name")
    _refuse_used_name(backend, name)
    image = Ami(
        backend,
        random_ami_id(),
        source_ami=source,
        name=name,
        description=self._get_param("Description"),
        root_device_name=source.root_device_name,
        snapshot_description=f"Copied for DestinationAmi from SourceAmi {source.id} for SourceSnapshot {source.ebs_snapshot.id}",
    )
    image.source_image_id, image.source_image_region = source.id, source_region
    image.boots = source.boots
    image.root_volume = dict(source.root_volume)
    for device in source.further_devices:
        volume = backend.create_volume(size=device["snapshot"].volume_size, zone_name=f"{backend.region_name}a")
        snapshot = _snapshot(backend, image, volume.id, image.ebs_snapshot.description)
        backend.delete_volume(volume.id)
        image.further_devices.append({**device, "snapshot": snapshot})
    _encrypt(self, image, source)
    if self._get_param("CopyImageTags", False):
        backend.create_tags([image.id], {tag["key"]: tag["value"] for tag in source.get_tags()})
    _tag(backend, image, self._get_param("TagSpecifications", []))
    backend.amis[image.id] = image
    return ActionResult({"ImageId": image.id})


def _encrypt(self: Any, image: Ami, source: Ami) -> None:
    # Packer 1.6.6 sends it empty.
    key = self._get_param("KmsKeyId") or None
    wanted = bool(self._get_param("Encrypted", False))
    if key is not None and not wanted:
        raise EC2ClientError("InvalidParameterCombination", "KmsKeyId needs Encrypted to be true")
    region, account = image.ec2_backend.region_name, image.owner_id
    for snapshot, before in zip(snapshots_of(image), snapshots_of(source), strict=True):
        if wanted or before.encrypted:
            snapshot.encrypted = True
            # The account's default key for EBS in this region, when none is named.
            snapshot.kms_key_id = key or f"arn:aws:kms:{region}:{account}:alias/aws/ebs"


def base_image(given: dict[str, Any]) -> str:
    """Switchboard: an image as a vendor offers it, available at once; the same one as often as asked."""
    backend = ec2(given["account"], given["region"])
    name = given.get("name", "base")
    for image in backend.amis.values():
        if image.name == name:
            return image.id
    image = Ami(backend, random_ami_id(), name=name, description="for tests")
    image.available_at = image.ebs_snapshot.completed_at = due_after(0)
    image.visible_at = due_after(0)
    if given.get("public", False):
        image.launch_permissions.append({"Group": "all"})
    backend.amis[image.id] = image
    return image.id


def break_image(given: dict[str, Any]) -> None:
    """Switchboard: machines of this image never come up."""
    for image in visible_images(ec2(given["account"], given["region"])):
        if image.id == given["imageId"]:
            image.boots = False
            return
    raise LookupError(f"no image {given['imageId']}")


def fail_image(given: dict[str, Any]) -> None:
    """Switchboard: what makes the image fails. It keeps its name, and its token answers it for good."""
    image = ec2(given["account"], given["region"]).amis[given["imageId"]]
    image.available_at = due_after(0)
    image.state = "failed"
