"""What a ticket shows, in words of the reader's language: the same for the PDF, the pages, the preview and the mail."""

import re
from collections.abc import Mapping, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from farebox.bookings import Booking, BookingItem, ItemDescription, Passenger, PlaceTime
from farebox.core.crypto import Secrets
from farebox.core.i18n import format_money, format_time, gettext, zone_name
from farebox.core.money import total
from farebox.pricing import describe_line
from farebox.ticketing import wording
from farebox.ticketing.views import Ticket, TicketStatus

SIGN = "#121316"
SIGN_TEXT = "#ffc247"
INK = "#15171a"
WHITE = "#ffffff"

_COLOR = re.compile("#[0-9a-fA-F]{6}")


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A label and what it says; for prices, an amount."""

    label: str
    value: str


class CardStop(msgspec.Struct, frozen=True, kw_only=True):
    """One end of the stretch, in its own zone.

    Attributes:
        place: the town; name: the exact stop, empty where the town's name says it all.
        iso: the instant, RFC 3339 with the place's offset, for `<time datetime>`.
        days_later: "+1" where it is a later calendar day than the start, else empty.
        zone: the zone's name where the two ends differ, else empty.
    """

    place: str
    name: str
    time: str
    day: str
    iso: str
    platform: str
    days_later: str = ""
    zone: str = ""


class TicketCard(msgspec.Struct, frozen=True, kw_only=True):
    """One ticket in words. Every text is ready to be shown; nothing is markup.

    Attributes:
        brand, on_brand: the operator's colour and the one that is readable on it, `#rrggbb`.
        heading: where to where; subheading: the day in full.
        alight: `None` where one stays in one place.
        zone_note: the zone of both ends where it is the same.
        counted: "Passenger 1 of 2".
        lines: what this ticket costs; total: their sum; beside: tax within it, and the booking's own lines.
        booking: reference, day, status.
        token: what the QR code says; draw it with `qr_svg`.
    """

    ticket_id: UUID
    booking_id: UUID
    passenger_id: UUID
    status: TicketStatus
    reference: str
    operator: str
    brand: str
    on_brand: str
    heading: str
    subheading: str
    board: CardStop
    alight: CardStop | None
    duration: str
    zone_note: str
    passenger: str
    passenger_type: str
    document: str
    seat: str
    seat_kind: str
    line: str
    vehicle: str
    counted: str
    lines: tuple[Fact, ...]
    total: Fact
    beside: tuple[Fact, ...]
    booking: tuple[Fact, ...]
    terms: tuple[str, ...]
    contacts: tuple[str, ...]
    token: str


def cards_of(booking: Booking, tickets: Mapping[UUID, Ticket], secrets: Secrets) -> list[TicketCard]:
    """The cards of a booking's tickets, in the order of its passengers. `tickets` are by passenger."""
    people = [(item, passenger) for item in booking.items for passenger in item.passengers if passenger.id in tickets]
    return [
        _card(booking, item, passenger, tickets[passenger.id], secrets, _counted(position, len(people)))
        for position, (item, passenger) in enumerate(people, start=1)
    ]


def item_in_words(about: ItemDescription) -> str:
    """Hà Nội to Vinh, Wed 25 Nov 2026."""
    day = wording.day_in_words(about.origin.time, ZoneInfo(about.origin.timezone))
    return gettext("{trip}, {day}").format(trip=_heading(about), day=day)


def readable_on(color: str) -> tuple[str, str]:
    """A usable brand colour and the text colour with the higher contrast on it (WCAG 2 relative luminance).

    Anything but `#rrggbb` means the product's own amber on ink.
    """
    if not _COLOR.fullmatch(color):
        return SIGN, SIGN_TEXT
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)  # noqa: PLR2004
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return color.lower(), INK if (luminance + 0.05) / 0.058 > 1.05 / (luminance + 0.05) else WHITE


