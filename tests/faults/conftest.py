import pytest
from tests.races.conftest import APART, TOGETHER, open_shop

__all__ = ["APART", "TOGETHER"]


@pytest.fixture(scope="module")
def shop(server_dsn, template, pooler):
    """Two servers, one of which commits requests together."""
    yield from open_shop(server_dsn, template, pooler, [TOGETHER, APART])
