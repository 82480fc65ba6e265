"""Identities: people as OpenID providers know them. Issuer and subject are who it is; an address is only told.

An account that was here before is never opened by an address alone. Its owner signs in as always, in the same browser,
and says that the two belong together.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from farebox.accounts.challenges import find_challenge, open_challenge, use_challenge
from farebox.accounts.errors import EmailTaken
from farebox.accounts.factor_errors import (
    IdentityNotFound,
    IdentityTaken,
    LastWayIn,
    LinkOver,
    ProofNotAccepted,
    ProviderSignInExpired,
)
from farebox.accounts.factor_events import IdentityLinked, IdentityUnlinked
from farebox.accounts.factors import list_proofs
from farebox.accounts.oidc import Claims, Handshake
from farebox.accounts.people_models import FactorRow, IdentityRow, PersonRow
from farebox.accounts.person_events import UserRegistered
from farebox.accounts.person_sessions import note_proof
from farebox.accounts.registering import make_person
from farebox.core.crypto import Secrets, token_digest
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id

PLACE: Final = "identity.email"
HANDSHAKE_SECONDS: Final = 600
LINK_SECONDS: Final = 900
BEGUN, TO_LINK = "oidc", "link-identity"

Intent: TypeAlias = Literal["sign-in", "link", "confirm"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A linked account elsewhere. `id` names it in addresses."""

    id: str
    provider: str
    email: str
    created_at: datetime
    used_at: datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in elsewhere that has come back to the browser where it was begun.

    Attributes:
        intent: `sign-in`; `link`: for who has signed in and wants this way too; `confirm`: to prove anew who they are.
        next_path: where the browser was to go afterwards.
        person_id: who had signed in when it was begun.
    """

    handshake: Handshake
    intent: Intent
    next_path: str
    person_id: UUID | None


@dataclass(frozen=True, slots=True, repr=False)
class LinkNeeded:
    """There is an account with this address, whose owner has to say that it is theirs. The token is for the browser."""

    token: str


@dataclass(frozen=True, slots=True, repr=False)
class WaitingLink:
    """What waits to be linked."""

    provider: str
    email: str


async def begin_handshake(
    work: UnitOfWork,
    provider: str,
    *,
    browser: str,
    intent: Intent,
    next_path: str,
    person_id: UUID | None,
    secrets: Secrets,
) -> Handshake:
    """Begin a sign-in elsewhere, for one browser.

    Args:
        browser: a secret in a cookie of the browser; only there the answer is taken.
    """
    state = await open_challenge(
        work,
        BEGUN,
        seconds=HANDSHAKE_SECONDS,
        person_id=person_id,
        data={
            "provider": provider,
            "intent": intent,
            "next": next_path,
            "browser": token_digest(browser).hex(),
        },
    )
    return _handshake(state, secrets)


async def end_handshake(work: UnitOfWork, provider: str, state: str, *, browser: str, secrets: Secrets) -> Begun:
    """The sign-in elsewhere to which an answer belongs; no second answer is taken for it.

    Raises:
        ProviderSignInExpired: none that was begun in this browser with this provider, or no longer.
    """
    begun = await use_challenge(work, state, BEGUN)
    if begun is None or begun.data["provider"] != provider:
        raise ProviderSignInExpired
    if not hmac.compare_digest(str(begun.data["browser"]), token_digest(browser).hex()):
        raise ProviderSignInExpired
    return Begun(_handshake(state, secrets), begun.data["intent"], begun.data["next"], begun.person_id)


async def find_or_make_person(
    work: UnitOfWork, claims: Claims, *, language: str | None, secrets: Secrets
) -> UUID | LinkNeeded:
    """The person whom a provider names; a new address makes a new account."""
    person_id = await _use(work, claims, secrets)
    if person_id is not None:
        return person_id
    try:
        person_id = await make_person(
            work,
            email=claims.email,
            first_name=claims.first_name,
            last_name=claims.last_name,
            verified=True,
            language=language,
            secrets=secrets,
        )
    except EmailTaken:
        person_id = await _use(work, claims, secrets)  # another request of the same person was faster
        if person_id is not None:
            return person_id
        return LinkNeeded(await hold_for_linking(work, claims, secrets=secrets))
    sealed = secrets.encrypt(claims.email, place=PLACE)
    await _link(work, claims.issuer, claims.subject, person_id, claims.provider, sealed)
    work.publish(UserRegistered(user_id=person_id))
    return person_id


async def confirm_with_identity(
    work: UnitOfWork, claims: Claims, person_id: UUID, session_id: UUID, *, secrets: Secrets
) -> None:
    """Somebody who has signed in proves again who they are, at their provider.

    Raises:
        ProofNotAccepted: they have a password or a second factor for that, or this is somebody else.
    """
    proof = f"oidc:{claims.provider}"
    if await _use(work, claims, secrets) != person_id:
        raise ProofNotAccepted
    if proof not in await list_proofs(work, person_id, providers=[claims.provider]):
        raise ProofNotAccepted
    await note_proof(work, session_id, proof)


async def hold_for_linking(work: UnitOfWork, claims: Claims, *, secrets: Secrets) -> str:
    """Keep what a provider said until the owner of an account has said that it is theirs. Returns a token."""
    sealed = base64.b64encode(secrets.encrypt(claims.email, place=PLACE)).decode()
    data = {"provider": claims.provider, "issuer": claims.issuer, "subject": claims.subject, "email": sealed}
    return await open_challenge(work, TO_LINK, seconds=LINK_SECONDS, data=data)


async def find_waiting_link(work: UnitOfWork, token: str, *, secrets: Secrets) -> WaitingLink | None:
    """What waits to be linked in this browser."""
    held = await find_challenge(work, token, TO_LINK)
    if held is None:
        return None
    return WaitingLink(held.data["provider"], secrets.decrypt(base64.b64decode(held.data["email"]), place=PLACE))


async def link_identity(work: UnitOfWork, token: str, person_id: UUID) -> str:
    """Link what waits to the account of who has signed in. Returns the provider's name.

    Raises:
        LinkOver: nothing waits.
        IdentityTaken: it is linked to another account already.
    """
    held = await use_challenge(work, token, TO_LINK)
    if held is None:
        raise LinkOver
    data = held.data
    await _link(work, data["issuer"], data["subject"], person_id, data["provider"], base64.b64decode(data["email"]))
    work.publish(IdentityLinked(user_id=person_id, occasion=new_id(), provider=data["provider"]))
    return str(data["provider"])


async def list_identities(work: UnitOfWork, person_id: UUID, *, secrets: Secrets) -> list[Identity]:
    """A person's linked accounts, oldest first."""
    rows = await work.session.scalars(
        select(IdentityRow)
        .where(IdentityRow.person_id == person_id)
        .order_by(IdentityRow.created_at, IdentityRow.issuer, IdentityRow.subject)
    )
    return [
        Identity(
            _id_of(row.issuer, row.subject),
            row.provider,
            secrets.decrypt(row.email, place=PLACE),
            row.created_at,
            row.used_at,
        )
        for row in rows
    ]


