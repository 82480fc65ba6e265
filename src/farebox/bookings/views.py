"""What others see of a booking: frozen values. Personal numbers stay sealed until somebody opens them on purpose."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from farebox.bookings.states import UNPAID, BookingStatus, CancelReason
from farebox.bookings.verticals import ChangePolicy, ItemDescription, PassengerType
from farebox.core.crypto import Secrets
from farebox.core.money import Money, total

IdType = Literal["citizen_id", "passport"]

VISIBLE_CHARACTERS = 3

OPEN_RETURN = "open_return"
"""The fact of a price line that says for which open return it is."""


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """An encrypted text, and the column it was sealed for. Its `repr` shows nothing, so it can stand in any log line.

    It opens as the empty text once what it said was wiped.
    """

    sealed: bytes
    place: str = ""

    def open(self, secrets: Secrets) -> str:
        """The text itself: for its owner, the operator's staff, and mails to the owner."""
        return secrets.decrypt(self.sealed, place=self.place)

    def masked(self, secrets: Secrets) -> str:
        """The last three characters, the others as dots: enough to recognise one's own."""
        text = self.open(secrets)
        if not text:
            return ""
        return "•" * max(len(text) - VISIBLE_CHARACTERS, VISIBLE_CHARACTERS) + text[-VISIBLE_CHARACTERS:]

    def __repr__(self) -> str:
        return "Sealed()"


@dataclass(frozen=True, slots=True)
class SealedContact:
    """Where the traveller is reached."""

    email: Sealed
    phone: Sealed


@dataclass(frozen=True, slots=True)
class Passenger:
    id: UUID
    item_id: UUID
    unit: int
    seat_number: str
    full_name: str
    id_type: IdType
    id_number: Sealed
    phone: Sealed
    email: Sealed | None
    passenger_type: PassengerType
    special_needs: bool


@dataclass(frozen=True, slots=True)
class BookedLine:
    """One line of the price. `label` is source text for gettext with placeholders that `facts` fill."""

    item_id: UUID
    kind: Literal["fare", "seat", "surcharge", "discount", "fee", "tax"]
    label: str
    facts: Mapping[str, Any]
    seat_number: str | None
    amount: Money
    tax_included: Money

    @property
    def open_return_id(self) -> UUID | None:
        """Of which open return it is the price, or a part of it; `None` for all that was sold otherwise."""
        found = self.facts.get(OPEN_RETURN)
        return UUID(found) if found else None


@dataclass(frozen=True, slots=True)
class OpenReturn:
    """Somebody's right to ride back later, not used yet. See `models.OpenReturnRow`.

    Attributes:
        passenger_id: who has it, by their seat on the ride there.
        price: what was paid for it; `refund_bp`: how much of what is not used of that is paid back, in basis points.
        valid_until: the last instant at which the ride back may begin; shown in `timezone`.
    """

    id: UUID
    passenger_id: UUID
    passenger_type: PassengerType
    kind: str
    operator_id: UUID
    from_id: UUID | None
    to_id: UUID | None
    origin: str
    destination: str
    price: Money
    refund_bp: int
    valid_until: datetime
    timezone: str


@dataclass(frozen=True, slots=True)
class BookingItem:
    """One thing booked.

    Attributes:
        resource_id: for a coach, the departure (`tripId` on the wire).
        first_slot, end_slot, units, seat_numbers: what is held or sold of the inventory; units and labels in step.
    """

    id: UUID
    position: int
    kind: str
    hold_id: UUID
    inventory_id: int
    units: tuple[int, ...]
    seat_numbers: tuple[str, ...]
    first_slot: int
    end_slot: int
    resource_id: UUID
    operator_id: UUID
    from_id: UUID | None
    to_id: UUID | None
    starts_at: datetime
    completes_at: datetime
    description: ItemDescription
    policy: ChangePolicy
    passengers: tuple[Passenger, ...]


@dataclass(frozen=True, slots=True)
class FormerSeat:
    """What somebody had of a booking that lives on: given back (`cancelled`), or for something else (`changed`)."""

    item_id: UUID
    operator_id: UUID
    description: ItemDescription
    passenger: Passenger
    ended_as: Literal["cancelled", "changed"]
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking as it is now.

    Attributes:
        owner: the credential that made it.
        reason: why it was cancelled; `None` while it lives.
        expires_at: until when it can be paid; `None` once that is decided.
        items: what it has now; what was given up of it is in `former`. One that was cancelled as a whole keeps them.
        lines: what the total is made of, as last quoted: `revision` counts how often.
        total: what the traveller owes for it as it stands, so after a cancellation what is kept of the price.
        open_returns: rides back that were paid for and are not chosen yet; their price is in the total.
    """

    id: UUID
    reference: str
    status: BookingStatus
    reason: CancelReason | None
    owner: str
    language: str
    total: Money
    tax: Money
    contact: SealedContact
    items: tuple[BookingItem, ...]
    lines: tuple[BookedLine, ...]
    revision: int
    former: tuple[FormerSeat, ...]
    created_at: datetime
    expires_at: datetime | None
    confirmed_at: datetime | None
    cancelled_at: datetime | None
    open_returns: tuple[OpenReturn, ...] = ()

    @property
    def passengers(self) -> tuple[Passenger, ...]:
        """Everybody, item by item."""
        return tuple(passenger for item in self.items for passenger in item.passengers)

    @property
    def price_of_open_returns(self) -> Money:
        """What of the total is for rides back that are not chosen yet: owed to the traveller until they are."""
        lines = [line.amount for line in self.lines if line.open_return_id]
        return total(lines, self.total.currency)

    @property
    def hold_ids(self) -> list[UUID]:
        """Those of what it has, sorted: everybody locks them in this order."""
        return sorted({item.hold_id for item in self.items})

    @property
    def is_open(self) -> bool:
        """Whether it still waits for money."""
        return self.status in UNPAID


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One step of a booking's life."""

    at: datetime
    actor: str
    from_status: BookingStatus | None
    to_status: BookingStatus
    reason: str
    facts: Mapping[str, Any]
