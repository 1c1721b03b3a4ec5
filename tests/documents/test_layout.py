"""Text of any script: which face shows it, where lines break, what order the eye meets, and that nothing is lost."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloxtr8.documents import pdf_bidi, pdf_faces, text
from bloxtr8.documents.layout import Line, Type, lines
from tests.documents.samples import SCRIPTS

BODY = Type(9.4, 13.4, (0, 0, 0))
WIDTH = 400.0


def said(line: Line) -> str:
    """A line's text from left to right, as the eye meets it."""
    return "".join(glyph.text for run in line.runs for glyph in run.shaped.glyphs)


def everything(found: tuple[Line, ...]) -> str:
    return "".join(map(said, found))


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_has_its_glyphs(script: str) -> None:
    sentence, face = SCRIPTS[script]
    runs = [run for line in lines(sentence, BODY, WIDTH) for run in line.runs]

    assert not any(run.mark for run in runs)
    assert face in {run.face for run in runs}
    assert all(glyph.gid for run in runs for glyph in run.shaped.glyphs)


def test_arabic_letters_join() -> None:
    alone = pdf_faces.shape("NotoSansArabic-Regular", "ه", rtl=True).glyphs[0].gid
    between = {glyph.gid for glyph in pdf_faces.shape("NotoSansArabic-Regular", "ههه", rtl=True).glyphs}

    assert alone not in between
    assert len(between) == 3


def test_devanagari_letters_form_conjuncts_beside_latin_of_the_same_face() -> None:
    (line,) = lines("Hindi: क्षत्रिय", BODY, WIDTH)
    hindi = line.runs[-1].shaped.glyphs

    assert len(hindi) < len("क्षत्रिय")
    assert line.runs[-1].face == pdf_faces.REGULAR


def test_an_emoji_sequence_is_one_glyph() -> None:
    for sequence in ("👩‍👩‍👧", "1️⃣", "👍🏽"):
        (line,) = lines(sequence, BODY, WIDTH)

        assert len(line.runs[0].shaped.glyphs) == 1


def test_a_symbol_is_text_or_emoji_as_its_selector_says() -> None:
    assert lines("☎\ufe0f", BODY, WIDTH)[0].runs[0].face == pdf_faces.EMOJI
    assert lines("☎\ufe0e", BODY, WIDTH)[0].runs[0].face != pdf_faces.EMOJI
    assert lines("1", BODY, WIDTH)[0].runs[0].face == pdf_faces.REGULAR


def test_an_accent_stays_on_its_letter() -> None:
    (line,) = lines("e\u0301 o\u0308 Å\u0327", BODY, WIDTH)

    assert len({run.face for run in line.runs}) == 1
    assert "\u25cc" not in said(line)


# --- what can't be shown


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("a\ue000b", "a[U+E000]b"),
        ("a\U00020000b", "a[U+20000]b"),
        ("a\0b", "a[U+0000]b"),
        ("pay \u202e001$\u202c", "pay [U+202E]001$[U+202C]"),
        ("\u2067x\u2069", "[U+2067]x[U+2069]"),
        ("\u3164", "[U+3164]"),
        ("\u2800", "[U+2800]"),
        ("x\U000e0041", "x[U+E0041]"),
        ("\ufffe", "[U+FFFE]"),
    ],
)
def test_what_has_no_glyph_or_deceives_is_printed_by_its_number(hidden: str, shown: str) -> None:
    assert everything(lines(hidden, BODY, WIDTH)) == shown


def test_a_mark_of_ours_is_set_apart_from_the_same_words() -> None:
    assert [run.mark for run in lines("[U+E000]", BODY, WIDTH)[0].runs] == [False]
    assert [run.mark for run in lines("\ue000", BODY, WIDTH)[0].runs] == [True]


def test_piles_of_accents_cannot_print_over_the_lines_above() -> None:
    found = everything(lines("a" + "\u0301\u0302\u0303\u0304\u0305\u0306" + "b" + "\u0e47" * 3, BODY, WIDTH))

    assert found.count("[U+") == 4
    assert "[U+0305][U+0306]b" in found


def test_a_mark_with_nothing_to_stand_on_gets_a_circle() -> None:
    assert everything(lines("\u0301x", BODY, WIDTH)) == "\u25cc\u0301x"


