import pytest
from tests.bookings.conftest import box, client, services
from tests.payments.till import Bank, Till

from farebox.payments import build_providers

__all__ = ["bank", "box", "client", "services", "till"]


@pytest.fixture
def bank(secrets, settings, database):
    return Bank(secrets.derive("sandbox-webhook"), settings.base_url, database=database)


@pytest.fixture
def till(box, bank, settings, secrets):
    assert "sandbox" in build_providers(settings, secrets, database=box.database)
    return Till(box, bank)
