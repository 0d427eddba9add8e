"""Block public access, for an account in a region; on from the start, as in accounts of today.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.responses.amis import AmisResponse

from ..extend import adds
from ..world import world

_states: dict[tuple[str, str], str] = {}
world.on_reset.append(_states.clear)


def public_sharing_blocked(account: str, region: str) -> bool:
    return _states.get((account, region), "block-new-sharing") == "block-new-sharing"


def _state(self: Any) -> ActionResult:
    blocked = public_sharing_blocked(self.current_account, self.region)
    return ActionResult({"ImageBlockPublicAccessState": "block-new-sharing" if blocked else "unblocked"})


@adds(AmisResponse)
def get_image_block_public_access_state(self: Any) -> ActionResult:
    return _state(self)


@adds(AmisResponse)
def enable_image_block_public_access(self: Any) -> ActionResult:
    _states[self.current_account, self.region] = self._get_param("ImageBlockPublicAccessState", "block-new-sharing")
    return _state(self)


@adds(AmisResponse)
def disable_image_block_public_access(self: Any) -> ActionResult:
    _states[self.current_account, self.region] = "unblocked"
    return _state(self)
