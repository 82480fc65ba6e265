"""Second factors, passkeys, linked accounts, and proving again who one is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar import Request as HTTPRequest
from litestar.di import Provide
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from farebox import accounts
from farebox.accounts import (
    Actor,
    Factor,
    FactorNeeded,
    FactorNotFound,
    Identity,
    IdentityNotFound,
    InvalidCredentials,
    LastWayIn,
    PasskeyRefused,
    PasskeysUnavailable,
    ProofNotAccepted,
    Signed,
    StepUpRequired,
    TooManyAttempts,
    TooManyFactors,
    WrongCode,
)
from farebox.api.auth import client_of, welcome
from farebox.api.auth_wire import TokensView
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.wire import PRIVATE, Request, Wire
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.edge.dependencies import provide_actor_alone
from farebox.wiring import Services

Name = Annotated[str, Meta(examples=["My phone"], min_length=1, max_length=60)]
Credential = Annotated[
    dict[str, Any], Meta(description="What the browser made: `PublicKeyCredential.toJSON()`.", examples=[{}])
]
STEP_UP = {"step_up": True}


class NameRequest(Request):
    name: Name


class CodeRequest(Request):
    code: Annotated[str, Meta(examples=["123456"], max_length=100)]


class PasskeyRequest(Request):
    name: Name
    credential: Credential


class ConfirmRequest(Request):
    """One of the three."""

    password: Annotated[str, Meta(max_length=1000)] | None = None
    code: Annotated[str, Meta(examples=["123456"], max_length=100)] | None = None
    credential: Credential | None = None


class PasskeySignInRequest(Request):
    """`client`: `app` gets the refresh token in the body, others in a cookie."""

    credential: Credential
    client: Literal["app", "browser"] = "browser"


class FactorView(Wire):
    factor_id: UUID
    kind: Annotated[str, Meta(examples=["totp"], description="`totp`: an authenticator app; `passkey`.")]
    name: Annotated[str, Meta(examples=["My phone"])]
    created_at: datetime
    used_at: datetime | None

    @classmethod
    def of(cls, factor: Factor) -> "FactorView":
        return cls(
            factor_id=factor.id,
            kind=factor.kind,
            name=factor.name,
            created_at=factor.created_at,
            used_at=factor.used_at,
        )


class FactorsView(Wire):
    """What may be asked for beside the password. `isRequired`: the person's work needs one."""

    items: list[FactorView]
    recovery_codes_left: int
    is_required: bool


class TotpSetupView(Wire):
    """For the authenticator app: `uri` as a QR code, or `secret` to be typed. It counts once a code confirmed it."""

    factor_id: UUID
    secret: Annotated[str, Meta(examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])]
    uri: Annotated[
        str, Meta(examples=["otpauth://totp/Farebox:an%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Farebox"])
    ]


class RecoveryCodesView(Wire):
    """Told this once; each works once. Empty where the person has some already."""

    recovery_codes: Annotated[list[str], Meta(examples=[["7k2mq-x93bd"]])]


class IdentityView(Wire):
    """A linked account at another provider."""

    identity_id: str
    provider: Annotated[str, Meta(examples=["google"])]
    email: Annotated[str, Meta(examples=["an@example.com"])]
    created_at: datetime
    used_at: datetime

    @classmethod
    def of(cls, identity: Identity) -> "IdentityView":
        return cls(
            identity_id=identity.id,
            provider=identity.provider,
            email=identity.email,
            created_at=identity.created_at,
            used_at=identity.used_at,
        )


class IdentitiesView(Wire):
    items: list[IdentityView]


class ProofsView(Wire):
    """How this person can prove again who they are."""

    proofs: Annotated[list[str], Meta(examples=[["recovery-code", "totp"]])]


class ConfirmedView(Wire):
    proof: Annotated[str, Meta(examples=["totp"])]


