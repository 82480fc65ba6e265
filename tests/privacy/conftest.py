from dataclasses import dataclass
from typing import Any

import pytest
from tests.bookings.conftest import box, client, services
from tests.bookings.shows import Box
from tests.payments.conftest import bank, till
from tests.people import Somebody, make_person

from farebox.accounts import Actor
from farebox.bookings import Booking
from farebox.notifications import Office
from farebox.payments import PaymentView
from farebox.privacy import erase
from farebox.wiring import Services

__all__ = ["bank", "box", "client", "house", "person", "services", "till"]


@dataclass
class House:
    """A process, its box office, and what can be done for a person."""

    services: Services
    box: Box
    till: Any

    async def erase(self, person: Somebody, *, actor: Actor | None = None) -> None:
        services = self.services
        office = Office(jobs=services.jobs, settings=services.settings, secrets=services.secrets)
        async with services.database.begin(reach="*") as work:
            await erase(
                work,
                person.id,
                actor=actor or person.actor,
                jobs=services.jobs,
                office=office,
                secrets=services.secrets,
            )

    async def travelled(self, person: Somebody, *, days_ago: int = 1, **more: Any) -> Booking:
        """A paid booking of theirs for a ride that is over."""
        booking, _ = await self.paid(person, **more)
        async with self.services.database.begin() as work:
            for table in ("booking", "booking_item"):
                key = "id" if table == "booking" else "booking_id"
                await work.execute(
                    f"UPDATE {table} SET starts_at = now() - %s * interval '1 day' - interval '2 hours',"
                    f" completes_at = now() - %s * interval '1 day' WHERE {key} = %s",
                    (days_ago, days_ago, booking.id),
                )
            await work.execute("UPDATE booking SET status = 'completed' WHERE id = %s", (booking.id,))
        return booking

    async def paid(self, person: Somebody, units: tuple[int, ...] = (0,), **more: Any) -> tuple[Booking, PaymentView]:
        """A confirmed booking of theirs for tomorrow."""
        show = await self.box.show()
        booking = await self.box.book(person.actor, await self.box.hold(person.actor, show, units), **more)
        payment = await self.till.start(booking, person.actor)
        await self.till.play(payment, "succeeded")
        return booking, payment


@pytest.fixture
def house(services: Services, box: Box, till: Any) -> House:
    return House(services, box, till)


@pytest.fixture
async def person(database, secrets) -> Somebody:
    return await make_person(
        database, secrets, email="an.nguyen@example.com", phone="+84987654321", birth_date="1990-12-31"
    )