def _card(
    booking: Booking, item: BookingItem, passenger: Passenger, ticket: Ticket, secrets: Secrets, counted: str
) -> TicketCard:
    about = item.description
    brand, on_brand = readable_on(about.operator_color)
    board, alight, zone_note = _ends(about)
    seat = next((seat for seat in about.seats if seat.label == passenger.seat_number), None)
    lines, own_total, beside = _prices(booking, item, passenger)
    return TicketCard(
        ticket_id=ticket.id,
        booking_id=booking.id,
        passenger_id=passenger.id,
        status=ticket.status,
        reference=booking.reference,
        operator=about.operator_name,
        brand=brand,
        on_brand=on_brand,
        heading=_heading(about),
        subheading=wording.full_day_in_words(about.origin.time, ZoneInfo(about.origin.timezone)),
        board=board,
        alight=alight,
        duration=wording.duration_in_words(about.destination.time - about.origin.time) if about.destination else "",
        zone_note=zone_note,
        passenger=passenger.full_name,
        passenger_type=_passenger_type(passenger),
        document=wording.document_in_words(passenger, secrets),
        seat=passenger.seat_number,
        seat_kind=wording.seat_in_words(seat),
        line=" · ".join(filter(None, [about.title, about.headsign])),
        vehicle=gettext(about.setting),
        counted=counted,
        lines=lines,
        total=own_total,
        beside=beside,
        booking=_booking_facts(booking, ZoneInfo(about.origin.timezone)),
        terms=_terms(item),
        contacts=tuple(filter(None, [about.operator_name, about.operator_phone, about.operator_email])),
        token=ticket.token,
    )


def _counted(position: int, count: int) -> str:
    return gettext("Ticket {number} of {count}").format(number=position, count=count)


def _heading(about: ItemDescription) -> str:
    if about.destination is None:
        return about.title
    origin, destination = about.origin.place, about.destination.place
    if origin == destination:  # within one town the stops tell them apart
        origin, destination = about.origin.name, about.destination.name
    return gettext("{origin} to {destination}").format(origin=origin, destination=destination)


def _ends(about: ItemDescription) -> tuple[CardStop, CardStop | None, str]:
    start, end = about.origin, about.destination
    start_zone = ZoneInfo(start.timezone)
    said_at_start = zone_name(start.time, start_zone)
    if end is None:
        return _stop(start), None, _zone_note(said_at_start)
    end_zone = ZoneInfo(end.timezone)
    said_at_end = zone_name(end.time, end_zone)
    days = wording.days_between(start.time, start_zone, end.time, end_zone)
    later = f"{days:+d}" if days else ""
    if said_at_start == said_at_end:
        return _stop(start), _stop(end, days_later=later), _zone_note(said_at_start)
    return _stop(start, zone=said_at_start), _stop(end, zone=said_at_end, days_later=later), ""


def _zone_note(zone: str) -> str:
    return gettext("Times are local: {zone}.").format(zone=zone)


def _stop(end: PlaceTime, *, zone: str = "", days_later: str = "") -> CardStop:
    there = ZoneInfo(end.timezone)
    return CardStop(
        place=end.place,
        name=end.name if end.name != end.place else "",
        time=format_time(end.time, there),
        day=wording.day_in_words(end.time, there),
        iso=end.time.astimezone(there).isoformat(),
        platform=end.platform,
        days_later=days_later,
        zone=zone,
    )


def _passenger_type(passenger: Passenger) -> str:
    kind = gettext(wording.PASSENGER_TYPES[passenger.passenger_type])
    return gettext("{type}, needs assistance").format(type=kind) if passenger.special_needs else kind


def _prices(
    booking: Booking, item: BookingItem, passenger: Passenger
) -> tuple[tuple[Fact, ...], Fact, tuple[Fact, ...]]:
    """The passenger's own lines, their sum, and what belongs beside it."""
    currency = booking.total.currency
    own = [line for line in booking.lines if line.item_id == item.id and line.seat_number == passenger.seat_number]
    common = [line for line in booking.lines if line.seat_number is None and line.item_id == item.id]
    tax = total([line.tax_included for line in own], currency)
    beside = [Fact(label=gettext("Tax included"), value=format_money(tax))] if tax else []
    beside += [Fact(label=describe_line(line), value=format_money(line.amount)) for line in common]
    if common or len(booking.passengers) > 1:
        beside.append(Fact(label=gettext("Whole booking"), value=format_money(booking.total)))
    return (
        tuple(Fact(label=describe_line(line), value=format_money(line.amount)) for line in own),
        Fact(label=gettext("This ticket"), value=format_money(total([line.amount for line in own], currency))),
        tuple(beside),
    )


def _booking_facts(booking: Booking, zone: ZoneInfo) -> tuple[Fact, ...]:
    booked = booking.confirmed_at or booking.created_at
    return (
        Fact(label=gettext("Reference"), value=booking.reference),
        Fact(label=gettext("Booked on"), value=wording.moment_in_words(booked, zone)),
        Fact(label=gettext("Status"), value=gettext(wording.STATUSES[booking.status])),
    )


def _terms(item: BookingItem) -> tuple[str, ...]:
    terms: Sequence[str] = [
        gettext(item.description.note),
        gettext("Have this code and the document named above ready for the crew, on paper or on a screen."),
        gettext("The ticket is valid for this person, this seat and this stretch only."),
    ]
    return tuple(term for term in terms if term)
