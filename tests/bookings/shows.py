"""A vertical for tests: seats in a theatre. It proves that bookings need not know what a coach is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from farebox.accounts import Actor, open_guest_session, upsert_operator
from farebox.bookings import (
    Booking,
    BookingRequest,
    ChangePolicy,
    Contact,
    FoundAgain,
    ItemDescription,
    ItemOffer,
    OpenReturnOffer,
    PassengerDetails,
    PlaceTime,
    RefundTier,
    SeatDescription,
    SeatOffer,
    Traveller,
    create_booking,
)
from farebox.core.crypto import Secrets
from farebox.core.db import Database, UnitOfWork
from farebox.core.errors import FieldError
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.inventory import Hold, HoldTerms, InventorySpec, Want, open_inventories, status, take
from farebox.pricing import PriceLine, Quote, Tax

TERMS = HoldTerms(ttl_seconds=900, max_extensions=2, max_total_seconds=2700)
CONTACT = Contact(email="an.nguyen@example.com", phone="+84 912 345 678")
HERE = ZoneInfo("Asia/Ho_Chi_Minh")
"""Where the theatre and its operator are."""


@dataclass(frozen=True, slots=True)
class Show:
    """Seats A1, A2 …; A1 is accessible. Children pay half, there is a fee for each show, 10% tax is included.

    All is paid back until a day before; with `tiers` (hours before, basis points), so much until it begins. With a
    `return_price`, one may buy the right to come again, and `return_refund_bp` of it is paid back if one does not.
    """

    id: UUID
    inventory_id: int
    operator_id: UUID
    begins: datetime
    currency: str
    price: int
    fee: int
    seats: tuple[SeatOffer, ...]
    change_fee: int = 0
    rename_fee: int = 0
    tiers: tuple[tuple[int, int], ...] = ()
    return_price: int | None = None
    return_days: int = 30
    return_refund_bp: int = 8000


@dataclass
class Theatre:
    """The vertical, and the programme that it sells."""

    kind: str = "show"
    shows: dict[int, Show] = field(default_factory=dict)

    async def offer(self, work: UnitOfWork, hold: Hold) -> list[ItemOffer]:
        return [
            ItemOffer(
                kind=self.kind,
                hold_id=hold.id,
                inventory_id=want.inventory_id,
                first_slot=want.first_slot,
                end_slot=want.end_slot,
                resource_id=show.id,
                operator_id=show.operator_id,
                seats=tuple(seat for seat in show.seats if seat.unit in want.units),
                snapshot={"inventory": want.inventory_id},
            )
            for want in hold.claims
            if (show := self.shows.get(want.inventory_id))
        ]

    def validate(self, items: Sequence[ItemOffer], travellers: Sequence[Traveller]) -> list[FieldError]:
        """Children sit beside somebody."""
        if all(traveller.passenger_type == "child" for traveller in travellers):
            return [FieldError("passengers.0.passengerType", "child-alone", "A child does not come alone.")]
        return []

    async def quote(
        self,
        work: UnitOfWork,
        items: Sequence[ItemOffer],
        travellers: Sequence[Traveller],
        *,
        is_way_back: bool = False,
    ) -> list[Quote]:
        return [
            self._quote(self._show(item), [person for person in travellers if person.item == position])
            for position, item in enumerate(items)
        ]

    async def offer_open_return(
        self, work: UnitOfWork, item: ItemOffer, travellers: Sequence[Traveller]
    ) -> OpenReturnOffer | None:
        """To come again, at the show's `return_price`, children for half of it."""
        show = self._show(item)
        if show.return_price is None:
            return None
        again = replace(show, price=show.return_price)
        lines = [self._line(again, person) for person in travellers]
        return OpenReturnOffer(
            from_id=None,
            to_id=None,
            origin="Huế",
            destination="Huế",
            valid_until=show.begins + timedelta(days=show.return_days),
            timezone=HERE.key,
            refund_bp=show.return_refund_bp,
            lines=tuple(
                (replace(line, label=f"open-return-{line.label}", seat_number=None, facts={}),) for line in lines
            ),
        )

    async def stretch_of(
        self, work: UnitOfWork, item: ItemOffer, from_id: UUID | None, to_id: UUID | None
    ) -> tuple[int, int]:
        return item.first_slot, item.end_slot

    async def ends_of(self, work: UnitOfWork, item: ItemOffer) -> tuple[UUID | None, UUID | None]:
        return None, None

    def describe(self, item: ItemOffer) -> ItemDescription:
        show = self._show(item)
        return ItemDescription(
            operator_name="Small Theatre",
            title="The Cherry Orchard",
            origin=PlaceTime(name="Main Hall", place="Huế", time=show.begins, timezone=HERE.key),
            seats=tuple(SeatDescription(label=seat.label) for seat in item.seats),
        )

    def change_policy(self, item: ItemOffer) -> ChangePolicy:
        show = self._show(item)
        latest = show.begins - timedelta(hours=2)
        return ChangePolicy(
            cancel_until=show.begins if show.tiers else show.begins - timedelta(days=1),
            tiers=tuple(
                RefundTier(until=show.begins - timedelta(hours=hours), refund_bp=bp) for hours, bp in show.tiers
            ),
            change_until=latest,
            rename_until=latest,
            change_fee_minor=show.change_fee,
            rename_fee_minor=show.rename_fee,
        )

    def completed_at(self, item: ItemOffer) -> datetime:
        return self._show(item).begins + timedelta(hours=2)

    async def find_again(
        self,
        work: UnitOfWork,
        item: ItemOffer,
        *,
        earliest: datetime,
        holder: str = "",
        taken: Collection[tuple[int, int]] = (),
    ) -> FoundAgain | None:
        """The next show on the programme with enough free seats, whatever is given."""
        for show in sorted(self.shows.values(), key=lambda show: show.begins):
            if show.begins < earliest:
                continue
            units = await status(work, show.inventory_id, 0, 1)
            gone = {unit.unit for unit in units if unit.state != "held" or unit.owners != {holder}}
            gone |= {unit for inventory_id, unit in taken if inventory_id == show.inventory_id}
            free = [seat for seat in show.seats if seat.unit not in gone]
            if len(free) >= len(item.seats):
                return FoundAgain(
                    inventory_id=show.inventory_id,
                    first_slot=0,
                    end_slot=1,
                    resource_id=show.id,
                    from_id=None,
                    to_id=None,
                    seats=tuple(free[: len(item.seats)]),
                    starts_at=show.begins,
                    ends_at=show.begins + timedelta(hours=2),
                )
        return None

    def _show(self, item: ItemOffer) -> Show:
        return self.shows[item.snapshot["inventory"]]

    def _quote(self, show: Show, people: Sequence[Traveller]) -> Quote:
        lines = [self._line(show, person) for person in people]
        fee = Money(show.fee, show.currency)
        if fee:
            lines.append(PriceLine("fee", "service-fee", fee, Money.zero(show.currency)))
        return Quote(tuple(lines), show.currency, Tax(1000))

    def _line(self, show: Show, person: Traveller) -> PriceLine:
        price = Money(show.price, show.currency).times(
            Fraction(1, 2) if person.passenger_type == "child" else Fraction(1)
        )
        facts = {"seat": person.seat, "passenger_type": person.passenger_type}
        return PriceLine(
            "fare", f"fare-{person.passenger_type}", price, price.times(Fraction(10, 110)), person.seat, facts
        )


