"""Errors as AWS words them. Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError


def image_not_found(image_id: str) -> EC2ClientError:
    return EC2ClientError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")


def image_unavailable(image_id: str) -> EC2ClientError:
    """ "deregistered …, or is not in a state from which you can launch an instance or specify attributes"."""
    return EC2ClientError("InvalidAMIID.Unavailable", f"The image ID '{image_id}' is no longer available")


def not_owner(image_id: str) -> EC2ClientError:
    return EC2ClientError("AuthFailure", f"Not authorized for image:{image_id}")


def not_permitted(message: str) -> EC2ClientError:
    return EC2ClientError("OperationNotPermitted", message)


def invalid_value(message: str) -> EC2ClientError:
    return EC2ClientError("InvalidParameterValue", message)


def token_mismatch() -> EC2ClientError:
    """https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html"""
    return EC2ClientError(
        "IdempotentParameterMismatch",
        "The client token has already been used with different request parameters",
    )


def refuse_mixed(adds: bool, removes: bool) -> None:
    """ "You may add or remove …, but you cannot do both in a single operation": API_ModifySnapshotAttribute.html."""
    if adds and removes:
        raise EC2ClientError(
            "InvalidParameterCombination", "You cannot add and remove permissions in a single operation"
        )


def refuse_many(*lists: list[Any]) -> None:
    if any(len(one) > 500 for one in lists):
        raise EC2ClientError("InvalidParameterValue", "At most 500 permissions can be changed in a single operation")
