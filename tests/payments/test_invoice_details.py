"""Whom invoices name: who was asked for, before and after they were written, by whom, and how it is printed."""

from dataclasses import replace
from datetime import timedelta

import pypdfium2
import pytest
from tests.bookings.shows import HERE, scalar

from farebox.accounts import ROLES, SYSTEM, Actor, upsert_operator
from farebox.bookings import BookingNotFound, ConcernsOthers
from farebox.core.errors import Invalid
from farebox.core.i18n import country_name, is_country, language, list_countries
from farebox.core.ids import new_id
from farebox.core.jobs import Jobs
from farebox.core.money import Money
from farebox.core.outbox import Outbox
from farebox.payments import (
    INVOICE_REACTIONS,
    InvoiceDetailsFixed,
    InvoiceTo,
    cancel_booking,
    change_invoice_to,
    check_invoice_to,
    find_invoice_to,
    issue_invoices,
    list_invoices,
    refund_payment,
    register_invoice_jobs,
    render_invoice,
)
from farebox.payments.invoice_details import MOST_CHANGES
from farebox.payments.invoices import get_invoice

COMPANY = InvoiceTo("Sông Hương Ltd", "3300101234", "12 Lê Lợi\nHuế", "VN")
OTHER = InvoiceTo("Hải Vân plc")


@pytest.fixture
async def sold(till):
    """A booking of two seats for 26.00 that is paid, and who made it."""
    booking, actor, show, payment = await till.paying(units=(0, 1), begins_in=3 * 86_400)
    await till.play(payment, "succeeded")
    return await till.booking(booking), actor, show


@pytest.fixture
def name(till):
    """Has a booking's invoices name somebody."""

    async def change(booking, given, actor=SYSTEM):
        async with till.database.begin() as work:
            return await change_invoice_to(work, booking.id, given, actor=actor, secrets=till.box.secrets)

    return change


async def issue(till, booking):
    async with till.database.begin() as work:
        return await issue_invoices(work, booking.id, secrets=till.box.secrets)


async def buyer_of(till, invoice):
    async with till.database.begin() as work:
        _, _, buyer = await get_invoice(work, invoice.id, actor=SYSTEM, secrets=till.box.secrets)
    return buyer.split("\n")[0]


def told(invoices):
    return [(each.kind, each.total.minor) for each in invoices]


# --- what is given


def test_details_are_brought_into_one_form():
    given = InvoiceTo("  Sông   Hương ", "33 00 ", " 12 Lê Lợi \r\n\r\n Huế ", "vn")
    assert check_invoice_to(given) == InvoiceTo("Sông Hương", "33 00", "12 Lê Lợi\nHuế", "VN")


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"name": "  "}, "name", "required"),
        ({"name": "n" * 151}, "name", "too-long"),
        ({"name": "right \u202e left"}, "name", "unprintable"),
        ({"name": "bell \a"}, "name", "unprintable"),
        ({"tax_number": "1" * 41}, "taxNumber", "too-long"),
        ({"tax_number": "1\x002"}, "taxNumber", "unprintable"),
        ({"address": "a" * 101}, "address", "too-long"),
        ({"address": "a\nb\nc\nd\ne"}, "address", "too-long"),
        ({"address": "a\nb\x1b[31m"}, "address", "unprintable"),
        ({"country": "XX"}, "country", "unknown-country"),
        ({"country": "EU"}, "country", "unknown-country"),
        ({"country": "VNM"}, "country", "unknown-country"),
    ],
)
def test_what_cannot_be_printed_is_refused_at_its_field(changes, field, code):
    with pytest.raises(Invalid) as refused:
        check_invoice_to(replace(COMPANY, **changes))
    assert [(error.field, error.code) for error in refused.value.errors] == [(f"invoiceTo.{field}", code)]
    assert refused.value.errors[0].text()


def test_what_is_as_long_as_it_may_be_is_taken():
    longest = InvoiceTo("n" * 150, "1" * 40, "\n".join(["a" * 100] * 4), "DE")
    assert check_invoice_to(longest) == longest


