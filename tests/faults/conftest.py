import pytest
from tests.bookings.conftest import box
from tests.races.conftest import APART, TOGETHER, open_shop

__all__ = ["APART", "TOGETHER", "box"]


@pytest.fixture(scope="module")
def shop(server_dsn, template, pooler):
    """Two servers, one of which commits requests together."""
    yield from open_shop(server_dsn, template, pooler, [TOGETHER, APART])
