"""One booking paid out of the wallet and by card at once: it is sold once, and no more money is kept than it costs."""

import asyncio

import httpx
import pytest
from tests.payments.till import paid
from tests.payments.wallets import fill_wallet
from tests.people import make_person, open_session_of
from tests.waiting import until_somebody_waits

from farebox.bookings import confirm_booking, get_booking
from farebox.core.money import Money
from farebox.payments import find_wallet, inbox, settlement, verify_ledger

PRICE = 1350


class Payer:
    """Somebody with a wallet, in whose browser a booking's card payment has begun."""

    def __init__(self, till, client: httpx.AsyncClient, person, token: str) -> None:
        self.till, self.client, self.person = till, client, person
        self.headers = {"Authorization": f"Bearer {token}"}

    async def book(self) -> None:
        box = self.till.box
        hold = await box.hold(self.person.actor, await box.show())
        self.booking = await box.book(self.person.actor, hold)
        self.card = await self.till.start(self.booking, self.person.actor)

    async def by_wallet(self) -> httpx.Response:
        wanted = {"bookingId": str(self.booking.id), "method": "wallet"}
        return await self.client.post("/api/v1/payments/intent", json=wanted, headers=self.headers)

    async def by_card(self) -> None:
        await self.till.deliver(paid(self.card))

    async def balance(self) -> int:
        async with self.till.database.begin() as work:
            wallet = await find_wallet(work, "EUR", actor=self.person.actor)
        assert wallet is not None
        return wallet.balance.minor

    async def dispositions(self) -> list[str]:
        """What became of the money of this booking, sorted."""
        async with self.till.database.begin() as work:
            cursor = await work.execute(
                "SELECT disposition FROM payment_charge JOIN payment ON payment.id = payment_id WHERE booking_id = %s",
                (self.booking.id,),
            )
            return sorted(row[0] for row in await cursor.fetchall())


@pytest.fixture
async def payer(till, client, secrets):
    person = await make_person(till.database, secrets)
    payer = Payer(till, client, person, (await open_session_of(person)).token)
    await payer.book()
    return payer


def broken_rules(payer: Payer) -> list[str]:
    """Of the ledger."""
    return [verdict.rule for verdict in verify_ledger(payer.till.database.direct_dsn) if verdict.broken]


async def keeps_the_price_once(payer: Payer, filled: int) -> None:
    """The booking is sold, and what the wallet and the card have lost in the end is its price."""
    await payer.till.make_refunds()
    assert (await payer.till.booking(payer.booking)).status == "confirmed"
    assert await payer.till.tickets() == 1
    by_card = PRICE - sum(order.amount.minor for order in payer.till.bank.refunds)
    assert filled - await payer.balance() + by_card == PRICE
    assert (await payer.till.steps(payer.booking)).count("paid") == 1
    assert broken_rules(payer) == []


@pytest.mark.parametrize("attempt", range(6))
async def test_of_wallet_and_card_at_once_one_counts_and_the_other_money_goes_back(payer, attempt):
    await fill_wallet(payer.till.database, payer.person, Money(5000, "EUR"))
    racers = [payer.by_wallet(), payer.by_card()]
    done = await asyncio.gather(*racers[:: 1 if attempt % 2 else -1])
    [answer] = [each for each in done if each is not None]
    if answer.status_code == 201:
        assert await payer.dispositions() == ["applied", "duplicate"]
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "not-payable")
        assert await payer.dispositions() == ["applied"]
        assert await payer.balance() == 5000
    await keeps_the_price_once(payer, 5000)


@pytest.mark.parametrize("attempt", range(6))
async def test_a_wallet_for_a_part_and_the_whole_by_card_at_once_keep_the_price_and_no_more(payer, attempt):
    await fill_wallet(payer.till.database, payer.person, Money(1000, "EUR"))
    racers = [payer.by_wallet(), payer.by_card()]
    done = await asyncio.gather(*racers[:: 1 if attempt % 2 else -1])
    [answer] = [each for each in done if each is not None]
    if answer.status_code == 201:
        assert await payer.dispositions() == ["applied", "applied"]
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "not-payable")
        assert await payer.dispositions() == ["applied"]
    await keeps_the_price_once(payer, 1000)


@pytest.mark.parametrize("first", ["wallet", "card"])
async def test_whoever_is_second_waits_for_the_first_and_finds_the_booking_sold(payer, first, monkeypatch):
    """Each order on purpose: the first holds the booking until the second is seen to wait for it."""
    await fill_wallet(payer.till.database, payer.person, Money(5000, "EUR"))
    seconds = []

    async def sell_slowly(work, booking_id, **more):
        second = payer.by_card() if first == "wallet" else payer.by_wallet()
        seconds.append(asyncio.create_task(second))
        await until_somebody_waits(payer.till.database)
        monkeypatch.setattr(settlement, "confirm_booking", confirm_booking)
        return await confirm_booking(work, booking_id, **more)

    monkeypatch.setattr(settlement, "confirm_booking", sell_slowly)
    answer = await (payer.by_wallet() if first == "wallet" else payer.by_card())
    other = await seconds[0]
    if first == "wallet":
        assert answer.status_code == 201
        assert await payer.dispositions() == ["applied", "duplicate"]
    else:
        assert (other.status_code, other.json()["code"]) == (409, "not-payable")
        assert await payer.balance() == 5000
    await keeps_the_price_once(payer, 5000)


async def test_control_without_the_lock_at_the_beginning_one_of_them_comes_to_nothing(payer, monkeypatch):
    """Two settlements that look before they lock see an unpaid booking each. The guard in the UPDATE stops one."""
    await fill_wallet(payer.till.database, payer.person, Money(5000, "EUR"))
    both_have_looked = asyncio.Barrier(2)

    async def look(work, booking_id, *, actor, lock, with_holds, as_it_stands):
        seen = await get_booking(work, booking_id, actor=actor, as_it_stands=as_it_stands)
        await both_have_looked.wait()
        return seen

    monkeypatch.setattr(settlement, "get_booking", look)
    monkeypatch.setattr(inbox, "expect_booking", lambda work, booking_id: None)
    answer, _ = await asyncio.gather(payer.by_wallet(), payer.by_card())
    by_wallet = answer.status_code == 201  # else the money of the card counts
    assert by_wallet or answer.status_code == 500  # the lock is what makes it a 409
    assert await payer.dispositions() == ["applied"]
    assert await payer.balance() == 5000 - (PRICE if by_wallet else 0)
    assert broken_rules(payer) == []
