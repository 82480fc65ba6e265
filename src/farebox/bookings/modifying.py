"""Changing a booking while it waits for money: who travels, on which seats, how they are reached, with which code."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, delete, select, update

from farebox.accounts import SYSTEM, Actor
from farebox.bookings.creating import (
    contact_values,
    passenger_row,
    person_values,
    price_items,
    price_line_rows,
    refuse_other_total,
)
from farebox.bookings.details import Contact, PassengerDetails, check_contact, check_passengers
from farebox.bookings.errors import ConcernsOthers, NotModifiable, PriceChanged
from farebox.bookings.giving_up import set_clocks
from farebox.bookings.models import BookingItemRow, BookingPassengerRow, BookingRow
from farebox.bookings.open_returns import (
    NewOpenReturns,
    find_offer,
    forget_open_returns,
    has_open_returns,
)
from farebox.bookings.other_seats import OtherSeats, Replacing, plan_seats, replace_seats
from farebox.bookings.queries import get_booking, get_row, reaches_item
from farebox.bookings.seating import Seated, check_seating, seat_passengers, sum_of
from farebox.bookings.states import BookingStatus, record
from farebox.bookings.verticals import ItemOffer, OpenReturnOffer, Traveller, Verticals
from farebox.bookings.views import Booking
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.pricing import (
    Promotion,
    Quote,
    find_promotion,
    get_taken_promotion,
    pass_on_promotion,
    release_promotion,
    take_promotion,
)


async def update_passengers(
    work: UnitOfWork,
    booking_id: UUID,
    *,
    passengers: Sequence[PassengerDetails] = (),
    contact: Contact | None = None,
    promo_code: str | None = None,
    open_return: bool | None = None,
    seats: OtherSeats | None = None,
    actor: Actor,
    verticals: Verticals,
    settings: Settings,
    secrets: Secrets,
    expected_total: Money | None = None,
) -> Booking:
    """Change who travels, where they sit or which code is used, while nothing is being paid. Free; quoted anew.

    Whatever is refused, nothing was changed. Who acts for one of its operators changes who is on that one's trips, and
    nothing that costs something: the price is of all trips.

    Args:
        passengers: one for each seat of the booking, as far as it is the actor's; none to leave the people as they are.
        contact: `None` to leave it as it is.
        promo_code: `None` to leave it as it is; empty to go without.
        open_return: whether everybody is to have an open return, too; `None` to leave it as it is.
        seats: other ones on a ride of the booking; `None` to leave them as they are. Its time to pay stays as it is.

    Raises:
        BookingNotFound: no such booking for this actor.
        HoldNotFound, HoldExpired: no such hold of other seats, or its time is over.
        ConcernsOthers: it would touch trips of operators for whom the actor does not act.
        NotModifiable: it is not pending.
        Invalid: people, seats, contact or code, field by field.
        PriceChanged: `expected_total` is not the new total.
    """
    given = {"seats": seats, "contact": contact, "promotion": promo_code, "openReturn": open_return}
    changed = [name for name, value in given.items() if value is not None] + (["passengers"] if passengers else [])
    row = await get_row(work, booking_id, actor=actor, wholly=not {"passengers"}.issuperset(changed))
    if row.status != BookingStatus.PENDING:
        raise NotModifiable(booking_status=row.status)
    people, contact = _check_form(passengers, contact, region=settings.phone_region)
    reach = contact_values(contact, secrets, region=settings.phone_region) if contact else {}
    promotion = await _promotion(work, row, promo_code)
    items = await _items(work, row.id)
    own = await _items(work, row.id, reaches_item(actor))
    if own != items:
        return await _rename_own(work, row, own, people, expected_total, actor=actor, secrets=secrets)
    plan = await plan_seats(work, row.id, items, seats, people, verticals) if seats else None
    offers = plan.offers if plan else [msgspec.convert(item.offer, ItemOffer) for item in items]
    seated = _seat(offers, plan.of_hold(people) if plan else people, verticals)
    quotes: list[Quote] = []
    returns = None
    if any(name != "contact" for name in changed):
        travellers = [one.traveller for one in seated] or await _travellers(work, items, plan)
        with_returns = await has_open_returns(work, row.id) if open_return is None else open_return
        quotes, returns = await price_items(work, offers, travellers, promotion, verticals, with_returns=with_returns)
        refuse_other_total(quotes, expected_total)

    await _exchange(work, row, promotion, person=reach.get("contact_email_index", row.contact_email_index))
    for column, value in reach.items():
        setattr(row, column, value)
    if quotes:
        await forget_open_returns(work, row.id)
    if plan:
        await replace_seats(work, plan, verticals)
    await _reseat(work, items, seated, secrets)
    if quotes:
        await _write_price(work, row, items, quotes, returns)
    await _record(work, row, changed, actor=actor)
    return await get_booking(work, booking_id, actor=SYSTEM)


async def _write_price(
    work: UnitOfWork,
    row: BookingRow,
    items: Sequence[BookingItemRow],
    quotes: Sequence[Quote],
    returns: NewOpenReturns | None,
) -> None:
    """The lines of a quote, under the booking's next revision, and the open returns that are in it."""
    total, tax = sum_of(quotes)
    row.price_revision += 1
    row.currency, row.total_minor, row.tax_minor = total.currency, total.minor, tax.minor
    work.put_rows(price_line_rows(work, row, items, quotes))
    await _add_returns(work, row, returns)


