"""The vendor's rules for the body of mail/send; all errors of a request are told together."""

from __future__ import annotations

import re
from collections.abc import Callable

from sandbox.sendgrid.errors import FieldError, mail_error
from sandbox.sendgrid.personalization_rules import (
    Body,
    Errors,
    check_custom_args,
    check_headers,
    check_personalizations,
    check_send_at,
    is_recipient,
    is_valid_address,
    is_whole,
)

MAX_CATEGORIES = 10


def find_errors(body: object, now: float, is_dynamic: bool) -> list[FieldError]:
    """Every rule that the body breaks; `now` is unix time, `is_dynamic` tells that its template is a dynamic one."""
    if not isinstance(body, dict):
        return [FieldError("Bad Request")]
    errors = [error for rule in _MESSAGE_RULES for error in rule(body)]
    errors += check_send_at(body, "send_at", "send_at", now)
    return errors + list(check_personalizations(body, now, is_dynamic))


def _check_from(body: Body) -> Errors:
    sender = body.get("from")
    if not isinstance(sender, dict) or "email" not in sender:
        yield mail_error(
            "The from object must be provided for every email send. It is an object that requires the email parameter, "
            'but may also contain a name parameter.  e.g. {"email" : "example@example.com"}  or '
            '{"email" : "example@example.com", "name" : "Example Recipient"}.',
            "from.email",
            "from",
        )
    elif not is_valid_address(sender["email"]):
        yield mail_error("The from email does not contain a valid address.", "from.email", "from")


def _check_reply_to(body: Body) -> Errors:
    single, several = body.get("reply_to"), body.get("reply_to_list")
    if single is not None and several is not None:
        yield mail_error("You cannot specify both reply_to and reply_to_list.", "reply_to", "reply_to")
    if single is not None and not is_recipient(single):
        yield mail_error("The reply_to email does not contain a valid address.", "reply_to.email", "reply_to")
    if several is not None and not (
        isinstance(several, list) and len(several) <= 1000 and all(map(is_recipient, several))
    ):
        yield mail_error("The reply_to_list must hold 1 to 1000 valid addresses.", "reply_to_list", "reply_to_list")


def _check_content(body: Body) -> Errors:
    content = body.get("content")
    if content is None:
        if not body.get("template_id"):
            yield mail_error(
                "Unless a valid template_id is provided, the content parameter is required. There must be at least "
                "one defined content block. We typically suggest both text/plain and text/html blocks are included, "
                "but only one block is required.",
                "content",
                "content",
            )
        return
    if not isinstance(content, list) or not content:
        yield mail_error("There must be at least one defined content block.", "content", "content")
        return
    for place, block in enumerate(content):
        yield from _check_content_block(block, f"content.{place}")
    types = [block.get("type") for block in content if isinstance(block, dict)]
    if "text/plain" in types[1:] and types[0] == "text/html":
        yield mail_error(
            "Following RFC 1341, section 7.2, if either text/html or text/plain are to be sent in your email: "
            "text/plain needs to be first, followed by text/html, followed by any other content.",
            "content",
            "content",
        )


def _check_content_block(block: object, path: str) -> Errors:
    kind, value = (block.get("type"), block.get("value")) if isinstance(block, dict) else (None, None)
    if not isinstance(kind, str) or not kind:
        yield mail_error(
            "The content type must be a string at least one character in length.", f"{path}.type", "content.type"
        )
    elif re.search(r"[;,\r\n]", kind):
        yield mail_error("The content type cannot contain ';', ',' or CRLF characters.", f"{path}.type", "content.type")
    if not isinstance(value, str) or not value:
        yield mail_error(
            "The content value must be a string at least one character in length.", f"{path}.value", "content.value"
        )


