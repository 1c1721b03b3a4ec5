"""How far a job came on a shelf that holds more than one run looks at, so that the next goes on from there: rows that
stay must not keep those behind them from ever being seen."""

from collections.abc import Callable, Generator, Iterator

from bloxtr8 import table
from bloxtr8.entities import Entity, Place


def walk[E: Entity](shelf: str, pages: Callable[..., Iterator[table.Page[E]]]) -> Generator[list[E]]:
    """Pages of a shelf that one job alone walks, from where its last run stopped; the next goes on behind the last of
    them, whatever became of it. `pages` takes where to `start`. Close it where it may not be walked to its end."""
    place = table.find(Place, shelf=shelf) or Place(shelf=shelf)
    began = place.key
    try:
        for page in pages(start=began):
            place.key = page.next_key
            yield page.items
    finally:
        if place.key != began:
            table.remember(place, unless_exists=False)
