"""Run Command: the commands really run, in the instance's guest.

- https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
- https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html: the first 24,000 characters of standard
  output and 8,000 of standard error, InvocationDoesNotExist for a command that is not known yet
- https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html: Success, Failed, TimedOut (ExecutionTimedOut), Cancelled
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ssm.exceptions import SSMException
from moto.ssm.responses import SimpleSystemManagerResponse

from ..extend import adds
from ..instances.guests import guest_of
from ..world import due_after, ec2, is_due, world
from .managed import is_online

# No guest here has a PowerShell: what is sent to one is run by the shell there is.
_documents = ("AWS-RunShellScript", "AWS-RunPowerShellScript")
_stdout_limit, _stderr_limit = 24_000, 8_000


@dataclass
class Invocation:
    command_id: str
    instance_id: str
    document: str
    comment: str
    requested_at: Any
    status: str = "InProgress"
    details: str = "InProgress"
    response_code: int = -1
    stdout: str = ""
    stderr: str = ""
    ended_at: Any = None
    cancel: threading.Event = field(default_factory=threading.Event)
    visible_at: float = field(default_factory=lambda: due_after(world.delays.visible))

    def end(self, status: str, details: str, code: int) -> None:
        if self.ended_at is None:
            self.status, self.details, self.response_code, self.ended_at = status, details, code, utcnow()


_invocations: dict[tuple[str, str, str, str], Invocation] = {}
world.on_reset.append(_invocations.clear)


@adds(SimpleSystemManagerResponse)
def send_command(self: Any) -> ActionResult:
    document = self._get_param("DocumentName")
    if document not in _documents:
        raise SSMException("InvalidDocument", f"Document with name {document} does not exist.")
    parameters = self._get_param("Parameters", {})
    instances = [_online(self, one) for one in self._get_param("InstanceIds", [])]
    if not instances:
        raise SSMException("ValidationException", "InstanceIds or Targets are needed")
    command_id, now = str(uuid.uuid4()), utcnow()
    seconds = float(parameters.get("executionTimeout", ["3600"])[0])
    script = "\n".join(parameters.get("commands", []))
    for instance in instances:
        invocation = Invocation(command_id, instance.id, document, self._get_param("Comment", ""), now)
        _invocations[self.current_account, self.region, command_id, instance.id] = invocation
        guest = guest_of(instance)
        threading.Thread(target=_run, args=(invocation, guest, script, seconds), daemon=True).start()
    return ActionResult(
        {
            "Command": {
                "CommandId": command_id,
                "DocumentName": document,
                "Comment": self._get_param("Comment", ""),
                "Parameters": parameters,
                "InstanceIds": [one.id for one in instances],
                "RequestedDateTime": now,
                "Status": "Pending",
                "StatusDetails": "Pending",
                "TargetCount": len(instances),
            }
        }
    )


def _online(self: Any, instance_id: str) -> Any:
    instance = ec2(self.current_account, self.region).get_instance_by_id(instance_id)
    if instance is None or not is_online(instance):
        raise SSMException("InvalidInstanceId", f"Instances [[{instance_id}]] not in a valid state for account")
    return instance


def _run(invocation: Invocation, guest: Any, script: str, seconds: float) -> None:
    try:
        outcome = guest.run(script, seconds, invocation.cancel)
    except OSError as gone:  # The instance was terminated, and its guest with it.
        invocation.end("Failed", "Undeliverable", -1)
        invocation.stderr = str(gone)
        return
    invocation.stdout = outcome.stdout.decode(errors="replace")
    invocation.stderr = outcome.stderr.decode(errors="replace")
    if outcome.timed_out:
        invocation.end("TimedOut", "ExecutionTimedOut", -1)
    elif invocation.cancel.is_set():
        invocation.end("Cancelled", "Cancelled", -1)
    elif outcome.exit_code == 0:
        invocation.end("Success", "Success", 0)
    else:
        invocation.end("Failed", "Failed", outcome.exit_code)


def _find(self: Any, command_id: str, instance_id: str) -> Invocation:
    found = _invocations.get((self.current_account, self.region, command_id, instance_id))
    if found is None or not is_due(found.visible_at):
        raise SSMException("InvocationDoesNotExist", "")
    return found


@adds(SimpleSystemManagerResponse)
def get_command_invocation(self: Any) -> ActionResult:
    found = _find(self, self._get_param("CommandId"), self._get_param("InstanceId"))
    ended = {} if found.ended_at is None else {"ExecutionEndDateTime": f"{found.ended_at.isoformat()}Z"}
    return ActionResult(
        {
            "CommandId": found.command_id,
            "InstanceId": found.instance_id,
            "Comment": found.comment,
            "DocumentName": found.document,
            "PluginName": "aws:runShellScript",
            "ResponseCode": found.response_code,
            "ExecutionStartDateTime": f"{found.requested_at.isoformat()}Z",
            **ended,
            "Status": found.status,
            "StatusDetails": found.details,
            "StandardOutputContent": found.stdout[:_stdout_limit] if found.ended_at else "",
            "StandardErrorContent": found.stderr[:_stderr_limit] if found.ended_at else "",
        }
    )


@adds(SimpleSystemManagerResponse)
def list_commands(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommands.html: the newest first; one that was just sent is
    not listed at once."""
    instance_id, command_id = self._get_param("InstanceId"), self._get_param("CommandId")
    found = [
        one
        for (account, region, _, _), one in _invocations.items()
        if (account, region) == (self.current_account, self.region)
        and instance_id in (None, one.instance_id)
        and command_id in (None, one.command_id)
        and is_due(one.visible_at)
    ]
    return ActionResult(
        {
            "Commands": [
                {
                    "CommandId": one.command_id,
                    "DocumentName": one.document,
                    "Comment": one.comment,
                    "InstanceIds": [one.instance_id],
                    "RequestedDateTime": one.requested_at,
                    "Status": one.status,
                    "StatusDetails": one.details,
                    "TargetCount": 1,
                }
                for one in reversed(found)
            ]
        }
    )


@adds(SimpleSystemManagerResponse)
def cancel_command(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CancelCommand.html: it may end before it is cancelled."""
    wanted = self._get_param("CommandId")
    for (account, region, command_id, _), invocation in _invocations.items():
        if (account, region, command_id) == (self.current_account, self.region, wanted):
            invocation.cancel.set()
    return ActionResult({})
