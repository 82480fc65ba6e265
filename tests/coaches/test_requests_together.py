"""What is kept in memory, asked for together or committed early, and that nobody can tell."""

import asyncio
from collections import OrderedDict
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from litestar.exceptions import LitestarException
from msgspec import structs
from psycopg.types.json import Jsonb
from tests.coaches.visitors import problem_of

from farebox.app import create_app
from farebox.coaches import office
from farebox.core.i18n import language
from farebox.core.money import Money
from farebox.inventory import Desk, close_inventories
from farebox.pricing import FareTerms, set_fare_terms
from farebox.timetable import get_departure, whole_departures


async def test_what_is_cancelled_or_sold_for_another_price_is_so_at_once(coach, an, bo):
    """Departures and fares are kept in memory, and nobody may notice."""
    before = await an.held("1A")
    terms = FareTerms(service_fee=Money(700, "EUR"), sells_by_distance=True)
    async with coach.database.begin() as work:
        await set_fare_terms(work, coach.departure.operator_id, terms)
    dearer = await an.held("1A")
    assert float(dearer["total"]["amount"]) == float(before["total"]["amount"]) + 7
    async with coach.database.begin() as work:
        await work.execute("UPDATE departure SET status = 'cancelled' WHERE id = %s", (coach.id,))
    assert problem_of(await bo.lock("2A"), 410)["code"] == "sales-closed"
    async with coach.database.begin() as work:
        await work.execute("UPDATE departure SET status = 'scheduled' WHERE id = %s", (coach.id,))
    await bo.held("2A")
    async with coach.database.begin() as work:
        await work.execute("DELETE FROM departure WHERE id = %s", (coach.id,))
    assert problem_of(await bo.lock("3A"), 404)["code"] == "departure-not-found"


async def test_a_departure_that_is_taken_back_after_it_was_read_is_no_longer_on_sale(coach, an, monkeypatch):
    take = Desk.take

    async def take_too_late(desk, request):
        async with coach.database.begin() as work:
            await close_inventories(work, [want.inventory_id for want in request.wants])
            await work.execute("DELETE FROM departure WHERE id = %s", (coach.id,))
        return await take(desk, request)

    monkeypatch.setattr(Desk, "take", take_too_late)
    assert problem_of(await an.lock("1A"), 410)["code"] == "sales-closed"


async def test_a_session_that_was_ended_holds_nothing_more(coach, an):
    await an.held("1A")
    async with coach.database.begin() as work:
        await work.execute("DELETE FROM guest_session")
    assert problem_of(await an.lock("1B"), 401)["code"] == "credential-required"


async def test_many_at_once_each_hold_under_their_own_name(coach, visit):
    """What requests ask for together, they are told apart."""
    visitors = [await visit() for _ in range(12)]
    numbers = [seat.number for seat in coach.departure.seat_plan.seats][:12]
    locks = await asyncio.gather(*(one.held(number) for one, number in zip(visitors, numbers, strict=True)))
    assert [lock["seatNumbers"] for lock in locks] == [[number] for number in numbers]
    assert len({lock["lockId"] for lock in locks}) == 12
    for one, lock in zip(visitors, locks, strict=True):
        assert (await one.send("PATCH", f"/seats/lock/{lock['lockId']}/extend")).status_code == 200
    stranger = await visitors[0].send("DELETE", f"/seats/lock/{locks[1]['lockId']}")
    assert problem_of(stranger, 404)["code"] == "lock-not-found"


