"""Which accounts of the company are connected."""

from __future__ import annotations

from pathlib import Path

import pytest

from safar.catalogue.source import read_sources
from safar.errors import ConfigurationError
from safar.services.company import Company
from safar.services.vendors import ACCOUNTS, DEFAULT, choose_sources, describe_vendors
from safar.settings import Settings


def test_the_usual_sources_are_connected_when_none_is_named(tmp_path: Path) -> None:
    assert choose_sources(tmp_path, "") == DEFAULT


def test_what_was_connected_once_stays_so(tmp_path: Path) -> None:
    assert choose_sources(tmp_path, "hubspot, shopify") == {"hubspot", "shopify"}
    assert choose_sources(tmp_path, "meta_ads") == {"hubspot", "shopify", "meta_ads"}
    assert choose_sources(tmp_path, "all") == set(ACCOUNTS)


def test_an_unknown_source_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no account named magento\. Give names of .*hubspot"):
        choose_sources(tmp_path, "hubspot,magento")


def test_each_account_has_the_connections_that_its_source_declares() -> None:
    declared = read_sources(Settings.from_environment().dbt_project)
    described = describe_vendors(Company("http://127.0.0.1:1"), "key", ACCOUNTS)
    for name in ACCOUNTS:
        source = declared[name]
        wanted = {source.connection} | ({source.erase.connection} if source.erase else set())
        assert wanted <= set(described), name
    assert not set(describe_vendors(Company("http://127.0.0.1:1"), "key", ())) & set(ACCOUNTS)
