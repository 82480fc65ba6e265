"""Second factors: codes of authenticator apps, recovery codes, and who must have one."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from sqlalchemy import select, text
from tests.people import make_person

from farebox.accounts import (
    FactorNeeded,
    FactorNotFound,
    TooManyFactors,
    TotpSetup,
    begin_totp,
    check_second_factor,
    confirm_totp,
    count_recovery_codes,
    get_totp_setup,
    list_factors,
    list_proofs,
    must_have_second_factor,
    needs_second_factor,
    remove_factor,
    rename_factor,
    renew_recovery_codes,
)
from farebox.accounts.people_models import FactorRow, RecoveryCodeRow
from farebox.core.ids import new_id

NOON = datetime(2026, 11, 20, 12, 0, 10, tzinfo=UTC)
STEP = timedelta(seconds=30)


class Phone:
    """An authenticator app, and what its owner does with it."""

    def __init__(self, database, secrets, person):
        self.database, self.secrets, self.person = database, secrets, person
        self.setup: TotpSetup

    async def begin(self, name="Phone"):
        async with self.database.begin() as work:
            self.setup = await begin_totp(work, self.person.id, name, account=self.person.email, secrets=self.secrets)
        return self.setup

    def code(self, at=NOON):
        return pyotp.TOTP(self.setup.secret).at(at)

    async def confirm(self, code):
        async with self.database.begin() as work:
            return await confirm_totp(work, self.person.id, self.setup.factor_id, code, secrets=self.secrets)

    async def check(self, code):
        async with self.database.begin() as work:
            return await check_second_factor(work, self.person.id, code, secrets=self.secrets)

    async def set_up(self):
        """Ready for use: confirmed long ago."""
        await self.begin()
        with time_machine.travel(NOON - 10 * STEP, tick=False):
            codes = await self.confirm(self.code(NOON - 10 * STEP))
        assert codes is not None
        return codes


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
async def person(database, secrets):
    return await make_person(database, secrets)


@pytest.fixture
def phone(database, secrets, person):
    return Phone(database, secrets, person)


async def test_an_app_counts_once_its_first_code_was_given(database, phone, person):
    setup = await phone.begin()
    assert setup.uri == f"otpauth://totp/Farebox:an.nguyen%40example.com?secret={setup.secret}&issuer=Farebox"
    async with database.begin() as work:
        assert await needs_second_factor(work, person.id) == frozenset()
    assert await phone.check(phone.code()) is None
    assert await phone.confirm("000000") is None
    assert len(await phone.confirm(phone.code())) == 10
    async with database.begin() as work:
        assert await needs_second_factor(work, person.id) == {"totp", "recovery-code"}
        [factor] = await list_factors(work, person.id)
        assert (factor.kind, factor.name, factor.used_at) == ("totp", "Phone", None)


async def test_the_secret_is_sealed_and_not_shown_again_once_it_counts(database, phone, person, secrets):
    setup = await phone.begin()
    async with database.begin() as work:
        again = await get_totp_setup(work, person.id, setup.factor_id, account=person.email, secrets=secrets)
        assert again == setup
        sealed = await work.session.scalar(select(FactorRow.secret))
        assert setup.secret.encode() not in sealed
        assert setup.secret not in repr(setup)
    await phone.confirm(phone.code())
    async with database.begin() as work:
        with pytest.raises(FactorNotFound):
            await get_totp_setup(work, person.id, setup.factor_id, account=person.email, secrets=secrets)


async def test_nobody_confirms_or_sees_the_setup_of_somebody_else(database, phone, secrets):
    setup = await phone.begin()
    other = await make_person(database, secrets, email="binh@example.com")
    async with database.begin() as work:
        with pytest.raises(FactorNotFound):
            await get_totp_setup(work, other.id, setup.factor_id, account="", secrets=secrets)
        with pytest.raises(FactorNotFound):
            await confirm_totp(work, other.id, setup.factor_id, phone.code(), secrets=secrets)


async def test_a_setup_that_was_left_lying_is_over(phone):
    await phone.begin()
    with time_machine.travel(NOON + timedelta(hours=1), tick=False), pytest.raises(FactorNotFound):
        await phone.confirm(phone.code(NOON + timedelta(hours=1)))


async def test_a_new_setup_ends_the_one_before_it(phone):
    first = await phone.begin()
    second = await phone.begin()
    phone.setup = first
    with pytest.raises(FactorNotFound):
        await phone.confirm(phone.code())
    phone.setup = second
    assert await phone.confirm(phone.code()) is not None


@pytest.mark.parametrize(("steps", "proof"), [(-2, None), (-1, "totp"), (0, "totp"), (1, "totp"), (2, None)])
async def test_a_phones_clock_may_be_one_step_off(phone, steps, proof):
    await phone.set_up()
    assert await phone.check(phone.code(NOON + steps * STEP)) == proof


async def test_a_code_is_good_once_and_those_before_it_are_gone_with_it(phone):
    await phone.set_up()
    code = phone.code()
    assert await phone.check(f" {code[:3]} {code[3:]} ") == "totp"
    assert await phone.check(code) is None
    assert await phone.check(phone.code(NOON - STEP)) is None
    assert await phone.check(phone.code(NOON + STEP)) == "totp"


async def test_the_code_that_confirmed_the_app_signs_nobody_in(phone):
    await phone.begin()
    await phone.confirm(phone.code())
    assert await phone.check(phone.code()) is None


async def test_of_requests_with_one_code_at_the_same_time_one_is_right(phone):
    await phone.set_up()
    code = phone.code()
    answers = await asyncio.gather(*(phone.check(code) for _ in range(6)))
    assert sorted(answers, key=str) == [None] * 5 + ["totp"]


@pytest.mark.parametrize("code", ["", "0", "0000000", "abcdef", "١٢٣٤٥٦", "9" * 5000, "\x00", "------"])
async def test_what_is_no_code_is_no_proof(phone, code):
    await phone.set_up()
    assert await phone.check(code) is None


async def test_recovery_codes_are_ten_alike_to_nothing_and_good_once_each(database, phone, person):
    codes = await phone.set_up()
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}", code) for code in codes)
    assert await phone.check(codes[0]) == "recovery-code"
    assert await phone.check(codes[0]) is None
    assert await phone.check(codes[1].upper().replace("-", " ").replace("0", "O").replace("1", "l")) == "recovery-code"
    async with database.begin() as work:
        assert await count_recovery_codes(work, person.id) == 8


async def test_of_requests_with_one_recovery_code_at_the_same_time_one_is_right(phone):
    codes = await phone.set_up()
    answers = await asyncio.gather(*(phone.check(codes[3]) for _ in range(6)))
    assert sorted(answers, key=str) == [None] * 5 + ["recovery-code"]


async def test_recovery_codes_are_one_persons_and_only_their_keyed_digests_are_kept(database, phone, secrets):
    codes = await phone.set_up()
    other = await make_person(database, secrets, email="binh@example.com")
    theirs = Phone(database, secrets, other)
    await theirs.set_up()
    assert await theirs.check(codes[0]) is None
    async with database.begin() as work:
        rows = (await work.session.scalars(select(RecoveryCodeRow.code_digest))).all()
        assert len(set(rows)) == 20
        assert {len(digest) for digest in rows} == {32}
        assert (
            await check_second_factor(work, phone.person.id, codes[0], secrets=type(secrets)(b"x" * 32, b"k" * 32))
            is None
        )


async def test_new_recovery_codes_end_the_old_ones(database, phone, person, secrets):
    old = await phone.set_up()
    async with database.begin() as work:
        new = await renew_recovery_codes(work, person.id, secrets=secrets)
    assert await phone.check(old[0]) is None
    assert await phone.check(new[0]) == "recovery-code"


async def test_without_a_factor_there_are_no_recovery_codes(database, person, secrets):
    async with database.begin() as work:
        with pytest.raises(FactorNotFound):
            await renew_recovery_codes(work, person.id, secrets=secrets)


async def test_with_the_last_factor_its_recovery_codes_go(database, phone, person):
    codes = await phone.set_up()
    async with database.begin() as work:
        await remove_factor(work, person.id, phone.setup.factor_id)
    assert await phone.check(phone.code()) is None
    assert await phone.check(codes[0]) is None
    async with database.begin() as work:
        assert await needs_second_factor(work, person.id) == frozenset()


async def test_a_second_app_brings_no_new_codes_and_keeps_the_old_when_it_goes(database, phone, person, secrets):
    codes = await phone.set_up()
    tablet = Phone(database, secrets, person)
    await tablet.begin("Tablet")
    assert await tablet.confirm(tablet.code()) == []
    async with database.begin() as work:
        await remove_factor(work, person.id, tablet.setup.factor_id)
    assert await phone.check(codes[0]) == "recovery-code"


async def test_factors_are_renamed_and_removed_by_their_owner_only(database, phone, person, secrets):
    await phone.set_up()
    other = await make_person(database, secrets, email="binh@example.com")
    async with database.begin() as work:
        for refused in (rename_factor(work, other.id, phone.setup.factor_id, "Mine"),
                        remove_factor(work, other.id, phone.setup.factor_id),
                        remove_factor(work, person.id, new_id())):  # fmt: skip
            with pytest.raises(FactorNotFound):
                await refused
        await rename_factor(work, person.id, phone.setup.factor_id, "Old phone")
        assert [factor.name for factor in await list_factors(work, person.id)] == ["Old phone"]


async def test_nobody_has_more_than_ten(database, person, secrets):
    for _ in range(10):
        await Phone(database, secrets, person).set_up()
    with pytest.raises(TooManyFactors):
        await Phone(database, secrets, person).set_up()


async def test_admins_must_have_one_and_keep_the_last(database, secrets):
    admin = await make_person(database, secrets, email="root@example.com", roles=("user", "admin"))
    phone = Phone(database, secrets, admin)
    await phone.set_up()
    async with database.begin() as work:
        assert await must_have_second_factor(work, admin.id)
        with pytest.raises(FactorNeeded):
            await remove_factor(work, admin.id, phone.setup.factor_id)
    await Phone(database, secrets, admin).set_up()
    async with database.begin() as work:
        await remove_factor(work, admin.id, phone.setup.factor_id)
        assert len(await list_factors(work, admin.id)) == 1


@pytest.mark.parametrize("asks", [True, False])
async def test_staff_must_have_one_where_their_operator_asks_for_it(database, person, asks):
    operator_id = new_id()
    async with database.begin(reach="*") as work:
        await work.session.execute(
            text(
                "INSERT INTO operator (id, code, name, url, phone, email, timezone, currency, language, brand_color,"
                " address) VALUES (:id, 'line', 'Line', '', '', '', 'UTC', 'EUR', 'en', '#000000', '')"
            ),
            {"id": operator_id},
        )
        await work.session.execute(
            text("INSERT INTO membership (operator_id, person_id, role, created_at) VALUES (:o, :p, 'agent', now())"),
            {"o": operator_id, "p": person.id},
        )
        await work.session.execute(
            text(
                "INSERT INTO operator_policy (operator_id, requires_second_factor, updated_at) VALUES (:o, :a, now())"
            ),
            {"o": operator_id, "a": asks},
        )
    async with database.begin() as work:
        assert await must_have_second_factor(work, person.id) is asks


async def test_who_has_a_factor_proves_with_it_and_not_with_the_password(database, phone, person):
    async with database.begin() as work:
        assert await list_proofs(work, person.id) == {"password"}
    await phone.set_up()
    async with database.begin() as work:
        assert await list_proofs(work, person.id) == {"totp", "recovery-code"}
