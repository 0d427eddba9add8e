"""One guest, in a folder. What makes a machine a machine of its own (machine id, host keys, boot id) is new in each."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

_repository = Path(__file__).resolve().parents[3]
_busybox = Path(os.environ.get("BAKEHOUSE_TEST_BUSYBOX", _repository / ".tools/guest/bin/busybox"))
_folders = "bin dev etc/ssh proc/sys/kernel/random root/.ssh run tmp var/lib var/log home usr/bin"
_devices = ("null", "zero", "random", "urandom")
_links = {"usr/sbin": "../bin", "sbin": "bin", "usr/local": "../run"}
_keys = ("rsa", "ecdsa", "ed25519")

# Of its own: processes, mounts, host name and network. Not root: also a user namespace, in which it is root.
_apart = ["unshare", *([] if os.getuid() == 0 else ["--map-root-user"])]
_apart += ["--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "--kill-child", "--"]
_enter = (
    'for device in null zero random urandom; do mount --bind "/dev/$device" "$1/dev/$device" || exit 126; done; '
    'hostname guest; exec chroot "$1" /bin/sh -c "$2"'
)
_environment = {"PATH": "/usr/bin:/bin:/sbin", "HOME": "/root", "LANG": "C", "SHELL": "/bin/sh", "USER": "root"}

_poweroff = """#!/bin/sh
# shutdown -h +N waits N minutes; poweroff, halt and the rest are at once.
minutes=0
for argument in "$@"; do case "$argument" in +*) minutes=${argument#+} ;; esac; done
if [ "$minutes" != 0 ]; then sleep $((minutes * 60)); fi
: > /run/powered-off
"""


@dataclass(frozen=True)
class Outcome:
    exit_code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool


class Guest:
    def __init__(self, root: Path) -> None:
        self.root = root
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def create(self) -> None:
        for folder in _folders.split():
            (self.root / folder).mkdir(parents=True)
        self._install_programs()
        for device in _devices:
            (self.root / "dev" / device).touch()
        self._write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        self._write("etc/os-release", 'ID=guest\nPRETTY_NAME="Fake guest of the test clouds"\n')
        self._write("etc/machine-id", f"{secrets.token_hex(16)}\n")
        for kind in _keys:
            seed = base64.b64encode(secrets.token_bytes(48)).decode()
            self._write(f"etc/ssh/ssh_host_{kind}_key", f"-----BEGIN FAKE KEY-----\n{seed}\n-----END FAKE KEY-----\n")
            self._write(f"etc/ssh/ssh_host_{kind}_key.pub", f"ssh-{kind} {seed} root@guest\n")
        self.boot()

    def _install_programs(self) -> None:
        target = self.root / "bin" / "busybox"
        try:
            os.link(_busybox, target)
        except OSError:  # Another file system.
            shutil.copy(_busybox, target)
        for applet in _applets():
            if applet not in ("busybox", "poweroff", "halt", "shutdown", "reboot"):
                (self.root / "bin" / applet).symlink_to("busybox")
        for link, to in _links.items():
            (self.root / link).symlink_to(to)
        self._write("bin/shutdown", _poweroff, 0o755)
        for name in ("poweroff", "halt"):
            (self.root / "bin" / name).symlink_to("shutdown")

    def _write(self, path: str, text: str, mode: int = 0o644) -> None:
        file = self.root / path
        file.write_text(text)
        file.chmod(mode)

    def boot(self) -> None:
        """A new boot: another boot id, uptime from now."""
        self._write("proc/sys/kernel/random/boot_id", f"{uuid.uuid4()}\n")
        self._write("run/booted-at", f"{time.time()}\n")
        (self.root / "run/powered-off").unlink(missing_ok=True)

    def _tick(self) -> None:
        up = time.time() - float((self.root / "run/booted-at").read_text())
        self._write("proc/uptime", f"{up:.2f} {up:.2f}\n")

    def start(self, command: str, **streams: int) -> subprocess.Popen[bytes]:
        """Begins it with /bin/sh in the guest; it dies with the guest, or with this program."""
        self._tick()
        with self._lock:
            process = subprocess.Popen(
                [*_apart, "sh", "-c", _enter, "sh", str(self.root), command],
                env={**_environment, "PATH": f"{_environment['PATH']}:/usr/sbin"},
                start_new_session=True,
                preexec_fn=_die_with_parent,
                **streams,
            )
            self._running.add(process)
        return process

    def ended(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._running.discard(process)

    def run(self, command: str, timeout_seconds: float, cancel: threading.Event | None = None) -> Outcome:
        """Runs it with /bin/sh in the guest, without input. On time-out or cancel it is killed with all that it started."""
        process = self.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if cancel is not None:
            threading.Thread(target=_kill_on, args=(cancel, process), daemon=True).start()
        try:
            stdout, stderr = process.communicate(timeout=timeout_seconds)
            return Outcome(_exit_code(process.returncode), stdout, stderr, timed_out=False)
        except subprocess.TimeoutExpired:
            kill(process)
            stdout, stderr = process.communicate()
            return Outcome(124, stdout, stderr, timed_out=True)
        finally:
            self.ended(process)

    def kill(self) -> None:
        """As a power cut does."""
        with self._lock:
            for process in self._running:
                kill(process)

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    def is_powered_off(self) -> bool:
        return (self.root / "run/powered-off").exists()

    def machine_id(self) -> str:
        return (self.root / "etc/machine-id").read_text().strip()

    def boot_id(self) -> str:
        return (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()

    def host_key_lines(self) -> list[str]:
        lines = []
        for kind in _keys:
            digest = hashlib.sha256((self.root / f"etc/ssh/ssh_host_{kind}_key").read_bytes()).digest()
            lines.append(f"SHA256:{base64.b64encode(digest).decode().rstrip('=')} ({kind.upper()})")
        return lines


_known_applets: list[str] = []


def _applets() -> list[str]:
    if not _known_applets:
        if not _busybox.exists():
            raise FileNotFoundError(
                f"{_busybox} is missing: run `node scripts/bootstrap.mjs scripts/setup/test-clouds.ts`"
            )
        listed = subprocess.run([str(_busybox), "--list"], capture_output=True, text=True, check=True)
        _known_applets.extend(listed.stdout.split())
    return _known_applets


def _die_with_parent() -> None:
    """PR_SET_PDEATHSIG: whoever kills this program must not leave its guests running."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _kill_on(cancel: threading.Event, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        if cancel.wait(0.1):
            kill(process)
            return


def _exit_code(returned: int) -> int:
    return returned if returned >= 0 else 128 - returned
