"""Errors that a user can act on."""


class SafarError(Exception):
    """A failure whose message says what happened and what to do about it.

    The command line prints the message without a traceback; an Airflow task fails with it.
    """


class ConfigurationError(SafarError):
    """A file, a setting or a connection is wrong; the message names it, the field and the remedy."""
