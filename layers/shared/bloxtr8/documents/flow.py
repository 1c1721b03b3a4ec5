"""Blocks, set on pages: what stands where, in points from the top left corner of the page."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby, pairwise, zip_longest

from bloxtr8.documents.blocks import Block, Code, Heading, Prose, Quote, Row, Steps, Table, Title
from bloxtr8.documents.layout import Line, Type, lines, width_of

Color = tuple[int, int, int]

WIDTH, HEIGHT = 595.28, 841.89  # A4
LEFT, TOP, BOTTOM = 62.0, 58.0, 60.0
MEASURE = WIDTH - 2 * LEFT
FLOOR = HEIGHT - BOTTOM

BLACK: Color = (0, 0, 0)
INK: Color = (28, 33, 43)
GREY: Color = (96, 104, 117)
HAIR: Color = (208, 213, 220)
ACCENT: Color = (24, 78, 119)

BODY = Type(9.4, 13.4, INK)
STRONG = Type(9.4, 13.4, INK, bold=True)
LABEL = Type(9.4, 13.4, GREY)
COLUMN_HEAD = Type(8.4, 13.0, GREY, bold=True)
BRAND = Type(10.5, 14.0, ACCENT, bold=True)
NAME = Type(21.0, 27.0, INK, bold=True)
ABOUT = Type(12.5, 17.5, GREY)
HEADING = Type(11.6, 16.0, ACCENT, bold=True)
CODE = Type(7.6, 10.8, INK)
FOOT = Type(7.8, 10.0, GREY)

GUTTER = 14.0  # between columns
ROW_PAD = 2.7
HAIRLINE = 0.6
AFTER_BLOCK = 6.0
KEEP_TOGETHER = 160.0  # what is lower than this isn't torn over two pages
QUOTE_INDENT = 12.0
STEP_INDENT = 18.0
QR_SIDE = 138.0  # with the quiet zone on its right and below; the others are in the margin and in what stands above
QUIET = 4


@dataclass(frozen=True, slots=True)
class Text:
    """A line of type, by the left end of its baseline."""

    x: float
    baseline: float
    line: Line
    type: Type


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled rectangle: rules and borders."""

    x: float
    y: float
    width: float
    height: float
    color: Color


Page = list[Text | Bar]


def _places(table: Table) -> list[tuple[float, float]]:
    """Left edge and width of each column's text."""
    places, x = [], LEFT
    for share in table.widths:
        places.append((x, share * MEASURE - GUTTER))
        x += share * MEASURE
    last_x, last_width = places[-1]
    return [*places[:-1], (last_x, last_width + GUTTER)]


def _kinds(table: Table, row: Row) -> list[Type]:
    if row.strong:
        return [STRONG] * len(row.cells)
    return [LABEL if table.labels else BODY, *[BODY] * (len(row.cells) - 1)]


def _columns(table: Table, cells: tuple[str, ...], kinds: list[Type]) -> list[tuple[Line, ...]]:
    return [lines(cell, kind, width) for cell, kind, (_, width) in zip(cells, kinds, _places(table), strict=False)]


def _head(table: Table) -> list[tuple[Line, ...]]:
    return _columns(table, table.head, [COLUMN_HEAD] * len(table.head))


def _height(columns: list[tuple[Line, ...]]) -> float:
    return max(map(len, columns), default=0) * BODY.leading


def _least(table: Table) -> float:
    """The room without which a table doesn't start on a page: all it needs or, of a long one, head and first row."""
    heights = [_height(_columns(table, row.cells, _kinds(table, row))) + 2 * ROW_PAD for row in table.rows]
    whole = _height(_head(table)) + sum(heights)
    return whole if table.whole or whole <= KEEP_TOGETHER else min(_height(_head(table)) + heights[0], KEEP_TOGETHER)