async def _rename_own(
    work: UnitOfWork,
    row: BookingRow,
    items: Sequence[BookingItemRow],
    people: Sequence[PassengerDetails],
    expected_total: Money | None,
    *,
    actor: Actor,
    secrets: Secrets,
) -> Booking:
    """Other people on the seats of some items, at the fares as they are.

    Raises:
        ConcernsOthers: somebody would pay another fare.
        Invalid: people and seats do not go together.
        PriceChanged: `expected_total` is not the total.
    """
    total = Money(row.total_minor, row.currency)
    if expected_total is not None and expected_total != total:
        raise PriceChanged(total=total)
    seated, errors = seat_passengers([msgspec.convert(item.offer, ItemOffer) for item in items], people)
    if errors and people:
        raise Invalid(errors)
    types = {(each.item, each.unit): each.passenger_type for each in await _travellers(work, items)}
    if any(types[each.item, each.seat.unit] != each.details.passenger_type for each in seated):
        raise ConcernsOthers
    for person in seated:
        await work.session.execute(
            update(BookingPassengerRow)
            .where(
                BookingPassengerRow.item_id == items[person.item].id,
                BookingPassengerRow.unit == person.seat.unit,
                BookingPassengerRow.ended_as.is_(None),
            )
            .values(special_needs=person.details.special_needs, **person_values(person.details, secrets))
            .execution_options(synchronize_session=False)
        )
    await _record(work, row, ["passengers"] if seated else [], actor=actor)
    return await get_booking(work, row.id, actor=SYSTEM)


async def _record(work: UnitOfWork, row: BookingRow, changed: Sequence[str], *, actor: Actor) -> None:
    row.updated_at = work.now
    pending = BookingStatus.PENDING
    record(work, row.id, actor=actor, source=pending, target=pending, reason="modified", facts={"changed": changed})
    await work.session.flush()


def _check_form(
    passengers: Sequence[PassengerDetails], contact: Contact | None, *, region: str
) -> tuple[list[PassengerDetails], Contact | None]:
    people, errors = check_passengers(passengers, region=region)
    if contact:
        contact, contact_errors = check_contact(contact, region=region)
        errors += contact_errors
    if errors:
        raise Invalid(errors)
    return people, contact


async def _add_returns(work: UnitOfWork, row: BookingRow, returns: NewOpenReturns | None) -> None:
    """The open returns that the booking has from now on, if any."""
    if returns:
        people = await work.session.execute(
            select(BookingPassengerRow.unit, BookingPassengerRow.id).where(
                BookingPassengerRow.booking_id == row.id, BookingPassengerRow.ended_as.is_(None)
            )
        )
        await returns.enter(work, row.id, {unit: passenger_id for unit, passenger_id in people})  # noqa: C416  (rows are no pairs to the type checker)
    await set_clocks(work, row)


