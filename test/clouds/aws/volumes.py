"""Volumes say whether they go with their instance: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VolumeAttachment.html"""

from __future__ import annotations

from moto.ec2.models.elastic_block_store import VolumeAttachment

from .extend import adds


@adds(VolumeAttachment)
@property
def delete_on_termination(self: VolumeAttachment) -> bool:
    device = self.instance.block_device_mapping.get(self.device)
    return device is not None and device.delete_on_termination
