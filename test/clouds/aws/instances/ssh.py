"""Public addresses and SSH: an instance with a key pair is reached as people and Packer reach it.

Each instance has a loopback address of its own (all of 127.0.0.0/8 is this machine's) and, once it is up, a server at the one port that
needs no rights. A key of the pair opens it, for any user name; commands and files are the guest's.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/connect-to-linux-instance.html
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import subprocess
import threading
import time
from typing import Any

import asyncssh
from moto.ec2.models import elastic_network_interfaces
from moto.ec2.models.instances import Instance

from guest.machine import Guest, kill

from ..extend import replaces
from ..world import ec2, world
from .guests import guest_of
from .state import is_up

port = 2222

# Two clouds on one machine must not give out the same address.
_network = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(254) + 1}"
_numbers = itertools.cycle(range(1, 255))
_loop = asyncio.new_event_loop()
_host_key = asyncssh.generate_private_key("ssh-ed25519")
_servers: dict[str, asyncssh.SSHAcceptor] = {}


def _next_address() -> str:
    return f"{_network}.{next(_numbers)}"


elastic_network_interfaces.random_public_ip = _next_address


class _Server(asyncssh.SSHServer):
    def __init__(self, public_key: str) -> None:
        self._key = asyncssh.import_public_key(public_key)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return key == self._key


async def _serve(address: str, public_key: str, guest: Guest) -> asyncssh.SSHAcceptor:
    async def command(process: asyncssh.SSHServerProcess[bytes]) -> None:
        asked = process.command or ""
        running = guest.start(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            await process.redirect(stdin=running.stdin, stdout=running.stdout, stderr=running.stderr)
            ending = asyncio.get_running_loop().run_in_executor(None, running.wait)
            gone = asyncio.ensure_future(process.channel.wait_closed())
            await asyncio.wait([ending, gone], return_when=asyncio.FIRST_COMPLETED)
            if running.poll() is not None:
                await process.stdout.drain()
                process.exit(running.returncode if running.returncode >= 0 else 255)
            gone.cancel()
        finally:
            kill(running)
            guest.ended(running)

    return await asyncssh.listen(
        address,
        port,
        server_factory=lambda: _Server(public_key),
        server_host_keys=[_host_key],
        process_factory=command,
        encoding=None,
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(guest.root).encode()),
        allow_scp=True,
    )


def _public_key(instance: Instance) -> str | None:
    pairs = ec2(instance.owner_id, instance.region_name).key_pairs
    pair = pairs.get(instance.key_name)
    return None if pair is None else pair.material_public.decode()


def _open(instance: Instance, public_key: str) -> None:
    while not is_up(instance):
        if instance.state in ("terminated", "shutting-down") or not instance.boots:
            return
        time.sleep(0.02)
    with world.lock:
        guest = guest_of(instance)
        address = instance.public_ip
    if address is None or instance.state != "running":
        return
    serving = asyncio.run_coroutine_threadsafe(_serve(address, public_key, guest), _loop).result()
    _servers[instance.id] = serving
    if instance.state != "running":
        _close(instance)


def _close(instance: Instance) -> None:
    serving = _servers.pop(instance.id, None)
    if serving is not None:
        _loop.call_soon_threadsafe(serving.close)


@replaces(Instance, "__init__")
def __init__(original: Any, self: Instance, *args: Any, **kwargs: Any) -> None:
    original(*args, **kwargs)
    public_key = _public_key(self)
    if public_key is not None:
        threading.Thread(target=_open, args=(self, public_key), daemon=True).start()


@replaces(Instance, "terminate")
def terminate(original: Any, self: Instance) -> Any:
    _close(self)
    return original()


@replaces(Instance, "stop")
def stop(original: Any, self: Instance) -> Any:
    _close(self)
    return original()


def _forget() -> None:
    for serving in _servers.values():
        _loop.call_soon_threadsafe(serving.close)
    _servers.clear()


world.on_reset.append(_forget)
threading.Thread(target=_loop.run_forever, daemon=True).start()
