"""Faults on demand: what a call is answered with instead of, or after, being done.

Throttling: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html (RequestLimitExceeded), and the common errors of each
service, for example https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html (ThrottlingException).
Denied: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (UnauthorizedOperation names no more than the action).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .wire import Asked, Refusal
from .world import world

answers = ("throttled", "server-error", "timeout-after-effect", "held", "not-found", "access-denied")
has_effect = ("timeout-after-effect", "held")


@dataclass
class Rule:
    action: str
    answer: str
    times: int | None
    service: str | None
    account: str | None
    region: str | None
    """How many matching calls go through before the first one is answered."""
    after: int

    @staticmethod
    def read(given: dict) -> Rule:
        if given.get("answer") not in answers:
            raise ValueError(f"no such answer: {given.get('answer')}; there are {', '.join(answers)}")
        return Rule(
            action=given["action"],
            answer=given["answer"],
            times=given.get("times"),
            service=given.get("service"),
            account=given.get("account"),
            region=given.get("region"),
            after=given.get("after", 0),
        )

    def matches(self, asked: Asked, account: str) -> bool:
        return all(
            (
                self.action in ("*", asked.action),
                self.service in (None, asked.service),
                self.account in (None, account),
                self.region in (None, asked.region),
            )
        )


def next_fault(asked: Asked, account: str) -> str | None:
    for rule in world.rules:
        if not rule.matches(asked, account) or rule.times == 0:
            continue
        if rule.after > 0:
            rule.after -= 1
            continue
        if rule.times is not None:
            rule.times -= 1
        return rule.answer
    return None


def refusal(answer: str, asked: Asked, arn: str) -> Refusal:
    if answer == "throttled":
        return _throttled(asked.service)
    if answer == "server-error":
        code = {"ec2": "InternalError", "ssm": "InternalServerError"}.get(asked.service, "InternalFailure")
        return Refusal(500, code, "An internal error has occurred")
    if answer == "access-denied":
        return _denied(asked, arn)
    return _not_found(asked)


def _throttled(service: str) -> Refusal:
    if service == "ec2":
        return Refusal(503, "RequestLimitExceeded", "Request limit exceeded.")
    return Refusal(400, "ThrottlingException" if service == "ssm" else "Throttling", "Rate exceeded")


def _denied(asked: Asked, arn: str) -> Refusal:
    action = f"{asked.service}:{asked.action}"
    who = f"User: {arn} is not authorized to perform: {action}"
    why = f"because no identity-based policy allows the {action} action"
    if asked.service == "ec2":
        return Refusal(
            403, "UnauthorizedOperation", f"You are not authorized to perform this operation. {who} {why}"
        )
    if asked.service == "ssm":
        return Refusal(400, "AccessDeniedException", f"{who} {why}")
    return Refusal(403, "AccessDenied", f"{who} {why}")


_missing = (
    (r"(Source)?ImageId(\.1)?", "InvalidAMIID.NotFound", "The image id '[{}]' does not exist"),
    (r"InstanceId(\.1)?", "InvalidInstanceID.NotFound", "The instance ID '{}' does not exist"),
    (r"SnapshotId(\.1)?", "InvalidSnapshot.NotFound", "The snapshot '{}' does not exist."),
    (r"GroupId(\.1)?", "InvalidGroup.NotFound", "The security group '{}' does not exist"),
    (r"VolumeId(\.1)?", "InvalidVolume.NotFound", "The volume '{}' does not exist."),
    (r"KeyName(\.1)?|KeyPairId(\.1)?", "InvalidKeyPair.NotFound", "The key pair '{}' does not exist"),
    (r"LaunchTemplateId(\.1)?", "InvalidLaunchTemplateId.NotFound", "The launch template ID '{}' does not exist."),
    (r"NetworkInterfaceId(\.1)?", "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '{}' does not exist"),
    (r"SpotInstanceRequestId\.1", "InvalidSpotInstanceRequestID.NotFound", "The spot instance request ID '{}' does not exist"),
)
_missing_resource = {"ami": 0, "i": 1, "snap": 2, "sg": 3, "vol": 4}


def _not_found(asked: Asked) -> Refusal:
    if asked.service == "ssm":
        code = {
            "GetCommandInvocation": "InvocationDoesNotExist",
            "ListCommands": "InvalidInstanceId",
            "SendCommand": "InvalidInstanceId",
        }
        return Refusal(400, code.get(asked.action, "ParameterNotFound"), "")
    for pattern, code, message in _missing:
        if (value := asked.parameter(pattern)) is not None:
            return Refusal(400, code, message.format(value))
    if (resource := asked.parameter(r"ResourceId\.1")) is not None:
        which = _missing_resource.get(re.split("-", resource)[0], 0)
        return Refusal(400, _missing[which][1], _missing[which][2].format(resource))
    return Refusal(400, "InvalidAMIID.NotFound", "The image id does not exist")
