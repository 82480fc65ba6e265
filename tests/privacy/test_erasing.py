"""Erasing somebody: nothing names them afterwards, what tax law asks for stays, and not before all is settled."""

import asyncio
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from tests.bookings.shows import run_out, scalar
from tests.payments.wallets import fill_wallet
from tests.people import make_person, open_session_of
from tests.privacy.dump import everything_in

from farebox.accounts import SYSTEM, PersonNotFound, add_member, get_person, say_consent
from farebox.accounts.erasing import THEIRS
from farebox.bookings import CancelReason, Contact, get_booking, keep_typed, list_audit
from farebox.core.db import Base
from farebox.core.errors import SignInRequired
from farebox.core.money import Money
from farebox.migrations import load_models
from farebox.notifications import list_messages
from farebox.payments import (
    cancel_booking,
    issue_invoices,
)
from farebox.payments.invoices import get_invoice
from farebox.payments.wallet import open_wallet, take
from farebox.pricing import NewPromotion, make_promotion
from farebox.privacy import NotErasable, find_obstacles

NAMES = ("an.nguyen@example.com", "987654321", "1990-12-31", "Nguyễn", "001099012345", "912345678")


async def test_nothing_names_somebody_who_was_erased(house, database, secrets, person):
    booking = await house.travelled(person, units=(0, 1))
    async with database.begin() as work:
        assert len(await issue_invoices(work, booking.id, secrets=secrets)) == 1
    await open_session_of(person)
    await house.erase(person)

    async with database.begin(reach="*") as work:
        with pytest.raises(PersonNotFound):
            await get_person(work, person.id, secrets=secrets)
        # the last mail is to the address, and is forgotten like other messages
        await work.execute("DELETE FROM message WHERE kind = 'account-erased'")
    dump = await everything_in(database, secrets)
    assert [name for name in NAMES if name in dump] == []
    assert await scalar(database, "SELECT count(*) FROM person_session") == 0
    assert await scalar(database, "SELECT erased_at IS NOT NULL FROM person") is True
    assert booking.reference in dump


async def test_what_they_were_typing_goes_too(house, database, secrets, person):
    async with database.begin() as work:
        await keep_typed(work, "Nguyễn Thị Ánh", owner=person.actor.owner, secrets=secrets)
        await keep_typed(work, "Lê Minh Khôi", owner="guest:somebody", secrets=secrets)
    await house.erase(person)
    dump = await everything_in(database, secrets)
    assert "Nguyễn" not in dump
    assert "Khôi" in dump


def test_every_table_with_something_of_a_person_is_erased_or_kept_on_purpose():
    load_models()
    tables = {
        table.name
        for table in Base.metadata.sorted_tables
        if any(key.column.table.name == "person" for key in table.foreign_keys)
    }
    # the proof that mails were sent rightly; what is wiped apart; and what must be empty before
    kept = {"consent", "message", "wallet"}
    assert tables == {table.__tablename__ for table in THEIRS} | kept


async def test_before_they_are_erased_everything_does(house, database, secrets, person):
    """The control: the dump opens what is sealed, and would show it."""
    await house.travelled(person, units=(0, 1))
    dump = await everything_in(database, secrets)
    assert [name for name in NAMES if name not in dump] == []


async def test_what_tax_law_asks_for_stays(house, database, person):
    booking = await house.travelled(person)
    before = await money_of(database)
    await house.erase(person)
    assert await money_of(database) == before
    async with database.begin() as work:
        kept = await get_booking(work, booking.id, actor=person.actor)
    assert (kept.reference, kept.total, kept.lines) == (booking.reference, booking.total, booking.lines)
    assert kept.items[0].description == booking.items[0].description
    assert [each.full_name for each in kept.passengers] == [""]


async def money_of(database):
    tables = ("booking_price_line", "payment", "payment_charge", "ledger_entry", "ticket")
    return [await scalar(database, f"SELECT jsonb_agg(to_jsonb(t) ORDER BY t.id) FROM {table} t") for table in tables]


WRITTEN = "Chị Bình không đi được"


async def given_up_with_a_code(house, box, database, person):
    """A booking of theirs with a code, given up with words of their own, long paid back."""
    async with database.begin() as work:
        await make_promotion(work, NewPromotion(operator_id=None, code="TWENTY", percent_bp=2000), actor=SYSTEM)
    booking, _ = await house.paid(person, promo_code="TWENTY")
    async with database.begin() as work:
        await cancel_booking(work, booking.id, actor=SYSTEM, reason=CancelReason.OPERATOR, note=WRITTEN)
    await house.till.make_refunds()
    return booking