@dataclass
class Flow:
    """The pages so far, and where on the last one to go on."""

    pages: list[Page] = field(default_factory=lambda: [[]])
    y: float = TOP

    def add(self, blocks: Iterable[Block]) -> None:
        for block, following in pairwise([*blocks, None]):
            match block:
                case Title():
                    self._title(block)
                case Heading():
                    self._heading(block, following)
                case Prose():
                    self._text(block.text, BODY)
                    self.y += AFTER_BLOCK
                case Steps():
                    self._steps(block)
                case Quote():
                    self._quote(block)
                case Table():
                    self._table(block)
                case Code():
                    self._code(block)

    def _room(self, height: float) -> None:
        """Go on to a new page where `height` points don't fit."""
        if self.y + height > FLOOR:
            self.pages.append([])
            self.y = TOP

    def _bar(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        self.pages[-1].append(Bar(x, y, width, height, color))

    def _line(self, line: Line, kind: Type, x: float, width: float, *, right: bool = False) -> None:
        """Set a line in the column at x, on the current y, without moving on."""
        edge = x + width - line.width if right else x
        self.pages[-1].append(Text(edge, self.y + (kind.leading + 0.72 * kind.size) / 2, line, kind))

    def _text(self, text: str, kind: Type, x: float = LEFT, width: float = MEASURE) -> None:
        """Our own words, or a title: kept together."""
        broken = lines(text, kind, width)
        self._room(min(len(broken) * kind.leading, KEEP_TOGETHER))
        for line in broken:
            self._room(kind.leading)
            self._line(line, kind, x, width)
            self.y += kind.leading

    def _title(self, block: Title) -> None:
        self._text("Bloxtr8", BRAND)
        self.y += 5
        self._text(block.name, NAME)
        self._text(block.about, ABOUT)
        self.y += 9
        self._bar(LEFT, self.y, MEASURE, 1.6, ACCENT)
        self.y += 11

    def _heading(self, block: Heading, following: Block | None) -> None:
        """A heading never stands alone at the foot of a page."""
        self.y += 10
        self._room(HEADING.leading + 4 + (_least(following) if isinstance(following, Table) else 2 * BODY.leading))
        self._text(block.text, HEADING)
        self.y += 4

    def _steps(self, block: Steps) -> None:
        for number, item in enumerate(block.items, start=1):
            self._room(BODY.leading)
            for line in lines(f"{number}.", LABEL, STEP_INDENT):
                self._line(line, LABEL, LEFT, STEP_INDENT)
            self._text(item, BODY, LEFT + STEP_INDENT, MEASURE - STEP_INDENT)
            self.y += 2.5
        self.y += 3

    def _quote(self, block: Quote) -> None:
        self.y += 2
        for line in lines(block.text, BODY, MEASURE - QUOTE_INDENT):
            self._room(BODY.leading)
            self._bar(LEFT, self.y, 2.2, BODY.leading, ACCENT)
            self._line(line, BODY, LEFT + QUOTE_INDENT, MEASURE - QUOTE_INDENT, right=line.rtl)
            self.y += BODY.leading
        self.y += 8

    def _code(self, block: Code) -> None:
        indent = QR_SIDE + GUTTER if block.squares else 0.0
        broken = lines(block.text, CODE, MEASURE - indent)
        height = max(len(broken) * CODE.leading, QR_SIDE if block.squares else 0.0)
        self._room(height)
        foot = self.y + height + AFTER_BLOCK
        self._squares(block.squares)
        for line in broken:
            self._line(line, CODE, LEFT + indent, MEASURE - indent)
            self.y += CODE.leading
        self.y = foot

    def _squares(self, rows: tuple[tuple[bool, ...], ...]) -> None:
        """A QR code, its quiet zone on the left in the margin; each stretch of dark squares is one bar."""
        side = QR_SIDE / (len(rows) + QUIET) if rows else 0.0
        for down, row in enumerate(rows):
            across = 0
            for dark, stretch in groupby(row):
                count = len(list(stretch))
                if dark:
                    self._bar(LEFT + across * side, self.y + down * side, count * side, side, BLACK)
                across += count

    def _table(self, table: Table) -> None:
        self._room(_least(table))
        if table.head:
            self._columns(table, _head(table), [COLUMN_HEAD] * len(table.head))
            self._bar(LEFT, self.y, MEASURE, HAIRLINE, HAIR)
        for row in table.rows:
            columns = _columns(table, row.cells, _kinds(table, row))
            self.y += ROW_PAD
            if _height(columns) <= KEEP_TOGETHER:
                self._room(_height(columns))
            self._columns(table, columns, _kinds(table, row))
            self.y += ROW_PAD
            self._bar(LEFT, self.y, MEASURE, HAIRLINE, HAIR)
        self.y += AFTER_BLOCK + 2

    def _columns(self, table: Table, columns: list[tuple[Line, ...]], kinds: list[Type]) -> None:
        """Cells side by side, line by line, so that a long one can go on over the page."""
        for across in zip_longest(*columns):
            self._room(BODY.leading)
            for index, (x, width) in enumerate(_places(table)):
                line = across[index]
                if line is not None:
                    flush = index in table.right or (line.rtl and len(columns[index]) > 1)
                    self._line(line, kinds[index], x, width, right=flush)
            self.y += BODY.leading

    def number(self, running: str) -> None:
        """The foot of every page: what document this is, and page x of y."""
        for index, page in enumerate(self.pages, start=1):
            self._foot(page, running, f"Page {index} of {len(self.pages)}")

    @staticmethod
    def _foot(page: Page, left: str, right: str) -> None:
        y = HEIGHT - 42
        page.append(Bar(LEFT, y, MEASURE, 0.6, HAIR))
        kept = lines(left, FOOT, MEASURE - 90)[0]
        page.append(Text(LEFT, y + 14, kept, FOOT))
        page.append(Text(LEFT + MEASURE - width_of(right, FOOT), y + 14, lines(right, FOOT, 90)[0], FOOT))
