"""Settings, from the environment only. `FAREBOX_HOLD_TTL_SECONDS=60` sets `hold_ttl_seconds`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from farebox.core.errors import DomainError
from farebox.core.i18n import N_

PREFIX = "FAREBOX_"

Seconds = Annotated[int, Meta(ge=1)]


ORIGINS = r"^(https?://[A-Za-z0-9.:\[\]-]+(, *https?://[A-Za-z0-9.:\[\]-]+)*)?$"
"""Origins as browsers write them, separated by commas; no path, and no `*`."""


SAFE_URL = r"^(https://.+|http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?(/.*)?)$"
"""An address whose answers nobody on the way can read or change: https, or on this machine."""


class BadSetting(DomainError):
    code = "bad-setting"
    message = N_("The environment variables are not usable: {reason}")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Everything an operator of the software can set. Secrets not given are generated once into `home`."""

    env: Literal["demo", "development", "production"] = "development"
    home: Path = Path(".farebox")
    database_url: str = ""
    direct_database_url: str = ""
    redis_url: str = ""
    base_url: str = "http://127.0.0.1:8000"
    client_origins: Annotated[str, Meta(pattern=ORIGINS)] = ""
    smtp_url: str = ""
    mail_from: str = "Farebox <tickets@farebox.example>"
    hold_ttl_seconds: Seconds = 900
    hold_max_extensions: Annotated[int, Meta(ge=0)] = 2
    hold_max_total_seconds: Seconds = 2700
    booking_ttl_seconds: Seconds = 900
    payment_window_seconds: Seconds = 1200
    guest_session_seconds: Seconds = 3600
    files_url: Annotated[str, Meta(pattern="^(s3://[^/]+.*)?$")] = ""
    files_endpoint: Annotated[str, Meta(pattern="^(https?://.+)?$")] = ""
    country_header: Annotated[str, Meta(pattern="^[A-Za-z0-9-]*$")] = ""
    session_idle_seconds: Seconds = 1_209_600
    session_max_seconds: Seconds = 7_776_000
    access_token_seconds: Seconds = 900
    refresh_token_seconds: Seconds = 604_800
    group_commit: Literal["on", "off"] = "on"
    live_watchers: Annotated[int, Meta(ge=0)] = 10_000
    google_client_id: str = ""
    google_client_secret: str = ""
    google_discovery: str = "https://accounts.google.com/.well-known/openid-configuration"
    oidc_providers: str = ""
    stripe_secret_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_api_url: Annotated[str, Meta(pattern=SAFE_URL)] = "https://api.stripe.com"
    razorpay_key_id: str = ""
    razorpay_key_secret: str = ""
    razorpay_webhook_secret: str = ""
    razorpay_api_url: Annotated[str, Meta(pattern=SAFE_URL)] = "https://api.razorpay.com"
    payos_client_id: str = ""
    payos_api_key: str = ""
    payos_checksum_key: str = ""
    payos_api_url: Annotated[str, Meta(pattern=SAFE_URL)] = "https://api-merchant.payos.vn"
    paypal_client_id: str = ""
    paypal_client_secret: str = ""
    paypal_webhook_id: str = ""
    paypal_api_url: Annotated[str, Meta(pattern=SAFE_URL)] = "https://api-m.paypal.com"
    bank_iban: str = ""
    bank_bic: str = ""
    bank_name: str = ""
    bank_bin: Annotated[str, Meta(pattern="^([0-9]{6})?$")] = ""
    bank_account: Annotated[str, Meta(pattern="^[0-9A-Za-z]*$")] = ""
    bank_transfer_hours: Annotated[int, Meta(ge=1, le=168)] = 24
    max_seats: Annotated[int, Meta(ge=1, le=60)] = 5
    max_holds: Annotated[int, Meta(ge=1)] = 10
    max_top_up: Annotated[int, Meta(ge=1)] = 100_000_000
    sales_horizon_days: Annotated[int, Meta(ge=1, le=730)] = 30
    sales_close_minutes: Annotated[int, Meta(ge=0)] = 5
    rate_limits: Literal["on", "off"] = "on"
    phone_region: Annotated[str, Meta(pattern="^([A-Z]{2})?$")] = "VN"
    reference_prefix: Annotated[str, Meta(pattern="^[A-Z]{0,4}$")] = "BUS"
    reference_length: Annotated[int, Meta(ge=5, le=12)] = 6
    keep_passenger_days: Annotated[int, Meta(ge=1)] = 90
    keep_message_days: Annotated[int, Meta(ge=1)] = 90
    keep_bookings_years: Annotated[int, Meta(ge=1, le=100)] = 10
    log_format: Literal["auto", "json", "text"] = "auto"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    metrics_token: str = ""
    telemetry: Literal["off", "on"] = "off"

    def __repr__(self) -> str:
        """Little, since passwords and keys are among the rest, and representations end up in logs."""
        return f"Settings(env={self.env!r}, home={str(self.home)!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("env", self.env), ("home", str(self.home))]

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def client_origin_list(self) -> list[str]:
        return [origin.strip() for origin in self.client_origins.split(",") if origin.strip()]

    @property
    def server_url(self) -> str:
        """PostgreSQL's own address, past the pooler where `database_url` is one's: for what needs a session."""
        return self.direct_database_url or self.database_url


def load_settings(environ: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Read the settings.

    Args:
        environ: the environment; `os.environ` when not given.
        overrides: values from the command line, which win; `None` means not given.

    Raises:
        BadSetting: a value that cannot be read, or one that production refuses.
    """
    source = os.environ if environ is None else environ
    values: dict[str, object] = {}
    for name in Settings.__struct_fields__:
        if source.get(PREFIX + name.upper()):
            values[name] = source[PREFIX + name.upper()]
    values.update({name: value for name, value in overrides.items() if value is not None})
    try:
        settings = msgspec.convert(values, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise BadSetting(reason=_readable(error)) from error
    if settings.is_production and settings.rate_limits == "off":
        raise BadSetting(reason="FAREBOX_RATE_LIMITS=off is refused when FAREBOX_ENV=production")
    if settings.direct_database_url and not settings.database_url:
        raise BadSetting(reason="FAREBOX_DIRECT_DATABASE_URL goes around a pooler; name that in FAREBOX_DATABASE_URL")
    return settings


def _decode(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value)).expanduser()
    raise NotImplementedError(kind)


def _readable(error: msgspec.ValidationError) -> str:
    reason, _, path = str(error).partition(" - at `$.")
    return f"{PREFIX}{path.rstrip('`').upper()}: {reason}" if path else reason
