"""The pages of signing in, with made-up content, for the gallery."""

from collections.abc import Callable
from typing import Any

from farebox.web.views.factors import ProviderLink
from farebox.web.views.signing import (
    DoneView,
    EmailView,
    ForgotView,
    LinkView,
    MailSentView,
    NewPasswordView,
    PasswordView,
    RegisterView,
    SecondStepView,
    SignInView,
)

Sample = Callable[[], tuple[str, object, dict[str, Any]]]

EMAIL = "an.nguyen@example.com"
GOOGLE = (ProviderLink("Google", "/auth/google"),)


def _of(template: str, view: object) -> Sample:
    return lambda: (f"account/{template}.html", view, {})


PAGES: dict[str, Sample] = {
    "sign-in": _of("sign_in", SignInView(providers=GOOGLE, has_passkeys=True)),
    "sign-in-wrong": _of("sign_in", SignInView(email=EMAIL, error="The e-mail address or the password is not right.")),
    "sign-in-empty": _of("sign_in", SignInView(errors={"email": "Enter your address.", "password": "Missing."})),
    "sign-in-unverified": _of("sign_in", SignInView(email=EMAIL, unverified=EMAIL)),
    "sign-in-code": _of("sign_in_code", SecondStepView("", frozenset({"totp", "recovery-code", "passkey"}))),
    "register": _of("register", RegisterView(providers=GOOGLE)),
    "register-wrong": _of(
        "register",
        RegisterView(values={"email": "x"}, errors={"email": "Enter an e-mail address.", "password": "Too short."}),
    ),
    "mail-sent": _of("mail_sent", MailSentView("Look into your mailbox", f"A mail to {EMAIL}.", EMAIL, "/forgot")),
    "mailed-link": _of("link", LinkView("Confirm your e-mail address", "One click.", "/verify-email", "t", "Confirm")),
    "link-done": _of("done", DoneView("Your e-mail address is confirmed", "You can sign in.", "/sign-in", "Sign in")),
    "forgot-password": _of("forgot", ForgotView()),
    "reset-password": _of("reset", NewPasswordView("t", errors={"password": "A password has at least 8 characters."})),
    "password": _of("password", PasswordView(EMAIL, has_password=True, was_changed=True)),
    "password-none": _of("password", PasswordView(EMAIL, has_password=False)),
    "email": _of("email", EmailView(EMAIL, has_password=True, sent_to="new@example.com")),
}
