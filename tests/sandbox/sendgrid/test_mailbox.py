"""The mailbox's pages."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def find(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def read(world, path):
    answer = world.call("GET", path)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


def open_first(world):
    (link,) = [a["href"] for a in read(world, "/mailbox").find("a") if a["href"].startswith("/mailbox/")][:1]
    return read(world, link)


def test_an_empty_mailbox_says_so(world):
    assert "There is no such mail yet." in read(world, "/mailbox").text


def test_the_list_is_newest_first_paged_and_searched(world):
    template_id = world.add_template()
    world.send([f"reader{number:03d}@example.com" for number in range(120)], template_id)
    first = read(world, "/mailbox")
    assert "120 mails" in first.text
    assert first.text.index("reader119") < first.text.index("reader118")
    last = read(world, "/mailbox?page=3")
    assert "reader000" in last.text
    assert "Page 3 of 3" in last.text
    found = read(world, "/mailbox?search=READER11")
    assert "10 mails" in found.text
    assert "reader110" in found.text
    assert "reader120" not in read(world, "/mailbox?page=99").text


def test_a_mail_is_shown_as_its_recipient_sees_it(world, listener):
    reader = world.people[0]
    unsubscribe = f"{listener.url}/unsubscribe/abc"
    body = world.write([reader.email], world.add_template(), unsubscribe=unsubscribe)
    body["personalizations"][0]["to"][0]["name"] = "Ann Reader"
    world.sdk.send(body)
    assert "Nothing yet" in open_first(world).text
    world.advance(hours=1)
    page = open_first(world)
    assert "Your cart, Ann" in page.text
    assert "Waiting for Ann" in page.text
    assert "The Shop <shop@example.com>" in page.text
    assert f"Ann Reader <{reader.email}>" in page.text
    (frame,) = page.find("iframe")
    assert "sandbox" in frame
    assert not frame["sandbox"]
    assert "<h1>Hello Ann</h1>" in frame["srcdoc"]
    assert "You left Tea, Pot." in page.text
    assert unsubscribe in page.text
    assert "delivered" in page.text
    assert "List-Unsubscribe=One-Click" in page.text


def test_nothing_of_a_mail_becomes_part_of_the_page(world):
    template_id = world.add_template('<p title="x">{{{first_name}}}</p>', "{{{first_name}}}")
    body = world.write(["a@example.com"], template_id)
    attack = '"></iframe><script>alert(1)</script>'
    body["personalizations"][0]["dynamic_template_data"]["first_name"] = attack
    body["from"]["name"] = "<script>x</script>"
    world.sdk.send(body)
    for page in (read(world, "/mailbox"), open_first(world), read(world, "/mailbox?search=<script>")):
        assert not page.find("script")
    answer = world.call("GET", "/mailbox")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_mail_without_html_or_with_data_that_does_not_fit(world):
    plain = {
        "from": {"email": "shop@example.com"},
        "subject": "Plain -name-",
        "content": [{"type": "text/plain", "value": "Dear -name-, <hello>"}],
        "personalizations": [{"to": [{"email": "a@example.com"}], "substitutions": {"-name-": "Ann"}}],
    }
    world.sdk.send(plain)
    page = open_first(world)
    assert "Plain Ann" in page.text
    assert "Dear Ann, <hello>" in page.text
    assert not page.find("iframe")
    world.send(["b@example.com"], world.add_template("<p>{{nothing first_name}}</p>"))
    assert "could not be filled" in open_first(world).text


def test_an_unknown_mail_is_404(world):
    answer = world.call("GET", "/mailbox/77")
    assert answer.status_code == 404
    assert "There is no mail 77" in answer.text
