"""Console output of each instance: what its kernel and its system inside said.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html: empty until the instance has booted.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.core.utils import utcnow
from moto.ec2.models.instances import Instance
from moto.ec2.responses.general import General

from ..extend import adds
from .guests import guest_of
from .state import is_up


def _kernel(instance: Instance) -> list[str]:
    return [
        "[    0.000000] Linux version 6.1.0-cloud-amd64 (test cloud) #1 SMP",
        f"[    0.000000] DMI: Amazon EC2 {instance.instance_type}/, BIOS 1.0",
        "[    0.412345] nvme nvme0: 2/0/0 default/read/poll queues",
    ]


def text(instance: Instance) -> str:
    if instance.state == "pending":
        return ""
    if not instance.boots:
        panic = "[    1.204711] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"
        return "\n".join([*_kernel(instance), panic, ""])
    if not is_up(instance) and instance.state == "running":
        return "\n".join([*_kernel(instance), ""])
    lines = [*_kernel(instance), f"[    1.871220] systemd[1]: Booted {instance.image_id} as {instance.id}"]
    if instance.state == "running":
        guest = guest_of(instance)
        lines += [f"cloud-init: machine id {guest.machine_id()}", f"cloud-init: boot id {guest.boot_id()}"]
        lines += [f"cloud-init: {one}" for one in guest.host_key_lines()]
    host = (instance.private_dns_name or instance.id).split(".")[0]
    return "\n".join([*lines, "", f"{host} login: ", ""])


@adds(General)
def get_console_output(self: Any) -> ActionResult:
    instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
    output = Base64EncodedString.from_raw_string(text(instance))
    return ActionResult({"InstanceId": instance.id, "Timestamp": utcnow(), "Output": output})
