"""Signing in: the password, the second factor where there is one, and the session that comes of it.

These functions begin their units of work themselves. A try counts though the request is refused; and no connection to
the database is held while a password is checked, which takes as long as many statements.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from farebox.accounts.attempts import attempt_key, forget_failures, note_failure
from farebox.accounts.challenges import find_challenge, open_challenge, try_challenge, use_challenge
from farebox.accounts.errors import ChallengeExpired, EmailNotVerified, InvalidCredentials, WrongCode
from farebox.accounts.factors import check_second_factor, needs_second_factor
from farebox.accounts.passwords import Passwords
from farebox.accounts.people import Person, email_key, get_person
from farebox.accounts.people_models import PersonRow
from farebox.accounts.person_events import UserLoggedIn
from farebox.accounts.person_sessions import (
    OpenedSession,
    SessionKind,
    end_session_of_token,
    is_known_device,
    open_person_session,
)
from farebox.core.crypto import Secrets
from farebox.core.db import Database, UnitOfWork
from farebox.core.settings import Settings

CHALLENGE: Final = "second-factor"
CHALLENGE_SECONDS: Final = 600


@dataclass(frozen=True, slots=True, repr=False)
class Client:
    """From where somebody signs in.

    Attributes:
        device, place: as their owner will see them in the list of sessions.
        replaces: the token that the browser had; if it is of a session, that ends, so nobody who knew it gets in.
    """

    kind: SessionKind
    device: str = ""
    place: str = ""
    replaces: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class SignedIn:
    person: Person
    session: OpenedSession


@dataclass(frozen=True, slots=True, repr=False)
class SecondFactorNeeded:
    """Half signed in. The token goes into `finish_sign_in` together with a code of one of the `factors`."""

    challenge_token: str
    factors: frozenset[str]


async def sign_in(
    database: Database,
    email: str,
    password: str,
    *,
    client: Client,
    passwords: Passwords,
    settings: Settings,
    secrets: Secrets,
) -> SignedIn | SecondFactorNeeded:
    """Sign in with a password.

    Raises:
        InvalidCredentials: no such account, a wrong password, or an account without one; alike in every way.
        TooManyAttempts: so it was too often for this address lately, whether there is an account or not.
        EmailNotVerified: the password is right, but the address was never confirmed.
        Busy: too many are signing in at this moment.
    """
    key = attempt_key(secrets, f"password:{email_key(email)}")
    async with database.begin() as work:
        await note_failure(work, key)
        found = await work.session.execute(
            select(PersonRow.id, PersonRow.password_hash).where(
                PersonRow.email_index.in_(secrets.blind_indexes(email_key(email))), PersonRow.erased_at.is_(None)
            )
        )
        person_id, kept = found.one_or_none() or (None, None)
    if not await passwords.verify(kept, password) or kept is None or person_id is None:
        raise InvalidCredentials
    newer = await passwords.hash(password) if passwords.is_outdated(kept) else kept
    async with database.begin() as work:
        await forget_failures(work, key)
        # what was just checked must still hold: the password may have been changed meanwhile
        verified_at = await work.session.execute(
            update(PersonRow)
            .where(PersonRow.id == person_id, PersonRow.password_hash == kept)
            .values(password_hash=newer)
            .returning(PersonRow.email_verified_at)
        )
        row = verified_at.one_or_none()
        if row is None:
            raise InvalidCredentials
        if row[0] is not None:
            return await admit(work, person_id, proved={"password"}, client=client, settings=settings, secrets=secrets)
    raise EmailNotVerified


async def admit(
    work: UnitOfWork, person_id: UUID, *, proved: Collection[str], client: Client, settings: Settings, secrets: Secrets
) -> SignedIn | SecondFactorNeeded:
    """Let somebody in who has given a first proof, or ask for the second where they have a factor.

    Args:
        proved: what was proved: `password`, `oidc:<provider>`; or `passkey`, which is two in one.

    Raises:
        PersonNotFound: erased meanwhile.
    """
    factors = frozenset() if "passkey" in proved else await needs_second_factor(work, person_id)
    if factors:
        data = {"proved": sorted(proved), "kind": client.kind}
        token = await open_challenge(work, CHALLENGE, seconds=CHALLENGE_SECONDS, person_id=person_id, data=data)
        return SecondFactorNeeded(token, factors)
    return await _open(work, person_id, proved=proved, client=client, settings=settings, secrets=secrets)


async def finish_sign_in(
    database: Database, challenge_token: str, proof: str, *, client: Client, settings: Settings, secrets: Secrets
) -> SignedIn:
    """The second step: a code of the authenticator app, or a recovery code.

    Raises:
        ChallengeExpired: the first step is too long ago, was finished, or had five wrong codes.
        TooManyAttempts: codes were wrong too often for this account.
        WrongCode: it may be tried again.
    """
    async with database.begin() as work:
        challenge = await try_challenge(work, challenge_token, CHALLENGE)
        if challenge is None or challenge.person_id is None:
            raise ChallengeExpired
        person_id = challenge.person_id
        key = attempt_key(secrets, f"second-factor:{person_id}")
        await note_failure(work, key)
    async with database.begin() as work:
        second = await check_second_factor(work, person_id, proof, secrets=secrets)
        if second is None:
            raise WrongCode
        if await use_challenge(work, challenge_token, CHALLENGE) is None:
            raise ChallengeExpired
        await forget_failures(work, key)
        proved = {*challenge.data["proved"], second}
        return await _open(work, person_id, proved=proved, client=client, settings=settings, secrets=secrets)


async def find_second_factors(work: UnitOfWork, challenge_token: str) -> frozenset[str] | None:
    """What may be given in the second step; `None` where the first is too long ago."""
    challenge = await find_challenge(work, challenge_token, CHALLENGE)
    if challenge is None or challenge.person_id is None:
        return None
    return await needs_second_factor(work, challenge.person_id)


async def _open(
    work: UnitOfWork, person_id: UUID, *, proved: Collection[str], client: Client, settings: Settings, secrets: Secrets
) -> SignedIn:
    person = await get_person(work, person_id, secrets=secrets)
    earlier = await work.session.scalar(select(PersonRow.signed_in_at).where(PersonRow.id == person_id))
    # the first sign-in of all is no news
    is_new_device = earlier is not None and not await is_known_device(work, person_id, client.device)
    if client.replaces:
        await end_session_of_token(work, client.replaces)
    session = await open_person_session(
        work,
        person_id,
        kind=client.kind,
        proved=proved,
        device=client.device,
        place=client.place,
        settings=settings,
    )
    await work.session.execute(update(PersonRow).where(PersonRow.id == person_id).values(signed_in_at=work.now))
    work.publish(UserLoggedIn(user_id=person_id, session_id=session.id, is_new_device=is_new_device))
    return SignedIn(person, session)
