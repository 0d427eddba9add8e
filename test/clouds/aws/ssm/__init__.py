"""Systems Manager. https://docs.aws.amazon.com/systems-manager/latest/userguide/what-is-systems-manager.html"""

from . import commands, managed, parameters  # noqa: F401