@dataclass
class Box:
    """A theatre's box office: what a test needs to hold seats and to book them."""

    database: Database
    settings: Settings
    secrets: Secrets
    theatre: Theatre = field(default_factory=Theatre)

    @property
    def verticals(self) -> dict[str, Theatre]:
        return {self.theatre.kind: self.theatre}

    async def show(
        self,
        *,
        price: int = 1250,
        fee: int = 100,
        currency: str = "EUR",
        seats: int = 4,
        begins_in: int = 86_400,
        begins: datetime | None = None,
        operator: str = "theatre",
        **more: Any,
    ) -> Show:
        async with self.database.begin() as work:
            owner = await upsert_operator(
                work, code=operator, name="Small Theatre", timezone=HERE.key, currency=currency
            )
            [inventory_id] = await open_inventories(work, [InventorySpec(seats, 1)])
        show = Show(
            id=new_id(),
            inventory_id=inventory_id,
            operator_id=owner.id,
            begins=begins or datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=begins_in),
            currency=currency,
            price=price,
            fee=fee,
            seats=tuple(SeatOffer(unit, f"A{unit + 1}", accessible=unit == 0) for unit in range(seats)),
            **more,
        )
        self.theatre.shows[inventory_id] = show
        return show

    async def guest(self) -> Actor:
        actor, _ = await self.guest_with_token()
        return actor

    async def guest_with_token(self) -> tuple[Actor, str]:
        async with self.database.begin() as work:
            session, token = await open_guest_session(work, ttl_seconds=3600)
        return Actor("guest", session.id), token

    async def hold(self, actor: Actor, show: Show, units: Sequence[int] = (0,), *, ttl_seconds: int = 900) -> Hold:
        terms = HoldTerms(ttl_seconds=ttl_seconds, max_extensions=2, max_total_seconds=2700)
        async with self.database.begin() as work:
            wants = [Want(show.inventory_id, tuple(units), 0, 1)]
            return await take(work, wants, owner=actor.owner, terms=terms)

    async def book(
        self, actor: Actor, *holds: Hold, passengers: Sequence[PassengerDetails] | None = None, **more: Any
    ) -> Booking:
        if passengers is None:
            passengers = [person for hold in holds for person in self.people(hold)]
        request = BookingRequest(
            lock_ids=tuple(hold.id for hold in holds),
            passengers=tuple(passengers),
            contact=more.pop("contact", CONTACT),
            **more,
        )
        async with self.database.begin() as work:
            return await create_booking(
                work,
                request,
                actor=actor,
                verticals=self.verticals,
                settings=self.settings,
                secrets=self.secrets,
            )

    async def booked(self, units: Sequence[int] = (0,), **show: Any) -> tuple[Booking, Actor, Show]:
        """A pending booking of seats in a new show, by a new guest."""
        actor, programme = await self.guest(), await self.show(**show)
        return await self.book(actor, await self.hold(actor, programme, units)), actor, programme

    def people(self, hold: Hold) -> list[PassengerDetails]:
        """One adult for each seat of a hold."""
        return [
            person(self.theatre.shows[want.inventory_id].seats[unit].label)
            for want in hold.claims
            for unit in want.units
        ]


def person(seat: str, **details: Any) -> PassengerDetails:
    known: dict[str, Any] = {
        "full_name": "Nguyễn Văn An",
        "id_type": "citizen_id",
        "id_number": "001 099 012 345",
        "phone": "0912 345 678",
    }
    return PassengerDetails(seat_number=seat, **(known | details))


async def run_out(database: Database, booking: Booking) -> None:
    """Let the booking's time be over: its clock, and its holds' with all their claims."""
    async with database.begin() as work:
        await work.execute("UPDATE booking SET expires_at = now() - interval '1 second' WHERE id = %s", (booking.id,))
        for item in booking.items:
            await work.execute(
                "UPDATE hold SET expires_at = now() - interval '1 second' WHERE id = %s", (item.hold_id,)
            )
            await work.execute(
                "UPDATE claim SET expires_at = now() - interval '1 second' WHERE hold_id = %s", (item.hold_id,)
            )


async def scalar(database: Database, query: str, *parameters: Any) -> Any:
    async with database.begin() as work:
        row = await (await work.execute(query, parameters)).fetchone()
    return row[0] if row else None
