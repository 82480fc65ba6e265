"""Writing messages: their words, in the language of the booking, as HTML and as plain text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from farebox.bookings import Booking, LookupCode
from farebox.core import i18n
from farebox.core.crypto import Secrets
from farebox.core.i18n import (
    N_,
    format_day,
    format_money,
    format_time,
    gettext,
    language,
    ngettext,
    pgettext,
    zone_name,
)
from farebox.core.money import Money
from farebox.notifications.letters import LETTERS
from farebox.notifications.payment_letters import PAYMENT_LETTERS
from farebox.notifications.views import Attachment, CalendarFile, CodePicture, Draft, MessageKind, TicketsFile
from farebox.ticketing import TicketCard, item_in_words

HEADLINES: Final[Mapping[MessageKind, str]] = {
    MessageKind.BOOKING_CONFIRMED: N_("You are booked"),
    MessageKind.TICKETS: N_("You are booked"),
    MessageKind.BOOKING_CHANGED: N_("Your booking has changed"),
    MessageKind.BOOKING_RENAMED: N_("There are other names on your booking"),
    MessageKind.RETURN_CHOSEN: N_("Your ride back is booked"),
}
"""What a message with tickets begins with, by its kind."""

SUBJECTS: Final[Mapping[MessageKind, str]] = {
    MessageKind.BOOKING_CHANGED: N_("Your booking {reference} has changed"),
    MessageKind.BOOKING_RENAMED: N_("There are other names on your booking {reference}"),
    MessageKind.RETURN_CHOSEN: N_("Your ride back is booked: booking {reference}"),
}
"""What a later message with tickets is about, so that nobody takes it for the first one."""

INSTEAD: Final = N_("The earlier tickets of who changed are not valid any more. Please use these.")
BESIDE: Final = N_("These are all tickets of your booking. Those that you had already stay valid.")

LEADS: Final[Mapping[MessageKind, str]] = {
    MessageKind.BOOKING_CHANGED: INSTEAD,
    MessageKind.BOOKING_RENAMED: INSTEAD,
    MessageKind.RETURN_CHOSEN: BESIDE,
}
"""What a later message with tickets says of the earlier ones, by its kind."""


def tickets_drafts(
    booking: Booking,
    cards: Sequence[TicketCard],
    *,
    kind: MessageKind,
    occasion: str,
    base_url: str,
    secrets: Secrets,
    contact_only: bool = False,
) -> list[Draft]:
    """The tickets for the booking's contact, and for each passenger who gave an address their own.

    `cards` must be in the booking's language. Every address gets one message, the contact's with all tickets.
    """
    contact = booking.contact.email.open(secrets)
    everybody = [passenger.id for passenger in booking.passengers]
    addressed: dict[str, tuple[str, list[UUID]]] = {contact.casefold(): (contact, everybody)}
    for passenger in booking.passengers:
        if passenger.email is None or contact_only:
            continue
        address = passenger.email.open(secrets)
        _, theirs = addressed.setdefault(address.casefold(), (address, []))
        if theirs is not everybody:
            theirs.append(passenger.id)
    with language(booking.language):
        return [
            _tickets_draft(
                booking,
                [card for card in cards if card.passenger_id in whose],
                kind,
                occasion,
                address,
                base_url,
                is_contact=whose is everybody,
            )
            for address, whose in addressed.values()
        ]


def expired_draft(booking: Booking, *, base_url: str, secrets: Secrets) -> Draft:
    """The time to pay is over, and nothing was charged."""
    with language(booking.language):
        return _draft(
            "booking_expired",
            MessageKind.BOOKING_EXPIRED,
            occasion="expired",
            recipient=booking.contact.email.open(secrets),
            subject=gettext("Your booking {reference} has run out").format(reference=booking.reference),
            facts={"booking": booking, "trips": trips_in_words(booking), "again_url": base_url},
        )


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What was cancelled of a booking.

    Attributes:
        passenger_ids: whose seats; none where it was all of the booking.
        open_returns: how many rides back that were not chosen went with them.
        cause: `customer`, who wished it, `operator`, or `dispute_lost`: the payer's bank has taken the money back.
        refund, kept: of what was paid; `None` where nothing was.
        withheld: of what was paid, the same: owed, but the payer's bank has taken it back.
        refund_to: `origin`, or `wallet`.
    """

    passenger_ids: tuple[UUID, ...]
    cause: str
    refund: Money | None
    kept: Money | None
    withheld: Money | None
    refund_to: str
    open_returns: int = 0


