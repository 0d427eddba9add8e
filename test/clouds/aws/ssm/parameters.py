"""Parameters of type `aws:ec2:image`: PutParameter answers at once, and the value is there when the image was validated, or never.

https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ssm.exceptions import ParameterAlreadyExists, SSMException
from moto.ssm.responses import SimpleSystemManagerResponse

from ..extend import replaces
from ..images.visible import visible_image
from ..world import due_after, ec2, is_due, world


@dataclass
class Pending:
    account: str
    region: str
    image_id: str
    due_at: float
    backend: Any
    given: dict[str, Any]


_pending: list[Pending] = []
world.on_reset.append(_pending.clear)


@replaces(SimpleSystemManagerResponse, "put_parameter")
def put_parameter(original: Any, self: Any) -> ActionResult:
    if self._get_param("DataType", "text") != "aws:ec2:image":
        return original()
    name, value = self._get_param("Name"), self._get_param("Value")
    overwrite = self._get_param("Overwrite", False)
    if not re.fullmatch(r"ami-[0-9a-f]{8,17}", value or ""):
        raise SSMException("ValidationException", f"The parameter value {value} is not an AMI id")
    before = self.ssm_backend._parameters.get(name)
    if before and not overwrite:
        raise ParameterAlreadyExists
    given = {
        "name": name,
        "description": self._get_param("Description"),
        "value": value,
        "parameter_type": self._get_param("Type"),
        "allowed_pattern": self._get_param("AllowedPattern"),
        "keyid": self._get_param("KeyId"),
        "overwrite": True,
        "tags": None,
        "data_type": "aws:ec2:image",
        "tier": self._get_param("Tier"),
        "policies": self._get_param("Policies"),
    }
    tags = {tag["Key"]: tag["Value"] for tag in self._get_param("Tags") or []}
    if tags:
        given["_tags"] = tags
    due = due_after(world.delays.validation)
    _pending.append(Pending(self.current_account, self.region, value, due, self.ssm_backend, given))
    return ActionResult({"Version": before[-1].version + 1 if before else 1, "Tier": "Standard"})


def validate_due() -> None:
    """Writes what has been validated by now; asked before each call."""
    for one in [one for one in _pending if is_due(one.due_at)]:
        _pending.remove(one)
        if not _is_good(one):
            continue
        tags = one.given.pop("_tags", {})
        one.backend.put_parameter(**one.given)
        if tags:
            one.backend.add_tags_to_resource("Parameter", one.given["name"], tags)


def _is_good(one: Pending) -> bool:
    try:
        return visible_image(ec2(one.account, one.region), one.image_id).state == "available"
    except EC2ClientError:
        return False
