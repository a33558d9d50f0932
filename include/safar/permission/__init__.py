"""What a person has allowed and how it is proved; what keeps an address from being written to at all."""

from safar.permission.confirming import (
    Confirmation,
    PermissionRequest,
    confirm_permission,
    request_confirmation,
)
from safar.permission.proof import ConfirmedProof, StatedProof
from safar.permission.suppressing import suppress_address, suppress_contact, unsuppress_address, unsuppress_contact

__all__ = [
    "Confirmation",
    "ConfirmedProof",
    "PermissionRequest",
    "StatedProof",
    "confirm_permission",
    "request_confirmation",
    "suppress_address",
    "suppress_contact",
    "unsuppress_address",
    "unsuppress_contact",
]
