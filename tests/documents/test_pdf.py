"""The contract's document: what it says, and that it is always the same bytes."""

import hashlib
import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from bloxtr8.documents import pdf, pdf_faces
from bloxtr8.documents.phrases import duration, moment, percent, usd
from bloxtr8.documents.terms import Terms
from tests.documents.samples import SCRIPTS, page_texts, terms, text_of, with_party

EVERY_SCRIPT = "\n".join(sentence for sentence, _ in SCRIPTS.values())
SHARED = Path(pdf.__file__).parents[2]


# --- the same bytes


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "HOME": "/nonexistent"},
        {"PYTHONHASHSEED": "4294967295", "TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "LANG": "tr_TR.UTF-8"},
    ],
)
def test_another_process_zone_locale_and_hash_seed_make_the_same_bytes(
    environment: dict[str, str], tmp_path: Path
) -> None:
    agreed = terms(conditions=EVERY_SCRIPT)
    program = (
        "import json, sys; from bloxtr8.documents.pdf import render;"
        "sys.stdout.buffer.write(render(json.load(sys.stdin)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(agreed).encode(),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SHARED), **environment},
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )

    assert done.stdout == pdf.render(agreed)
    assert done.stderr == b""


def test_a_document_does_not_depend_on_those_rendered_before_it() -> None:
    first = pdf.render(terms())
    pdf.render(terms(conditions=EVERY_SCRIPT, title="Another"))

    assert pdf.render(terms()) == first


def test_the_order_of_the_terms_does_not_matter() -> None:
    assert pdf.render(dict(reversed(terms().items()))) == pdf.render(terms())


def test_the_bytes_are_those_of_the_last_release() -> None:
    """Where this fails, a face, a library or the wording changed, and with it the bytes of every contract rendered from
    now on (those stored are untouched). If that is meant: say so in docs/decisions.md and put the new hash here."""
    rendered = pdf.render(terms(conditions=EVERY_SCRIPT))

    assert hashlib.sha256(rendered).hexdigest() == "3c3cc3030f9fdc94b8c4fd2283ab1698847607637dec993b505f4fb2c78370db"


def test_nothing_is_compressed_since_zlib_builds_differ() -> None:
    assert b"/Filter" not in pdf.render(terms(conditions=EVERY_SCRIPT))


def test_different_terms_make_different_documents() -> None:
    assert pdf.render(terms(title="Sunset")) != pdf.render(terms(title="Sunrise"))


# --- what it says


def test_it_names_both_parties_by_every_name() -> None:
    agreed = terms()
    said = text_of(pdf.render(agreed))

    for value in [*agreed["buyer"].values(), *agreed["seller"].values()]:
        assert value in said


def test_every_term_is_printed() -> None:
    agreed = terms()
    said = text_of(pdf.render(agreed))
    snapshot = agreed["asset"]["snapshot"]

    for name in ("contractId", "escrowId", "offerId", "listingId", "title", "summary", "category", "conditions"):
        assert agreed[name] in said
    for value in (agreed["asset"]["id"], agreed["asset"]["name"], snapshot["id"], snapshot["source"]):
        assert value in said
    for value in ("23 November 2026, 12:00:00 UTC", "26 November 2026, 12:00:00 UTC", "23 November 2026, 11:59:58 UTC"):
        assert value in said
    assert "733129114 (the seller)" in said
    assert "48,211" in said
    assert "Locked by Roblox no" in said
    for window in ("3 days:", "2 days from the second", "7 days from the", "5 days from the delivery"):
        assert window in said


def test_the_money_is_printed_to_the_cent() -> None:
    said = text_of(pdf.render(terms()))

    assert "Price USD 8,500.00" in said
    assert "Buyer's fee, on top of the price 1.00 % USD 85.00" in said
    assert "The buyer pays USD 8,585.00" in said
    assert "Seller's fee, out of the price 2.90 % USD 246.50" in said
    assert "The seller receives USD 8,253.50" in said
    assert "Bloxtr8 keeps both fees USD 331.50" in said
    assert "a full refund is exactly USD 8,585.00" in said


