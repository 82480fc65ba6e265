"""Is the ledger right? Asked of the database itself, with no trust in what the code says.

The rules say what must be true between any two transactions, whatever happened before: of the ledger's own rows, and of
them beside the bookings, charges, refunds and wallets that they are about. `farebox ledger verify` asks them, and so do
the tests, after everything that can go wrong.
"""

from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import IsolationLevel
from psycopg.rows import dict_row

EXAMPLES: Final = 3
"""How many of the rows that break a rule are shown."""

_SHARES: Final = """
WITH priced AS (
    SELECT booking.id AS booking_id, item.operator_id, line.currency, sum(line.amount_minor) AS total
    FROM booking JOIN booking_price_line line
        ON line.booking_id = booking.id AND line.revision = booking.price_revision
    JOIN booking_item item ON item.id = line.item_id
    WHERE booking.confirmed_at IS NOT NULL AND NOT line.facts ? 'open_return'
    GROUP BY 1, 2, 3
), shared AS (
    SELECT booking_id, split_part(account, ':', 2)::uuid AS operator_id, currency,
        -sum(amount_minor) AS total,
        -coalesce(sum(amount_minor) FILTER (WHERE account LIKE 'commission:%'), 0) AS commission,
        min(coalesce(commission_bp, 0)) AS rate, max(coalesce(commission_bp, 0)) AS highest_rate
    FROM ledger_entry WHERE account LIKE 'sales:%' OR account LIKE 'commission:%'
    GROUP BY 1, 2, 3
)"""
"""What each operator's part of a booking comes to: by the price lines that count now, and by the ledger."""

