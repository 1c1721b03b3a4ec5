"""The Unicode bidirectional algorithm, by fpdf2's tested implementation, kept within its depth."""

import unicodedata
from itertools import batched

from fpdf.bidi import BidiParagraph, auto_detect_base_direction
from fpdf.enums import TextDirection

MAX_NEUTRAL_RUN = 200  # fpdf2 recurses over characters without a direction of their own, one frame each

_RIGHT_TO_LEFT = {"R", "AL", "AN"}
_DIRECTED = {"L", "R", "AL", "AN", "EN"}


def right_to_left(text: str) -> bool:
    """Whether a paragraph's first strong character runs right to left (rules P2, P3)."""
    return bool(auto_detect_base_direction(text) == TextDirection.RTL)


def levels(text: str, rtl: bool) -> list[int]:
    """The embedding level of each code point of a paragraph with this base direction: even = left to right."""
    classes = [unicodedata.bidirectional(character) for character in text]
    if not rtl and _RIGHT_TO_LEFT.isdisjoint(classes):
        return [0] * len(text)
    if _longest_neutral_run(classes) <= MAX_NEUTRAL_RUN:
        return _resolve(text, rtl)
    return [level for piece in batched(text, MAX_NEUTRAL_RUN, strict=False) for level in _resolve("".join(piece), rtl)]


def _resolve(text: str, rtl: bool) -> list[int]:
    base = TextDirection.RTL if rtl else TextDirection.LTR
    resolved = [int(rtl)] * len(text)
    for character in BidiParagraph(text, base_direction=base, preserve_bn_chars=True).characters:
        resolved[character.character_index] = character.embedding_level
    return resolved


def _longest_neutral_run(classes: list[str]) -> int:
    longest = run = 0
    for found in classes:
        run = 0 if found in _DIRECTED else run + 1
        longest = max(longest, run)
    return longest