async def get_identity(work: UnitOfWork, person_id: UUID, identity_id: str, *, secrets: Secrets) -> Identity:
    """Raises: IdentityNotFound."""
    for identity in await list_identities(work, person_id, secrets=secrets):
        if identity.id == identity_id:
            return identity
    raise IdentityNotFound


async def unlink_identity(work: UnitOfWork, person_id: UUID, identity_id: str) -> str:
    """Forget a linked account. Returns the provider's name.

    Raises:
        IdentityNotFound: this person has no such one.
        LastWayIn: without it, they could not sign in.
    """
    person = await work.session.scalar(select(PersonRow).where(PersonRow.id == person_id).with_for_update())
    rows = (await work.session.scalars(select(IdentityRow).where(IdentityRow.person_id == person_id))).all()
    gone = next((row for row in rows if _id_of(row.issuer, row.subject) == identity_id), None)
    if person is None or gone is None:
        raise IdentityNotFound
    has_passkey = await work.session.scalar(
        select(FactorRow.id).where(FactorRow.person_id == person_id, FactorRow.kind == "passkey").limit(1)
    )
    if len(rows) == 1 and person.password_hash is None and has_passkey is None:
        raise LastWayIn
    await work.session.execute(
        delete(IdentityRow).where(IdentityRow.issuer == gone.issuer, IdentityRow.subject == gone.subject)
    )
    work.publish(IdentityUnlinked(user_id=person_id, occasion=new_id(), provider=gone.provider))
    return gone.provider


async def _use(work: UnitOfWork, claims: Claims, secrets: Secrets) -> UUID | None:
    """Whose identity this is, and note that it was used; the address is noted as the provider has it now."""
    used = await work.session.execute(
        update(IdentityRow)
        .where(
            IdentityRow.issuer == claims.issuer,
            IdentityRow.subject == claims.subject,
            IdentityRow.person_id == PersonRow.id,
            PersonRow.erased_at.is_(None),
        )
        .values(used_at=work.now, email=secrets.encrypt(claims.email, place=PLACE))
        .returning(IdentityRow.person_id)
        .execution_options(synchronize_session=False)
    )
    return used.scalar_one_or_none()


async def _link(
    work: UnitOfWork, issuer: str, subject: str, person_id: UUID, provider: str, sealed_email: bytes
) -> None:
    values = {
        "issuer": issuer,
        "subject": subject,
        "person_id": person_id,
        "provider": provider,
        "email": sealed_email,
        "created_at": work.now,
        "used_at": work.now,
    }
    statement = insert(IdentityRow).values(values)
    linked = await work.session.scalar(
        statement.on_conflict_do_update(
            index_elements=["issuer", "subject"],
            set_={"used_at": work.now},
            where=IdentityRow.person_id == person_id,
        ).returning(IdentityRow.person_id)
    )
    if linked is None:
        raise IdentityTaken


def _handshake(state: str, secrets: Secrets) -> Handshake:
    """Nonce and verifier come from the state and a key that stays here, so they need not be kept."""

    def made(purpose: str) -> str:
        digest = hmac.digest(secrets.derive("oidc"), f"{purpose}:{state}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    return Handshake(state, made("nonce"), made("verifier"))


def _id_of(issuer: str, subject: str) -> str:
    return hashlib.sha256(f"{issuer}\0{subject}".encode()).hexdigest()[:32]
