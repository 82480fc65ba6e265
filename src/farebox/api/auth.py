"""Signing in, for programs: short-lived access tokens, and refresh tokens that work once."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar import Request as HTTPRequest
from litestar.datastructures import Cookie
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from farebox import accounts
from farebox.accounts import (
    Actor,
    ChallengeExpired,
    Client,
    EmailNotVerified,
    EmailTaken,
    InvalidCredentials,
    InvalidRefreshToken,
    LinkExpired,
    Person,
    SecondFactorNeeded,
    SecondFactorRequired,
    SignedIn,
    TooManyAttempts,
    WrongCode,
    WrongPassword,
)
from farebox.api.auth_wire import (
    ChangeEmailRequest,
    ChangePasswordRequest,
    EmailChangeView,
    EmailRequest,
    JsonWebKey,
    JsonWebKeys,
    LoginRequest,
    MailSent,
    RefreshRequest,
    RegisterRequest,
    ResetPasswordRequest,
    SecondFactorRequest,
    SignedOut,
    TokenRequest,
    TokensView,
    UserView,
    Verified,
)
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.wire import PRIVATE
from farebox.bookings import adopt_guest, claim_bookings
from farebox.core.db import UnitOfWork
from farebox.core.errors import Busy, Invalid
from farebox.edge.visitors import whereabouts
from farebox.wiring import Services

REFRESH_COOKIE = "farebox_refresh"
KEYS_KEPT = "public, max-age=300"

AnyRequest = HTTPRequest[Any, Any, Any]


class AuthController(Controller):
    """Accounts: registering, signing in, and what is told by mail."""

    path = "/auth"
    tags = ("People",)
    opt = {"access": "public", "rate": "sign-in"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @post(
        "/register",
        summary="Make an account",
        operation_id="register",
        status_code=HTTP_202_ACCEPTED,
        responses=problems(Invalid, Busy),
    )
    async def register(self, data: RegisterRequest, work: UnitOfWork, services: Services) -> MailSent:
        """A link to confirm the address is mailed; it works for 24 hours. Then signing in is possible.

        An address that has an account already gets a mail that says so, and the answer here is the same.
        """
        await accounts.register(
            work,
            email=data.email,
            password=data.password,
            first_name=data.first_name,
            last_name=data.last_name,
            phone=data.phone,
            region=services.settings.phone_region,
            passwords=services.passwords,
            jobs=services.jobs,
            secrets=services.secrets,
        )
        return MailSent()

    @post(
        "/verify-email",
        summary="Confirm the address of an account",
        operation_id="verifyEmail",
        status_code=HTTP_200_OK,
        responses=problems(LinkExpired),
    )
    async def verify_email(self, data: TokenRequest, work: UnitOfWork, services: Services) -> Verified:
        """With the token of the link that was mailed. It works once. Bookings made with the address become theirs."""
        person_id = await accounts.verify_email(work, data.token, secrets=services.secrets)
        await claim_bookings(work, person_id, secrets=services.secrets)
        return Verified()

    @post(
        "/resend-verification",
        summary="Ask for the confirming link again",
        operation_id="resendVerification",
        status_code=HTTP_202_ACCEPTED,
    )
    async def resend_verification(self, data: EmailRequest, work: UnitOfWork, services: Services) -> MailSent:
        """At most five mails an hour go to one address."""
        await accounts.resend_verification(work, data.email, jobs=services.jobs, secrets=services.secrets)
        return MailSent()

    @post(
        "/login",
        summary="Sign in",
        operation_id="login",
        status_code=HTTP_200_OK,
        responses=problems(InvalidCredentials, SecondFactorRequired, EmailNotVerified, TooManyAttempts, Busy),
    )
    async def login(
        self, request: AnyRequest, data: LoginRequest, actor: Actor, services: Services
    ) -> Response[TokensView]:
        """With e-mail and password. A guest token sent along gives its holds and bookings to the account.

        With a second factor the answer is 401 `second-factor-required`, with a `challengeToken` for the second step.
        Ten wrong passwords in 15 minutes close an account to passwords until these are over.
        """
        outcome = await accounts.sign_in(
            services.database,
            data.email,
            data.password,
            client=client_of(request, services),
            passwords=services.passwords,
            settings=services.settings,
            secrets=services.secrets,
        )
        if isinstance(outcome, SecondFactorNeeded):
            raise SecondFactorRequired(challenge_token=outcome.challenge_token, factors=sorted(outcome.factors))
        return await welcome(request, services, outcome, actor, is_app=data.client == "app")

    @post(
        "/login/second-factor",
        summary="Finish signing in with a second factor",
        operation_id="loginSecondFactor",
        status_code=HTTP_200_OK,
        responses=problems(WrongCode, ChallengeExpired, TooManyAttempts),
    )
    async def second_factor(
        self, request: AnyRequest, data: SecondFactorRequest, actor: Actor, services: Services
    ) -> Response[TokensView]:
        """With a code of the authenticator app, or a recovery code."""
        outcome = await accounts.finish_sign_in(
            services.database,
            data.challenge_token,
            data.code,
            client=client_of(request, services),
            settings=services.settings,
            secrets=services.secrets,
        )
        return await welcome(request, services, outcome, actor, is_app=data.client == "app")

    @post(
        "/refresh",
        summary="Get the next access token",
        operation_id="refresh",
        status_code=HTTP_200_OK,
        opt={"rate": "write"},
        responses=problems(InvalidRefreshToken),
    )
    async def refresh(
        self, request: AnyRequest, services: Services, data: RefreshRequest | None = None
    ) -> Response[TokensView]:
        """With the refresh token of the cookie, or of the body. It works once: the answer has the next one.

        One that comes a second time ends the session, whoever sends it. Send one request at a time.
        """
        given = data.refresh_token if data is not None else None
        refreshed = await accounts.refresh(
            services.database,
            given or request.cookies.get(REFRESH_COOKIE, ""),
            settings=services.settings,
            secrets=services.secrets,
        )
        return await _tokens(
            request,
            services,
            refreshed.person,
            refreshed.session_id,
            refreshed.token,
            refreshed.expires_at,
            is_app=given is not None,
        )

    @post("/logout", summary="Sign out", operation_id="logout", status_code=HTTP_200_OK, opt={"rate": "write"})
    async def logout(
        self,
        request: AnyRequest,
        work: UnitOfWork,
        actor: Actor,
        data: RefreshRequest | None = None,
    ) -> Response[SignedOut]:
        """Ends the session of the access token, or of the refresh token in the cookie or the body."""
        if actor.id is not None and actor.session_id is not None:
            await accounts.end_session(work, actor.id, actor.session_id)
        for token in (data.refresh_token if data is not None else None, request.cookies.get(REFRESH_COOKIE)):
            if token:
                await accounts.end_session_of_refresh_token(work, token)
        response = Response(SignedOut())
        response.delete_cookie(REFRESH_COOKIE, path=_cookie_path(request))
        return response

    @get("/me", summary="Get who has signed in", operation_id="getMe", opt={"access": "user", "rate": None})
    async def me(self, work: UnitOfWork, actor: Actor, services: Services) -> UserView:
        """Roles are those of this moment."""
        assert actor.id is not None, "a person has one"
        person = await accounts.get_person(work, actor.id, secrets=services.secrets)
        return UserView.of(person, await accounts.staff_roles_of(work, person.id))

    @post(
        "/forgot-password",
        summary="Ask for a link to choose a new password",
        operation_id="forgotPassword",
        status_code=HTTP_202_ACCEPTED,
    )
    async def forgot_password(self, data: EmailRequest, work: UnitOfWork, services: Services) -> MailSent:
        """If there is such an account, a link is mailed that works once, for an hour."""
        await accounts.request_password_reset(work, data.email, jobs=services.jobs, secrets=services.secrets)
        return MailSent()

    @post(
        "/reset-password",
        summary="Choose a new password with a mailed link",
        operation_id="resetPassword",
        status_code=HTTP_204_NO_CONTENT,
        responses=problems(LinkExpired, Invalid, Busy),
    )
    async def reset_password(self, data: ResetPasswordRequest, services: Services) -> None:
        """All sessions of the account end."""
        await accounts.reset_password(
            services.database, data.token, data.new_password, passwords=services.passwords, secrets=services.secrets
        )

    @post(
        "/change-password",
        summary="Change the password",
        operation_id="changePassword",
        status_code=HTTP_204_NO_CONTENT,
        opt={"access": "user"},
        responses=problems(WrongPassword, Invalid, TooManyAttempts, Busy, *IDEMPOTENT),
    )
    async def change_password(self, data: ChangePasswordRequest, actor: Actor, services: Services) -> None:
        """All other sessions of the account end."""
        assert actor.id is not None, "a person has one"
        await accounts.change_password(
            services.database,
            actor.id,
            actor.session_id,
            current=data.current_password,
            new=data.new_password,
            passwords=services.passwords,
            secrets=services.secrets,
        )

    @post(
        "/change-email",
        summary="Ask for another address",
        operation_id="changeEmail",
        status_code=HTTP_202_ACCEPTED,
        opt={"access": "user"},
        responses=problems(WrongPassword, Invalid, TooManyAttempts, Busy, *IDEMPOTENT),
    )
    async def change_email(self, data: ChangeEmailRequest, actor: Actor, services: Services) -> MailSent:
        """One link goes to the present address and one to the new one. It changes when both were used."""
        assert actor.id is not None, "a person has one"
        await accounts.check_password(
            services.database,
            actor.id,
            data.current_password,
            passwords=services.passwords,
            secrets=services.secrets,
        )
        async with services.database.begin() as work:
            person = await accounts.get_person(work, actor.id, secrets=services.secrets)
            await accounts.request_email_change(
                work, person, data.new_email, jobs=services.jobs, secrets=services.secrets
            )
        return MailSent()

    @post(
        "/change-email/confirm",
        summary="Confirm another address with a mailed link",
        operation_id="confirmEmailChange",
        status_code=HTTP_200_OK,
        responses=problems(LinkExpired, EmailTaken),
    )
    async def confirm_email_change(self, data: TokenRequest, work: UnitOfWork, services: Services) -> EmailChangeView:
        """With the token of one of the two links."""
        state = await accounts.confirm_email_change(work, data.token, jobs=services.jobs, secrets=services.secrets)
        return EmailChangeView(state=state)

    @get(
        "/jwks",
        summary="Get the keys that sign access tokens",
        operation_id="getSigningKeys",
        opt={"rate": None},
        response_headers={"Cache-Control": KEYS_KEPT},
    )
    async def jwks(self, services: Services) -> JsonWebKeys:
        """A JWK set (RFC 7517), also at `/.well-known/jwks.json`."""
        return await _key_set(services)


@get(
    "/.well-known/jwks.json",
    opt={"access": "public", "exclude_from_csrf": True},
    include_in_schema=False,
    response_headers={"Cache-Control": KEYS_KEPT},
)
async def well_known_keys(services: Services) -> JsonWebKeys:
    """Where programs look for the keys of an issuer."""
    return await _key_set(services)


async def _key_set(services: Services) -> JsonWebKeys:
    return JsonWebKeys(keys=msgspec.convert(await services.access_tokens.public_keys(), list[JsonWebKey]))


def client_of(request: AnyRequest, services: Services) -> Client:
    """From where a program's user signs in."""
    device, place = whereabouts(request.scope, services.settings)
    return Client("app", device, place)