class FactorsController(Controller):
    """What else than a password proves who somebody is. Changes need a proof of the last minutes: `/auth/confirm`."""

    path = "/auth"
    tags = ("People",)
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @get("/factors", summary="List second factors", operation_id="listFactors")
    async def factors(self, work: UnitOfWork, actor: Actor) -> FactorsView:
        person_id = _person_of(actor)
        return FactorsView(
            items=_views(await accounts.list_factors(work, person_id)),
            recovery_codes_left=await accounts.count_recovery_codes(work, person_id),
            is_required=await accounts.must_have_second_factor(work, person_id),
        )

    @post(
        "/factors/totp",
        summary="Begin with an authenticator app",
        operation_id="beginTotp",
        opt=STEP_UP,
        responses=problems(StepUpRequired, *IDEMPOTENT),
    )
    async def begin_totp(self, data: NameRequest, work: UnitOfWork, actor: Actor, services: Services) -> TotpSetupView:
        person = await accounts.get_person(work, _person_of(actor), secrets=services.secrets)
        setup = await accounts.begin_totp(work, person.id, data.name, account=person.email, secrets=services.secrets)
        return TotpSetupView(factor_id=setup.factor_id, secret=setup.secret, uri=setup.uri)

    @post(
        "/factors/totp/{factor_id:uuid}/confirm",
        summary="Confirm an authenticator app with its first code",
        operation_id="confirmTotp",
        status_code=HTTP_200_OK,
        responses=problems(FactorNotFound, TooManyFactors, WrongCode, *IDEMPOTENT),
    )
    async def confirm_totp(
        self, factor_id: UUID, data: CodeRequest, work: UnitOfWork, actor: Actor, services: Services
    ) -> RecoveryCodesView:
        """From now on it is asked for at sign-in. The session counts as proved with it."""
        codes = await accounts.confirm_totp(work, _person_of(actor), factor_id, data.code, secrets=services.secrets)
        if codes is None:
            raise WrongCode
        await accounts.note_proof(work, _session_of(actor), "totp")
        return RecoveryCodesView(recovery_codes=codes)

    @patch(
        "/factors/{factor_id:uuid}",
        summary="Rename a second factor",
        operation_id="renameFactor",
        responses=problems(FactorNotFound, *IDEMPOTENT),
    )
    async def rename(self, factor_id: UUID, data: NameRequest, work: UnitOfWork, actor: Actor) -> FactorView:
        await accounts.rename_factor(work, _person_of(actor), factor_id, data.name)
        return FactorView.of(await accounts.get_factor(work, _person_of(actor), factor_id))

    @delete(
        "/factors/{factor_id:uuid}",
        summary="Remove a second factor",
        operation_id="removeFactor",
        opt=STEP_UP,
        responses=problems(FactorNotFound, FactorNeeded, StepUpRequired, *IDEMPOTENT),
    )
    async def remove(self, factor_id: UUID, work: UnitOfWork, actor: Actor) -> None:
        await accounts.remove_factor(work, _person_of(actor), factor_id)

    @post(
        "/recovery-codes",
        summary="Make new recovery codes",
        operation_id="renewRecoveryCodes",
        opt=STEP_UP,
        responses=problems(FactorNotFound, StepUpRequired, *IDEMPOTENT),
    )
    async def renew_codes(self, work: UnitOfWork, actor: Actor, services: Services) -> RecoveryCodesView:
        """The old ones stop working."""
        codes = await accounts.renew_recovery_codes(work, _person_of(actor), secrets=services.secrets)
        return RecoveryCodesView(recovery_codes=codes)

    @post(
        "/passkeys/options",
        summary="Begin with a passkey",
        operation_id="beginPasskey",
        opt=STEP_UP,
        status_code=HTTP_200_OK,
        responses=problems(PasskeysUnavailable, StepUpRequired, *IDEMPOTENT),
    )
    async def begin_passkey(self, work: UnitOfWork, actor: Actor, services: Services) -> dict[str, Any]:
        """For `navigator.credentials.create`, after `PublicKeyCredential.parseCreationOptionsFromJSON`."""
        person = await accounts.get_person(work, _person_of(actor), secrets=services.secrets)
        return await accounts.begin_passkey(
            work,
            person.id,
            email=person.email,
            full_name=f"{person.first_name} {person.last_name}".strip(),
            settings=services.settings,
        )

    @post(
        "/passkeys",
        summary="Add a passkey",
        operation_id="addPasskey",
        opt=STEP_UP,
        responses=problems(PasskeyRefused, PasskeysUnavailable, StepUpRequired, TooManyFactors, *IDEMPOTENT),
    )
    async def add_passkey(
        self, data: PasskeyRequest, work: UnitOfWork, actor: Actor, services: Services
    ) -> RecoveryCodesView:
        """What `navigator.credentials.create` gave for the options. It may be used to sign in from now on."""
        codes = await accounts.add_passkey(
            work,
            _person_of(actor),
            data.credential,
            data.name,
            settings=services.settings,
            secrets=services.secrets,
        )
        await accounts.note_proof(work, _session_of(actor), "passkey")
        return RecoveryCodesView(recovery_codes=codes)

    @get("/identities", summary="List linked accounts", operation_id="listIdentities")
    async def identities(self, work: UnitOfWork, actor: Actor, services: Services) -> IdentitiesView:
        found = await accounts.list_identities(work, _person_of(actor), secrets=services.secrets)
        return IdentitiesView(items=[IdentityView.of(each) for each in found])

    @delete(
        "/identities/{identity_id:str}",
        summary="Unlink an account",
        operation_id="unlinkIdentity",
        opt=STEP_UP,
        responses=problems(IdentityNotFound, LastWayIn, StepUpRequired, *IDEMPOTENT),
    )
    async def unlink(self, identity_id: str, work: UnitOfWork, actor: Actor) -> None:
        await accounts.unlink_identity(work, _person_of(actor), identity_id)


