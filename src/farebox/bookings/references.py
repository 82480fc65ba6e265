"""Booking references: short, dated, unguessable, forgiving when typed, and told from a mistyped one.

`BUS20261120K7QM2XA` is a prefix, the day of the sale, random characters of an alphabet without look-alikes (six of 31
symbols are 29.7 bits; with the lookup's second factor and its limits that is not guessed), and one check character.

The check character makes the sum of all characters' values, each times a weight of its own, a multiple of 31. That is
a prime, and the weights are powers of 3, whose first 30 differ modulo 31: so one wrong character, and two that changed
places, always leave another sum. References of six characters without one are those of earlier releases.
"""

import secrets
import unicodedata
from datetime import date
from typing import Final

from farebox.bookings.errors import ReferenceMistyped

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
UNCHECKED_LENGTH: Final = 6
SHORTEST_LENGTH: Final = 5
LONGEST_PREFIX: Final = 4
DATE_LENGTH: Final = 8
LONGEST_INPUT: Final = 40

_MODULUS: Final = len(ALPHABET)
_GENERATOR: Final = 3

_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)} | {
    # Not in the random part. Digits of a date differ from each other, and letters of a prefix, and that is enough.
    "0": 29,
    "1": 30,
    "I": 0,
    "L": 1,
    "O": 2,
}

_LOOK_ALIKES: Final = str.maketrans("OILZSB", "011258")


def new_reference(prefix: str, day: date, length: int = 6) -> str:
    """A reference that nobody can guess. Its uniqueness is the database's to say.

    Args:
        length: how many of its characters are random; the check character comes on top.
    """
    body = f"{prefix}{day:%Y%m%d}" + "".join(secrets.choice(ALPHABET) for _ in range(length))
    return body + _check_character(body)


def normalise_reference(typed: str) -> str:
    """What was meant by a typed reference: case, spaces, hyphens and full-width letters do not matter.

    Letters typed for digits in the date (O for 0) are put right; the random part has no look-alikes to mix up.
    """
    plain = _plain(typed)
    parts = _parts(plain)
    return "".join(parts) if parts else plain


def check_reference(typed: str) -> str:
    """The same, for a reference that is to be looked up. Says nothing about whether there is such a booking.

    Raises:
        ReferenceMistyped: it has another form than references, or its check character does not fit the others.
    """
    parts = _parts(_plain(typed))
    if parts is None:
        raise ReferenceMistyped
    reference, code = "".join(parts), parts[-1]
    if not set(code) <= set(ALPHABET) or len(code) < SHORTEST_LENGTH + 1:
        raise ReferenceMistyped
    if len(code) != UNCHECKED_LENGTH and _weighted_sum(reference):
        raise ReferenceMistyped
    return reference


def _plain(typed: str) -> str:
    folded = unicodedata.normalize("NFKC", typed[:LONGEST_INPUT]).upper()
    return "".join(character for character in folded if character.isalnum())


def _parts(plain: str) -> tuple[str, str, str] | None:
    """Prefix, day and code, where that is the form of it. The day begins as early as there can be one."""
    for start in range(LONGEST_PREFIX + 1):
        prefix, typed, code = plain[:start], plain[start:][:DATE_LENGTH], plain[start + DATE_LENGTH :]
        # A prefix may end in letters that look like a century; nobody types two of them for it.
        day = "" if typed[:2].isalpha() else typed.translate(_LOOK_ALIKES)
        if (prefix.isalpha() or not prefix) and _is_day(day) and code and plain.isascii():
            return prefix, day, code
    return None


def _is_day(digits: str) -> bool:
    """Whether these eight digits are a day of this century."""
    try:
        return digits.isdecimal() and digits.startswith("20") and bool(date.fromisoformat(digits))
    except ValueError:
        return False


def _check_character(body: str) -> str:
    """The last character has the weight one, so its value is what the others' sum lacks."""
    return ALPHABET[-_weighted_sum(body + ALPHABET[0]) % _MODULUS]


def _weighted_sum(reference: str) -> int:
    places = enumerate(reversed(reference))
    return sum(pow(_GENERATOR, place, _MODULUS) * _VALUES[character] for place, character in places) % _MODULUS
