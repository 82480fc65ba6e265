"""Places, trips and seat maps as JSON."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of
from tests.counting import counted_statements
from tests.search.shop import TODAY, Clock, Shop
from tests.search.test_trips import TOMORROW, hold

from farebox.core.settings import load_settings
from farebox.search import TripQuery, search_trips
from farebox.wiring import build_services

DAY = TOMORROW.isoformat()


@pytest.fixture
async def client(shop: Shop, clock: Clock, tmp_path: Path) -> AsyncIterator[AsyncTestClient[Any]]:
    url = shop.database.url.render_as_string(hide_password=False)
    settings = load_settings({}, env="demo", home=tmp_path, database_url=url, rate_limits="off")
    services = build_services(settings, clock=clock)
    async with AsyncTestClient(app_of(services)) as client:
        yield client
    await services.dispose()


async def search(client: AsyncTestClient[Any], shop: Shop, **parameters: Any) -> Any:
    asked = {"from": shop.known.places["giap-bat"], "to": shop.known.places["hue"], "date": DAY, **parameters}
    return await client.get("/api/v1/trips/search", params={name: str(value) for name, value in asked.items()})


async def test_suggestions(client: AsyncTestClient[Any], shop: Shop) -> None:
    answer = await client.get("/api/v1/places/suggest", params={"q": "giap bat"}, headers={"Accept-Language": "vi"})
    assert answer.json() == {
        "items": [
            {
                "placeId": str(shop.known.places["giap-bat"]),
                "name": "Hà Nội",
                "region": "",
                "country": "VN",
                "stops": [
                    {"stopId": str(shop.known.ids["giap-bat"]), "name": "Bến xe Giáp Bát"},
                    {"stopId": str(shop.known.ids["my-dinh"]), "name": "Bến xe Mỹ Đình"},
                ],
            }
        ],
        "total": 1,
        "limit": 8,
        "offset": 0,
    }
    assert (await client.get("/api/v1/places/suggest")).json()["items"] == []
    assert (await client.get("/api/v1/places/suggest", params={"q": "h", "limit": 0})).status_code == 400


async def test_a_search(client: AsyncTestClient[Any], shop: Shop) -> None:
    answer = await search(client, shop, limit=1)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["total"], body["limit"], body["offset"], body["full"], body["onSale"]) == (3, 1, 0, 0, None)
    (trip,) = body["items"]
    operator, vehicle, price, trip_id = trip.pop("operator"), trip.pop("vehicle"), trip.pop("price"), trip.pop("tripId")
    assert trip == {
        "line": "1",
        "from": {
            "stopId": str(shop.known.ids["giap-bat"]),
            "name": "Bến xe Giáp Bát",
            "time": f"{DAY}T06:35:00+07:00",
            "timezone": "Asia/Ho_Chi_Minh",
        },
        "to": {
            "stopId": str(shop.known.ids["hue"]),
            "name": "Huế",
            "time": f"{DAY}T17:40:00+07:00",
            "timezone": "Asia/Ho_Chi_Minh",
        },
        "durationMinutes": 665,
        "amenities": [],
        "seatsAvailable": 45,
        "seatTypes": ["standard"],
    }
    assert operator["name"] == "Small Coaches"
    assert vehicle.keys() == {"code", "name"}
    assert price["currency"] == "VND"
    assert int(price["amount"]) > 0
    assert len(trip_id) == 36


async def test_every_parameter_of_a_search_arrives(client: AsyncTestClient[Any], shop: Shop) -> None:
    async def total(**parameters: Any) -> int:
        answer = await search(client, shop, **parameters)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["total"])

    assert await total(departAfter="06:36") == 2
    assert await total(departBefore="06:36") == 1
    assert await total(departBefore="24:00", departAfter="00:00") == 3
    assert await total(maxPrice="0.01") == 0
    assert await total(amenities="wifi,toilet") == 0
    assert await total(amenities="") == 3
    assert await total(seatType="sleeper") == 0
    assert await total(seatType="") == 3
    assert await total(passengers=46) == 0
    assert await total(passengers=46, includeFull="true") == 3
    assert await total(offset=2) == 3
    assert [trip["from"]["time"][11:16] for trip in (await search(client, shop, sort="arrival")).json()["items"]] == [
        "06:35", "13:05", "20:50",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "status", "code", "field"),
    [
        ({"to": str(uuid4())}, 404, "place-not-found", None),
        ({"to": "hanoi"}, 400, "invalid", "to"),
        ({"date": "tomorrow"}, 400, "invalid", "date"),
        ({"date": "9999-12-31"}, 422, "bad-query", "date"),
        ({"sort": "beauty"}, 400, "invalid", "sort"),
        ({"passengers": "many"}, 400, "invalid", "passengers"),
        ({"passengers": "-1"}, 422, "bad-query", "passengers"),
        ({"maxPrice": "cheap"}, 400, "invalid", "maxPrice"),
        ({"maxPrice": "NaN"}, 422, "bad-query", "maxPrice"),
        ({"departAfter": "25:00"}, 422, "bad-query", "departAfter"),
        ({"departBefore": "noon"}, 422, "bad-query", "departBefore"),
        ({"limit": "100000"}, 400, "invalid", "limit"),
        ({"offset": "-1"}, 400, "invalid", "offset"),
    ],
)
async def test_refusals_name_what_the_client_wrote(
    client: AsyncTestClient[Any], shop: Shop, parameters: dict[str, str], status: int, code: str, field: str | None
) -> None:
    answer = await search(client, shop, **parameters)
    assert answer.headers["content-type"].startswith("application/problem+json")
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert [error["field"] for error in body.get("errors", [])] == ([field] if field else [])


async def test_a_missing_parameter_is_named(client: AsyncTestClient[Any], shop: Shop) -> None:
    answer = await client.get("/api/v1/trips/search", params={"from": str(shop.known.places["vinh"]), "date": DAY})
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("to", "missing")]
    answer = await client.get("/api/v1/trips/search")
    missing = [("from", "missing"), ("to", "missing"), ("date", "missing")]
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == missing


async def test_an_empty_day_tells_the_days_on_sale(client: AsyncTestClient[Any], shop: Shop) -> None:
    body = (await search(client, shop, date="2027-06-01")).json()
    assert body["items"] == []
    assert body["onSale"] == {"firstDay": TODAY.isoformat(), "lastDay": "2026-11-29"}


async def test_a_trip(client: AsyncTestClient[Any], shop: Shop) -> None:
    found = (await search(client, shop)).json()["items"][0]
    ends = {"from": found["from"]["stopId"], "to": found["to"]["stopId"]}
    trip = (await client.get(f"/api/v1/trips/{found['tripId']}", params=ends)).json()
    assert {name: trip[name] for name in found} == found
    assert len(trip["calls"]) == 6
    assert trip["calls"][1] == {
        "stopId": ends["from"],
        "name": "Bến xe Giáp Bát",
        "arrival": f"{DAY}T06:30:00+07:00",
        "departure": f"{DAY}T06:35:00+07:00",
        "timezone": "Asia/Ho_Chi_Minh",
        "boarding": True,
        "alighting": True,
        "platform": "",
    }
    assert trip["policy"]["onSale"] is True
    assert trip["policy"]["salesCloseAt"] == f"{DAY}T06:30:00+07:00"
    [conditions] = trip["policy"]["conditions"]
    assert (conditions["seatTypes"], conditions["tiers"][0]) == (["standard"], {"hoursBefore": 72, "refundBp": 10_000})
    assert conditions["text"][0] == "Cancelled up to 72 h before departure, 100% of the price is paid back."
    assert trip["serviceDate"] == DAY
    assert trip["fares"][0] == {"passengerType": "adult", "seatType": "standard", "price": found["price"]}
    assert (await client.get(f"/api/v1/trips/{uuid4()}")).json()["code"] == "departure-not-found"
    wrong_way = {"from": ends["to"], "to": ends["from"]}
    refused = await client.get(f"/api/v1/trips/{found['tripId']}", params=wrong_way)
    assert (refused.status_code, refused.json()["code"]) == (422, "not-boardable")


async def test_a_seat_map_is_sent_again_only_when_it_changed(client: AsyncTestClient[Any], shop: Shop) -> None:
    found = (await search(client, shop)).json()["items"][0]
    address = f"/api/v1/trips/{found['tripId']}/seats"
    ends = {"from": found["from"]["stopId"], "to": found["to"]["stopId"]}
    first = await client.get(address, params=ends)
    body = first.json()
    assert (body["tripId"], body["from"], body["to"]) == (found["tripId"], found["from"], found["to"])
    assert [(deck["rows"], deck["columns"]) for deck in body["plan"]["decks"]] != []
    assert len(body["seats"]) == 45
    assert body["seats"][0].keys() == {
        "number", "type", "deck", "row", "column", "status", "price", "accessible", "features",
    }  # fmt: skip
    assert {seat["status"] for seat in body["seats"]} == {"available"}
    assert body["seats"][0]["price"] == found["price"]

    known = {"If-None-Match": first.headers["etag"]}
    again = await client.get(address, params=ends, headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])

    async with shop.database.begin() as work:
        query = TripQuery(from_id=shop.known.places["giap-bat"], to_id=shop.known.places["hue"], date=TOMORROW)
        offer = (await search_trips(work, query)).items[0]
    await hold(shop, offer, seats=2, board=3, alight=4)
    changed = await client.get(address, params=ends, headers=known)
    assert changed.status_code == 200
    assert changed.json()["version"] != body["version"]
    assert [seat["status"] for seat in changed.json()["seats"][:3]] == ["locked", "locked", "available"]
    before_it = await client.get(address, params={"to": str(shop.known.ids["vinh"])})
    assert {seat["status"] for seat in before_it.json()["seats"]} == {"available"}


async def test_the_alias_without_a_version_answers_alike(client: AsyncTestClient[Any], shop: Shop) -> None:
    one, other = [await client.get(f"{base}/places/suggest", params={"q": "hue"}) for base in ("/api/v1", "/api")]
    assert one.json() == other.json()
    assert one.json()["total"] == 1


async def test_a_list_takes_as_many_statements_however_long(client: AsyncTestClient[Any], shop: Shop) -> None:
    async def count(address: str, **parameters: Any) -> int:
        with counted_statements() as statements:
            answer = await client.get(address, params=parameters)
        assert answer.status_code == 200, statements
        return len(statements)

    searched = {"from": str(shop.known.places["giap-bat"]), "to": str(shop.known.places["hue"]), "date": DAY}
    await count("/api/v1/trips/search", **searched)  # reads fares and seat plans, which are kept
    assert await count("/api/v1/trips/search", **searched, limit=1) == 6
    assert await count("/api/v1/trips/search", **searched, limit=20) == 6
    assert await count("/api/v1/places/suggest", q="h", limit=1) == 4
    assert await count("/api/v1/places/suggest", q="h", limit=20) == 4
