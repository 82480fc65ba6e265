"""The ledger: who has which part of a sale, and what a change of its price moves."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bookings.shows import scalar
from tests.payments.till import paid

from farebox.accounts import SYSTEM
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import balances, cancel_booking, ledger, list_accounts, verify_ledger
from farebox.payments.ledger import split

OPERATORS = [new_id() for _ in range(3)]
ITEMS = [new_id() for _ in range(3)]


def booking_of(lines, currency, *, former=()):
    """As much of a booking as shares are made of: (item, minor units) for each line."""
    amounts = [
        SimpleNamespace(item_id=ITEMS[item], amount=Money(minor, currency), open_return_id=None)
        for item, minor in lines
    ]
    return SimpleNamespace(
        items=[
            SimpleNamespace(id=ITEMS[place], operator_id=OPERATORS[place]) for place in range(3) if place not in former
        ],
        former=[SimpleNamespace(item_id=ITEMS[place], operator_id=OPERATORS[place]) for place in former],
        lines=amounts,
        total=Money(sum(minor for _, minor in lines), currency),
    )


LINES = st.lists(st.tuples(st.integers(0, 2), st.integers(-(10**6), 10**12)), max_size=12)
RATES = st.lists(st.integers(0, 10_000), min_size=3, max_size=3)


@given(lines=LINES, rates=RATES, currency=st.sampled_from(["VND", "EUR", "KWD"]), former=st.sets(st.integers(0, 2)))
def test_shares_add_up_to_the_total_at_any_commission_in_any_currency(lines, rates, currency, former):
    booking = booking_of(lines, currency, former=former)
    shares = split(booking, dict(zip(OPERATORS, rates, strict=True)))
    total = Money.zero(currency)
    for place, operator in enumerate(OPERATORS):
        theirs = sum(minor for item, minor in lines if item == place)
        share = shares.get(operator)
        assert (share.sales + share.commission).minor == theirs if share else theirs == 0
        if share:
            total += share.sales + share.commission
            assert abs(share.commission.minor * 10_000 - theirs * rates[place]) <= 5_000  # half a minor unit at most
    assert total == booking.total


@pytest.mark.parametrize(
    ("lines", "rate", "commission"),
    [
        ([1000], 1250, 125),
        ([1], 5000, 1),  # half up
        ([1], 4999, 0),
        ([3, 3, 3], 1500, 1),  # once for the operator, and not for each line
        ([999], 0, 0),
        ([999], 10_000, 999),
    ],
)
def test_the_commission_is_rounded_once_for_each_operator(lines, rate, commission):
    shares = split(booking_of([(0, minor) for minor in lines], "VND"), {OPERATORS[0]: rate})
    assert shares[OPERATORS[0]].commission == Money(commission, "VND")


async def set_commission(till, basis_points):
    await scalar(till.database, "UPDATE operator SET commission_bp = %s RETURNING 1", basis_points)


async def test_a_sale_is_what_the_booking_owes_and_the_charge_pays_it(till):
    booking, *_, payment = await till.paying(units=(0, 1))
    await set_commission(till, 1250)
    await till.deliver(paid(payment))
    assert await till.ledger(booking) == {"clearing": 2600, "sales": -2275, "commission": -325}
    query = "SELECT array_agg(DISTINCT kind ORDER BY kind) FROM ledger_entry"
    assert await scalar(till.database, query) == ["charge", "sale"]
    assert await scalar(till.database, "SELECT sum(amount_minor) FROM ledger_entry WHERE account = 'receivable'") == 0


async def test_what_is_cancelled_is_shared_at_the_rate_of_the_sale_whatever_it_is_now(till):
    booking, *_, payment = await till.paying(units=(0, 1), begins_in=3 * 86_400)
    await set_commission(till, 1250)
    await till.deliver(paid(payment))
    await set_commission(till, 5000)
    async with till.database.begin() as work:
        await cancel_booking(work, booking.id, actor=SYSTEM, passengers=[booking.passengers[0].id])
    assert await till.ledger(booking) == {
        "clearing": 2600,
        "sales": -1181,  # 12.5% of 13.50 are 1.6875
        "commission": -169,
        "refunds-due": -1250,
    }
    assert await till.make_refunds() == 1
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1181, "commission": -169}
    assert [str(each) for each in verify_ledger(till.database.direct_dsn) if each.broken] == []


async def test_a_sale_from_before_there_were_commissions_keeps_none_when_it_changes(till):
    booking, *_, payment = await till.paying(units=(0, 1), begins_in=3 * 86_400)
    await till.deliver(paid(payment))
    await set_commission(till, 5000)
    async with till.database.begin() as work:
        before = await till.booking(booking)
        after = replace(before, lines=before.lines[:1], total=before.lines[0].amount)
        await work.execute("ALTER TABLE ledger_entry DISABLE TRIGGER append_only")
        await work.execute("UPDATE ledger_entry SET commission_bp = NULL")
        await ledger.note_reprice(work, before, after)
        await work.session.flush()
        found = await balances(work, booking_id=booking.id)
        await work.rollback()
    [sales] = [minor for (account, _), minor in found.items() if account.startswith("sales:")]
    assert sales == -1250
    assert not any(account.startswith("commission:") for account, _ in found)


async def test_a_price_that_stays_moves_nothing(till):
    booking, *_, payment = await till.paying()
    await till.deliver(paid(payment))
    same = await till.booking(booking)
    async with till.database.begin() as work:
        await ledger.note_reprice(work, same, same)
    assert await scalar(till.database, "SELECT count(*) FROM ledger_entry WHERE kind = 'reprice'") == 0


async def test_accounts_are_listed_with_their_debits_and_credits(till):
    _, _, show, payment = await till.paying()
    await till.deliver(paid(payment))
    async with till.database.begin() as work:
        everything = await list_accounts(work)
        theirs = await list_accounts(work, operator_id=show.operator_id)
        assert await list_accounts(work, currency="USD") == []
    assert [(each.account.partition(":")[0], each.debits, each.credits, each.balance) for each in everything] == [
        ("clearing", 1350, 0, 1350),
        ("receivable", 1350, 1350, 0),
        ("sales", 0, 1350, -1350),
    ]
    assert theirs == [everything[2]]