def given_up_draft(booking: Booking, given_up: GivenUp, *, base_url: str, secrets: Secrets) -> Draft:
    """A booking, or some seats of it, was cancelled: what that was, and what becomes of the money."""
    seats = [seat for seat in booking.former if seat.passenger.id in given_up.passenger_ids]
    with language(booking.language):
        if seats:
            kind, occasion = MessageKind.BOOKING_REDUCED, str(given_up.passenger_ids[0])
            subject = gettext("Seats of your booking {reference} were cancelled")
            trips = [
                f"{item_in_words(seat.description)} · {seat.passenger.seat_number} · {seat.passenger.full_name}"
                for seat in seats
            ]
            trips += [gettext("Open return")] * given_up.open_returns
        else:
            kind, occasion = MessageKind.BOOKING_CANCELLED, f"{booking.cancelled_at:%Y%m%dT%H%M%S}"
            subject, trips = gettext("Your booking {reference} was cancelled"), trips_in_words(booking)
        return _draft(
            "booking_given_up",
            kind,
            occasion=occasion,
            recipient=booking.contact.email.open(secrets),
            subject=subject.format(reference=booking.reference),
            facts={
                "booking": booking,
                "trips": trips,
                "is_part": bool(seats),
                "cause": given_up.cause,
                "refund": format_money(given_up.refund) if given_up.refund else "",
                "kept": format_money(given_up.kept) if given_up.kept else "",
                "withheld": format_money(given_up.withheld) if given_up.withheld else "",
                "to": given_up.refund_to,
                "booking_url": booking_url(base_url, booking.reference),
                "again_url": base_url,
            },
        )


def change_failed_draft(booking: Booking, *, change_id: UUID, reason: str, base_url: str, secrets: Secrets) -> Draft:
    """A change that waited for its payment was not made. `reason`: as in `bookings.BookingChangeFailed`."""
    with language(booking.language):
        return _draft(
            "change_failed",
            MessageKind.CHANGE_FAILED,
            occasion=str(change_id),
            recipient=booking.contact.email.open(secrets),
            subject=gettext("Your booking {reference} was not changed").format(reference=booking.reference),
            facts={
                "booking": booking,
                "trips": trips_in_words(booking),
                "reason": reason,
                "booking_url": booking_url(base_url, booking.reference),
            },
        )


def refund_draft(
    booking: Booking, *, refund_id: UUID, amount: Money, reason: str, to: str, base_url: str, secrets: Secrets
) -> Draft:
    """Money is on its way back, and why: `reason` as payments names it. `to`: `origin`, or `wallet`."""
    with language(booking.language):
        return _draft(
            "refund",
            MessageKind.REFUND,
            occasion=str(refund_id),
            recipient=booking.contact.email.open(secrets),
            subject=gettext("Your money for booking {reference} is on its way back").format(
                reference=booking.reference
            ),
            facts={
                "booking": booking,
                "trips": trips_in_words(booking),
                "amount": format_money(amount),
                "reason": reason,
                "to": to,
                "booking_url": booking_url(base_url, booking.reference),
                "again_url": base_url,
            },
        )


def lookup_draft(found: LookupCode, *, lookup_id: UUID, secrets: Secrets) -> Draft:
    """The code that opens a booking. It is in the text and not in the subject, which lock screens show."""
    booking = found.booking
    with language(booking.language):
        return _draft(
            "lookup_code",
            MessageKind.LOOKUP_CODE,
            occasion=str(lookup_id),
            recipient=booking.contact.email.open(secrets),
            subject=gettext("Your code for booking {reference}").format(reference=booking.reference),
            facts={"booking": booking, "code": found.code, "minutes": found.minutes},
        )


def letter_draft(
    kind: MessageKind, *, occasion: str, recipient: str, facts: Mapping[str, Any], timezone: str | None = None
) -> Draft:
    """A message of which only the words differ from kind to kind, in the current language.

    Args:
        facts: what its texts name, and `url` where it has a button. Instants are told in `timezone`, an IANA name.
    """
    letter = LETTERS.get(kind) or PAYMENT_LETTERS[kind]
    told = {name: _told(value, timezone) for name, value in facts.items()}

    def say(text: str) -> str:
        return gettext(text).format_map(told)

    return _draft(
        "letter",
        kind,
        occasion=occasion,
        recipient=recipient,
        subject=say(letter.subject),
        facts={
            "text": [say(text) for text in letter.text],
            "button": say(letter.button),
            "url": told["url"] if letter.button else "",
            "after": [say(text) for text in letter.after],
        },
    )


