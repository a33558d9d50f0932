"""The pages in a real browser: everything by Tab, Space and Enter, in both languages, on a phone and on a desk."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

SIZES = pytest.mark.parametrize("width", [390, 1200])
LANGUAGES = pytest.mark.parametrize(("locale", "direction"), [("en", "ltr"), ("fa", "rtl")])
TITLES = {
    "en": {
        "done": "You are unsubscribed",
        "saved": "Your choices are saved",
        "confirmed": "Thank you, it is confirmed",
    },
    "fa": {"done": "اشتراک شما لغو شد", "saved": "انتخاب‌های شما ذخیره شد", "confirmed": "سپاس، تأیید شد"},
}
LOOK = {"en": "Please look into your mailbox", "fa": "لطفاً صندوق نامه‌هایتان را ببینید"}
MARKETING, SERVICE = 'input[name="want:email:marketing"]', 'input[name="want:email:service"]'
BUTTON = 'button[type="submit"]'

# WCAG's relative luminance and contrast, over the element's own or the nearest painted background.
CONTRAST = """
const parse = text => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = node => {
    for (let at = node; at; at = at.parentElement) {
        const color = parse(getComputedStyle(at).backgroundColor);
        if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
};
return [...document.querySelectorAll('h1, p, bdi, label, legend, button')].map(node => {
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
});
"""


def require_sound_page(page, locale: str, direction: str) -> None:
    """Language and direction are told, each field has its name, nothing hangs over, and all can be read."""
    assert page.ask("return [document.documentElement.lang, document.documentElement.dir]") == [locale, direction]
    assert page.ask("return document.documentElement.scrollWidth <= window.innerWidth")
    assert page.ask("return [...document.querySelectorAll('h1')].length") == 1
    assert page.ask(
        "return [...document.querySelectorAll('input:not([type=hidden])')]"
        ".every(field => field.labels.length === 1 && field.labels[0].innerText.trim())"
    )
    assert page.ask("return [...document.querySelectorAll('fieldset')].every(group => group.querySelector('legend'))")
    assert page.ask("return document.scripts.length") == 0
    assert min(page.ask(CONTRAST)) >= 4.5
    heights = page.ask(
        "return [...document.querySelectorAll('label, button')].map(node => node.getBoundingClientRect().height)"
    )
    assert all(height >= 44 for height in heights)


def require_visible_focus(page) -> None:
    assert page.read_style(page.focused, "outline-style") != "none"
    assert float(page.read_style(page.focused, "outline-width").removesuffix("px")) >= 2


@SIZES
@LANGUAGES
def test_unsubscribing_by_keyboard(
    page, link, write_message, permit, read_state, locale: str, direction: str, width: int
) -> None:
    permit("marketing")
    page.open(link(write_message(locale=locale)), width)
    require_sound_page(page, locale, direction)
    page.tab_to(BUTTON)
    require_visible_focus(page)
    page.picture(f"unsubscribe-{locale}-{width}")
    assert read_state() == "granted"
    page.press(Keys.ENTER)
    page.wait_for_title(TITLES[locale]["done"])
    require_sound_page(page, locale, direction)
    page.picture(f"unsubscribed-{locale}-{width}")
    assert read_state() == "revoked"


@SIZES
@LANGUAGES
def test_giving_up_a_topic_by_keyboard(
    page, preferences, write_message, permit, read_state, locale: str, direction: str, width: int
) -> None:
    permit("marketing")
    permit("service")
    page.open(preferences(write_message(locale=locale)), width)
    require_sound_page(page, locale, direction)
    page.tab_to(SERVICE)
    require_visible_focus(page)
    page.picture(f"preferences-{locale}-{width}")
    page.press(Keys.SPACE)
    page.tab_to(BUTTON)
    require_visible_focus(page)
    page.press(Keys.ENTER)
    page.wait_for_title(TITLES[locale]["saved"])
    require_sound_page(page, locale, direction)
    page.picture(f"saved-{locale}-{width}")
    assert (read_state("marketing"), read_state("service")) == ("granted", "revoked")


@SIZES
@LANGUAGES
def test_asking_for_more_and_confirming_it_by_keyboard(
    page, preferences, confirm, write_message, permit, read_state, locale: str, direction: str, width: int
) -> None:
    permit("service")
    page.open(preferences(write_message(locale=locale)), width)
    page.tab_to(MARKETING)
    page.press(Keys.SPACE)
    page.tab_to(BUTTON)
    page.press(Keys.ENTER)
    page.wait_for_title(LOOK[locale])
    page.picture(f"asked-{locale}-{width}")
    assert (read_state("marketing"), read_state("service")) == (None, "granted")
    page.open(confirm(), width)
    require_sound_page(page, locale, direction)
    page.tab_to(BUTTON)
    require_visible_focus(page)
    page.picture(f"confirm-{locale}-{width}")
    page.press(Keys.SPACE)
    page.wait_for_title(TITLES[locale]["confirmed"])
    assert read_state("marketing") == "granted"


@SIZES
def test_the_language_is_changed_by_arrow_keys(page, preferences, write_message, width: int) -> None:
    page.open(preferences(write_message(locale="en")), width)
    page.tab_to('input[type="radio"][value="en"]')
    require_visible_focus(page)
    page.press(Keys.ARROW_DOWN)
    page.tab_to(BUTTON)
    page.press(Keys.ENTER)
    page.wait_for_title(TITLES["fa"]["saved"])
    require_sound_page(page, "fa", "rtl")


@LANGUAGES
def test_the_pages_can_be_read_in_the_dark(
    page, preferences, write_message, permit, locale: str, direction: str
) -> None:
    permit("marketing")
    with page.in_the_dark():
        page.open(preferences(write_message(locale=locale)), 390)
        require_sound_page(page, locale, direction)
        page.picture(f"dark-{locale}-390")
