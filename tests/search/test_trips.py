"""Trips on a day: what is offered, in which order, and what it says."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from psycopg.types.json import Jsonb
from tests.counting import counted_statements
from tests.search.feeds import SmallFeed, at, days_from
from tests.search.shop import NOW, TODAY, OpenShop, Shop

from farebox.core.i18n import language
from farebox.inventory import HoldTerms, Want, take
from farebox.search import (
    BadQuery,
    OnSale,
    TripDetail,
    TripOffer,
    TripPage,
    TripQuery,
    get_trip,
    neighbouring_days,
    search_trips,
)
from farebox.timetable import Deck, DepartureNotFound, NotBoardable, PlaceNotFound, Seat, SeatPlan, get_departure

HANOI_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TERMS = HoldTerms(ttl_seconds=900, max_extensions=2, max_total_seconds=2700)
TOMORROW = TODAY + timedelta(days=1)


def place(shop: Shop, stop: str) -> UUID:
    return shop.known.places[stop]


async def ask(shop: Shop, origin: UUID, destination: UUID, day: date = TOMORROW, **options: Any) -> TripPage:
    async with shop.database.begin() as work:
        return await search_trips(work, TripQuery(from_id=origin, to_id=destination, date=day, **options))


def leaves(page: TripPage) -> list[str]:
    return [f"{offer.board.time:%H:%M}" for offer in page.items]


async def hold(shop: Shop, offer: TripOffer, seats: int, board: int, alight: int) -> None:
    """Somebody takes the first `seats` seats of the departure from call to call."""
    async with shop.database.begin() as work:
        departure = await get_departure(work, offer.departure_id)
        wants = [Want(departure.inventory_id, tuple(range(seats)), board, alight)]
        await work.execute("UPDATE inventory SET sales_close_at = NULL")  # theirs may be over by the server's clock
        await take(work, wants, owner=f"guest:{uuid4()}", terms=TERMS)


async def test_an_offer_says_all_that_a_list_of_results_shows(shop: Shop) -> None:
    page = await ask(shop, place(shop, "giap-bat"), place(shop, "hue"))
    assert page.total == 3
    morning = page.items[0]
    assert morning.line == "1"
    assert morning.operator.name == "Small Coaches"
    assert (morning.board.stop_id, morning.board.name) == (shop.known.ids["giap-bat"], "Bến xe Giáp Bát")
    assert morning.board.time == datetime(2026, 11, 21, 6, 35, tzinfo=HANOI_ZONE)
    assert morning.board.time.utcoffset() == timedelta(hours=7)
    assert morning.board.timezone == "Asia/Ho_Chi_Minh"
    assert (morning.alight.name, f"{morning.alight.time:%H:%M}") == ("Huế", "17:40")
    assert morning.duration_minutes == 11 * 60 + 5
    assert morning.seats_available == 45
    assert morning.seat_types == ("standard",)
    assert morning.price is not None
    assert morning.price.minor > 0


async def test_nobody_boards_or_alights_where_the_coach_does_not_let_them(shop: Shop) -> None:
    assert (await ask(shop, place(shop, "giap-bat"), place(shop, "phu-ly"))).total == 0
    assert (await ask(shop, place(shop, "phu-ly"), place(shop, "vinh"))).total == 3
    assert (await ask(shop, place(shop, "dong-ha"), place(shop, "hue"))).total == 0
    assert (await ask(shop, place(shop, "vinh"), place(shop, "dong-ha"))).total == 3
    assert (await ask(shop, place(shop, "hue"), place(shop, "vinh"))).total == 0


async def test_a_place_means_its_last_stop_and_a_stop_means_itself(shop: Shop) -> None:
    assert leaves(await ask(shop, place(shop, "my-dinh"), place(shop, "vinh"))) == ["06:35", "13:05", "20:50"]
    assert leaves(await ask(shop, shop.known.ids["hanoi"], place(shop, "vinh"))) == ["06:35", "13:05", "20:50"]
    assert leaves(await ask(shop, shop.known.ids["my-dinh"], place(shop, "vinh"))) == ["06:00", "12:30", "20:15"]


async def test_two_stops_of_one_place_can_be_travelled_between(shop: Shop) -> None:
    page = await ask(shop, shop.known.ids["my-dinh"], shop.known.ids["giap-bat"])
    assert [offer.duration_minutes for offer in page.items] == [30, 30, 30]


async def test_a_ride_past_midnight_is_found_on_the_day_it_begins(shop: Shop) -> None:
    """The night coach passes Vinh at 02:35 of the next day."""
    assert leaves(await ask(shop, place(shop, "vinh"), place(shop, "hue"))) == ["02:35", "12:20", "18:50"]
    night = (await ask(shop, place(shop, "vinh"), place(shop, "hue"))).items[0]
    async with shop.database.begin() as work:
        assert (await get_departure(work, night.departure_id)).service_date == TODAY


async def test_the_duration_is_between_the_instants_across_zones(shop: Shop) -> None:
    """09:00 in Hà Nội to 15:30 by the feed's clock is 16:30 in Nanning, and six and a half hours."""
    (trip,) = (await ask(shop, place(shop, "giap-bat"), place(shop, "nanning"))).items
    assert f"{trip.alight.time:%H:%M %z}" == "16:30 +0800"
    assert trip.duration_minutes == 390


