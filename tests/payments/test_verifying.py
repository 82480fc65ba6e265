"""The ledger's rules: true of all that payments do, and each named when it is broken by hand."""

import psycopg
import pytest
from tests.bookings.shows import scalar
from tests.payments.wallets import fill_wallet
from tests.people import make_person

from farebox.accounts import SYSTEM
from farebox.core.money import Money
from farebox.payments import RULES, Verdict, give_back, verdicts, verify_ledger

BREAKS = {
    "every movement balances": "UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE account = 'receivable'",
    "the ledger is append-only": "ALTER TABLE ledger_entry DISABLE TRIGGER append_only",
    "a booking's receivable is its total, less what counts for it, plus what is promised back": """
        UPDATE booking SET total_minor = total_minor + 1""",
    "what was sold was paid for, and nothing is kept beyond the price": """
        UPDATE payment_charge SET disposition = 'kept' WHERE disposition = 'applied'""",
    "each operator's lines are shared out, no more and no less": "UPDATE booking_price_line SET amount_minor = 1",
    "what is owed for open returns is what was paid for them": """
        UPDATE ledger_entry SET account = 'receivable' WHERE account LIKE 'open-returns:%'""",
    "an open return is in its booking's price as long as it is open, and not after that": """
        UPDATE open_return SET status = 'ended', ended_at = now()""",
    "commissions are what was agreed at the sale": """
        UPDATE ledger_entry SET commission_bp = 100 WHERE account LIKE 'commission:%'""",
    "a wallet holds what its entries add up to": "UPDATE wallet SET balance_minor = balance_minor + 1",
    "a wallet holds back what banks want of what was put into it": "UPDATE wallet SET held_minor = 1",
    "what is due to go back is what its refunds say": "UPDATE refund SET status = 'completed'",
    "a provider holds what it took, less what it gave back and what is disputed": """
        UPDATE payment_charge SET amount_minor = amount_minor + 1 WHERE disposition = 'applied'""",
    "what banks have taken back for now is what is disputed": """
        INSERT INTO payment_dispute (id, charge_id, provider, external_id, step, amount_minor, opened_at, updated_at)
        SELECT gen_random_uuid(), id, provider, external_id, 'open', 1, now(), now() FROM payment_charge""",
    "a charge is disputed as its disputes are": "UPDATE payment_charge SET dispute = 'won'",
    "money counts, or it goes back": "UPDATE payment_charge SET disposition = 'late' WHERE disposition = 'applied'",
}


@pytest.fixture
async def mixed(till, secrets):
    """Bookings that are paid, paid twice, half given back, with an open return; and a wallet with money in it."""
    *_, once = await till.paying(units=(0, 1))
    async with till.database.begin() as work:
        await work.execute("UPDATE operator SET commission_bp = 1250")
    await till.play(once, "succeeded")
    *_, twice = await till.paying()
    await till.play(twice, "twice")
    booking, *_, returned = await till.paying()
    await till.play(returned, "succeeded")
    async with till.database.begin() as work:
        await give_back(work, booking.id, Money(350, "EUR"), reason="goodwill", actor=SYSTEM)
    actor, show = await till.box.guest(), await till.box.show(return_price=700)
    back = await till.box.book(actor, await till.box.hold(actor, show), open_return=True)
    await till.play(await till.start(back, actor), "succeeded")
    person = await make_person(till.database, secrets)
    await fill_wallet(till.database, person, Money(5000, "EUR"))


def broken(found: list[Verdict]) -> list[str]:
    return [verdict.rule for verdict in found if verdict.broken]


async def test_all_rules_hold_of_what_payments_do_before_refunds_are_made_and_after(mixed, till):
    for verdict in verify_ledger(till.database.direct_dsn):
        assert not verdict.broken, verdict
    assert await till.make_refunds() == 2
    assert broken(verify_ledger(till.database.direct_dsn)) == []


async def test_each_rule_is_named_when_it_is_broken(mixed, till, server_dsn):
    assert BREAKS.keys() == RULES.keys()
    with psycopg.connect(server_dsn, dbname=till.database.url.database) as connection:  # as a superuser
        for rule, harm in BREAKS.items():
            if not harm.startswith("ALTER"):
                connection.execute("SET LOCAL session_replication_role = replica")  # no trigger forbids it
            connection.execute(harm)
            found = verdicts(connection)
            assert rule in broken(found), found
            [verdict] = [each for each in found if each.rule == rule]
            assert len(verdict.examples) == min(verdict.broken, 3)
            assert str(verdict).startswith(f"{rule}: broken {verdict.broken}×: ")
            connection.rollback()


async def test_a_wallet_without_entries_and_entries_without_a_wallet_are_both_found(mixed, till, server_dsn):
    rule = "a wallet holds what its entries add up to"
    for harm in (
        "DELETE FROM ledger_entry WHERE kind = 'top-up'",
        "DELETE FROM wallet",
    ):
        with psycopg.connect(server_dsn, dbname=till.database.url.database) as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(harm)
            assert rule in broken(verdicts(connection))
            connection.rollback()


async def test_it_looks_at_one_instant_and_changes_nothing(mixed, till):
    before = await scalar(till.database, "SELECT count(*) FROM ledger_entry")
    verify_ledger(till.database.direct_dsn)
    assert await scalar(till.database, "SELECT count(*) FROM ledger_entry") == before