class PasskeySignInController(Controller):
    """Signing in with a passkey alone: the device has it, and its owner unlocked it."""

    path = "/auth/passkeys/sign-in"
    tags = ("People",)
    opt = {"access": "public", "rate": "sign-in"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE
    dependencies = {"actor": Provide(provide_actor_alone)}  # noqa: RUF012

    @post(
        "/options",
        summary="Begin to sign in with a passkey",
        operation_id="beginPasskeySignIn",
        status_code=HTTP_200_OK,
        responses=problems(PasskeysUnavailable),
    )
    async def options(self, services: Services) -> dict[str, Any]:
        """For `navigator.credentials.get`, after `PublicKeyCredential.parseRequestOptionsFromJSON`. Five minutes."""
        async with services.database.begin() as work:
            return await accounts.begin_passkey_sign_in(work, settings=services.settings)

    @post(
        summary="Sign in with a passkey",
        operation_id="signInWithPasskey",
        status_code=HTTP_200_OK,
        responses=problems(PasskeyRefused, PasskeysUnavailable),
    )
    async def sign_in(
        self, request: HTTPRequest[Any, Any, Any], data: PasskeySignInRequest, actor: Actor, services: Services
    ) -> Response[TokensView]:
        """What `navigator.credentials.get` gave for the options. It counts as a second factor."""
        signed_in = await accounts.sign_in_with_passkey(
            services.database,
            data.credential,
            client=client_of(request, services),
            settings=services.settings,
            secrets=services.secrets,
        )
        return await welcome(request, services, signed_in, actor, is_app=data.client == "app")


class ConfirmController(Controller):
    """Proving again who one is: what matters asks for a proof of the last ten minutes."""

    path = "/auth/confirm"
    tags = ("People",)
    opt = {"access": "user", "rate": "sign-in"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE
    dependencies = {"actor": Provide(provide_actor_alone)}  # noqa: RUF012

    @get(summary="How to prove again who one is", operation_id="listProofs")
    async def proofs(self, actor: Actor, services: Services) -> ProofsView:
        """`password`; or `totp`, `recovery-code`, `passkey`; or `oidc:<provider>`, which needs a browser."""
        async with services.database.begin() as work:
            found = await accounts.list_proofs(work, _person_of(actor), providers=services.oidc.providers)
        return ProofsView(proofs=sorted(found))

    @post(
        "/options",
        summary="Begin to prove it with a passkey",
        operation_id="beginConfirmation",
        status_code=HTTP_200_OK,
        responses=problems(PasskeysUnavailable, *IDEMPOTENT),
    )
    async def options(self, actor: Actor, services: Services) -> dict[str, Any]:
        """For `navigator.credentials.get`, after `PublicKeyCredential.parseRequestOptionsFromJSON`."""
        async with services.database.begin() as work:
            return await accounts.begin_passkey_confirmation(work, _person_of(actor), settings=services.settings)

    @post(
        summary="Prove again who one is",
        operation_id="confirm",
        status_code=HTTP_200_OK,
        responses=problems(
            Invalid, InvalidCredentials, PasskeyRefused, ProofNotAccepted, TooManyAttempts, WrongCode, *IDEMPOTENT
        ),
    )
    async def confirm(self, data: ConfirmRequest, actor: Actor, services: Services) -> ConfirmedView:
        """With the password; who has a second factor, with that. The session counts as proved now."""
        who = Signed(_person_of(actor), _session_of(actor))
        given = [value for value in (data.password, data.code, data.credential) if value is not None]
        if len(given) != 1:
            message = N_("Give a password, a code or a passkey: one of them.")
            raise Invalid([FieldError("proof", "one-proof", message)])
        database, secrets = services.database, services.secrets
        if data.password is not None:
            proof = await accounts.confirm_with_password(
                database, who, data.password, passwords=services.passwords, secrets=secrets
            )
        elif data.code is not None:
            proof = await accounts.confirm_with_code(database, who, data.code, secrets=secrets)
        else:
            proof = await accounts.confirm_with_passkey(
                database, who, data.credential or {}, settings=services.settings
            )
        return ConfirmedView(proof=proof)


def _views(factors: Sequence[Factor]) -> list[FactorView]:
    return [FactorView.of(factor) for factor in factors]


def _person_of(actor: Actor) -> UUID:
    assert actor.id is not None, "the rule of these routes"
    return actor.id


def _session_of(actor: Actor) -> UUID:
    assert actor.session_id is not None, "the rule of these routes"
    return actor.session_id