async def test_what_was_written_about_a_booking_goes_with_its_people_and_the_rest_of_the_audit_stays(
    house, box, database, secrets, person
):
    booking = await given_up_with_a_code(house, box, database, person)
    assert WRITTEN in await everything_in(database, secrets)  # control
    async with database.begin() as work:
        before = await list_audit(work, booking.id, actor=SYSTEM)
    await house.erase(person)
    assert WRITTEN not in await everything_in(database, secrets)
    async with database.begin() as work:
        after = await list_audit(work, booking.id, actor=SYSTEM)
    without = [
        replace(entry, facts={name: value for name, value in entry.facts.items() if name != "note"}) for entry in before
    ]
    assert after == without


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE booking_audit SET facts = facts - 'note' - 'cause'",
        'UPDATE booking_audit SET facts = facts || \'{"note": "another"}\'',
        "UPDATE booking_audit SET facts = facts - 'note', actor = 'system'",
        "UPDATE booking_audit SET reason = 'another'",
        "DELETE FROM booking_audit",
    ],
)
async def test_nothing_but_the_note_leaves_the_audit(house, box, database, person, harm):
    await given_up_with_a_code(house, box, database, person)
    async with database.begin() as work:
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            await work.execute(harm)


async def holders(database):
    return await scalar(database, "SELECT count(*) FROM promotion_person")


async def test_a_code_forgets_who_had_it_and_stays_used(house, box, database, person):
    await given_up_with_a_code(house, box, database, person)
    assert await holders(database) == 1
    await house.erase(person)
    assert await holders(database) == 0
    assert await scalar(database, "SELECT used FROM promotion") == 1


async def test_a_code_still_knows_who_has_it_in_another_booking(house, box, database, person):
    """One that was made without the account: it is not theirs to erase."""
    await given_up_with_a_code(house, box, database, person)
    guest = await box.guest()
    await box.book(guest, await box.hold(guest, await box.show()), promo_code="TWENTY")
    await house.erase(person)
    assert await holders(database) == 1


async def test_nobody_is_remembered_for_a_code_that_they_gave_back(box, database):
    async with database.begin() as work:
        await make_promotion(work, NewPromotion(operator_id=None, code="TWENTY", percent_bp=2000), actor=SYSTEM)
    guest = await box.guest()
    booking = await box.book(guest, await box.hold(guest, await box.show()), promo_code="TWENTY")
    assert await holders(database) == 1
    async with database.begin() as work:
        await cancel_booking(work, booking.id, actor=guest)
    assert await holders(database) == 0


async def test_a_last_mail_says_so_in_their_language(house, database, secrets):
    person = await make_person(database, secrets, language="vi")
    await house.erase(person)
    async with database.begin() as work:
        [mail] = await list_messages(work, secrets=secrets)
    assert (mail.kind, mail.recipient) == ("account-erased", person.email)
    assert mail.subject == "Tài khoản của bạn đã bị xóa"


async def test_the_address_is_free_for_a_new_account(house, database, secrets, person):
    await house.erase(person)
    again = await make_person(database, secrets, email=person.email)
    assert again.id != person.id


async def test_sessions_end_at_once(house, services, person):
    session = await open_session_of(person)
    assert (await services.sessions.authenticate(session.token)).id == person.id
    await house.erase(person)
    with pytest.raises(SignInRequired):
        await services.sessions.authenticate(session.token)


async def refused(house, person):
    with pytest.raises(NotErasable) as caught:
        await house.erase(person)
    return caught.value.fields


async def test_not_while_a_trip_is_ahead(house, database, person):
    booking, _ = await house.paid(person)
    assert await refused(house, person) == {"obstacles": ["upcoming"], "references": [booking.reference]}
    assert await scalar(database, "SELECT erased_at FROM person") is None


async def test_not_while_a_booking_waits_for_its_payment(house, box, database, person):
    booking = await box.book(person.actor, await box.hold(person.actor, await box.show()))
    assert await refused(house, person) == {"obstacles": ["unpaid"], "references": [booking.reference]}
    await run_out(database, booking)
    await house.erase(person)


async def test_not_while_there_is_money_in_the_wallet(house, database, person):
    await fill_wallet(database, person, Money(500, "EUR"))
    assert await refused(house, person) == {"obstacles": ["wallet"], "references": []}
    async with database.begin() as work:
        await take(work, await open_wallet(work, person.id, "EUR"), Money(500, "EUR"))
    await house.erase(person)