async def find_open_return(work: UnitOfWork, booking_id: UUID, *, verticals: Verticals) -> OpenReturnOffer | None:
    """What an open return for everybody on a booking costs that waits for money; `None` where none is sold with it.

    For who has read the booking.
    """
    items = await _items(work, booking_id)
    offers = [msgspec.convert(item.offer, ItemOffer) for item in items]
    return await find_offer(work, offers, await _travellers(work, items), verticals)


async def _promotion(work: UnitOfWork, row: BookingRow, promo_code: str | None) -> Promotion | None:
    """The promotion that the booking is to have."""
    if promo_code is not None and not promo_code.strip():
        return None
    taken = await get_taken_promotion(work, row.promotion_id) if row.promotion_id else None
    if promo_code is None or (taken and taken.is_named(promo_code)):
        return taken
    return await find_promotion(work, promo_code)


async def _exchange(work: UnitOfWork, row: BookingRow, promotion: Promotion | None, *, person: bytes) -> None:
    """Let the booking have that promotion, for that person, and give back the one that it has."""
    before, had_it = row.promotion_id, row.contact_email_index
    if promotion and promotion.id == before:
        await pass_on_promotion(work, promotion, source=had_it, target=person)
        return
    if promotion:
        await take_promotion(work, promotion, person=person)
    if before:
        await release_promotion(work, before, person=had_it)
    row.promotion_id = promotion.id if promotion else None


async def _items(work: UnitOfWork, booking_id: UUID, *which: ColumnElement[bool]) -> Sequence[BookingItemRow]:
    items = await work.session.scalars(
        select(BookingItemRow)
        .where(BookingItemRow.booking_id == booking_id, BookingItemRow.ended_as.is_(None), *which)
        .order_by(BookingItemRow.position)
    )
    return items.all()


def _seat(offers: Sequence[ItemOffer], people: Sequence[PassengerDetails], verticals: Verticals) -> list[Seated]:
    if not people:
        return []
    seated, errors = seat_passengers(offers, people)
    errors = errors or check_seating(offers, seated, verticals)
    if errors:
        raise Invalid(errors)
    return seated


async def _travellers(
    work: UnitOfWork, items: Sequence[BookingItemRow], plan: Replacing | None = None
) -> list[Traveller]:
    """Those who travel, as they are, or on the seats that they are to have."""
    places = {item.id: place for place, item in enumerate(items)}
    rows = await work.session.scalars(
        select(BookingPassengerRow).where(
            BookingPassengerRow.item_id.in_(places), BookingPassengerRow.ended_as.is_(None)
        )
    )
    travellers = [
        Traveller(
            position=row.position,
            item=places[row.item_id],
            seat=row.seat_number,
            unit=row.unit,
            passenger_type=row.passenger_type,  # type: ignore[arg-type]  # the table's CHECK says so
            special_needs=row.special_needs,
        )
        for row in rows
    ]
    return plan.moved(travellers) if plan else travellers


async def _reseat(
    work: UnitOfWork, items: Sequence[BookingItemRow], seated: Sequence[Seated], secrets: Secrets
) -> None:
    """Other people, or others' seats; each seat's person keeps the id. With nobody, all stay."""
    if not seated:
        return
    old = await work.session.execute(
        delete(BookingPassengerRow)
        .where(BookingPassengerRow.item_id.in_([item.id for item in items]), BookingPassengerRow.ended_as.is_(None))
        .returning(BookingPassengerRow.item_id, BookingPassengerRow.unit, BookingPassengerRow.id)
    )
    ids = {(item_id, unit): passenger_id for item_id, unit, passenger_id in old}
    for person in seated:
        item = items[person.item]
        kept = ids.get((item.id, person.seat.unit))
        work.put(passenger_row(item.booking_id, item.id, person, secrets, passenger_id=kept))
