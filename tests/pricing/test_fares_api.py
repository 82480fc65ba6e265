"""Fares and promotion codes through the API: one document, checked as a whole, and nobody else's."""

from typing import Any

import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of
from tests.staff import bearer, make_operator, token_of

from farebox.core.ids import new_id
from farebox.wiring import build_services


@pytest.fixture
async def services(settings):
    services = build_services(settings)
    yield services
    await services.dispose()


@pytest.fixture
async def client(services):
    async with AsyncTestClient(app_of(services)) as client:
        yield client


@pytest.fixture
async def lines(services):
    return await make_operator(services.database, services.secrets, "truong-son")


@pytest.fixture
async def boss(lines):
    return bearer(await token_of(await lines.hire("operator_admin")))


@pytest.fixture
async def places(services) -> list[str]:
    """Two places that there are."""
    ids = [new_id(), new_id()]
    async with services.database.begin() as work:
        for number, place_id in enumerate(ids):
            await work.execute(
                "INSERT INTO place (id, name, timezone, lat, lon) VALUES (%s, %s, 'UTC', 0, %s)",
                (place_id, f"Place {number}", number),
            )
    return [str(place_id) for place_id in ids]


def fares(lines) -> str:
    return f"/api/v1/operators/{lines.id}/fares"


def document(**more: Any) -> dict[str, Any]:
    return {
        "currency": "EUR",
        "serviceFee": "1.00",
        "byDistance": [{"seatType": "standard", "base": "1", "per100Km": "2", "minimum": "0", "step": "0.10"}],
    } | more


def season(**more: Any) -> dict[str, Any]:
    return {
        "kind": "season",
        "name": "Tết",
        "percentBp": 2500,
        "firstDay": "2027-02-01",
        "lastDay": "2027-02-14",
    } | more


TERMS: dict[str, Any] = {
    "tiers": [{"hoursBefore": 48, "refundBp": 9000}],
    "changeHours": None,
    "renameHours": 24,
    "renameFee": "3.00",
}


async def test_an_operator_that_has_set_nothing_sells_by_distance(client, lines, boss):
    answer = await client.get(fares(lines), headers=boss)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["sellsByDistance"], told["cells"], told["priceRules"], told["saleTerms"]) == (True, [], [], [])
    assert {part["seatType"] for part in told["byDistance"]} == {"standard", "sleeper", "limousine"}


async def test_what_is_set_is_what_is_read(client, lines, boss, places):
    there, back = places
    sent = document(
        taxRateBp=1900,
        taxAdded=True,
        childDiscountBp=5000,
        seniorDiscountBp=1000,
        sellsByDistance=False,
        surcharges=[{"seatType": "sleeper", "feature": "window", "amount": "2.50"}],
        cells=[
            {"fromPlaceId": there, "toPlaceId": back, "adult": "20.00", "child": "0.00"},
            {"fromPlaceId": back, "toPlaceId": there, "adult": "21.00", "senior": "5.00", "seatType": "sleeper"},
        ],
        priceRules=[
            season() | {"active": True},
            {
                "kind": "weekday",
                "name": "Weekend",
                "percentBp": 1000,
                "weekdays": ["friday", "sunday"],
                "active": False,
            },
            {"kind": "load", "name": "Nearly full", "percentBp": 500, "fromLoadBp": 8000, "active": True},
            {"kind": "early", "name": "Early bird", "percentBp": -1500, "daysAhead": 14, "active": True},
            {"kind": "round-trip", "name": "Return", "percentBp": -1000, "active": True},
        ],
        saleTerms=[TERMS, TERMS | {"seatType": "sleeper", "feeRefundable": True, "changeHours": 2, "tiers": []}],
    )
    answer = await client.put(fares(lines), json=sent, headers=boss)
    assert answer.status_code == 200, answer.text
    told = (await client.get(fares(lines), headers=boss)).json()
    assert told == answer.json()
    for name in ("cells", "priceRules", "saleTerms", "byDistance", "surcharges"):
        told[name] = [{key: value for key, value in part.items() if value is not None} for part in told[name]]
    assert told["taxAdded"] is True
    assert (told["cells"][0]["child"], told["cells"][1]["senior"]) == ("0.00", "5.00")
    assert sorted(told["priceRules"], key=lambda rule: rule["name"]) == sorted(
        sent["priceRules"], key=lambda rule: rule["name"]
    )
    assert {part.get("seatType", ""): part["renameFee"] for part in told["saleTerms"]} == {
        "": "3.00",
        "sleeper": "3.00",
    }
    again = await client.put(fares(lines), json=answer.json(), headers=boss)
    assert again.json() == answer.json(), "what is read can be set"


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"serviceFee": "1.005"}, "serviceFee", "invalid-amount"),
        ({"serviceFee": "-1"}, "serviceFee", "out-of-range"),
        ({"byDistance": []}, "byDistance", "standard-missing"),
        ({"byDistance": document()["byDistance"] * 2}, "byDistance.1.seatType", "repeated"),
        ({"surcharges": [{"amount": "1"}, {"amount": "2"}]}, "surcharges.1", "repeated"),
        (
            {"cells": [{"fromPlaceId": str(new_id()), "toPlaceId": str(new_id()), "adult": "1"}]},
            "cells.0.fromPlaceId",
            "unknown-place",
        ),
        ({"priceRules": [season(percentBp=0)]}, "priceRules.0.percentBp", "out-of-range"),
        ({"priceRules": [season(lastDay="2027-01-31")]}, "priceRules.0.lastDay", "ends-before-start"),
        ({"priceRules": [season(firstDay=None)]}, "priceRules.0.firstDay", "required"),
        ({"priceRules": [season(daysAhead=3)]}, "priceRules.0.daysAhead", "not-of-this-kind"),
        ({"priceRules": [season(name=" ")]}, "priceRules.0.name", "invalid-name"),
        ({"priceRules": [season(kind="early")]}, "priceRules.0.daysAhead", "required"),
        (
            {"priceRules": [{"kind": "load", "name": "Full", "percentBp": 1, "fromLoadBp": 10_001}]},
            "priceRules.0.fromLoadBp",
            "out-of-range",
        ),
        (
            {"priceRules": [{"kind": "weekday", "name": "Never", "percentBp": 1, "weekdays": []}]},
            "priceRules.0.weekdays",
            "out-of-range",
        ),
        (
            {"priceRules": [{"kind": "round-trip", "name": "Return", "percentBp": 1}]},
            "priceRules.0.percentBp",
            "out-of-range",
        ),
        ({"saleTerms": [TERMS, TERMS]}, "saleTerms.1.seatType", "repeated"),
        ({"saleTerms": [TERMS | {"changeHours": -1}]}, "saleTerms.0.changeHours", "out-of-range"),
        ({"saleTerms": [TERMS | {"changeFee": "-1"}]}, "saleTerms.0.changeFee", "out-of-range"),
        (
            {"saleTerms": [TERMS | {"tiers": [{"hoursBefore": 2, "refundBp": 1}, {"hoursBefore": 3, "refundBp": 0}]}]},
            "saleTerms.0.tiers.1",
            "out-of-order",
        ),
    ],
)
async def test_a_document_that_makes_no_sense_is_refused_by_field(client, lines, boss, more, field, code):
    answer = await client.put(fares(lines), json=document(**more), headers=boss)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["code"] == "invalid"
    assert (field, code) in [(error["field"], error["code"]) for error in problem["errors"]]