async def test_what_has_left_or_is_closed_is_not_offered(shop: Shop) -> None:
    hanoi, hue = place(shop, "giap-bat"), place(shop, "hue")
    assert leaves(await ask(shop, hanoi, hue, TODAY)) == ["13:05", "20:50"]
    shop.clock.now = datetime(2026, 11, 20, 12, 59, 59, tzinfo=HANOI_ZONE)
    assert leaves(await ask(shop, hanoi, hue, TODAY)) == ["13:05", "20:50"]
    shop.clock.now = datetime(2026, 11, 20, 13, 0, tzinfo=HANOI_ZONE)
    assert leaves(await ask(shop, hanoi, hue, TODAY)) == ["20:50"]
    assert leaves(await ask(shop, shop.known.ids["vinh"], hue, TODAY)) == ["18:50"]


async def test_a_cancelled_departure_is_not_offered(shop: Shop) -> None:
    offer = (await ask(shop, place(shop, "giap-bat"), place(shop, "hue"))).items[1]
    async with shop.database.begin() as work:
        await work.execute("UPDATE departure SET status = 'cancelled' WHERE id = %s", [offer.departure_id])
    assert leaves(await ask(shop, place(shop, "giap-bat"), place(shop, "hue"))) == ["06:35", "20:50"]


async def test_seats_are_counted_on_the_legs_that_are_asked_for(shop: Shop) -> None:
    hanoi, vinh, hue = (place(shop, stop) for stop in ("giap-bat", "vinh", "hue"))
    await hold(shop, (await ask(shop, hanoi, hue)).items[0], seats=40, board=1, alight=3)
    assert [offer.seats_available for offer in (await ask(shop, hanoi, hue)).items] == [5, 45, 45]
    assert [offer.seats_available for offer in (await ask(shop, hanoi, vinh)).items] == [5, 45, 45]
    assert (await ask(shop, vinh, hue)).items[1].seats_available == 45
    assert (await ask(shop, shop.known.ids["my-dinh"], shop.known.ids["giap-bat"])).items[0].seats_available == 45


