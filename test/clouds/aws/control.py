"""The switchboard of tests, below `/bakehouse-test/`: JSON in, JSON out. It is never recorded, delayed or faulted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from . import listing
from .faults import Rule
from .images import making
from .world import world

prefix = "/bakehouse-test/"


def _add_rule(given: dict[str, Any]) -> None:
    world.rules.append(Rule.read(given))


def _set_pages(given: dict[str, Any]) -> None:
    world.page_size = given.get("size")


def _expire_sessions(_: dict[str, Any]) -> None:
    for session in world.sessions.values():
        session.expires_at = 0


actions: dict[str, Callable[[dict[str, Any]], Any]] = {
    "ready": lambda _: True,
    "faults/add": _add_rule,
    "faults/clear": lambda _: world.clear_rules(),
    "calls": lambda _: world.calls,
    "calls/clear": lambda _: world.calls.clear(),
    "delays": world.set_delays,
    "elapse": world.elapse,
    "pages": _set_pages,
    "sessions/expire": _expire_sessions,
    "images/base": making.base_image,
    "images/break": making.break_image,
    "images/fail": making.fail_image,
    "tags/forget": listing.forget_tags,
    "everything": listing.everything,
    "reset": lambda _: world.reset(),
}


def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    name = environ["PATH_INFO"].removeprefix(prefix)
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        with world.lock:
            result = actions[name](json.loads(body or b"{}"))
        status = "200 OK"
    except Exception as error:  # The test is told what it did wrong.
        status, result = "400 Bad Request", {"error": f"{type(error).__name__}: {error}"}
    payload = json.dumps(result, default=str).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(payload)))])
    return [payload]
