"""Devices: a driver's phone or a scanner, which checks tickets for one operator and can do nothing else.

The office shows a code, the device sends it back once within minutes, and has a token from then on.
"""

import secrets as random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from farebox.accounts.actor import Actor
from farebox.accounts.operators import OperatorView, get_operator
from farebox.accounts.permissions import Permission
from farebox.accounts.staff import get_reached_operator, reached_operators
from farebox.accounts.staff_errors import DeviceNotFound, PairingFailed, TooManyOfThem
from farebox.accounts.staff_models import DeviceRow
from farebox.core.crypto import new_token, token_digest
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id

DEVICE_PREFIX: Final = "fbd"
CODE_LASTS: Final = timedelta(minutes=10)
CODE_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without those that are taken for one another."""

CODE_LENGTH: Final = 16
"""Nearly 80 bits: far too many to guess in ten minutes, and still typed where a camera fails."""

MOST_DEVICES: Final = 1000


@dataclass(frozen=True, slots=True)
class Device:
    """A device as its operator sees it: waiting for its code, paired, or revoked.

    Attributes:
        pairing_expires_at: until when the code works that was shown last; `None` where none waits.
        used_at: to the minute.
    """

    id: UUID
    name: str
    created_at: datetime
    pairing_expires_at: datetime | None
    paired_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class PairedDevice:
    """A device that has just proved its code. No `repr`: its token is told this once."""

    device: Device
    operator: OperatorView
    token: str


async def make_device(work: UnitOfWork, operator_id: UUID, *, name: str, actor: Actor) -> tuple[Device, str]:
    """Enter a device that is to be paired.

    Returns:
        The device and its code, which works once, for ten minutes.

    Raises:
        OperatorNotFound: there is none, or this actor does not manage its devices.
        TooManyOfThem: it has too many already.
    """
    operator = await get_reached_operator(work, operator_id, actor=actor, permission=Permission.DEVICES_MANAGE)
    living = select(func.count()).where(DeviceRow.operator_id == operator.id, DeviceRow.revoked_at.is_(None))
    if (await work.session.scalar(living) or 0) >= MOST_DEVICES:
        raise TooManyOfThem(most=MOST_DEVICES)
    row = DeviceRow(
        id=new_id(),
        operator_id=operator.id,
        name=name,
        created_by=actor.id or operator.id,
        created_at=work.now,
    )
    code = _new_code(row, work.now)
    work.session.add(row)
    await work.session.flush()
    return _view(row), code


async def list_devices(work: UnitOfWork, operator_id: UUID, *, actor: Actor) -> Sequence[Device]:
    """All devices of an operator, revoked ones included, the newest first.

    Raises:
        OperatorNotFound: there is none, or this actor does not manage its devices.
    """
    await get_reached_operator(work, operator_id, actor=actor, permission=Permission.DEVICES_MANAGE)
    rows = await work.session.scalars(
        select(DeviceRow).where(DeviceRow.operator_id == operator_id).order_by(DeviceRow.id.desc())
    )
    return [_view(row) for row in rows]


async def show_new_code(work: UnitOfWork, operator_id: UUID, device_id: UUID, *, actor: Actor) -> tuple[Device, str]:
    """Another code for a device: the first ran out, or its phone was lost. What it was paired with works no more.

    Raises:
        DeviceNotFound: no such device, it was revoked, or this actor does not manage the operator's devices.
    """
    row = await _lock(work, operator_id, device_id, actor=actor)
    if row.revoked_at is not None:
        raise DeviceNotFound
    row.token_digest, row.paired_at, row.used_at = None, None, None
    code = _new_code(row, work.now)
    await work.session.flush()
    return _view(row), code


async def revoke_device(work: UnitOfWork, operator_id: UUID, device_id: UUID, *, actor: Actor) -> None:
    """Let a device open nothing any more, from its next request on.

    Raises:
        DeviceNotFound: no such device, or this actor does not manage the operator's devices.
    """
    row = await _lock(work, operator_id, device_id, actor=actor)
    row.revoked_at = row.revoked_at or work.now
    row.token_digest = row.pairing_digest = row.pairing_expires_at = None


async def pair_device(work: UnitOfWork, code: str, name: str = "") -> PairedDevice:
    """Exchange a code for the device's token. `name`, where given, becomes the device's.

    Raises:
        PairingFailed: the code is wrong, was used, or has run out.
    """
    digest = token_digest(_plain(code))
    operator_id = await work.session.scalar(select(func.operator_of_secret(digest)))
    if operator_id is None:
        raise PairingFailed
    await work.reach([operator_id])
    row = await work.session.scalar(
        select(DeviceRow)
        .where(
            DeviceRow.pairing_digest == digest,
            DeviceRow.pairing_expires_at > work.now,
            DeviceRow.revoked_at.is_(None),
        )
        .with_for_update()
    )
    if row is None:
        raise PairingFailed
    token = new_token(DEVICE_PREFIX)
    row.token_digest, row.paired_at = token_digest(token), work.now
    row.pairing_digest = row.pairing_expires_at = None
    row.name = name or row.name
    await work.session.flush()
    return PairedDevice(_view(row), await get_operator(work, operator_id), token)


async def _lock(work: UnitOfWork, operator_id: UUID, device_id: UUID, *, actor: Actor) -> DeviceRow:
    row = await work.session.scalar(
        select(DeviceRow)
        .where(
            DeviceRow.id == device_id,
            DeviceRow.operator_id == operator_id,
            reached_operators(DeviceRow.operator_id, actor, Permission.DEVICES_MANAGE),
        )
        .with_for_update()
    )
    if row is None:
        raise DeviceNotFound
    return row


def _new_code(row: DeviceRow, now: datetime) -> str:
    code = "".join(random.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    row.pairing_digest, row.pairing_expires_at = token_digest(code), now + CODE_LASTS
    return "-".join(code[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def _plain(code: str) -> str:
    """A code as it was made, however it was typed."""
    return "".join(character for character in code[:100].upper() if character.isalnum())


def _view(row: DeviceRow) -> Device:
    return Device(
        id=row.id,
        name=row.name,
        created_at=row.created_at,
        pairing_expires_at=row.pairing_expires_at,
        paired_at=row.paired_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )
