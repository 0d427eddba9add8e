"""Snapshots: pending as long as their image, seen by those they are shared with.

- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html
- https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html
"""

from __future__ import annotations

import copy
from typing import Any

from moto.core.responses import EmptyResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.utils import generic_filter

from .extend import adds, replaces
from .refusals import refuse_many, refuse_mixed
from .world import due_after, every_ec2, is_due


@replaces(Snapshot, "__init__")
def __init__(original: Any, self: Snapshot, *args: Any, **kwargs: Any) -> None:
    self.completed_at = due_after(0)
    original(*args, **kwargs)


def _status(self: Snapshot) -> str:
    return "completed" if is_due(self.completed_at) else "pending"


Snapshot.status = property(_status, lambda self, value: None)  # type: ignore[assignment]
Snapshot.progress = property(lambda self: "100%" if self.status == "completed" else "0%")  # type: ignore[assignment]


def shared_snapshots(backend: Any) -> list[Snapshot]:
    """Those of other accounts that this one may use, with this account's own tags."""
    found = []
    for other in every_ec2(backend.region_name):
        for snapshot in [] if other is backend else list(other.snapshots.values()):
            if backend.account_id in snapshot.create_volume_permission_userids or (
                "all" in snapshot.create_volume_permission_groups
            ):
                seen = copy.copy(snapshot)
                seen.ec2_backend = backend
                found.append(seen)
    return found


@replaces(EBSBackend, "describe_snapshots")
def describe_snapshots(
    original: Any, self: Any, snapshot_ids: list[str] | None = None, filters: Any = None
) -> list[Snapshot]:
    shared = shared_snapshots(self)
    if not snapshot_ids:
        return original(filters=filters) + (generic_filter(filters, shared) if filters else shared)
    wanted = [one for one in shared if one.id in snapshot_ids]
    own = [one for one in snapshot_ids if one not in {shared_one.id for shared_one in wanted}]
    found = (original(own, filters) if own else []) + (generic_filter(filters, wanted) if filters else wanted)
    return found


@adds(ElasticBlockStore)
def modify_snapshot_attribute(self: Any) -> EmptyResult:
    """Takes permissions in both forms: listed with an operation, or as what to add and remove (Packer 1.6.6)."""
    self.error_on_dryrun()
    backend, snapshot_id = self.ec2_backend, self._get_param("SnapshotId")
    if snapshot_id in {one.id for one in shared_snapshots(backend)}:
        raise EC2ClientError("AuthFailure", f"Not authorized for snapshot:{snapshot_id}")
    snapshot = backend.get_snapshot(snapshot_id)
    changes = self._get_param("CreateVolumePermission", {})
    operation = self._get_param("OperationType")
    refuse_mixed(bool(changes.get("Add")), bool(changes.get("Remove")))
    refuse_many(changes.get("Add", []), changes.get("Remove", []), self._get_param("UserIds", []))
    for kind in ("add", "remove"):
        listed = changes.get(kind.capitalize(), [])
        users = {one["UserId"] for one in listed if "UserId" in one}
        groups = {one["Group"] for one in listed if "Group" in one}
        if operation == kind:
            users |= set(self._get_param("UserIds", []))
            groups |= set(self._get_param("GroupNames", []))
        if kind == "add":
            if (users or groups) and str(snapshot.kms_key_id or "").endswith(":alias/aws/ebs"):
                raise EC2ClientError("InvalidParameter", "Encrypted snapshots with EBS default key cannot be shared")
            snapshot.create_volume_permission_userids |= users
            snapshot.create_volume_permission_groups |= groups
        else:
            snapshot.create_volume_permission_userids -= users
            snapshot.create_volume_permission_groups -= groups
    return EmptyResult()
