"""The same price wherever it is shown and where it is charged: search, day strip, detail, seat map, hold, booking."""

import random
from datetime import date, timedelta
from typing import Any

from tests.coaches.test_vertical import book, person

from farebox.bookings import cancel_booking
from farebox.coaches import SeatLock, SeatMap, get_lock, get_seat_map, list_seat_statuses
from farebox.core.money import Money
from farebox.pricing import (
    FareCell,
    FareTerms,
    PriceRule,
    SeatSurcharge,
    set_fare_terms,
)
from farebox.search import TripQuery, get_trip, neighbouring_days, search_trips

ALWAYS: dict[str, Any] = {"kind": "season", "first_day": date(2000, 1, 1), "last_day": date(2999, 12, 31)}
EXAMPLES = 24


def some_rules(dice: random.Random) -> list[PriceRule]:
    """A few of each kind, many of which count."""

    def percent() -> int:
        return dice.choice([-1, 1]) * dice.randrange(1, 9000, 7)

    def rule(**facts: Any) -> PriceRule:
        return PriceRule(**{"name": "Rule", "percent_bp": percent(), **facts})

    weekdays = [rule(kind="weekday", weekdays=dice.randrange(1, 128)) for _ in range(dice.randrange(3))]
    loads = [rule(kind="load", from_load_bp=dice.choice([1, 200, 500, 1000, 5000])) for _ in range(dice.randrange(4))]
    early = [rule(kind="early", days_ahead=dice.randrange(1, 4)) for _ in range(dice.randrange(3))]
    back = [rule(kind="round-trip", percent_bp=-dice.randrange(1, 10_001)) for _ in range(dice.randrange(2))]
    return [*(rule(**ALWAYS) for _ in range(dice.randrange(2))), *weekdays, *loads, *early, *back]


async def set_some_fares(coach, dice: random.Random) -> FareTerms:
    """Terms, fares by hand, surcharges and rules, thrown together, in a currency of 0, 2 or 3 decimals."""
    currency = dice.choice(["VND", "EUR", "KWD"])
    terms = FareTerms(
        Money(dice.choice([0, 137]), currency),
        tax_rate_bp=dice.choice([0, 700, 1900]),
        child_discount_bp=dice.randrange(10_001),
        senior_discount_bp=dice.randrange(10_001),
        is_tax_added=dice.random() < 0.5,
    )
    first, last = coach.departure.calls[0], coach.departure.calls[-1]
    cells = [FareCell(first.place_id, last.place_id, Money(dice.randrange(10_000), currency))]
    async with coach.database.begin() as work:
        await set_fare_terms(
            work,
            coach.departure.operator_id,
            terms,
            surcharges=[SeatSurcharge(Money(dice.randrange(500), currency), feature="window")],
            cells=cells if dice.random() < 0.5 else [],
            price_rules=some_rules(dice),
        )
    return terms


async def shown(coach, guest, work) -> tuple[set[Money | None], SeatMap]:
    """The price "from" wherever there is one, and the seat map of somebody."""
    ends = coach.departure.calls[0].place_id, coach.departure.calls[-1].place_id
    day = coach.departure.calls[0].departure.date()
    page = await search_trips(work, TripQuery(from_id=ends[0], to_id=ends[1], date=day))
    [offer] = [offer for offer in page.items if offer.departure_id == coach.id]
    [strip] = await neighbouring_days(work, *ends, day, before=0, after=0)
    detail = await get_trip(work, coach.id, *ends)
    seats = await get_seat_map(work, coach.id, *ends, viewer=guest, settings=coach.settings)
    lowest = min((seat.price for seat in seats.seats if seat.price is not None), key=lambda price: price.minor)
    adult = min((f.price for f in detail.fares if f.passenger_type == "adult"), key=lambda price: price.minor)
    return {offer.price, strip.price, detail.offer.price, adult, lowest}, seats


def two_free(seats: SeatMap, dice: random.Random) -> list[str]:
    return dice.sample([seat.number for seat in seats.seats if seat.status == "available" and not seat.accessible], 2)


