"""Many bookings at once, put into the tables as booking and paying would."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from tests.coaches.coach import Coach

from farebox.bookings import ChangePolicy, ItemDescription, PlaceTime, SeatDescription
from farebox.bookings.models import BookingItemRow, BookingPassengerRow, BookingPriceLineRow, BookingRow
from farebox.core.crypto import Secrets
from farebox.core.db import Database
from farebox.core.ids import new_id
from farebox.ticketing.models import TicketRow

HOUR = timedelta(hours=1)
WAITS = frozenset({"pending", "payment_processing"})
ENDED = frozenset({"cancelled", "refunded"})
SOLD = frozenset({"confirmed", "completed"})


async def book_many(
    database: Database,
    secrets: Secrets,
    coach: Coach,
    *,
    owner: str,
    count: int,
    status: str = "confirmed",
    seats: int = 1,
    starts_in: timedelta = timedelta(days=2),
    expires_in: timedelta = timedelta(minutes=10),
    total: int = 1500,
    currency: str = "EUR",
) -> list[UUID]:
    """So many bookings of an owner, a minute apart; their ids."""
    sealed, index = secrets.encrypt("+84912345678"), secrets.blind_index("+84912345678")
    labels = [f"{row}A" for row in range(1, seats + 1)]
    rows: list[Any] = []
    ids = []
    async with database.begin() as work:
        for number in range(count):
            booking_id, item_id = new_id(), new_id()
            starts = work.now + starts_in + timedelta(minutes=number)
            ends = starts + 2 * HOUR
            ids.append(booking_id)
            rows += [
                BookingRow(
                    id=booking_id,
                    reference=f"BUS{booking_id.hex[-12:].upper()}",
                    status=status,
                    reason="customer" if status in ENDED else None,
                    owner=owner,
                    language="en",
                    currency=currency,
                    total_minor=total,
                    tax_minor=0,
                    contact_email=sealed,
                    contact_email_index=index,
                    contact_phone=sealed,
                    contact_phone_index=index,
                    created_at=work.now,
                    updated_at=work.now,
                    expires_at=work.now + expires_in if status in WAITS else None,
                    starts_at=starts,
                    completes_at=ends,
                ),
                BookingItemRow(
                    id=item_id,
                    booking_id=booking_id,
                    position=0,
                    kind="coach",
                    hold_id=new_id(),
                    inventory_id=coach.departure.inventory_id,
                    units=list(range(seats)),
                    labels=labels,
                    first_slot=0,
                    end_slot=2,
                    resource_id=coach.id,
                    operator_id=coach.departure.operator_id,
                    from_id=coach.stop("a"),
                    to_id=coach.stop("c"),
                    starts_at=starts,
                    completes_at=ends,
                    offer={},
                    description=msgspec.to_builtins(_described(starts, ends, labels)),
                    policy=msgspec.to_builtins(ChangePolicy()),
                ),
                BookingPriceLineRow(
                    booking_id=booking_id,
                    item_id=item_id,
                    revision=1,
                    position=0,
                    kind="fare",
                    label="Fare",
                    facts={},
                    amount_minor=total,
                    tax_minor=0,
                    currency=currency,
                    created_at=work.now,
                ),
            ]
            for place, label in enumerate(labels):
                person = _passenger(booking_id, item_id, place, label, sealed, index)
                rows.append(person)
                if status in SOLD:
                    rows.append(_ticket(person, work.now))
        for kind in (BookingRow, BookingItemRow, BookingPriceLineRow, BookingPassengerRow, TicketRow):
            work.session.add_all(row for row in rows if isinstance(row, kind))
            await work.session.flush()
    return ids


def _described(starts: Any, ends: Any, labels: list[str]) -> ItemDescription:
    return ItemDescription(
        operator_name="Ahorn Coaches",
        title="Ahorn Express",
        setting="Standard coach",
        origin=PlaceTime(name="Ahorn station", place="Ahorn", time=starts, timezone="Europe/Berlin"),
        destination=PlaceTime(name="Cella market", place="Cella", time=ends, timezone="Europe/Berlin"),
        seats=tuple(SeatDescription(label=label, type="standard") for label in labels),
    )


def _passenger(
    booking_id: UUID, item_id: UUID, place: int, label: str, sealed: bytes, index: bytes
) -> BookingPassengerRow:
    return BookingPassengerRow(
        id=new_id(),
        booking_id=booking_id,
        item_id=item_id,
        position=place,
        unit=place,
        seat_number=label,
        full_name="Nguyễn Văn An",
        id_type="citizen_id",
        id_number=sealed,
        id_number_index=index,
        phone=sealed,
        phone_index=index,
        passenger_type="adult",
        special_needs=False,
    )


def _ticket(person: BookingPassengerRow, now: Any) -> TicketRow:
    return TicketRow(
        id=new_id(),
        booking_id=person.booking_id,
        booking_item_id=person.item_id,
        passenger_id=person.id,
        seat=person.seat_number,
        token=f"FB1.{person.id}",
        status="issued",
        issued_at=now,
    )
