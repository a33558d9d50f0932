"""The vendor's error answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi.responses import JSONResponse

from sandbox.spoiling import ErrorShapes

HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message"


@dataclass(frozen=True)
class FieldError:
    """One entry of `errors`: what is wrong, the dotted path of the field, and where to read about it."""

    message: str
    field: str | None = None
    help: str | None = None

    def as_json(self) -> dict[str, str | None]:
        return {"message": self.message, "field": self.field, "help": self.help}


class SendGridError(Exception):
    """Ends a request with the vendor's status and `{"errors": [...]}`."""

    def __init__(self, status: int, *errors: FieldError, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: " + "; ".join(error.message for error in errors))
        self.status = status
        self.errors = errors
        self.headers = dict(headers or {})

    def as_response(self) -> JSONResponse:
        content = {"errors": [error.as_json() for error in self.errors]}
        return JSONResponse(content, self.status, headers=self.headers)


def bad_request(message: str, field: str | None = None) -> SendGridError:
    return SendGridError(400, FieldError(message, field))


def not_found(message: str = "resource not found") -> SendGridError:
    return SendGridError(404, FieldError(message))


def mail_error(message: str, field: str, topic: str) -> FieldError:
    """An error of mail/send; `topic` is the anchor of the vendor's page that explains it."""
    return FieldError(message, field, f"{HELP}.{topic}")


def invalid_key() -> SendGridError:
    return SendGridError(401, FieldError("The provided authorization grant is invalid, expired, or revoked"))


def too_many_requests(headers: Mapping[str, str]) -> SendGridError:
    return SendGridError(429, FieldError("too many requests"), headers=headers)


def server_error(status: int = 500) -> SendGridError:
    return SendGridError(status, FieldError("Internal server error"))


SHAPES = ErrorShapes(
    unauthorized=lambda: invalid_key().as_response(),
    throttled=lambda told: too_many_requests({} if told is None else {"Retry-After": told}).as_response(),
    server_error=lambda: server_error().as_response(),
)
