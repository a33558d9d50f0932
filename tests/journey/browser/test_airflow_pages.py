"""In Airflow's own pages somebody connects a vendor and presses Test, and somebody finds the switch that stops sending."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
import requests
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as seen
from selenium.webdriver.support.wait import WebDriverWait
from tests.intake.browser.conftest import chromium as chromium

from safar.services.airflow import ADMIN, prepare_airflow
from safar.services.stack import Stack
from safar.services.supervision import await_service, start_service
from safar.services.vendors import HUBSPOT_TOKEN
from safar.settings import PROJECT_ROOT, Settings

PATIENCE = 60


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The company and Airflow's web process."""
    home = tmp_path_factory.mktemp("forms") / "home"
    settings = Settings(project_root=PROJECT_ROOT, home=home, environment="sandbox", clock="sandbox")
    with Stack(settings, 60) as stack:
        stack.start_data()
        stack.airflow_password = prepare_airflow(settings, stack.environment)
        command = [sys.executable, "-m", "airflow", "api-server"]
        server = start_service("api-server", command, stack.environment, home / "logs")
        stack.services.append(server)

        def answers() -> bool:
            try:
                return requests.get(f"{stack.airflow_url}/api/v2/version", timeout=5).ok
            except requests.RequestException:
                return False

        await_service(server, answers, patience=180)
        yield stack


class Connections:
    """The page Admin > Connections."""

    def __init__(self, driver: Chrome, stack: Stack) -> None:
        self.driver = driver
        self.stack = stack
        self.wait = WebDriverWait(driver, PATIENCE)

    def log_in(self) -> None:
        self.driver.set_window_size(1400, 1200)
        self.driver.get(f"{self.stack.airflow_url}/auth/login")
        self.find("//input[@name='username']").send_keys(ADMIN)
        self.find("//input[@name='password']").send_keys(self.stack.airflow_password, Keys.ENTER)
        self.wait.until(lambda driver: "/auth/login" not in driver.current_url)

    def find(self, path: str) -> WebElement:
        return self.wait.until(seen.element_to_be_clickable((By.XPATH, path)), path)

    def fill(self, label: str, text: str) -> None:
        field = self.find(f"//label[starts-with(normalize-space(), '{label}')]/following::input[1]")
        field.send_keys(text)

    def add(self, name: str, label: str, fields: dict[str, str]) -> set[str]:
        """Fills in the form and saves it; returns the labels that the form showed."""
        self.driver.get(f"{self.stack.airflow_url}/connections")
        self.find("//button[contains(., 'Add Connection')]").click()
        self.fill("Connection ID", name)
        kind = self.find("//label[starts-with(normalize-space(), 'Connection Type')]/following::input[1]")
        kind.send_keys(label, Keys.ENTER)
        for field, text in fields.items():
            self.fill(field, text)
        shown = {one.text.strip() for one in self.driver.find_elements(By.TAG_NAME, "label")}
        self.find("//button[contains(., 'Save')]").click()
        self.find(f"//td[contains(., '{name}')]")
        return shown

    def test(self, name: str) -> str:
        """Presses Test in the connection's line and returns what the page says."""
        self.driver.get(f"{self.stack.airflow_url}/connections")
        self.find(f"//tr[td[contains(., '{name}')]]//button[@aria-label='Test Connection']").click()
        told = self.find(
            "//*[contains(text(), 'Test Connection Successful') or contains(text(), 'Test Connection Fail')]"
        )
        return self.find_around(told)

    def find_around(self, title: WebElement) -> str:
        return str(title.find_element(By.XPATH, "./..").text)


@pytest.fixture
def page(chromium: Chrome, stack: Stack) -> Connections:
    page = Connections(chromium, stack)
    page.log_in()
    return page


def test_a_vendor_is_connected_and_tried_in_the_browser(page: Connections, stack: Stack) -> None:
    host = f"{stack.company.base_url}/hubspot"
    shown = page.add("forms_right", "Safar: hubspot", {"Base URL": host, "Secret or token": HUBSPOT_TOKEN})
    assert not {"Login", "Port", "Schema"} & shown, "the form asks for what the source reads, and for nothing else"
    page.add("forms_wrong", "Safar: hubspot", {"Base URL": host, "Secret or token": "pat-of-somebody-else"})
    assert "Test Connection Successful" in (told := page.test("forms_right"))
    assert "hubspot gave a row (contacts)." in told
    assert "Test Connection Failed" in (told := page.test("forms_wrong"))
    assert "refuses our credentials (HTTP 401)" in told
    assert "pat-of-somebody-else" not in told


def test_the_switch_is_found_in_the_menu_and_opens_its_form(page: Connections, stack: Stack) -> None:
    page.driver.get(f"{stack.airflow_url}/dags")
    page.find("//button[contains(., 'Browse')]").click()
    page.find("//a[@aria-label='Stop sending']").click()
    page.wait.until(lambda driver: len(driver.window_handles) > 1)
    page.driver.switch_to.window(page.driver.window_handles[-1])
    page.wait.until(seen.url_to_be(f"{stack.airflow_url}/dags/pause_sending"))
