"""`farebox ledger`: right books, wrong ones, balances, and what is kept of an operator's sales."""

import asyncio

import psycopg
import pytest
from tests.payments.conftest import bank, box, client, services, till
from tests.payments.wallets import fill_wallet
from tests.people import make_person

from farebox.cli import app
from farebox.core.money import Money
from farebox.payments import RULES

__all__ = ["bank", "box", "client", "services", "till"]


@pytest.fixture
def ledger(database_url, direct_database_url, tmp_path, monkeypatch, capsys):
    """Runs `farebox ledger …` on this test's database: its exit code, and the lines that it prints."""
    monkeypatch.setenv("FAREBOX_DATABASE_URL", database_url)
    monkeypatch.setenv("FAREBOX_DIRECT_DATABASE_URL", direct_database_url)
    monkeypatch.setenv("FAREBOX_HOME", str(tmp_path))
    monkeypatch.setattr("farebox.cli.ledger.configure_logs", lambda settings: None)  # this process has its own

    async def run(*arguments):
        tokens = ["ledger", *arguments]
        code = await asyncio.to_thread(app.meta, tokens, result_action="return_value")
        shown = capsys.readouterr()
        return code, [" ".join(line.split()) for line in (shown.out + shown.err).splitlines() if line.strip()]

    return run


async def sell(till, secrets):
    """Two seats for 26.00, and 50.00 in a wallet."""
    *_, payment = await till.paying(units=(0, 1))
    await till.play(payment, "succeeded")
    await fill_wallet(till.database, await make_person(till.database, secrets), Money(5000, "EUR"))


async def test_right_books_are_called_right_and_wrong_ones_named(till, secrets, ledger, server_dsn):
    await sell(till, secrets)
    code, lines = await ledger("verify")
    assert (code, lines[0], lines[-1]) == (0, "✓ every movement balances", "The books are right.")
    with psycopg.connect(server_dsn, dbname=till.database.url.database) as connection:
        connection.execute("UPDATE wallet SET balance_minor = 4999")
    code, lines = await ledger("verify")
    assert (code, lines[-1]) == (1, f"1 of {len(RULES)} rules are broken.")
    wrong = lines.index("✗ a wallet holds what its entries add up to")
    assert "balance=4999 entries=5000" in " ".join(lines[wrong + 1 : wrong + 3])


async def test_balances_of_all_and_of_one_operator(till, secrets, ledger):
    assert await ledger("balances") == (0, ["Nothing was booked yet."])
    await till.box.show()
    changed = await ledger("operator", "theatre", "--commission", "12.5", "--legal-name", "Small Theatre Ltd")
    assert changed == (
        0,
        ["Small Theatre", "Legal name Small Theatre Ltd", "Tax number none", "Commission 12.5%"],
    )
    await sell(till, secrets)
    _, lines = await ledger("balances")
    assert lines == [
        "Account Currency Debits Credits Balance",
        "clearing:sandbox EUR 76.00 0.00 76.00",
        "commission:theatre EUR 0.00 3.25 -3.25",
        "receivable EUR 26.00 26.00 0.00",
        "sales:theatre EUR 0.00 22.75 -22.75",
        "wallets EUR 0.00 50.00 -50.00",
    ]
    _, theirs = await ledger("balances", "--operator", "theatre", "--currency", "eur")
    assert theirs == [lines[0], lines[2], lines[4]]


@pytest.mark.parametrize("percent", ["-1", "100.01", "12.345", "many", "NaN"])
async def test_what_is_no_percentage_is_refused(till, ledger, percent):
    await till.box.show()
    code, lines = await ledger("operator", "theatre", f"--commission={percent}")
    assert code == 1
    assert f"{percent} is not a percentage from 0 to 100" in " ".join(lines)


async def test_an_operator_that_is_not_there(ledger, till):
    assert await ledger("balances", "--operator", "nobody") == (
        1,
        ["error: There is no operator with the code nobody."],
    )
