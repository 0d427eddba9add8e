"""The system inside of an instance: a sandboxed guest, made when it is first needed, gone with the instance.

User data that begins with `#!` runs in it once, when it has booted, as cloud-init does:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html. A guest that powers itself off stops or terminates its instance:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingInstanceInitiatedShutdownBehavior.html
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from guest.machine import Guest
from moto.ec2.models.instances import Instance

from ..extend import replaces
from ..world import now, world
from .state import boot_done_at, is_up

_folder = Path(tempfile.mkdtemp(prefix="bakehouse-aws-guests-"))
_guests: dict[str, Guest] = {}
_user_data_limit = 3600


def guest_of(instance: Instance) -> Guest:
    guest = _guests.get(instance.id)
    if guest is None:
        guest = Guest(_folder / instance.id)
        guest.create()
        _guests[instance.id] = guest
    return guest


def _end(instance: Instance) -> None:
    guest = _guests.pop(instance.id, None)
    if guest is not None:
        guest.remove()


@replaces(Instance, "terminate")
def terminate(original: Any, self: Instance) -> Any:
    if self.state in ("terminated", "shutting-down"):
        return self._state
    before = original()
    _end(self)
    return before


@replaces(Instance, "stop")
def stop(original: Any, self: Instance) -> Any:
    before = original()
    if (guest := _guests.get(self.id)) is not None:
        guest.kill()
    return before


@replaces(Instance, "start")
def start(original: Any, self: Instance) -> Any:
    before = original()
    if (guest := _guests.get(self.id)) is not None:
        guest.boot()
    return before


@replaces(Instance, "reboot")
def reboot(original: Any, self: Instance) -> None:
    original()
    if (guest := _guests.get(self.id)) is not None:
        guest.kill()
        guest.boot()


@replaces(Instance, "__init__")
def __init__(original: Any, self: Instance, *args: Any, **kwargs: Any) -> None:
    original(*args, **kwargs)
    script = _script(self)
    if script is not None:
        threading.Thread(target=_first_boot, args=(self, script), daemon=True).start()


def _script(instance: Instance) -> str | None:
    text = "" if instance.user_data is None else instance.user_data.decode()
    return text if text.startswith("#!") else None


def _first_boot(instance: Instance, script: str) -> None:
    while not is_up(instance):
        if instance.state in ("terminated", "shutting-down") or not instance.boots:
            return
        time.sleep(max(0.01, min(0.2, boot_done_at(instance) - now())))
    with world.lock:
        guest = guest_of(instance)
    guest.run(script, _user_data_limit)


def powered_off() -> None:
    """Ends the instances whose guest switched itself off; asked before each call and by the clock."""
    for instance_id, guest in list(_guests.items()):
        if not guest.is_powered_off():
            continue
        instance = _instance(instance_id)
        if instance is None or instance.state != "running":
            continue
        if instance.instance_initiated_shutdown_behavior == "terminate":
            instance.terminate()
        else:
            instance.stop()


def _instance(instance_id: str) -> Instance | None:
    from moto.ec2.models import ec2_backends

    for account in world.accounts:
        for backend in dict.values(ec2_backends[account]):
            if (found := backend.get_instance_by_id(instance_id)) is not None:
                return found
    return None


def forget() -> None:
    for guest in _guests.values():
        guest.remove()
    _guests.clear()


def leave() -> None:
    forget()
    shutil.rmtree(_folder, ignore_errors=True)


world.on_reset.append(forget)
