"""Signing in without a password: with a passkey, or with what another provider says."""

from farebox.accounts.identities import LinkNeeded, find_or_make_person
from farebox.accounts.oidc import Claims
from farebox.accounts.passkeys import Credential, finish_passkey_sign_in
from farebox.accounts.signing_in import Client, SecondFactorNeeded, SignedIn, admit
from farebox.core.crypto import Secrets
from farebox.core.db import Database
from farebox.core.settings import Settings


async def sign_in_with_passkey(
    database: Database, credential: Credential, *, client: Client, settings: Settings, secrets: Secrets
) -> SignedIn:
    """Sign in with a passkey, which needs nothing beside it.

    Raises:
        PasskeyRefused: it proves nobody.
    """
    async with database.begin() as work:
        person_id = await finish_passkey_sign_in(work, credential, settings=settings)
        outcome = await admit(work, person_id, proved={"passkey"}, client=client, settings=settings, secrets=secrets)
    assert isinstance(outcome, SignedIn), "a passkey is the second proof too"
    return outcome


async def sign_in_elsewhere(
    database: Database, claims: Claims, *, client: Client, language: str, settings: Settings, secrets: Secrets
) -> SignedIn | SecondFactorNeeded | LinkNeeded:
    """Sign in as whom a provider names. A new address makes a new account.

    Args:
        language: the browser's, for a new account.
    """
    async with database.begin() as work:
        person = await find_or_make_person(work, claims, language=language, secrets=secrets)
        if isinstance(person, LinkNeeded):
            return person
        proved = {f"oidc:{claims.provider}"}
        return await admit(work, person, proved=proved, client=client, settings=settings, secrets=secrets)
