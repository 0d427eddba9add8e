"""Instances. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Instances.html"""

from . import console, guests, launch, ssh, state, status  # noqa: F401
