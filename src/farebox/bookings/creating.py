"""Making a booking of holds, and writing its people and prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select

from farebox.accounts import Actor
from farebox.bookings.assembling import booking_of
from farebox.bookings.details import Contact, PassengerDetails, check_contact, check_passengers, contact_key
from farebox.bookings.errors import AlreadyBooked, PriceChanged
from farebox.bookings.events import BookingCreated
from farebox.bookings.models import BookingItemRow, BookingPassengerRow, BookingPriceLineRow, BookingRow
from farebox.bookings.open_returns import NewOpenReturns, buy_open_returns
from farebox.bookings.references import new_reference
from farebox.bookings.seating import Seated, check_seating, offers_of, quote_items, seat_passengers, sum_of
from farebox.bookings.states import BookingStatus, record
from farebox.bookings.verticals import ItemOffer, Traveller, Verticals
from farebox.bookings.views import Booking
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.core.rows import inserted, new_row
from farebox.core.settings import Settings
from farebox.inventory import Hold, HoldExpired, HoldNotFound, adopt, lock_holds, lock_own
from farebox.pricing import Promotion, Quote, discounted, find_promotion, take_promotion

REFERENCE_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class BookingRequest:
    """What a traveller sends.

    Attributes:
        lock_ids: the holds to book, in the order in which they are travelled; each once.
        passengers: one for each seat of each hold.
        expected_total: what the traveller was shown; compared, never used.
        promo_code: a code for a discount, as typed.
        open_return: whether everybody is to have an open return, too.
    """

    lock_ids: tuple[UUID, ...]
    passengers: tuple[PassengerDetails, ...]
    contact: Contact
    expected_total: Money | None = None
    promo_code: str = ""
    open_return: bool = False


async def create_booking(
    work: UnitOfWork,
    request: BookingRequest,
    *,
    actor: Actor,
    verticals: Verticals,
    settings: Settings,
    secrets: Secrets,
    language: str = "en",
) -> Booking:
    """Make a pending booking of the actor's holds. It adopts them and keeps their seats for `booking_ttl_seconds`.

    Prices are quoted here; nothing that the client says about money counts.

    Raises:
        HoldNotFound: no such hold of this actor.
        AlreadyBooked: it has become a booking of theirs.
        HoldExpired: its time is over.
        Invalid: people, seats, contact or code, field by field.
        PriceChanged: `expected_total` is not the total; nothing was booked.
        MixedCurrencies: the items cannot be paid together.
    """
    holds = await _own_holds(work, request.lock_ids, owner=actor.owner)
    with work.asking_once():
        items = await offers_of(work, holds, verticals)
        people, contact = _check_form(request, region=settings.phone_region)
        seated = _seat(items, people, verticals)
        promotion = await find_promotion(work, request.promo_code) if request.promo_code.strip() else None
        quotes, returns = await price_items(
            work, items, [person.traveller for person in seated], promotion, verticals, with_returns=request.open_return
        )
    refuse_other_total(quotes, request.expected_total)
    reach = contact_values(contact, secrets, region=settings.phone_region)
    if promotion:
        await take_promotion(work, promotion, person=reach["contact_email_index"])

    booking_id = new_id()
    owner = f"booking:{booking_id}"  # it keeps the seats from now on
    ends = [await adopt(work, hold.id, owner=owner, seconds=settings.booking_ttl_seconds) for hold in holds]
    item_rows = [_item_row(booking_id, index, item, verticals) for index, item in enumerate(items)]
    row = await _insert_booking(
        work,
        settings=settings,
        zone=item_rows[0].description["origin"]["timezone"],
        values=_booking_values(
            work,
            booking_id,
            quotes,
            item_rows,
            owner=actor.owner,
            language=language,
            expires_at=min(ends),
        )
        | reach
        | {"promotion_id": promotion.id if promotion else None}
        | ({"completes_at": max(item_rows[0].completes_at, returns.offer.valid_until)} if returns else {}),
    )
    passenger_rows = [passenger_row(row.id, item_rows[person.item].id, person, secrets) for person in seated]
    line_rows = price_line_rows(work, row, item_rows, quotes)
    for parts in (item_rows, passenger_rows, line_rows):
        work.put_rows(parts)
    return_rows = await returns.enter(work, row.id, {each.unit: each.id for each in passenger_rows}) if returns else []
    record(work, row.id, actor=actor, source=None, target=BookingStatus.PENDING, reason="created")
    total, _ = sum_of(quotes)
    work.publish(
        BookingCreated(
            booking_id=row.id, reference=row.reference, total_price=str(total.amount), currency=total.currency
        )
    )
    return booking_of(row, item_rows, passenger_rows, line_rows, return_rows)


async def price_items(
    work: UnitOfWork,
    items: Sequence[ItemOffer],
    travellers: Sequence[Traveller],
    promotion: Promotion | None,
    verticals: Verticals,
    *,
    with_returns: bool,
) -> tuple[list[Quote], NewOpenReturns | None]:
    """The price of a booking's items, with what a code takes off and, if asked for, open returns for everybody.

    Raises:
        MixedCurrencies: they cannot be paid together.
        Invalid: the code is not for them, or no open return is sold with them.
    """
    quotes = await quote_items(work, items, travellers, verticals)
    if promotion:
        quotes = discounted(promotion, quotes, [item.operator_id for item in items])
    if not with_returns:
        return quotes, None
    returns = await buy_open_returns(work, items, travellers, verticals)
    return returns.added_to(quotes), returns


def refuse_other_total(quotes: Sequence[Quote], expected: Money | None) -> None:
    """Raises `PriceChanged` where the total is not what the client was shown."""
    total, _ = sum_of(quotes)
    if expected is not None and expected != total:
        raise PriceChanged(total=total)


def contact_values(contact: Contact, secrets: Secrets, *, region: str) -> dict[str, bytes]:
    """The contact's columns: sealed, and found again by a keyed digest."""
    return {
        "contact_email": secrets.encrypt(contact.email, place="booking.contact_email"),
        "contact_email_index": secrets.blind_index(contact_key(contact.email, region=region)),
        "contact_phone": secrets.encrypt(contact.phone, place="booking.contact_phone"),
        "contact_phone_index": secrets.blind_index(contact_key(contact.phone, region=region)),
    }


def passenger_row(
    booking_id: UUID, item_id: UUID, person: Seated, secrets: Secrets, *, passenger_id: UUID | None = None
) -> BookingPassengerRow:
    """A person's row."""
    details = person.details
    return new_row(
        BookingPassengerRow,
        id=passenger_id or new_id(),
        booking_id=booking_id,
        item_id=item_id,
        position=person.position,
        unit=person.seat.unit,
        seat_number=person.seat.label,
        passenger_type=details.passenger_type,
        special_needs=details.special_needs,
        **person_values(details, secrets),
    )


def person_values(details: PassengerDetails, secrets: Secrets) -> dict[str, Any]:
    """The columns of who somebody is; document number, phone and e-mail leave here sealed."""
    return {
        "full_name": details.full_name,
        "id_type": details.id_type,
        "id_number": secrets.encrypt(details.id_number, place="booking_passenger.id_number"),
        "id_number_index": secrets.blind_index(details.id_number),
        "phone": secrets.encrypt(details.phone, place="booking_passenger.phone"),
        "phone_index": secrets.blind_index(details.phone),
        "email": secrets.encrypt(details.email, place="booking_passenger.email") if details.email else None,
        "email_index": secrets.blind_index(details.email.casefold()) if details.email else None,
    }


def price_line_rows(
    work: UnitOfWork, row: BookingRow, items: Sequence[BookingItemRow], quotes: Sequence[Quote]
) -> list[BookingPriceLineRow]:
    """The lines of a quote under the booking's present revision."""
    lines = [(item, line) for item, quote in zip(items, quotes, strict=True) for line in quote.lines]
    return [
        new_row(
            BookingPriceLineRow,
            booking_id=row.id,
            item_id=item.id,
            revision=row.price_revision,
            position=position,
            kind=line.kind,
            label=line.label,
            facts=dict(line.facts),
            seat_number=line.seat_number,
            amount_minor=line.amount.minor,
            tax_minor=line.tax_included.minor,
            currency=line.amount.currency,
            created_at=work.now,
        )
        for position, (item, line) in enumerate(lines)
    ]