def test_countries_have_names_in_both_languages_and_stand_where_readers_look_for_them():
    with language("vi"):
        assert (country_name("DE"), country_name("AT")) == ("Đức", "Áo")
        names = [name for _, name in list_countries()]
        assert names.index("Áo") < names.index("Bỉ") < names.index("Đức") < names.index("Hà Lan")
    assert country_name("DE") == "Germany"
    assert all(is_country(code) for code, _ in list_countries())
    assert not is_country("001")


# --- whom invoices name


async def test_the_invoice_names_the_company_that_was_given_before_it_was_paid(till, name):
    booking, actor, _, payment = await till.paying()
    assert await name(booking, COMPANY, actor) == COMPANY
    assert till.told() == []  # there is nothing to write anew
    await till.play(payment, "succeeded")
    [invoice] = await issue(till, booking)
    assert await buyer_of(till, invoice) == COMPANY.name


async def test_after_it_was_written_it_is_credited_and_invoiced_anew_with_the_next_numbers(till, sold, name):
    booking, actor, _ = sold
    [first] = await issue(till, booking)
    till.told()
    await name(booking, COMPANY, actor)
    assert [INVOICE_REACTIONS[event] for event in till.told()] == [["payments.invoice"]]
    credit, anew = await issue(till, booking)
    assert told([credit, anew]) == [("credit-note", 2600), ("invoice", 2600)]
    assert (credit.tax, anew.tax, credit.corrects_id) == (first.tax, first.tax, first.id)
    year = first.issued_at.astimezone(HERE).year
    assert [each.number for each in (first, credit, anew)] == [
        f"INV-{year}-000001",
        f"CN-{year}-000001",
        f"INV-{year}-000002",
    ]
    assert await issue(till, booking) == []


async def test_the_credit_note_is_for_whom_the_invoice_was(till, sold, name):
    booking, *_ = sold
    await name(booking, COMPANY)
    [first] = await issue(till, booking)
    await name(booking, OTHER)
    credit, anew = await issue(till, booking)
    assert [await buyer_of(till, each) for each in (first, credit, anew)] == [COMPANY.name, COMPANY.name, OTHER.name]


async def test_what_is_given_up_later_is_credited_alone(till, sold, name):
    booking, *_ = sold
    await issue(till, booking)
    await name(booking, COMPANY)
    _, anew = await issue(till, booking)
    async with till.database.begin() as work:
        await cancel_booking(work, booking.id, actor=SYSTEM, passengers=[booking.passengers[1].id], refund_to="origin")
    [credit] = await issue(till, booking)
    assert (credit.kind, credit.corrects_id, await buyer_of(till, credit)) == ("credit-note", anew.id, COMPANY.name)


async def test_another_price_and_another_buyer_at_once_are_one_credit_note_and_one_invoice(till, sold, name):
    booking, *_ = sold
    await issue(till, booking)
    payment_id = await scalar(till.database, "SELECT id FROM payment")
    await name(booking, COMPANY)
    async with till.database.begin() as work:
        await refund_payment(work, payment_id, Money(500, "EUR"), note="a broken seat", actor=SYSTEM)
    assert told(await issue(till, booking)) == [("credit-note", 2600), ("invoice", 2100)]
    assert await issue(till, booking) == []


@pytest.mark.parametrize("days", [1, 400])  # in the same year's numbers, or in those of another
async def test_the_last_document_is_the_last_whatever_the_clocks_say(till, sold, name, days):
    booking, *_ = sold
    await issue(till, booking)
    await name(booking, COMPANY)
    now = till.database.clock
    till.database.clock = lambda: now() - timedelta(days=days)  # another process, whose clock is behind
    anew = await issue(till, booking)
    till.database.clock = now
    assert told(anew) == [("credit-note", 2600), ("invoice", 2600)]
    assert await issue(till, booking) == []
    await name(booking, OTHER)
    credit, latest = await issue(till, booking)
    assert credit.corrects_id == anew[1].id
    assert [await buyer_of(till, each) for each in (credit, latest)] == [COMPANY.name, OTHER.name]
    async with till.database.begin() as work:
        written = await list_invoices(work, booking.id, actor=SYSTEM)
    assert [each.kind for each in written] == ["invoice", *["credit-note", "invoice"] * 2]
    assert written[1:] == [*anew, credit, latest]