async def test_nobody_sets_the_fares_of_another_operator(client, services, lines, boss):
    other = await make_operator(services.database, services.secrets, "bac-nam")
    theirs = bearer(await token_of(await other.hire("operator_admin")))
    for method in ("GET", "PUT"):
        answer = await client.request(method, fares(lines), json=document(), headers=theirs)
        assert (answer.status_code, answer.json()["code"]) == (404, "operator-not-found")
    agent = bearer(await token_of(await lines.hire("agent")))
    answer = await client.put(fares(lines), json=document(), headers=agent)
    assert answer.status_code == 403


async def test_a_code_is_given_out_listed_and_ended(client, lines, boss):
    sent = {
        "operatorId": str(lines.id),
        "code": "tet 27",
        "amount": {"amount": "5.00", "currency": "EUR"},
        "minimum": {"amount": "20.00", "currency": "EUR"},
        "endsAt": "2030-01-01T00:00:00+07:00",
        "totalLimit": 100,
        "personLimit": 1,
    }
    answer = await client.post("/api/v1/promotions", json=sent, headers=boss)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["code"], made["amount"], made["minimum"]) == ("TET27", sent["amount"], sent["minimum"])
    assert (made["percentBp"], made["used"], made["active"]) == (None, 0, True)
    at = f"/api/v1/promotions/{made['promotionId']}"
    assert (await client.get(at, headers=boss)).json() == made
    assert (await client.get("/api/v1/promotions", headers=boss)).json()["items"] == [made]
    ended = (await client.post(f"{at}/end", headers=boss)).json()
    assert ended == made | {"active": False}
    again = await client.post("/api/v1/promotions", json=sent, headers=boss)
    assert (again.status_code, again.json()["code"]) == (409, "promotion-code-taken")


async def test_codes_of_others_are_not_there_and_those_of_the_platform_are_for_its_admins(
    client, services, lines, boss
):
    other = await make_operator(services.database, services.secrets, "bac-nam")
    theirs = bearer(await token_of(await other.hire("operator_admin")))
    sent = {"operatorId": str(lines.id), "code": "OURS", "percentBp": 1000}
    assert (await client.post("/api/v1/promotions", json=sent, headers=theirs)).status_code == 404
    made = (await client.post("/api/v1/promotions", json=sent, headers=boss)).json()
    assert (await client.get("/api/v1/promotions", headers=theirs)).json()["total"] == 0
    at = f"/api/v1/promotions/{made['promotionId']}"
    for method, path in (("GET", at), ("POST", f"{at}/end")):
        answer = await client.request(method, path, headers=theirs)
        assert (answer.status_code, answer.json()["code"]) == (404, "promotion-not-found")
    everybodys = {"code": "ALL", "percentBp": 1000}
    assert (await client.post("/api/v1/promotions", json=everybodys, headers=boss)).status_code == 403


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"amount": {"amount": "1.5", "currency": "VND"}, "percentBp": None}, "amount", "invalid-amount"),
        ({"startsAt": "2027-01-01T00:00:00"}, "startsAt", "no-zone"),
        ({"percentBp": 20_000}, "percentBp", "out-of-range"),
    ],
)
async def test_a_code_that_makes_no_sense_is_refused_by_field(client, lines, boss, more, field, code):
    sent = {"operatorId": str(lines.id), "code": "OURS", "percentBp": 1000} | more
    answer = await client.post("/api/v1/promotions", json=sent, headers=boss)
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
