"""What people agree to beyond what a booking needs: given and withdrawn, with the words that they were shown."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias, get_args
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from farebox.accounts.people_models import ConsentRow, PersonRow
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.i18n import N_, gettext

Purpose: TypeAlias = Literal["marketing-email", "marketing-sms"]
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)

WORDING: Final[Mapping[Purpose, str]] = {
    "marketing-email": N_("I would like to get offers and news by e-mail. I can end this at any time."),
    "marketing-sms": N_("I would like to get offers and news by text message. I can end this at any time."),
}
"""What somebody agrees to, as they are shown it. It is kept with their answer: a change here changes no old one."""

SIGNATURE_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Consent:
    """Where somebody stands now.

    Attributes:
        at: when they last said so; `None`: they were never asked, which is no consent.
        wording: what they were shown then.
        source: where they said it, such as `account` or `unsubscribe-link`.
    """

    purpose: Purpose
    is_given: bool
    at: datetime | None = None
    wording: str = ""
    source: str = ""


async def list_consents(work: UnitOfWork, person_id: UUID) -> list[Consent]:
    """Where somebody stands on every purpose: their newest answer counts."""
    newest = await work.session.scalars(
        select(ConsentRow)
        .where(ConsentRow.person_id == person_id)
        .ext(distinct_on(ConsentRow.purpose))
        .order_by(ConsentRow.purpose, ConsentRow.id.desc())
    )
    said = {row.purpose: row for row in newest}
    return [_consent(purpose, said.get(purpose)) for purpose in PURPOSES]


async def list_consent_history(work: UnitOfWork, person_id: UUID) -> list[Consent]:
    """Every answer that somebody ever gave, in order."""
    rows = await work.session.scalars(
        select(ConsentRow).where(ConsentRow.person_id == person_id).order_by(ConsentRow.id)
    )
    return [_consent(row.purpose, row) for row in rows if row.purpose in PURPOSES]


async def has_consent(work: UnitOfWork, person_id: UUID, purpose: Purpose) -> bool:
    """Whether this may be done. To be asked each time before it is."""
    return any(each.is_given for each in await list_consents(work, person_id) if each.purpose == purpose)


async def say_consent(work: UnitOfWork, person_id: UUID, purpose: Purpose, *, is_given: bool, source: str) -> None:
    """Note what somebody has just said, with the words in the current language. Saying the same again adds nothing."""
    await work.session.execute(select(PersonRow.id).where(PersonRow.id == person_id).with_for_update())
    [now] = [each for each in await list_consents(work, person_id) if each.purpose == purpose]
    if now.is_given == is_given and (now.at is not None or not is_given):
        return
    work.session.add(
        ConsentRow(
            person_id=person_id,
            purpose=purpose,
            is_given=is_given,
            wording=gettext(WORDING[purpose]),
            source=source,
            at=work.now,
        )
    )
    await work.session.flush()


def unsubscribe_token(person_id: UUID, purpose: Purpose, *, secrets: Secrets) -> str:
    """Goes into every mail that needs consent, as `/unsubscribe/<token>`; ends that consent, and does no more."""
    said = bytes([PURPOSES.index(purpose)]) + person_id.bytes
    return base64.urlsafe_b64encode(said + _signature(said, secrets)).decode().rstrip("=")


def read_unsubscribe_token(token: str, *, secrets: Secrets) -> tuple[UUID, Purpose] | None:
    """Whose consent to what a link ends; `None` for a link that is not ours. It never runs out: the mail stays."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    said, signature = raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(said, secrets)):
        return None
    return UUID(bytes=said[1:]), PURPOSES[said[0]]


def _signature(said: bytes, secrets: Secrets) -> bytes:
    return hmac.digest(secrets.derive("unsubscribe"), said, hashlib.sha256)[:SIGNATURE_BYTES]


def _consent(purpose: Purpose, row: ConsentRow | None) -> Consent:
    if row is None:
        return Consent(purpose, is_given=False)
    return Consent(purpose, row.is_given, row.at, row.wording, row.source)
