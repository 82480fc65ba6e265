"""Which providers an installation has: those whose keys are all there."""

import ast
from pathlib import Path

import pytest

from farebox import payments
from farebox.core.db import Database
from farebox.core.settings import load_settings
from farebox.payments import build_providers, provider_mistakes
from farebox.payments.configured import KEYS, missing_keys


@pytest.mark.parametrize("provider", KEYS)
def test_a_provider_with_a_key_missing_is_off_and_says_which(provider, secrets, tmp_path):
    for missing in KEYS[provider]:
        given = {f"FAREBOX_{key.upper()}": "something" for key in KEYS[provider] if key != missing}
        settings = load_settings(given, home=tmp_path)
        assert missing_keys(settings) == {provider: [f"FAREBOX_{missing.upper()}"]}
        assert provider not in build_providers(settings, secrets, database=Database("postgresql://"))


def test_nothing_is_missing_where_nothing_is_set(tmp_path):
    assert missing_keys(load_settings({}, home=tmp_path)) == {}


@pytest.mark.parametrize("key", ["sk_test_1", "rk_test_1", "sk_live_1"])
@pytest.mark.parametrize("env", ["development", "production"])
def test_keys_for_tests_are_a_mistake_where_people_pay(tmp_path, key, env):
    given = {"FAREBOX_STRIPE_SECRET_KEY": key, "FAREBOX_STRIPE_WEBHOOK_SECRET": "whsec_1"}
    mistakes = provider_mistakes(load_settings(given, env=env, home=tmp_path))
    is_mistake = env == "production" and "test" in key
    assert [found for found, _ in mistakes] == (
        ["FAREBOX_STRIPE_SECRET_KEY is a test key: tickets for nothing"] if is_mistake else []
    )


def test_stripes_library_is_loaded_by_those_who_use_it_only():
    """It takes half a second and 25 MB."""
    importers: dict[str, set[str]] = {}
    for path in Path(payments.__file__).parent.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import):
                for name in node.names:
                    importers.setdefault(name.name, set()).add(path.name)
            if isinstance(node, ast.ImportFrom):
                importers.setdefault(node.module or "", set()).add(path.name)
    assert importers["stripe"] == importers["stripe.params.checkout"] == {"stripe.py"}
    assert "farebox.payments.adapters.stripe" not in importers
