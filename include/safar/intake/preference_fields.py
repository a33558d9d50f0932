"""The boxes of the preference centre as HTML: a group per topic, a box per channel, and the language of mail."""

from __future__ import annotations

from html import escape

from safar.intake.preferences import Choice, Preferences
from safar.intake.texts import LANGUAGES, Texts, choose_texts

LANGUAGE_FIELD = "language"


def render_fields(preferences: Preferences, texts: Texts, waiting: frozenset[str] = frozenset()) -> str:
    """Returns the fields of the form, each with its label.

    Args:
        waiting: boxes for which a mail has just been planned; nothing is granted yet.
    """
    by_topic: dict[str, list[Choice]] = {}
    for choice in preferences.choices:
        by_topic.setdefault(choice.topic.label(texts.language), []).append(choice)
    groups = [
        _render_group(label, [_render_box(choice, texts, waiting) for choice in choices])
        for label, choices in by_topic.items()
    ]
    if not groups:
        groups = [f"<p>{escape(texts.nothing_to_choose)}</p>\n"]
    chosen = choose_texts(preferences.locale, None).language
    radios = [_render_radio(known, known.language == chosen) for known in LANGUAGES.values()]
    return "".join([*groups, _render_group(texts.language_of_mail, radios)])


def _render_group(legend: str, rows: list[str]) -> str:
    return f"<fieldset>\n<legend>{escape(legend)}</legend>\n{''.join(rows)}</fieldset>\n"


def _render_box(choice: Choice, texts: Texts, waiting: frozenset[str]) -> str:
    checked = " checked" if choice.is_granted else ""
    label = texts.channels.get(choice.channel, choice.channel)
    if choice.name in waiting:
        label = texts.waiting.format(channel=label)
    return f'<label><input type="checkbox" name="{escape(choice.name)}" value="yes"{checked}> {escape(label)}</label>\n'


def _render_radio(known: Texts, is_chosen: bool) -> str:
    checked = " checked" if is_chosen else ""
    field = f'<input type="radio" name="{LANGUAGE_FIELD}" value="{known.language}"{checked}>'
    return f'<label>{field} <span lang="{known.language}" dir="{known.direction}">{known.own_name}</span></label>\n'
