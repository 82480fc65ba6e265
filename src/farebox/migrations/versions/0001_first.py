"""The tables of the first release."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from farebox.migrations.sql import run_sql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    run_sql("0001_functions.sql")
    op.create_table(
        "booking",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("price_revision", sa.SmallInteger(), nullable=False),
        sa.Column("contact_email", sa.LargeBinary(), nullable=False),
        sa.Column("contact_email_index", sa.LargeBinary(), nullable=False),
        sa.Column("contact_phone", sa.LargeBinary(), nullable=False),
        sa.Column("contact_phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status IN ('cancelled', 'refunded')) = (reason IS NOT NULL)", name=op.f("ck_booking_reason")
        ),
        sa.CheckConstraint(
            "(status IN ('pending', 'payment_processing')) = (expires_at IS NOT NULL)", name=op.f("ck_booking_expires")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'payment_processing', 'confirmed', 'completed', 'cancelled', 'refunded')",
            name=op.f("ck_booking_status"),
        ),
        sa.CheckConstraint("total_minor >= 0 AND tax_minor >= 0", name=op.f("ck_booking_amounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking")),
        sa.UniqueConstraint("reference", name=op.f("uq_booking_reference")),
    )
    op.create_index(
        "ix_booking_completes_at", "booking", ["completes_at"], unique=False, postgresql_where="status = 'confirmed'"
    )
    op.create_index(op.f("ix_booking_contact_email_index"), "booking", ["contact_email_index"], unique=False)
    op.create_index(op.f("ix_booking_contact_phone_index"), "booking", ["contact_phone_index"], unique=False)
    op.create_index(
        "ix_booking_expires_at", "booking", ["expires_at"], unique=False, postgresql_where="expires_at IS NOT NULL"
    )
    op.create_index(op.f("ix_booking_owner_created_at"), "booking", ["owner", "created_at"], unique=False)
    op.create_table(
        "claim",
        sa.Column("inventory_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("inventory_id", "unit", "slot", name=op.f("pk_claim")),
    )
    op.create_table(
        "feed",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("shift_days", sa.Integer(), nullable=False),
        sa.Column("first_date", sa.Date(), nullable=True),
        sa.Column("last_date", sa.Date(), nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("code", name=op.f("uq_feed_code")),
    )
    op.create_table(
        "guest_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("ttl_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ttl_seconds > 0", name=op.f("ck_guest_session_ttl")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guest_session")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_guest_session_token_digest")),
    )
    op.create_index(op.f("ix_guest_session_expires_at"), "guest_session", ["expires_at"], unique=False)
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latest_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("extensions", sa.SmallInteger(), nullable=False),
        sa.Column("max_extensions", sa.SmallInteger(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wants", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("(state = 'confirmed') = (expires_at IS NULL)", name=op.f("ck_hold_clock")),
        sa.CheckConstraint("state IN ('held', 'confirmed', 'released', 'expired')", name=op.f("ck_hold_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(
        "ix_hold_running_clock", "hold", ["expires_at"], unique=False, postgresql_where=sa.text("state = 'held'")
    )
    op.create_index(
        "ix_hold_running_owner", "hold", ["owner"], unique=False, postgresql_where=sa.text("state = 'held'")
    )
    op.create_table(
        "idempotent_request",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_idempotent_request")),
    )
    op.create_index(op.f("ix_idempotent_request_begun_at"), "idempotent_request", ["begun_at"], unique=False)
    op.create_table(
        "inventory",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("units", sa.SmallInteger(), nullable=False),
        sa.Column("slots", sa.SmallInteger(), nullable=False),
        sa.Column("sales_open_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sales_close_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("units > 0 AND slots > 0", name=op.f("ck_inventory_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory")),
    )
    op.create_table(
        "operator",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("brand_color", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator")),
        sa.UniqueConstraint("code", name=op.f("uq_operator_code")),
    )
    op.create_table(
        "outbox_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("meta", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_event")),
    )
    op.create_index(op.f("ix_outbox_event_type_at"), "outbox_event", ["type", "at"], unique=False)
    op.create_table(
        "payment_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("event", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_event")),
    )
    op.create_index(op.f("ix_payment_event_payment_id"), "payment_event", ["payment_id"], unique=False)
    op.create_index(
        "ix_payment_event_unhandled",
        "payment_event",
        ["next_attempt_at"],
        unique=False,
        postgresql_where="handled_at IS NULL",
    )
    op.create_index("uq_payment_event_provider_external_id", "payment_event", ["provider", "external_id"], unique=True)
    op.create_table(
        "place",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "names", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("region", sa.Text(), server_default="", nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("lat", sa.Float(precision=53), nullable=False),
        sa.Column("lon", sa.Float(precision=53), nullable=False),
        sa.Column("departures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
    )
    op.create_table(
        "seat_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_plan")),
    )
    op.create_table(
        "ticket_document",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_ticket_document")),
    )
    op.create_index(op.f("ix_ticket_document_created_at"), "ticket_document", ["created_at"], unique=False)
    op.create_table(
        "agency",
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_agency_feed_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_agency_operator_id")),
        sa.PrimaryKeyConstraint("feed_id", "source_id", name=op.f("pk_agency")),
    )
    op.create_index(op.f("ix_agency_operator_id"), "agency", ["operator_id"], unique=False)
    op.create_table(
        "booking_audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_booking_audit_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_audit")),
    )
    op.create_index(op.f("ix_booking_audit_booking_id_id"), "booking_audit", ["booking_id", "id"], unique=False)
    op.create_table(
        "booking_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("labels", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("first_slot", sa.Integer(), nullable=False),
        sa.Column("end_slot", sa.Integer(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=True),
        sa.Column("to_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("description", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("policy", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "cardinality(units) > 0 AND cardinality(units) = cardinality(labels)", name=op.f("ck_booking_item_units")
        ),
        sa.CheckConstraint("first_slot >= 0 AND first_slot < end_slot", name=op.f("ck_booking_item_slots")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_booking_item_booking_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_booking_item_operator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_item")),
    )
    op.create_index(op.f("ix_booking_item_hold_id"), "booking_item", ["hold_id"], unique=False)
    op.create_index(op.f("ix_booking_item_inventory_id"), "booking_item", ["inventory_id"], unique=False)
    op.create_index(op.f("ix_booking_item_resource_id"), "booking_item", ["resource_id"], unique=False)
    op.create_index("uq_booking_item_booking_id_position", "booking_item", ["booking_id", "position"], unique=True)
    op.create_table(
        "booking_lookup",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("contact_index", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("code_digest", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_booking_lookup_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_lookup")),
    )
    op.create_index(op.f("ix_booking_lookup_created_at"), "booking_lookup", ["created_at"], unique=False)
    op.create_index(
        op.f("ix_booking_lookup_reference_contact_index_created_at"),
        "booking_lookup",
        ["reference", "contact_index", "created_at"],
        unique=False,
    )
    op.create_table(
        "fare_default",
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("seat_type", sa.Text(), nullable=False),
        sa.Column("base_minor", sa.BigInteger(), nullable=False),
        sa.Column("per_100_km_minor", sa.BigInteger(), nullable=False),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("step_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "base_minor >= 0 AND per_100_km_minor >= 0 AND minimum_minor >= 0", name=op.f("ck_fare_default_amounts")
        ),
        sa.CheckConstraint("step_minor > 0", name=op.f("ck_fare_default_step")),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name=op.f("fk_fare_default_operator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("operator_id", "seat_type", name=op.f("pk_fare_default")),
    )
    op.create_table(
        "fare_product",
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("adult_minor", sa.BigInteger(), nullable=True),
        sa.Column("child_minor", sa.BigInteger(), nullable=True),
        sa.Column("senior_minor", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "adult_minor >= 0 AND child_minor >= 0 AND senior_minor >= 0", name=op.f("ck_fare_product_amounts")
        ),
        sa.CheckConstraint(
            "num_nonnulls(adult_minor, child_minor, senior_minor) > 0", name=op.f("ck_fare_product_priced")
        ),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_fare_product_feed_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("feed_id", "code", name=op.f("pk_fare_product")),
    )
    op.create_table(
        "fare_terms",
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("sells_by_distance", sa.Boolean(), nullable=False),
        sa.Column("service_fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate_bp", sa.Integer(), nullable=False),
        sa.Column("child_discount_bp", sa.Integer(), nullable=False),
        sa.Column("senior_discount_bp", sa.Integer(), nullable=False),
        sa.Column("feed_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.CheckConstraint("child_discount_bp BETWEEN 0 AND 10000", name=op.f("ck_fare_terms_child")),
        sa.CheckConstraint("senior_discount_bp BETWEEN 0 AND 10000", name=op.f("ck_fare_terms_senior")),
        sa.CheckConstraint("service_fee_minor >= 0", name=op.f("ck_fare_terms_fee")),
        sa.CheckConstraint("tax_rate_bp BETWEEN 0 AND 10000", name=op.f("ck_fare_terms_tax")),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name=op.f("fk_fare_terms_operator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("operator_id", name=op.f("pk_fare_terms")),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("recipient", sa.LargeBinary(), nullable=False),
        sa.Column("recipient_index", sa.LargeBinary(), nullable=False),
        sa.Column("reply_to", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("html", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("attachments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('queued', 'sent', 'kept', 'failed')", name=op.f("ck_message_status")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_message_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index(op.f("ix_message_created_at"), "message", ["created_at"], unique=False)
    op.create_index(
        "uq_message_occasion", "message", ["booking_id", "kind", "occasion", "recipient_index"], unique=True
    )
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("checkout_url", sa.Text(), nullable=True),
        sa.Column("client_secret", sa.Text(), nullable=True),
        sa.Column("return_url", sa.Text(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed', 'refunded', 'partially_refunded')",
            name=op.f("ck_payment_status"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_amount")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_payment_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
    )
    op.create_index(op.f("ix_payment_booking_id_created_at"), "payment", ["booking_id", "created_at"], unique=False)
    op.create_index("uq_payment_provider_external_id", "payment", ["provider", "external_id"], unique=True)
    op.create_table(
        "seat_surcharge",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("seat_type", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("minor >= 0", name=op.f("ck_seat_surcharge_amount")),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name=op.f("fk_seat_surcharge_operator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_surcharge")),
    )
    op.create_index("uq_seat_surcharge_seat", "seat_surcharge", ["operator_id", "seat_type", "feature"], unique=True)
    op.create_table(
        "service",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("weekdays", sa.SmallInteger(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("added", sa.ARRAY(sa.Date()), nullable=False),
        sa.Column("removed", sa.ARRAY(sa.Date()), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_service_feed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
        sa.UniqueConstraint("feed_id", "source_id", name=op.f("uq_service_feed_id_source_id")),
    )
    op.create_table(
        "stop",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "names", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("lat", sa.Float(precision=53), nullable=False),
        sa.Column("lon", sa.Float(precision=53), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("zone_id", sa.Text(), nullable=True),
        sa.Column("area_ids", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("is_station", sa.Boolean(), nullable=False),
        sa.Column("wheelchair", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_stop_feed_id")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_stop_place_id")),
        sa.ForeignKeyConstraint(["station_id"], ["stop.id"], name=op.f("fk_stop_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop")),
        sa.UniqueConstraint("feed_id", "source_id", name=op.f("uq_stop_feed_id_source_id")),
    )
    op.create_index(op.f("ix_stop_place_id"), "stop", ["place_id"], unique=False)
    op.create_index(op.f("ix_stop_station_id"), "stop", ["station_id"], unique=False)
    op.create_table(
        "vehicle_kind",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("amenities", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("seat_plan_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_vehicle_kind_operator_id")),
        sa.ForeignKeyConstraint(["seat_plan_id"], ["seat_plan.id"], name=op.f("fk_vehicle_kind_seat_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle_kind")),
        sa.UniqueConstraint("operator_id", "code", name=op.f("uq_vehicle_kind_operator_id_code")),
    )
    op.create_index(op.f("ix_vehicle_kind_seat_plan_id"), "vehicle_kind", ["seat_plan_id"], unique=False)
    op.create_table(
        "booking_passenger",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("seat_number", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("id_type", sa.Text(), nullable=False),
        sa.Column("id_number", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("email_index", sa.LargeBinary(), nullable=True),
        sa.Column("passenger_type", sa.Text(), nullable=False),
        sa.Column("special_needs", sa.Boolean(), nullable=False),
        sa.CheckConstraint("id_type IN ('citizen_id', 'passport')", name=op.f("ck_booking_passenger_id_type")),
        sa.CheckConstraint(
            "passenger_type IN ('adult', 'child', 'senior')", name=op.f("ck_booking_passenger_passenger_type")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_booking_passenger_booking_id")),
        sa.ForeignKeyConstraint(["item_id"], ["booking_item.id"], name=op.f("fk_booking_passenger_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_passenger")),
    )
    op.create_index(op.f("ix_booking_passenger_booking_id"), "booking_passenger", ["booking_id"], unique=False)
    op.create_index(
        op.f("ix_booking_passenger_id_number_index"), "booking_passenger", ["id_number_index"], unique=False
    )
    op.create_index(op.f("ix_booking_passenger_phone_index"), "booking_passenger", ["phone_index"], unique=False)
    op.create_index("uq_booking_passenger_item_id_unit", "booking_passenger", ["item_id", "unit"], unique=True)
    op.create_table(
        "booking_price_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.SmallInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seat_number", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('fare', 'seat', 'discount', 'fee', 'tax')", name=op.f("ck_booking_price_line_kind")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_booking_price_line_booking_id")),
        sa.ForeignKeyConstraint(["item_id"], ["booking_item.id"], name=op.f("fk_booking_price_line_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_price_line")),
    )
    op.create_index(
        "uq_booking_price_line_position", "booking_price_line", ["booking_id", "revision", "position"], unique=True
    )
    op.create_table(
        "fare_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("product_code", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=True),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.Column("network_id", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.Column("destination", sa.Text(), nullable=True),
        sa.Column("contains", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("is_zonal", sa.Boolean(), nullable=False),
        sa.Column("is_exclusive", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feed_id", "product_code"],
            ["fare_product.feed_id", "fare_product.code"],
            name=op.f("fk_fare_rule_feed_id_product_code"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name=op.f("fk_fare_rule_operator_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fare_rule")),
    )
    op.create_index(op.f("ix_fare_rule_feed_id_product_code"), "fare_rule", ["feed_id", "product_code"], unique=False)
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_ledger_entry_amount")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_ledger_entry_booking_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_ledger_entry_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
    )
    op.create_index(op.f("ix_ledger_entry_account_currency"), "ledger_entry", ["account", "currency"], unique=False)
    op.create_index(op.f("ix_ledger_entry_booking_id"), "ledger_entry", ["booking_id"], unique=False)
    op.create_index(op.f("ix_ledger_entry_transaction_id"), "ledger_entry", ["transaction_id"], unique=False)
    op.create_table(
        "line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("vehicle_kind_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "names", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("color", sa.Text(), nullable=False),
        sa.Column("text_color", sa.Text(), nullable=False),
        sa.Column("route_type", sa.Integer(), nullable=False),
        sa.Column("network_ids", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_line_feed_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_line_operator_id")),
        sa.ForeignKeyConstraint(["vehicle_kind_id"], ["vehicle_kind.id"], name=op.f("fk_line_vehicle_kind_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line")),
        sa.UniqueConstraint("feed_id", "source_id", name=op.f("uq_line_feed_id_source_id")),
    )
    op.create_index(op.f("ix_line_operator_id"), "line", ["operator_id"], unique=False)
    op.create_index(op.f("ix_line_vehicle_kind_id"), "line", ["vehicle_kind_id"], unique=False)
    op.create_table(
        "payment_charge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "disposition IN ('applied', 'duplicate', 'late', 'mismatched', 'unwanted')",
            name=op.f("ck_payment_charge_disposition"),
        ),
        sa.CheckConstraint(
            "amount_minor > 0 AND refunded_minor BETWEEN 0 AND amount_minor", name=op.f("ck_payment_charge_amounts")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_charge_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_charge")),
    )
    op.create_index(op.f("ix_payment_charge_payment_id"), "payment_charge", ["payment_id"], unique=False)
    op.create_index(
        "uq_payment_charge_provider_external_id", "payment_charge", ["provider", "external_id"], unique=True
    )
    op.create_table(
        "journey",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("feed_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("headsign", sa.Text(), nullable=False),
        sa.Column(
            "names", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("short_name", sa.Text(), nullable=False),
        sa.Column("direction", sa.SmallInteger(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("offsets", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("first_departure_s", sa.Integer(), nullable=False),
        sa.Column("last_boarding_s", sa.Integer(), nullable=False),
        sa.Column("call_count", sa.SmallInteger(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_journey_feed_id")),
        sa.ForeignKeyConstraint(["line_id"], ["line.id"], name=op.f("fk_journey_line_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_journey_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journey")),
    )
    op.create_index("ix_journey_feed", "journey", ["feed_id"], unique=False)
    op.create_index(op.f("ix_journey_line_id"), "journey", ["line_id"], unique=False)
    op.create_index(op.f("ix_journey_service_id"), "journey", ["service_id"], unique=False)
    op.create_index(
        "uq_journey_current", "journey", ["feed_id", "source_id"], unique=True, postgresql_where=sa.text("is_current")
    )
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('pending', 'completed')", name=op.f("ck_refund_status")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refund_amount")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_refund_booking_id")),
        sa.ForeignKeyConstraint(["charge_id"], ["payment_charge.id"], name=op.f("fk_refund_charge_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_refund_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
    )
    op.create_index(op.f("ix_refund_booking_id"), "refund", ["booking_id"], unique=False)
    op.create_index(op.f("ix_refund_charge_id"), "refund", ["charge_id"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("booking_item_id", sa.Uuid(), nullable=False),
        sa.Column("passenger_id", sa.Uuid(), nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('issued', 'used', 'void')", name=op.f("ck_ticket_status")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_ticket_booking_id")),
        sa.ForeignKeyConstraint(["booking_item_id"], ["booking_item.id"], name=op.f("fk_ticket_booking_item_id")),
        sa.ForeignKeyConstraint(["passenger_id"], ["booking_passenger.id"], name=op.f("fk_ticket_passenger_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("token", name=op.f("uq_ticket_token")),
    )
    op.create_index(op.f("ix_ticket_booking_id"), "ticket", ["booking_id"], unique=False)
    op.create_index(
        "uq_ticket_passenger_id", "ticket", ["passenger_id"], unique=True, postgresql_where="status <> 'void'"
    )
    op.create_table(
        "call",
        sa.Column("journey_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("arrival_s", sa.Integer(), nullable=False),
        sa.Column("departure_s", sa.Integer(), nullable=False),
        sa.Column("pickup", sa.SmallInteger(), nullable=False),
        sa.Column("dropoff", sa.SmallInteger(), nullable=False),
        sa.Column("timepoint", sa.Boolean(), nullable=False),
        sa.Column("distance_m", sa.Integer(), nullable=False),
        sa.CheckConstraint("departure_s >= arrival_s", name=op.f("ck_call_waits")),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_call_journey_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_call_place_id")),
        sa.ForeignKeyConstraint(["stop_id"], ["stop.id"], name=op.f("fk_call_stop_id")),
        sa.PrimaryKeyConstraint("journey_id", "position", name=op.f("pk_call")),
    )
    op.create_index(
        "ix_call_place",
        "call",
        ["place_id", "journey_id", "position"],
        unique=False,
        postgresql_include=["departure_s", "arrival_s", "stop_id", "pickup", "dropoff"],
    )
    op.create_index(op.f("ix_call_stop_id"), "call", ["stop_id"], unique=False)
    op.create_table(
        "departure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("journey_id", sa.Uuid(), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("offset_s", sa.Integer(), nullable=False),
        sa.Column("base_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inventory_id", sa.BigInteger(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("vehicle_kind_id", sa.Uuid(), nullable=False),
        sa.Column("seat_plan_id", sa.Uuid(), nullable=False),
        sa.Column("sales_close_s", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), server_default="scheduled", nullable=False),
        sa.CheckConstraint("status IN ('scheduled', 'cancelled')", name=op.f("ck_departure_status")),
        sa.ForeignKeyConstraint(
            ["inventory_id"],
            ["inventory.id"],
            name=op.f("fk_departure_inventory_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_departure_journey_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_departure_operator_id")),
        sa.ForeignKeyConstraint(["seat_plan_id"], ["seat_plan.id"], name=op.f("fk_departure_seat_plan_id")),
        sa.ForeignKeyConstraint(["vehicle_kind_id"], ["vehicle_kind.id"], name=op.f("fk_departure_vehicle_kind_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departure")),
        sa.UniqueConstraint("inventory_id", name=op.f("uq_departure_inventory_id")),
    )
    op.create_index("ix_departure_day", "departure", ["service_date", "operator_id"], unique=False)
    op.create_index("ix_departure_journey", "departure", ["journey_id", "base_at"], unique=False)
    op.create_index(op.f("ix_departure_seat_plan_id"), "departure", ["seat_plan_id"], unique=False)
    op.create_index(op.f("ix_departure_vehicle_kind_id"), "departure", ["vehicle_kind_id"], unique=False)
    run_sql("0001_triggers_and_indexes.sql")


def downgrade() -> None:
    raise RuntimeError("There is nothing before the first release to go back to. Drop the database instead.")
