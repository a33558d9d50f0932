"""Operators of one verb each; the work itself is done by `safar`."""
