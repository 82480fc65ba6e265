"""Tables of the kernel: runs, claims on their units, and the holds that own the claims.

`claim` has no foreign keys on purpose: a key check would lock the run's row once for every seat and leg, on the
hottest path there is. The commands of this module are the only writers, and they keep the three tables in step.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.db import Base


class InventoryRow(Base):
    """One sellable run: so many units over so many slots."""

    __tablename__ = "inventory"
    __table_args__ = (CheckConstraint("units > 0 AND slots > 0", name="size"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    units: Mapped[int] = mapped_column(SmallInteger)
    slots: Mapped[int] = mapped_column(SmallInteger)
    sales_open_at: Mapped[datetime | None]
    sales_close_at: Mapped[datetime | None]


class ClaimRow(Base):
    """Who has this unit in this slot. The primary key is the rule that no seat is sold twice on any leg.

    `expires_at` is empty once the claim is for good (sold, or blocked); a claim whose clock ran out is as good as none.
    """

    __tablename__ = "claim"

    inventory_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    unit: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    hold_id: Mapped[UUID]
    expires_at: Mapped[datetime | None]


class HoldRow(Base):
    """Claims taken together: all of them, or none.

    `wants` lists what was taken as `[[inventory_id, [unit, …], first_slot, end_slot], …]`, so that the claims are
    reached through their primary key and the claim table needs no second index.
    """

    __tablename__ = "hold"
    __table_args__ = (
        CheckConstraint("state IN ('held', 'confirmed', 'released', 'expired')", name="state"),
        CheckConstraint("(state = 'confirmed') = (expires_at IS NULL)", name="clock"),
        Index("ix_hold_running_owner", "owner", postgresql_where=text("state = 'held'")),
        Index("ix_hold_running_clock", "expires_at", postgresql_where=text("state = 'held'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner: Mapped[str]
    state: Mapped[str]
    expires_at: Mapped[datetime | None]
    first_taken_at: Mapped[datetime]
    latest_at: Mapped[datetime]
    extensions: Mapped[int] = mapped_column(SmallInteger)
    max_extensions: Mapped[int] = mapped_column(SmallInteger)
    confirmed_at: Mapped[datetime | None]
    wants: Mapped[list[Any]] = mapped_column(JSONB)
