"""What a booking asks of the thing it books. Coaches are one vertical; an event, a night, a package are others.

`bookings` knows units over slots of inventories, people, prices and instants. What a unit *is* — how it is called, what
it costs, what its ticket prints — only the vertical knows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias
from uuid import UUID

import msgspec

from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError
from farebox.inventory import Hold
from farebox.pricing import PriceLine, Quote

PassengerType: TypeAlias = Literal["adult", "child", "senior"]


@dataclass(frozen=True, slots=True)
class SeatOffer:
    """One unit of an item, as people name it.

    Attributes:
        unit: the kernel's number of it.
        label: what is written on it ("4A"); unique within the item.
        type: the vertical's own word ("sleeper").
        features: the vertical's own words ("window", "lower").
        accessible: fit for a passenger with special needs.
    """

    unit: int
    label: str
    type: str = "standard"
    features: tuple[str, ...] = ()
    accessible: bool = False


@dataclass(frozen=True, slots=True)
class ItemOffer:
    """What one claim of a hold is: so many units of one resource over a stretch of its slots.

    Attributes:
        kind: the vertical that made it (`Vertical.kind`).
        resource_id: what is booked: the departure of a coach, the session of an event.
        operator_id: who sells it.
        from_id, to_id: where the stretch begins and ends, where the vertical has such places.
        snapshot: the vertical's own facts, JSON-able, kept with the booking and handed back to `describe`.
    """

    kind: str
    hold_id: UUID
    inventory_id: int
    first_slot: int
    end_slot: int
    resource_id: UUID
    operator_id: UUID
    seats: tuple[SeatOffer, ...]
    from_id: UUID | None = None
    to_id: UUID | None = None
    snapshot: Mapping[str, Any] = field(default_factory=dict)

    @property
    def units(self) -> tuple[int, ...]:
        return tuple(seat.unit for seat in self.seats)


@dataclass(frozen=True, slots=True)
class Traveller:
    """Who takes a unit, as far as price and rules need to know: no name, no number.

    Attributes:
        position: of the person in the list that the client sent; names fields in errors.
        item: position of the item in the booking.
        seat: label of the unit within the item.
        unit: the kernel's number of it.
    """

    position: int
    item: int
    seat: str
    unit: int
    passenger_type: PassengerType
    special_needs: bool = False


@dataclass(frozen=True, slots=True)
class FoundAgain:
    """Something like what was booked once, free to be held now.

    Attributes:
        seats: one for each that was asked for, in that order, each as much like it as there is.
        starts_at, ends_at: in the zone of the place.
    """

    inventory_id: int
    first_slot: int
    end_slot: int
    resource_id: UUID
    from_id: UUID | None
    to_id: UUID | None
    seats: tuple[SeatOffer, ...]
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class OpenReturnOffer:
    """The right to ride back later, as a vertical sells it with the ride there.

    Attributes:
        from_id, to_id: where the ride back begins and ends, as `Vertical.ends_of` says it of an item.
        origin, destination: the same for people.
        valid_until: the last instant at which the ride back may begin; shown in `timezone`.
        refund_bp: how much is paid back of what is not used of its price, in basis points.
        lines: of what it costs, for each traveller asked for, in their order; of no seat.
    """

    from_id: UUID | None
    to_id: UUID | None
    origin: str
    destination: str
    valid_until: datetime
    timezone: str
    refund_bp: int
    lines: tuple[tuple[PriceLine, ...], ...]


class PlaceTime(msgspec.Struct, frozen=True, kw_only=True):
    """A place and when something happens there, in the place's own zone.

    Attributes:
        name: the exact place (the stop, the hall).
        place: the town or site that people know it by.
        time: the instant.
        timezone: IANA name; instants are shown in it.
        platform: bay, gate or entrance; empty where there is none.
    """

    name: str
    place: str
    time: datetime
    timezone: str
    platform: str = ""
    lat: float | None = None
    lon: float | None = None


class SeatDescription(msgspec.Struct, frozen=True, kw_only=True):
    """A unit as the ticket prints it: label, and the vertical's words for what it is like."""

    label: str
    type: str = "standard"
    features: tuple[str, ...] = ()


class ItemDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What tickets, mails and pages print of an item: facts frozen at the sale, whatever the timetable says later.

    Attributes:
        operator_name, operator_phone, operator_email, operator_color: who runs it; the colour is `#rrggbb` or empty.
        title: the line, or the name of the event.
        headsign: what is written on the vehicle; empty where there is none.
        setting: vehicle or room, in words.
        origin: where and when it begins: boarding, doors, check-in.
        destination: where and when it ends; `None` where one stays in one place.
        note: one sentence for the traveller ("Be there 15 minutes before departure."), source text for gettext.
        amenities: the vertical's words.
    """

    operator_name: str
    title: str
    origin: PlaceTime
    destination: PlaceTime | None = None
    seats: tuple[SeatDescription, ...] = ()
    setting: str = ""
    headsign: str = ""
    operator_phone: str = ""
    operator_email: str = ""
    operator_color: str = ""
    note: str = ""
    amenities: tuple[str, ...] = ()


class RefundTier(msgspec.Struct, frozen=True, kw_only=True):
    """Until an instant, so much of the price is paid back: `refund_bp` basis points of it."""

    until: datetime
    refund_bp: int


class ChangePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The terms under which an item was bought; kept with the booking, so that later rules do not change old sales.

    Attributes:
        cancel_until, change_until, rename_until: the last instant at which the traveller may do so; `None`: not at all.
        tiers: what is paid back of the price of a seat, the earliest instant first; after the last, nothing. Without
            any, all of it is until `cancel_until`.
        is_fee_refundable: whether what is paid once for the item (the service fee) is paid back with its last seat.
        change_fee_minor, rename_fee_minor: what a change costs for each passenger, in the booking's currency.
    """

    cancel_until: datetime | None = None
    change_until: datetime | None = None
    rename_until: datetime | None = None
    tiers: tuple[RefundTier, ...] = ()
    is_fee_refundable: bool = False
    change_fee_minor: int = 0
    rename_fee_minor: int = 0


class Vertical(Protocol):
    """The protocol that a vertical fulfils; registered by its `kind` in the application's wiring."""

    @property
    def kind(self) -> str:
        """The vertical's name, stored with each item ("coach")."""
        ...

    async def offer(self, work: UnitOfWork, hold: Hold) -> list[ItemOffer]:
        """What those claims of a hold are that belong to this vertical, in the hold's order; empty when none do.

        Raises:
            DomainError: no longer on sale.
        """
        ...

    def validate(self, items: Sequence[ItemOffer], travellers: Sequence[Traveller]) -> list[FieldError]:
        """The vertical's own rules. Fields are named `passengers.<position>.<field>`, as in `passengers.0.seatNumber`.

        `items` are this vertical's only, and `Traveller.item` counts within them.
        """
        ...

    async def quote(
        self,
        work: UnitOfWork,
        items: Sequence[ItemOffer],
        travellers: Sequence[Traveller],
        *,
        is_way_back: bool = False,
    ) -> list[Quote]:
        """The price of each item, in the items' order. Lines that belong to a seat carry its label.

        `items` are this vertical's only, and `Traveller.item` counts within them.

        Args:
            is_way_back: as for who has the way there, whether that is among the items or not.
        """
        ...

    async def offer_open_return(
        self, work: UnitOfWork, item: ItemOffer, travellers: Sequence[Traveller]
    ) -> OpenReturnOffer | None:
        """The right to ride back later from an item's end to its beginning; `None` where that is not sold.

        `travellers` are the item's.
        """
        ...

    async def stretch_of(
        self, work: UnitOfWork, item: ItemOffer, from_id: UUID | None, to_id: UUID | None
    ) -> tuple[int, int]:
        """The slots of an item's resource from one place to another; `None`: from where it begins, to where it ends.

        Raises:
            DomainError: it does not go that way.
        """
        ...

    async def ends_of(self, work: UnitOfWork, item: ItemOffer) -> tuple[UUID | None, UUID | None]:
        """Where an item begins and ends, as open returns name it: the same for all rides from one town to another."""
        ...

    def describe(self, item: ItemOffer) -> ItemDescription:
        """What is frozen into the booking for tickets, mails and pages."""
        ...

    def change_policy(self, item: ItemOffer) -> ChangePolicy:
        """The terms of sale of the item."""
        ...

    def completed_at(self, item: ItemOffer) -> datetime:
        """When the item has been used up: arrival, end of the show, check-out."""
        ...

    async def find_again(
        self,
        work: UnitOfWork,
        item: ItemOffer,
        *,
        earliest: datetime,
        holder: str = "",
        taken: Collection[tuple[int, int]] = (),
    ) -> FoundAgain | None:
        """The first offer from `earliest` on of what an item was, with as many free seats; `None` where there is none.

        Args:
            item: as it was kept with a booking; what it was of may be long over.
            holder: what this owner holds counts as free.
            taken: seats that are not to be chosen, as (inventory id, unit).
        """
        ...


Verticals: TypeAlias = Mapping[str, Vertical]
"""The verticals of the process, by kind."""
