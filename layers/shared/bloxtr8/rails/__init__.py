"""The registry of rails. A rail's module, and the library below it, is imported when the rail is asked for."""

import importlib
from typing import cast

from bloxtr8.rails.base import Rail

RAILS = {"STRIPE": ("bloxtr8.rails.stripe", "StripeRail")}


def get(name: str) -> Rail:
    """The rail of an escrow (`STRIPE`). Raises KeyError for a name that no rail has."""
    module, factory = RAILS[name]
    return cast(Rail, getattr(importlib.import_module(module), factory)())
