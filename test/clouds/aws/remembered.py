"""What moto finds out anew for each request although it never changes, a fourth of a request's time: its services, and the actions of one."""

from __future__ import annotations

import functools

from moto import backends
from moto.core import responses

_services = tuple(backends.list_of_moto_modules())

backends.list_of_moto_modules = lambda: _services
responses.method_names_from_class = functools.cache(responses.method_names_from_class)
