"""`python3 -m aws '{"accounts": ["111111111111"]}'`: serves on a free port of the loopback, says which in one line of JSON, and ends when
its standard input does, so that no test run leaves it behind."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from typing import Any

os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
# Nothing in here may reach the real service, whatever the environment holds.
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402
from moto.server import MotoRequestHandler  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402
from werkzeug.test import Client  # noqa: E402

from . import extensions  # noqa: E402, F401
from .gate import Gate  # noqa: E402
from .instances import guests  # noqa: E402
from .world import world  # noqa: E402


def end_with_input() -> None:
    sys.stdin.buffer.read()
    with world.lock:
        guests.leave()
        os._exit(0)


def create_app(service: str) -> Any:
    """What moto does not do reaches the gate as an exception, instead of a page of HTML."""
    app = create_backend_app(service)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    return app


def warm(gate: Gate) -> None:
    """Loads what the first calls would wait for: the descriptions of the services."""
    credential = f"Credential=AKIA0000{world.accounts[0]}/20260101/us-east-1/{{}}/aws4_request"
    ask = Client(gate)
    for service, action in (("ec2", "DescribeImages"), ("sts", "GetCallerIdentity")):
        ask.post("/", data={"Action": action}, headers={"Authorization": f"AWS4-HMAC-SHA256 {credential.format(service)}"})
    world.reset()


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    world.configure(json.loads(sys.argv[1]))
    world.reset()
    gate = Gate(DomainDispatcherApplication(create_app))
    warm(gate)
    server = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=MotoRequestHandler)
    print(json.dumps({"port": server.port}), flush=True)
    threading.Thread(target=end_with_input, daemon=True).start()
    server.serve_forever()


main()
