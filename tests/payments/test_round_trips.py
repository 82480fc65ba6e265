"""How often a booking asks the database and waits for it: most of what it costs, on one machine and on two."""

import pytest
from tests.bookings.test_api import CONTACT, PERSON, Guest

from farebox.core import pipeline, transactions

pytestmark = pytest.mark.direct  # behind a pooler, each transaction's beginning is one more


@pytest.fixture
async def guest(client, box):
    return Guest(client, box, *(await box.guest_with_token()))


@pytest.fixture
def trips(monkeypatch):
    """The statements of each, by their first words."""
    sent = []
    send = pipeline.send_within

    async def note(connection, statements, **how):
        sent.append([" ".join(text.split()[:2]) for text, _ in statements])
        return await send(connection, statements, **how)

    monkeypatch.setattr(transactions, "send_within", note)
    return sent


async def test_from_held_seats_to_tickets_in_thirteen(box, client, guest, trips):
    """Besides who asks, which many requests ask together."""
    hold = await guest.hold(await box.show())
    form = {"lockId": str(hold.id), "passengers": [PERSON], "contact": CONTACT}
    counts = {}
    del trips[:]
    made = (await guest.send("POST", "/bookings", form)).json()
    counts["book"] = len(trips)
    del trips[:]
    begun = await guest.send("POST", "/payments/create", {"bookingId": made["bookingId"], "method": "sandbox"})
    counts["begin to pay"] = len(trips)
    del trips[:]
    played = await client.post(f"/api/v1/payments/sandbox/{begun.json()['paymentId']}", json={"outcome": "succeeded"})
    counts["pay"] = len(trips)
    assert played.json()["status"] == "completed"
    assert counts == {"book": 3, "begin to pay": 3, "pay": 7}, trips
