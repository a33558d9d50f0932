"""Every file in invalid/ is refused with the message, and at the line, that its first line announces."""

from __future__ import annotations

from pathlib import Path

import pytest

from safar.catalogue import load_catalogue
from safar.errors import ConfigurationError
from safar.settings import Settings

EXAMPLES = sorted((Path(__file__).parent / "invalid").glob("*.yml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_invalid_campaign_is_refused(settings: Settings, example: Path) -> None:
    announced, text = example.read_text().split("\n", 1)
    line, message = announced.removeprefix("# ").split(": ", 1)
    campaign = settings.dbt_project / "models" / "campaigns" / "cart_abandonment" / "cart_abandonment.yml"
    campaign.write_text(f"{announced}\n{text}")
    german = settings.templates / "only_german"
    german.mkdir()
    (german / "de.mjml").write_text("<mjml>Hallo</mjml>")
    with pytest.raises(ConfigurationError) as caught:
        load_catalogue(settings)
    problems = str(caught.value).splitlines()
    assert any(problem.startswith(f"{campaign}:{line}: ") and message in problem for problem in problems), problems