async def welcome(
    request: AnyRequest, services: Services, signed_in: SignedIn, actor: Actor, *, is_app: bool
) -> Response[TokensView]:
    """What a program gets for a sign-in, and what its user had as a guest goes to the account."""
    session = signed_in.session
    if actor.kind == "guest" and actor.booking_id is None and actor.id is not None:
        async with services.database.begin() as work:
            await adopt_guest(work, actor.id, signed_in.person.id)
    return await _tokens(
        request, services, signed_in.person, session.id, session.token, session.expires_at, is_app=is_app
    )


async def _tokens(
    request: AnyRequest,
    services: Services,
    person: Person,
    session_id: UUID,
    refresh_token: str,
    expires_at: datetime,
    *,
    is_app: bool,
) -> Response[TokensView]:
    async with services.database.begin() as work:
        staff_roles = await accounts.staff_roles_of(work, person.id)
    view = TokensView(
        access_token=await services.access_tokens.issue(person, session_id, staff_roles),
        expires_in=services.settings.access_token_seconds,
        refresh_token=refresh_token if is_app else None,
        user=UserView.of(person, staff_roles),
    )
    response = Response(view)
    if not is_app:
        response.set_cookie(
            Cookie(
                key=REFRESH_COOKIE,
                value=refresh_token,
                path=_cookie_path(request),
                max_age=int((expires_at - services.database.clock()).total_seconds()),
                httponly=True,
                secure=services.settings.base_url.startswith("https:"),
                samesite="strict",
            )
        )
    return response


def _cookie_path(request: AnyRequest) -> str:
    """Where the refresh token is sent: to these routes only, under the name by which they were called."""
    return request.url.path.partition("/auth/")[0] + "/auth"
