"""The platform answers, and says which version it is."""

import pytest

from bloxtr8 import config
from tests.emulator import Platform


def test_says_its_version_to_anybody(aws: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSION", "a1b2c3")
    config.settings.cache_clear()

    answer = aws.call("get_health")

    assert (answer.status, answer.body) == (200, {"ok": True, "version": "a1b2c3"})
    assert answer.headers["Content-Type"] == "application/json"
    assert aws.rows() == []
    config.settings.cache_clear()


def test_a_page_of_the_allowed_origin_may_read_it(aws: Platform) -> None:
    assert aws.call("get_health").headers["Access-Control-Allow-Origin"] == "*"
