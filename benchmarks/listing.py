"""The lists of somebody who has booked a thousand times: in the API, and as the page of an account."""

import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import httpx

from benchmarks.measure import Result, summarise
from benchmarks.stage import Stage
from farebox.accounts import make_person
from farebox.core.crypto import load_secrets, new_token, token_digest
from farebox.core.db import Database, UnitOfWork
from farebox.core.ids import new_id

BOOKINGS = 1_000
SAMPLES = 60
WARM_UP = 5
PROMISED_MS = 100

LISTS = {
    "20 of 1,000 bookings, API": "/api/v1/bookings",
    "the last 20 of them": f"/api/v1/bookings?offset={BOOKINGS - 20}",
    "20 by departure": "/api/v1/bookings?sort=departure&status=upcoming",
    "searched by a name": "/api/v1/bookings?q=nguyen",
    "searched in vain": "/api/v1/bookings?q=nobody+at+all",
    "100 of them": "/api/v1/bookings?limit=100",
    "page of one's bookings": "/account/bookings",
    "page of one's account": "/account",
}

_SAME = "md5({}::text || number)::uuid"
_OF = "FROM {}, generate_series(1, %(times)s) AS number WHERE {} = ANY (%(originals)s)"
_COPIES = {
    "booking": f"""'id', {_SAME.format("booking.id")}, 'owner', %(owner)s::text,
        'reference', upper(left(md5(booking.id::text || number), 10)),
        'created_at', booking.created_at - number * interval '1 hour'""",
    "booking_item": f"""'id', {_SAME.format("booking_item.id")}, 'booking_id', {_SAME.format("booking_id")}""",
    "booking_passenger": f"""'id', {_SAME.format("booking_passenger.id")}, 'item_id', {_SAME.format("item_id")},
        'booking_id', {_SAME.format("booking_id")}""",
    "booking_price_line": f"""'item_id', {_SAME.format("item_id")}, 'booking_id', {_SAME.format("booking_id")}""",
}


async def measure_listing(stage: Stage, port: int, bookings: Sequence[UUID]) -> list[Result]:
    """Each list again and again, one after another, by one person."""
    token = await _prepare(stage, bookings)
    times: dict[str, list[float]] = {}
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}, timeout=30
    ) as client:
        for name, path in LISTS.items():
            taken = []
            for _ in range(WARM_UP + SAMPLES):
                begun = time.perf_counter()
                (await client.get(path)).raise_for_status()
                taken.append((time.perf_counter() - begun) * 1000)
            times[name] = taken[WARM_UP:]
    return [summarise("Bookings", name, taken, target=PROMISED_MS) for name, taken in times.items()]


async def copy_bookings(work: UnitOfWork, originals: Sequence[UUID], *, owner: str, times: int) -> None:
    """As many copies of each booking, of somebody: what lists read of it, without its seats, money and tickets."""
    known = {"originals": list(originals), "owner": owner, "times": times}
    for table, changed in _COPIES.items():
        which = "booking.id" if table == "booking" else "booking_id"
        await work.execute(
            f"INSERT INTO {table} OVERRIDING USER VALUE"
            f" SELECT (jsonb_populate_record({table}, jsonb_build_object({changed}))).* {_OF.format(table, which)}",
            known,
        )


async def _prepare(stage: Stage, bookings: Sequence[UUID]) -> str:
    """The credential of a person with as many bookings."""
    database, token = Database(stage.dsn), new_token("fbs")
    async with database.begin() as work:
        secrets = load_secrets(stage.home)
        person_id = await make_person(work, email="often@example.com", verified=True, secrets=secrets)
        await copy_bookings(work, bookings, owner=f"user:{person_id}", times=BOOKINGS // len(bookings))
        await work.execute(
            "INSERT INTO person_session (id, person_id, kind, token_digest, proved, proved_at, device, place,"
            " created_at, used_at, expires_at, ends_at) VALUES (%s, %s, 'browser', %s, '{password}', now(), '', '',"
            " now(), now(), %s, %s)",
            (new_id(), person_id, token_digest(token), work.now + timedelta(hours=1), work.now + timedelta(hours=2)),
        )
    await database.dispose()
    return token
