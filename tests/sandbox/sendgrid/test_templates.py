"""Templates through the SDK, and what Handlebars makes of them."""

from __future__ import annotations

import orjson
import pytest
from python_http_client.exceptions import BadRequestsError, NotFoundError

from sandbox.sendgrid.handlebars import TemplateBroken, render_template
from sandbox.sendgrid.plain_text import read_html


def test_templates_page_to_the_end(world):
    templates = world.sdk.client.templates
    for number in range(7):
        templates.post(request_body={"name": f"t{number}", "generation": "dynamic" if number % 2 else "legacy"})
    seen, query = [], {"generations": "legacy,dynamic", "page_size": "3"}
    url = f"{world.root}/sendgrid/v3/templates"
    while url:
        page = world.session.get(url, params=query, timeout=5).json()
        seen += [template["name"] for template in page["result"]]
        url, query = page["_metadata"].get("next"), {}
    assert seen == [f"t{number}" for number in range(7)]
    assert page["_metadata"]["count"] == 7
    dynamic = orjson.loads(templates.get(query_params={"generations": "dynamic"}).body)["result"]
    assert [template["name"] for template in dynamic] == ["t1", "t3", "t5"]
    assert all(template["id"].startswith("d-") for template in dynamic)
    assert not orjson.loads(templates.get().body)["result"][0]["id"].startswith("d-")


def test_a_template_lives(world):
    templates = world.sdk.client.templates
    template_id = world.add_template()
    templates._(template_id).patch(request_body={"name": "renamed"})
    read = orjson.loads(templates._(template_id).get().body)
    assert (read["name"], read["generation"], len(read["versions"])) == ("renamed", "dynamic", 1)
    copy = orjson.loads(templates._(template_id).post(request_body={"name": "copy"}).body)
    assert copy["id"] != template_id
    assert copy["versions"][0]["html_content"] == read["versions"][0]["html_content"]
    assert templates._(template_id).delete().status_code == 204
    with pytest.raises(NotFoundError):
        templates._(template_id).get()


def test_one_version_is_active(world):
    template_id = world.add_template()
    versions = world.sdk.client.templates._(template_id).versions
    second = orjson.loads(versions.post(request_body={"name": "two", "subject": "s", "html_content": "<p>2</p>"}).body)
    assert second["active"] == 0
    assert second["plain_content"] == "2"
    assert orjson.loads(versions._(second["id"]).activate.post().body)["active"] == 1
    read = orjson.loads(world.sdk.client.templates._(template_id).get().body)["versions"]
    assert [version["active"] for version in read] == [0, 1]
    changed = orjson.loads(versions._(second["id"]).patch(request_body={"html_content": "<p>3</p>"}).body)
    assert (changed["plain_content"], changed["name"], changed["active"]) == ("3", "two", 1)
    assert orjson.loads(versions._(second["id"]).get().body) == changed


def test_broken_handlebars_is_refused(world):
    template_id = world.add_template()
    for body in ({"html_content": "{{#if x}}"}, {"subject": "{{x"}, {"name": ""}, {"active": 7}):
        with pytest.raises(BadRequestsError):
            world.sdk.client.templates._(template_id).versions.post(
                request_body={"name": "two", "subject": "s", **body}
            )


def test_a_mail_keeps_the_content_that_was_active_when_it_was_accepted(world):
    template_id = world.add_template(subject="Old")
    world.send(["a@example.com"], template_id)
    version_id = world.account.templates.read(template_id)["versions"][0]["id"]
    world.sdk.client.templates._(template_id).versions._(version_id).patch(request_body={"subject": "New"})
    world.send(["b@example.com"], template_id)
    page = world.call("GET", "/mailbox").text
    assert page.index("New") < page.index("Old")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{#equals a 'x'}}yes{{else}}no{{/equals}}", "yes"),
        ("{{#notEquals a 'x'}}yes{{else}}no{{/notEquals}}", "no"),
        ("{{#greaterThan n 2}}more{{/greaterThan}}", "more"),
        ("{{#lessThan n 2}}less{{else}}not less{{/lessThan}}", "not less"),
        ("{{#greaterThan (length items) 1}}many{{/greaterThan}}", "many"),
        ("{{#and a n}}both{{/and}}{{#or missing n}}one{{/or}}{{#and a missing}}never{{/and}}", "bothone"),
        ("{{#if missing}}a{{else if n}}b{{else}}c{{/if}}", "b"),
        ("{{#equals a 'y'}}1{{else equals a 'x'}}2{{/equals}}", "2"),
        ("{{#each items}}{{#equals this 'tea'}}[{{this}}]{{else}}{{this}}{{/equals}}{{/each}}", "[tea]pot"),
        ("{{insert name 'default=friend'}} {{insert a 'default=friend'}}", "friend x"),
        ("{{formatDate at 'MMMM D, YYYY h:mm A'}}", "March 2, 2026 11:30 PM"),
        ("{{formatDate at 'YYYY-MM-DD HH:mm' '+0330'}}", "2026-03-03 03:00"),
        ("{{length items}} {{length a}} {{length n}}", "2 1 0"),
        ("{{tag}} {{{tag}}} {{missing}}", "&lt;b&gt; <b> "),
        ("{{~#equals a 'x'~}} x {{~/equals~}}", "x"),
    ],
)
def test_helpers(text, expected):
    data = {"a": "x", "n": 3, "items": ["tea", "pot"], "at": "2026-03-02T23:30:00Z", "tag": "<b>"}
    assert render_template(text, data) == expected


def test_an_unclosed_block_is_an_error():
    with pytest.raises(TemplateBroken):
        render_template("{{#equals a 'x'}}yes", {})


def test_reading_html():
    read = read_html(
        "<head><title>No</title><style>p{}</style></head><div style='display:none'>Look <b>inside</b></div>"
        "<p>One &amp; two</p><p><a href='https://a.example/?x=1&amp;y=2'>Go</a><br>on</p><a href='mailto:x'>x</a>"
    )
    assert read.preheader == "Look inside"
    assert read.text == "One & two\n\nGo\non\nx"
    assert read.links == ["https://a.example/?x=1&y=2"]
    assert read_html("<p>First line</p><p>Second</p>").preheader == "First line"
