"""The providers of an installation: those whose keys its settings hold."""

from collections.abc import Mapping
from typing import Final

import structlog

from farebox.core.clock import Clock, system_clock
from farebox.core.crypto import Secrets
from farebox.core.db import Database
from farebox.core.settings import PREFIX, Settings
from farebox.payments.adapters.bank import BankAccount, BankTransfer
from farebox.payments.adapters.cash import Cash
from farebox.payments.adapters.payos import PayOS
from farebox.payments.adapters.paypal import PayPal
from farebox.payments.adapters.razorpay import Razorpay
from farebox.payments.providers import PaymentProvider, Providers
from farebox.payments.sandbox import Sandbox

log = structlog.get_logger(__name__)

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "stripe": ("stripe_secret_key", "stripe_webhook_secret"),
    "razorpay": ("razorpay_key_id", "razorpay_key_secret", "razorpay_webhook_secret"),
    "payos": ("payos_client_id", "payos_api_key", "payos_checksum_key"),
    "paypal": ("paypal_client_id", "paypal_client_secret", "paypal_webhook_id"),
}
"""Provider -> the settings that it needs, all of them: who can take money but not hear of it must not begin."""

TEST_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "stripe_secret_key": ("sk_test_", "rk_test_"),
    "razorpay_key_id": ("rzp_test_",),
}
"""How keys begin with which everybody pays who knows the number of a test card."""


def build_providers(
    settings: Settings, secrets: Secrets, *, database: Database, clock: Clock = system_clock
) -> Providers:
    """The providers of this installation, by name, in the order in which travellers are offered them.

    The sandbox comes last, and in production not at all.
    """
    for provider, missing in missing_keys(settings).items():
        log.warning("payment-provider-off", provider=provider, missing=missing)
    providers: list[PaymentProvider] = []
    account = bank_account(settings)
    if is_configured(settings, "stripe"):
        from farebox.payments.adapters.stripe import Stripe  # noqa: PLC0415  (half a second, and 25 MB)

        providers.append(
            Stripe(
                secret_key=settings.stripe_secret_key,
                webhook_secret=settings.stripe_webhook_secret,
                api_url=settings.stripe_api_url,
                clock=clock,
            )
        )
    if is_configured(settings, "razorpay"):
        providers.append(
            Razorpay(
                key_id=settings.razorpay_key_id,
                key_secret=settings.razorpay_key_secret,
                webhook_secret=settings.razorpay_webhook_secret,
                api_url=settings.razorpay_api_url,
                clock=clock,
            )
        )
    if is_configured(settings, "payos"):
        providers.append(
            PayOS(
                client_id=settings.payos_client_id,
                api_key=settings.payos_api_key,
                checksum_key=settings.payos_checksum_key,
                api_url=settings.payos_api_url,
                clock=clock,
            )
        )
    if is_configured(settings, "paypal"):
        providers.append(
            PayPal(
                client_id=settings.paypal_client_id,
                client_secret=settings.paypal_client_secret,
                webhook_id=settings.paypal_webhook_id,
                api_url=settings.paypal_api_url,
                clock=clock,
            )
        )
    if account.currencies:
        providers.append(BankTransfer(account, settings.base_url, hours=settings.bank_transfer_hours))
    providers.append(Cash())
    if not settings.is_production:
        providers.append(Sandbox(secrets.derive("sandbox-webhook"), settings.base_url, database=database, clock=clock))
    return {provider.name: provider for provider in providers}


def bank_account(settings: Settings) -> BankAccount:
    """Where transfers go, if anywhere."""
    return BankAccount(
        holder=settings.bank_name,
        iban=settings.bank_iban,
        bic=settings.bank_bic,
        bank_bin=settings.bank_bin,
        number=settings.bank_account,
    )


def is_configured(settings: Settings, provider: str) -> bool:
    """Whether all that a provider needs is set."""
    return all(getattr(settings, key) for key in KEYS[provider])


def missing_keys(settings: Settings) -> dict[str, list[str]]:
    """Of providers that are set in part, and so are off: the environment variables that are missing."""
    missing = {
        provider: [PREFIX + key.upper() for key in keys if not getattr(settings, key)]
        for provider, keys in KEYS.items()
        if any(getattr(settings, key) for key in keys)
    }
    return {provider: names for provider, names in missing.items() if names}


def provider_mistakes(settings: Settings) -> list[tuple[str, str]]:
    """What is wrong with the keys of providers, and what to do about it."""
    mistakes = [
        (f"{provider} is off: {' and '.join(missing)} missing", "Set all of its keys, or none.")
        for provider, missing in missing_keys(settings).items()
    ]
    if settings.is_production:
        mistakes += [
            (f"{PREFIX}{key.upper()} is a test key: tickets for nothing", "Set the one for live payments.")
            for key, beginnings in TEST_KEYS.items()
            if getattr(settings, key).startswith(beginnings)
        ]
    return mistakes
