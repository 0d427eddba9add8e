"""Tags belong to the account that makes them, also on what others share with it.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html (tags on shared resources are not seen by others)
"""

from __future__ import annotations

import random
from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE

from .extend import replaces
from .images.visible import visible_image
from .snapshots import shared_snapshots


# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TagSpecification.html: in the plural.
EC2_PREFIX_TO_RESOURCE["sir"] = "spot-instances-request"


@replaces(EC2Backend, "do_resources_exist")
def do_resources_exist(original: Any, self: Any, resource_ids: list[str]) -> bool:
    shared = {snapshot.id for snapshot in shared_snapshots(self)}
    for resource_id in resource_ids:
        if resource_id.startswith("ami-"):
            visible_image(self, resource_id)
        elif resource_id.startswith("i-"):
            self.get_instance(resource_id)
        elif resource_id not in shared:
            original([resource_id])
    return True


@replaces(EC2Backend, "delete_security_group")
def delete_security_group(original: Any, self: Any, name: str | None = None, group_id: str | None = None) -> Any:
    """Tags go with what they are on; moto keeps them."""
    group = None if name is None else self.get_security_group_by_name_or_id(name)
    original(name, group_id)
    self.tags.pop(group_id or (group.id if group else ""), None)


@replaces(EC2Backend, "delete_launch_template")
def delete_launch_template(original: Any, self: Any, name: str, tid: str | None) -> Any:
    gone = original(name, tid)
    self.tags.pop(gone.id, None)
    return gone


@replaces(TaggedEC2Resource, "get_tags")
def get_tags(original: Any, self: Any) -> list[dict[str, str]]:
    """In no order that a client could rely on."""
    tags = original()
    return random.sample(tags, len(tags))