async def test_one_visitor_holds_seats_on_a_few_departures_only(coach, services, an, bo):
    app: Any = create_app(replace(services, settings=structs.replace(services.settings, max_holds=1, rate_limits="on")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://farebox.example") as client:
        an.client = bo.client = client
        first = await an.held("1A")
        problem = problem_of(await an.lock("1A", tripId=str(coach.return_id), **{"from": None, "to": None}), 409)
        assert (problem["code"], problem["limit"]) == ("too-many-holds", 1)
        assert problem["detail"].startswith("You are holding seats on 1 departures already.")
        second = await an.held("1B")  # in the place of the first
        await bo.held("1A")
        assert (await an.send("DELETE", f"/seats/lock/{second['lockId']}")).status_code == 200
        other = await an.lock("1A", tripId=str(coach.return_id), **{"from": None, "to": None})
        assert other.status_code == 201, first


async def test_one_visitor_holds_no_more_by_asking_for_all_at_once(coach, services, an):
    app: Any = create_app(replace(services, settings=structs.replace(services.settings, max_holds=1, rate_limits="on")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://farebox.example") as client:
        an.client = client
        for _ in range(3):
            answers = await asyncio.gather(
                an.lock("1A"), an.lock("1A", tripId=str(coach.return_id), **{"from": None, "to": None})
            )
            assert sorted(answer.status_code for answer in answers) == [201, 409]
            (held,) = [answer.json()["lockId"] for answer in answers if answer.status_code == 201]
            assert (await an.send("DELETE", f"/seats/lock/{held}")).status_code == 200


async def test_nobody_waits_for_long_for_requests_of_their_own(an, bo, monkeypatch):
    gate, arrived = asyncio.Event(), asyncio.Event()
    take = Desk.take

    async def take_slowly(desk, request):
        arrived.set()
        await gate.wait()
        return await take(desk, request)

    monkeypatch.setattr(office, "PATIENCE_SECONDS", 0.1)
    with monkeypatch.context() as patch:
        patch.setattr(Desk, "take", take_slowly)
        slow = asyncio.create_task(an.lock("1A"))
        await arrived.wait()
        async with asyncio.timeout(20):
            answer = await an.lock("1B")
    assert problem_of(answer, 409)["code"] == "busy"
    assert answer.headers["retry-after"]
    await bo.held("1B")
    gate.set()
    assert (await slow).status_code == 201
    await an.held("1C")


async def test_a_request_whose_answer_was_lost_holds_nothing_twice(coach, an, monkeypatch):
    """The process dies between the hold and its answer; the client asks again, with the same key."""
    body = {"tripId": str(coach.id), "seatNumbers": ["1A"]}

    async def die(*_, **__):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr("farebox.api.idempotency.keep_answer", die)
        with pytest.raises(LitestarException):
            await an.send("POST", "/seats/lock", body, **{"Idempotency-Key": "k1"})
    running = await an.send("POST", "/seats/lock", body, **{"Idempotency-Key": "k1"})
    assert problem_of(running, 409)["code"] == "idempotency-running"
    async with coach.database.begin() as work:
        await work.execute("UPDATE idempotent_request SET begun_at = begun_at - interval '61 seconds'")
    again = await an.send("POST", "/seats/lock", body, **{"Idempotency-Key": "k1"})
    assert again.status_code == 201
    async with coach.database.begin() as work:
        cursor = await work.execute("SELECT id::text FROM hold WHERE state = 'held'")
        assert await cursor.fetchall() == [(again.json()["lockId"],)]


async def test_a_departure_is_read_once_for_each_language_and_told_in_it(coach, statements):
    async with coach.database.begin() as work:
        await work.execute("UPDATE stop SET names = jsonb_build_object('vi', 'Bến ' || name)")
        await work.execute("UPDATE feed SET imported_at = clock_timestamp()")  # as every import does
    names = []
    costs = []
    async with coach.database.begin() as work:
        await work.driver()
        for code in ("en", "vi", "en", "vi"):
            statements.clear()
            with language(code):
                names.append((await get_departure(work, coach.id)).calls[0].stop_name)
            costs.append(len(statements))
    assert names == ["Ahorn", "Bến Ahorn", "Ahorn", "Bến Ahorn"]
    assert costs[0] > 1
    assert costs[2:] == [1, 1]


async def test_a_timetable_imported_anew_is_seen_at_once(coach):
    async with coach.database.begin() as work:
        assert (await get_departure(work, coach.id)).calls[0].stop_name == "Ahorn"
    async with coach.database.begin() as work:
        await work.execute("UPDATE stop SET name = 'Birke' WHERE id = %s", [coach.stop("a")])
        await work.execute("UPDATE feed SET imported_at = imported_at + interval '1 second'")
        assert (await get_departure(work, coach.id)).calls[0].stop_name == "Birke"
        await work.rollback()
        assert (await get_departure(work, coach.id)).calls[0].stop_name == "Ahorn"


async def test_a_timetable_is_seen_whose_import_ended_after_one_that_had_begun_later(coach):
    other = Jsonb({"id": str(uuid4()), "code": "other"})
    async with coach.database.begin() as work:
        await work.execute("INSERT INTO feed SELECT (jsonb_populate_record(feed, %s)).* FROM feed", [other])
        await work.execute("UPDATE feed SET imported_at = imported_at + interval '1 hour' WHERE code = 'other'")
        assert (await get_departure(work, coach.id)).calls[0].stop_name == "Ahorn"
    async with coach.database.begin() as work:
        await work.execute("UPDATE stop SET name = 'Birke' WHERE id = %s", [coach.stop("a")])
        await work.execute("UPDATE feed SET imported_at = imported_at + interval '1 minute' WHERE code <> 'other'")
        assert (await get_departure(work, coach.id)).calls[0].stop_name == "Birke"


async def test_memory_has_an_end(coach, monkeypatch):
    monkeypatch.setattr(whole_departures, "_cache", OrderedDict())
    monkeypatch.setattr(whole_departures, "CACHED_DEPARTURES", 1)
    async with coach.database.begin() as work:
        for departure_id in (coach.id, coach.return_id, coach.id):
            assert (await get_departure(work, departure_id)).id == departure_id
            assert len(whole_departures._cache) == 1
