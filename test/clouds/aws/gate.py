"""The way in: says whose call it is, records it, answers with a fault if one is asked for, and else hands it to moto, one at a time."""

from __future__ import annotations

import socket
import time
import traceback
from collections.abc import Iterable
from typing import Any

from . import control, faults, identity, pages
from .instances.guests import powered_off
from .ssm.parameters import validate_due
from .wire import Asked, Refusal, RefusedCall, read
from .world import world


class Gate:
    def __init__(self, moto: Any) -> None:
        self.moto = moto

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(control.prefix):
            return control.answer(environ, start_response)
        asked = read(environ)
        if asked is None:
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"Only signed calls are served here."]
        with world.lock:
            account = identity.account_of(asked)
            if isinstance(account, Refusal):
                self.note(asked, "", account.code)
                return refuse(account, asked.service, start_response)
            fault = faults.next_fault(asked, account)
            self.note(asked, account, fault)
            if fault is not None and fault not in faults.has_effect:
                refused = faults.refusal(fault, asked, identity.arn_of(asked, account))
                return refuse(refused, asked.service, start_response)
            powered_off()
            validate_due()
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
            if fault is None:
                return self.done(asked, environ, start_response)
            if fault == "held":
                let_go, answer = world.let_go, self.done(asked, environ, start_response)
            else:
                self.done(asked, environ, lambda *_: None)
        if fault == "held":
            let_go.wait()
            return answer
        # The connection ends without an answer, as a time-out on the way looks to a client.
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError("asked for by a fault rule")

    def done(self, asked: Asked, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            if pages.is_paged(asked):
                return pages.answer(asked, environ, start_response, self.moto)
            return list(self.moto(environ, start_response))
        except RefusedCall as refused:
            return refuse(refused.refusal, asked.service, start_response)
        except Exception as error:
            # A gap of the test cloud must not look like a fault of AWS that is worth a retry.
            traceback.print_exc()
            gap = Refusal(400, "TestCloudGap", f"{asked.service}:{asked.action}: {type(error).__name__}: {error}")
            return refuse(gap, asked.service, start_response)

    @staticmethod
    def note(asked: Asked, account: str, answer: str | None) -> None:
        world.calls.append(
            {
                "service": asked.service,
                "action": asked.action,
                "account": account,
                "region": asked.region,
                "answer": answer or "done",
                "laterPage": pages.is_later(asked),
                "at": time.time() * 1000,
            }
        )


def refuse(refusal: Refusal, service: str, start_response: Any) -> Iterable[bytes]:
    status, content_type, body = refusal.answer(service)
    start_response(f"{status} {refusal.code}", [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [body]
