"""Spot requests: one that is cancelled is listed as such for a while, and may be cancelled again; moto forgets it.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelSpotInstanceRequests.html
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.spot_requests import SpotRequestBackend

from .extend import replaces


@replaces(SpotRequestBackend, "cancel_spot_instance_requests")
def cancel_spot_instance_requests(original: Any, self: Any, request_ids: list[str]) -> list[Any]:
    known = self.spot_instance_requests
    if unknown := [one for one in request_ids if one not in known]:
        raise EC2ClientError(
            "InvalidSpotInstanceRequestID.NotFound",
            f"The spot instance request ID '{unknown[0]}' does not exist",
        )
    for request_id in request_ids:
        known[request_id].state = "cancelled"
    return [known[one] for one in request_ids]
