import pytest
from rich.pretty import pretty_repr

from farebox.core.settings import BadSetting, load_settings


def test_the_environment_sets_and_the_command_line_wins():
    settings = load_settings({"FAREBOX_HOLD_TTL_SECONDS": "60", "FAREBOX_MAX_SEATS": "9"}, max_seats=4, home=None)
    assert (settings.hold_ttl_seconds, settings.max_seats) == (60, 4)


def test_defaults_are_those_of_the_contract():
    settings = load_settings({})
    assert (settings.hold_ttl_seconds, settings.booking_ttl_seconds, settings.payment_window_seconds) == (
        900,
        900,
        1200,
    )
    assert (settings.max_seats, settings.rate_limits, settings.sales_horizon_days) == (5, "on", 30)


@pytest.mark.parametrize(
    ("name", "value"), [("HOLD_TTL_SECONDS", "0"), ("HOLD_TTL_SECONDS", "soon"), ("MAX_SEATS", "500"), ("ENV", "prod")]
)
def test_a_bad_value_names_its_variable(name, value):
    with pytest.raises(BadSetting, match=f"FAREBOX_{name}"):
        load_settings({f"FAREBOX_{name}": value})


def test_production_keeps_its_rate_limits():
    with pytest.raises(BadSetting, match="FAREBOX_RATE_LIMITS=off is refused"):
        load_settings({"FAREBOX_ENV": "production", "FAREBOX_RATE_LIMITS": "off"})


def test_keys_are_not_in_representations():
    settings = load_settings(
        {"FAREBOX_STRIPE_SECRET_KEY": "sk_live_1", "FAREBOX_DATABASE_URL": "postgresql://u:pw@h/d"}
    )
    for shown in (repr(settings), str(settings), pretty_repr(settings)):
        assert shown == "Settings(env='development', home='.farebox')"


@pytest.mark.parametrize(
    "url", ["http://api.stripe.com", "http://127.0.0.1.evil.example", "ftp://127.0.0.1", "https://"]
)
def test_providers_are_asked_by_https_or_on_this_machine(url):
    with pytest.raises(BadSetting, match="FAREBOX_STRIPE_API_URL"):
        load_settings({"FAREBOX_STRIPE_API_URL": url})


@pytest.mark.parametrize(
    "url", ["https://api.stripe.com", "http://127.0.0.1:8420", "http://localhost", "http://[::1]:1/x"]
)
def test_addresses_of_providers(url):
    assert load_settings({"FAREBOX_STRIPE_API_URL": url}).stripe_api_url == url