def _told(value: Any, timezone: str | None) -> Any:
    """A fact as it is read: money in its currency's form, an instant with its day, its time, and its zone."""
    if isinstance(value, Money):
        return format_money(value)
    if not isinstance(value, datetime):
        return value
    zone = ZoneInfo(timezone) if timezone else UTC
    day = format_day(value.astimezone(zone), pgettext("date pattern, date", "d MMMM y"))
    return f"{day}, {format_time(value, zone)} ({zone_name(value, zone)})"


def booking_url(base_url: str, reference: str) -> str:
    """Where a traveller finds the booking again, with the code that is mailed."""
    return f"{base_url}/find?reference={reference}"


def _tickets_draft(
    booking: Booking,
    cards: Sequence[TicketCard],
    kind: MessageKind,
    occasion: str,
    address: str,
    base_url: str,
    *,
    is_contact: bool,
) -> Draft:
    files: list[Attachment] = [
        CodePicture(content_id=f"{card.ticket_id.hex}@farebox", token=card.token) for card in cards
    ]
    files.append(
        TicketsFile(filename=f"{booking.reference}.pdf", passenger_ids=tuple(card.passenger_id for card in cards))
    )
    files.append(CalendarFile(filename=f"{booking.reference}.ics"))
    trips = trips_in_words(booking)
    if kind in SUBJECTS:
        subject = gettext(SUBJECTS[kind]).format(reference=booking.reference)
    else:
        subject = ngettext("Your ticket: {trip}", "Your tickets: {trip}", len(cards)).format(trip=trips[0])
    return _draft(
        "tickets",
        kind,
        occasion=occasion,
        recipient=address,
        subject=subject,
        reply_to=booking.items[0].description.operator_email,
        attachments=tuple(files),
        facts={
            "booking": booking,
            "headline": gettext(HEADLINES[kind]),
            "lead": gettext(LEADS[kind]) if kind in LEADS else "",
            "trips": trips,
            "cards": cards,
            "is_contact": is_contact,
            "total": format_money(booking.total),
            "returns": _returns(booking),
            "booking_url": booking_url(base_url, booking.reference),
        },
    )


def _returns(booking: Booking) -> list[str]:
    """What the open returns of a booking are good for, in sentences; none where it has none."""
    if not booking.open_returns:
        return []
    first, count = booking.open_returns[0], len(booking.open_returns)
    day = format_day(first.valid_until.astimezone(ZoneInfo(first.timezone)), pgettext("date pattern, date", "d MMMM y"))
    return [
        ngettext(
            "You have an open return from {origin} to {destination}.",
            "You have {count} open returns from {origin} to {destination}.",
            count,
        ).format(count=count, origin=first.origin, destination=first.destination),
        gettext("Choose the ride back on the page of your booking, when you know it: it must begin by {day}.").format(
            day=day
        ),
        gettext("{percent}% of the part of its price that you do not use is paid back.").format(
            percent=f"{first.refund_bp / 100:g}"
        ),
    ]


def trips_in_words(booking: Booking) -> list[str]:
    """What was booked, in the current language."""
    return [item_in_words(item.description) for item in booking.items]


def _draft(
    template: str,
    kind: MessageKind,
    *,
    occasion: str,
    recipient: str,
    subject: str,
    facts: dict[str, Any],
    reply_to: str = "",
    attachments: tuple[Attachment, ...] = (),
) -> Draft:
    facts = {"subject": subject, "language": i18n.current_language(), **facts}
    return Draft(
        kind=kind,
        occasion=occasion,
        recipient=recipient,
        subject=" ".join(subject.split()),  # a line break from a feed would end the header
        html=_templates().get_template(f"{template}.html").render(facts),
        text=_templates().get_template(f"{template}.txt").render(facts).strip() + "\n",
        reply_to=reply_to,
        attachments=attachments,
    )


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("farebox.notifications"),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
    return environment
