"""The typefaces of a contract: which one can show a cluster, and HarfBuzz's shaping of a run of text in it."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uharfbuzz as hb  # type: ignore[import-untyped]

from bloxtr8.documents import text as unicode_text

FONTS = Path(__file__).with_name("fonts")
REGULAR, BOLD, EMOJI = "NotoSans-Regular", "NotoSans-Bold", "NotoEmoji-Regular"
# In the order in which they are asked; the largest last. Devanagari is part of the base faces.
_SCRIPTS = (
    "Arabic", "Hebrew", "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam",
    "Sinhala", "Thaana", "Thai", "Lao", "Khmer", "Myanmar", "Javanese", "Armenian", "Georgian", "Ethiopic", "Cherokee",
    "CanadianAboriginal", "Symbols", "Math", "Symbols2",
)  # fmt: skip
FALLBACKS = (
    *(f"NotoSans{script}-Regular" for script in _SCRIPTS),
    "NotoSerifTibetan-Regular",
    EMOJI,
    "NotoSansKR-Regular",
    "NotoSansSC-Regular",
)


@dataclass(frozen=True, slots=True)
class Glyph:
    """One shape, in thousandths of the type size. `advance` moves the pen, `width` is what the face itself says."""

    gid: int
    text: str  # what it stands for; a cluster's text is on its first glyph
    width: int
    advance: int
    dx: int
    dy: int


@dataclass(frozen=True, slots=True)
class Shaped:
    """A run as it is drawn, left to right."""

    glyphs: tuple[Glyph, ...]
    advance: int


def path_of(face: str) -> Path:
    return FONTS / f"{face}.ttf"


@functools.cache
def _font(face: str) -> hb.Font:
    return hb.Font(hb.Face(hb.Blob.from_file_path(str(path_of(face)))))


@functools.cache
def _coverage(face: str) -> hb.Set:
    return _font(face).face.unicodes


@functools.lru_cache(maxsize=8192)
def face_for(cluster: str, bold: bool = False) -> str | None:
    """The first face that can show the whole cluster; None where there is none. The fallbacks have no bold."""
    needed = [ord(character) for character in unicode_text.visible(cluster)]
    if not needed:
        return None
    base = BOLD if bold else REGULAR
    order = (EMOJI, base, *FALLBACKS) if unicode_text.wants_emoji(cluster) else (base, *FALLBACKS)
    for face in order:
        if all(code in _coverage(face) for code in needed) and _drawn(face, cluster):
            return face
    return None


@functools.lru_cache(maxsize=8192)
def script_of(cluster: str) -> str | None:
    """The ISO 15924 tag of a cluster's script; None for what every script uses: spaces, digits, punctuation."""
    return cast("str | None", _buffer(cluster).script)


@functools.lru_cache(maxsize=8192)
def shape(face: str, text: str, *, script: str | None = None, rtl: bool = False) -> Shaped:
    """Shape text of one face, script and direction. The language is fixed: HarfBuzz takes the process's."""
    font = _font(face)
    buffer = _buffer(text)
    buffer.flags = hb.BufferFlags.REMOVE_DEFAULT_IGNORABLES
    if script:
        buffer.script = script
    buffer.direction = "rtl" if rtl else "ltr"
    buffer.language = "en"
    hb.shape(font, buffer)
    em: int = font.face.upem

    def mille(units: int) -> int:
        return round(units * 1000 / em)

    texts = _texts(text, [info.cluster for info in buffer.glyph_infos])
    glyphs = tuple(
        Glyph(
            gid=info.codepoint,
            text=stands_for,
            width=mille(font.get_glyph_h_advance(info.codepoint)),
            advance=mille(place.x_advance),
            dx=mille(place.x_offset),
            dy=mille(place.y_offset),
        )
        for info, place, stands_for in zip(buffer.glyph_infos, buffer.glyph_positions, texts, strict=True)
    )
    return Shaped(glyphs, sum(glyph.advance for glyph in glyphs))


def _drawn(face: str, cluster: str) -> bool:
    """Whether the face has a glyph for all of it, not only code points it knows."""
    glyphs = shape(face, cluster, script=script_of(cluster)).glyphs
    return bool(glyphs) and all(glyph.gid for glyph in glyphs)


def _buffer(text: str) -> hb.Buffer:
    buffer = hb.Buffer()
    buffer.add_codepoints([ord(character) for character in text])
    buffer.guess_segment_properties()
    return buffer


def _texts(text: str, starts: list[int]) -> list[str]:
    """Each glyph's text, from the index at which its cluster starts; the further glyphs of a cluster have none."""
    ends = dict(zip(ordered := sorted(set(starts)), [*ordered[1:], len(text)], strict=True))
    seen: set[int] = set()
    found = []
    for start in starts:
        found.append("" if start in seen else text[start : ends[start]])
        seen.add(start)
    return found
