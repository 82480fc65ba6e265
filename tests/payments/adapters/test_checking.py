"""The job that asks what became of payments keeps up with a busy day, over HTTP against a double on this machine."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from tests.bookings.shows import scalar
from tests.payments.adapters.loopback import Asked, answering
from tests.payments.adapters.paypal_double import CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, PayPalDouble
from tests.people import make_person

from farebox.core.ids import new_id
from farebox.payments import ProviderEvent, RunningPayment, check_payments
from farebox.payments.adapters.paypal import ORDERS, PayPal
from farebox.payments.checking import AT_ONCE, MOST_FAILURES
from farebox.payments.wallet import open_wallet

MANY = 500

DUE = """
INSERT INTO payment (id, purpose, wallet_id, provider, method, status, amount_minor, currency, external_id,
    next_check_at, created_at, updated_at)
SELECT gen_random_uuid(), 'top-up', %s, %s, 'card', 'processing', 1000, 'EUR', %s || to_char(number, 'FM0000'),
    now() - interval '1 hour' + number * interval '1 second', now(), now()
FROM generate_series(1, %s) AS number"""


class Far(PayPalDouble):
    """PayPal on a busy day, and on a bad one."""

    is_down = False

    def answer(self, asked: Asked) -> tuple[int, object]:
        status, said = super().answer(asked)
        return (503, {}) if self.is_down and asked.path.startswith(ORDERS) else (status, said)

    def asked_for(self) -> list[str]:
        """The orders that were asked for, in that order."""
        return [path.rpartition("/")[2] for _, path in self.asked if path.startswith(ORDERS)]


class Counting(PayPal):
    """The adapter, which remembers how many asked it at the same time."""

    running = most = 0

    async def fetch(self, payment: RunningPayment) -> Sequence[ProviderEvent]:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            return await super().fetch(payment)
        finally:
            self.running -= 1


@pytest.fixture
def far() -> Iterator[Far]:
    """Each of its answers is on its way for a while."""
    double = Far()
    with answering(double.answer, far_seconds=0.02) as double.url:
        yield double


@pytest.fixture
async def paypal(far: Far) -> AsyncIterator[Counting]:
    adapter = Counting(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, webhook_id=WEBHOOK_ID, api_url=far.url)
    yield adapter
    await adapter.dispose()


async def have_due(database: Any, secrets: Any, far: Far, provider: str, orders: str, count: int) -> None:
    """Payments that nobody has made yet, due to be looked at one second after the other."""
    person = await make_person(database, secrets, email=f"{provider}@example.com")
    async with database.begin() as work:
        wallet_id = await open_wallet(work, person.id, "EUR")
        await work.execute(DUE, (wallet_id, provider, orders, count))
    for number in range(1, count + 1):
        order_id = f"{orders}{number:04}"
        far.orders[order_id] = {"id": order_id, "status": "CREATED", "purchase_units": [], "links": []}


async def still_due(database: Any, provider: str) -> int:
    query = "SELECT count(*) FROM payment WHERE provider = %s AND next_check_at <= now()"
    return int(await scalar(database, query, provider))


async def test_all_of_many_are_asked_about_in_one_run_once_each_and_the_oldest_first(database, secrets, far, paypal):
    await have_due(database, secrets, far, "paypal", "ORDER", MANY)
    assert await check_payments(database, providers={"paypal": paypal}, signer=secrets) == MANY
    asked = far.asked_for()
    assert sorted(asked) == [f"ORDER{number:04}" for number in range(1, MANY + 1)]
    places = {order_id: place for place, order_id in enumerate(asked)}
    out_of_place = [each for each, place in places.items() if abs(int(each[5:]) - 1 - place) >= 4 * AT_ONCE]
    assert len(out_of_place) < MANY / 10  # a connection may be slow on a busy machine
    assert paypal.most == AT_ONCE
    assert await still_due(database, "paypal") == 0
    assert await check_payments(database, providers={"paypal": paypal}, signer=secrets) == 0


async def test_a_provider_that_is_down_is_left_alone_and_keeps_nobody_from_the_others(database, secrets, far, paypal):
    """Its payments are the oldest; they wait for the next run."""
    quiet = Far()
    quiet.is_down = True
    with answering(quiet.answer) as quiet.url:
        other = Counting(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, webhook_id=WEBHOOK_ID, api_url=quiet.url)
        await have_due(database, secrets, quiet, "other", "ELSEWHERE", 300)
        await have_due(database, secrets, far, "paypal", "ORDER", 100)
        providers = {"other": other, "paypal": paypal}
        await check_payments(database, providers=providers, signer=secrets)
        assert len(far.asked_for()) == 100
        assert await still_due(database, "paypal") == 0
        first = len(quiet.asked_for())
        assert MOST_FAILURES <= first < MOST_FAILURES + AT_ONCE
        assert await still_due(database, "other") == 300 - first
        quiet.is_down = False
        await check_payments(database, providers=providers, signer=secrets)
        assert len(quiet.asked_for()) == 300
        assert await still_due(database, "other") == 0
        await other.dispose()


async def test_what_cannot_be_asked_about_at_all_keeps_nobody_from_the_others(database, secrets, far, paypal):
    """Nor does a provider that is not configured any more."""
    await have_due(database, secrets, far, "gone", "NOBODY", 3)
    await have_due(database, secrets, far, "paypal", "ORDER", 30)
    far.orders["ORDER0001"] = {"id": str(new_id()), "status": 7}  # an answer that makes no sense
    assert await check_payments(database, providers={"paypal": paypal}, signer=secrets) == 33
    assert len(far.asked_for()) == 30
