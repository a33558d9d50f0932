"""A real Chromium in front of a running intake, driven by keys alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from tests.machine import find_program


class Page:
    """What somebody sees who has no mouse."""

    def __init__(self, driver: Chrome, pictures: Path | None) -> None:
        self.driver = driver
        self._pictures = pictures

    def open(self, url: str, width: int, height: int = 900) -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        self.driver.get(url)

    def press(self, key: str, times: int = 1) -> None:
        for _ in range(times):
            ActionChains(self.driver).send_keys(key).perform()

    def tab_to(self, selector: str) -> WebElement:
        """Tabs until the element has the focus.

        Raises:
            AssertionError: the keyboard does not get there.
        """
        for _ in range(30):
            self.press(Keys.TAB)
            if self.focused == self.driver.find_element("css selector", selector):
                return self.focused
        raise AssertionError(f"Tab does not reach {selector}")

    @property
    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    @property
    def title(self) -> str:
        return self.driver.find_element("css selector", "h1").text

    def wait_for_title(self, title: str) -> None:
        """Waits for the answer to a form; while one page gives way to the next neither can be asked."""
        wait = WebDriverWait(self.driver, 60, ignored_exceptions=[WebDriverException])
        wait.until(lambda _: self.title == title, f"the page does not become {title!r}")

    @contextmanager
    def in_the_dark(self) -> Iterator[None]:
        """The system asks for dark pages."""
        dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
        try:
            yield
        finally:
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def read_style(self, element: WebElement, name: str) -> str:
        return str(element.value_of_css_property(name))

    def ask(self, script: str, *values: Any) -> Any:
        return self.driver.execute_script(script, *values)

    def picture(self, name: str) -> None:
        """Keeps a picture where variable SAFAR_PICTURES says."""
        if self._pictures is not None:
            self._pictures.mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(self._pictures / f"{name}.png"))


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = str(find_program("chromium", "chromium-browser", "google-chrome"))
    arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run"]
    arguments += [f"--user-data-dir={tmp_path_factory.mktemp('chromium')}", "--lang=en", "--disable-extensions"]
    arguments += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    for argument in arguments:
        options.add_argument(argument)
    driver = Chrome(options, Service(str(find_program("chromedriver"))))
    driver.set_page_load_timeout(120)
    yield driver
    driver.quit()


@pytest.fixture
def page(chromium: Chrome) -> Page:
    pictures = os.environ.get("SAFAR_PICTURES")
    return Page(chromium, Path(pictures) if pictures else None)
