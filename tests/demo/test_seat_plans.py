"""The seat plans that come with Farebox, and the rules that every plan keeps."""

import json
from collections import Counter
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.timetable.seat_plans import LIMOUSINE_9, SLEEPER_34, STANDARD_45, TEMPLATES, Deck, Seat, SeatPlan

templates = pytest.mark.parametrize("plan", TEMPLATES.values(), ids=TEMPLATES.keys())


@pytest.mark.parametrize(
    ("plan", "seats", "kind"),
    [(STANDARD_45, 45, "standard"), (LIMOUSINE_9, 9, "limousine"), (SLEEPER_34, 34, "sleeper")],
)
def test_a_template_has_the_seats_that_its_name_says(plan: SeatPlan, seats: int, kind: str) -> None:
    assert len(plan.seats) == seats
    assert plan.seat_types == (kind,)


@templates
def test_numbers_and_positions_are_unique_and_inside_the_grid(plan: SeatPlan) -> None:
    assert len({seat.number for seat in plan.seats}) == len(plan.seats)
    assert len({(seat.deck, seat.row, seat.column) for seat in plan.seats}) == len(plan.seats)
    for seat in plan.seats:
        deck = plan.decks[seat.deck]
        assert 1 <= seat.row <= deck.rows
        assert 1 <= seat.column <= deck.columns


@templates
def test_every_template_keeps_two_accessible_seats_beside_a_door(plan: SeatPlan) -> None:
    near = {(deck, door.row) for deck, plan_deck in enumerate(plan.decks) for door in plan_deck.doors}
    accessible = [seat for seat in plan.seats if seat.accessible]
    assert len(accessible) >= 2
    assert all((seat.deck, seat.row) in near for seat in accessible)


@templates
def test_a_plan_survives_its_json_form(plan: SeatPlan) -> None:
    assert SeatPlan.from_document(plan.id, json.loads(json.dumps(plan.document()))) == plan


def test_the_45_seat_coach_is_numbered_as_drawn() -> None:
    by_row = Counter(seat.row for seat in STANDARD_45.seats)
    assert by_row == {**dict.fromkeys(range(1, 11), 4), 11: 5}
    at = {(seat.row, seat.column): seat for seat in STANDARD_45.seats}
    assert (4, 3) not in at, "the aisle is a column without seats"
    assert [at[4, column].number for column in (1, 2, 4, 5)] == ["4A", "4B", "4C", "4D"]
    assert at[4, 1].features == ("window",)
    assert at[4, 2].features == ("aisle",)
    assert {seat.number for seat in STANDARD_45.seats if "extra-legroom" in seat.features} == {
        "1A", "1B", "1C", "1D", "2A", "2B", "2C", "2D",
    }  # fmt: skip


def test_the_sleeper_has_two_alike_decks() -> None:
    lower, upper = ([seat for seat in SLEEPER_34.seats if seat.deck == deck] for deck in (0, 1))
    assert len(lower) == len(upper) == 17
    assert [seat.number[1:] for seat in lower] == [seat.number[1:] for seat in upper]
    assert all("lower" in seat.features for seat in lower)
    assert all("upper" in seat.features for seat in upper)


seats = st.builds(
    Seat,
    number=st.text(max_size=12),
    type=st.just("standard"),
    deck=st.integers(-1, 2),
    row=st.integers(0, 4),
    column=st.integers(0, 4),
)


@given(st.lists(seats, max_size=6))
def test_a_plan_that_breaks_a_rule_cannot_be_made(drawn: list[Seat]) -> None:
    decks = (Deck("One", 3, 3), Deck("Two", 2, 3))
    is_sound = (
        len({seat.number for seat in drawn}) == len(drawn)
        and len({(seat.deck, seat.row, seat.column) for seat in drawn}) == len(drawn)
        and all(1 <= len(seat.number) <= 10 for seat in drawn)
        and all(
            0 <= seat.deck < 2 and 1 <= seat.row <= decks[seat.deck].rows and 1 <= seat.column <= 3 for seat in drawn
        )
    )
    if is_sound:
        assert SeatPlan(uuid4(), "Drawn", decks, tuple(drawn)).seats == tuple(drawn)
    else:
        with pytest.raises(ValueError):  # noqa: PT011  (which rule broke first does not matter)
            SeatPlan(uuid4(), "Drawn", decks, tuple(drawn))


def test_a_stored_plan_of_another_form_is_refused() -> None:
    document = STANDARD_45.document()
    with pytest.raises(ValueError, match="seats"):
        SeatPlan.from_document(STANDARD_45.id, {"name": "x", "decks": document["decks"]})
    with pytest.raises(ValueError, match="twice"):
        SeatPlan.from_document(STANDARD_45.id, {**document, "seats": [document["seats"][0]] * 2})
    assert replace(STANDARD_45, name="Other").document()["name"] == "Other"
