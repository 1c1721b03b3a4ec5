"""Any Unicode text, cut into what a reader sees as one character, with nothing lost and nothing able to hide.

What has no glyph, or would deceive the eye, is printed as a mark such as [U+202E]: bidirectional overrides, invisible
fillers, piles of accents that would print over the neighbouring lines.
"""

import functools
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import regex

MAX_STACKED_MARKS = 4
MAX_EMPTY = 2
MAX_CODE_POINTS = 16  # the longest emoji of Unicode has 10

_CLUSTER = regex.compile(r"\X")
_PARAGRAPH = regex.compile(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_DECEPTIVE = regex.compile(r"[\p{Cc}\u202a-\u202e\u2066-\u2069\u115f\u1160\u3164\uffa0\u2800]")
# Zero width, and rightly so: joiners, selectors, break hints, and the marks that only order their neighbours.
_SILENT = regex.compile(r"[\u00ad\u034f\u061c\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]+")
_HAN = regex.compile(r"\p{Script=Han}")
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_EMOJI = regex.compile(
    r"\p{Emoji_Presentation}|\p{Emoji}.*[\ufe0f\u20e3\u200d]|\p{Emoji_Modifier_Base}\p{Emoji_Modifier}"
)

_SPACE = regex.compile(r"[\p{lb=SP}\p{lb=ZW}\u1680\u2000-\u2006\u2008-\u200a\u205f\u3000]")
_BREAK_AFTER = regex.compile(r"[\p{lb=BA}\p{lb=HY}\p{lb=SY}\p{lb=B2}\u00ad]")
_BREAK_AROUND = regex.compile(r"[\p{lb=ID}\p{lb=CJ}\p{lb=H2}\p{lb=H3}\p{lb=EB}\p{lb=EM}\p{lb=RI}\p{lb=SA}]")
_NEVER_FIRST = regex.compile(
    r"[\p{lb=CL}\p{lb=CP}\p{lb=EX}\p{lb=NS}\p{lb=IS}\p{lb=SY}\p{lb=GL}\p{lb=WJ}\p{lb=PO}\p{lb=BA}\p{lb=HY}\p{lb=IN}\p{lb=QU}]"
)
_NEVER_LAST = regex.compile(r"[\p{lb=OP}\p{lb=GL}\p{lb=WJ}\p{lb=PR}\p{lb=QU}]")


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a reader sees as one character. `mark`: our notation for something that can't be shown as it is."""

    text: str
    mark: bool = False

    @property
    def silent(self) -> bool:
        """Nothing to draw, by its nature."""
        return _SILENT.fullmatch(self.text) is not None

    @property
    def space(self) -> bool:
        return _SPACE.fullmatch(self.text) is not None


def paragraphs(text: str) -> list[str]:
    """The text's paragraphs; of many empty ones in a row, two."""
    found: list[str] = []
    for paragraph in _PARAGRAPH.split(text):
        if paragraph.strip() or any(before.strip() for before in found[-MAX_EMPTY:]) or len(found) < MAX_EMPTY:
            found.append(paragraph)
    return found


def marks(text: str) -> Iterator[Cluster]:
    """The code points by name, for what can't be drawn."""
    return (Cluster(f"[U+{ord(character):04X}]", mark=True) for character in text)


def clusters(paragraph: str) -> Iterator[Cluster]:
    """The paragraph in reading order. A tab is a space."""
    for piece in _CLUSTER.findall(paragraph.replace("\t", " ")):
        yield from _plain(piece) if len(piece) == 1 else _limited(piece)


def visible(text: str) -> str:
    """The code points that need a glyph."""
    return _IGNORABLE.sub("", text)


@functools.lru_cache(maxsize=4096)
def wants_emoji(text: str) -> bool:
    """Whether this cluster is an emoji by default or by its selector, not a text symbol."""
    return "\ufe0e" not in text and _EMOJI.match(text) is not None


def _plain(character: str) -> Iterator[Cluster]:
    if _DECEPTIVE.fullmatch(character):
        yield from marks(character)
    elif unicodedata.category(character).startswith("M"):
        yield Cluster("\u25cc" + character)  # a mark with nothing to stand on
    else:
        yield Cluster(character)


def _limited(piece: str) -> Iterator[Cluster]:
    kept, rest, stacked = "", "", 0
    for character in piece:
        climbs = _stacks(character)
        stacked += climbs
        repeated = climbs and kept.endswith(character)  # no script writes the same mark twice on one letter
        fits = stacked <= MAX_STACKED_MARKS and len(kept) < MAX_CODE_POINTS and not repeated
        if fits and not _hides(character, after=kept):
            kept += character
        else:
            rest += character
    if kept:
        yield Cluster("\u25cc" + kept if unicodedata.category(kept[0]).startswith("M") else kept)
    yield from marks(rest)


def _hides(character: str, after: str) -> bool:
    """Whether it can't be seen and isn't needed: tags belong to flags, ideographic selectors to Han characters."""
    if _SILENT.fullmatch(character):
        return False
    if "\U000e0000" <= character <= "\U000e007f":
        return not after.startswith("\U0001f3f4")
    if "\U000e0100" <= character <= "\U000e01ef":
        return not _HAN.fullmatch(after)
    return bool(_DECEPTIVE.fullmatch(character) or _IGNORABLE.fullmatch(character))


def _stacks(character: str) -> bool:
    """Whether a mark climbs on the ones before it: nuktas and viramas (classes 7 to 9) don't."""
    return unicodedata.category(character) in {"Mn", "Me"} and unicodedata.combining(character) not in {7, 8, 9}


def may_break(before: Cluster, after: Cluster) -> bool:
    """Whether a line may end between two neighbours: UAX 14, as far as a contract needs it.

    Scripts written without spaces break between any two clusters where no dictionary knows better (Thai, Lao, Khmer).
    """
    if after.space:
        return False
    if before.space or before.mark or after.mark:
        return True
    last, first = before.text[-1], after.text[0]
    if _NEVER_FIRST.match(first) or _NEVER_LAST.match(last):
        return False
    if _BREAK_AFTER.match(last):
        return not first.isdigit()
    return bool(_BREAK_AROUND.match(before.text) or _BREAK_AROUND.match(first))
