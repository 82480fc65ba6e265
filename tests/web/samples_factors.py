"""Made-up content of the pages about second factors, passkeys and linked accounts."""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from farebox.ticketing import qr_svg
from farebox.web.views.factors import (
    CodesView,
    ConfirmView,
    FactorRow,
    FactorView,
    LinkView,
    NameView,
    PasskeyProblem,
    ProviderLink,
    ProviderProblem,
    RemoveView,
    SetupView,
)
from farebox.web.views.signing import SecondStepView, SignInView

Sample = tuple[str, object, dict[str, Any]]

SECRET = "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"
URI = "otpauth://totp/Farebox:an.nguyen%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Farebox"
CODES = ["7k2mq-x93bd", "0v8ha-5ctme", "r4zx1-w7p2n", "h9q3s-j6fd8", "mt20b-k5yvc"] * 2
PHONE = FactorRow("Authenticator app", "My phone", "1 Nov 2026", "20 Nov 2026", "/account/security/factors/1")
GOOGLE = ProviderLink("Google", "/auth/google")


def setup(errors: dict[str, str] | None = None) -> Sample:
    view = SetupView("/account/security/authenticator/1", Markup(qr_svg(URI)), SECRET, errors or {})
    return "account/authenticator.html", view, {}


def remove(problem: str = "") -> Sample:
    text = "It is your last one: from then on your password alone signs you in, and your recovery codes are gone."
    view = RemoveView("Remove “My phone”?", text, "/account/security/factors/1/remove", "Remove it", problem)
    return "account/ask.html", view, {}


def confirm(*proofs: str, **more: Any) -> Sample:
    return "account/confirm.html", ConfirmView(frozenset(proofs), "/account/security", **more), {}


PAGES: dict[str, Callable[[], Sample]] = {
    "factor-name": lambda: ("account/authenticator_new.html", NameView(), {}),
    "factor-setup": setup,
    "factor-setup-wrong": lambda: setup(
        {"code": "This code is not right. Enter the six digits that the app shows now."}
    ),
    "factor-codes": lambda: ("account/recovery_codes.html", CodesView(CODES, is_first=True), {}),
    "factor": lambda: ("account/factor.html", FactorView(PHONE), {}),
    "factor-remove": remove,
    "factor-needed": lambda: remove("Your work needs a second factor. Add another one before you remove this one."),
    "passkey-new": lambda: ("account/passkey_new.html", NameView(), {}),
    "passkey-problem": lambda: (
        "account/passkey_problem.html",
        PasskeyProblem("This passkey did not work. Try again, or use another way.", "/sign-in"),
        {},
    ),
    "confirm-password": lambda: confirm("password", errors={"password": "This is not your password."}),
    "confirm-factors": lambda: confirm("totp", "passkey", "recovery-code"),
    "confirm-passkey": lambda: confirm("passkey", "recovery-code"),
    "confirm-google": lambda: confirm("oidc:google", providers=[GOOGLE]),
    "link": lambda: ("account/link_identity.html", LinkView("Google", "an.nguyen@gmail.example", "an@example.com"), {}),
    "link-sign-in": lambda: (
        "account/link_identity.html",
        LinkView("Google", "an@example.com", sign_in_url="/sign-in", forgot_url="/forgot-password"),
        {},
    ),
    "provider-problem": lambda: (
        "account/provider_problem.html",
        ProviderProblem(
            "You were not signed in",
            "You were not signed in: Google said no, or you cancelled.",
            "/auth/google",
            "/sign-in",
        ),
        {},
    ),
    "sign-in-ways": lambda: (
        "account/sign_in.html",
        SignInView(providers=[GOOGLE, ProviderLink("Depot", "/auth/oidc/depot")], has_passkeys=True),
        {},
    ),
    "second-step-passkey": lambda: (
        "account/sign_in_code.html",
        SecondStepView("", frozenset({"totp", "passkey", "recovery-code"})),
        {},
    ),
}
