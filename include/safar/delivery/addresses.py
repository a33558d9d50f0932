"""Addresses, by the name under which delivery has always known them; they live in `safar.addresses`."""

from safar.addresses import hash_address, normalise_email

__all__ = ["hash_address", "normalise_email"]
