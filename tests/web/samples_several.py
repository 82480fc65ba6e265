"""Several trips in one checkout, with made-up content."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.web import samples_bookings
from tests.web.made_up import DAY, PRICE, Sample, card, clock, dong, stop

from farebox.web.views.checkout import ContactFields, PassengerFields, PassengersView, Price, Problem, SeatPick
from farebox.web.views.itinerary import ChosenRide, ItineraryView
from farebox.web.views.seats import HoldClock, PriceRow, SeatOffer
from farebox.web.views.trips import HomeView, Option, SearchForm

THERE = card()
BACK = card(
    id="0193-9",
    board=replace(stop(15, 0, "Bắc Vinh", "Vinh", days=2), day_offset=0),
    alight=replace(stop(21, 40, "Giáp Bát", "Hà Nội", days=2), day_offset=0),
)
WAYS = ("Hà Nội – Vinh", "Vinh – Hà Nội")
TYPES = (Option("adult", "Adult"), Option("child", "Child"), Option("senior", "Senior"))
DOCUMENTS = (Option("citizen_id", "Citizen ID card"), Option("passport", "Passport"))


def _own_clock(seconds: int) -> HoldClock:
    return replace(clock(seconds), extend_url="", expired_url="")


def _ride(number: int, **changes: Any) -> ChosenRide:
    facts: dict[str, Any] = {
        "hold_id": f"0193-{number}",
        "trip": (THERE, BACK)[number],
        "seats": (("5C", "5D"), ("6A", "6B"))[number],
        "total": dong(658_000),
        "clock": _own_clock(500 + 300 * number),
        "edit_url": "/gallery/seats",
    }
    return ChosenRide(**{**facts, **changes})


LOST = _ride(
    0,
    total=None,
    clock=None,
    notice="The time for seats 5C, 5D was over, and somebody else has them now.",
    offers=(SeatOffer(("7C", "7D"), "Take seats 7C, 7D instead"),),
)


THEN = _ride(1, warning="It leaves before you arrive from the trip before it.")


def so_far() -> ItineraryView:
    """The way there alone."""
    return _itinerary(_ride(0))


def _itinerary(*rides: ChosenRide, **changes: Any) -> ItineraryView:
    facts: dict[str, Any] = {
        "rides": rides,
        "total": dong(658_000 * len(rides)),
        "saved": dong(144_000) if len(rides) > 1 else None,
        "clock": clock(500),
        "action": "/gallery/passengers",
        "go_url": "/gallery/passengers",
        "here": "/gallery/results",
    }
    return ItineraryView(**{**facts, **changes})


def _form(**changes: Any) -> SearchForm:
    facts: dict[str, Any] = {
        "day": DAY,
        "first_day": DAY,
        "last_day": DAY.replace(day=30),
        "from_text": "Hà Nội",
        "from_id": "a",
        "travellers": 2,
    }
    return SearchForm(**{**facts, **changes})


def home_round() -> Sample:
    form = _form(
        to_text="Vinh",
        way="round",
        return_day=DAY.replace(day=24),
        errors={"return": "The way back cannot be on a day before the way there."},
    )
    return "shop/home.html", HomeView(form, ()), {}


def home_further() -> Sample:
    form = _form(carried=(("with", "0193-0,0193-1"),))
    return "shop/home.html", HomeView(form, (), _itinerary(_ride(0), _ride(1))), {}


def home_further_lost() -> Sample:
    return "shop/home.html", HomeView(_form(carried=(("with", "0193-0"),)), (), _itinerary(LOST, THEN)), {}


def _person(index: int, name: str, error: str = "") -> PassengerFields:
    seats = ("5C", "5D"), ("6A", "6B")
    back = tuple(Option(number, f"{number}, window", number == seats[1][index]) for number in seats[1])
    picks = (
        SeatPick(0, WAYS[0], (Option(seats[0][index], seats[0][index], is_chosen=True),)),
        SeatPick(1, WAYS[1], back, error),
    )
    errors = {"seats_1": error} if error else {}
    return PassengerFields(index, seats[0][index], "aisle", full_name=name, picks=picks, errors=errors)


def _passengers(*rides: ChosenRide, **changes: Any) -> Sample:
    rows = tuple(replace(row, group=way) for way in WAYS for row in PRICE.rows)
    facts: dict[str, Any] = {
        "trips": (THERE, BACK),
        "price": Price(rows, dong(1_280_000), dong(94_814)),
        "clock": clock(500),
        "action": "/gallery/passengers",
        "map_of": "hold-1",
        "contact": ContactFields("anh@example.com", "0912 345 678"),
        "passengers": (_person(0, "Nguyễn Thị Ánh"), _person(1, "Lê Minh Khôi")),
        "passenger_types": TYPES,
        "id_types": DOCUMENTS,
        "chosen": _itinerary(*rides),
    }
    return "checkout/passengers.html", PassengersView(**{**facts, **changes}), {}


def passengers_several() -> Sample:
    return _passengers(_ride(0), _ride(1))


def passengers_several_lost() -> Sample:
    told = "Not all seats are held any more. Choose new ones, or leave that trip out."
    twice = "Seat 6A has two passengers."
    return _passengers(
        LOST,
        _ride(1),
        passengers=(_person(0, "Nguyễn Thị Ánh"), _person(1, "Lê Minh Khôi", twice)),
        problems=(Problem("rides", told), Problem("passenger-1-seats_1", f"Passenger 2: {twice}")),
    )


def review_round() -> Sample:
    """Two trips that may each be changed or left out, with what the way back takes off."""
    template, view, more = samples_bookings.review_there_and_back()
    rows = tuple(
        PriceRow(label, dong(amount), group=way)
        for way in WAYS
        for label, amount in (("Seat 5C", 360_000), ("Seat 5C: Both ways (-10%)", -36_000))
    )
    price = Price(rows, dong(648_000), dong(48_000))
    return template, replace(view, price=price, saved=dong(72_000), can_add=True, promotion=None), more  # type: ignore[type-var]


PAGES: dict[str, Callable[[], Sample]] = {
    "home-round": home_round,
    "home-further": home_further,
    "home-further-lost": home_further_lost,
    "passengers-several": passengers_several,
    "passengers-several-lost": passengers_several_lost,
    "review-round": review_round,
}