def test_milestones_are_printed_with_their_sum() -> None:
    parts = [{"title": "The games", "amountCents": 349_999}, {"title": "The group", "amountCents": 500_001}]
    said = text_of(pdf.render(terms(milestones=parts)))

    assert "1 The games USD 3,499.99 2 The group USD 5,000.01 The price USD 8,500.00" in said
    assert "the buyer is refunded all that is still held" in said
    assert "Deliver 7 days for each Until the milestone that hands the group over is released" in said
    assert "Inspect 5 days for each Bloxtr8 warns the buyer" in said
    assert "the milestone is released; the one that hands the group over only" in said
    assert "The seller alone may refund the buyer all that is still held." in said
    assert "10. This document" in said


def test_the_milestone_that_roblox_proves_is_marked() -> None:
    parts = [
        {"title": "The group", "amountCents": 500_001, "transfersAsset": True},
        {"title": "The games", "amountCents": 349_999, "transfersAsset": False},
    ]
    said = text_of(pdf.render(terms(milestones=parts)))

    assert "1 The group the group USD 5,000.01 2 The games USD 3,499.99" in said
    assert "a later one's begins when the one before it is paid" in said
    with pytest.raises(ValueError, match="several milestones"):
        Terms.model_validate(terms(milestones=[part | {"transfersAsset": True} for part in parts]))


def test_without_milestones_there_is_no_such_section() -> None:
    said = text_of(pdf.render(terms()))

    assert "Milestone" not in said
    assert "the buyer gets a full refund" in said
    assert "9. This document" in said


def test_a_game_says_when_a_game_is_delivered() -> None:
    agreed = terms()
    agreed["asset"] |= {"type": "GAME"}
    agreed["asset"]["snapshot"] |= {"memberCount": None, "locked": None, "ownerName": None, "ownerId": "99"}
    said = text_of(pdf.render(agreed))

    assert "Roblox game (universe)" in said
    assert "a group which that account owns, as the game's owner" in said
    assert "Members not stated" in said
    assert "Owner's name not stated" in said
    assert "(the seller)" not in said


def test_without_conditions_it_says_so() -> None:
    for nothing in (None, ""):
        assert "agreed on no further conditions" in text_of(pdf.render(terms(conditions=nothing)))


def test_long_conditions_go_on_over_the_pages_and_stay_whole() -> None:
    words = [f"condition{number:03}" for number in range(150)]
    long = "\n\n".join(words)[:2000]
    pages = page_texts(pdf.render(terms(conditions=long)))

    assert [word for page in pages for word in page.split() if word.startswith("condition0")] == words[:100]
    assert len(pages) > 4


def test_pages_are_numbered() -> None:
    pages = page_texts(pdf.render(terms(conditions="word " * 390)))

    for number, page in enumerate(pages, start=1):
        assert page.rstrip().endswith(f"{terms()['contractId']} Page {number} of {len(pages)}")


@pytest.mark.parametrize(
    "text", ["page {nb} of {nb}", "**bold** __x__ --s-- [a](http://b)", r"\( ) \\ \n <> [TJ] % ET Q", "a &amp; b <b>"]
)
def test_what_looks_like_code_is_printed_as_it_is(text: str) -> None:
    assert text in text_of(pdf.render(terms(conditions=text)))


def test_its_metadata_names_it_and_its_language() -> None:
    reader = PdfReader(BytesIO(pdf.render(terms())), strict=True)
    about = reader.metadata
    assert about is not None

    assert about.title == "Purchase agreement with escrow: Sunset Builders, a building group"
    assert about.producer == "Bloxtr8"
    assert about.get("/CreationDate") == "D:20261123120000Z"
    assert reader.root_object["/Lang"] == "en"
    assert reader.root_object["/ViewerPreferences"]["/DisplayDocTitle"]


def test_it_is_small() -> None:
    assert len(pdf.render(terms())) < 100_000
    assert len(pdf.render(terms(conditions=SCRIPTS["arabic"][0] * 10, title="😀 " + SCRIPTS["chinese"][0]))) < 200_000


# --- what it refuses


@pytest.mark.parametrize("place", [(), ("buyer",), ("seller",), ("asset",), ("asset", "snapshot"), ("windows",)])
def test_refuses_a_term_it_would_not_print(place: tuple[str, ...]) -> None:
    agreed = terms()
    target: dict[str, Any] = agreed
    for name in place:
        target = target[name]
    target["extra"] = "unprinted"

    with pytest.raises(ValueError, match="extra"):
        pdf.render(agreed)


