"""The same guest for programs in any language; each command answers one line of JSON.

guest.py create ROOT                     a new guest in a folder that is not there yet
guest.py boot ROOT                       boots it again
guest.py run ROOT SECONDS COMMAND        {"exitCode", "stdout", "stderr", "timedOut"}; on time-out the exit code is 124
guest.py state ROOT                      {"machineId", "bootId", "hostKeys", "poweredOff"}
guest.py remove ROOT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from guest.machine import Guest  # noqa: E402


def state(guest: Guest) -> dict[str, object]:
    return {
        "machineId": guest.machine_id(),
        "bootId": guest.boot_id(),
        "hostKeys": guest.host_key_lines(),
        "poweredOff": guest.is_powered_off(),
    }


def main(arguments: list[str]) -> dict[str, object]:
    match arguments:
        case ["create", root]:
            guest = Guest(Path(root))
            guest.create()
            return state(guest)
        case ["boot", root]:
            guest = Guest(Path(root))
            guest.boot()
            return state(guest)
        case ["state", root]:
            return state(Guest(Path(root)))
        case ["remove", root]:
            Guest(Path(root)).remove()
            return {}
        case ["run", root, seconds, command]:
            outcome = Guest(Path(root)).run(command, float(seconds))
            return {
                "exitCode": outcome.exit_code,
                "stdout": outcome.stdout.decode(errors="replace"),
                "stderr": outcome.stderr.decode(errors="replace"),
                "timedOut": outcome.timed_out,
            }
    sys.exit(__doc__)


# `import guest.guest` would find this file's own folder first.
if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
