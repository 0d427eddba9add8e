"""Switchboard: everything that is in an account and region, beyond what every account has from the start."""

from __future__ import annotations

from typing import Any

from moto.ssm.models import ssm_backends

from .images.ami import snapshots_of
from .world import ec2


def _tags(resource: Any) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in resource.get_tags()}


def everything(given: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    backend = ec2(given["account"], given["region"])
    parameters = ssm_backends[given["account"]][given["region"]]._parameters
    instances = [one for one in backend.all_instances() if one.state != "terminated"]
    spot_requests = [one for one in backend.spot_instance_requests.values() if one.state in ("open", "active")]
    groups = [one for vpc in backend.groups.values() for one in vpc.values() if one.name != "default"]

    def listed(resources: Any, **more: Any) -> list[dict[str, Any]]:
        rows = []
        for one in resources:
            row = {"id": one.id, "tags": _tags(one)}
            rows.append({**row, **{name: read(one) for name, read in more.items()}})
        return rows

    return {
        "images": listed(
            backend.amis.values(),
            name=lambda one: one.name,
            state=lambda one: one.state,
            snapshots=lambda one: [snapshot.id for snapshot in snapshots_of(one)],
            sharedWith=lambda one: [value for entry in one.launch_permissions for value in entry.values()],
        ),
        "snapshots": listed(
            backend.snapshots.values(), sharedWith=lambda one: sorted(one.create_volume_permission_userids)
        ),
        "instances": listed(instances, state=lambda one: one.state),
        "volumes": listed(backend.volumes.values(), attached=lambda one: one.attachment is not None),
        "keyPairs": listed(backend.key_pairs.values(), name=lambda one: one.key_name),
        "securityGroups": listed(groups, name=lambda one: one.name),
        "networkInterfaces": listed(backend.enis.values(), attached=lambda one: one.instance is not None),
        "launchTemplates": listed(backend.launch_templates.values()),
        "spotRequests": listed(spot_requests),
        "parameters": [
            {"id": name, "tags": {}, "value": versions[-1].value} for name, versions in parameters.items() if versions
        ],
    }


def forget_tags(given: dict[str, Any]) -> None:
    ec2(given["account"], given["region"]).tags.pop(given["id"], None)