async def test_what_is_shown_is_what_is_charged(coach, secrets):
    for seed in range(EXAMPLES):
        await check_an_example(coach, secrets, random.Random(seed))


async def check_an_example(coach, secrets, dice: random.Random) -> None:
    terms = await set_some_fares(coach, dice)
    async with coach.database.begin() as work:
        await work.execute("DELETE FROM claim")
        sold = dice.sample([seat.number for seat in coach.departure.seat_plan.seats], dice.choice([0, 1, 5]))
        if sold:
            await coach.sell(work, dice.choice(["ae", "bc"]), *sold)
    async with coach.database.begin() as work:
        an, bo = await coach.guest(work), await coach.guest(work)
        lowest, seats = await shown(coach, an, work)
        assert len(lowest) == 1
        chosen = two_free(seats, dice)
        prices = {seat.number: seat.price for seat in seats.seats if seat.price is not None}
        lock = await coach.lock(work, an, "ae", *chosen)
        assert {number: lock.quote.for_seat(number) for number in chosen} == {seat: prices[seat] for seat in chosen}
        assert lock.total.minor == sum(prices[seat].minor for seat in chosen) + terms.whole_service_fee.minor
        # somebody else takes seats meanwhile, which makes others dearer, but not these
        others = await get_seat_map(work, coach.id, viewer=bo, settings=coach.settings)
        await coach.lock(work, bo, "ae", *two_free(others, dice))
        assert_as_before(lock, await get_lock(work, lock.id, actor=an))
        seats = await get_seat_map(work, coach.id, viewer=an, settings=coach.settings)
        assert {seat.number: seat.price for seat in seats.seats} == prices
        named = await list_seat_statuses(work, coach.id, chosen, viewer=an)
        assert [seat.price for seat in named] == [prices[number] for number in chosen]
        people = [person(number) for number in chosen]
        booking = await book(coach, work, an, [lock], *people, secrets=secrets)
        assert booking.total == lock.total
        assert [(line.label, line.amount, line.tax_included) for line in booking.lines] == [
            (line.label, line.amount, line.tax_included) for line in lock.quote.lines
        ]
        await cancel_booking(work, booking.id, actor=an)


def assert_as_before(lock: SeatLock, now: SeatLock) -> None:
    assert (now.quote, now.total) == (lock.quote, lock.total)


async def set_rules(coach, *rules: PriceRule, **terms: Any) -> None:
    async with coach.database.begin() as work:
        free = FareTerms(Money.zero("EUR"), **terms)
        cells = [
            FareCell(coach.departure.calls[one].place_id, coach.departure.calls[other].place_id, Money(1000, "EUR"))
            for one, other in ((0, -1), (-1, 0), (0, 2))
        ]
        await set_fare_terms(work, coach.departure.operator_id, free, cells=cells, price_rules=rules)


async def lines_of(coach, ride: str, *seats: str) -> list[tuple[str, int]]:
    async with coach.database.begin() as work:
        lock = await coach.lock(work, await coach.guest(work), ride, *seats)
    return [(line.label, line.amount.minor) for line in lock.quote.lines]


FULL = PriceRule(kind="load", name="Busy", percent_bp=5000, from_load_bp=400)
"""From two of 45 seats on."""


async def test_the_load_is_of_the_legs_that_one_travels(coach):
    await set_rules(coach, FULL)
    async with coach.database.begin() as work:
        await coach.sell(work, "de", "1A", "1B")
    assert await lines_of(coach, "ac", "2A") == [("fare-adult", 1000)]
    assert await lines_of(coach, "ae", "3A") == [("fare-adult", 1000), ("rule-load", 500)]


