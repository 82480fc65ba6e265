"""A booking to make tickets of: a small vertical that sells seats 1A, 1B … from one place to another."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from farebox.accounts import SYSTEM, Actor, upsert_operator
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
    SeatDescription,
    SeatOffer,
    Traveller,
    confirm_booking,
    create_booking,
)
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.inventory import Hold, HoldTerms, InventorySpec, Want, open_inventories, take
from farebox.pricing import PriceLine, Quote

NAMES = ("Nguyễn Thị Ánh", "Łukasz Żółć", "Jürgen Groß", "Trần Đức Phượng", "Zoë Ångström", "李小龙")
LABELS = ("1A", "1B", "2A", "2B", "3A", "3B")


def hanoi_to_vinh() -> ItemDescription:
    starts = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)  # 06:30 the next morning in Hà Nội
    return ItemDescription(
        operator_name="Trường Sơn Lines",
        operator_phone="+84 24 3864 1234",
        operator_email="hello@truongson.example",
        operator_color="#0b5d4b",
        title="Thống Nhất Express",
        headsign="Vinh",
        setting="Limousine, 9 seats",
        note="Be at the stop 15 minutes before departure.",
        origin=PlaceTime(
            name="Bến xe Giáp Bát",
            place="Hà Nội",
            time=starts,
            timezone="Asia/Ho_Chi_Minh",
            platform="12",
            lat=20.98,
            lon=105.84,
        ),
        destination=PlaceTime(
            name="Bến xe Bắc Vinh",
            place="Vinh",
            time=starts + timedelta(hours=6, minutes=40),
            timezone="Asia/Ho_Chi_Minh",
        ),
        seats=tuple(SeatDescription(label=label, type="limousine") for label in LABELS),
    )


def hanoi_to_nanning() -> ItemDescription:
    """Over midnight and into another zone."""
    starts = datetime(2026, 11, 25, 15, 30, tzinfo=UTC)
    return ItemDescription(
        operator_name="Trường Sơn Lines",
        operator_color="#ffb81c",
        title="Cross-border sleeper",
        setting="Sleeper, 34 berths",
        origin=PlaceTime(name="Bến xe Mỹ Đình", place="Hà Nội", time=starts, timezone="Asia/Ho_Chi_Minh"),
        destination=PlaceTime(
            name="Langdong Coach Station",
            place="Nanning",
            time=starts + timedelta(hours=6, minutes=10),
            timezone="Asia/Shanghai",
        ),
        seats=tuple(SeatDescription(label=label, type="sleeper", features=("lower",)) for label in LABELS),
    )


@dataclass(frozen=True)
class SmallVertical:
    """Sells `about` for 320,000 ₫ a seat, 8 % tax included, and 10,000 ₫ a booking; an open return for 300,000 ₫."""

    operator_id: UUID
    about: ItemDescription
    resource_id: UUID = field(default_factory=uuid4)
    kind: str = "coach"

    async def offer(self, work: UnitOfWork, hold: Hold) -> list[ItemOffer]:
        return [
            ItemOffer(
                kind=self.kind,
                hold_id=hold.id,
                inventory_id=want.inventory_id,
                first_slot=want.first_slot,
                end_slot=want.end_slot,
                resource_id=self.resource_id,
                operator_id=self.operator_id,
                seats=tuple(SeatOffer(unit=unit, label=LABELS[unit], accessible=True) for unit in want.units),
            )
            for want in hold.claims
        ]

    def validate(self, items: Sequence[ItemOffer], travellers: Sequence[Traveller]) -> list[FieldError]:
        return []

    async def quote(
        self,
        work: UnitOfWork,
        items: Sequence[ItemOffer],
        travellers: Sequence[Traveller],
        *,
        is_way_back: bool = False,
    ) -> list[Quote]:
        fare, tax, fee = Money(320_000, "VND"), Money(23_704, "VND"), Money(10_000, "VND")
        return [
            Quote(
                (
                    *(
                        PriceLine("fare", "fare-adult", fare, tax, seat.label, {"seat": seat.label})
                        for seat in item.seats
                    ),
                    PriceLine("fee", "service-fee", fee, Money.zero("VND")),
                ),
                "VND",
            )
            for item in items
        ]

    async def offer_open_return(
        self, work: UnitOfWork, item: ItemOffer, travellers: Sequence[Traveller]
    ) -> OpenReturnOffer | None:
        """Good for thirty days; three quarters are paid back."""
        end = self.about.destination or self.about.origin
        line = PriceLine("fare", "open-return-fare-adult", Money(300_000, "VND"), Money(22_222, "VND"))
        return OpenReturnOffer(
            from_id=None,
            to_id=None,
            origin=end.place,
            destination=self.about.origin.place,
            valid_until=end.time + timedelta(days=30),
            timezone=end.timezone,
            refund_bp=7500,
            lines=tuple((line,) for _ in travellers),
        )

    async def stretch_of(
        self, work: UnitOfWork, item: ItemOffer, from_id: UUID | None, to_id: UUID | None
    ) -> tuple[int, int]:
        return item.first_slot, item.end_slot

    async def ends_of(self, work: UnitOfWork, item: ItemOffer) -> tuple[UUID | None, UUID | None]:
        return None, None

    def describe(self, item: ItemOffer) -> ItemDescription:
        return self.about

    def change_policy(self, item: ItemOffer) -> ChangePolicy:
        return ChangePolicy()

    def completed_at(self, item: ItemOffer) -> datetime:
        return (self.about.destination or self.about.origin).time

    async def find_again(
        self,
        work: UnitOfWork,
        item: ItemOffer,
        *,
        earliest: datetime,
        holder: str = "",
        taken: Collection[tuple[int, int]] = (),
    ) -> FoundAgain | None:
        """It is done once."""
        return None


async def book(
    work: UnitOfWork,
    *,
    settings: Settings,
    secrets: Secrets,
    names: Sequence[str] = NAMES[:1],
    emails: Sequence[str | None] = (),
    contact: str = "anh@example.com",
    about: ItemDescription | None = None,
    language: str = "en",
    actor: Actor | None = None,
    open_return: bool = False,
) -> Booking:
    """A pending booking, one seat a name, over slots 2 to 5 of its run."""
    actor = actor or Actor("guest", uuid4(), None)
    operator = await upsert_operator(
        work, code="truong-son", name="Trường Sơn Lines", timezone="Asia/Ho_Chi_Minh", currency="VND"
    )
    vertical = SmallVertical(operator.id, about or hanoi_to_vinh())
    [run] = await open_inventories(work, [InventorySpec(units=len(LABELS), slots=8)])
    hold = await take(
        work,
        [Want(run, tuple(range(len(names))), 2, 5)],
        owner=actor.owner,
        terms=HoldTerms(ttl_seconds=900, max_extensions=2, max_total_seconds=2700),
    )
    people = tuple(
        PassengerDetails(
            seat_number=LABELS[place],
            full_name=name,
            id_type="passport",
            id_number=f"C12345{place:02d}",
            phone="+84912345678",
            email=emails[place] if place < len(emails) else None,
            special_needs=place == 1,
        )
        for place, name in enumerate(names)
    )
    return await create_booking(
        work,
        BookingRequest((hold.id,), people, Contact(contact, "+84912345678"), open_return=open_return),
        actor=actor,
        verticals={"coach": vertical},
        settings=settings,
        secrets=secrets,
        language=language,
    )


async def book_and_confirm(work: UnitOfWork, *, settings: Settings, secrets: Secrets, **wishes: object) -> Booking:
    """A confirmed booking; tickets are not issued yet."""
    booking = await book(work, settings=settings, secrets=secrets, **wishes)  # type: ignore[arg-type]
    return await confirm_booking(work, booking.id, actor=SYSTEM)
