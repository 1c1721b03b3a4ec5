"""The registry of rails. A rail's module, and the library below it, is imported when the rail is asked for."""

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from bloxtr8.errors import UpstreamFailed
from bloxtr8.rails.base import CardRail, Rail, RailBug, RailError, TermRail

RAILS = {"STRIPE": ("bloxtr8.rails.stripe", "StripeRail"), "USDC_BASE": ("bloxtr8.usdc", "rail")}


def get(name: str) -> Rail:
    """The rail of an escrow (`STRIPE`). Raises KeyError for a name that no rail has."""
    module, factory = RAILS[name]
    return cast(Rail, getattr(importlib.import_module(module), factory)())


def cards() -> CardRail:
    """The rail of cards, with what only cards have."""
    return cast(CardRail, get("STRIPE"))


def chain() -> TermRail:
    """The rail on chain, with what only vaults have."""
    return cast(TermRail, get("USDC_BASE"))


@contextmanager
def asked() -> Iterator[None]:
    """Around what a person's request asks of a rail: to the caller, what the rail raises is UpstreamFailed (502).

    The log says what it was; one that no retry can help is an error of ours, and alarms.
    """
    try:
        yield
    except RailError as error:
        level = logging.ERROR if isinstance(error, RailBug) else logging.WARNING
        logging.getLogger(__name__).log(level, "%s: %s", type(error).__name__, error)
        raise UpstreamFailed("The payment provider gave no usable answer. Please try again.") from None
