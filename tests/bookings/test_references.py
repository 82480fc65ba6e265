"""References: drawn at random, forgiven when typed differently, told when mistyped."""

import re
import string
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from farebox.bookings import ReferenceMistyped, check_reference
from farebox.bookings.references import ALPHABET, new_reference, normalise_reference

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
PREFIXES = st.text(string.ascii_uppercase, max_size=4)
LENGTHS = st.integers(6, 12)

TYPED = string.digits + string.ascii_uppercase


def is_mistyped(typed):
    try:
        check_reference(typed)
    except ReferenceMistyped:
        return True
    return False


def test_a_reference_is_dated_and_has_no_look_alikes():
    assert len(ALPHABET) == len(set(ALPHABET)) == 31
    assert not set(ALPHABET) & set("0O1IL")
    for _ in range(200):
        assert re.fullmatch(rf"BUS20261120[{ALPHABET}]{{7}}", new_reference("BUS", date(2026, 11, 20)))


def test_references_do_not_repeat():
    # 31^6 is 887 million: among 2,000 draws two alike are a chance of 1 in 440.
    assert len({new_reference("", date(2026, 1, 1)) for _ in range(2000)}) >= 1999


@given(PREFIXES, DAYS, LENGTHS)
def test_what_is_drawn_is_understood(prefix, day, length):
    reference = new_reference(prefix, day, length)
    assert len(reference) == len(prefix) + 8 + length + 1
    assert check_reference(reference.lower()) == reference


@given(PREFIXES, DAYS, LENGTHS)
@example("JBZO", date(2009, 3, 21), 7)
def test_any_one_wrong_character_is_noticed(prefix, day, length):
    """Unless it is a look-alike in the date, and so not wrong."""
    reference = new_reference(prefix, day, length)
    for place, right in enumerate(reference):
        for wrong in TYPED:
            typed = reference[:place] + wrong + reference[place + 1 :]
            assert wrong == right or is_mistyped(typed) or check_reference(typed) == reference, typed


@given(PREFIXES, DAYS, LENGTHS)
def test_any_two_characters_that_changed_places_are_noticed(prefix, day, length):
    reference = new_reference(prefix, day, length)
    for place in range(len(reference) - 1):
        first, second = reference[place], reference[place + 1]
        typed = reference[:place] + second + first + reference[place + 2 :]
        assert first == second or is_mistyped(typed) or check_reference(typed) == reference, typed


def test_control_without_a_check_character_nothing_is_noticed():
    """As references of earlier releases are, which still find their bookings."""
    assert check_reference("BUS20261120K7QM2X") == "BUS20261120K7QM2X"
    assert check_reference("BUS20261120K7QM2Y") == "BUS20261120K7QM2Y"


@pytest.mark.parametrize(
    "typed",
    ["", "K7QM2X", "BUS20261120", "BUS20261320K7QM2X", "BUS19991120K7QM2X", "BUS20261120K7QM0X", "20261120K7QM",
     "BUS20261120K7QM2XB", "TRAIN20261120K7QM2X", "BUS20261120K7QM2Ж", "Không có"],
)  # fmt: skip
def test_what_no_reference_looks_like_is_mistyped(typed):
    assert is_mistyped(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "BUS20261120K7QM2XA",
        "bus20261120k7qm2xa",
        " BUS-20261120-K7QM2X-A ",
        "BUS 2026 1120 K7QM 2XA",
        "BUS2O26I12OK7QM2XA",
        "BUS20261120K7QM2XA.",
        "ＢＵＳ２０２６１１２０Ｋ７ＱＭ２ＸＡ",
    ],
)
def test_a_reference_is_understood_however_it_is_typed(typed):
    assert check_reference(typed) == normalise_reference(typed) == "BUS20261120K7QM2XA"


@given(st.text(max_size=100))
def test_nothing_that_is_typed_for_a_reference_breaks(typed):
    plain = normalise_reference(typed)
    assert plain == "" or plain.isalnum()
    assert len(plain) <= 40 * 18  # what one character may become in NFKC
    assert is_mistyped(typed) in {True, False}
