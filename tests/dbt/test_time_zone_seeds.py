"""The seeds of time zones are those of their libraries, and know the ends of the world's clocks."""

from __future__ import annotations

from pathlib import Path

from safar.settings import PROJECT_ROOT
from safar.warehouse.time_zone_seeds import choose_zone, list_country_zones, list_prefix_zones, write_seeds

SEEDS = ("country_time_zones.csv", "phone_time_zones.csv")


def test_the_seeds_are_as_their_libraries_say_now(tmp_path: Path) -> None:
    write_seeds(tmp_path)
    for name in SEEDS:
        kept = (PROJECT_ROOT / "dbt_project" / "seeds" / name).read_text()
        assert kept == (tmp_path / name).read_text(), f"{name} is not up to date: run `make seeds`, then commit."


def test_a_zone_is_told_only_where_all_clocks_agree() -> None:
    countries, prefixes = dict(list_country_zones()), dict(list_prefix_zones())
    assert countries["AS"] == "Pacific/Pago_Pago"
    assert countries["DE"] == "Europe/Berlin"
    assert not {"US", "KI", "ES"} & countries.keys()
    assert (prefixes["49"], prefixes["98"], prefixes["1212"]) == ("Europe/Berlin", "Asia/Tehran", "America/New_York")
    assert not {"1", "7"} & prefixes.keys()
    assert choose_zone(["Europe/Berlin", "Europe/Paris"]) == "Europe/Berlin"
    assert choose_zone(["Europe/Berlin", "Europe/London"]) is None
