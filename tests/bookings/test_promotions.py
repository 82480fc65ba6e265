"""A booking with a promotion code: its price, who counts as having it, and when it is given back."""

import asyncio

import pytest
from tests.bookings.shows import CONTACT, Box, person, run_out, scalar
from tests.bookings.test_api import Guest, problem_of

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import (
    Booking,
    BookingStatus,
    Contact,
    PriceChanged,
    cancel_booking,
    confirm_booking,
    expire_bookings,
    get_booking,
    reopen_choice,
    update_passengers,
)
from farebox.core.errors import Invalid
from farebox.core.money import Money
from farebox.inventory import Hold, HoldTerms, find_hold
from farebox.pricing import NewPromotion, Promotion, make_promotion

SOMEBODY_ELSE = Contact(email="bo.tran@example.com", phone="+84 912 345 679")


@pytest.fixture
def promote(box):
    async def promote(code: str = "SUMMER", **facts) -> Promotion:
        async with box.database.begin() as work:
            new = NewPromotion(**({"operator_id": None, "code": code, "percent_bp": 1500} | facts))
            return await make_promotion(work, new, actor=SYSTEM)

    return promote


async def book_with(box: Box, code: str, units=(0,), **more) -> tuple[Booking, Actor]:
    actor, show = await box.guest(), await box.show(seats=4)
    return await box.book(actor, await box.hold(actor, show, units), promo_code=code, **more), actor


async def used(box: Box, promotion: Promotion) -> int:
    count: int = await scalar(box.database, "SELECT used FROM promotion WHERE id = %s", promotion.id)
    return count


async def used_by_person(box: Box, promotion: Promotion) -> list[int] | None:
    counts: list[int] | None = await scalar(
        box.database, "SELECT array_agg(used ORDER BY used) FROM promotion_person WHERE promotion_id = %s", promotion.id
    )
    return counts


async def change(box: Box, booking: Booking, actor: Actor, **what) -> Booking:
    async with box.database.begin() as work:
        return await update_passengers(
            work,
            booking.id,
            actor=actor,
            verticals=box.verticals,
            settings=box.settings,
            secrets=box.secrets,
            **what,
        )


async def refused(awaitable) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refusal:
        await awaitable
    return [(error.field, error.code) for error in refusal.value.errors]


async def test_each_seat_has_its_own_part_of_the_discount(box, promote):
    promotion = await promote(percent_bp=1000)
    people = [person("A1"), person("A2"), person("A3", passenger_type="child")]
    booking, _ = await book_with(box, " summer", [0, 1, 2], passengers=people)
    lines = [(line.kind, line.label, line.seat_number, line.amount.minor) for line in booking.lines]
    assert lines == [
        ("fare", "fare-adult", "A1", 1250),
        ("discount", "promotion", "A1", -125),
        ("fare", "fare-adult", "A2", 1250),
        ("discount", "promotion", "A2", -125),
        ("fare", "fare-child", "A3", 625),
        ("discount", "promotion", "A3", -63),
        ("fee", "service-fee", None, 100),
    ]  # 10% of 31.25 are 3.13: half a cent goes to the largest remainder
    assert booking.total == Money(2912, "EUR")
    assert booking.tax == Money(102 + 102 + 51, "EUR"), "of 11.25, 11.25 and 5.62"
    assert booking.lines[1].facts["code"] == "SUMMER"
    assert (await used(box, promotion), await used_by_person(box, promotion)) == (1, [1])


async def test_a_code_can_make_it_free_but_for_the_fee_and_no_more(box, promote):
    await promote(percent_bp=None, amount=Money(100_000, "EUR"))
    booking, _ = await book_with(box, "SUMMER", [0, 1])
    assert (booking.total, booking.tax) == (Money(100, "EUR"), Money(0, "EUR"))


