import pytest
from tests.bookings.conftest import box
from tests.faults.mail import MailServer
from tests.races.conftest import APART, TOGETHER, open_shop

__all__ = ["APART", "TOGETHER", "box"]


@pytest.fixture(scope="module")
def shop(server_dsn, template, pooler):
    """Two servers, one of which commits requests together."""
    yield from open_shop(server_dsn, template, pooler, [TOGETHER, APART])


@pytest.fixture
async def mail():
    """A mail server that can be killed."""
    server = MailServer()
    await server.start()
    yield server
    server.kill()