async def test_the_same_again_writes_nothing_and_taking_it_away_names_who_booked(till, sold, name):
    booking, *_ = sold
    await name(booking, COMPANY)
    await issue(till, booking)
    till.told()
    await name(booking, replace(COMPANY, country="vn "))
    assert till.told() == []
    await name(booking, None)
    _, anew = await issue(till, booking)
    assert await buyer_of(till, anew) == "Nguyễn Văn An"
    async with till.database.begin() as work:
        assert await find_invoice_to(work, booking.id, secrets=till.box.secrets) is None


async def test_it_is_not_changed_without_end(till, sold, name):
    booking, *_ = sold
    for _ in range(MOST_CHANGES // 2):
        await name(booking, COMPANY)
        await name(booking, OTHER)
    with pytest.raises(InvoiceDetailsFixed):
        await name(booking, COMPANY)
    async with till.database.begin() as work:
        assert await find_invoice_to(work, booking.id, secrets=till.box.secrets) == OTHER


async def test_the_job_writes_anew_what_the_event_tells_of(till, sold, name):
    booking, *_ = sold
    await issue(till, booking)
    jobs = Jobs(till.database.dsn)
    register_invoice_jobs(jobs, till.database, secrets=till.box.secrets)
    till.database.deliver_events_to(Outbox(jobs, INVOICE_REACTIONS))
    async with jobs.app.open_async():
        await name(booking, COMPANY)
        await jobs.run_worker(wait=False)
    async with till.database.begin() as work:
        written = await list_invoices(work, booking.id, actor=SYSTEM)
    assert [each.kind for each in written] == ["invoice", "credit-note", "invoice"]


# --- by whom


async def test_who_made_the_booking_changes_it_or_proved_by_its_code_that_it_is_theirs(till, sold, name, box):
    booking, actor, _ = sold
    await name(booking, COMPANY, actor)
    await name(booking, OTHER, Actor("guest", new_id(), booking_id=booking.id))
    with pytest.raises(BookingNotFound):
        await name(booking, COMPANY, await box.guest())
    with pytest.raises(BookingNotFound):
        await name(booking, COMPANY, Actor("guest", new_id(), booking_id=new_id()))


async def test_staff_change_it_where_all_of_the_booking_is_theirs(till, box, name):
    mine, theirs = await box.show(), await box.show()
    async with till.database.begin() as work:
        other = await upsert_operator(work, code="other", name="Other", timezone="Asia/Ho_Chi_Minh", currency="EUR")
    theirs = replace(theirs, operator_id=other.id)
    box.theatre.shows[theirs.inventory_id] = theirs
    guest = await box.guest()
    booking = await box.book(guest, await box.hold(guest, mine), await box.hold(guest, theirs))
    driver = Actor("user", new_id(), grants=((other.id, ROLES["driver"]),))
    agent = Actor("user", new_id(), grants=((other.id, ROLES["agent"]),))
    both = Actor("user", new_id(), grants=((other.id, ROLES["agent"]), (mine.operator_id, ROLES["agent"])))
    with pytest.raises(BookingNotFound):
        await name(booking, COMPANY, driver)
    with pytest.raises(ConcernsOthers):
        await name(booking, COMPANY, agent)
    assert await name(booking, COMPANY, both) == COMPANY


# --- on paper


@pytest.mark.parametrize(
    ("code", "words"),
    [("en", ("Buyer", "Germany", "Tax number DE123")), ("vi", ("Người mua", "Đức", "Mã số thuế DE123"))],
)
async def test_it_is_printed_in_the_readers_language(till, sold, name, code, words):
    booking, actor, _ = sold
    await name(booking, InvoiceTo("Sông Hương GmbH", "DE123", "Hauptstraße 1\n10115 Berlin", "DE"))
    [invoice] = await issue(till, booking)
    with language(code):
        _, pdf = await render_invoice(till.database, invoice.id, actor=actor, secrets=till.box.secrets)
    page = " ".join(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded().split())
    for word in (*words, "Sông Hương GmbH", "Hauptstraße 1", "10115 Berlin"):
        assert word in page
