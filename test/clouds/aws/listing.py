"""Switchboard: everything that is in an account and region, beyond what every account has from the start."""

from __future__ import annotations

from typing import Any

from .world import ec2


def _tags(resource: Any) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in resource.get_tags()}


def everything(given: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    backend = ec2(given["account"], given["region"])
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
        "images": listed(backend.amis.values(), name=lambda one: one.name, state=lambda one: one.state),
        "snapshots": listed(backend.snapshots.values()),
        "instances": listed(instances, state=lambda one: one.state),
        "volumes": listed(backend.volumes.values()),
        "keyPairs": listed(backend.key_pairs.values(), name=lambda one: one.key_name),
        "securityGroups": listed(groups, name=lambda one: one.name),
        "networkInterfaces": listed(backend.enis.values()),
        "launchTemplates": listed(backend.launch_templates.values()),
        "spotRequests": listed(spot_requests),
    }


def forget_tags(given: dict[str, Any]) -> None:
    ec2(given["account"], given["region"]).tags.pop(given["id"], None)
