import pytest
from tests.bookings.shows import Box


@pytest.fixture
def box(database, settings, secrets) -> Box:
    return Box(database, settings, secrets)
