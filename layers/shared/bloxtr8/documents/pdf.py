"""A contract as a PDF, byte for byte the same for the same terms (D18): on any machine, in any locale and time zone.

What could vary is fixed: dates and identifiers come from the terms, language is stated, faces are static and committed,
and no stream is compressed, since zlib's output differs between its builds.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from fpdf import FPDF, ViewerPreferences
from fpdf.fonts import TTFFont
from fpdf.output import OutputProducer
from fpdf.syntax import PDFContentStream, PDFObject

from bloxtr8.documents import flow, pdf_faces, vault_terms, wording
from bloxtr8.documents.flow import Bar, Flow, Page, Text
from bloxtr8.documents.layout import Run
from bloxtr8.documents.terms import Terms

MARK_COLOR = (150, 84, 20)
# Tables that no subset keeps, as the runs are shaped already: reading them to drop them was a third of a render.
LAYOUT = {"GDEF", "GPOS", "GSUB"}


def render(terms: dict[str, Any]) -> bytes:
    """The contract's PDF. `terms` as `documents.terms.Terms` has them: camelCase JSON, ISO-8601 times, cents.

    Raises ValueError where a term is unknown, missing, contradictory, or not Unicode (a lone surrogate): what isn't
    printed can't be signed.
    """
    checked = Terms.model_validate(terms)
    pages = Flow()
    pages.add(wording.contract(checked))
    pages.number(f"{wording.NAME} {checked.contract_id}")
    sheet = _Sheet(json.dumps(terms, sort_keys=True))
    sheet.set_title(f"{wording.NAME}: {checked.title}")
    sheet.set_subject(f"Contract {checked.contract_id}")
    sheet.set_creation_date(checked.accepted)
    if checked.vault:
        sheet.set_keywords(vault_terms.write(checked.vault))  # where a program finds them, and no user can write
    for page in pages.pages:
        sheet.put(page)
    return bytes(sheet.output(output_producer_class=_Plain))


class _Sheet(FPDF):
    """fpdf2, drawing runs that are already shaped and placed."""

    def __init__(self, identity: str) -> None:
        super().__init__(unit="pt", format=(flow.WIDTH, flow.HEIGHT))
        self._identity = hashlib.sha256(identity.encode()).hexdigest().upper()
        self.set_auto_page_break(False)
        self.set_compression(False)
        self.set_lang("en")
        self.set_creator("Bloxtr8")
        self.set_producer("Bloxtr8")
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)

    def file_id(self) -> str:
        """The trailer's /ID: from the terms."""
        return f"<{self._identity[:32]}><{self._identity[32:]}>"

    def put(self, page: Page) -> None:
        self.add_page()
        for item in page:
            if isinstance(item, Bar):
                self.set_fill_color(*item.color)
                self.rect(item.x, item.y, item.width, item.height, style="F")
            else:
                self._text(item)

    def _text(self, item: Text) -> None:
        for run in item.line.runs:
            self.set_fill_color(*(MARK_COLOR if run.mark else item.type.color))
            self._run(run, item.type.size, item.x + run.x, self.h - item.baseline)

    def _run(self, run: Run, size: float, x: float, y: float) -> None:
        """One text object: glyphs by their codes in the subset, the pen moved where the face's own widths don't do."""
        font = self._font_of(run.face)
        parts = [self._set_font_for_page(font, size, wrap_in_text_object=False), _at(x, y)]
        plain: list[str] = []
        for cluster in _by_cluster(run.shaped.glyphs):
            if len(cluster) > 1:
                parts += [_show(plain), _span(cluster[0].text)]
                plain = []
            for glyph in cluster:
                code = _code(font, glyph)
                if glyph.dx or glyph.dy:
                    parts += [_show(plain), _at(x + glyph.dx * size / 1000, y + glyph.dy * size / 1000), _show([code])]
                    parts.append(_at(x + glyph.advance * size / 1000, y))
                    plain = []
                else:
                    plain += [code] if glyph.advance == glyph.width else [code, str(glyph.width - glyph.advance)]
                x += glyph.advance * size / 1000
            if len(cluster) > 1:
                parts += [_show(plain), "EMC"]
                plain = []
        parts.append(_show(plain))
        self._out(f"BT {' '.join(part for part in parts if part)} ET")

    def _font_of(self, face: str) -> TTFFont:
        key = face.lower()
        known = key in self.fonts
        if not known:
            self.add_font(face, fname=pdf_faces.path_of(face))
        font = self.fonts[key]
        assert isinstance(font, TTFFont)
        if not known:
            for table in LAYOUT & set(font.ttfont.keys()):
                del font.ttfont[table]
        return font


def _by_cluster(glyphs: Iterable[pdf_faces.Glyph]) -> Iterator[list[pdf_faces.Glyph]]:
    """The glyphs that together stand for one piece of text: it is on the first."""
    cluster: list[pdf_faces.Glyph] = []
    for glyph in glyphs:
        if glyph.text and cluster:
            yield cluster
            cluster = []
        cluster.append(glyph)
    if cluster:
        yield cluster


def _code(font: TTFFont, glyph: pdf_faces.Glyph) -> str:
    """The glyph's code in the face's subset; a new one is added to it, with the text that copying it gives."""
    known = font.subset.get_glyph(
        glyph=glyph.gid,
        unicode=tuple(map(ord, glyph.text)),
        glyph_name=font.ttfont.getGlyphName(glyph.gid),
        glyph_width=glyph.width,
    )
    return f"<{font.subset.pick_glyph(known):04X}>"


def _at(x: float, y: float) -> str:
    return f"1 0 0 1 {x:.2f} {y:.2f} Tm"


def _span(text: str) -> str:
    """What the following glyphs say, for a reader that copies them (PDF 1.7, 14.9.4)."""
    return f"/Span <</ActualText <FEFF{text.encode('utf-16-be').hex().upper()}>>> BDC"


def _show(shown: list[str]) -> str:
    return f"[{''.join(shown).replace('><', '')}] TJ" if shown else ""


class _Plain(OutputProducer):
    """Streams as they are: compressed ones differ between builds of zlib, and a contract is small without."""

    def _add_pdf_obj(self, pdf_obj: PDFObject, trace_label: str | None = None) -> int:
        if isinstance(pdf_obj, PDFContentStream) and pdf_obj.filter is not None:
            contents = zlib.decompress(pdf_obj.content_stream())
            if trace_label == "fonts" and len(contents) == 2 * 65536:  # a CIDToGIDMap: codes beyond its end are glyph 0
                contents = contents.rstrip(b"\0") + b"\0"
                contents += b"\0" * (len(contents) % 2)
            pdf_obj._contents = contents
            pdf_obj.length = len(contents)
            pdf_obj.filter = None
        return super()._add_pdf_obj(pdf_obj, trace_label)
