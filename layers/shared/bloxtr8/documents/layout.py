"""A paragraph of any script, broken into lines and each line into runs, placed from left to right. All in points."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from bloxtr8.documents import pdf_bidi, pdf_faces
from bloxtr8.documents import text as unicode_text
from bloxtr8.documents.text import Cluster

MAX_CLUSTERS_A_LINE = 300


@dataclass(frozen=True, slots=True)
class Type:
    """How text is set: size and leading in points, colour as red, green, blue of 255."""

    size: float
    leading: float
    color: tuple[int, int, int]
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one face and direction; `x` is its left edge within the line."""

    x: float
    face: str
    shaped: pdf_faces.Shaped
    mark: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `rtl` where its paragraph runs from right to left."""

    runs: tuple[Run, ...]
    width: float
    rtl: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """A cluster with the face that shows it (None: nothing to draw), its script and its embedding level."""

    cluster: Cluster
    face: str | None
    script: str | None
    level: int

    @property
    def style(self) -> tuple[str | None, str | None, int, bool]:
        return self.face, self.script, self.level, self.cluster.mark


@functools.lru_cache(maxsize=256)
def lines(text: str, kind: Type, width: float) -> tuple[Line, ...]:
    """Break text into lines no wider than `width` points; an empty paragraph is an empty line."""
    return tuple(line for paragraph in unicode_text.paragraphs(text) for line in _lines_of(paragraph, kind, width))


def width_of(text: str, kind: Type) -> float:
    """The width of one unbroken line."""
    return max((line.width for line in lines(text, kind, float("inf"))), default=0.0)


def _lines_of(paragraph: str, kind: Type, width: float) -> Iterator[Line]:
    shown = list(_shown(paragraph, kind, width))
    joined = "".join(cluster.text for cluster, _ in shown)
    rtl = pdf_bidi.right_to_left(joined)
    pieces = list(_pieces(shown, pdf_bidi.levels(joined, rtl)))
    for start, end in _breaks(pieces, functools.partial(_measure, size=kind.size), width):
        yield _set(_without_trailing_spaces(pieces[start:end]), kind, rtl)


def _shown(paragraph: str, kind: Type, width: float) -> Iterator[tuple[Cluster, str | None]]:
    """Each cluster with its face; what no face shows, or what is wider than the column, by name."""
    for cluster in unicode_text.clusters(paragraph):
        if cluster.silent:
            yield cluster, None
            continue
        face = pdf_faces.face_for(cluster.text, kind.bold)
        if face and pdf_faces.shape(face, cluster.text).advance * kind.size / 1000 <= width:
            yield cluster, face
        else:
            base = pdf_faces.BOLD if kind.bold else pdf_faces.REGULAR
            for mark in [cluster] if cluster.mark else unicode_text.marks(cluster.text):
                yield mark, base


def _pieces(shown: Sequence[tuple[Cluster, str | None]], levels: list[int]) -> Iterator[_Piece]:
    """With levels, and with scripts: what every script uses belongs to the one before it, at the start to the first."""
    scripts = [pdf_faces.script_of(cluster.text) for cluster, _ in shown]
    index, script = 0, next(filter(None, scripts), None)
    for (cluster, face), own in zip(shown, scripts, strict=True):
        script = own or script
        level = levels[index + 1] if cluster.mark else levels[index]  # a mark's by its letter, not by its bracket
        yield _Piece(cluster, face, script, level)
        index += len(cluster.text)


def _breaks(pieces: list[_Piece], measure: Callable[[list[_Piece]], float], width: float) -> Iterator[tuple[int, int]]:
    """Where lines start and end: greedily by words; a word wider than the column by clusters. Spaces may hang over."""
    start, used = 0, 0.0
    for first, last in _words(pieces):
        word = pieces[first:last]
        wide = measure(_without_trailing_spaces(word))
        if first > start and (used + wide > width or last - start > MAX_CLUSTERS_A_LINE):
            yield start, first
            start, used = first, 0.0
        if used + wide <= width and last - start <= MAX_CLUSTERS_A_LINE:
            used += measure(word)
            continue
        for index in range(first, last):
            step = measure(pieces[index : index + 1])
            hangs = pieces[index].cluster.space
            if index > start and ((used + step > width and not hangs) or index - start >= MAX_CLUSTERS_A_LINE):
                yield start, index
                start, used = index, 0.0
            used += step
    yield start, len(pieces)


def _words(pieces: list[_Piece]) -> Iterator[tuple[int, int]]:
    start = 0
    for index in range(1, len(pieces)):
        if unicode_text.may_break(pieces[index - 1].cluster, pieces[index].cluster):
            yield start, index
            start = index
    if pieces:
        yield start, len(pieces)


def _without_trailing_spaces(pieces: list[_Piece]) -> list[_Piece]:
    end = len(pieces)
    while end and (pieces[end - 1].cluster.space or pieces[end - 1].cluster.silent):
        end -= 1
    return pieces[:end]


def _runs(pieces: list[_Piece]) -> list[tuple[_Piece, pdf_faces.Shaped]]:
    """Neighbours of one face, level and kind, shaped together, in reading order."""
    found = []
    drawn = [piece for piece in pieces if piece.face]
    for _, group in groupby(drawn, key=lambda piece: piece.style):
        first, *rest = group
        run = first.cluster.text + "".join(piece.cluster.text for piece in rest)
        found.append((first, pdf_faces.shape(first.face or "", run, script=first.script, rtl=first.level % 2 == 1)))
    return found


def _measure(pieces: list[_Piece], size: float) -> float:
    return sum(shaped.advance for _, shaped in _runs(pieces)) * size / 1000


def _set(pieces: list[_Piece], kind: Type, rtl: bool) -> Line:
    """Place a line's runs as the eye meets them (rule L2)."""
    x, placed = 0.0, []
    for piece, shaped in _reordered(_runs(pieces)):
        placed.append(Run(x, piece.face or "", shaped, piece.cluster.mark))
        x += shaped.advance * kind.size / 1000
    return Line(tuple(placed), x, rtl)


def _reordered(runs: list[tuple[_Piece, pdf_faces.Shaped]]) -> list[tuple[_Piece, pdf_faces.Shaped]]:
    """From the highest level down to 1, reverse each stretch of runs at that level or above."""
    ordered = list(runs)
    for level in range(max((piece.level for piece, _ in runs), default=0), 0, -1):
        index = 0
        while index < len(ordered):
            end = index
            while end < len(ordered) and ordered[end][0].level >= level:
                end += 1
            ordered[index:end] = reversed(ordered[index:end])
            index = end + 1
    return ordered
