"""DeleteKeyPair by id, which moto does not read, and tags that go with what they are on, which moto keeps.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteKeyPair.html
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.responses.key_pairs import KeyPairs

from .extend import replaces


@replaces(KeyPairs, "delete_key_pair")
def delete_key_pair(original: Any, self: Any) -> Any:
    key_pair_id = self._get_param("KeyPairId")
    if key_pair_id is None:
        return original()
    for name, pair in list(self.ec2_backend.key_pairs.items()):
        if pair.id == key_pair_id:
            self.ec2_backend.delete_key_pair(name)
    return ActionResult({"Return": True, "KeyPairId": key_pair_id})


@replaces(EC2Backend, "delete_key_pair")
def forget_key_pair(original: Any, self: Any, name: str) -> Any:
    gone = original(name)
    if gone is not None:
        self.tags.pop(gone.id, None)
    return gone
