"""From rows to the values that others see."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import select

from farebox.bookings.models import BookingItemRow, BookingPassengerRow, BookingPriceLineRow, BookingRow
from farebox.bookings.states import BookingStatus, CancelReason
from farebox.bookings.verticals import ChangePolicy, ItemDescription
from farebox.bookings.views import BookedLine, Booking, BookingItem, FormerSeat, Passenger, Sealed, SealedContact
from farebox.core.db import UnitOfWork
from farebox.core.money import Money


async def assemble(work: UnitOfWork, rows: Sequence[BookingRow]) -> list[Booking]:
    """Bookings with all that belongs to them: three queries, however many they are."""
    ids = [row.id for row in rows]
    items = (await work.session.scalars(select(BookingItemRow).where(BookingItemRow.booking_id.in_(ids)))).all()
    passengers = (
        await work.session.scalars(
            select(BookingPassengerRow)
            .where(BookingPassengerRow.booking_id.in_(ids))
            .order_by(BookingPassengerRow.unit)
            .execution_options(populate_existing=True)
        )
    ).all()
    lines = (
        await work.session.scalars(
            select(BookingPriceLineRow)
            .join(BookingRow, BookingRow.id == BookingPriceLineRow.booking_id)
            .where(BookingRow.id.in_(ids), BookingPriceLineRow.revision == BookingRow.price_revision)
        )
    ).all()
    return [
        booking_of(
            row,
            [item for item in items if item.booking_id == row.id],
            [person for person in passengers if person.booking_id == row.id],
            [line for line in lines if line.booking_id == row.id],
        )
        for row in rows
    ]


def _item(row: BookingItemRow, passengers: Sequence[BookingPassengerRow]) -> BookingItem:
    order = {unit: place for place, unit in enumerate(row.units)}
    return BookingItem(
        id=row.id,
        position=row.position,
        kind=row.kind,
        hold_id=row.hold_id,
        inventory_id=row.inventory_id,
        units=tuple(row.units),
        seat_numbers=tuple(row.labels),
        first_slot=row.first_slot,
        end_slot=row.end_slot,
        resource_id=row.resource_id,
        operator_id=row.operator_id,
        from_id=row.from_id,
        to_id=row.to_id,
        starts_at=row.starts_at,
        completes_at=row.completes_at,
        description=msgspec.convert(row.description, ItemDescription),
        policy=msgspec.convert(row.policy, ChangePolicy),
        passengers=tuple(_passenger(person) for person in sorted(passengers, key=lambda person: order[person.unit])),
    )


def _passenger(row: BookingPassengerRow) -> Passenger:
    return Passenger(
        id=row.id,
        item_id=row.item_id,
        unit=row.unit,
        seat_number=row.seat_number,
        full_name=row.full_name,
        id_type=row.id_type,  # type: ignore[arg-type]  # the table's CHECK says so
        id_number=Sealed(row.id_number, "booking_passenger.id_number"),
        phone=Sealed(row.phone, "booking_passenger.phone"),
        email=Sealed(row.email, "booking_passenger.email") if row.email else None,
        passenger_type=row.passenger_type,  # type: ignore[arg-type]  # the table's CHECK says so
        special_needs=row.special_needs,
    )


def _line(row: BookingPriceLineRow) -> BookedLine:
    return BookedLine(
        item_id=row.item_id,
        kind=row.kind,  # type: ignore[arg-type]  # the table's CHECK says so
        label=row.label,
        facts=row.facts,
        seat_number=row.seat_number,
        amount=Money(row.amount_minor, row.currency),
        tax_included=Money(row.tax_minor, row.currency),
    )


def contact_of(row: BookingRow) -> SealedContact:
    return SealedContact(
        Sealed(row.contact_email, "booking.contact_email"), Sealed(row.contact_phone, "booking.contact_phone")
    )


def booking_of(
    row: BookingRow,
    items: Sequence[BookingItemRow],
    passengers: Sequence[BookingPassengerRow],
    lines: Iterable[BookingPriceLineRow],
) -> Booking:
    """A booking from its rows; lines of older revisions are left out."""
    # In the order of travel. The positions are those of adding, so a trip that was changed has the last of them.
    in_order = sorted(items, key=lambda item: (item.starts_at, item.position))
    return Booking(
        id=row.id,
        reference=row.reference,
        status=BookingStatus(row.status),
        reason=CancelReason(row.reason) if row.reason else None,
        owner=row.owner,
        language=row.language,
        total=Money(row.total_minor, row.currency),
        tax=Money(row.tax_minor, row.currency),
        contact=contact_of(row),
        items=tuple(
            _item(item, [person for person in passengers if person.item_id == item.id and person.ended_as is None])
            for item in in_order
            if item.ended_as is None
        ),
        lines=tuple(
            _line(line) for line in sorted(lines, key=lambda line: line.position) if line.revision == row.price_revision
        ),
        revision=row.price_revision,
        former=tuple(
            _former(item, person)
            for item in in_order
            for person in passengers
            if person.item_id == item.id and person.ended_as is not None
        ),
        created_at=row.created_at,
        expires_at=row.expires_at,
        confirmed_at=row.confirmed_at,
        cancelled_at=row.cancelled_at,
    )


def _former(item: BookingItemRow, person: BookingPassengerRow) -> FormerSeat:
    assert person.ended_at is not None  # the table's CHECK says so
    return FormerSeat(
        item_id=item.id,
        operator_id=item.operator_id,
        description=msgspec.convert(item.description, ItemDescription),
        passenger=_passenger(person),
        ended_as=person.ended_as,  # type: ignore[arg-type]  # the table's CHECK says so
        ended_at=person.ended_at,
    )
