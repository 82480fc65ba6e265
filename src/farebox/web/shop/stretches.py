"""A ride that is being chosen, as addresses and forms name it, with all that the choice is for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from farebox.coaches import SeatLock
from farebox.web.shop.finding import parse_day, parse_id
from farebox.web.shop.picking import ids_in, joined
from farebox.web.views.trips import StopTime

SEAT_NUMBER_LENGTH = 10

MOST_SEATS = 60
"""Seats that a page may name. More than anybody can hold."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A ride on a departure, as the address names it.

    Attributes:
        others: holds on the other rides of the same itinerary.
        back: the day of the way back that is still to be chosen, for a round trip.
        people: the booking whose people are carried over to the seats.
        change, who: the booking of which some people are to have these seats instead of theirs.
        redeem, who: the booking of which some open returns are to be used for these seats.
        now: the seats that those people have now, where they look for others on the same trip, in the order of `who`.
    """

    trip_id: UUID
    from_id: UUID | None
    to_id: UUID | None
    travellers: int
    others: tuple[UUID, ...] = ()
    back: str = ""
    people: str = ""
    change: str = ""
    redeem: str = ""
    who: str = ""
    now: tuple[str, ...] = ()

    @property
    def carried(self) -> dict[str, str]:
        """What goes along with the choice, besides the ride."""
        return _given(
            {
                "with": joined(self.others),
                "back": self.back,
                "people": self.people,
                "change": self.change,
                "redeem": self.redeem,
                "who": self.who,
                "now": ",".join(self.now),
            }
        )

    def url(self, step: str, **more: str) -> str:
        ends = {"from": self.from_id or "", "to": self.to_id or "", "travellers": self.travellers}
        return f"/trips/{self.trip_id}/{step}?{urlencode(_given(ends | self.carried | more))}"

    @property
    def is_way_there(self) -> bool:
        """Whether a way back is to be chosen next."""
        return bool(self.back) and not self.others

    @property
    def booking_url(self) -> str:
        """The page of a booking on which these seats were looked for; empty where they are for a new one."""
        if self.redeem:
            return f"/bookings/{self.redeem}/way-back"
        return f"/bookings/{self.change}/change" if self.change else ""

    @property
    def wanted(self) -> int:
        """How many seats are looked for for people of a booking, one for each; 0 where they are for a new one."""
        if not self.booking_url:
            return 0
        return len(ids_in(self.who)) or self.travellers

    def next_url(self, lock: SeatLock, kept: Collection[str] = ()) -> str:
        """Where it goes on with the seats of a hold.

        Args:
            kept: seats that people have now and keep, so that they do not change.
        """
        if self.booking_url:
            staying = {who for who, seat in zip(ids_in(self.who), self.now, strict=False) if seat in kept}
            asked = {"lock": lock.id, "passengers": joined([who for who in ids_in(self.who) if who not in staying])}
            return f"{self.booking_url}/quote?{urlencode(asked)}"
        if self.is_way_there:
            return way_back_url(lock, self.back, self.people)
        return checkout_url((*self.others, lock.id), self.people)

    def search_url(self, board: StopTime, alight: StopTime) -> str:
        """The results that the ride stands in: town to town, on its day."""
        carried = {name: value for name, value in self.carried.items() if name in {"with", "back", "people"}}
        if self.is_way_there:
            carried = _given({"way": "round", "return": self.back, "people": self.people})
        query = {
            "from": board.place or board.stop,
            "to": alight.place or alight.stop,
            "date": board.time.date().isoformat(),
            "travellers": self.travellers,
        }
        return f"/search?{urlencode(query | carried)}"


def read_carried(given: Mapping[str, Any]) -> dict[str, Any]:
    """What goes along, as `Stretch` takes it, as far as it is ids and a day."""
    ids = {name: str(parse_id(str(given.get(name, ""))) or "") for name in ("people", "change", "redeem")}
    day = parse_day(str(given.get("back", "")))
    return {
        **ids,
        "others": tuple(ids_in(str(given.get("with", "")))),
        "back": day.isoformat() if day else "",
        "who": joined(ids_in(str(given.get("who", "")))),
        "now": seats_in(str(given.get("now", ""))),
    }


def seats_in(text: str) -> tuple[str, ...]:
    """Seats that stand in a text, separated by commas."""
    named = (number.strip()[:SEAT_NUMBER_LENGTH] for number in text.split(",")[:MOST_SEATS])
    return tuple(filter(None, named))


def checkout_url(hold_ids: Sequence[UUID], people: str = "", *, step: str = "passengers") -> str:
    """Where people are named for the seats of some holds."""
    first, *others = hold_ids
    query = urlencode(_given({"with": joined(others), "people": people}))
    return f"/checkout/{first}/{step}{f'?{query}' if query else ''}"


def way_back_url(lock: SeatLock, day: str, people: str) -> str:
    """The rides back from where a ride ends to where it began, on a day."""
    ride = lock.segment
    query = {
        "from": ride.alight.place_name,
        "from_id": ride.alight.place_id,
        "to": ride.board.place_name,
        "to_id": ride.board.place_id,
        "date": day,
        "travellers": len(lock.seat_numbers),
        "with": lock.id,
        "back": day,
        "people": people,
    }
    return f"/search?{urlencode(_given(query))}"


def _given(query: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value}
