"""Changes of sold bookings through HTTP: what they cost comes out of one's wallet, what they save goes into it."""

import pytest
from tests.bookings.shows import scalar
from tests.payments.till import paid
from tests.payments.wallets import fill_wallet
from tests.people import make_person, open_session_of

from farebox.core.money import Money
from farebox.payments import verify_ledger

LATER = 3 * 86_400
"""Far enough ahead for all of a price to be paid back."""


class Traveller:
    """Somebody with an account, at the API."""

    def __init__(self, till, client, person, token):
        self.till, self.client, self.person = till, client, person
        self.headers = {"Authorization": f"Bearer {token}"}

    async def send(self, method, path, json=None):
        return await self.client.request(method, f"/api/v1{path}", json=json, headers=self.headers)

    async def lock(self, **show):
        programme = await self.till.box.show(**show)
        return programme, await self.till.box.hold(self.person.actor, programme)

    async def buy(self, **show):
        """A booking that is paid by card."""
        _, hold = await self.lock(**show)
        booking = await self.till.box.book(self.person.actor, hold)
        await self.till.deliver(paid(await self.till.start(booking, self.person.actor)))
        return booking

    async def wish(self, booking, **show):
        """Change it for a seat in another show."""
        programme, hold = await self.lock(**show)
        answer = await self.send("POST", f"/bookings/{booking.id}/change", {"lockId": str(hold.id)})
        assert answer.status_code == 200, answer.text
        return programme, answer.json()

    async def pay(self, booking, changed):
        wanted = {"bookingId": str(booking.id), "changeId": changed["change"]["changeId"], "method": "wallet"}
        return await self.send("POST", "/payments/create", wanted)

    async def balances(self):
        return (await self.send("GET", "/wallet")).json()["balances"]

    async def trips_of(self, booking):
        return [item["tripId"] for item in (await self.send("GET", f"/bookings/{booking.id}")).json()["items"]]


@pytest.fixture
async def an(till, client, secrets):
    person = await make_person(till.database, secrets)
    yield Traveller(till, client, person, (await open_session_of(person)).token)
    assert [str(verdict) for verdict in verify_ledger(till.database.direct_dsn) if verdict.broken] == []


def eur(amount):
    return {"amount": amount, "currency": "EUR"}


async def test_what_a_dearer_show_costs_more_is_paid_out_of_the_wallet_and_the_change_made_at_once(an, till):
    await fill_wallet(till.database, an.person, Money(2000, "EUR"))
    booking = await an.buy(price=1000, change_fee=50)
    other, changed = await an.wish(booking, price=1500)
    assert (changed["status"], changed["change"]["toPay"]) == ("pending", eur("5.50"))
    payment = await an.pay(booking, changed)
    assert (payment.status_code, payment.json()["status"], payment.json()["amount"]) == (201, "completed", eur("5.50"))
    assert await an.balances() == [eur("14.50")]
    assert await an.trips_of(booking) == [str(other.id)]
    [latest, *_] = (await an.send("GET", "/wallet/transactions")).json()["items"]
    assert (latest["kind"], latest["amount"], latest["reference"]) == ("payment", eur("-5.50"), booking.reference)
    assert await till.tickets() == 1
    again = await an.pay(booking, changed)
    assert (again.status_code, again.json()["code"]) == (409, "not-payable")
    assert await an.balances() == [eur("14.50")]


async def test_a_wallet_that_holds_less_than_a_change_costs_pays_nothing_of_it(an, till):
    await fill_wallet(till.database, an.person, Money(499, "EUR"))
    booking = await an.buy(price=1000)
    before = await an.trips_of(booking)
    _, changed = await an.wish(booking, price=1500)
    refused = await an.pay(booking, changed)
    assert (refused.status_code, refused.json()["code"]) == (409, "wallet-too-small")
    assert await an.balances() == [eur("4.99")]
    assert await an.trips_of(booking) == before
    assert await scalar(till.database, "SELECT status FROM booking_change") == "pending"


async def test_a_change_paid_by_card_while_the_wallet_paid_it_gives_the_card_its_money_back(an, till):
    await fill_wallet(till.database, an.person, Money(2000, "EUR"))
    booking = await an.buy(price=1000)
    other, changed = await an.wish(booking, price=1500)
    wanted = {"bookingId": str(booking.id), "changeId": changed["change"]["changeId"], "method": "sandbox"}
    by_card = (await an.send("POST", "/payments/create", wanted)).json()
    assert (await an.pay(booking, changed)).status_code == 201
    played = await an.send("POST", f"/payments/sandbox/{by_card['paymentId']}", {"outcome": "succeeded"})
    assert played.status_code == 200, played.text
    assert await till.make_refunds() == 1
    assert [order.amount.minor for order in till.bank.refunds] == [500]
    assert await an.balances() == [eur("15.00")]
    assert await an.trips_of(booking) == [str(other.id)]


async def test_what_a_cheaper_show_saves_goes_into_the_wallet_by_choice(an, till):
    booking = await an.buy(price=1500, change_fee=50, begins_in=LATER)
    other, hold = await an.lock(price=1000, begins_in=LATER)
    wish = {"lockId": str(hold.id), "refundTo": "wallet"}
    answer = await an.send("POST", f"/bookings/{booking.id}/change", wish)
    assert (answer.status_code, answer.json()["status"]) == (200, "applied"), answer.text
    assert await an.trips_of(booking) == [str(other.id)]
    assert await till.make_refunds() == 1
    assert till.bank.refunds == []
    total = (await an.send("GET", f"/bookings/{booking.id}")).json()["total"]
    assert (total, await an.balances()) == (eur("11.50"), [eur("4.50")])


async def test_the_ways_to_pay_what_is_owed_now_are_offered(an, till):
    async def offered(booking, more=""):
        answer = await an.send("GET", f"/payments/methods?bookingId={booking.id}{more}")
        told = answer.json()
        return [each["method"] for each in told["items"]], told["toPay"], told["changeId"]

    _, hold = await an.lock(price=1000)
    pending = await till.box.book(an.person.actor, hold)
    providers = [method for method in (await offered(pending))[0] if method != "wallet"]
    assert await offered(pending) == (providers, eur("11.00"), None)
    await fill_wallet(till.database, an.person, Money(549, "EUR"))
    assert await offered(pending) == ([*providers, "wallet"], eur("11.00"), None)
    booking = await an.buy(price=1000, change_fee=50)
    assert await offered(booking) == ([], eur("0.00"), None)
    _, changed = await an.wish(booking, price=1500)
    change_id = changed["change"]["changeId"]
    for more in ("", f"&changeId={change_id}"):  # a cent is missing in the wallet
        assert await offered(booking, more) == (providers, eur("5.50"), change_id)
    await fill_wallet(till.database, an.person, Money(1, "EUR"))
    assert await offered(booking) == ([*providers, "wallet"], eur("5.50"), change_id)
    other = await an.send("GET", f"/payments/methods?bookingId={pending.id}&changeId={change_id}")
    assert (other.status_code, other.json()["code"]) == (404, "change-not-found")
    assert (await an.pay(booking, changed)).json()["status"] == "completed"
    assert await offered(booking) == ([], eur("0.00"), None)
