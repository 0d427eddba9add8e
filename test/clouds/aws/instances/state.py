"""States that take time: pending -> running, stopping -> stopped, shutting-down -> terminated.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.instances import Instance

from ..extend import replaces
from ..world import due_after, is_due, world

_codes = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
_on_the_way = {"running": "pending", "stopped": "stopping", "terminated": "shutting-down"}


class LaggingState:
    """Stands in for moto's state: what is assigned as `name` is reached when its time has come."""

    def __init__(self, goal: str) -> None:
        self.name = goal

    @property
    def name(self) -> str:
        return self.goal if is_due(self.reached_at) else _on_the_way[self.goal]

    @name.setter
    def name(self, goal: str) -> None:
        self.goal = goal
        wait = world.delays.running if goal == "running" else world.delays.stopped
        self.reached_at = due_after(wait)

    @property
    def code(self) -> int:
        return _codes[self.name]

    @code.setter
    def code(self, _: int) -> None:
        """Follows from the name."""


@replaces(Instance, "__init__")
def __init__(original: Any, self: Instance, *args: Any, **kwargs: Any) -> None:
    self.boots = True
    self.guest = None
    original(*args, **kwargs)
    self._state = LaggingState("running")
    # While it is launched, moto itself looks it up; RunInstances sets when others do.
    self.visible_at = due_after(0)


def boot_done_at(instance: Instance) -> float:
    """When status checks pass; only meaningful for an instance that is to run."""
    return instance._state.reached_at + world.delays.statusOk / 1000


def is_up(instance: Instance) -> bool:
    return instance.state == "running" and instance.boots and is_due(boot_done_at(instance))
