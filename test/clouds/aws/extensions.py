"""Everything that replaces a part of moto; importing it is enough."""

from . import identity, instances, key_pairs, remembered, snapshots, spot_requests, ssm, tags, volumes  # noqa: F401
from .images import ami, attributes, ending, making, public_access, visible  # noqa: F401
