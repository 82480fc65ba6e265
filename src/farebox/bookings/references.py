"""Booking references: short, dated, unguessable, forgiving when typed.

`BUS20261120K7QM2X` is a prefix, the day of the sale, and six random characters of an alphabet without look-alikes
(31 symbols, so 29.7 bits; with the lookup's second factor and its limits that is not guessed).
"""

import secrets
import unicodedata
from datetime import date
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
RANDOM_LENGTH: Final = 6
DATE_LENGTH: Final = 8
LONGEST_INPUT: Final = 40

_LOOK_ALIKES: Final = str.maketrans("OILZSB", "011258")


def new_reference(prefix: str, day: date) -> str:
    """A reference that nobody can guess. Its uniqueness is the database's to say."""
    return f"{prefix}{day:%Y%m%d}" + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))


def normalise_reference(typed: str) -> str:
    """What was meant by a typed reference: case, spaces, hyphens and full-width letters do not matter.

    Letters typed for digits in the date (O for 0) are put right; the random part has no look-alikes to mix up.
    """
    folded = unicodedata.normalize("NFKC", typed[:LONGEST_INPUT]).upper()
    plain = "".join(character for character in folded if character.isalnum())
    tail = DATE_LENGTH + RANDOM_LENGTH
    if len(plain) < tail:
        return plain
    prefix, day, code = plain[:-tail], plain[-tail:-RANDOM_LENGTH], plain[-RANDOM_LENGTH:]
    return prefix + day.translate(_LOOK_ALIKES) + code
