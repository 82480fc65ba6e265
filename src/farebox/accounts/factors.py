"""Second factors: which there are, which are asked for at sign-in, and who must have one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, update

from farebox.accounts.factor_errors import FactorNeeded, FactorNotFound, TooManyFactors
from farebox.accounts.factor_events import FactorAdded, FactorRemoved, RecoveryCodesRenewed
from farebox.accounts.passkeys import Credential, keep_passkey
from farebox.accounts.people_models import FactorRow, IdentityRow, PersonRow
from farebox.accounts.recovery import (
    count_recovery_codes,
    delete_recovery_codes,
    make_recovery_codes,
    use_recovery_code,
)
from farebox.accounts.totp import DIGITS, check_totp, confirm_waiting
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.settings import Settings

MOST: Final = 10
"""Authenticator apps and passkeys of one person."""


@dataclass(frozen=True, slots=True)
class Factor:
    """An authenticator app (`totp`) or a `passkey` that counts."""

    id: UUID
    kind: str
    name: str
    created_at: datetime
    used_at: datetime | None


async def list_factors(work: UnitOfWork, person_id: UUID) -> list[Factor]:
    """What counts, oldest first."""
    rows = await work.session.scalars(
        select(FactorRow)
        .where(FactorRow.person_id == person_id, FactorRow.confirmed_at.is_not(None))
        .order_by(FactorRow.id)
    )
    return [Factor(row.id, row.kind, row.name, row.created_at, row.used_at) for row in rows]


async def get_factor(work: UnitOfWork, person_id: UUID, factor_id: UUID) -> Factor:
    """Raises: FactorNotFound."""
    for factor in await list_factors(work, person_id):
        if factor.id == factor_id:
            return factor
    raise FactorNotFound


async def check_room(work: UnitOfWork, person_id: UUID) -> None:
    """Raises `TooManyFactors` for who has as many as there may be. One after the other: the person's row is locked."""
    await work.session.execute(select(PersonRow.id).where(PersonRow.id == person_id).with_for_update())
    if len(await list_factors(work, person_id)) >= MOST:
        raise TooManyFactors(most=MOST)


async def confirm_totp(
    work: UnitOfWork, person_id: UUID, factor_id: UUID, code: str, *, secrets: Secrets
) -> list[str] | None:
    """Let an authenticator app count, if the code is one of its codes.

    Returns:
        Recovery codes, for the first factor; for further ones none. `None`: the code is wrong.

    Raises:
        FactorNotFound: nothing waits to be confirmed under this id.
        TooManyFactors: there are as many as there may be.
    """
    await check_room(work, person_id)
    if not await confirm_waiting(work, person_id, factor_id, code, secrets=secrets):
        return None
    work.publish(FactorAdded(user_id=person_id, occasion=new_id(), kind="totp"))
    return await _first_recovery_codes(work, person_id, secrets=secrets)


async def add_passkey(
    work: UnitOfWork, person_id: UUID, credential: Credential, name: str, *, settings: Settings, secrets: Secrets
) -> list[str]:
    """Keep a passkey that the browser has made.

    Returns:
        Recovery codes, for the first factor; for further ones none.

    Raises:
        PasskeyRefused: it was made for something else, or for somebody else, or is known already.
        TooManyFactors: there are as many as there may be.
    """
    await check_room(work, person_id)
    await keep_passkey(work, person_id, credential, name, settings=settings)
    work.publish(FactorAdded(user_id=person_id, occasion=new_id(), kind="passkey"))
    return await _first_recovery_codes(work, person_id, secrets=secrets)


async def renew_recovery_codes(work: UnitOfWork, person_id: UUID, *, secrets: Secrets) -> list[str]:
    """New recovery codes in the place of the old ones.

    Raises:
        FactorNotFound: there is nothing that they could stand in for.
    """
    if not await list_factors(work, person_id):
        raise FactorNotFound
    work.publish(RecoveryCodesRenewed(user_id=person_id, occasion=new_id()))
    return await make_recovery_codes(work, person_id, secrets=secrets)


