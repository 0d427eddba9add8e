"""Instances with a running agent.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html. Every instance is managed without a
profile of its own, as where Default Host Management Configuration is on:
https://docs.aws.amazon.com/systems-manager/latest/userguide/managed-instances-default-host-management.html
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ssm.responses import SimpleSystemManagerResponse

from ..extend import adds
from ..instances.state import boot_done_at, is_up
from ..world import ec2, is_due, world


def is_online(instance: Any) -> bool:
    return is_up(instance) and is_due(boot_done_at(instance) + world.delays.agent / 1000)


def _information(instance: Any) -> dict[str, Any]:
    return {
        "InstanceId": instance.id,
        "PingStatus": "Online",
        "LastPingDateTime": utcnow(),
        "AgentVersion": "3.3.0.0",
        "IsLatestVersion": True,
        "PlatformType": "Linux",
        "PlatformName": "Fake guest of the test clouds",
        "PlatformVersion": "1",
        "ResourceType": "EC2Instance",
        "IPAddress": instance.private_ip,
        "ComputerName": instance.private_dns_name,
    }


@adds(SimpleSystemManagerResponse)
def describe_instance_information(self: Any) -> ActionResult:
    filters = {one["Key"]: one["Values"] for one in self._get_param("Filters", [])}
    filters |= {one["key"]: one["valueSet"] for one in self._get_param("InstanceInformationFilterList", [])}
    wanted = filters.get("InstanceIds")
    found = [
        _information(one)
        for one in ec2(self.current_account, self.region).all_instances()
        if is_online(one) and (wanted is None or one.id in wanted)
    ]
    return ActionResult({"InstanceInformationList": found})
