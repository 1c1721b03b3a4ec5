"""The template as written, and as CloudFormation gets it."""

from typing import Any

import pytest

from tests.shape.translated import translate
from tools import template


@pytest.fixture(scope="session")
def written() -> dict[str, Any]:
    """template.yaml."""
    return template.load()


@pytest.fixture(scope="session")
def deployed(written: dict[str, Any]) -> dict[str, Any]:
    """template.yaml after the SAM transform: what is counted, permitted and routed in the end."""
    return translate(written)
