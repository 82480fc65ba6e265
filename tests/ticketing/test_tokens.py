"""What a QR code says can be checked by anybody with the public key, and changed by nobody."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from farebox.core.crypto import Secrets
from farebox.ticketing import TicketClaims, TicketInvalid, qr_png, verify_token
from farebox.ticketing.tokens import PREFIX, _base45, _unbase45, sign_token

SECRETS = Secrets(b"s" * 32, b"k" * 32)
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@st.composite
def claims(draw: st.DrawFn) -> TicketClaims:
    starts = EPOCH + timedelta(minutes=draw(st.integers(0, 50_000_000)))
    return TicketClaims(
        ticket_id=draw(st.uuids()),
        resource_id=draw(st.uuids()),
        first_slot=draw(st.integers(0, 65_535)),
        end_slot=draw(st.integers(0, 65_535)),
        starts_at=starts,
        ends_at=starts + timedelta(minutes=draw(st.integers(0, 65_535))),
        seat=draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=12)),
        passenger_type=draw(st.sampled_from(["adult", "child", "senior"])),
        needs_assistance=draw(st.booleans()),
    )


def sample(seat: str = "12A") -> TicketClaims:
    starts = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
    return TicketClaims(UUID(int=1), UUID(int=2), 3, 9, starts, starts + timedelta(hours=6), seat)


@given(claims())
def test_what_was_signed_is_read_back(original: TicketClaims) -> None:
    assert verify_token(sign_token(original, SECRETS), SECRETS.public_key) == original


@given(claims(), st.data())
@settings(max_examples=300)
def test_any_flipped_bit_fails(original: TicketClaims, data: st.DataObject) -> None:
    sealed = bytearray(_unbase45(sign_token(original, SECRETS)[len(PREFIX) :]))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(TicketInvalid):
        verify_token(PREFIX + _base45(bytes(sealed)), SECRETS.public_key)


def test_every_single_bit_of_one_token_counts() -> None:
    sealed = _unbase45(sign_token(sample(), SECRETS)[len(PREFIX) :])
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(TicketInvalid):
            verify_token(PREFIX + _base45(bytes(changed)), SECRETS.public_key)


@given(st.data())
def test_every_other_character_fails(data: st.DataObject) -> None:
    token = sign_token(sample(), SECRETS)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda character: character != token[place]))
    with pytest.raises(TicketInvalid):
        verify_token(token[:place] + other + token[place + 1 :], SECRETS.public_key)


@given(
    st.text(max_size=300) | st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", max_size=300).map(PREFIX.__add__)
)
def test_rubbish_is_refused_and_breaks_nothing(text: str) -> None:
    with pytest.raises(TicketInvalid):
        verify_token(text, SECRETS.public_key)


@pytest.mark.parametrize(
    "damage",
    [
        lambda token: "",
        lambda token: token[:-1],
        lambda token: token + "0",
        lambda token: token + "000",
        lambda token: token.lower(),
        lambda token: " " + token,
        lambda token: token.removeprefix(PREFIX),
        lambda token: token.replace("FB1:", "FB2:"),
        lambda token: PREFIX,
        lambda token: token * 50,
    ],
)
def test_all_damage_gets_the_same_answer(damage) -> None:
    with pytest.raises(TicketInvalid) as refused:
        verify_token(damage(sign_token(sample(), SECRETS)), SECRETS.public_key)
    assert refused.value.fields == {}
    assert refused.value.__cause__ is None


def test_another_installations_ticket_is_refused() -> None:
    with pytest.raises(TicketInvalid):
        verify_token(sign_token(sample(), Secrets(b"s" * 32, b"x" * 32)), SECRETS.public_key)


def test_a_key_of_the_wrong_size_is_refused_like_a_bad_ticket() -> None:
    with pytest.raises(TicketInvalid):
        verify_token(sign_token(sample(), SECRETS), b"short")


@given(st.binary(max_size=200))
def test_base45_goes_both_ways_and_never_ends_in_a_blank(data: bytes) -> None:
    text = _base45(data)
    assert _unbase45(text) == data
    assert not text.endswith(" ")  # readers that type what they scan would cut it off


def test_base45_is_that_of_the_standard() -> None:
    assert _base45(b"AB") == "BB8"  # RFC 9285, section 4.3
    assert _base45(b"Hello!!") == "%69 VD92EX0"
    assert _base45(b"base-45") == "UJCLQE7W581"
    assert _unbase45("QED8WEX0") == b"ietf!"


def test_the_code_is_small_enough_for_arms_length() -> None:
    token = sign_token(sample(), SECRETS)
    code = segno.make_qr(token, error="m", boost_error=False)
    assert (code.designator, code.symbol_size(border=0)[0], code.mode) == ("7-M", 45, "alphanumeric")


def test_scanners_read_the_picture() -> None:
    import io

    token = sign_token(sample(), SECRETS)
    [read] = zxingcpp.read_barcodes(Image.open(io.BytesIO(qr_png(token))).convert("L"))
    assert read.text == token