async def test_departures_with_too_few_seats_are_left_out_unless_asked_for(shop: Shop) -> None:
    hanoi, hue = place(shop, "giap-bat"), place(shop, "hue")
    offers = (await ask(shop, hanoi, hue)).items
    await hold(shop, offers[0], seats=45, board=3, alight=4)
    await hold(shop, offers[1], seats=43, board=3, alight=4)
    page = await ask(shop, hanoi, hue)
    assert (leaves(page), page.total, page.full) == (["13:05", "20:50"], 2, 1)
    page = await ask(shop, hanoi, hue, passengers=3)
    assert (leaves(page), page.full) == (["20:50"], 2)
    page = await ask(shop, hanoi, hue, passengers=3, include_full=True)
    assert [offer.seats_available for offer in page.items] == [0, 2, 45]
    assert page.full == 0


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("departure", ["slow", "express", "stroll"]),
        ("arrival", ["express", "slow", "stroll"]),
        ("duration", ["express", "slow", "stroll"]),
        ("price", ["slow", "stroll", "express"]),
    ],
)
async def test_the_four_orders(open_shop: OpenShop, sort: str, order: list[str]) -> None:
    feed = SmallFeed()
    feed.stop("a", "Alpha", 52.0, 13.0)
    feed.stop("b", "Bravo", 51.0, 13.0)
    feed.stop("far", "Foxtrot", 49.0, 8.0)
    days = days_from(TODAY, 3)
    feed.trip("slow", [("a", at("08:00"), at("08:00")), ("b", at("13:00"), at("13:00"))], days)
    feed.trip(
        "express",
        [("a", at("09:00"), at("09:00")), ("far", at("10:30"), at("10:30")), ("b", at("12:00"), at("12:00"))],
        days,
    )
    feed.trip("stroll", [("a", at("10:00"), at("10:00")), ("b", at("20:00"), at("20:00"))], days)
    shop = await open_shop(feed)
    names = {"08:00": "slow", "09:00": "express", "10:00": "stroll"}
    page = await ask(shop, place(shop, "a"), place(shop, "b"), sort=sort)
    assert [names[each] for each in leaves(page)] == order


async def test_the_filters(shop: Shop) -> None:
    hanoi, hue = place(shop, "giap-bat"), place(shop, "hue")
    assert leaves(await ask(shop, hanoi, hue, depart_after=time(6, 35), depart_before=time(20, 50))) == [
        "06:35",
        "13:05",
    ]
    assert leaves(await ask(shop, hanoi, hue, depart_after=time(6, 36))) == ["13:05", "20:50"]
    price = (await ask(shop, hanoi, hue)).items[0].price
    assert price is not None
    assert (await ask(shop, hanoi, hue, max_price=price.amount)).total == 3
    assert (await ask(shop, hanoi, hue, max_price=price.amount - 1)).total == 0
    assert (await ask(shop, hanoi, hue, seat_type="standard")).total == 3
    assert (await ask(shop, hanoi, hue, seat_type="sleeper")).total == 0
    async with shop.database.begin() as work:
        await work.execute("UPDATE vehicle_kind SET amenities = '{wifi,toilet}'")
    page = await ask(shop, hanoi, hue, amenities=("toilet", "wifi"))
    assert (page.total, page.amenities, page.items[0].amenities) == (3, ("toilet", "wifi"), ("wifi", "toilet"))
    assert (await ask(shop, hanoi, hue, amenities=("wifi", "usb"))).total == 0


async def test_pages_of_a_list(shop: Shop) -> None:
    page = await ask(shop, place(shop, "giap-bat"), place(shop, "hue"), limit=2, offset=1)
    assert (leaves(page), page.total, page.limit, page.offset) == (["13:05", "20:50"], 3, 2, 1)
    assert leaves(await ask(shop, place(shop, "giap-bat"), place(shop, "hue"), offset=7)) == []


async def test_a_day_without_trips_says_when_there_are_some(shop: Shop) -> None:
    hanoi, hue = place(shop, "giap-bat"), place(shop, "hue")
    span = OnSale(TODAY, TODAY + timedelta(days=9))
    assert (await ask(shop, hanoi, hue, TODAY + timedelta(days=40))).on_sale == span
    assert (await ask(shop, hanoi, hue, TODAY - timedelta(days=400))).on_sale == span
    assert (await ask(shop, hanoi, hue)).on_sale is None
    assert (await ask(shop, hue, hanoi)).on_sale is None


