"""From rows to the values that others see."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from farebox.bookings.models import (
    BookingItemRow,
    BookingPassengerRow,
    BookingPriceLineRow,
    BookingRow,
    OpenReturnRow,
)
from farebox.bookings.states import BookingStatus, CancelReason
from farebox.bookings.verticals import ChangePolicy, ItemDescription
from farebox.bookings.views import (
    BookedLine,
    Booking,
    BookingItem,
    FormerSeat,
    OpenReturn,
    Passenger,
    Sealed,
    SealedContact,
)
from farebox.core.db import UnitOfWork
from farebox.core.money import Money
from farebox.core.pipeline import Rows, Statement
from farebox.core.rows import Selection

Row = TypeVar("Row", BookingItemRow, BookingPassengerRow, BookingPriceLineRow, OpenReturnRow)


class Parts:
    """What belongs to bookings: which they are is an SQL condition on the id of one."""

    def __init__(self, which: str) -> None:
        self._items = Selection(BookingItemRow, f"WHERE booking_item.booking_id {which}")
        self._passengers = Selection(
            BookingPassengerRow, f"WHERE booking_passenger.booking_id {which} ORDER BY booking_passenger.unit"
        )
        self._lines = Selection(
            BookingPriceLineRow,
            "JOIN booking ON booking.id = booking_price_line.booking_id"
            f" WHERE booking.id {which} AND booking_price_line.booking_id {which}"
            " AND booking_price_line.revision = booking.price_revision",
        )
        self._open_returns = Selection(
            OpenReturnRow,
            f"WHERE open_return.booking_id {which} AND open_return.status = 'open' ORDER BY open_return.id",
        )

    def about(self, which: object) -> list[Statement]:
        """The questions, for one round trip."""
        parts = (self._items, self._passengers, self._lines, self._open_returns)
        return [part.about(which) for part in parts]

    def assembled(self, rows: Sequence[BookingRow], found: Sequence[Rows]) -> list[Booking]:
        """The bookings of these rows, from what was found about them."""
        items, passengers = self._items.read(found[0]), self._passengers.read(found[1])
        lines, open_returns = self._lines.read(found[2]), self._open_returns.read(found[3])
        items_of, passengers_of, lines_of = _by_booking(items), _by_booking(passengers), _by_booking(lines)
        returns_of = _by_booking(open_returns)
        return [
            booking_of(row, items_of[row.id], passengers_of[row.id], lines_of[row.id], returns_of[row.id])
            for row in rows
        ]


PARTS_OF_ONE: Final = Parts("= $1")
"""Asked in another way than those of many: a plan for a list is made anew each time, since lists can be long."""

PARTS_OF_MANY: Final = Parts("= ANY ($1::uuid[])")


async def assemble(work: UnitOfWork, rows: Sequence[BookingRow]) -> list[Booking]:
    """Bookings with all that belongs to them: four queries in one round trip, however many they are."""
    statements = PARTS_OF_MANY.about([row.id for row in rows])
    return PARTS_OF_MANY.assembled(rows, await work.send(statements))


def _by_booking(rows: Iterable[Row]) -> Mapping[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.booking_id].append(row)
    return found


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


def _open_return(row: OpenReturnRow) -> OpenReturn:
    return OpenReturn(
        id=row.id,
        passenger_id=row.passenger_id,
        passenger_type=row.passenger_type,  # type: ignore[arg-type]  # the table's CHECK says so
        kind=row.kind,
        operator_id=row.operator_id,
        from_id=row.from_id,
        to_id=row.to_id,
        origin=row.origin,
        destination=row.destination,
        price=Money(row.amount_minor, row.currency),
        refund_bp=row.refund_bp,
        valid_until=row.valid_until,
        timezone=row.timezone,
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
    open_returns: Iterable[OpenReturnRow] = (),
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
        open_returns=tuple(_open_return(each) for each in open_returns),
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
