"""Whatever happens in whatever order, in any currency, no more goes back than came, and the books are right."""

from contextlib import suppress

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.bookings.shows import scalar
from tests.payments.till import about_refund, declined, disputed, paid

from farebox.accounts import SYSTEM
from farebox.bookings import BookingStatus, CancelReason, NotCancellable, expire_booking
from farebox.core.errors import DomainError
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import cancel_booking, refund_again, refund_payment, verify_ledger
from farebox.payments.winding_up import wind_up

MORE_THAN_CAME = """
SELECT count(*) FROM payment_charge charge WHERE payment_id = %s AND amount_minor < greatest(refunded_minor, (
    SELECT coalesce(sum(amount_minor), 0) FROM refund
    WHERE charge_id = charge.id AND status IN ('pending', 'completed')))"""

AMOUNTS = st.sampled_from([1, 350, 1000, 1349, 1350, 1351, 2700])
STEPS = st.one_of(
    st.tuples(st.just("pay"), AMOUNTS),
    st.tuples(st.just("pay back"), AMOUNTS),
    st.tuples(st.just("dispute"), st.sampled_from(["opened", "won", "lost"])),
    st.sampled_from(
        [
            ("pay in dollars", 0),
            ("decline", 0),
            ("cancel", 0),
            ("one leaves", 0),
            ("run out", 0),
            ("make refunds", 0),
            ("refuse refunds", 0),
            ("a refund comes back", 0),
            ("refund again", 0),
            ("somebody refunds with the bank", 0),
        ]
    ),
)


class Story:
    """The money of one booking of two people, as it comes and goes."""

    def __init__(self, till, booking, payment):
        self.till, self.booking, self.payment = till, booking, payment
        self.currency = payment.amount.currency

    async def do(self, step, value):
        till, payment = self.till, self.payment
        if step == "pay":
            await till.deliver(paid(payment, charge=f"ch_{new_id()}", amount=value))
        elif step == "pay in dollars":
            await till.deliver(paid(payment, charge=f"ch_{new_id()}", currency="USD"))
        elif step == "decline":
            await till.deliver(declined(payment))
        elif step == "dispute":
            await till.deliver(
                disputed(payment, value, charge=await self.last("payment_charge", "external_id"), amount=0)
            )
        elif step == "a refund comes back":
            await till.deliver(about_refund(payment, await self.last("refund", "id") or None))
        elif step == "somebody refunds with the bank":
            charge = await self.last("payment_charge", "external_id")
            await till.deliver(
                about_refund(payment, None, "succeeded", charge=charge, amount=100, currency=self.currency)
            )
        elif step in {"make refunds", "refuse refunds"}:
            till.bank.refuses = step == "refuse refunds"
            await till.make_refunds()
        else:
            with suppress(DomainError):
                await self.by_hand(step, value)

    async def by_hand(self, step, value):
        async with self.till.database.begin() as work:
            if step == "pay back":
                await refund_payment(work, self.payment.id, Money(value, self.currency), note="Late", actor=SYSTEM)
            elif step == "refund again":
                await refund_again(work, await self.last("refund", "id") or new_id(), to="origin", actor=SYSTEM)
            elif step == "run out":
                await expire_booking(work, self.booking.id)
            elif step == "one leaves":
                await cancel_booking(work, self.booking.id, actor=SYSTEM, passengers=[self.booking.passengers[0].id])
            else:
                with suppress(NotCancellable):
                    await cancel_booking(work, self.booking.id, actor=SYSTEM, reason=CancelReason.OPERATOR)
        async with self.till.database.begin() as work:
            await wind_up(work, self.booking.id)  # the job that reacts to the end of a booking

    async def last(self, table, column):
        query = f"SELECT {column} FROM {table} WHERE payment_id = %s ORDER BY id DESC LIMIT 1"
        return await scalar(self.till.database, query, self.payment.id) or ""


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(currency=st.sampled_from(["EUR", "VND", "KWD"]), steps=st.lists(STEPS, min_size=3, max_size=10))
@example(currency="EUR", steps=[("pay", 1350), ("pay back", 1349), ("one leaves", 0)])
async def test_no_more_goes_back_than_came_and_the_books_are_right(till, currency, steps):
    till.bank.refuses = False
    booking, _, _, payment = await till.paying((0, 1), price=625, currency=currency, begins_in=3 * 86_400)
    story = Story(till, booking, payment)
    for step, value in steps:
        await story.do(step, value)
        assert await scalar(till.database, MORE_THAN_CAME, payment.id) == 0, step
        assert [str(verdict) for verdict in verify_ledger(till.database.dsn) if verdict.broken] == [], step
    asked = [order for order in till.bank.refunds if order.payment_external_id == f"sandbox_{payment.id}"]
    came = await scalar(
        till.database, "SELECT coalesce(sum(amount_minor), 0) FROM payment_charge WHERE payment_id = %s", payment.id
    )
    went = await scalar(
        till.database,
        "SELECT coalesce(sum(amount_minor), 0) FROM refund WHERE payment_id = %s AND status = 'completed'",
        payment.id,
    )
    assert went <= came
    assert len({order.refund_id for order in asked}) == len(asked)
    now = await till.booking(booking)
    is_sold = now.status in {BookingStatus.CONFIRMED, BookingStatus.COMPLETED}
    tickets = "SELECT count(*) FROM ticket WHERE booking_id = %s AND status = 'issued'"
    assert await scalar(till.database, tickets, booking.id) == (len(now.passengers) if is_sold else 0)