RULES: Final[dict[str, str]] = {
    "every movement balances": """
        SELECT transaction_id, currency, sum(amount_minor) AS difference FROM ledger_entry GROUP BY 1, 2
        HAVING sum(amount_minor) <> 0""",
    "the ledger is append-only": """
        SELECT wanted AS missing_trigger FROM unnest(ARRAY['append_only', 'balanced']) AS wanted
        WHERE NOT EXISTS (
            SELECT FROM pg_trigger
            WHERE tgrelid = 'ledger_entry'::regclass AND tgname = wanted AND tgenabled IN ('O', 'A'))""",
    "a booking's receivable is its total, less what counts for it, plus what is promised back": """
        WITH counted AS (
            SELECT payment.booking_id, sum(charge.amount_minor - coalesce(promised.minor, 0)) AS minor
            FROM payment_charge charge JOIN payment ON payment.id = charge.payment_id
            LEFT JOIN (
                SELECT charge_id, sum(amount_minor) AS minor FROM refund WHERE status <> 'replaced' GROUP BY 1
            ) promised
                ON promised.charge_id = charge.id
            WHERE charge.disposition IN ('applied', 'kept')
            GROUP BY 1
        ), receivable AS (
            SELECT booking_id, sum(amount_minor) AS minor FROM ledger_entry WHERE account = 'receivable' GROUP BY 1
        ), owed AS (
            SELECT booking.id AS booking_id,
                CASE WHEN confirmed_at IS NULL THEN 0 ELSE total_minor END - coalesce(counted.minor, 0) AS minor
            FROM booking LEFT JOIN counted ON counted.booking_id = booking.id
        )
        SELECT booking_id, owed.minor AS owed, coalesce(receivable.minor, 0) AS receivable
        FROM owed FULL JOIN receivable USING (booking_id)
        WHERE coalesce(owed.minor, 0) <> coalesce(receivable.minor, 0)""",
    "what was sold was paid for, and nothing is kept beyond the price": """
        WITH counted AS (
            SELECT payment.booking_id, bool_or(charge.dispute IN ('open', 'lost')) AS is_disputed,
                sum(charge.amount_minor) AS paid, sum(charge.amount_minor - charge.refunded_minor) AS kept
            FROM payment_charge charge JOIN payment ON payment.id = charge.payment_id
            WHERE charge.disposition = 'applied' GROUP BY 1
        )
        SELECT booking.id AS booking_id, total_minor AS total, coalesce(paid, 0) AS paid, coalesce(kept, 0) AS kept
        FROM booking LEFT JOIN counted ON counted.booking_id = booking.id
        WHERE confirmed_at IS NOT NULL AND is_disputed IS NOT TRUE
            AND NOT total_minor BETWEEN coalesce(kept, 0) AND coalesce(paid, 0)""",
    "each operator's lines are shared out, no more and no less": f"""{_SHARES}
        SELECT booking_id, operator_id, currency, priced.total AS lines, shared.total AS shares
        FROM priced FULL JOIN shared USING (booking_id, operator_id, currency)
        WHERE coalesce(priced.total, 0) <> coalesce(shared.total, 0)""",  # noqa: S608  (both halves are ours)
    "what is owed for open returns is what was paid for them": """
        WITH priced AS (
            SELECT booking.id AS booking_id, item.operator_id, sum(line.amount_minor) AS total
            FROM booking JOIN booking_price_line line
                ON line.booking_id = booking.id AND line.revision = booking.price_revision
            JOIN booking_item item ON item.id = line.item_id
            WHERE booking.confirmed_at IS NOT NULL AND line.facts ? 'open_return'
            GROUP BY 1, 2
        ), owed AS (
            SELECT booking_id, split_part(account, ':', 2)::uuid AS operator_id, -sum(amount_minor) AS total
            FROM ledger_entry WHERE account LIKE 'open-returns:%' GROUP BY 1, 2
        )
        SELECT booking_id, operator_id, priced.total AS lines, owed.total AS owed
        FROM priced FULL JOIN owed USING (booking_id, operator_id)
        WHERE coalesce(priced.total, 0) <> coalesce(owed.total, 0)""",
    "an open return is in its booking's price as long as it is open, and not after that": """
        WITH priced AS (
            SELECT (line.facts ->> 'open_return')::uuid AS id, booking.id AS booking_id,
                sum(line.amount_minor) AS total
            FROM booking JOIN booking_price_line line
                ON line.booking_id = booking.id AND line.revision = booking.price_revision
            WHERE line.facts ? 'open_return'
            GROUP BY 1, 2
        ), owed AS (
            SELECT id, booking_id, amount_minor AS total FROM open_return WHERE status = 'open'
        )
        SELECT id AS open_return_id, booking_id, priced.total AS lines, owed.total AS paid
        FROM priced FULL JOIN owed USING (id, booking_id)
        WHERE priced.total IS DISTINCT FROM owed.total""",
    "commissions are what was agreed at the sale": f"""{_SHARES}
        SELECT booking_id, operator_id, total, commission, rate, highest_rate FROM shared
        WHERE rate <> highest_rate OR commission <> round(total::numeric * rate / 10000)""",  # noqa: S608
    "a wallet holds what its entries add up to": """
        WITH entered AS (
            SELECT split_part(account, ':', 2)::uuid AS id, currency, -sum(amount_minor) AS minor
            FROM ledger_entry WHERE account LIKE 'wallet:%' GROUP BY 1, 2
        )
        SELECT id AS wallet_id, currency, balance_minor AS balance, entered.minor AS entries
        FROM wallet FULL JOIN entered USING (id, currency)
        WHERE coalesce(balance_minor, 0) <> coalesce(entered.minor, 0)""",
    "a wallet holds back what banks want of what was put into it": """
        WITH wanted AS (
            SELECT payment.wallet_id AS id, sum(dispute.held_minor) AS minor
            FROM payment_dispute dispute JOIN payment_charge charge ON charge.id = dispute.charge_id
            JOIN payment ON payment.id = charge.payment_id
            WHERE dispute.step = 'open' AND payment.purpose = 'top-up' GROUP BY 1
        )
        SELECT id AS wallet_id, held_minor AS held, wanted.minor AS wanted FROM wallet FULL JOIN wanted USING (id)
        WHERE coalesce(held_minor, 0) <> coalesce(wanted.minor, 0)""",
    "what is due to go back is what its refunds say": """
        WITH due AS (
            SELECT payment_id, currency, -sum(amount_minor) AS minor FROM ledger_entry
            WHERE account = 'refunds-due' GROUP BY 1, 2
        ), unmade AS (
            SELECT payment_id, currency, sum(amount_minor) AS minor FROM refund
            WHERE status IN ('pending', 'failed') GROUP BY 1, 2
        )
        SELECT payment_id, currency, due.minor AS due, unmade.minor AS unmade
        FROM due FULL JOIN unmade USING (payment_id, currency)
        WHERE coalesce(due.minor, 0) <> coalesce(unmade.minor, 0)""",
    "a provider holds what it took, less what it gave back and what is disputed": """
        WITH moved AS (
            SELECT payment_id, currency, amount_minor AS minor, 'origin' AS way FROM payment_charge
            UNION ALL SELECT payment_id, currency, -amount_minor, destination FROM refund
            WHERE status = 'completed' AND destination IN ('origin', 'hand')
        ), expected AS (
            SELECT payment.id AS payment_id, moved.currency, sum(minor) AS minor,
                'clearing:' || CASE way WHEN 'hand' THEN 'cash' ELSE provider END AS account
            FROM moved JOIN payment ON payment.id = moved.payment_id
            WHERE provider <> 'wallet' OR way = 'hand' GROUP BY 1, 2, 4
        ), entered AS (
            SELECT entry.payment_id,
                CASE WHEN account IN ('disputes', 'losses') THEN 'clearing:' || provider ELSE account END AS account,
                entry.currency, sum(entry.amount_minor) AS minor
            FROM ledger_entry entry LEFT JOIN payment ON payment.id = entry.payment_id
            WHERE account LIKE 'clearing:%' OR account IN ('disputes', 'losses')
            GROUP BY 1, 2, 3
        )
        SELECT payment_id, account, currency, expected.minor AS expected, entered.minor AS entered
        FROM expected FULL JOIN entered USING (payment_id, account, currency)
        WHERE coalesce(expected.minor, 0) <> coalesce(entered.minor, 0)""",
    "what banks have taken back for now is what is disputed": """
        WITH disputed AS (
            SELECT payment_id, sum(amount_minor) AS minor FROM ledger_entry WHERE account = 'disputes' GROUP BY 1
        ), open AS (
            SELECT charge.payment_id, sum(dispute.amount_minor) AS minor
            FROM payment_dispute dispute JOIN payment_charge charge ON charge.id = dispute.charge_id
            WHERE dispute.step = 'open' GROUP BY 1
        )
        SELECT payment_id, disputed.minor AS disputed, open.minor AS open
        FROM disputed FULL JOIN open USING (payment_id)
        WHERE coalesce(disputed.minor, 0) <> coalesce(open.minor, 0)""",
    "a charge is disputed as its disputes are": """
        WITH summed AS (
            SELECT charge_id, CASE WHEN bool_or(step = 'open') THEN 'open' WHEN bool_or(step = 'lost') THEN 'lost'
                ELSE 'won' END AS dispute
            FROM payment_dispute GROUP BY 1
        )
        SELECT charge.id AS charge_id, charge.dispute, summed.dispute AS disputes
        FROM payment_charge charge LEFT JOIN summed ON summed.charge_id = charge.id
        WHERE charge.dispute IS DISTINCT FROM summed.dispute""",
    "money counts, or it goes back": """
        SELECT charge.id AS charge_id, disposition, charge.amount_minor, charge.refunded_minor,
            coalesce(sum(refund.amount_minor), 0) AS refunds
        FROM payment_charge charge LEFT JOIN refund ON refund.charge_id = charge.id AND refund.status <> 'replaced'
        GROUP BY charge.id
        HAVING charge.refunded_minor <> coalesce(sum(refund.amount_minor), 0)
            OR (disposition NOT IN ('applied', 'kept') AND charge.refunded_minor <> charge.amount_minor)""",
}
"""What is so -> a query for what is not."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of one rule: how many rows break it, and some of them."""

    rule: str
    broken: int
    examples: tuple[dict[str, Any], ...]

    def __str__(self) -> str:
        shown = "; ".join(", ".join(f"{name} {value}" for name, value in row.items()) for row in self.examples)
        return f"{self.rule}: broken {self.broken}×: {shown}" if self.broken else self.rule


def verify_ledger(dsn: str) -> list[Verdict]:
    """Ask all rules of one instant of a database, in their order."""
    with psycopg.connect(dsn) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        return verdicts(connection)


def verdicts(connection: "psycopg.Connection[Any]") -> list[Verdict]:
    """The same, in a transaction of the caller's."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return [_ask(cursor, rule, query) for rule, query in RULES.items()]


def _ask(cursor: "psycopg.Cursor[dict[str, Any]]", rule: str, query: str) -> Verdict:
    rows = cursor.execute(query).fetchall()
    return Verdict(rule, len(rows), tuple(rows[:EXAMPLES]))
