"""Proving again who one is, for what matters: within one's session, which then counts as proved now.

These begin their units of work themselves, as signing in does: a try counts though the request is refused.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from farebox.accounts.attempts import attempt_key, forget_failures, note_failure
from farebox.accounts.errors import InvalidCredentials, WrongCode
from farebox.accounts.factor_errors import ProofNotAccepted
from farebox.accounts.factors import check_second_factor, list_proofs
from farebox.accounts.passkeys import Credential, check_passkey
from farebox.accounts.passwords import Passwords
from farebox.accounts.people import email_key, get_person
from farebox.accounts.people_models import PersonRow
from farebox.accounts.person_sessions import note_proof
from farebox.core.crypto import Secrets
from farebox.core.db import Database
from farebox.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Signed:
    """Whose session it is that is to count as proved."""

    person_id: UUID
    session_id: UUID


async def confirm_with_password(
    database: Database, who: Signed, password: str, *, passwords: Passwords, secrets: Secrets
) -> str:
    """Returns the name of the proof.

    Raises:
        ProofNotAccepted: they have a second factor, or no password.
        InvalidCredentials: it is not their password.
        TooManyAttempts: it was wrong too often.
    """
    async with database.begin() as work:
        if "password" not in await list_proofs(work, who.person_id):
            raise ProofNotAccepted
        person = await get_person(work, who.person_id, secrets=secrets)
        key = attempt_key(secrets, f"password:{email_key(person.email)}")
        await note_failure(work, key)
        kept = await work.session.scalar(select(PersonRow.password_hash).where(PersonRow.id == who.person_id))
    if not await passwords.verify(kept, password):
        raise InvalidCredentials
    async with database.begin() as work:
        await forget_failures(work, key)
        await note_proof(work, who.session_id, "password")
    return "password"


async def confirm_with_code(database: Database, who: Signed, code: str, *, secrets: Secrets) -> str:
    """With a code of the authenticator app, or a recovery code. Returns the name of the proof.

    Raises:
        WrongCode: it is neither, or was used before.
        TooManyAttempts: it was wrong too often.
    """
    key = attempt_key(secrets, f"second-factor:{who.person_id}")
    async with database.begin() as work:
        await note_failure(work, key)
    async with database.begin() as work:
        proof = await check_second_factor(work, who.person_id, code, secrets=secrets)
        if proof is None:
            raise WrongCode
        await forget_failures(work, key)
        await note_proof(work, who.session_id, proof)
    return proof


async def confirm_with_passkey(database: Database, who: Signed, credential: Credential, *, settings: Settings) -> str:
    """Returns the name of the proof.

    Raises:
        PasskeyRefused: it is none of theirs, or signed something else.
    """
    async with database.begin() as work:
        await check_passkey(work, who.person_id, credential, settings=settings)
        await note_proof(work, who.session_id, "passkey")
    return "passkey"
