"""How moto is extended: methods of its classes are replaced, and the replacement is given what it replaces."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def replaces(cls: type, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The decorated function becomes method `name` of `cls`; its first argument is the original, bound."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        original = getattr(cls, name)

        @functools.wraps(original)
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            return function(functools.partial(original, self), self, *args, **kwargs)

        setattr(cls, name, method)
        return function

    return decorate


def adds(cls: type, name: str | None = None) -> Callable[[Any], Any]:
    """The decorated function or property becomes a member of `cls`, in place of one that is there."""

    def decorate(member: Any) -> Any:
        setattr(cls, name or getattr(member, "fget", member).__name__, member)
        return member

    return decorate