@pytest.mark.parametrize("expected", [1162, 1350])
async def test_what_was_shown_is_compared_with_the_discounted_total(box, promote, expected):
    promotion = await promote()
    shown = {"expected_total": Money(expected, "EUR")}
    if expected == 1162:
        assert (await book_with(box, "SUMMER", **shown))[0].total == Money(1162, "EUR")
    else:
        with pytest.raises(PriceChanged):
            await book_with(box, "SUMMER", **shown)
        assert await used(box, promotion) == 0


async def test_a_code_that_cannot_be_had_is_a_mistake_in_its_field(box, promote):
    await promote("ONCE", total_limit=1)
    await book_with(box, "ONCE")
    await promote("MINE", person_limit=1)
    await book_with(box, "MINE")
    await promote("BIG", minimum=Money(1300, "EUR"))
    for code, refusal in {
        "NONE": "unknown-promo-code",
        "ONCE": "promo-code-used-up",
        "MINE": "promo-code-used-by-you",
        "BIG": "promo-code-below-minimum",
    }.items():
        assert await refused(book_with(box, code)) == [("promoCode", refusal)]
    assert (await book_with(box, "MINE", contact=SOMEBODY_ELSE))[0].status is BookingStatus.PENDING


async def test_of_many_bookings_at_once_one_gets_the_last(box, promote):
    promotion = await promote(total_limit=1)
    show = await box.show(seats=6)
    guests = [await box.guest() for _ in range(6)]
    holds = [await box.hold(guest, show, [unit]) for unit, guest in enumerate(guests)]

    async def buy(guest: Actor, hold: Hold) -> str:
        try:
            return str((await box.book(guest, hold, promo_code="SUMMER")).status)
        except Invalid as refusal:
            return refusal.errors[0].code

    answers = await asyncio.gather(*(buy(*each) for each in zip(guests, holds, strict=True)))
    assert sorted(answers) == ["pending"] + ["promo-code-used-up"] * 5
    assert await used(box, promotion) == 1
    kept = [guest for guest, answer in zip(guests, answers, strict=True) if answer != "pending"]
    async with box.database.begin() as work:
        owners = [found.owner for hold in holds if (found := await find_hold(work, hold.id))]
    assert sum(owner.startswith("booking:") for owner in owners) == 1
    assert {guest.owner for guest in kept} < set(owners), "the others have their seats still, to go on without it"


async def test_it_is_given_back_when_the_booking_ends_unpaid(box, promote, database, settings):
    promotion = await promote(total_limit=1, person_limit=1)
    expired, _ = await book_with(box, "SUMMER")
    await run_out(database, expired)
    async with database.begin() as work:
        assert await expire_bookings(work) == 1
    assert (await used(box, promotion), await used_by_person(box, promotion)) == (0, None)
    cancelled, actor = await book_with(box, "SUMMER")
    async with database.begin() as work:
        await cancel_booking(work, cancelled.id, actor=actor)
    reopened, actor = await book_with(box, "SUMMER")
    async with database.begin() as work:
        await reopen_choice(work, reopened.id, actor=actor, terms=HoldTerms.of(settings))
    assert await used(box, promotion) == 0
    paid, _ = await book_with(box, "SUMMER")
    async with database.begin() as work:
        await confirm_booking(work, paid.id, actor=SYSTEM)
    assert (await used(box, promotion), await used_by_person(box, promotion)) == (1, [1])


async def test_what_is_paid_late_counts_again_where_there_is_room(box, promote, database):
    promotion = await promote(total_limit=1)
    late, _ = await book_with(box, "SUMMER")
    await run_out(database, late)
    async with database.begin() as work:
        await expire_bookings(work)
    async with database.begin() as work:
        booking = await confirm_booking(work, late.id, actor=SYSTEM)
    assert (booking.total, await used(box, promotion)) == (late.total, 1)


async def test_the_promise_is_kept_where_others_took_the_last_one_meanwhile(box, promote, database):
    promotion = await promote(total_limit=1)
    late, _ = await book_with(box, "SUMMER")
    await run_out(database, late)
    async with database.begin() as work:
        await expire_bookings(work)
    await book_with(box, "SUMMER", contact=SOMEBODY_ELSE)
    async with database.begin() as work:
        booking = await confirm_booking(work, late.id, actor=SYSTEM)
    assert (booking.total, await used(box, promotion)) == (late.total, 1)