def test_a_glyph_wider_than_its_column_is_printed_by_its_number() -> None:
    assert everything(lines("\ufdfd", BODY, 60)) == "[U+FDFD]"
    assert everything(lines("\ufdfd", BODY, WIDTH)) == "\ufdfd"


def test_zero_width_characters_are_neither_drawn_nor_marked() -> None:
    assert everything(lines("a\u200bb\u00adc\ufeffd\u200ee\u2060f", BODY, WIDTH)) == "abcdef"


# --- lines


def test_words_wrap_at_spaces() -> None:
    found = lines("aaaa bbbb cccc", BODY, 60)

    assert [said(line) for line in found] == ["aaaa bbbb", "cccc"]


def test_a_word_wider_than_the_column_is_cut() -> None:
    found = lines("x " + "W" * 30, BODY, 60)

    assert everything(found) == "x" + "W" * 30
    assert all(line.width <= 60 for line in found)


def test_indents_gaps_and_empty_lines_are_kept() -> None:
    assert [said(line) for line in lines("a\n\n    b    c", BODY, WIDTH)] == ["a", "", "    b    c"]


def test_many_empty_lines_become_two() -> None:
    assert len(lines("a" + "\n" * 500 + "b", BODY, WIDTH)) == 4


def test_chinese_breaks_anywhere_but_not_before_a_full_stop() -> None:
    found = [said(line) for line in lines("中" * 6 + "。" + "中" * 6, BODY, 6.2 * 9.4)]

    assert found[0] == "中" * 5
    assert found[1].startswith("中。")


def test_thai_breaks_between_clusters() -> None:
    found = lines(SCRIPTS["thai"][0] * 8, BODY, WIDTH)

    assert len(found) > 2
    assert all(line.width > 0.9 * WIDTH for line in found[:-1])


def test_figures_are_not_torn() -> None:
    for figures in ("2026-11-23", "$100,000.00", "12:00:00", "(abc)"):
        just_too_narrow = lines(f"aaaa {figures}", BODY, WIDTH)[0].width - 1

        assert [said(line) for line in lines(f"aaaa {figures}", BODY, just_too_narrow)] == ["aaaa", figures]


# --- right to left


def test_a_right_to_left_paragraph_is_set_from_the_right() -> None:
    (line,) = lines("אבג abc דהו", BODY, WIDTH)

    assert line.rtl
    assert said(line) == "והד abc גבא"


def test_numbers_inside_right_to_left_inside_left_to_right() -> None:
    (line,) = lines("abc אבג 123 דהו def", BODY, WIDTH)

    assert not line.rtl
    assert said(line) == "abc והד 123 גבא def"


def test_brackets_around_right_to_left_words() -> None:
    (line,) = lines("x (אבג) y", BODY, WIDTH)

    assert said(line) == "x (גבא) y"


def test_punctuation_at_the_end_of_a_wrapped_line_stays_with_its_sentence() -> None:
    first, *_ = lines("אאאא hello there, my friends of old, and all", BODY, 90)

    assert said(first) == "hello there, אאאא"


def test_a_long_run_of_neutrals_does_not_exhaust_the_stack() -> None:
    found = pdf_bidi.levels("א" + "!" * 3000, True)

    assert found == [1] * 3001


def test_left_to_right_text_has_level_zero() -> None:
    assert pdf_bidi.levels("abc 123, (x)", False) == [0] * 12


# --- anything


def drawn(cluster: text.Cluster) -> str:
    return "" if cluster.silent else text.visible(cluster.text)


@settings(max_examples=300, deadline=5_000)
@given(st.text(max_size=120))
def test_nothing_is_lost_and_no_line_is_too_wide(written: str) -> None:
    found = lines(written, BODY, WIDTH)
    shown = Counter(text.visible(everything(found)))
    wanted = Counter("".join(drawn(cluster) for part in text.paragraphs(written) for cluster in text.clusters(part)))

    for character, count in wanted.items():
        named = f"[U+{ord(character):04X}]"
        missing = count - shown[character]
        assert missing <= 0 or named in everything(found) or text.Cluster(character).space
    assert all(line.width <= WIDTH + 0.01 for line in found)
