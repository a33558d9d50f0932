"""What people can choose: the topics of seed subscription_topics, with the words that a marketer wrote for them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from safar.errors import ConfigurationError
from safar.settings import Settings

LABEL = "label_"


@dataclass(frozen=True)
class Topic:
    """One topic of permission; ``labels`` by language."""

    name: str
    labels: dict[str, str]

    def label(self, language: str) -> str:
        return self.labels.get(language) or self.labels.get("en") or self.name


def read_topics(settings: Settings) -> tuple[Topic, ...]:
    """Reads the seed, each topic once, in the order of the file.

    Raises:
        ConfigurationError: the file is missing, or a topic has no label or two.
    """
    path = settings.dbt_project / "seeds" / "subscription_topics.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}). It lists the topics of mail.") from error
    topics: dict[str, Topic] = {}
    for number, row in enumerate(rows, start=2):
        topic = _read_topic(row)
        if topic is None or topics.setdefault(topic.name, topic) != topic:
            raise ConfigurationError(
                f"{path}, line {number}: each topic needs label_en, and the same labels on each of its lines."
            )
    return tuple(topics.values())


def find_topic(topics: Sequence[Topic], name: str) -> Topic | None:
    return next((topic for topic in topics if topic.name == name), None)


def _read_topic(row: dict[str, str]) -> Topic | None:
    labels = {name.removeprefix(LABEL): text for name, text in row.items() if name.startswith(LABEL) and text}
    return Topic(row["topic"], labels) if row.get("topic") and labels.get("en") else None