@pytest.mark.parametrize("name", sorted(terms()))
def test_refuses_missing_terms(name: str) -> None:
    agreed = terms()
    del agreed[name]

    with pytest.raises(ValueError, match=name):
        pdf.render(agreed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"gross": 858_501},
        {"buyerFee": 8_501, "gross": 858_501},
        {"sellerFee": 24_651, "sellerReceives": 825_349},
        {"sellerReceives": 825_351},
        {"milestones": [{"title": "half", "amountCents": 425_000}]},
        {"milestones": [{"title": "all", "amountCents": 1}] * 21},
        {"amount": 850_000.0},
        {"amount": "850000"},
        {"amount": True},
        {"buyerFeeBps": -1},
        {"currency": "USDC"},
        {"rail": "USDC_BASE"},
        {"acceptedAt": "2026-11-23T12:00:00"},
        {"signBy": "soon"},
        {"title": ""},
        {"conditions": "x" * 2001},
    ],
)
def test_refuses_contradictory_or_malformed_terms(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        pdf.render(terms(**wrong))


@pytest.mark.parametrize(
    "wrong", [terms(conditions="a\ud800"), terms(title="\udfff"), with_party("buyer", username="\ud83d")]
)
def test_refuses_lone_surrogates(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unicode"):
        pdf.render(wrong)


# --- any text

NASTY = {
    "percents after hebrew": "א" + "%" * 1999,
    "brackets": "א" + "([{" * 600,
    "accents": "a" + "\u0301\u0302" * 999,
    "joiners": "👩\u200d" * 1000,
    "only joiners": "\u200d" * 2000,
    "overrides": "\u202e" * 2000,
    "line breaks": "\n" * 2000,
    "spaces": " " * 2000,
    "every script in turn": "a中א😀" * 500,
    "controls": "\0\x1b\x7f" * 600,
    "wide": "\ufdfd" * 2000,
    "private": "\ue000" * 2000,
}


@pytest.mark.parametrize("name", NASTY)
def test_renders_the_worst_text_in_seconds(name: str) -> None:
    rendered = pdf.render(terms(conditions=NASTY[name], title=NASTY[name][:255], summary=NASTY[name][:1000]))

    assert len(page_texts(rendered)) <= 24


@settings(max_examples=12, deadline=20_000, suppress_health_check=[HealthCheck.too_slow])
@given(
    conditions=st.text(max_size=400), title=st.text(min_size=1, max_size=60), username=st.text(min_size=1, max_size=40)
)
def test_renders_any_unicode(conditions: str, title: str, username: str) -> None:
    agreed = with_party("seller", username=username) | {"conditions": conditions, "title": title}
    rendered = pdf.render(agreed)

    assert "Page 1 of" in page_texts(rendered)[0]


# --- figures in words


@pytest.mark.parametrize(
    ("cents", "said"), [(0, "USD 0.00"), (5, "USD 0.05"), (100_000_000_001, "USD 1,000,000,000.01")]
)
def test_says_amounts_exactly(cents: int, said: str) -> None:
    assert usd(cents) == said


@pytest.mark.parametrize(("bps", "said"), [(0, "0.00 %"), (5, "0.05 %"), (290, "2.90 %"), (10_000, "100.00 %")])
def test_says_rates_exactly(bps: int, said: str) -> None:
    assert percent(bps) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "1 second"), (90, "1 minute 30 seconds"), (259_200, "3 days"), (90_061, "1 day 1 hour 1 minute 1 second")],
)
def test_says_durations_exactly(seconds: int, said: str) -> None:
    assert duration(seconds) == said


def test_says_moments_in_utc() -> None:
    assert moment("2026-03-01T01:30:00.999+02:00") == "28 February 2026, 23:30:00 UTC"


# --- the faces


def test_every_face_is_there_with_its_licence() -> None:
    faces = {pdf_faces.REGULAR, pdf_faces.BOLD, *pdf_faces.FALLBACKS}
    licence = (pdf_faces.FONTS / "OFL.txt").read_text()

    assert {path.stem for path in pdf_faces.FONTS.glob("*.ttf")} == faces
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert [face for face in faces if f"{face}.ttf" not in licence] == []
    assert sum(path.stat().st_size for path in pdf_faces.FONTS.glob("*.ttf")) < 17_000_000
