"""Client tokens: a call that is repeated with its token is answered as the first one was.

https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .refusals import token_mismatch
from .world import world

_answers: dict[tuple[str, str, str, str], tuple[dict[str, Any], Any]] = {}
world.on_reset.append(_answers.clear)


def once(response: Any, action: str, work: Callable[[], Any]) -> Any:
    """The answer is kept for a call that did its work; a refused one may be made again with the same token."""
    token = response._get_param("ClientToken")
    if not token:
        return work()
    asked = {name: value for name, value in response.querystring.items() if name not in ("Version", "Action")}
    key = (action, response.current_account, response.region, token)
    if key in _answers:
        before, answer = _answers[key]
        if before != asked:
            raise token_mismatch()
        return answer
    answer = work()
    _answers[key] = (asked, answer)
    return answer
