import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.databases import cloned, name_of
from tests.market import Market, market

TOGETHER = {"GROUP_COMMIT": "on"}
APART = {"GROUP_COMMIT": "off"}

TURNS = int(os.environ.get("FAREBOX_TEST_TURNS", "1"))
"""How often each race is run; more for those who doubt."""


@pytest.fixture(scope="module", params=[(TOGETHER, TOGETHER), (TOGETHER, APART)], ids=["together", "mixed"])
def shop(request, server_dsn, template, pooler) -> Iterator[Market]:
    """A line on sale at two server processes, that commit requests together; or one does, and the other does not."""
    for shop in open_shop(server_dsn, template, pooler, request.param):
        yield shop
        assert_no_failures(shop)


def open_shop(server_dsn, template, pooler, settings) -> Iterator[Market]:
    """A line on sale at server processes of these settings, on a database of their own."""
    with cloned(server_dsn, template) as url, tempfile.TemporaryDirectory(prefix="farebox-races-") as home:
        pooled = pooler.url(name_of(url)) if pooler else url
        with market(pooled, url if pooler else "", Path(home), settings) as shop:
            yield shop


def assert_no_failures(shop: Market) -> None:
    """Whatever the race, nobody's request may fail in a way that we did not mean."""
    for server in shop.servers:
        assert server.process.is_alive()
        assert "Traceback" not in server.log, server.log[-5000:]
