"""Seat maps: what is free on a ride, for anybody to see."""

import hashlib
from typing import Annotated, Literal, Self
from uuid import UUID

import msgspec
from litestar import Controller, Response, get
from litestar.datastructures import ResponseHeader
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, Parameter, QueryParameter
from litestar.status_codes import HTTP_304_NOT_MODIFIED
from msgspec import Meta, field

from farebox import coaches
from farebox.accounts import Actor
from farebox.api.problems import problems
from farebox.api.trips import PLACE_OR_STOP, TRIP_ID, StopTime
from farebox.api.wire import MoneyView, Wire
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import gettext
from farebox.core.settings import Settings
from farebox.timetable import Deck, DepartureNotFound, NotBoardable

NOT_MODIFIED = ResponseSpec(None, generate_examples=False, description="The caller's map is still right.")


class DoorView(Wire):
    side: Annotated[str, Meta(examples=["right"])]
    row: Annotated[int, Meta(description="The door is just ahead of this row.")]


class DeckView(Wire):
    """One floor of the vehicle: a grid, seen from above with the front at the top. Rows and columns count from 1."""

    name: str
    rows: int
    columns: int
    driver: Annotated[str | None, Meta(description="The side on which the driver sits; null where not on this deck.")]
    doors: tuple[DoorView, ...]

    @classmethod
    def of(cls, deck: Deck) -> Self:
        return cls(
            name=gettext(deck.name),
            rows=deck.rows,
            columns=deck.columns,
            driver=deck.driver,
            doors=tuple(DoorView(side=door.side, row=door.row) for door in deck.doors),
        )


class SeatPlanView(Wire):
    decks: tuple[DeckView, ...]


class SeatView(Wire):
    """A seat on this ride: `available` only where it is free on all its legs."""

    number: Annotated[str, Meta(examples=["4A"])]
    type: Annotated[str, Meta(examples=["standard"])]
    deck: Annotated[int, Meta(description="Index in `plan.decks`.")]
    row: int
    column: int
    status: Literal["available", "locked", "occupied", "blocked", "mine"]
    price: MoneyView | None
    accessible: bool
    features: Annotated[tuple[str, ...], Meta(examples=[["window"]])]

    @classmethod
    def of(cls, seat: coaches.SeatView) -> Self:
        return cls(
            number=seat.number,
            type=seat.type,
            deck=seat.deck,
            row=seat.row,
            column=seat.column,
            status=seat.status,
            price=MoneyView.of_optional(seat.price),
            accessible=seat.accessible,
            features=seat.features,
        )


class SeatMap(Wire):
    """The seats of a departure on a ride, as the caller sees them; with `since`, those whose status is another now.

    `version` differs whenever a status does. What it looks like is nobody's business but ours.
    """

    trip_id: Annotated[UUID, Meta(examples=[TRIP_ID])]
    from_: StopTime = field(name="from")
    to: StopTime
    plan: SeatPlanView
    seats: tuple[SeatView, ...]
    version: str

    @classmethod
    def of(cls, seats: coaches.SeatMap, *, since: str | None) -> Self:
        board, alight = seats.segment.board, seats.segment.alight
        return cls(
            trip_id=seats.departure.id,
            from_=StopTime.at(board, board.departure),
            to=StopTime.at(alight, alight.arrival),
            plan=SeatPlanView(decks=tuple(map(DeckView.of, seats.plan.decks))),
            seats=tuple(map(SeatView.of, seats.seats if since is None else seats.changed_since(since))),
            version=seats.version,
        )


class SeatMapsController(Controller):
    """Seats on departures."""

    path = "/trips"
    tags = ("Trips",)
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)

    @get(
        "/{trip_id:uuid}/seats",
        summary="Get the seat map",
        operation_id="getSeatMap",
        responses={**problems(DepartureNotFound, NotBoardable, Invalid), HTTP_304_NOT_MODIFIED: NOT_MODIFIED},
        response_headers=[
            ResponseHeader(name="ETag", description="Send it back as If-None-Match.", value="", documentation_only=True)
        ],
    )
    async def show(
        self,
        work: UnitOfWork,
        actor: Actor,
        settings: Settings,
        trip_id: Annotated[UUID, Parameter(description="`tripId` of a trip that was found.")],
        from_id: Annotated[UUID | None, QueryParameter(name="from", description=PLACE_OR_STOP)] = None,
        to_id: Annotated[UUID | None, QueryParameter(name="to", description=PLACE_OR_STOP)] = None,
        since: Annotated[
            str | None,
            Parameter(
                description="The `version` that the caller has: only changed seats are sent, or all if it is too old."
            ),
        ] = None,
        known: Annotated[
            str | None, HeaderParameter(name="If-None-Match", description="`ETag` of the map that the caller has.")
        ] = None,
    ) -> Response[SeatMap]:
        """The seats of a departure on the ride `from` … `to` (default: the whole run), free, taken, or held by the
        caller. Cheap to ask again: with `If-None-Match`, a map that has not changed is not sent.
        """
        found = await coaches.get_seat_map(work, trip_id, from_id, to_id, viewer=actor, settings=settings)
        seats = SeatMap.of(found, since=since)
        tag = f'W/"{hashlib.blake2b(msgspec.json.encode(seats), digest_size=12).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie, Accept-Language"}
        if known and tag.removeprefix("W/") in (each.strip().removeprefix("W/") for each in known.split(",")):
            return Response(None, status_code=HTTP_304_NOT_MODIFIED, headers=headers)  # type: ignore[arg-type]
        return Response(seats, headers=headers)
