"""What is read off a request before moto sees it, and errors written in the protocol of the service that was asked."""

from __future__ import annotations

import io
import json
import re
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

_credential = re.compile(r"Credential=([A-Z0-9]+)/\d+/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")


@dataclass(frozen=True)
class Asked:
    service: str
    action: str
    region: str
    access_key: str
    parameters: dict[str, str]

    def parameter(self, pattern: str) -> str | None:
        """The first parameter whose name matches, in the flat names of the query protocols or the top level of JSON."""
        return next((value for name, value in self.parameters.items() if re.fullmatch(pattern, name)), None)


def read(environ: dict[str, Any]) -> Asked | None:
    """None: not a signed call of the services that are served here."""
    credential = _credential.search(environ.get("HTTP_AUTHORIZATION", ""))
    if credential is None:
        return None
    access_key, region, service = credential.groups()
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target is not None:
        parsed = json.loads(body or b"{}")
        parameters = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parsed.items()}
        return Asked(service, target.split(".")[-1], region, access_key, parameters)
    parameters = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return Asked(service, parameters.get("Action", ""), region, access_key, parameters)


@dataclass(frozen=True)
class Refusal:
    status: int
    code: str
    message: str

    def answer(self, service: str) -> tuple[int, str, bytes]:
        """Status, content type and body. https://smithy.io/2.0/aws/protocols/index.html"""
        request = str(uuid.uuid4())
        if service == "ssm":
            body = json.dumps({"__type": self.code, "message": self.message})
            return self.status, "application/x-amz-json-1.1", body.encode()
        error = f"<Code>{escape(self.code)}</Code><Message>{escape(self.message)}</Message>"
        if service == "ec2":
            xml = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{request}</RequestID></Response>"
        else:
            xml = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>{request}</RequestId></ErrorResponse>"
        return self.status, "text/xml", f'<?xml version="1.0" encoding="UTF-8"?>{xml}'.encode()


class RefusedCall(Exception):
    """For refusals whose status moto's serializer does not know."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
