"""Who calls: long-lived keys that carry their account, and sessions of AssumeRole.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html (external id)
"""

from __future__ import annotations

import re
from typing import Any

from moto.sts.models import STSBackend
from moto.sts.responses import TokenResponse

from .extend import replaces
from .wire import Asked, Refusal, RefusedCall
from .world import Session, wall_clock, world

_own_key = re.compile(r"AKIA0000(\d{12})")
_role = re.compile(r"arn:aws:iam::(\d{12}):role/([\w+=,.@-]+)")


def account_of(asked: Asked) -> str | Refusal:
    if (own := _own_key.fullmatch(asked.access_key)) and own[1] in world.accounts:
        return own[1]
    session = world.sessions.get(asked.access_key)
    if session is None:
        return _unknown_key(asked.service)
    if wall_clock().timestamp() >= session.expires_at:
        code = {"ec2": "RequestExpired", "ssm": "ExpiredTokenException"}.get(asked.service, "ExpiredToken")
        return Refusal(400, code, "The security token included in the request is expired")
    return session.account


def _unknown_key(service: str) -> Refusal:
    if service == "ec2":
        return Refusal(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
    code = "UnrecognizedClientException" if service == "ssm" else "InvalidClientTokenId"
    return Refusal(403, code, "The security token included in the request is invalid.")


def arn_of(asked: Asked, account: str) -> str:
    session = world.sessions.get(asked.access_key)
    if session is None:
        return f"arn:aws:iam::{account}:user/tests"
    return f"arn:aws:sts::{account}:assumed-role/{session.role_arn.split('/')[-1]}/{session.name}"


@replaces(TokenResponse, "assume_role")
def assume_role(original: Any, self: TokenResponse) -> Any:
    role_arn = self._get_param("RoleArn") or ""
    duration = self._get_int_param("DurationSeconds", 3600)
    if not 900 <= duration <= 43_200:
        raise RefusedCall(
            Refusal(400, "ValidationError", f"Value '{duration}' at 'durationSeconds' failed to satisfy constraint")
        )
    role = _role.fullmatch(role_arn)
    known = role is not None and role[1] in world.accounts and role[2].startswith("bakehouse")
    wanted = world.external_ids.get(role[1]) if role is not None else None
    if not known or (wanted is not None and self._get_param("ExternalId") != wanted):
        who = f"User: arn:aws:iam::{self.current_account}:user/tests is not authorized to perform: sts:AssumeRole"
        raise RefusedCall(Refusal(403, "AccessDenied", f"{who} on resource: {role_arn}"))
    return original()


@replaces(STSBackend, "assume_role")
def make_session(original: Any, self: STSBackend, **kwargs: Any) -> Any:
    role = original(**kwargs)
    world.sessions[role.access_key_id] = Session(
        account=role.account_id,
        role_arn=kwargs["role_arn"],
        name=kwargs["role_session_name"],
        expires_at=wall_clock().timestamp() + kwargs["duration"],
    )
    return role
