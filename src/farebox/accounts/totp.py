"""Codes of authenticator apps (RFC 6238: six digits, thirty seconds, SHA-1, as all such apps do).

The secret is sealed. A factor counts once a first code has shown that the app has the secret. Each time step is good
for one code: one that was seen over a shoulder is used already.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import pyotp
from sqlalchemy import delete, or_, select, update

from farebox.accounts.factor_errors import FactorNotFound
from farebox.accounts.people_models import FactorRow
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id

PLACE: Final = "factor.secret"
STEP_SECONDS: Final = 30
DIGITS: Final = 6
DRIFT_STEPS: Final = 1
"""A phone's clock may be one step ahead or behind."""

SETUP_SECONDS: Final = 3600
"""A secret that was shown and not confirmed is good for so long."""


@dataclass(frozen=True, slots=True, repr=False)
class TotpSetup:
    """What an authenticator app needs. No `repr`: the secret is for its owner's screen.

    Attributes:
        uri: `otpauth://…`, which the QR code says.
    """

    factor_id: UUID
    secret: str
    uri: str


async def begin_totp(work: UnitOfWork, person_id: UUID, name: str, *, account: str, secrets: Secrets) -> TotpSetup:
    """Make a secret for an authenticator app. It counts for nothing until `confirm_totp`.

    A setup that this person had begun before is over.

    Args:
        name: what the person calls it.
        account: how the app shows the account; the e-mail address.
    """
    await work.session.execute(
        delete(FactorRow).where(
            FactorRow.person_id == person_id, FactorRow.kind == "totp", FactorRow.confirmed_at.is_(None)
        )
    )
    secret = pyotp.random_base32()
    row = FactorRow(
        id=new_id(),
        person_id=person_id,
        kind="totp",
        name=name,
        secret=secrets.encrypt(secret, place=PLACE),
        transports=[],
        created_at=work.now,
    )
    work.session.add(row)
    return _setup(row.id, secret, account)


async def get_totp_setup(
    work: UnitOfWork, person_id: UUID, factor_id: UUID, *, account: str, secrets: Secrets
) -> TotpSetup:
    """What `begin_totp` said, until it is confirmed.

    Raises:
        FactorNotFound: none of theirs waits under this id.
    """
    row = await _waiting(work, person_id, factor_id)
    return _setup(row.id, secrets.decrypt(row.secret or b"", place=PLACE), account)


async def confirm_waiting(work: UnitOfWork, person_id: UUID, factor_id: UUID, code: str, *, secrets: Secrets) -> bool:
    """Let a factor count if the code is one of its app; whether it was.

    Raises:
        FactorNotFound: none of theirs waits under this id.
    """
    row = await _waiting(work, person_id, factor_id)
    step = _step_of(secrets.decrypt(row.secret or b"", place=PLACE), code, work.now)
    if step is None:
        return False
    row.last_step, row.confirmed_at = step, work.now
    return True


async def check_totp(work: UnitOfWork, person_id: UUID, code: str, *, secrets: Secrets) -> bool:
    """Whether this is a code of one of the person's apps that was not used before; then it is now."""
    rows = await work.session.scalars(
        select(FactorRow).where(
            FactorRow.person_id == person_id, FactorRow.kind == "totp", FactorRow.confirmed_at.is_not(None)
        )
    )
    for row in rows:
        step = _step_of(secrets.decrypt(row.secret or b"", place=PLACE), code, work.now)
        if step is not None and await _use(work, row.id, step):
            return True
    return False


async def _use(work: UnitOfWork, factor_id: UUID, step: int) -> bool:
    """Take a step; of two requests with one code, one gets it. A step before the last one taken is gone too."""
    taken = await work.session.execute(
        update(FactorRow)
        .where(FactorRow.id == factor_id, or_(FactorRow.last_step.is_(None), FactorRow.last_step < step))
        .values(last_step=step, used_at=work.now)
        .returning(FactorRow.id)
        .execution_options(synchronize_session=False)
    )
    return taken.one_or_none() is not None


async def _waiting(work: UnitOfWork, person_id: UUID, factor_id: UUID) -> FactorRow:
    row = await work.session.scalar(
        select(FactorRow)
        .where(
            FactorRow.id == factor_id,
            FactorRow.person_id == person_id,
            FactorRow.kind == "totp",
            FactorRow.confirmed_at.is_(None),
            FactorRow.created_at > work.now - timedelta(seconds=SETUP_SECONDS),
        )
        .with_for_update()
    )
    if row is None:
        raise FactorNotFound
    return row


def _step_of(secret: str, code: str, at: datetime) -> int | None:
    """The time step of a code, `None` when it is no code of now."""
    digits = "".join(character for character in code if character in "0123456789")
    app = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    now = int(at.timestamp()) // STEP_SECONDS
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if hmac.compare_digest(app.generate_otp(step), digits):
            return step
    return None


def _setup(factor_id: UUID, secret: str, account: str) -> TotpSetup:
    return TotpSetup(factor_id, secret, pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name="Farebox"))