@pytest.mark.parametrize(
    ("options", "field", "code"),
    [
        ({"sort": "beauty"}, "sort", "unknown"),
        ({"passengers": 0}, "passengers", "out-of-range"),
        ({"passengers": 61}, "passengers", "out-of-range"),
        ({"limit": 0}, "limit", "out-of-range"),
        ({"limit": 201}, "limit", "out-of-range"),
        ({"offset": -1}, "offset", "out-of-range"),
        ({"max_price": Decimal("NaN")}, "maxPrice", "out-of-range"),
        ({"max_price": Decimal(-1)}, "maxPrice", "out-of-range"),
        ({"day": date.max}, "date", "out-of-range"),
        ({"day": date.min}, "date", "out-of-range"),
    ],
)
async def test_what_cannot_be_answered_says_why(shop: Shop, options: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(BadQuery) as refused:
        await ask(shop, place(shop, "giap-bat"), place(shop, "hue"), **options)
    assert [(error.field, error.code) for error in refused.value.errors] == [(field, code)]
    assert refused.value.errors[0].text()


async def test_unknown_places_and_the_way_from_a_place_to_itself_are_refused(shop: Shop) -> None:
    hanoi = place(shop, "giap-bat")
    with pytest.raises(PlaceNotFound):
        await ask(shop, hanoi, uuid4())
    for same in (hanoi, shop.known.ids["hanoi"], shop.known.ids["my-dinh"]):
        with pytest.raises(BadQuery) as refused:
            await ask(shop, hanoi, same)
        assert refused.value.errors[0].code == "same-place"


async def test_the_strip_of_neighbouring_days(shop: Shop) -> None:
    hanoi, hue = place(shop, "giap-bat"), place(shop, "hue")
    offers = (await ask(shop, hanoi, hue)).items
    for offer in offers:
        await hold(shop, offer, seats=45, board=2, alight=4)
    async with shop.database.begin() as work:
        days = await neighbouring_days(work, hanoi, hue, TODAY + timedelta(days=1), before=2, after=2)
    assert [(day.date, day.trips) for day in days] == [
        (TODAY - timedelta(days=1), 0),
        (TODAY, 2),
        (TOMORROW, 0),
        (TODAY + timedelta(days=2), 3),
        (TODAY + timedelta(days=3), 3),
    ]
    assert [day.price for day in days] == [None, offers[0].price, None, offers[0].price, offers[0].price]


async def test_each_neighbouring_day_agrees_with_its_own_search(open_shop: OpenShop) -> None:
    """Over the night on which the clocks go back, from stops in two zones."""
    feed = SmallFeed()
    feed.stop("a", "Alpha", 52.0, 13.0)
    feed.stop("b", "Bravo", 51.0, 3.0, zone="Europe/London")
    days = days_from(date(2026, 10, 22), 7)
    for hour in range(0, 26, 2):
        feed.trip(
            f"there-{hour}", [("a", hour * 3600, hour * 3600), ("b", hour * 3600 + 9000, hour * 3600 + 9000)], days
        )
        feed.trip(
            f"back-{hour}", [("b", hour * 3600, hour * 3600), ("a", hour * 3600 + 9000, hour * 3600 + 9000)], days
        )
    shop = await open_shop(feed, today=date(2026, 10, 22), days=7)
    shop.clock.now = datetime(2026, 10, 21, tzinfo=UTC)
    for origin, destination in (("a", "b"), ("b", "a")):
        ends = place(shop, origin), place(shop, destination)
        async with shop.database.begin() as work:
            strip = await neighbouring_days(work, *ends, date(2026, 10, 25))
        for day in strip:
            page = await ask(shop, *ends, day.date)
            assert day.trips == page.total > 0
            assert day.price == page.items[0].price


async def test_how_many_days_may_be_asked_for(shop: Shop) -> None:
    for before, after in ((-1, 0), (20, 20)):
        async with shop.database.begin() as work:
            with pytest.raises(BadQuery):
                await neighbouring_days(
                    work, place(shop, "vinh"), place(shop, "hue"), TODAY, before=before, after=after
                )


async def detail(shop: Shop, trip: UUID, *ends: UUID) -> TripDetail:
    async with shop.database.begin() as work:
        return await get_trip(work, trip, *ends)


async def test_a_trip_in_detail(shop: Shop) -> None:
    hanoi, vinh = place(shop, "giap-bat"), place(shop, "vinh")
    offer = (await ask(shop, hanoi, vinh)).items[0]
    trip = await detail(shop, offer.departure_id, hanoi, vinh)
    assert trip.offer == offer
    assert [call.stop_name for call in trip.calls] == [
        "Bến xe Mỹ Đình", "Bến xe Giáp Bát", "Phủ Lý", "Vinh", "Đông Hà", "Huế",
    ]  # fmt: skip
    assert [call.boarding for call in trip.calls] == [True, True, True, True, False, True]
    assert [call.alighting for call in trip.calls] == [True, True, False, True, True, True]
    assert trip.terms.sales_close_at == offer.board.time - timedelta(minutes=5)
    assert trip.is_on_sale
    assert [(fare.passenger_type, fare.seat_type) for fare in trip.fares] == [
        ("adult", "standard"), ("child", "standard"), ("senior", "standard"),
    ]  # fmt: skip
    assert trip.fares[0].price == offer.price
    shop.clock.now = NOW + timedelta(days=3)
    assert not (await detail(shop, offer.departure_id, hanoi, vinh)).is_on_sale


async def test_a_trip_by_default_is_the_whole_run(shop: Shop) -> None:
    offer = (await ask(shop, place(shop, "giap-bat"), place(shop, "vinh"))).items[0]
    trip = await detail(shop, offer.departure_id)
    assert (trip.board.index, trip.alight.index) == (0, 5)


async def test_a_trip_that_is_not_there_or_not_that_way(shop: Shop) -> None:
    offer = (await ask(shop, place(shop, "giap-bat"), place(shop, "vinh"))).items[0]
    with pytest.raises(DepartureNotFound):
        await detail(shop, uuid4())
    with pytest.raises(NotBoardable):
        await detail(shop, offer.departure_id, place(shop, "hue"), place(shop, "vinh"))


async def test_names_are_in_the_readers_language(shop: Shop) -> None:
    with language("vi"):
        page = await ask(shop, place(shop, "giap-bat"), place(shop, "nanning"))
    assert page.items[0].alight.name == "Nam Ninh"


async def test_twenty_trips_take_as_many_statements_as_one(open_shop: OpenShop) -> None:
    feed = SmallFeed()
    feed.stop("a", "Alpha", 52.0, 13.0)
    feed.stop("b", "Bravo", 51.0, 3.0)
    feed.stop("c", "Charlie", 50.0, 8.0)
    for number in range(20):
        calls = [("a", number * 3600, number * 3600), ("b", number * 3600 + 9000, number * 3600 + 9000)]
        feed.trip(
            f"t{number}",
            [*calls, ("c", number * 3600 + 18000, number * 3600 + 18000)][: 3 if not number else 2],
            days_from(TODAY, 5),
        )
    shop = await open_shop(feed)
    a, b, c = (place(shop, stop) for stop in "abc")
    asked: dict[int, int] = {}
    strips: list[int] = []
    for destination in (c, b, c, b):  # the first round reads fares and seat plans, which are kept
        with counted_statements() as statements:
            page = await ask(shop, a, destination)
        asked[page.total] = len(statements)
        with counted_statements() as statements:
            async with shop.database.begin() as work:
                await neighbouring_days(work, a, destination, TOMORROW)
        strips.append(len(statements))
    assert asked.keys() == {1, 20}
    assert asked[1] == asked[20] <= 7
    assert strips[2] == strips[3] <= 7


async def test_the_price_is_that_of_the_type_of_seat_asked_for(shop: Shop) -> None:
    plan = SeatPlan(
        uuid4(), "Mixed", (Deck("Deck", 1, 2),), (Seat("1", "standard", 0, 1, 1), Seat("2", "sleeper", 0, 1, 2))
    )
    async with shop.database.begin() as work:
        await work.execute(
            "INSERT INTO seat_plan (id, name, document) VALUES (%s, %s, %s)",
            [plan.id, plan.name, Jsonb(plan.document())],
        )
        await work.execute("UPDATE departure SET seat_plan_id = %s", [plan.id])
    hanoi, hue = place(shop, "giap-bat"), place(shop, "hue")
    any_seat, standard, sleeper = [
        (await ask(shop, hanoi, hue, seat_type=seat_type)).items[0].price for seat_type in (None, "standard", "sleeper")
    ]
    assert any_seat is not None
    assert sleeper is not None
    assert any_seat == standard
    assert any_seat < sleeper
