"""What clients hear while the database is away, or has no connection left: try again soon, and no trace in the log."""

import asyncio
import io
import json
import logging
from dataclasses import replace
from typing import Any

import httpx
import pytest
import structlog
from msgspec import structs

from farebox.app import create_app
from farebox.core.db import Database
from farebox.core.logs import configure_logs
from farebox.core.settings import load_settings
from farebox.wiring import build_services

API, PAGE = "/api/v1/places/suggest?q=vinh", "/"


@pytest.fixture
def lines():
    stream = io.StringIO()
    configure_logs(load_settings({}, log_format="json"), stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    logging.getLogger().handlers = []


async def ask(services, *paths):
    app: Any = create_app(services)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://farebox.example") as client:
        return await asyncio.gather(*(client.get(path) for path in paths))


def check(api, page):
    assert (api.status_code, api.json()["code"], api.headers["retry-after"]) == (503, "unavailable", "5")
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "Try again in a few seconds" in page.text


async def test_a_database_out_of_reach_is_an_outage_and_no_riddle(settings, lines, tmp_path):
    services = build_services(structs.replace(settings, database_url=f"postgresql://farebox@/farebox?host={tmp_path}"))
    check(*await ask(services, API, PAGE))
    told = [line for line in lines() if line["event"] != "request"]
    assert [line["event"] for line in told] == ["database-unavailable"] * 2
    assert not any("exception" in line for line in told)
    await services.dispose()


async def test_who_asks_cannot_be_known_then_and_is_told_to_come_back(settings, lines, tmp_path):
    services = build_services(structs.replace(settings, database_url=f"postgresql://farebox@/farebox?host={tmp_path}"))
    app: Any = create_app(services)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://farebox.example") as client:
        body = {"tripId": "00000000-0000-7000-8000-000000000000", "seatNumbers": ["1A"]}
        headers = {"Authorization": "Bearer fbg_somebody"}
        answer = await client.post("/api/v1/seats/lock", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "unavailable", "5")
    assert [line["event"] for line in lines() if line["event"] != "request"] == ["database-unavailable"]
    await services.dispose()


async def test_so_is_a_pool_in_which_no_connection_came_free(settings, database_url):
    small = Database(database_url, pool_size=1)
    async with small.begin() as work:
        await work.execute("SELECT 1")
        check(*await ask(replace(build_services(settings), database=small), API, PAGE))
    await small.dispose()


async def test_a_connection_that_dies_in_the_middle_harms_no_other_request(settings, database, database_url):
    services = build_services(settings)
    async with services.database.begin() as work:
        row = await (await work.execute("SELECT pg_backend_pid()")).fetchone()
    async with database.begin() as other:
        await other.execute("SELECT pg_terminate_backend(%s, 1000)", row)
    api, page = await ask(services, API, PAGE)
    assert (api.status_code, page.status_code) == (200, 200)
    await services.dispose()
