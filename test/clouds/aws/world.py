"""What the cloud knows beside moto: accounts, delays, sessions, and what the switchboard set. `reset` brings the start back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.ec2.models import ec2_backends


@dataclass
class Delays:
    """Milliseconds from a call until its effect is complete; what is asked for before sees the state in between."""

    image: int = 200
    running: int = 150
    statusOk: int = 150
    stopped: int = 100
    agent: int = 100
    validation: int = 100
    """Until a new image, instance or command can be found at all (eventual consistency)."""
    visible: int = 0


@dataclass
class Session:
    account: str
    role_arn: str
    name: str
    expires_at: float


@dataclass
class World:
    accounts: list[str] = field(default_factory=list)
    """Account -> external id that its role asks for."""
    external_ids: dict[str, str] = field(default_factory=dict)
    """ARN of an organization or organizational unit -> accounts in it."""
    organizations: dict[str, list[str]] = field(default_factory=dict)
    """The delays the cloud was started with; `reset` returns to them."""
    usual: dict[str, int] = field(default_factory=dict)
    delays: Delays = field(default_factory=Delays)
    elapsed: float = 0
    """Entries on a page of a list; None: all of them."""
    page_size: int | None = None
    sessions: dict[str, Session] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    rules: list[Any] = field(default_factory=list)
    """Set once the rules are cleared: answers that are held wait for it."""
    let_go: threading.Event = field(default_factory=threading.Event)
    """One request at a time: what AWS guarantees by other means (client tokens, unique names) has no races here."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    on_reset: list[Callable[[], None]] = field(default_factory=list)

    def configure(self, settings: dict[str, Any]) -> None:
        self.accounts = settings["accounts"]
        self.external_ids = settings.get("externalIds", {})
        self.organizations = settings.get("organizations", {})
        self.usual = settings.get("delays", {})
        self.set_delays(self.usual)

    def set_delays(self, wanted: dict[str, int]) -> None:
        known = {one.name for one in fields(Delays)}
        if unknown := set(wanted) - known:
            raise ValueError(f"no such delay: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
        for name, milliseconds in wanted.items():
            setattr(self.delays, name, milliseconds)

    def clear_rules(self) -> None:
        self.rules.clear()
        self.let_go.set()
        self.let_go = threading.Event()

    def elapse(self, given: dict[str, int]) -> None:
        self.elapsed += given["milliseconds"] / 1000

    def reset(self) -> None:
        from moto.moto_api._internal.models import moto_api_backend

        moto_api_backend.reset()
        self.elapsed = 0
        self.page_size = None
        self.delays = Delays()
        self.set_delays(self.usual)
        self.sessions.clear()
        self.calls.clear()
        self.clear_rules()
        for forget in self.on_reset:
            forget()


world = World()


def now() -> float:
    """Seconds of the cloud's own clock, which the switchboard can put forward."""
    return time.monotonic() + world.elapsed


def wall_clock() -> datetime:
    """What a client's clock shows, put forward as far."""
    return datetime.now(UTC) + timedelta(seconds=world.elapsed)


def due_after(milliseconds: int) -> float:
    return now() + milliseconds / 1000


def is_due(at: float) -> bool:
    return now() >= at


def ec2(account: str, region: str) -> Any:
    return ec2_backends[account][region]


def every_ec2(region: str) -> list[Any]:
    """The EC2 of each account in a region, of those that were used."""
    return [ec2_backends[account][region] for account in world.accounts if region in dict.keys(ec2_backends[account])]
