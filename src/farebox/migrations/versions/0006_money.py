"""Money for good: hand-made fares, rules and promotions, partial cancellation and change, wallets, invoices."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from farebox.migrations.sql import run_sql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "fare_cell",
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("from_place_id", sa.Uuid(), nullable=False),
        sa.Column("to_place_id", sa.Uuid(), nullable=False),
        sa.Column("seat_type", sa.Text(), nullable=False),
        sa.Column("adult_minor", sa.BigInteger(), nullable=False),
        sa.Column("child_minor", sa.BigInteger(), nullable=True),
        sa.Column("senior_minor", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "adult_minor >= 0 AND child_minor >= 0 AND senior_minor >= 0", name=op.f("ck_fare_cell_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name=op.f("fk_fare_cell_operator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("operator_id", "from_place_id", "to_place_id", "seat_type", name=op.f("pk_fare_cell")),
    )
    op.create_table(
        "invoice_series",
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_invoice_series_operator_id")),
        sa.PrimaryKeyConstraint("operator_id", "kind", "year", name=op.f("pk_invoice_series")),
    )
    op.create_table(
        "price_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("percent_bp", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("weekdays", sa.SmallInteger(), nullable=True),
        sa.Column("from_load_bp", sa.Integer(), nullable=True),
        sa.Column("days_ahead", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind <> 'early' OR days_ahead > 0", name=op.f("ck_price_rule_early")),
        sa.CheckConstraint("kind <> 'load' OR from_load_bp BETWEEN 1 AND 10000", name=op.f("ck_price_rule_load")),
        sa.CheckConstraint("kind <> 'round-trip' OR percent_bp < 0", name=op.f("ck_price_rule_round_trip")),
        sa.CheckConstraint("kind <> 'season' OR first_day <= last_day", name=op.f("ck_price_rule_season")),
        sa.CheckConstraint("kind <> 'weekday' OR weekdays BETWEEN 1 AND 127", name=op.f("ck_price_rule_weekday")),
        sa.CheckConstraint(
            "kind IN ('season', 'weekday', 'load', 'early', 'round-trip')", name=op.f("ck_price_rule_kind")
        ),
        sa.CheckConstraint(
            "percent_bp BETWEEN -10000 AND 30000 AND percent_bp <> 0", name=op.f("ck_price_rule_percent")
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name=op.f("fk_price_rule_operator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_rule")),
    )
    op.create_index(op.f("ix_price_rule_operator_id"), "price_rule", ["operator_id"], unique=False)
    op.create_table(
        "promotion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("percent_bp", sa.Integer(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total_limit", sa.Integer(), nullable=True),
        sa.Column("person_limit", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "amount_minor IS NULL OR (amount_minor > 0 AND currency IS NOT NULL)", name=op.f("ck_promotion_amount")
        ),
        sa.CheckConstraint("minimum_minor >= 0", name=op.f("ck_promotion_minimum")),
        sa.CheckConstraint("num_nonnulls(percent_bp, amount_minor) = 1", name=op.f("ck_promotion_worth")),
        sa.CheckConstraint("percent_bp BETWEEN 1 AND 10000", name=op.f("ck_promotion_percent")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_promotion_window")),
        sa.CheckConstraint("total_limit > 0 AND person_limit > 0", name=op.f("ck_promotion_limits")),
        sa.CheckConstraint("used >= 0 AND used <= total_limit", name=op.f("ck_promotion_used")),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name=op.f("fk_promotion_operator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion")),
        sa.UniqueConstraint("code", name=op.f("uq_promotion_code")),
    )
    op.create_index(op.f("ix_promotion_operator_id"), "promotion", ["operator_id"], unique=False)
    op.create_table(
        "sale_terms",
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("seat_type", sa.Text(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name=op.f("fk_sale_terms_operator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("operator_id", "seat_type", name=op.f("pk_sale_terms")),
    )
    op.create_table(
        "wallet",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("balance_minor >= 0", name=op.f("ck_wallet_balance")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_wallet_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet")),
    )
    op.create_index("uq_wallet_person_id_currency", "wallet", ["person_id", "currency"], unique=True)
    op.create_table(
        "sandbox_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_message")),
    )
    op.create_index(op.f("ix_sandbox_message_payment_id"), "sandbox_message", ["payment_id"], unique=False)
    op.create_table(
        "promotion_person",
        sa.Column("promotion_id", sa.Uuid(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_promotion_person_used")),
        sa.ForeignKeyConstraint(
            ["promotion_id"], ["promotion.id"], name=op.f("fk_promotion_person_promotion_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("promotion_id", "person", name=op.f("pk_promotion_person")),
    )
    op.create_table(
        "booking_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("passenger_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("quote", postgresql.JSONB(), nullable=False),
        sa.Column("owed_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(status = 'pending') = (ended_at IS NULL)", name=op.f("ck_booking_change_ended")),
        sa.CheckConstraint(
            "status IN ('pending', 'applied', 'failed', 'withdrawn')", name=op.f("ck_booking_change_status")
        ),
        sa.CheckConstraint("owed_minor > 0", name=op.f("ck_booking_change_owed")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_booking_change_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_change")),
    )
    op.create_index(
        "ix_booking_change_expires_at",
        "booking_change",
        ["expires_at"],
        unique=False,
        postgresql_where="status = 'pending'",
    )
    op.create_index(op.f("ix_booking_change_hold_id"), "booking_change", ["hold_id"], unique=False)
    op.create_index(
        "uq_booking_change_pending",
        "booking_change",
        ["booking_id"],
        unique=True,
        postgresql_where="status = 'pending'",
    )
    op.create_table(
        "invoice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("price_revision", sa.SmallInteger(), nullable=False),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("buyer", sa.LargeBinary(), nullable=True),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(kind = 'credit-note') = (corrects_id IS NOT NULL)", name=op.f("ck_invoice_corrects")),
        sa.CheckConstraint("kind IN ('invoice', 'credit-note')", name=op.f("ck_invoice_kind")),
        sa.CheckConstraint("total_minor >= 0 AND tax_minor >= 0", name=op.f("ck_invoice_amounts")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_invoice_booking_id")),
        sa.ForeignKeyConstraint(["corrects_id"], ["invoice.id"], name=op.f("fk_invoice_corrects_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_invoice_operator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
    )
    op.create_index("uq_invoice_number", "invoice", ["operator_id", "kind", "year", "number"], unique=True)
    op.create_index(
        "uq_invoice_occasion", "invoice", ["booking_id", "operator_id", "price_revision", "kind"], unique=True
    )
    op.add_column("booking", sa.Column("promotion_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_booking_promotion_id"), "booking", "promotion", ["promotion_id"], ["id"])
    op.add_column("booking_item", sa.Column("ended_as", sa.Text(), nullable=True))
    op.add_column("booking_item", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("booking_passenger", sa.Column("ended_as", sa.Text(), nullable=True))
    op.add_column("booking_passenger", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "fare_terms", sa.Column("is_tax_added", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("ledger_entry", sa.Column("commission_bp", sa.Integer(), nullable=True))
    op.add_column("operator", sa.Column("legal_name", sa.Text(), server_default="", nullable=False))
    op.add_column("operator", sa.Column("tax_number", sa.Text(), server_default="", nullable=False))
    op.add_column("operator", sa.Column("commission_bp", sa.Integer(), server_default="0", nullable=False))
    op.add_column("payment", sa.Column("purpose", sa.Text(), server_default="booking", nullable=False))
    op.add_column("payment", sa.Column("change_id", sa.Uuid(), nullable=True))
    op.add_column("payment", sa.Column("wallet_id", sa.Uuid(), nullable=True))
    op.add_column("payment", sa.Column("actor", sa.Text(), nullable=True))
    op.add_column("payment", sa.Column("checks", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("payment", sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payment", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payment", sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("payment", "booking_id", existing_type=sa.UUID(), nullable=True)
    op.create_index(
        "ix_payment_next_check_at",
        "payment",
        ["next_check_at"],
        unique=False,
        postgresql_where="next_check_at IS NOT NULL",
    )
    op.create_index(op.f("ix_payment_wallet_id"), "payment", ["wallet_id"], unique=False)
    op.create_foreign_key(op.f("fk_payment_wallet_id"), "payment", "wallet", ["wallet_id"], ["id"])
    op.create_foreign_key(op.f("fk_payment_change_id"), "payment", "booking_change", ["change_id"], ["id"])
    op.add_column("payment_charge", sa.Column("dispute", sa.Text(), nullable=True))
    op.add_column("refund", sa.Column("destination", sa.Text(), server_default="origin", nullable=False))
    op.add_column("refund", sa.Column("actor", sa.Text(), nullable=True))
    op.alter_column("refund", "booking_id", existing_type=sa.UUID(), nullable=True)
    _check("operator", "commission_bp", "commission_bp BETWEEN 0 AND 10000")
    for table in ("booking_item", "booking_passenger"):
        _check(table, "ended_as", "ended_as IN ('cancelled', 'changed')")
        _check(table, "ended", "(ended_as IS NULL) = (ended_at IS NULL)")
    _check("booking_price_line", "sign", "(kind = 'discount' AND amount_minor <= 0) OR amount_minor >= 0")
    _replace_check("booking_price_line", "kind", "kind IN ('fare', 'seat', 'surcharge', 'discount', 'fee', 'tax')")
    _check("payment", "purpose", "purpose IN ('booking', 'change', 'top-up')")
    _check("payment", "top_up", "(purpose = 'top-up') = (wallet_id IS NOT NULL AND booking_id IS NULL)")
    _check("payment", "change", "(purpose = 'change') = (change_id IS NOT NULL)")
    _check("payment_charge", "dispute", "dispute IN ('open', 'won', 'lost')")
    _replace_check(
        "payment_charge",
        "disposition",
        "disposition IN ('applied', 'kept', 'duplicate', 'late', 'mismatched', 'unwanted')",
    )
    _check("refund", "destination", "destination IN ('origin', 'wallet', 'hand')")
    _replace_check("refund", "status", "status IN ('pending', 'completed', 'failed', 'replaced')")
    run_sql("0006_money.sql")


def _check(table: str, name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def _replace_check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    _check(table, name, condition)
