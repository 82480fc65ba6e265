"""What travellers type: names, documents, phones, addresses, references."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bookings.shows import person

from farebox.bookings.details import Contact, check_contact, check_passengers, contact_key


def checked(region="VN", **details):
    [clean], errors = check_passengers([person("A1", **details)], region=region)
    return clean, [(error.field.removeprefix("passengers.0."), error.code) for error in errors]


@pytest.mark.parametrize(
    "name",
    ["Nguyễn Văn An", "O", "Mary-Jane O’Neill", "Ng. T. K. Chi", "João da Silva (Jr.)", "山田 太郎", "Ahmed Al-Ḥasan"],
)
def test_names_of_the_world_are_names(name):
    clean, errors = checked(full_name=f"  {name} ")
    assert (clean.full_name, errors) == (name, [])


def test_a_name_is_composed_and_its_spaces_single():
    assert checked(full_name="Nguye\u0302\u0303n\t Va\u0306n  An")[0].full_name == "Nguyễn Văn An"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "required"),
        (" \n", "required"),
        ("12345", "invalid-name"),
        ("---", "invalid-name"),
        ("<b>An</b>", "invalid-name"),
        ("An\x00Bo", "invalid-name"),
        ("An\u202eBo", "invalid-name"),
        ("a" * 256, "too-long"),
    ],
)
def test_what_is_no_name_is_refused(name, code):
    assert checked(full_name=name)[1] == [("fullName", code)]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("001099012345", "001099012345"),
        ("012345678", "012345678"),
        (" c1 234-567 ", "C1234567"),
        ("79.08.15-123.45", "79081512345"),
        ("A12345", "A12345"),
        ("A" * 20, "A" * 20),
    ],
)
def test_document_numbers_are_stored_bare(typed, stored):
    clean, errors = checked(id_number=typed)
    assert (clean.id_number, errors) == (stored, [])


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "required"),
        ("--", "required"),
        ("A1234", "invalid-id-number"),
        ("A" * 21, "invalid-id-number"),
        ("A12345!", "invalid-id-number"),
        ("Đ123456", "invalid-id-number"),
        ("１２３４５６", "invalid-id-number"),
    ],
)
def test_other_document_numbers_are_refused(typed, code):
    assert checked(id_number=typed)[1] == [("idNumber", code)]


@pytest.mark.parametrize(
    ("region", "typed", "stored"),
    [
        ("VN", "0912 345 678", "+84912345678"),
        ("VN", "+84 (0)912.345.678", "+84912345678"),
        ("VN", "+49 151 12345678", "+4915112345678"),
        ("DE", "0151 12345678", "+4915112345678"),
        ("", "+84912345678", "+84912345678"),
    ],
)
def test_phones_are_stored_with_their_country(region, typed, stored):
    clean, errors = checked(region, phone=typed)
    assert (clean.phone, errors) == (stored, [])


@pytest.mark.parametrize(
    ("region", "typed", "code"),
    [
        ("VN", "", "required"),
        ("VN", "12", "invalid-phone"),
        ("VN", "call me", "invalid-phone"),
        ("VN", "0912 345 678 901 234", "invalid-phone"),
        ("VN", "0" * 41, "invalid-phone"),
        ("", "0912345678", "invalid-phone"),
    ],
)
def test_other_phones_are_refused(region, typed, code):
    assert checked(region, phone=typed)[1] == [("phone", code)]


def test_a_passengers_address_may_be_left_out():
    assert checked(email=None)[0].email is None
    assert checked(email="  ") == checked(email=None)


@pytest.mark.parametrize("address", ["nobody", "a@b", "a b@example.com", "a@example..com", "a@exa mple.com", "@x.com"])
def test_what_is_no_address_is_refused(address):
    assert checked(email=address)[1] == [("email", "invalid-email")]


def test_all_that_is_wrong_is_told_at_once():
    _, errors = checked(full_name="", id_number="", phone="", email="x")
    assert [field for field, _ in errors] == ["fullName", "idNumber", "phone", "email"]
    _, errors = check_contact(Contact(email="x", phone=""), region="VN")
    assert [(error.field, error.code) for error in errors] == [
        ("contact.email", "invalid-email"),
        ("contact.phone", "required"),
    ]


def test_details_do_not_show_themselves():
    assert "Nguyễn" not in repr(person("A1"))
    assert "example" not in repr(Contact("a@example.com", "1"))


def test_a_contact_is_found_however_it_is_typed():
    assert contact_key(" An@Example.COM ", region="VN") == "an@example.com"
    assert contact_key("0912.345.678", region="VN") == contact_key("+84 912 345 678", region="") == "+84912345678"
    assert contact_key("", region="VN") == ""
    assert len(contact_key("x" * 10_000, region="VN")) == 40
    assert len(contact_key("@" * 10_000, region="VN")) == 254


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_nothing_that_is_typed_breaks_the_checks(name, number, phone, email):
    clean, errors = check_passengers(
        [person("A1", full_name=name, id_number=number, phone=phone, email=email)], region="VN"
    )
    if not errors:
        assert re.fullmatch(r"[A-Z0-9]{6,20}", clean[0].id_number)
        assert re.fullmatch(r"\+[0-9]{4,17}", clean[0].phone)
        assert clean[0].full_name
