"""Which providers an installation has: those whose keys are all there."""

import pytest

from farebox.core.db import Database
from farebox.core.settings import load_settings
from farebox.payments import build_providers, missing_keys
from farebox.payments.configured import KEYS


@pytest.mark.parametrize("provider", KEYS)
def test_a_provider_with_a_key_missing_is_off_and_says_which(provider, secrets, tmp_path):
    for missing in KEYS[provider]:
        given = {f"FAREBOX_{key.upper()}": "something" for key in KEYS[provider] if key != missing}
        settings = load_settings(given, home=tmp_path)
        assert missing_keys(settings) == {provider: [f"FAREBOX_{missing.upper()}"]}
        assert provider not in build_providers(settings, secrets, database=Database("postgresql://"))


def test_nothing_is_missing_where_nothing_is_set(tmp_path):
    assert missing_keys(load_settings({}, home=tmp_path)) == {}