async def _first_recovery_codes(work: UnitOfWork, person_id: UUID, *, secrets: Secrets) -> list[str]:
    """Recovery codes for who has just got a second factor and has none; else an empty list."""
    await work.session.flush()
    if await count_recovery_codes(work, person_id):
        return []
    return await make_recovery_codes(work, person_id, secrets=secrets)


async def rename_factor(work: UnitOfWork, person_id: UUID, factor_id: UUID, name: str) -> None:
    """Raises: FactorNotFound."""
    renamed = await work.session.execute(
        update(FactorRow)
        .where(FactorRow.id == factor_id, FactorRow.person_id == person_id, FactorRow.confirmed_at.is_not(None))
        .values(name=name)
        .returning(FactorRow.id)
        .execution_options(synchronize_session=False)
    )
    if renamed.one_or_none() is None:
        raise FactorNotFound


async def remove_factor(work: UnitOfWork, person_id: UUID, factor_id: UUID) -> Factor:
    """Remove a factor; with the last one its recovery codes go. Returns what it was.

    Raises:
        FactorNotFound: this person has no such factor.
        FactorNeeded: it is the last one of somebody who must have one.
    """
    await work.session.execute(select(PersonRow.id).where(PersonRow.id == person_id).with_for_update())
    factors = await list_factors(work, person_id)
    gone = next((factor for factor in factors if factor.id == factor_id), None)
    if gone is None:
        raise FactorNotFound
    is_last = len(factors) == 1
    if is_last and await must_have_second_factor(work, person_id):
        raise FactorNeeded
    await work.session.execute(delete(FactorRow).where(FactorRow.id == factor_id))
    work.publish(FactorRemoved(user_id=person_id, occasion=new_id(), kind=gone.kind))
    if is_last:
        await delete_recovery_codes(work, person_id)
    return gone


async def needs_second_factor(work: UnitOfWork, person_id: UUID) -> frozenset[str]:
    """The kinds of second factor that this person has, one of which is asked for after the password.

    Of `totp`, `passkey` and `recovery-code`; empty when none is asked for.
    """
    kinds = await work.session.scalars(
        select(FactorRow.kind).where(FactorRow.person_id == person_id, FactorRow.confirmed_at.is_not(None)).distinct()
    )
    found = frozenset(kinds)
    if found and await count_recovery_codes(work, person_id):
        return found | {"recovery-code"}
    return found


async def check_second_factor(work: UnitOfWork, person_id: UUID, proof: str, *, secrets: Secrets) -> str | None:
    """Which proof a code is: `totp`, or `recovery-code`; `None` when it is neither. A right code is used up.

    Wrong codes are the caller's to count.

    Args:
        proof: six digits of an authenticator app, or a recovery code, as typed.
    """
    typed = proof.strip()[:100].replace(" ", "")
    if typed.isdecimal() and len(typed) == DIGITS:
        return "totp" if await check_totp(work, person_id, typed, secrets=secrets) else None
    return "recovery-code" if await use_recovery_code(work, person_id, typed, secrets=secrets) else None


async def must_have_second_factor(work: UnitOfWork, person_id: UUID) -> bool:
    """Whether this person's work needs one: an admin of the platform, or staff of an operator that asks for it."""
    asked = select(PersonRow.roles, func.staff_grants(person_id)).where(PersonRow.id == person_id)
    row = (await work.session.execute(asked)).one_or_none()
    if row is None:
        return False
    roles, memberships = row
    return "admin" in roles or any(asks for _, _, asks in memberships or ())


async def list_proofs(work: UnitOfWork, person_id: UUID, *, providers: Collection[str] = ()) -> frozenset[str]:
    """How this person can prove again who they are.

    With a second factor where there is one: who has only a password of somebody must not get further with it. Else
    with the password; without one, at the provider where they sign in (`oidc:<name>`), of those named.
    """
    factors = await needs_second_factor(work, person_id)
    if factors:
        return factors
    password = await work.session.scalar(select(PersonRow.password_hash).where(PersonRow.id == person_id))
    if password is not None:
        return frozenset({"password"})
    linked = await work.session.scalars(select(IdentityRow.provider).where(IdentityRow.person_id == person_id))
    return frozenset(f"oidc:{name}" for name in linked if name in providers)