async def test_ones_own_seats_make_nothing_dearer(coach):
    await set_rules(coach, FULL)
    async with coach.database.begin() as work:
        an = await coach.guest(work)
        await coach.lock(work, an, "ae", "1A", "1B", "1C")
        lock = await coach.lock(work, an, "ae", "2A", "2B", "2C")
        assert lock.total == Money(3000, "EUR"), "also when one chooses others"
        seats = await get_seat_map(work, coach.id, viewer=an, settings=coach.settings)
        assert {seat.price for seat in seats.seats} == {Money(1000, "EUR")}
        everybodys = await get_seat_map(work, coach.id, viewer=await coach.guest(work), settings=coach.settings)
        assert {seat.price for seat in everybodys.seats} == {Money(1500, "EUR")}


async def test_early_is_counted_from_when_the_seats_were_first_taken(coach, secrets):
    early = PriceRule(kind="early", name="Early bird", percent_bp=-2500, days_ahead=7)
    await set_rules(coach, early)
    assert await lines_of(coach, "ae", "1A") == [("fare-adult", 1000)], "it leaves tomorrow"
    async with coach.database.begin() as work:
        an = await coach.guest(work)
        lock = await coach.lock(work, an, "ae", "2A")
        await work.execute("UPDATE hold SET first_taken_at = now() - interval '8 days' WHERE id = %s", (lock.id,))
    async with coach.database.begin() as work:
        assert (await get_lock(work, lock.id, actor=an)).total == Money(750, "EUR")
        booking = await book(coach, work, an, [lock], person("2A"), secrets=secrets)
    assert [(line.kind, line.label, line.amount.minor) for line in booking.lines] == [
        ("fare", "fare-adult", 1000),
        ("discount", "rule-early", -250),
    ]


BACK = PriceRule(kind="round-trip", name="There and back", percent_bp=-1000)


async def test_the_way_back_in_the_same_booking_makes_both_cheaper(coach, secrets):
    await set_rules(coach, BACK)
    async with coach.database.begin() as work:
        an = await coach.guest(work)
        out = await coach.lock(work, an, "ae", "1A")
        back = await coach.lock_on(work, coach.return_id, an, "1A")
        assert out.total == back.total == Money(1000, "EUR")
        booking = await book(coach, work, an, [out, back], person("1A"), person("1A"), secrets=secrets)
    assert [(line.label, line.amount.minor) for line in booking.lines] == [
        ("fare-adult", 1000),
        ("rule-round-trip", -100),
    ] * 2


async def test_another_way_is_no_way_back(coach, secrets):
    await set_rules(coach, BACK)
    async with coach.database.begin() as work:
        an = await coach.guest(work)
        out = await coach.lock(work, an, "ac", "1A")
        back = await coach.lock_on(work, coach.return_id, an, "1A")
        booking = await book(coach, work, an, [out, back], person("1A"), person("1A"), secrets=secrets)
    assert booking.total == out.total + back.total


async def test_the_hold_costs_no_further_statement_without_rules_and_one_for_the_load(coach, statements):
    async def cost(seat: str) -> int:
        async with coach.database.begin() as work:
            an = await coach.guest(work)
            await work.commit()
            statements.clear()
            await coach.lock(work, an, "ae", seat)
            return len(statements)

    await set_rules(coach)
    await cost("1A")
    plain = await cost("1B")
    await set_rules(coach, BACK)
    await cost("1C")
    assert await cost("1D") == plain
    await set_rules(coach, FULL)
    await cost("2A")
    assert await cost("2B") == plain + 1


async def test_each_day_of_the_strip_has_its_own_price(coach):
    tomorrow = coach.departure.calls[0].departure.date()
    day_after = tomorrow + timedelta(days=1)
    rule = PriceRule(kind="season", name="Holiday", percent_bp=5000, first_day=day_after, last_day=day_after)
    await set_rules(coach, rule)
    ends = coach.departure.calls[0].place_id, coach.departure.calls[-1].place_id
    async with coach.database.begin() as work:
        days = await neighbouring_days(work, *ends, tomorrow, before=0, after=1)
    assert [day.price for day in days] == [Money(1000, "EUR"), Money(1500, "EUR")]
