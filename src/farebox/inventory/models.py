"""Tables of the kernel: runs, claims on their units, fungible stock, and the holds that own either.

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
    """One sellable run: so many units over so many slots. Its fungible stock, where it has any, is in `capacity`."""

    __tablename__ = "inventory"
    __table_args__ = (CheckConstraint("units >= 0 AND slots > 0", name="size"),)

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


class CapacityRow(Base):
    """Fungible stock of a run in one slot: standing room, rooms of a type. Nobody gets a certain one."""

    __tablename__ = "capacity"
    __table_args__ = (CheckConstraint("taken BETWEEN 0 AND total", name="taken"),)

    inventory_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    total: Mapped[int]
    taken: Mapped[int]


class PortionRow(Base):
    """What one hold has of a run's fungible stock, over a range of slots; counted in `capacity.taken`.

    `expires_at` is empty once it is for good; a portion whose clock ran out may be taken back by whoever needs it.
    """

    __tablename__ = "portion"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND end_slot > first_slot", name="size"),
        Index(
            "ix_portion_running_clock", "inventory_id", "expires_at", postgresql_where=text("expires_at IS NOT NULL")
        ),
    )

    inventory_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hold_id: Mapped[UUID] = mapped_column(primary_key=True)
    first_slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    end_slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    quantity: Mapped[int]
    expires_at: Mapped[datetime | None]


class HoldRow(Base):
    """Claims and portions taken together: all of them, or none.

    `wants` lists the units as `[[inventory_id, [unit, …], first_slot, end_slot], …]`, so that the claims are reached
    through their primary key and the claim table needs no second index; `amounts` lists the fungible stock as
    `[[inventory_id, quantity, first_slot, end_slot], …]`.
    """

    __tablename__ = "hold"
    __table_args__ = (
        CheckConstraint("state IN ('held', 'confirmed', 'blocked', 'released', 'expired')", name="state"),
        CheckConstraint("(state IN ('confirmed', 'blocked')) = (expires_at IS NULL)", name="clock"),
        Index("ix_hold_running_owner", "owner", postgresql_where=text("state = 'held'")),
        Index("ix_hold_running_clock", "expires_at", postgresql_where=text("state = 'held'")),
        Index("ix_hold_ended_clock", "expires_at", postgresql_where=text("state IN ('released', 'expired')")),
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
    amounts: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
