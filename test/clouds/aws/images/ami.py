"""One image: pending until its time has come, root device `ebs`, one snapshot for each of its devices.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from moto.ec2.models.amis import Ami

from ..extend import adds, replaces
from ..world import due_after, is_due, world


@replaces(Ami, "__init__")
def __init__(original: Any, self: Ami, *args: Any, **kwargs: Any) -> None:
    self.available_at = due_after(world.delays.image)
    self.visible_at = due_after(world.delays.visible)
    self.further_devices: list[dict[str, Any]] = []
    self.root_volume: dict[str, Any] = {}
    self.deprecation_time: str | None = None
    self.deregistration_protection = "disabled"
    self.last_launched: datetime | None = None
    self.source_image_id: str | None = None
    self.source_image_region: str | None = None
    self.boots = True
    original(**{"root_device_type": "ebs", "hypervisor": "xen", **kwargs}, **_named(args))
    self.virtualization_type = self.virtualization_type or "hvm"
    self.architecture = self.architecture or "x86_64"
    self.image_location = self.image_location or f"{self.owner_id}/{self.name}"
    self.ebs_snapshot.completed_at = self.available_at


def _named(args: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(("ec2_backend", "ami_id"), args, strict=False))


@adds(Ami)
@property
def state(self: Ami) -> str:
    return self._state if is_due(self.available_at) else "pending"


@state.setter
def set_state(self: Ami, value: str) -> None:
    self._state = value


Ami.state = set_state  # type: ignore[assignment]


@adds(Ami)
@property
def last_launched_time(self: Ami) -> str | None:
    return None if self.last_launched is None else self.last_launched.strftime("%Y-%m-%dT%H:%M:%SZ")


@adds(Ami)
@property
def block_device_mappings(self: Ami) -> list[dict[str, Any]]:
    root = _device(self.root_device_name, self.ebs_snapshot, self.root_volume)
    return [root, *(_device(one["name"], one["snapshot"], one) for one in self.further_devices)]


def _device(name: str, snapshot: Any, volume: dict[str, Any]) -> dict[str, Any]:
    return {
        "DeviceName": name,
        "Ebs": {
            "SnapshotId": snapshot.id,
            "VolumeSize": volume.get("size") or snapshot.volume_size,
            "VolumeType": volume.get("type") or "gp3",
            "DeleteOnTermination": True,
            "Encrypted": snapshot.encrypted,
        },
    }


def snapshots_of(image: Ami) -> list[Any]:
    return [image.ebs_snapshot, *(one["snapshot"] for one in image.further_devices)]


@replaces(Ami, "get_filter_value")
def get_filter_value(original: Any, self: Ami, filter_name: str, method_name: str | None = None) -> Any:
    if filter_name == "block-device-mapping.snapshot-id":
        return [snapshot.id for snapshot in snapshots_of(self)]
    return original(filter_name, method_name)
