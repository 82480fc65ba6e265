"""Passkeys (WebAuthn): kept by the phone, the computer or a key, and unlocked there by finger, face or PIN.

So a passkey alone is two proofs: the device, and who unlocked it. The site is known to it by its name, so that a page
that only looks like ours gets nothing. What the browser is asked to sign is a challenge's token, good once and for
minutes.
"""

import ipaddress
import json
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from farebox.accounts.challenges import open_challenge, use_challenge
from farebox.accounts.factor_errors import PasskeyRefused, PasskeysUnavailable
from farebox.accounts.people_models import FactorRow, PersonRow
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.settings import Settings

log = structlog.get_logger("farebox.accounts")

CHALLENGE_SECONDS: Final = 300
REGISTER, SIGN_IN, CONFIRM = "passkey-register", "passkey-sign-in", "passkey-confirm"
TRANSPORTS: Final = frozenset(each.value for each in AuthenticatorTransport)

Credential: TypeAlias = dict[str, Any]
"""What a browser made: the JSON form of a `PublicKeyCredential`."""


@dataclass(frozen=True, slots=True)
class Site:
    """What browsers call us.

    Attributes:
        rp_id: the name to which passkeys are bound.
        origin: where pages must come from.
    """

    rp_id: str
    origin: str


def find_site(settings: Settings) -> Site | None:
    """Us, as passkeys know us; `None` where they cannot: at an IP address.

    A machine of one's own, which most open at its number, is known by its name `localhost`.
    """
    address = urlsplit(settings.base_url)
    host = address.hostname or ""
    port = f":{address.port}" if address.port else ""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        return Site(host, f"{address.scheme}://{address.netloc.lower()}")
    return Site("localhost", f"{address.scheme}://localhost{port}") if is_loopback else None


async def begin_passkey(
    work: UnitOfWork, person_id: UUID, *, email: str, full_name: str, settings: Settings
) -> dict[str, Any]:
    """What the browser is to be asked for, so that it makes a new passkey (`navigator.credentials.create`).

    Raises:
        PasskeysUnavailable: this site has no name.
    """
    site = _site(settings)
    token = await open_challenge(work, REGISTER, seconds=CHALLENGE_SECONDS, person_id=person_id)
    options = generate_registration_options(
        rp_id=site.rp_id,
        rp_name="Farebox",
        user_id=person_id.bytes,
        user_name=email,
        user_display_name=full_name,
        challenge=token.encode(),
        timeout=CHALLENGE_SECONDS * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=await _credentials_of(work, person_id),
    )
    return _told(options_to_json(options))


async def keep_passkey(
    work: UnitOfWork, person_id: UUID, credential: Credential, name: str, *, settings: Settings
) -> None:
    """Keep a passkey that the browser has made.

    Raises:
        PasskeyRefused: it was made for something else, or for somebody else, or is known already.
    """
    site = _site(settings)
    token = _challenge_of(credential)
    challenge = await use_challenge(work, token, REGISTER)
    if challenge is None or challenge.person_id != person_id:
        raise PasskeyRefused
    made = _verified_registration(credential, token, site)
    given = credential.get("response", {}).get("transports", [])
    row = FactorRow(
        id=new_id(),
        person_id=person_id,
        kind="passkey",
        name=name,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=sorted(TRANSPORTS.intersection(map(str, given))) if isinstance(given, list) else [],
        created_at=work.now,
        confirmed_at=work.now,
    )
    try:
        async with work.session.begin_nested():
            work.session.add(row)
    except IntegrityError:
        raise PasskeyRefused from None


async def begin_passkey_sign_in(work: UnitOfWork, *, settings: Settings) -> dict[str, Any]:
    """What the browser is to be asked for, so that somebody signs in (`navigator.credentials.get`).

    It names nobody: the device offers what it has for this site.

    Raises:
        PasskeysUnavailable: this site has no name.
    """
    token = await open_challenge(work, SIGN_IN, seconds=CHALLENGE_SECONDS)
    return _asked(_site(settings), token, [])


async def finish_passkey_sign_in(work: UnitOfWork, credential: Credential, *, settings: Settings) -> UUID:
    """Whose passkey signed; it counts as used.

    Raises:
        PasskeyRefused: it proves nobody.
    """
    return await _finish(work, credential, SIGN_IN, settings)


