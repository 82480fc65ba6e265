"""The one table of all columns that are sealed. A test holds the models to it.

Sealed texts within JSON (sign-ins half done, arguments of jobs) are not in it: they live for minutes or hours, and
older keys open them meanwhile.
"""

from typing import Final

from farebox.accounts import email_key
from farebox.bookings import contact_key
from farebox.core.resealing import SealedColumn


def _contact(text: str) -> str:
    return contact_key(text, region="")  # phone numbers are kept with their country


SEALED: Final[tuple[SealedColumn, ...]] = (
    SealedColumn("booking", "contact_email", "contact_email_index", _contact),
    SealedColumn("booking", "contact_phone", "contact_phone_index", _contact),
    SealedColumn("booking_passenger", "id_number", "id_number_index"),
    SealedColumn("booking_passenger", "phone", "phone_index"),
    SealedColumn("booking_passenger", "email", "email_index", str.casefold),
    SealedColumn("typed_people", "typed"),
    SealedColumn("message", "recipient", "recipient_index", str.casefold, is_bound=False),
    SealedColumn("message", "html", is_bound=False),
    SealedColumn("message", "text", is_bound=False),
    SealedColumn("idempotent_request", "body"),
    SealedColumn("person", "email", "email_index", email_key, is_bound=False),
    SealedColumn("person", "phone", "phone_index", is_bound=False),
    SealedColumn("person", "birth_date", is_bound=False),
    SealedColumn("identity", "email"),
    SealedColumn("invoice", "buyer"),
    SealedColumn("invoice_details", "details"),
    SealedColumn("mail_token", "sealed", is_bound=False),
    SealedColumn("factor", "secret"),
    SealedColumn("signing_key", "private_key", is_bound=False),
    SealedColumn("invitation", "email", "email_index", email_key),
)

NOT_SEALED: Final[frozenset[str]] = frozenset(
    {
        # digests of random tokens and of requests
        "guest_session.token_digest",
        "person_session.token_digest",
        "refresh_token.token_digest",
        "mail_token.token_digest",
        "sign_in_challenge.token_digest",
        "invitation.token_digest",
        "api_key.token_digest",
        "device.token_digest",
        "device.pairing_digest",
        "idempotent_request.digest",
        "idempotent_request.body_digest",
        # keyed digests that live for minutes or cannot be made anew
        "attempt.key",
        "booking_lookup.contact_index",
        "booking_lookup.code_digest",
        "recovery_code.code_digest",
        # a keyed digest that only counts, forgotten with the people of a booking: who has a code anew is counted anew
        "promotion_person.person",
        # passkeys: public keys, and what they are called
        "factor.credential_id",
        "factor.public_key",
        # printed tickets, for a week, under the digest of what is printed
        "ticket_document.digest",
        "ticket_document.content",
        # what a provider sent, as it came, for a while; see `retention`
        "payment_event.body",
    }
)
"""All other columns of bytes."""
