"""Garbage is looked for seldom: loading modules makes a hundred thousand objects that stay (docs/decisions.md)."""

import gc

gc.set_threshold(50_000, 50, 100)  # a function's requests make little that only the collector finds