async def test_an_invoice_stays_and_forgets_its_buyer(house, database, secrets, person):
    booking = await house.travelled(person)
    async with database.begin() as work:
        [invoice] = await issue_invoices(work, booking.id, secrets=secrets)
        _, document, buyer = await get_invoice(work, invoice.id, actor=person.actor, secrets=secrets)
    assert buyer == "An Nguyễn\nan.nguyen@example.com"
    await house.erase(person)
    async with database.begin() as work:
        assert await get_invoice(work, invoice.id, actor=SYSTEM, secrets=secrets) == (invoice, document, "")


async def test_not_while_money_is_on_its_way_back(house, database, person):
    booking, _ = await house.paid(person)
    over = "UPDATE booking SET status = 'completed', completes_at = now() - interval '1 day' RETURNING 1"
    await scalar(database, over)
    await scalar(
        database,
        "INSERT INTO refund (id, booking_id, payment_id, charge_id, amount_minor, currency, reason, status,"
        " attempts, created_at, updated_at) SELECT gen_random_uuid(), %s, payment_id, id, 100, currency, 'goodwill',"
        " 'pending', 0, now(), now() FROM payment_charge RETURNING 1",
        booking.id,
    )
    assert await refused(house, person) == {"obstacles": ["money-owed"], "references": []}
    await scalar(database, "UPDATE refund SET status = 'completed' RETURNING 1")
    await house.erase(person)


async def test_not_while_nobody_else_looks_after_an_operator(house, box, database, secrets, person):
    show = await box.show()
    other = await make_person(database, secrets, email="binh@example.com")
    async with database.begin(reach="*") as work:
        await add_member(work, show.operator_id, person.id, "operator_admin", invited_by=None)
    assert await refused(house, person) == {"obstacles": ["last-admin"], "references": []}
    async with database.begin(reach="*") as work:
        await add_member(work, show.operator_id, other.id, "operator_admin", invited_by=None)
    await house.erase(person)
    async with database.begin(reach="*") as work:
        count = await (await work.execute("SELECT count(*) FROM membership")).fetchone()
    assert count == (1,)


async def test_not_the_last_admin_of_the_platform(house, database, secrets):
    admin = await make_person(database, secrets, roles=("admin", "user"))
    assert (await refused(house, admin))["obstacles"] == ["last-admin"]
    await make_person(database, secrets, email="b@example.com", roles=("admin", "user"))
    await house.erase(admin)


async def test_what_is_in_the_way_can_be_asked_before(house, database, person):
    booking, _ = await house.paid(person)
    async with database.begin(reach="*") as work:
        obstacles = await find_obstacles(work, person.id)
    assert (obstacles.reasons, obstacles.references) == (("upcoming",), (booking.reference,))


async def test_seats_that_they_hold_are_free_again(house, box, database, person):
    hold = await box.hold(person.actor, await box.show())
    await house.erase(person)
    assert await scalar(database, "SELECT state FROM hold WHERE id = %s", hold.id) == "released"


async def test_booking_and_erasing_at_once_leaves_no_booking_of_nobody(house, box, database, secrets):
    for number in range(4):
        person = await make_person(database, secrets, email=f"p{number}@example.com")
        hold = await box.hold(person.actor, await box.show())
        both: tuple[Any, ...] = await asyncio.gather(
            box.book(person.actor, hold), house.erase(person), return_exceptions=True
        )
        assert sum(isinstance(each, BaseException) for each in both) == 1, both


async def test_nobody_is_erased_twice(house, database, person):
    results = await asyncio.gather(*(house.erase(person) for _ in range(3)), return_exceptions=True)
    assert sorted(str(type(each).__name__) for each in results) == ["NoneType", "PersonNotFound", "PersonNotFound"]
    assert await scalar(database, "SELECT count(*) FROM personal_audit WHERE action = 'erased'") == 1


async def test_others_stay_as_they_are(house, database, secrets, person):
    other = await make_person(database, secrets, email="binh@example.com", first_name="Bình", phone="+84900000001")
    theirs = await house.travelled(other, contact=Contact("binh@example.com", "+84900000001"))
    await house.erase(person)
    async with database.begin() as work:
        read = await get_person(work, other.id, secrets=secrets)
        booking = await get_booking(work, theirs.id, actor=other.actor)
    assert (read.first_name, read.phone) == ("Bình", "+84900000001")
    assert booking.contact.email.open(secrets) == "binh@example.com"


async def test_consent_is_withdrawn_and_its_proof_kept(house, database, person):
    async with database.begin() as work:
        await say_consent(work, person.id, "marketing-email", is_given=True, source="account")
    await house.erase(person)
    said = await scalar(database, "SELECT array_agg(is_given || ' ' || source ORDER BY id) FROM consent")
    assert said == ["true account", "false erasure"]