def _check_subject(body: Body) -> Errors:
    if body.get("subject") is not None:
        if not isinstance(body["subject"], str) or not body["subject"]:
            yield mail_error(
                "The subject of your email must be a string at least one character in length.", "subject", "subject"
            )
        return
    blocks = body.get("personalizations")
    has_own = isinstance(blocks, list) and all(isinstance(block, dict) and block.get("subject") for block in blocks)
    if not body.get("template_id") and not has_own:
        yield mail_error(
            "The subject is required. You can get around this requirement if you use a template with a subject "
            "defined or if every personalization has a subject defined.",
            "subject",
            "subject",
        )


def _check_categories(body: Body) -> Errors:
    categories = body.get("categories")
    if categories is None:
        return
    if not isinstance(categories, list) or not all(isinstance(category, str) for category in categories):
        yield mail_error("Categories must be an array of strings.", "categories", "categories")
        return
    if len(categories) > MAX_CATEGORIES:
        yield mail_error(
            f"There is a limit of 10 categories for each email that is sent. You provided {len(categories)} "
            "categories.",
            "categories",
            "categories",
        )
    for place, category in enumerate(categories):
        yield from _check_category(category, category in categories[:place], f"categories.{place}")


def _check_category(category: str, is_repeated: bool, path: str) -> Errors:
    if is_repeated:
        yield mail_error(
            f"The categories must be a unique list, and you have included [{category}] more than once.",
            "categories",
            "categories",
        )
    if len(category) > 255:
        yield mail_error(
            f"Each category must not be longer than 255 characters. [{category}] exceeds this limit.",
            path,
            "categories",
        )
    if not category.isascii():
        yield mail_error("Categories can not contain non-ASCII characters.", path, "categories")


def _check_asm(body: Body) -> Errors:
    asm = body.get("asm")
    if asm is None:
        return
    if not isinstance(asm, dict) or not is_whole(asm.get("group_id")):
        yield mail_error("The asm group id must be an integer.", "asm.group_id", "asm.group_id")
        return
    shown = asm.get("groups_to_display", [])
    if not isinstance(shown, list) or not all(map(is_whole, shown)):
        yield mail_error(
            "The ASM Group IDs to display must be an array of integers.",
            "asm.groups_to_display",
            "asm.groups_to_display",
        )
    elif len(shown) > 25:
        yield mail_error(
            "There is a limit of 25 unsubscribe groups that can be displayed to a user at a time.",
            "asm.groups_to_display",
            "asm.groups_to_display",
        )


def _check_strings(body: Body) -> Errors:
    for name in ("template_id", "batch_id", "ip_pool_name"):
        if body.get(name) is not None and not isinstance(body[name], str):
            yield mail_error(f"The {name} must be a string.", name, name)
    pool = body.get("ip_pool_name")
    if isinstance(pool, str) and not 2 <= len(pool) <= 64:
        yield mail_error("The ip_pool_name must be 2 to 64 characters long.", "ip_pool_name", "ip_pool_name")


def _check_mail_settings(body: Body) -> Errors:
    settings = body.get("mail_settings")
    if settings is None:
        return
    if not isinstance(settings, dict) or not isinstance(settings.get("sandbox_mode", {}), dict):
        yield mail_error("mail_settings and each of them must be objects.", "mail_settings", "mail_settings")


def _check_attachments(body: Body) -> Errors:
    attachments = body.get("attachments", [])
    for place, attachment in enumerate(attachments if isinstance(attachments, list) else [None]):
        for name, message in (
            ("content", "The attachment content must be a string at least one character in length."),
            ("filename", "filename is required."),
        ):
            value = attachment.get(name) if isinstance(attachment, dict) else None
            if not isinstance(value, str) or not value:
                yield mail_error(message, f"attachments.{place}.{name}", f"attachments.{name}")


def _check_message_maps(body: Body) -> Errors:
    yield from check_custom_args(body.get("custom_args"), {}, "custom_args")
    yield from check_headers(body.get("headers"), "headers")


_MESSAGE_RULES: tuple[Callable[[Body], Errors], ...] = (
    _check_from,
    _check_reply_to,
    _check_subject,
    _check_content,
    _check_categories,
    _check_asm,
    _check_strings,
    _check_mail_settings,
    _check_attachments,
    _check_message_maps,
)
