"""A business that was named on a booking stays on its invoices when who booked is erased; nobody else does."""

from dataclasses import replace

import pytest
from tests.bookings.shows import scalar
from tests.payments.wallets import fill_wallet
from tests.privacy.dump import everything_in
from tests.privacy.test_erasing import NAMES, refused

from farebox.accounts import SYSTEM
from farebox.core.money import Money
from farebox.payments import InvoiceTo, change_invoice_to, find_invoice_to, issue_invoices, refund_payment
from farebox.payments.invoices import get_invoice

BUSINESS = InvoiceTo("Sông Hương Ltd", "3300101234", "12 Lê Lợi", "VN")
PRINTED = "Sông Hương Ltd\n12 Lê Lợi\ncountry\tVN\ntax number\t3300101234"


async def invoiced(house, database, secrets, person, buyer):
    """Somebody's ride that is over, and its invoice, which names this buyer."""
    booking = await house.travelled(person)
    async with database.begin() as work:
        await change_invoice_to(work, booking.id, buyer, actor=person.actor, secrets=secrets)
        [invoice] = await issue_invoices(work, booking.id, secrets=secrets)
    return booking, invoice


async def test_a_business_stays_on_the_invoices_that_were_written_for_it(house, database, secrets, person):
    booking, invoice = await invoiced(house, database, secrets, person, BUSINESS)
    await house.erase(person)
    async with database.begin() as work:
        _, _, buyer = await get_invoice(work, invoice.id, actor=SYSTEM, secrets=secrets)
        assert buyer == PRINTED
        assert await find_invoice_to(work, booking.id, secrets=secrets) is None  # nothing is taken from there any more
        assert await issue_invoices(work, booking.id, secrets=secrets) == []
        await work.execute("DELETE FROM message WHERE kind = 'account-erased'")  # as above
    dump = await everything_in(database, secrets)
    assert [name for name in NAMES if name in dump] == []


async def test_what_is_written_of_it_later_is_for_that_business(house, database, secrets, person):
    booking, invoice = await invoiced(house, database, secrets, person, BUSINESS)
    await house.erase(person)
    payment_id = await scalar(database, "SELECT id FROM payment")
    async with database.begin() as work:
        await refund_payment(work, payment_id, Money(500, "EUR"), note="a broken seat", actor=SYSTEM)
    async with database.begin() as work:
        credit, anew = await issue_invoices(work, booking.id, secrets=secrets)
        written = [await get_invoice(work, each.id, actor=SYSTEM, secrets=secrets) for each in (credit, anew)]
    assert credit.corrects_id == invoice.id
    assert [buyer for _, _, buyer in written] == [PRINTED, PRINTED]


async def named_and_not_written(house, database, secrets, person, buyer=BUSINESS):
    """Somebody's ride that is over, for which nobody has written an invoice yet."""
    booking = await house.travelled(person)
    async with database.begin() as work:
        await change_invoice_to(work, booking.id, buyer, actor=person.actor, secrets=secrets)
    return booking


async def buyers(database, secrets):
    """Whom each document names, after the job has run."""
    named = []
    async with database.begin() as work:
        rows = await work.execute("SELECT DISTINCT id FROM booking ORDER BY id")
        for (booking_id,) in await rows.fetchall():
            assert await issue_invoices(work, booking_id, secrets=secrets) == []
        invoices = await work.execute("SELECT id FROM invoice ORDER BY id")
        for (invoice_id,) in await invoices.fetchall():
            named.append((await get_invoice(work, invoice_id, actor=SYSTEM, secrets=secrets))[2])
    return named


async def test_a_business_that_was_named_stays_on_an_invoice_that_nobody_had_written_yet(
    house, database, secrets, person
):
    for _ in range(2):
        await named_and_not_written(house, database, secrets, person)
    await house.erase(person)
    assert await buyers(database, secrets) == [PRINTED, PRINTED]
    async with database.begin() as work:
        await work.execute("DELETE FROM message WHERE kind = 'account-erased'")  # as above
    dump = await everything_in(database, secrets)
    assert [name for name in NAMES if name in dump] == []


async def test_a_business_that_was_named_since_is_on_the_invoice_that_replaces_the_first(
    house, database, secrets, person
):
    booking, _ = await invoiced(house, database, secrets, person, BUSINESS)
    renamed = replace(BUSINESS, name="Hải Vân Ltd")
    async with database.begin() as work:
        await change_invoice_to(work, booking.id, renamed, actor=person.actor, secrets=secrets)
    await house.erase(person)
    assert await buyers(database, secrets) == [PRINTED, PRINTED, PRINTED.replace("Sông Hương", "Hải Vân")]


async def test_who_may_not_be_erased_has_no_invoice_written_for_that(house, database, secrets, person):
    await named_and_not_written(house, database, secrets, person)
    await fill_wallet(database, person, Money(500, "EUR"))
    assert (await refused(house, person))["obstacles"] == ["wallet"]
    assert await scalar(database, "SELECT count(*) FROM invoice") == 0


async def test_an_invoice_that_was_not_written_yet_names_no_private_person_who_was_erased(
    house, database, secrets, person
):
    booking = await named_and_not_written(house, database, secrets, person, replace(BUSINESS, tax_number=""))
    await house.erase(person)
    async with database.begin() as work:
        [invoice] = await issue_invoices(work, booking.id, secrets=secrets)
        assert (await get_invoice(work, invoice.id, actor=SYSTEM, secrets=secrets))[2] == ""


@pytest.mark.parametrize("name", ["Sông Hương", "tax number\t3300101234"])
async def test_who_is_named_without_a_tax_number_is_forgotten_and_nothing_is_written_anew(
    house, database, secrets, person, name
):
    booking, invoice = await invoiced(house, database, secrets, person, replace(BUSINESS, name=name, tax_number=""))
    assert "Lê Lợi" in await everything_in(database, secrets)
    await house.erase(person)
    dump = await everything_in(database, secrets)
    assert [word for word in ("Sông Hương", "3300101234", "12 Lê Lợi") if word in dump] == []
    async with database.begin() as work:
        assert await issue_invoices(work, booking.id, secrets=secrets) == []
        assert (await get_invoice(work, invoice.id, actor=SYSTEM, secrets=secrets))[2] == ""