async def _own_holds(work: UnitOfWork, lock_ids: Sequence[UUID], *, owner: str) -> list[Hold]:
    if not lock_ids or len(set(lock_ids)) != len(lock_ids):
        message = N_("Name each hold on seats once.")
        raise Invalid([FieldError("lockIds", "invalid-locks", message)])
    try:
        holds = await lock_own(work, lock_ids, owner=owner)
    except HoldNotFound:
        await _refuse_booked(work, lock_ids, owner)
        raise
    if any(hold.state != "held" for hold in holds):
        raise HoldExpired
    if len(lock_ids) > 1:
        await lock_holds(work, lock_ids)
    return holds


async def _refuse_booked(work: UnitOfWork, lock_ids: Sequence[UUID], owner: str) -> None:
    """Raises `AlreadyBooked` where one of the holds has become a booking of the same owner, such as by a request whose
    answer was lost."""
    which = BookingItemRow.hold_id.in_(lock_ids), BookingItemRow.ended_as.is_(None), BookingRow.owner == owner
    query = select(BookingRow.id, BookingRow.reference).join(BookingItemRow, BookingItemRow.booking_id == BookingRow.id)
    booked = (await work.session.execute(query.where(*which).limit(1))).one_or_none()
    if booked is not None:
        raise AlreadyBooked(booking_id=booked.id, reference=booked.reference)


def _check_form(request: BookingRequest, *, region: str) -> tuple[list[PassengerDetails], Contact]:
    people, errors = check_passengers(request.passengers, region=region)
    contact, contact_errors = check_contact(request.contact, region=region)
    errors += contact_errors
    if errors:
        raise Invalid(errors)
    return people, contact


def _seat(items: Sequence[ItemOffer], people: Sequence[PassengerDetails], verticals: Verticals) -> list[Seated]:
    seated, errors = seat_passengers(items, people)
    errors = errors or check_seating(items, seated, verticals)
    if errors:
        raise Invalid(errors)
    return seated


def _booking_values(
    work: UnitOfWork,
    booking_id: UUID,
    quotes: Sequence[Quote],
    items: Sequence[BookingItemRow],
    *,
    owner: str,
    language: str,
    expires_at: datetime,
) -> dict[str, Any]:
    total, tax = sum_of(quotes)
    return {
        "id": booking_id,
        "status": BookingStatus.PENDING,
        "owner": owner,
        "language": language,
        "currency": total.currency,
        "total_minor": total.minor,
        "tax_minor": tax.minor,
        "price_revision": 1,
        "created_at": work.now,
        "updated_at": work.now,
        "expires_at": expires_at,
        "starts_at": min(item.starts_at for item in items),
        "completes_at": max(item.completes_at for item in items),
    }


async def _insert_booking(work: UnitOfWork, *, settings: Settings, zone: str, values: dict[str, Any]) -> BookingRow:
    """Insert under a new reference; one that is taken (once in millions) is drawn anew.

    The day in it is the day where the first item begins.
    """
    day = work.now.astimezone(ZoneInfo(zone)).date()
    for _ in range(REFERENCE_ATTEMPTS):
        reference = new_reference(settings.reference_prefix, day, settings.reference_length)
        row = new_row(BookingRow, **values, reference=reference)
        [entered] = await work.send([inserted(row, rest="ON CONFLICT (reference) DO NOTHING RETURNING id")])
        if entered:
            return row
    raise RuntimeError(f"no free reference in {REFERENCE_ATTEMPTS} draws: the random source is not random")


def _item_row(booking_id: UUID, position: int, item: ItemOffer, verticals: Verticals) -> BookingItemRow:
    vertical = verticals[item.kind]
    description = vertical.describe(item)
    return new_row(
        BookingItemRow,
        id=new_id(),
        booking_id=booking_id,
        position=position,
        kind=item.kind,
        hold_id=item.hold_id,
        inventory_id=item.inventory_id,
        units=list(item.units),
        labels=[seat.label for seat in item.seats],
        first_slot=item.first_slot,
        end_slot=item.end_slot,
        resource_id=item.resource_id,
        operator_id=item.operator_id,
        from_id=item.from_id,
        to_id=item.to_id,
        starts_at=description.origin.time,
        completes_at=vertical.completed_at(item),
        offer=msgspec.to_builtins(item),
        description=msgspec.to_builtins(description),
        policy=msgspec.to_builtins(vertical.change_policy(item)),
    )
