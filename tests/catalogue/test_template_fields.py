"""The names that Handlebars would look up, found without rendering."""

from __future__ import annotations

from pathlib import Path

import pytest

from safar.catalogue.template_fields import find_raw_output, list_fields, list_locales, scan_fields


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("Hello {{first_name}} and {{{ last_name }}} {{~trimmed~}}", ["first_name", "last_name", "trimmed"]),
        ("{{#if offer}}{{offer.title}}{{else if other}}x{{else}}{{third}}{{/if}}", ["offer", "other", "third"]),
        (
            "{{#each items}}{{title}} {{this.price}} {{@index}} {{../currency}} {{@root.shop}}{{/each}}{{after}}",
            ["items", "currency", "shop", "after"],
        ),
        (
            "{{formatDate ordered_at 'DD.MM.YYYY'}}{{#equals country \"de\"}}{{x}}{{/equals}}",
            ["ordered_at", "country", "x"],
        ),
        ("{{#if (greaterThan items_count 1)}}many{{/if}}", ["items_count"]),
        ('{{insert name "default=friend"}}{{insert nick default=other}}', ["name", "nick", "other"]),
        ("{{!-- {{secret}} --}}{{! note }}<!-- {{old}} -->{{seen}}", ["seen"]),
        ("{{#unless is_known}}{{true}}{{this}}{{/unless}}", ["is_known"]),
    ],
)
def test_names_are_found(text: str, fields: list[str]) -> None:
    assert scan_fields(text) == fields


def test_all_locales_and_included_parts_count(tmp_path: Path) -> None:
    folder = tmp_path / "welcome"
    folder.mkdir()
    (tmp_path / "footer.mjml").write_text("{{footer_field}} {{unsubscribe_url}}")
    (folder / "en.mjml").write_text('<mj-include path="../footer.mjml" />{{first_name}}')
    (folder / "de.mjml").write_text("{{salutation}}")
    assert list_locales(tmp_path, "welcome") == ["de", "en"]
    assert list_fields(tmp_path, "welcome") == {
        "salutation": folder / "de.mjml",
        "first_name": folder / "en.mjml",
        "footer_field": folder / "en.mjml",
    }


def test_raw_output_is_found_with_file_and_line_also_in_what_is_included(tmp_path: Path) -> None:
    folder = tmp_path / "welcome"
    folder.mkdir()
    (tmp_path / "footer.mjml").write_text("{{fine}}\n{{& legal}}")
    (folder / "en.mjml").write_text('{{name}}\n<mj-include path="../footer.mjml" />\n{{{name}}} {{~{name}~}}')
    found = [line.split(" writes")[0] for line in find_raw_output(folder / "en.mjml")]
    assert found == [f"{folder}/../footer.mjml:2: '{{{{&'", f"{folder}/en.mjml:3: '{{{{{{'"]
