"""What becomes of a booking: changed, cancelled, run out, confirmed, completed; and every move that is refused."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.bookings.shows import person, run_out, scalar
from tests.guards import unguarded

from farebox.accounts import SYSTEM
from farebox.bookings import (
    TRANSITIONS,
    BookingExpired,
    BookingNotFound,
    BookingStatus,
    CancelReason,
    Contact,
    IllegalTransition,
    NotCancellable,
    NotModifiable,
    PriceChanged,
    SeatsGone,
    cancel_booking,
    commands,
    complete_bookings,
    confirm_booking,
    expire_booking,
    expire_bookings,
    get_booking,
    list_audit,
    mark_refunded,
    payment_failed,
    start_processing,
    update_passengers,
)
from farebox.bookings.jobs import work_off
from farebox.bookings.states import move
from farebox.core.errors import Invalid
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.inventory import UnitsTaken, availability, claims_on, get_hold, reclaim, release, sweep

PENDING, PROCESSING = BookingStatus.PENDING, BookingStatus.PAYMENT_PROCESSING
CONFIRMED, COMPLETED = BookingStatus.CONFIRMED, BookingStatus.COMPLETED
CANCELLED, REFUNDED = BookingStatus.CANCELLED, BookingStatus.REFUNDED


async def free_seats(database, show):
    async with database.begin() as work:
        return (await availability(work, [(show.inventory_id, 0, 1)]))[0]


async def audit_of(database, booking):
    async with database.begin() as work:
        return [
            (entry.actor.split(":")[0], entry.from_status, entry.to_status, entry.reason)
            for entry in await list_audit(work, booking.id, actor=SYSTEM)
        ]


async def put_into(database, booking, status, reason=None):
    """Set a state past all guards."""
    async with database.begin() as work:
        open_until = "now() + interval '1 hour'" if status in {PENDING, PROCESSING} else "NULL"
        async with unguarded(work, "booking"):
            await work.execute(
                f"UPDATE booking SET status = %s, reason = %s, expires_at = {open_until} WHERE id = %s",
                (status, reason, booking.id),
            )


# --- every arrow


@pytest.mark.parametrize("source", list(BookingStatus))
async def test_a_booking_moves_along_the_arrows_of_the_table_only(box, database, source):
    booking, _, _ = await box.booked()
    reason = CancelReason.EXPIRED if source in {CANCELLED, REFUNDED} else None
    for target in BookingStatus:
        await put_into(database, booking, source, reason)
        columns = {
            "expires_at": datetime.now(UTC) if target in {PENDING, PROCESSING} else None,
            "reason": "customer" if target in {CANCELLED, REFUNDED} else None,
        }
        async with database.begin() as work:
            if target in TRANSITIONS[source]:
                await move(work, booking.id, target, source=source, actor=SYSTEM, reason="test", columns=columns)
                reached = target
            else:
                with pytest.raises(IllegalTransition) as refusal:
                    await move(work, booking.id, target, source=source, actor=SYSTEM, reason="test", columns=columns)
                assert refusal.value.fields == {"booking_status": source}
                reached = source
        assert await scalar(database, "SELECT status FROM booking") == reached


@pytest.mark.parametrize("status", list(BookingStatus))
async def test_the_database_refuses_a_move_from_where_the_booking_is_not(box, database, status):
    booking, _, _ = await box.booked()
    await put_into(database, booking, status, "customer" if status in {CANCELLED, REFUNDED} else None)
    for believed in BookingStatus:
        if believed is status:
            continue
        for target in TRANSITIONS[believed]:
            with pytest.raises(IllegalTransition):
                async with database.begin() as work:
                    await move(work, booking.id, target, source=believed, actor=SYSTEM, reason="test")
    assert await scalar(database, "SELECT status FROM booking") == status
    assert await scalar(database, "SELECT count(*) FROM booking_audit") == 1


@pytest.mark.parametrize("reason", [reason for reason in CancelReason if reason is not CancelReason.EXPIRED])
async def test_what_somebody_cancelled_is_never_confirmed(box, database, reason):
    booking, _, _ = await box.booked()
    await put_into(database, booking, CANCELLED, reason)
    async with database.begin() as work:
        for confirming in (
            confirm_booking(work, booking.id, actor=SYSTEM),
            move(work, booking.id, CONFIRMED, source=CANCELLED, actor=SYSTEM, reason="x", columns={"reason": None}),
        ):
            with pytest.raises(IllegalTransition):
                await confirming


async def test_moving_a_booking_that_is_not_there_finds_nothing(database):
    async with database.begin() as work:
        with pytest.raises(BookingNotFound):
            await move(work, new_id(), CONFIRMED, source=PENDING, actor=SYSTEM, reason="x")
        for command in (confirm_booking, expire_booking, mark_refunded):
            with pytest.raises(BookingNotFound):
                await command(work, new_id(), actor=SYSTEM)


COMMANDS = ("start", "fail", "confirm", "cancel", "expire", "run out", "sweep", "complete", "refund")


OPEN = {PENDING, PROCESSING}


def expected(status, reason, command):
    """The model: what a command makes of a state."""
    may_confirm = status in OPEN or (status, reason) == (CANCELLED, "expired")
    arrows = {
        "start": (status in OPEN, PROCESSING, None),
        "fail": (status is PROCESSING, PENDING, None),
        "confirm": (may_confirm, CONFIRMED, None),
        "cancel": (status in OPEN, CANCELLED, "customer"),
        "expire": (status in OPEN, CANCELLED, "expired"),
        "run out": (status in OPEN, CANCELLED, "expired"),
        "complete": (status is CONFIRMED, COMPLETED, None),
        "refund": (status is CANCELLED, REFUNDED, reason),
    }
    possible, *after = arrows.get(command, (False, status, reason))
    return tuple(after) if possible else (status, reason)


async def run(work, box, booking, actor, command):
    commands = {
        "start": lambda: start_processing(work, booking.id, actor=actor, settings=box.settings),
        "fail": lambda: payment_failed(work, booking.id, actor=SYSTEM, failure="declined"),
        "confirm": lambda: confirm_booking(work, booking.id, actor=SYSTEM),
        "cancel": lambda: cancel_booking(work, booking.id, actor=actor),
        "expire": lambda: expire_booking(work, booking.id),
        "run out": lambda: get_booking(work, booking.id, actor=actor),
        "sweep": lambda: expire_bookings(work),
        "complete": lambda: complete_bookings(work),
        "refund": lambda: mark_refunded(work, booking.id, actor=SYSTEM),
    }
    if command == "complete":
        await work.execute("UPDATE booking SET completes_at = now() WHERE id = %s", (booking.id,))
    if command == "sweep":
        await sweep(work)
    await commands[command]()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(st.sampled_from(COMMANDS), max_size=9))
async def test_whatever_is_done_in_whatever_order_a_booking_obeys_the_table_and_keeps_its_seats_in_step(box, commands):
    booking, actor, show = await box.booked([0, 1])
    state = (PENDING, None)
    for command in commands:
        wanted = expected(*state, command)
        try:
            if command == "run out" and state[0] in OPEN:
                await run_out(box.database, booking)
            async with box.database.begin() as work:
                await run(work, box, booking, actor, command)
        except (IllegalTransition, NotCancellable, BookingExpired):
            assert wanted == state
        async with box.database.begin() as work:
            now = await get_booking(work, booking.id, actor=actor)
        assert (now.status, now.reason) == wanted, command
        state = wanted
        assert now.is_open == (now.expires_at is not None)
        taken = 0 if state[0] in {CANCELLED, REFUNDED} else 2
        assert await free_seats(box.database, show) == 4 - taken
    steps = await audit_of(box.database, booking)
    assert steps[0][1:3] == (None, PENDING)
    for (_, _, before, _), (_, source, target, _) in pairwise(steps):
        assert source == before
        assert target in TRANSITIONS[source]


# --- running out


async def test_a_booking_that_ran_out_reads_as_cancelled_and_its_seats_are_free(box, database):
    booking, actor, show = await box.booked()
    assert await free_seats(database, show) == 3
    await run_out(database, booking)
    async with database.begin() as work:
        read = await get_booking(work, booking.id, actor=actor)
    assert (read.status, read.reason, read.expires_at) == (CANCELLED, CancelReason.EXPIRED, None)
    assert await free_seats(database, show) == 4
    assert (await audit_of(database, booking))[1:] == [("system", PENDING, CANCELLED, "expired")]
    async with database.begin() as work:
        assert (await get_hold(work, booking.items[0].hold_id)).state == "released"


async def test_the_sweep_expires_what_is_due_and_nothing_else(box, database):
    due = [(await box.booked())[0] for _ in range(3)]
    alive, _, _ = await box.booked()
    for booking in due:
        await run_out(database, booking)
    async with database.begin() as work:
        assert await expire_bookings(work, limit=2) == 2
    async with database.begin() as work:
        assert await expire_bookings(work, limit=2) == 1
    async with database.begin() as work:
        assert await expire_bookings(work) == 0
        assert (await get_booking(work, alive.id, actor=SYSTEM)).status is PENDING


async def test_one_that_is_being_settled_is_not_expired_under_its_hands(box, database):
    booking, actor, _ = await box.booked()
    await run_out(database, booking)
    async with database.begin() as settling:
        await get_booking(settling, booking.id, actor=SYSTEM, lock=True, as_it_stands=True)
        async with database.begin() as other:
            assert await expire_bookings(other) == 0
            assert (await get_booking(other, booking.id, actor=actor)).status is PENDING
        confirmed = await confirm_booking(settling, booking.id, actor=SYSTEM)
    assert confirmed.status is CONFIRMED
    assert (await audit_of(database, booking))[1:] == [("system", PENDING, CONFIRMED, "paid")]


# --- confirming


async def test_confirming_sells_the_seats_for_good(box, database):
    booking, _, show = await box.booked([0, 1])
    async with database.begin() as work:
        confirmed = await confirm_booking(work, booking.id, actor=SYSTEM)
    assert (confirmed.status, confirmed.expires_at) == (CONFIRMED, None)
    assert confirmed.confirmed_at is not None
    async with database.begin() as work:
        claims = await claims_on(work, show.inventory_id, 0, 1)
        assert [(claim.unit, claim.expires_at) for claim in claims] == [(0, None), (1, None)]
        again = await confirm_booking(work, booking.id, actor=SYSTEM)
    assert again == confirmed
    assert len(await audit_of(database, booking)) == 2


async def test_a_booking_that_ran_out_takes_its_seats_again_if_they_are_free(box, database):
    booking, _, show = await box.booked()
    async with database.begin() as work:
        await expire_booking(work, booking.id)
    async with database.begin() as work:
        confirmed = await confirm_booking(work, booking.id, actor=SYSTEM)
    assert (confirmed.status, confirmed.reason, confirmed.cancelled_at) == (CONFIRMED, None, None)
    assert await free_seats(database, show) == 3


async def test_of_two_shows_paid_too_late_neither_is_kept_when_one_is_gone(box, database):
    actor, first, second = await box.guest(), await box.show(), await box.show()
    booking = await box.book(actor, await box.hold(actor, first), await box.hold(actor, second))
    async with database.begin() as work:
        await expire_booking(work, booking.id)
    for taken, free in ((first, second), (second, first)):
        rival = await box.hold(await box.guest(), taken)
        async with database.begin() as work:
            with pytest.raises(SeatsGone):
                await confirm_booking(work, booking.id, actor=SYSTEM)
        assert await free_seats(database, free) == 4
        assert await free_seats(database, taken) == 3
        async with database.begin() as work:
            assert (await get_booking(work, booking.id, actor=SYSTEM)).status is CANCELLED
            assert (await get_hold(work, rival.id)).state == "held"
            await release(work, rival.id)


async def test_who_pays_too_late_has_nothing_locked_that_others_wait_for(box, database, monkeypatch):
    """One of the two seats is still the booking's, the other one anybody's: whoever takes both now is first."""
    booking, _, show = await box.booked([0, 1])
    await run_out(database, booking)
    rival = await box.hold(await box.guest(), show, [0])
    async with database.begin() as work:
        await release(work, rival.id)
    takers = []

    async def reclaim_after_another(work, hold_id):
        takers.append(await box.hold(await box.guest(), show, [0, 1]))
        return await reclaim(work, hold_id)

    monkeypatch.setattr(commands, "reclaim", reclaim_after_another)
    async with database.begin() as work:
        with pytest.raises(SeatsGone):
            await confirm_booking(work, booking.id, actor=SYSTEM)
    async with database.begin() as work:
        assert {claim.hold_id for claim in await claims_on(work, show.inventory_id, 0, 1)} == {takers[0].id}


# --- paying


async def test_a_payment_keeps_the_seats_for_the_payment_window(box, database):
    booking, actor, _ = await box.booked()
    async with database.begin() as work:
        paying = await start_processing(work, booking.id, actor=actor, settings=box.settings)
        hold = await get_hold(work, booking.items[0].hold_id)
    assert paying.status is PROCESSING
    assert paying.expires_at == hold.expires_at
    assert paying.expires_at is not None
    left = (paying.expires_at - datetime.now(UTC)).total_seconds()
    assert 1190 < left <= 1200


async def test_paying_again_and_again_does_not_keep_seats_for_ever(box, database):
    booking, actor, _ = await box.booked()
    async with database.begin() as work:
        await work.execute("UPDATE booking SET created_at = created_at - interval '2000 seconds'")
    async with database.begin() as work:
        paying = await start_processing(work, booking.id, actor=actor, settings=box.settings)
    assert paying.expires_at == booking.expires_at  # 2,100 s from the making are all that there is: 100 s are less
    async with database.begin() as work:
        await work.execute("UPDATE booking SET created_at = created_at - interval '1000 seconds'")
    async with database.begin() as work:
        again = await start_processing(work, booking.id, actor=actor, settings=box.settings)
    assert again.expires_at == booking.expires_at


async def test_a_failed_payment_lets_the_booking_wait_again_as_long_as_before(box, database):
    booking, actor, _ = await box.booked()
    async with database.begin() as work:
        paying = await start_processing(work, booking.id, actor=actor, settings=box.settings)
    async with database.begin() as work:
        await payment_failed(work, booking.id, actor=SYSTEM, failure="declined")
        waiting = await get_booking(work, booking.id, actor=actor)
    assert (waiting.status, waiting.expires_at) == (PENDING, paying.expires_at)
    assert [step[2:] for step in await audit_of(database, booking)] == [
        (PENDING, "created"),
        (PROCESSING, "payment-started"),
        (PENDING, "payment-failed"),
    ]


async def test_nothing_is_paid_for_a_booking_that_ran_out_or_ended(box, database):
    booking, actor, _ = await box.booked()
    await run_out(database, booking)
    with pytest.raises(BookingExpired):
        async with database.begin() as work:
            await start_processing(work, booking.id, actor=actor, settings=box.settings)
    for status, reason in ((CONFIRMED, None), (COMPLETED, None), (CANCELLED, "customer"), (REFUNDED, "customer")):
        await put_into(database, booking, status, reason)
        with pytest.raises(IllegalTransition):
            async with database.begin() as work:
                await start_processing(work, booking.id, actor=actor, settings=box.settings)


async def test_seats_that_were_swept_under_a_booking_are_not_paid_for(box, database):
    booking, actor, _ = await box.booked()
    async with database.begin() as work:
        await work.execute("UPDATE hold SET expires_at = now() - interval '1 second'")
        await sweep(work)
    with pytest.raises(BookingExpired):
        async with database.begin() as work:
            await start_processing(work, booking.id, actor=actor, settings=box.settings)


# --- cancelling


async def test_cancelling_frees_the_seats_at_once(box, database):
    booking, actor, show = await box.booked([0, 1])
    async with database.begin() as work:
        cancelled = await cancel_booking(work, booking.id, actor=actor, note="Changed my mind")
    assert (cancelled.status, cancelled.reason) == (CANCELLED, CancelReason.CUSTOMER)
    assert await free_seats(database, show) == 4
    async with database.begin() as work:
        last = (await list_audit(work, booking.id, actor=actor))[-1]
    assert (last.actor, last.reason, last.facts) == (f"guest:{actor.id}", "customer", {"note": "Changed my mind"})
    with pytest.raises(NotCancellable):
        async with database.begin() as work:
            await cancel_booking(work, booking.id, actor=actor)


async def test_a_paid_booking_is_not_cancelled_as_if_it_were_not(box, database):
    booking, actor, show = await box.booked()
    async with database.begin() as work:
        await confirm_booking(work, booking.id, actor=SYSTEM)
        with pytest.raises(NotCancellable):
            await cancel_booking(work, booking.id, actor=actor)
    assert await free_seats(database, show) == 3


async def test_nobody_cancels_or_changes_or_pays_the_booking_of_somebody_else(box, database):
    booking, _, show = await box.booked()
    other = await box.guest()
    async with database.begin() as work:
        with pytest.raises(BookingNotFound):
            await cancel_booking(work, booking.id, actor=other)
        with pytest.raises(BookingNotFound):
            await start_processing(work, booking.id, actor=other, settings=box.settings)
    with pytest.raises(BookingNotFound):
        await change(box, booking, other, [person("A1")])
    assert await free_seats(database, show) == 3


# --- changing people


async def change(box, booking, actor, people=(), **more):
    async with box.database.begin() as work:
        return await update_passengers(
            work,
            booking.id,
            passengers=people,
            actor=actor,
            verticals=box.verticals,
            settings=box.settings,
            secrets=box.secrets,
            **more,
        )


async def test_people_change_while_the_booking_is_pending_and_the_price_with_them(box, database, secrets):
    booking, actor, _ = await box.booked([0, 1])
    people = [person("A2", passenger_type="child", full_name="Bé Bi"), person("A1", id_number="C7654321")]
    changed = await change(box, booking, actor, people)
    assert [(p.seat_number, p.full_name) for p in changed.passengers] == [("A1", "Nguyễn Văn An"), ("A2", "Bé Bi")]
    assert [p.id for p in changed.passengers] == [p.id for p in booking.passengers]
    assert changed.passengers[0].id_number.open(secrets) == "C7654321"
    assert changed.total == Money(1250 + 625 + 100, "EUR")
    assert [line.amount.minor for line in changed.lines] == [1250, 625, 100]
    async with database.begin() as work:
        assert await get_booking(work, booking.id, actor=actor) == changed
        last = (await list_audit(work, booking.id, actor=actor))[-1]
    assert (last.from_status, last.to_status, last.reason, last.facts) == (
        PENDING,
        PENDING,
        "modified",
        {"changed": ["passengers"]},
    )
    # The lines of the first quote are still there.
    assert await scalar(database, "SELECT count(*) FROM booking_price_line WHERE revision = 1") == 3


async def test_a_contact_changes_alone(box, secrets):
    booking, actor, _ = await box.booked()
    changed = await change(box, booking, actor, contact=Contact("new@example.com", "0987654321"))
    assert changed.contact.email.open(secrets) == "new@example.com"
    assert changed.contact.phone.open(secrets) == "+84987654321"
    assert changed.passengers == booking.passengers
    assert changed.lines == booking.lines


async def test_a_change_that_is_wrong_changes_nothing(box, database):
    booking, actor, _ = await box.booked([0, 1])
    for people, codes in (
        ([person("A1")], ["passenger-missing"]),
        ([person("A1"), person("A1")], ["duplicate-seat", "passenger-missing"]),
        ([person("A1"), person("A2", phone="1")], ["invalid-phone"]),
        ([person("A1"), person("A2", special_needs=True)], ["seat-not-accessible"]),
    ):
        with pytest.raises(Invalid) as refusal:
            await change(box, booking, actor, people)
        assert [error.code for error in refusal.value.errors] == codes
    with pytest.raises(PriceChanged) as refused:
        await change(
            box, booking, actor, [person("A1"), person("A2", passenger_type="child")], expected_total=booking.total
        )
    assert refused.value.fields == {"total": Money(1975, "EUR")}
    async with database.begin() as work:
        assert await get_booking(work, booking.id, actor=actor) == booking


@pytest.mark.parametrize(
    ("status", "reason"),
    [(PROCESSING, None), (CONFIRMED, None), (COMPLETED, None), (CANCELLED, "customer"), (REFUNDED, "customer")],
)
async def test_people_do_not_change_once_money_moves(box, database, status, reason):
    booking, actor, _ = await box.booked()
    await put_into(database, booking, status, reason)
    with pytest.raises(NotModifiable):
        await change(box, booking, actor, [person("A1")])


# --- afterwards


async def test_a_confirmed_booking_is_completed_when_its_last_show_is_over(box, database):
    over, _, _ = await box.booked(begins_in=-7201)
    running, _, _ = await box.booked(begins_in=-7100)
    unpaid, _, _ = await box.booked(begins_in=-7201)
    for booking in (over, running):
        async with database.begin() as work:
            await confirm_booking(work, booking.id, actor=SYSTEM)
    assert await work_off(database, complete_bookings) == 1
    assert await work_off(database, complete_bookings) == 0
    async with database.begin() as work:
        statuses = [(await get_booking(work, booking.id, actor=SYSTEM)).status for booking in (over, running, unpaid)]
    assert statuses == [COMPLETED, CONFIRMED, PENDING]
    assert (await audit_of(database, over))[-1] == ("system", CONFIRMED, COMPLETED, "arrived")


async def test_a_booking_of_two_shows_is_completed_after_the_later_one(box, database):
    actor, first, second = await box.guest(), await box.show(begins_in=-90_000), await box.show(begins_in=90_000)
    booking = await box.book(actor, await box.hold(actor, first), await box.hold(actor, second))
    async with database.begin() as work:
        await confirm_booking(work, booking.id, actor=SYSTEM)
        assert await complete_bookings(work) == 0
    completes_at = await scalar(database, "SELECT completes_at FROM booking")
    assert completes_at == second.begins + timedelta(hours=2)


async def test_a_seat_of_a_running_booking_is_nobody_elses(box):
    _, _, show = await box.booked([0])
    with pytest.raises(UnitsTaken):
        await box.hold(await box.guest(), show, [0, 1])
