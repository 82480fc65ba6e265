"""What somebody likes: of known members only, of places that exist, and in money that makes sense."""

from pathlib import Path
from typing import Any

import pytest
from tests.coaches.coach import open_coach

from farebox.core.ids import new_id

PREFERENCES = "/users/preferences"
NONE_TOLD: dict[str, Any] = {
    "favoriteDestinations": [],
    "budgetRange": None,
    "travelStyle": None,
    "interests": [],
    "dietaryRestrictions": [],
}


async def changed(client, status=200, **members):
    answer = await client.put(PREFERENCES, json=members)
    assert answer.status_code == status, answer.text
    return answer.json()


def codes(problem):
    return {(error["field"], error["code"]) for error in problem["errors"]}


def euros(amount):
    return {"amount": amount, "currency": "EUR"}


@pytest.fixture
async def places(services, tmp_path: Path) -> list[str]:
    """Ids of places that are on the timetable."""
    await open_coach(services.database, services.settings, tmp_path)
    async with services.database.begin() as work:
        cursor = await work.execute("SELECT id::text FROM place ORDER BY id")
        return [row[0] for row in await cursor.fetchall()]


async def test_at_first_nothing_is_told(client):
    answer = await client.get(PREFERENCES)
    assert answer.json() == NONE_TOLD
    assert answer.headers["cache-control"] == "private, no-store"


async def test_all_of_it_can_be_told_and_is_kept(client, places):
    told = {
        "favoriteDestinations": [places[2], places[0]],
        "budgetRange": {"min": euros("0.00"), "max": euros("49.90")},
        "travelStyle": "comfort",
        "interests": ["food", "Ca trù"],
        "dietaryRestrictions": ["vegetarian"],
    }
    assert await changed(client, **told) == told
    assert (await client.get(PREFERENCES)).json() == told


async def test_what_is_not_given_stays_and_null_takes_away(client):
    await changed(client, travelStyle="luxury", interests=["food"], budgetRange={"min": None, "max": euros("20")})
    told = await changed(client, interests=["history", "history"])
    assert told == NONE_TOLD | {
        "travelStyle": "luxury",
        "interests": ["history"],
        "budgetRange": {"min": None, "max": euros("20.00")},
    }
    assert await changed(client, travelStyle=None, interests=[], budgetRange=None) == NONE_TOLD


BROKEN_RULES: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"favoriteDestinations": [str(new_id())]}, ("favoriteDestinations.0", "unknown-place")),
    ({"budgetRange": {"min": euros("10"), "max": euros("9.99")}}, ("budgetRange", "wrong-order")),
    ({"budgetRange": {"min": euros("-1")}}, ("budgetRange", "negative")),
    ({"budgetRange": {"min": euros("1.234")}}, ("budgetRange.min", "invalid-amount")),
    ({"budgetRange": {"max": euros("much")}}, ("budgetRange.max", "invalid-amount")),
    ({"budgetRange": {"max": {"amount": "1", "currency": "DEM"}}}, ("budgetRange", "unknown-currency")),
    (
        {"budgetRange": {"min": euros("1"), "max": {"amount": "1", "currency": "VND"}}},
        ("budgetRange", "mixed-currencies"),
    ),
    ({"interests": [" "]}, ("interests.0", "invalid-word")),
    ({"interests": ["food", "a\u0001b"]}, ("interests.1", "invalid-word")),
    ({"interests": ["x" * 41]}, ("interests.0", "too-long")),
    ({"interests": [f"kind {number}" for number in range(21)]}, ("interests", "too-many")),
    ({"dietaryRestrictions": ["x" * 41]}, ("dietaryRestrictions.0", "too-long")),
]


async def test_what_breaks_a_rule_is_refused_by_name_and_changes_nothing(client):
    for members, expected in BROKEN_RULES:
        assert expected in codes(await changed(client, 422, **members)), members
    assert (await client.get(PREFERENCES)).json() == NONE_TOLD


WRONG_TYPES: list[tuple[dict[str, Any], str]] = [
    ({"travelStyle": "first class"}, "travelStyle"),
    ({"favoriteDestinations": ["Huế"]}, "favoriteDestinations.0"),
    ({"favoriteDestinations": "Huế"}, "favoriteDestinations"),
    ({"interests": [1]}, "interests.0"),
    ({"budgetRange": 100}, "budgetRange"),
    ({"budgetRange": {"min": {"amount": 10, "currency": "EUR"}}}, "budgetRange.min.amount"),
    ({"budgetRange": {"least": euros("1")}}, "budgetRange.least"),
    ({"favouriteDestinations": []}, "favouriteDestinations"),
    ({"seat": "window"}, "seat"),
]


async def test_wrong_types_and_unknown_members_are_bad_requests(client):
    for members, field in WRONG_TYPES:
        problem = await changed(client, 400, **members)
        assert [error["field"] for error in problem["errors"]] == [field]
    assert (await client.get(PREFERENCES)).json() == NONE_TOLD
