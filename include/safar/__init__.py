"""Lifecycle marketing on your own warehouse: extract, build, decide, deliver, learn."""