async def begin_passkey_confirmation(work: UnitOfWork, person_id: UUID, *, settings: Settings) -> dict[str, Any]:
    """As `begin_passkey_sign_in`, for somebody who has signed in and is to prove again who they are."""
    token = await open_challenge(work, CONFIRM, seconds=CHALLENGE_SECONDS, person_id=person_id)
    return _asked(_site(settings), token, await _credentials_of(work, person_id))


async def check_passkey(work: UnitOfWork, person_id: UUID, credential: Credential, *, settings: Settings) -> None:
    """Raises `PasskeyRefused` unless this person's passkey signed what `begin_passkey_confirmation` asked."""
    if await _finish(work, credential, CONFIRM, settings, of=person_id) != person_id:
        raise PasskeyRefused


def read_credential(text: str) -> Credential:
    """A credential as a form carries it.

    Raises:
        PasskeyRefused: it is none.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise PasskeyRefused from None
    if not isinstance(found, dict):
        raise PasskeyRefused
    return found


async def _finish(
    work: UnitOfWork, credential: Credential, purpose: str, settings: Settings, *, of: UUID | None = None
) -> UUID:
    site = _site(settings)
    token = _challenge_of(credential)
    challenge = await use_challenge(work, token, purpose)
    if challenge is None or challenge.person_id != of:
        raise PasskeyRefused
    row = await work.session.scalar(
        select(FactorRow)
        .join(PersonRow, PersonRow.id == FactorRow.person_id)
        .where(
            FactorRow.credential_id == _id_of(credential),
            FactorRow.confirmed_at.is_not(None),
            PersonRow.erased_at.is_(None),
        )
        .with_for_update(of=FactorRow)
    )
    if row is None:
        raise PasskeyRefused
    verified = _verified_use(credential, token, site, row)
    row.sign_count, row.used_at = verified.new_sign_count, work.now
    return row.person_id


def _verified_registration(credential: Credential, token: str, site: Site) -> VerifiedRegistration:
    try:
        return verify_registration_response(
            credential=credential,
            expected_challenge=token.encode(),
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except Exception as error:  # what is sent is taken apart by parsers that raise each their own
        log.info("passkey-refused", reason=str(error))
        raise PasskeyRefused from None


def _verified_use(credential: Credential, token: str, site: Site, row: FactorRow) -> VerifiedAuthentication:
    """The library compares the count of signatures too: one that went back is a copied key."""
    try:
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=token.encode(),
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=row.public_key or b"",
            credential_current_sign_count=row.sign_count or 0,
            require_user_verification=True,
        )
        handle = credential["response"].get("userHandle")
        if handle and base64url_to_bytes(handle) != row.person_id.bytes:
            raise PasskeyRefused
    except Exception as error:  # as above
        log.info("passkey-refused", reason=str(error))
        raise PasskeyRefused from None
    return verified


def _challenge_of(credential: Credential) -> str:
    """The token that was signed, as the browser says; that it was signed is checked later."""
    try:
        client_data = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
        return base64url_to_bytes(client_data["challenge"]).decode()
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise PasskeyRefused from None


def _id_of(credential: Credential) -> bytes:
    try:
        return base64url_to_bytes(credential["id"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise PasskeyRefused from None


def _asked(site: Site, token: str, credentials: list[PublicKeyCredentialDescriptor]) -> dict[str, Any]:
    options = generate_authentication_options(
        rp_id=site.rp_id,
        challenge=token.encode(),
        timeout=CHALLENGE_SECONDS * 1000,
        allow_credentials=credentials,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _told(options_to_json(options))


async def _credentials_of(work: UnitOfWork, person_id: UUID) -> list[PublicKeyCredentialDescriptor]:
    rows = await work.session.scalars(
        select(FactorRow).where(FactorRow.person_id == person_id, FactorRow.credential_id.is_not(None))
    )
    return [
        PublicKeyCredentialDescriptor(
            id=row.credential_id or b"", transports=[AuthenticatorTransport(each) for each in row.transports]
        )
        for row in rows
    ]


def _site(settings: Settings) -> Site:
    site = find_site(settings)
    if site is None:
        raise PasskeysUnavailable
    return site


def _told(options: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(options)
    return told