async def test_other_people_keep_the_code(box, promote):
    promotion = await promote(percent_bp=1000)
    booking, actor = await book_with(box, "SUMMER", [0, 1])
    people = [person("A1"), person("A2", passenger_type="child")]
    changed = await change(box, booking, actor, passengers=people)
    assert [line.amount.minor for line in changed.lines if line.kind == "discount"] == [-125, -63]
    assert (changed.revision, await used(box, promotion)) == (2, 1)


async def test_other_people_must_still_cost_the_minimum(box, promote):
    await promote(percent_bp=1000, minimum=Money(2500, "EUR"))
    booking, actor = await book_with(box, "SUMMER", [0, 1])
    people = [person("A1"), person("A2", passenger_type="child")]
    refusal = await refused(change(box, booking, actor, passengers=people))
    assert refusal == [("promoCode", "promo-code-below-minimum")]
    async with box.database.begin() as work:
        assert await get_booking(work, booking.id, actor=actor) == booking


async def test_a_code_is_added_exchanged_and_taken_off_while_nothing_is_paid(box, promote):
    summer, winter = await promote(percent_bp=1000), await promote("WINTER", percent_bp=2000)
    booking, actor = await book_with(box, "")
    total = booking.total.minor
    booking = await change(box, booking, actor, promo_code="summer")
    assert (booking.total.minor, await used(box, summer)) == (total - 125, 1)
    booking = await change(box, booking, actor, promo_code="SUMMER")
    assert (booking.total.minor, await used(box, summer)) == (total - 125, 1), "the same again changes nothing"
    booking = await change(box, booking, actor, promo_code="winter")
    assert (booking.total.minor, await used(box, summer), await used(box, winter)) == (total - 250, 0, 1)
    booking = await change(box, booking, actor, promo_code="")
    assert (booking.total.minor, await used(box, winter)) == (total, 0)
    assert [line.kind for line in booking.lines] == ["fare", "fee"]
    assert [p.full_name for p in booking.passengers] == ["Nguyễn Văn An"]


async def test_another_contact_has_the_code_instead(box, promote):
    promotion = await promote(person_limit=1)
    booking, actor = await book_with(box, "SUMMER")
    await book_with(box, "SUMMER", contact=SOMEBODY_ELSE)
    refusal = await refused(change(box, booking, actor, contact=SOMEBODY_ELSE))
    assert refusal == [("promoCode", "promo-code-used-by-you")]
    third = Contact(email="third@example.com", phone=CONTACT.phone)
    await change(box, booking, actor, contact=third)
    assert await used_by_person(box, promotion) == [1, 1]
    assert (await book_with(box, "SUMMER"))[0].status is BookingStatus.PENDING


# Through the API


async def test_a_code_is_sent_with_the_booking_and_changed_by_patch(box, promote, client):
    promotion = await promote(percent_bp=1000)
    guest = Guest(client, box, *(await box.guest_with_token()))
    made = await guest.book(await box.show(), promoCode="summer")
    assert [(line["kind"], line["label"], line["amount"]["amount"]) for line in made["priceLines"]] == [
        ("fare", "Seat A1", "12.50"),
        ("discount", "Seat A1, code SUMMER", "-1.25"),
        ("fee", "Service fee", "1.00"),
    ]
    assert (made["total"]["amount"], made["tax"]["amount"]) == ("12.25", "1.02")
    path = f"/bookings/{made['bookingId']}"
    without = (await guest.send("PATCH", path, {"promoCode": ""})).json()
    assert (without["total"]["amount"], await used(box, promotion)) == ("13.50", 0)
    problem = problem_of(await guest.send("PATCH", path, {"promoCode": "WINTER"}), 422)
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [("promoCode", "unknown-promo-code")]
    assert (await guest.send("PATCH", path, {"promoCode": "SUMMER"})).json()["total"]["amount"] == "12.25"
