"""From a seat map to a ticket, through HTTP: the hold, the whole purchase, the PDF."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

from benchmarks.measure import Result, summarise, time_each
from benchmarks.searching import Question
from benchmarks.stage import Client, Stage
from farebox.accounts import SYSTEM
from farebox.core.crypto import load_secrets
from farebox.core.db import Database
from farebox.ticketing import render_booking_pdf

HOLDS = 300
BUYERS = 8
PURCHASES = 40

_people = count(1)


@dataclass(slots=True)
class Sales:
    """What was bought: milliseconds of each purchase and of each PDF sent, the PDFs' bytes, the bookings."""

    purchases: list[float] = field(default_factory=list)
    documents: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    bookings: list[UUID] = field(default_factory=list)


async def measure_buying(port: int, questions: Sequence[Question]) -> tuple[list[Result], list[UUID]]:
    """Holds one after another and by several buyers at once; then whole purchases, whose bookings are told."""
    client = await Client(port).open()
    trips = await _find_trips(client, questions, HOLDS * 2 + PURCHASES)
    one_by_one = await _hold(client, trips[:HOLDS])
    begun = time.perf_counter()
    shares = [trips[HOLDS + buyer : HOLDS * 2 : BUYERS] for buyer in range(BUYERS)]
    together = await asyncio.gather(*(_buyer(port, share) for share in shares))
    seconds = time.perf_counter() - begun
    maps = await _look_at_maps(client, trips[:HOLDS])
    sales = await _buy(port, trips[HOLDS * 2 :])
    await client.close()
    rate = f"{HOLDS / seconds:.0f} a second"
    return [
        summarise("Seats", "seat map, HTTP", maps),
        summarise("Seats", "hold two seats, HTTP", one_by_one),
        summarise(
            "Seats", f"the same, {BUYERS} buyers at once", [each for share in together for each in share], facts=rate
        ),
        summarise("Ticket", "hold, book, pay, confirm, HTTP", sales.purchases),
        summarise("Ticket", "PDF of two, HTTP", sales.documents, facts=f"{sum(sales.sizes) // PURCHASES // 1024} kB"),
    ], sales.bookings


async def measure_printing(stage: Stage, bookings: Sequence[UUID]) -> list[Result]:
    """The PDF alone, in this process, made anew each time."""
    database = Database(stage.dsn)
    secrets = load_secrets(stage.home)

    async def print_anew(booking_id: UUID) -> None:
        async with database.begin() as work:
            await work.execute("DELETE FROM ticket_document")
        await render_booking_pdf(database, booking_id, actor=SYSTEM, secrets=secrets)

    times = await time_each(print_anew, bookings)
    await database.dispose()
    return [summarise("Ticket", "PDF of two", times)]


async def _find_trips(client: Client, questions: Sequence[Question], wanted: int) -> list[dict[str, Any]]:
    """Trips with two seats to sell, each only once."""
    trips: dict[str, dict[str, Any]] = {}
    for question in questions:
        address = f"/trips/search?from={question.origin}&to={question.destination}&date={question.day}&passengers=2"
        for trip in (await client.get(address))["items"]:
            trips.setdefault(trip["tripId"], trip)
        if len(trips) >= wanted:
            return list(trips.values())[:wanted]
    raise RuntimeError(f"only {len(trips)} trips on sale, {wanted} needed; take a larger feed")


async def _visitor(client: Client) -> Client:
    client.token = (await client.send("POST", "/guest-sessions"))["guestToken"]
    return client


async def _look_at_maps(client: Client, trips: Sequence[dict[str, Any]]) -> list[float]:
    times = []
    for trip in trips:
        begun = time.perf_counter()
        await client.get(f"/trips/{trip['tripId']}/seats?from={trip['from']['stopId']}&to={trip['to']['stopId']}")
        times.append((time.perf_counter() - begun) * 1000)
    return times


async def _hold(client: Client, trips: Sequence[dict[str, Any]]) -> list[float]:
    times = []
    await _visitor(client)
    for trip in trips:
        request = await _wish(client, trip)
        begun = time.perf_counter()
        await client.post("/seats/lock", request)
        times.append((time.perf_counter() - begun) * 1000)
    return times


async def _buyer(port: int, trips: Sequence[dict[str, Any]]) -> list[float]:
    client = await Client(port).open()
    await _visitor(client)
    requests = [await _wish(client, trip) for trip in trips]
    times = []
    for request in requests:
        begun = time.perf_counter()
        await client.post("/seats/lock", request)
        times.append((time.perf_counter() - begun) * 1000)
    await client.close()
    return times


async def _wish(client: Client, trip: dict[str, Any]) -> dict[str, Any]:
    """A request for the first two seats that are free."""
    ends = {"from": trip["from"]["stopId"], "to": trip["to"]["stopId"]}
    seats = await client.get(f"/trips/{trip['tripId']}/seats?from={ends['from']}&to={ends['to']}")
    free = [seat["number"] for seat in seats["seats"] if seat["status"] == "available" and not seat["accessible"]]
    return {"tripId": trip["tripId"], **ends, "seatNumbers": free[:2]}


async def _buy(port: int, trips: Sequence[dict[str, Any]]) -> Sales:
    """A whole purchase on each trip, each by a visitor of its own."""
    sales = Sales()
    client = await Client(port).open()
    for trip in trips:
        await _visitor(client)
        request = await _wish(client, trip)
        begun = time.perf_counter()
        lock = await client.post("/seats/lock", request)
        booking = await client.post("/bookings", _booking(lock))
        address = f"/bookings/{booking['bookingId']}"
        if float(booking["total"]["amount"]):
            payment = await client.post("/payments/create", {"bookingId": booking["bookingId"], "method": "sandbox"})
            await client.post(f"/payments/sandbox/{payment['paymentId']}", {"outcome": "succeeded"})
        confirmed = await client.post(f"{address}/confirm")
        sales.purchases.append((time.perf_counter() - begun) * 1000)
        if confirmed["status"] != "confirmed":
            raise RuntimeError(f"not confirmed: {confirmed}")
        begun = time.perf_counter()
        document = await client.get(f"{address}/e-ticket")
        sales.documents.append((time.perf_counter() - begun) * 1000)
        sales.sizes.append(len(document))
        sales.bookings.append(UUID(booking["bookingId"]))
    await client.close()
    return sales


def _booking(lock: dict[str, Any]) -> dict[str, Any]:
    return {
        "lockId": lock["lockId"],
        "passengers": [
            {
                "seatNumber": number,
                "fullName": f"Bench Traveller {next(_people)}",
                "idType": "passport",
                "idNumber": f"B{next(_people):08}",
                "phone": "+49 30 901820",
            }
            for number in lock["seatNumbers"]
        ],
        "contact": {"email": "bench@example.com", "phone": "+49 30 901820"},
    }
