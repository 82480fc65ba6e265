"""Invoices and credit notes: what is written of a price and its changes, and that no number is missing."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.bookings.shows import HERE, scalar
from tests.people import make_person, open_session_of

from farebox.accounts import ROLES, SYSTEM, Actor, upsert_operator
from farebox.bookings import BookedLine, BookingConfirmed, BookingNotFound
from farebox.core.i18n import language
from farebox.core.ids import new_id
from farebox.core.jobs import Jobs
from farebox.core.money import Money
from farebox.core.outbox import Outbox
from farebox.payments import (
    INVOICE_REACTIONS,
    InvoiceNotFound,
    cancel_booking,
    issue_invoices,
    list_invoices,
    refund_payment,
    register_invoice_jobs,
    render_invoice,
)
from farebox.payments.invoice_documents import InvoiceLine, Written, by_rate, to_write, totals, with_rates
from farebox.payments.invoice_jobs import INVOICE
from farebox.payments.invoices import get_invoice, wipe_old_buyers
from farebox.pricing import Tax

ITEM = new_id()


def line(label, amount, *, tax=0, kind="fare", seat=None, rate=None):
    return InvoiceLine(
        item_id=ITEM,
        kind=kind,
        label=label,
        facts={"seat": seat},
        seat_number=seat,
        amount_minor=amount,
        tax_minor=tax,
        rate_bp=rate,
    )


def keep(written, documents):
    """What `written` is once these have been."""
    return written + [
        Written(new_id(), each.kind, f"{each.kind} {len(written) + place}", each.lines)
        for place, each in enumerate(documents)
    ]


def standing(written):
    """What all documents together come to."""
    return sum(
        (1 if document.kind == "invoice" else -1) * line.amount_minor for document in written for line in document.lines
    )


# --- what is written


def test_a_sale_is_one_invoice_and_the_same_price_again_is_nothing():
    price = [line("A1", 1250, seat="A1"), line("fee", 100, kind="fee")]
    [sale] = to_write([], price)
    assert (sale.kind, sale.lines, sale.corrects) == ("invoice", tuple(price), ())
    assert to_write(keep([], [sale]), list(reversed(price))) == []


def test_a_seat_given_up_is_credited_and_the_fee_kept_for_it_invoiced():
    a1, a2 = line("A1", 1250, seat="A1"), line("A2", 1250, seat="A2")
    written = keep([], to_write([], [a1, a2]))
    kept = line("kept", 250, kind="fee", seat="A2")
    credit, invoice = to_write(written, [a1, kept])
    assert (credit.kind, credit.lines, [each.number for each in credit.corrects]) == (
        "credit-note",
        (a2,),
        ["invoice 0"],
    )
    assert (invoice.kind, invoice.lines) == ("invoice", (kept,))


def test_a_credit_note_names_each_invoice_that_its_lines_were_on():
    a1, fee = line("A1", 1250, seat="A1"), line("change", 200, kind="fee")
    written = keep([], to_write([], [a1]))
    written = keep(written, to_write(written, [a1, fee]))
    [credit] = to_write(written, [])
    assert credit.lines == (a1, fee)
    assert [each.number for each in credit.corrects] == ["invoice 0", "invoice 1"]


def test_two_lines_that_say_the_same_are_two():
    twice = [line("A1", 500), line("A1", 500)]
    written = keep([], to_write([], twice))
    [credit] = to_write(written, twice[:1])
    assert credit.lines == (twice[0],)


def test_where_a_discount_alone_has_changed_the_whole_price_is_credited_and_invoiced_anew():
    seat = line("A1", 1000, tax=91, seat="A1")
    before, after = (line("code", -amount, kind="discount", seat="A1") for amount in (300, 500))
    written = keep([], to_write([], [seat, before]))
    credit, invoice = to_write(written, [seat, after])
    assert (credit.kind, credit.lines) == ("credit-note", (seat, before))
    assert (invoice.kind, invoice.lines) == ("invoice", (seat, after))


def test_what_is_free_needs_no_invoice():
    assert to_write([], [line("A1", 0, seat="A1")]) == []
    assert to_write([], []) == []


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from("ABCD"), st.integers(0, 10**9), st.integers(0, 100), st.integers(0, 100)),
            max_size=6,
        ),
        max_size=5,
    )
)
def test_after_any_changes_the_documents_come_to_the_price_and_none_is_less_than_nothing(prices):
    written: list[Written] = []
    for price in prices:
        now = []
        for label, amount, tax_percent, off_percent in price:
            now.append(line(label, amount, tax=amount * tax_percent // 200))
            now.append(line("off", -(amount * off_percent // 100), tax=-(amount * tax_percent // 200), kind="discount"))
        for document in (documents := to_write(written, now)):
            assert sum(each.amount_minor for each in document.lines) >= 0
            assert sum(each.tax_minor for each in document.lines) >= 0
            assert (document.kind == "credit-note") == bool(document.corrects)
        assert len(documents) <= 2
        written = keep(written, documents)
        assert standing(written) == sum(each.amount_minor for each in now)
        assert to_write(written, now) == []


def test_tax_is_told_by_rate_and_a_fee_has_the_rate_of_what_it_is_a_fee_for():
    lines = [line("A1", 1080, tax=80, rate=800), line("A2", 540, tax=40, rate=800), line("ferry", 100, rate=0)]
    fee = line("kept", 108, tax=8, kind="fee")
    told = [(each.rate_bp, each.net, each.tax, each.gross) for each in totals(with_rates([*lines, fee], []))]
    assert told == [(800, 1600, 128, 1728), (0, 100, 0, 100)]


def test_between_two_rates_a_fee_has_none():
    lines = [line("A1", 1080, tax=80, rate=800), line("A2", 1100, tax=100, rate=1000), line("kept", 54, tax=4)]
    assert [each.rate_bp for each in totals(with_rates(lines, []))] == [1000, 800, None]


def booked(kind, amount, tax, seat=None, rate=None):
    return BookedLine(
        item_id=ITEM,
        kind=kind,
        label=kind,
        facts={} if rate is None else {"tax_rate_bp": rate},
        seat_number=seat,
        amount=Money(amount, "EUR"),
        tax_included=Money(tax, "EUR"),
    )


SEATS = [booked("fare", 1080, 80, "A1", 800), booked("fare", 1080, 80, "A2", 800)]
UNTAXED, TAXED = booked("fee", 100, 0), booked("fee", 216, 16, rate=800)


@pytest.mark.parametrize(
    ("price", "amount", "tax", "parts"),
    [
        ([*SEATS, UNTAXED], 540, 40, [(800, -540, -40)]),  # off the seats alone
        ([*SEATS, UNTAXED], 2200, 160, [(800, -2160, -160), (0, -40, 0)]),
        ([*SEATS, UNTAXED], 2260, 160, [(800, -2160, -160), (0, -100, 0)]),
        ([*SEATS, TAXED], 2268, 168, [(800, -2268, -168)]),  # one rate
        ([*SEATS, UNTAXED, TAXED], 2318, 168, [(800, -2268, -168), (0, -50, 0)]),
        ([UNTAXED], 60, 0, [(0, -60, 0)]),
        ([booked("fare", 1100, 100, "A1"), UNTAXED], 1150, 100, [(0, -50, 0), (None, -1100, -100)]),  # nothing says it
        ([*SEATS], 3000, 200, [(None, -3000, -200)]),  # more than there is: as it stands in the booking
    ],
    ids=["seats", "both", "all", "one-rate", "two-fees", "fee-alone", "unknown", "too-much"],
)
def test_what_is_off_seats_and_fees_is_a_line_for_each_rate(price, amount, tax, parts):
    found = by_rate(booked("discount", -amount, -tax), price)
    assert [(each.rate_bp, each.amount_minor, each.tax_minor) for each in found] == parts


@given(
    rates=st.tuples(st.sampled_from([0, 500, 800, 2000]), st.sampled_from([0, 500, 800])),
    seats=st.lists(st.integers(1, 5000), max_size=4),
    fee=st.integers(0, 500),
    share=st.fractions(0, 1),
)
def test_the_parts_of_an_allowance_add_up_and_what_is_left_has_the_tax_of_its_rate(rates, seats, fee, share):
    def taxed(kind, amount, rate, seat=None):
        return booked(kind, amount, Tax(rate).included_in(Money(amount, "EUR")).minor, seat, rate)

    lines = [taxed("fare", amount, rates[0], f"A{place}") for place, amount in enumerate(seats)]
    lines += [taxed("fee", fee, rates[1])] if fee else []
    whole, of_seats = sum(seats) + fee, sum(seats)
    off = int(whole * share)
    taxes = [
        sum(line.tax_included.minor for line in lines if (line.kind == "fee") is is_fee) for is_fee in (False, True)
    ]
    of_parts = ((min(off, of_seats), of_seats, taxes[0]), (max(0, off - of_seats), fee, taxes[1]))
    tax = sum(Money(own, "EUR").times(Fraction(part, cost)).minor for part, cost, own in of_parts if cost)
    parts = by_rate(booked("discount", -off, -tax), lines)
    assert (sum(each.amount_minor for each in parts), sum(each.tax_minor for each in parts)) == (-off, -tax)
    invoiced = [*(by_rate(line, ())[0] for line in lines), *parts]
    for each in totals(invoiced):
        assert each.gross >= 0
        assert abs(each.tax - each.gross * Fraction(each.rate_bp or 0, 10_000 + (each.rate_bp or 0))) <= len(lines) + 1


# --- writing them


@pytest.fixture
async def sold(till):
    """A booking of two seats for 26.00 that is paid, and who made it."""
    booking, actor, show, payment = await till.paying(units=(0, 1), begins_in=3 * 86_400)
    await till.play(payment, "succeeded")
    return await till.booking(booking), actor, show


async def issue(till, booking):
    async with till.database.begin() as work:
        return await issue_invoices(work, booking.id, secrets=till.box.secrets)


async def read(till, booking, actor=SYSTEM):
    async with till.database.begin() as work:
        return await list_invoices(work, booking.id, actor=actor)


async def test_a_sale_is_invoiced_once_however_often_the_job_runs(till, sold):
    booking, *_ = sold
    till.told()
    [invoice] = await issue(till, booking)
    assert (invoice.kind, invoice.total.minor, invoice.tax.minor, invoice.corrects_id) == ("invoice", 2600, 228, None)
    assert invoice.number == f"INV-{invoice.issued_at.astimezone(HERE).year}-000001"
    assert till.told() == ["invoice.issued"]
    assert await issue(till, booking) == []
    assert await read(till, booking) == [invoice]


async def test_nothing_is_written_of_a_booking_that_was_never_confirmed(till, box):
    booking, *_ = await box.booked()
    assert await issue(till, booking) == []


async def test_a_seat_given_up_has_a_credit_note_and_numbers_of_its_own(till, sold):
    booking, *_ = sold
    [invoice] = await issue(till, booking)
    async with till.database.begin() as work:
        cancelled = await cancel_booking(
            work, booking.id, actor=SYSTEM, passengers=[booking.passengers[1].id], refund_to="origin"
        )
    [credit] = await issue(till, booking)
    assert (credit.kind, credit.total, credit.corrects_id) == ("credit-note", cancelled.refund, invoice.id)
    assert credit.number == f"CN-{credit.issued_at.astimezone(HERE).year}-000001"
    async with till.database.begin() as work:
        _, document, _ = await get_invoice(work, credit.id, actor=SYSTEM, secrets=till.box.secrets)
    assert document.corrects == (invoice.number,)
    assert [each.seat_number for each in document.lines] == ["A2"]


async def test_an_allowance_is_credited_in_full_and_the_price_invoiced_anew(till, sold):
    booking, *_ = sold
    await issue(till, booking)
    payment_id = await scalar(till.database, "SELECT id FROM payment")
    till.told()
    async with till.database.begin() as work:
        await refund_payment(work, payment_id, Money(500, "EUR"), note="a broken seat", actor=SYSTEM)
    assert [INVOICE_REACTIONS[event] for event in till.told() if event.startswith("booking.")] == [[INVOICE]]
    assert [(each.kind, each.total.minor) for each in await issue(till, booking)] == [
        ("credit-note", 2600),
        ("invoice", 2100),
    ]


async def test_an_allowance_that_is_off_an_untaxed_fee_too_is_printed_at_both_rates(till, sold):
    booking, *_ = sold  # two seats at 12.50, and a fee of 1.00 without tax
    payment_id = await scalar(till.database, "SELECT id FROM payment")
    async with till.database.begin() as work:
        await work.execute("ALTER TABLE booking_price_line DISABLE TRIGGER append_only")
        await work.execute(
            "UPDATE booking_price_line SET facts = facts || '{\"tax_rate_bp\": 1000}' WHERE kind = 'fare'"
        )
        await work.execute("ALTER TABLE booking_price_line ENABLE TRIGGER append_only")
        await refund_payment(work, payment_id, Money(2560, "EUR"), note="a long delay", actor=SYSTEM)
    [invoice] = await issue(till, booking)
    async with till.database.begin() as work:
        _, document, _ = await get_invoice(work, invoice.id, actor=SYSTEM, secrets=till.box.secrets)
    told = [(each.label, each.rate_bp, each.amount_minor) for each in document.lines if each.kind == "discount"]
    assert told == [("Allowance", 1000, -2500), ("Allowance", 0, -60)]
    assert [(each.rate_bp, each.gross, each.tax) for each in totals(document.lines)] == [(1000, 0, 0), (0, 40, 0)]
    assert (invoice.total.minor, invoice.tax.minor) == (40, 0)
    assert await issue(till, booking) == []
    _, pdf = await render_invoice(till.database, invoice.id, actor=SYSTEM, secrets=till.box.secrets)
    page = " ".join(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range().split())
    assert "Allowance 10% -€25.00" in page.replace("−", "-")
    assert "Allowance 0% -€0.60" in page.replace("−", "-")


async def test_a_job_that_was_missed_is_made_up_for_by_the_next(till, sold):
    booking, *_ = sold
    async with till.database.begin() as work:
        await cancel_booking(work, booking.id, actor=SYSTEM)
    [kept] = await issue(till, booking)
    assert (kept.kind, kept.total.minor) == ("invoice", 100)  # the service fee is all that was kept


async def test_a_document_says_what_the_operator_was_called_then_whatever_it_is_called_later(till, sold):
    booking, *_ = sold
    facts: dict[str, Any] = {
        "code": "theatre",
        "name": "Small Theatre",
        "timezone": "Asia/Ho_Chi_Minh",
        "currency": "EUR",
    }
    async with till.database.begin() as work:
        await upsert_operator(work, **facts, legal_name="Small Theatre Ltd", tax_number="0101234567")
    [invoice] = await issue(till, booking)
    async with till.database.begin() as work:
        await upsert_operator(work, **facts | {"name": "Big Theatre"}, legal_name="Big Theatre plc", tax_number="9")
    async with till.database.begin() as work:
        _, document, buyer = await get_invoice(work, invoice.id, actor=SYSTEM, secrets=till.box.secrets)
    assert (document.seller.name, document.seller.legal_name) == ("Small Theatre", "Small Theatre Ltd")
    assert (document.seller.tax_number, document.reference) == ("0101234567", booking.reference)
    assert buyer == "Nguyễn Văn An\nan.nguyen@example.com"  # a guest: whoever travels, and the address


@pytest.mark.parametrize(
    "change",
    ["UPDATE invoice SET total_minor = 1", "UPDATE invoice SET document = '{}'", "DELETE FROM invoice"],
)
async def test_the_database_refuses_to_change_an_invoice(till, sold, change):
    booking, *_ = sold
    await issue(till, booking)
    async with till.database.begin() as work:
        with pytest.raises(DBAPIError, match="append-only"):
            await work.session.execute(text(change))
        await work.rollback()


async def test_buyers_are_forgotten_with_the_years(till, sold):
    booking, *_ = sold
    [invoice] = await issue(till, booking)
    async with till.database.begin() as work:
        assert await wipe_old_buyers(work, before=invoice.issued_at) == 0
        assert await wipe_old_buyers(work, before=invoice.issued_at + timedelta(seconds=1)) == 1
        assert await wipe_old_buyers(work, before=invoice.issued_at + timedelta(seconds=1)) == 0


# --- numbers


async def numbers(till, kind="invoice"):
    async with till.database.begin() as work:
        cursor = await work.execute("SELECT number FROM invoice WHERE kind = %s ORDER BY number", (kind,))
        return [number for (number,) in await cursor.fetchall()]


async def test_twenty_at_once_and_some_that_are_rolled_back_leave_no_gap(till, box, open_database):
    show = await box.show(seats=20)
    bookings = []
    for unit in range(20):
        guest = await box.guest()
        booking = await box.book(guest, await box.hold(guest, show, (unit,)))
        await till.play(await till.start(booking, guest), "succeeded")
        bookings.append(booking)
    wide = open_database(pool_size=20)

    async def job(place: int) -> None:
        async with wide.begin() as work:
            await issue_invoices(work, bookings[place].id, secrets=box.secrets)
            if place % 4 == 0:
                await work.rollback()

    await asyncio.gather(*(job(place) for place in range(20)))
    assert await numbers(till) == list(range(1, 16))
    await asyncio.gather(*(job(place) for place in range(20) if place % 4), *(job(place + 1) for place in range(3)))
    assert await numbers(till) == list(range(1, 16))
    for booking in bookings:
        await issue(till, booking)
    assert await numbers(till) == list(range(1, 21))


async def test_one_booking_invoiced_by_many_at_once_has_one_invoice(till, sold, open_database):
    booking, *_ = sold
    wide = open_database(pool_size=5)

    async def job():
        async with wide.begin() as work:
            return await issue_invoices(work, booking.id, secrets=till.box.secrets)

    issued = await asyncio.gather(*(job() for _ in range(5)))
    assert sorted(len(each) for each in issued) == [0, 0, 0, 0, 1]
    assert await numbers(till) == [1]


async def test_the_numbers_begin_anew_with_the_operators_year(till, box):
    issued = []
    for at in ("2026-12-31T16:59:59Z", "2026-12-31T17:00:00Z"):  # midnight in Huế
        guest = await box.guest()
        booking = await box.book(guest, await box.hold(guest, await box.show()))
        await till.play(await till.start(booking, guest), "succeeded")
        async with till.database.begin() as work:
            work.now = datetime.fromisoformat(at)
            issued += await issue_invoices(work, booking.id, secrets=box.secrets)
    assert [each.number for each in issued] == ["INV-2026-000001", "INV-2027-000001"]


# --- who sees them


async def test_the_owner_sees_them_and_others_do_not_find_them(till, sold, box):
    booking, actor, _ = sold
    [invoice] = await issue(till, booking)
    assert await read(till, booking, actor) == [invoice]
    stranger = await box.guest()
    with pytest.raises(BookingNotFound):
        await read(till, booking, stranger)
    with pytest.raises(InvoiceNotFound):
        await render_invoice(till.database, invoice.id, actor=stranger, secrets=box.secrets)
    with pytest.raises(InvoiceNotFound):
        await render_invoice(till.database, new_id(), actor=SYSTEM, secrets=box.secrets)


async def test_staff_see_their_own_operators_alone(till, box):
    mine, theirs = await box.show(), await box.show()
    async with till.database.begin() as work:
        other = await upsert_operator(work, code="other", name="Other", timezone="Asia/Ho_Chi_Minh", currency="EUR")
    theirs = replace(theirs, operator_id=other.id)
    box.theatre.shows[theirs.inventory_id] = theirs
    guest = await box.guest()
    booking = await box.book(guest, await box.hold(guest, mine), await box.hold(guest, theirs))
    await till.play(await till.start(booking, guest), "succeeded")
    assert len(await issue(till, booking)) == 2
    assert {each.operator_id for each in await read(till, booking, guest)} == {mine.operator_id, other.id}
    agent = Actor("user", new_id(), grants=((other.id, ROLES["agent"]),))
    [seen] = await read(till, booking, agent)
    assert seen.operator_id == other.id
    [hidden] = [each for each in await read(till, booking) if each.operator_id == mine.operator_id]
    with pytest.raises(InvoiceNotFound):
        await render_invoice(till.database, hidden.id, actor=agent, secrets=box.secrets)


# --- on paper


@pytest.mark.parametrize(
    ("currency", "price", "shown"), [("VND", 320_000, "₫640,100"), ("EUR", 1250, "€26.00"), ("KWD", 12_500, "25.100")]
)
@pytest.mark.parametrize("code", ["en", "vi"])
async def test_it_is_printed_in_both_languages_and_with_any_decimals(till, box, currency, price, shown, code):
    booking, actor, _, payment = await till.paying(units=(0, 1), currency=currency, price=price)
    await till.play(payment, "succeeded")
    [invoice] = await issue(till, booking)
    with language(code):
        _, pdf = await render_invoice(till.database, invoice.id, actor=actor, secrets=box.secrets)
    page = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded()
    said = " ".join(page.split())
    assert invoice.number in said
    assert booking.reference in said
    assert "The Cherry Orchard" in said
    if code == "en":
        assert shown in said.replace("\u00a0", " ")
        assert "Invoice" in said


async def test_the_api_lists_them_and_hands_them_out(till, sold, client, box, database):
    booking, *_ = sold
    [invoice] = await issue(till, booking)
    person = await make_person(database, box.secrets)
    await scalar(database, "UPDATE booking SET owner = %s RETURNING 1", person.actor.owner)
    stranger = await make_person(database, box.secrets, email="binh@example.com")
    headers = {
        each.id: {"Authorization": f"Bearer {(await open_session_of(each)).token}"} for each in (person, stranger)
    }
    listed = await client.get(f"/api/v1/bookings/{booking.id}/invoices", headers=headers[person.id])
    assert listed.json() == {
        "items": [
            {
                "invoiceId": str(invoice.id),
                "number": invoice.number,
                "kind": "invoice",
                "operatorId": str(invoice.operator_id),
                "correctsId": None,
                "total": {"amount": "26.00", "currency": "EUR"},
                "tax": {"amount": "2.28", "currency": "EUR"},
                "issuedAt": listed.json()["items"][0]["issuedAt"],
            }
        ]
    }
    answer = await client.get(f"/api/v1/invoices/{invoice.id}/pdf", headers=headers[person.id])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == f'attachment; filename="{invoice.number}.pdf"'
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.content.startswith(b"%PDF-1.7")
    refused = await client.get(f"/api/v1/invoices/{invoice.id}/pdf", headers=headers[stranger.id])
    assert (refused.status_code, refused.json()["code"]) == (404, "invoice-not-found")


async def test_the_events_that_change_a_price_have_them_written(till, sold):
    booking, *_ = sold
    jobs = Jobs(till.database.dsn)
    register_invoice_jobs(jobs, till.database, secrets=till.box.secrets)
    till.database.deliver_events_to(Outbox(jobs, INVOICE_REACTIONS))
    confirmed = BookingConfirmed(booking_id=booking.id, reference=booking.reference, total_price="26", currency="EUR")
    async with jobs.app.open_async():
        async with till.database.begin() as work:
            work.publish(confirmed)
        await jobs.run_worker(wait=False)
        async with till.database.begin() as work:
            await cancel_booking(work, booking.id, actor=SYSTEM, passengers=[booking.passengers[0].id])
        await jobs.run_worker(wait=False)
    assert [each.kind for each in await read(till, booking)] == ["invoice", "credit-note"]
