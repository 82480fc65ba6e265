"""Names and phone numbers as people type them, brought into one form."""

import unicodedata
from typing import Final

import phonenumbers

LONGEST_PHONE: Final = 40

_NAME_PUNCTUATION: Final = frozenset(" .,'’`-()/·")


def tidy_name(typed: str) -> str:
    """A name composed (NFC), with single blanks."""
    return " ".join(unicodedata.normalize("NFC", typed).split())


def is_name(name: str) -> bool:
    """Whether a name has letters, of any script, and nothing that names do not have."""
    return any(map(str.isalpha, name)) and all(_fits_a_name(character) for character in name)


def phone_number(typed: str, region: str) -> str | None:
    """A phone number as E.164 (+84912345678); `None` for what cannot be one.

    Args:
        region: ISO 3166 code of the country that numbers without a country code are of; empty for none.
    """
    if len(typed) > LONGEST_PHONE:
        return None
    try:
        number = phonenumbers.parse(typed, region or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def spaced_phone(number: str) -> str:
    """A number in E.164 with the blanks of its country (+84 912 345 678); anything else as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _fits_a_name(character: str) -> bool:
    return character in _NAME_PUNCTUATION or unicodedata.category(character)[0] in "LMN"
