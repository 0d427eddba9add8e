"""Status checks: initializing, then ok; impaired where the system inside never came up.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.instances import Instance

from ..extend import adds
from ..world import is_due
from .state import boot_done_at


def _check(status: str, detail: str) -> dict[str, Any]:
    return {"Status": status, "Details": [{"Name": "reachability", "Status": detail}]}


@adds(Instance)
@property
def system_status(self: Instance) -> dict[str, Any]:
    if self.state != "running":
        return {"Status": "not-applicable"}
    return _check("ok", "passed") if is_due(boot_done_at(self)) else _check("initializing", "initializing")


@adds(Instance)
@property
def instance_status(self: Instance) -> dict[str, Any]:
    if self.state == "running" and is_due(boot_done_at(self)) and not self.boots:
        return _check("impaired", "failed")
    return system_status.fget(self)
