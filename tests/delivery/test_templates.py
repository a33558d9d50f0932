"""What is said: sound MJML, escaped values, an unsubscribe link, published once per content."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.delivery.conftest import NOON, OpenWorkspace, RunningSandbox

from safar.delivery.claiming import read_fields
from safar.delivery.plain_text import read_plain_text
from safar.delivery.publishing import publish_contents
from safar.delivery.rendering import render_mail, render_text
from safar.delivery.template_files import choose_locale, compile_template, list_locales
from safar.errors import ConfigurationError
from safar.settings import PROJECT_ROOT

TEMPLATES = PROJECT_ROOT / "include" / "templates"
NAMES = ("reactivation_reminder", "cart_reminder", "cart_offer", "loyalty_thanks")
LINK = "http://127.0.0.1:1/unsubscribe/token"
SOUND = """<mjml><mj-head><mj-title>Hello {{name}}</mj-title><mj-preview>Short</mj-preview></mj-head>
<mj-body><mj-section><mj-column><mj-text>Hello {{name}} of {{company.name}}
<a href="{{unsubscribe_url}}">off</a></mj-text></mj-column></mj-section></mj-body></mjml>"""


@pytest.mark.parametrize("template", NAMES)
@pytest.mark.parametrize("locale", ["en", "fa"])
def test_each_mail_reads_well_whatever_is_missing(template: str, locale: str) -> None:
    content = compile_template(TEMPLATES, template, locale, {})
    mail = render_mail(
        content, {"unsubscribe_url": LINK, "first_name": "<b>An&na</b>", "recovery_url": "https://x.example/c"}
    )
    assert LINK in mail.text
    assert "<b>An" not in mail.html
    assert "{{" not in mail.html + mail.text + mail.subject
    assert "10115 Berlin" in mail.text, "the postal address"
    assert f'lang="{locale}"' in mail.html
    assert ('dir="rtl"' in mail.html) == (locale == "fa")


def test_fields_are_declared_and_those_without_a_default_are_required() -> None:
    content = compile_template(TEMPLATES, "cart_reminder", "en", {})
    assert {"first_name", "first_item_title", "recovery_url", "total_amount"} <= set(content.fields)
    assert "recovery_url" in content.required
    assert "total_amount" not in content.required
    assert "unsubscribe_url" not in content.fields


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<mj-text>", "<mj-txt>", "mj-txt> is not an MJML tag"),
        ("{{name}} of", "{{{name}}} of", "en.mjml:2: '{{{' writes a value without escaping"),
        ("{{name}} of", "{{&name}} of", "en.mjml:2: '{{&' writes a value without escaping"),
        ("{{name}} of", "{{~{name}~}} of", "en.mjml:2: '{{~{' writes a value without escaping"),
        ("{{name}} of", '<a href="{{name}}">x</a> of', "en.mjml:2: {{name}} is the target of a link"),
        ("{{unsubscribe_url}}", "https://x.example", "no link to {{unsubscribe_url}}"),
        ("</mj-column>", "", "not sound MJML"),
        ("Hello {{name}}</mj-title>", "</mj-title>", "no <mj-title>"),
        ("<mj-preview>Short</mj-preview>", "", "no <mj-preview>"),
        ("company.name", "company.phone", "company.phone}} has no value"),
        ("<mj-text>", '<mj-include path="../none.mjml" /><mj-text>', "none.mjml"),
    ],
)
def test_a_fault_in_a_template_names_the_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = tmp_path / "t" / "en.mjml"
    file.parent.mkdir()
    file.write_text(SOUND.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        compile_template(tmp_path, "t", "en", {"name": "Shop"})
    assert str(file) in str(caught.value)
    assert message in str(caught.value)


def test_a_value_of_the_company_cannot_become_handlebars(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "en.mjml").write_text(SOUND)
    content = compile_template(tmp_path, "t", "en", {"name": "{{evil}} & <Co>"})
    assert "evil" not in content.fields
    assert "evil &amp; &lt;Co&gt;" in content.html


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{{insert name "default=friend"}}', "friend"),
        ("{{#equals count 3}}three{{else}}other{{/equals}}", "three"),
        ("{{#notEquals count 3}}other{{else}}three{{/notEquals}}", "three"),
        ("{{#greaterThan count 2}}many{{/greaterThan}}{{#lessThan count 2}}few{{/lessThan}}", "many"),
        ("{{#and count missing}}both{{else}}not both{{/and}} {{#or count missing}}one{{/or}}", "not both one"),
        ("{{length items}}", "2"),
        ('{{formatDate day "DD MMMM YYYY"}}', "24 December 2025"),
        ("{{#each items}}{{@index}}{{this}} {{/each}}", "0a 1b "),
        ("{{#if missing}}a{{else if count}}b{{/if}}", "b"),
    ],
)
def test_sendgrids_helpers_work_here_too(text: str, expected: str) -> None:
    assert render_text(text, {"count": 3, "items": ["a", "b"], "day": "2025-12-24"}) == expected


def test_the_locale_falls_back_to_language_and_default() -> None:
    assert choose_locale("fa-IR", ["en", "fa"], "en") == "fa"
    assert choose_locale("pt_BR", ["en", "pt-br", "pt"], "en") == "pt-br"
    assert choose_locale("de", ["en", "fa"], "en") == "en"
    assert choose_locale("de", ["fa"], "en") is None


def test_each_content_is_published_once_even_by_two_at_a_time(
    sandbox: RunningSandbox, open_workspace: OpenWorkspace, tmp_path: Path
) -> None:
    workspace = open_workspace(NOON)
    name = f"t{tmp_path.name[-1]}{abs(hash(tmp_path)) % 10**8}"
    file = tmp_path / name / "en.mjml"
    file.parent.mkdir()

    def publish(text: str) -> Any:
        if file.read_text() != text:
            file.write_text(text)
        return publish_contents(workspace, [compile_template(tmp_path, name, "en", {"name": "Shop"})])

    file.write_text(SOUND)
    content = compile_template(tmp_path, name, "en", {"name": "Shop"})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: publish_contents(workspace, [content]), range(4)))
    assert publish(SOUND).published == ()
    changed = SOUND.replace("Hello", "Good day")
    assert publish(changed).published == (f"{name}/en",)
    assert publish(SOUND).published == (f"{name}/en",), "an old content becomes active again"
    headers = {"Authorization": "Bearer SG.sandbox"}
    url = f"{sandbox.root}/sendgrid/v3/templates"
    listed = requests.get(
        url, params={"generations": "dynamic", "page_size": "200"}, headers=headers, timeout=10
    ).json()
    [ours] = [template for template in listed["result"] if template["name"] == f"safar/{name}/en"]
    whole = requests.get(f"{url}/{ours['id']}", headers=headers, timeout=10).json()
    assert len(whole["versions"]) == 2
    [active] = [version for version in whole["versions"] if version["active"]]
    assert active["subject"] == "Hello {{name}}"


def test_every_locale_of_a_template_takes_the_same_fields_or_fewer() -> None:
    for template in NAMES:
        fields = {
            locale: set(compile_template(TEMPLATES, template, locale, {}).fields)
            for locale in list_locales(TEMPLATES, template)
        }
        assert fields["fa"] <= fields["en"], template


def test_a_link_in_the_plain_text_stays_a_link() -> None:
    text = read_plain_text('<body><p>Hello {{name}}</p><a href="{{link}}">Back</a></body>')
    rendered = render_text(text, {"name": "Ann & Bob", "link": "https://shop.example.com/?a=1&b=2"})
    assert "Ann & Bob" in rendered
    assert "(https://shop.example.com/?a=1&b=2)" in rendered


def test_an_amount_keeps_the_digits_that_it_was_written_with() -> None:
    assert read_fields('{"total": 19.80, "items": 3}') == {"total": "19.80", "items": 3}
