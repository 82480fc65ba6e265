"""Consent: written once, the newest answer counts, and a link in a mail can end it and nothing else."""

import asyncio

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError
from tests.people import make_person

from farebox.accounts import (
    Purpose,
    has_consent,
    list_consent_history,
    list_consents,
    read_unsubscribe_token,
    say_consent,
    unsubscribe_token,
)
from farebox.core.crypto import Secrets
from farebox.core.i18n import language

EMAIL: Purpose = "marketing-email"
SMS: Purpose = "marketing-sms"


@pytest.fixture
async def person(database, secrets):
    return await make_person(database, secrets)


async def say(database, person, purpose, is_given, source="account"):
    async with database.begin() as work:
        await say_consent(work, person.id, purpose, is_given=is_given, source=source)


async def test_who_was_never_asked_has_not_consented(database, person):
    async with database.begin() as work:
        assert [(each.purpose, each.is_given, each.at) for each in await list_consents(work, person.id)] == [
            (EMAIL, False, None),
            (SMS, False, None),
        ]
        assert not await has_consent(work, person.id, EMAIL)


async def test_the_newest_answer_counts_and_all_are_kept(database, person):
    await say(database, person, EMAIL, True)
    await say(database, person, EMAIL, False, source="unsubscribe-link")
    async with database.begin() as work:
        assert not await has_consent(work, person.id, EMAIL)
        history = [(each.is_given, each.source) for each in await list_consent_history(work, person.id)]
    assert history == [(True, "account"), (False, "unsubscribe-link")]


async def test_consent_to_one_purpose_is_none_to_another(database, person):
    await say(database, person, SMS, True)
    async with database.begin() as work:
        assert await has_consent(work, person.id, SMS)
        assert not await has_consent(work, person.id, EMAIL)


async def test_the_words_are_kept_as_they_were_shown(database, person):
    with language("vi"):
        await say(database, person, EMAIL, True)
    async with database.begin() as work:
        [email, _] = await list_consents(work, person.id)
    assert email.wording == "Tôi muốn nhận ưu đãi và tin tức qua e-mail. Tôi có thể dừng bất cứ lúc nào."


async def test_saying_the_same_twice_at_once_is_said_once(database, person):
    await asyncio.gather(*(say(database, person, EMAIL, True) for _ in range(3)))
    async with database.begin() as work:
        assert len(await list_consent_history(work, person.id)) == 1


async def test_withdrawing_what_was_never_given_adds_nothing(database, person):
    await say(database, person, EMAIL, False)
    async with database.begin() as work:
        assert await list_consent_history(work, person.id) == []


@pytest.mark.parametrize("change", ["UPDATE consent SET is_given = true", "DELETE FROM consent"])
async def test_the_database_lets_nobody_change_what_was_said(database, person, change):
    await say(database, person, EMAIL, True)
    with pytest.raises((IntegrityError, psycopg.errors.IntegrityError), match="append-only"):
        async with database.begin() as work:
            await work.execute(change)


async def test_a_link_names_its_person_and_purpose(person, secrets):
    token = unsubscribe_token(person.id, SMS, secrets=secrets)
    assert read_unsubscribe_token(token, secrets=secrets) == (person.id, SMS)


async def test_a_link_that_we_did_not_sign_is_none(person, secrets):
    token = unsubscribe_token(person.id, SMS, secrets=secrets)
    changed = ("A" if token[0] != "A" else "B") + token[1:]
    for bad in (changed, "", "x", "ä", token[:-4], Secrets.__name__):
        assert read_unsubscribe_token(bad, secrets=secrets) is None
    assert read_unsubscribe_token(token, secrets=Secrets(b"x" * 32, b"k" * 32)) is None
