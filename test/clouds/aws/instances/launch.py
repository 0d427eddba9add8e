"""RunInstances: once for a client token, from an image that may be launched by this account.

- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
- https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (InvalidAMIID.Unavailable)
"""

from __future__ import annotations

from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.amis import Ami
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import filter_dict_attribute_mapping

from ..extend import replaces
from ..images.visible import visible_image
from ..refusals import image_unavailable
from ..tokens import once
from ..world import due_after, every_ec2, is_due, world


filter_dict_attribute_mapping["client-token"] = "client_token"


def _asked_image(self: Any) -> str | None:
    image_id = self._get_param("ImageId")
    template = self._get_param("LaunchTemplate", {})
    if image_id or not template:
        return image_id
    return self.ec2_backend._get_template_from_args(template).image_id


def _launchable(self: Any, image_id: str) -> Ami:
    if image_id in self.ec2_backend.deleted_amis:
        raise image_unavailable(image_id)
    image = visible_image(self.ec2_backend, image_id)
    if image.state != "available":
        raise image_unavailable(image_id)
    return image


@replaces(InstanceResponse, "run_instances")
def run_instances(original: Any, self: Any) -> Any:
    def launch() -> Any:
        image_id = _asked_image(self)
        if image_id is None:
            return original()
        image = _launchable(self, image_id)
        answer = original()
        for other in every_ec2(self.region):
            if image_id in other.amis:
                other.amis[image_id].last_launched = utcnow()
        for instance in answer.result.instances:
            instance.boots = image.boots
            instance.visible_at = due_after(world.delays.visible)
        return answer

    return once(self, "RunInstances", launch)


def _seen(reservations: list[Any]) -> list[Any]:
    for reservation in reservations:
        reservation.instances = [one for one in reservation.instances if is_due(one.visible_at)]
    return [reservation for reservation in reservations if reservation.instances]


@replaces(InstanceBackend, "all_reservations")
def all_reservations(original: Any, self: Any, filters: Any = None) -> list[Any]:
    """What was launched a moment ago is not found yet, in lists and by id."""
    return _seen(original(filters))


@replaces(Instance, "prep_nics")
def prep_nics(original: Any, self: Instance, nic_spec: Any, *args: Any, **kwargs: Any) -> None:
    """What is made with an instance goes with it, unless it is told otherwise; moto lets it stay.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html
    """
    original(nic_spec, *args, **kwargs)
    kept = {str(one.get("DeviceIndex", 0)) for one in nic_spec or [] if "DeleteOnTermination" in one or one.get("NetworkInterfaceId")}
    for index, nic in self.nics.items():
        if str(index) not in kept:
            nic.delete_on_termination = True
