"""What a document is made of, before it has pages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Title:
    """The document's own name, and what it is about."""

    name: str
    about: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A numbered section starts."""

    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph of ours."""

    text: str


@dataclass(frozen=True, slots=True)
class Steps:
    """An ordered list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody else's words, marked along their whole length, so that they can't pass for ours."""

    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table; a strong one is a sum."""

    cells: tuple[str, ...]
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells. `widths`: shares of the page's; `right`: the columns of figures; `labels`: the first one names."""

    widths: tuple[float, ...]
    rows: tuple[Row, ...]
    head: tuple[str, ...] = ()
    right: frozenset[int] = frozenset()
    labels: bool = True
    whole: bool = False  # never torn over two pages


@dataclass(frozen=True, slots=True)
class Code:
    """What a machine reads, to be copied whole: set small, cut anywhere, never torn over two pages.

    `squares`: the same as a QR code, row by row, dark is true; it stands on the left."""

    text: str
    squares: tuple[tuple[bool, ...], ...] = ()


Block = Title | Heading | Prose | Steps | Quote | Table | Code
