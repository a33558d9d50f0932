"""What every call passes first: the key and the rate limit; and errors in the vendor's shape."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Body, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from sandbox.sendgrid.account import Account, find_account
from sandbox.sendgrid.errors import FieldError, SendGridError, invalid_key

READ_ONLY_SUFFIX = ".readonly"
"""The account's key with this suffix may only read; elsewhere it is refused with 403."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Json = dict[str, Any]
JsonBody = Annotated[Json, Body()]


def read_account(request: Request) -> Account:
    """The account of the company that this server plays."""
    return find_account(request.app.state.company)


AccountHere = Annotated[Account, Depends(read_account)]


def require_key(account: Account, request: Request) -> None:
    """Raises 401 for a missing or wrong key and 403 for a key that may only read."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise SendGridError(401, FieldError("Permission denied, wrong credentials"))
    key = key.strip()
    if key.endswith(READ_ONLY_SUFFIX) and account.is_key(key.removesuffix(READ_ONLY_SUFFIX)):
        if request.method != "GET":
            raise SendGridError(403, FieldError("access forbidden"))
    elif not account.is_key(key):
        raise invalid_key()


class GuardedRoute(APIRoute):
    """Everything but mail/send: guarded, limited, with errors in the vendor's shape."""

    calls_per_window: int | None = None
    """A limit of its own, where the vendor has one for this endpoint."""

    def get_route_handler(self) -> Handler:
        answer = super().get_route_handler()
        endpoint = f"{min(self.methods)} {self.path}"

        async def guard(request: Request) -> Response:
            account = read_account(request)
            headers: dict[str, str] = {}
            try:
                require_key(account, request)
                headers = account.rate_limit.count(endpoint, account.are_limits_on, self.calls_per_window)
                response = await answer(request)
            except SendGridError as error:
                response = error.as_response()
            except RequestValidationError as error:
                response = explain_validation(error).as_response()
            response.headers.update(headers)
            return response

        return guard


class SendRoute(APIRoute):
    """mail/send: not limited and without a limit's headers."""

    def get_route_handler(self) -> Handler:
        answer = super().get_route_handler()

        async def guard(request: Request) -> Response:
            account = read_account(request)
            try:
                require_key(account, request)
                return await answer(request)
            except SendGridError as error:
                return error.as_response()

        return guard


def explain_validation(error: RequestValidationError) -> SendGridError:
    """A query or body that has not the declared type, in the vendor's shape."""
    problems = [
        FieldError(str(problem["msg"]), ".".join(str(part) for part in problem["loc"][1:]) or None)
        for problem in error.errors()
    ]
    return SendGridError(400, *problems)
