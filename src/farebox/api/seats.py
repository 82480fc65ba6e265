"""Holding seats of a trip while making up one's mind: on the wire, a lock."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from litestar import Controller, delete, get, patch, post
from litestar.di import Provide
from litestar.params import QueryParameter
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta, field

from farebox import coaches
from farebox.accounts import Actor
from farebox.api.problems import problems
from farebox.api.trips import STOP_ID, TRIP_ID
from farebox.api.wire import MoneyView, Request, UserId, Wire
from farebox.coaches import (
    DuplicateSeats,
    SalesClosed,
    SeatLock,
    SeatStatus,
    SeatsUnavailable,
    SeatView,
    TooManyHolds,
    TooManySeats,
    UnknownSeat,
)
from farebox.core.errors import Busy, Invalid
from farebox.core.idempotency import IdempotencyMismatch, IdempotencyRunning
from farebox.edge.dependencies import provide_actor_alone
from farebox.inventory import ExtensionLimit, HoldExpired, HoldNotFound, Overloaded
from farebox.pricing import NotForSale
from farebox.timetable import DepartureNotFound, NotBoardable
from farebox.wiring import Services

LOCK_ID = "018f6b2e-0000-7000-8000-00000000e001"
LONGEST_NUMBER = 40
MOST_NAMED = 200
"""Seats whose status can be asked for by name: more than any vehicle has."""

FROM = "Where the ride begins: id of a place, a station or a stop. Default: the first stop."
TO = "Where it ends. Default: the last stop."

FromId = Annotated[UUID | None, QueryParameter(name="from", description=FROM)]
ToId = Annotated[UUID | None, QueryParameter(name="to", description=TO)]

SeatNumber = Annotated[str, Meta(min_length=1, max_length=LONGEST_NUMBER, examples=["4A"])]

TripId = Annotated[str, Meta(max_length=LONGEST_NUMBER, extra_json_schema={"format": "uuid"}, examples=[TRIP_ID])]
"""Text, so that an id of no trip is not found, whatever it looks like."""


class LockRequest(Request):
    """Seats of one trip, on one ride."""

    trip_id: TripId
    seat_numbers: Annotated[tuple[SeatNumber, ...], Meta(examples=[["4A", "4B"]])]
    from_: Annotated[UUID | None, Meta(description=FROM, examples=[STOP_ID])] = field(name="from", default=None)
    to: Annotated[UUID | None, Meta(description=TO)] = None
    user_id: UserId = None

    def departure_id(self) -> UUID:
        """Raises `DepartureNotFound` for what no departure can be called."""
        try:
            return UUID(self.trip_id)
        except ValueError:
            raise DepartureNotFound from None


class LockView(Wire):
    """Seats held with this credential. `total` is for adults, fees and tax included; a booking is priced anew."""

    lock_id: Annotated[UUID, Meta(examples=[LOCK_ID])]
    trip_id: Annotated[UUID, Meta(examples=[TRIP_ID])]
    from_: Annotated[UUID, Meta(examples=[STOP_ID])] = field(name="from")
    to: UUID
    seat_numbers: tuple[SeatNumber, ...]
    expires_at: datetime
    extensions_left: Annotated[int, Meta(examples=[2])]
    total: MoneyView

    @classmethod
    def of(cls, lock: SeatLock) -> Self:
        assert lock.expires_at is not None, "it was held a moment ago"
        return cls(
            lock_id=lock.id,
            trip_id=lock.departure.id,
            from_=lock.segment.board.stop_id,
            to=lock.segment.alight.stop_id,
            seat_numbers=lock.seat_numbers,
            expires_at=lock.expires_at,
            extensions_left=lock.extensions_left,
            total=MoneyView.of(lock.total),
        )


class ExtensionView(Wire):
    new_expires_at: datetime
    extensions_left: Annotated[int, Meta(examples=[1])]


class ReleaseView(Wire):
    released: bool


class SeatStatusView(Wire):
    """Whether a seat can be had. `expiresAt` tells until when somebody is holding it; null when nobody is."""

    number: SeatNumber
    status: SeatStatus
    mine: bool
    expires_at: datetime | None

    @classmethod
    def of(cls, seat: SeatView) -> Self:
        return cls(number=seat.number, status=seat.status, mine=seat.status == "mine", expires_at=seat.held_until)


class SeatStatuses(Wire):
    seats: tuple[SeatStatusView, ...]


class SeatLocksController(Controller):
    """Holding seats."""

    path = "/seats/lock"
    tags = ("Seats",)
    opt = {"access": "guest"}  # noqa: RUF012  (Litestar's own form)
    dependencies = {"actor": Provide(provide_actor_alone)}  # noqa: RUF012

    @post(
        "/",
        summary="Hold seats",
        operation_id="lockSeats",
        opt={"direct": True},
        responses=problems(
            SeatsUnavailable,
            Busy,
            TooManyHolds,
            Overloaded,
            TooManySeats,
            DuplicateSeats,
            UnknownSeat,
            NotBoardable,
            NotForSale,
            Invalid,
            SalesClosed,
            DepartureNotFound,
            IdempotencyMismatch,
            IdempotencyRunning,
        ),
    )
    async def lock(self, data: LockRequest, actor: Actor, services: Services) -> LockView:
        """All of the seats or none. What this credential held on the trip before is replaced in the same instant; the
        time left stays what it was, and only extending gives more.

        When others were faster, `seats` names the seats that were lost, `statuses` says what they are now, and
        `alternatives` a free seat near each.
        """
        async with services.database.begin() as work:
            lock = await coaches.lock_seats(
                work,
                data.departure_id(),
                data.from_,
                data.to,
                data.seat_numbers,
                actor=actor,
                settings=services.settings,
                office=services.office,
            )
        return LockView.of(lock)

    @patch(
        "/{lock_id:uuid}/extend",
        summary="Hold seats longer",
        operation_id="extendLock",
        opt={"direct": True},
        responses=problems(HoldNotFound, HoldExpired, ExtensionLimit, IdempotencyMismatch, IdempotencyRunning),
    )
    async def extend(self, lock_id: UUID, actor: Actor, services: Services) -> ExtensionView:
        """Begin the time anew. Possible a few times, and up to a longest time since the first choice."""
        async with services.database.begin() as work:
            held = await coaches.extend_lock(work, lock_id, actor=actor, settings=services.settings)
        lock = LockView.of(held)
        return ExtensionView(new_expires_at=lock.expires_at, extensions_left=lock.extensions_left)

    @delete(
        "/{lock_id:uuid}",
        summary="Give seats back",
        operation_id="releaseLock",
        opt={"direct": True},
        status_code=HTTP_200_OK,
        responses=problems(HoldNotFound, IdempotencyMismatch, IdempotencyRunning),
    )
    async def release(self, lock_id: UUID, actor: Actor, services: Services) -> ReleaseView:
        """Free for others at once. Giving back again, or too late, changes nothing."""
        async with services.database.begin() as work:
            await coaches.release_lock(work, lock_id, actor=actor)
        return ReleaseView(released=True)

    @get(
        "/{trip_id:uuid}/status",
        summary="Look at some seats",
        operation_id="getSeatStatuses",
        opt={"access": "public", "rate": "seats"},
        responses=problems(DepartureNotFound, NotBoardable, UnknownSeat, TooManySeats),
    )
    async def status(
        self,
        trip_id: UUID,
        actor: Actor,
        services: Services,
        seat_numbers: Annotated[
            list[str] | None,
            QueryParameter(name="seatNumbers", description="Separated by commas, or repeated. Default: all."),
        ] = None,
        from_id: FromId = None,
        to_id: ToId = None,
    ) -> SeatStatuses:
        """Whether each seat can be had on the ride, and until when somebody is holding it."""
        named = [number for each in seat_numbers or () for number in each.split(",") if number.strip()]
        if len(named) > MOST_NAMED:
            raise TooManySeats(limit=MOST_NAMED)
        async with services.database.begin() as work:
            seats = await coaches.list_seat_statuses(work, trip_id, named, from_id, to_id, viewer=actor)
        return SeatStatuses(seats=tuple(map(SeatStatusView.of, seats)))
