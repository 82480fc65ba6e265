"""What cannot be told from outside: the same work is done for an address with an account and for one without."""

import pytest
from sqlalchemy import event
from tests.signing.conftest import EMAIL, PASSWORD

from farebox.core.jobs import Jobs


@pytest.fixture
def work_of(house, monkeypatch):
    """Counts what the application asks of the database, and the jobs that it queues, while it answers."""
    seen: list[str] = []

    def note(connection, cursor, statement, parameters, context, executemany):
        seen.append(statement.partition(" ")[0])

    event.listen(house.services.database.engine.sync_engine, "before_cursor_execute", note)
    defer = Jobs.defer

    async def note_job(self, work, name, **arguments):
        seen.append(name)
        return await defer(self, work, name, **arguments)

    monkeypatch.setattr(Jobs, "defer", note_job)

    async def ask(path, **given):
        seen.clear()
        answer = await house.client().post(path, json=given)
        return answer.status_code, answer.text, list(seen)

    return ask


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/register", {"password": PASSWORD}),
        ("/forgot-password", {}),
        ("/resend-verification", {}),
        ("/login", {"password": "not it at all"}),
    ],
)
async def test_known_and_unknown_get_the_same_answer_for_the_same_work(house, work_of, path, given):
    await house.register()
    await work_of(path, email="first@example.com", **given)  # what is done once in a process is done
    unknown = await work_of(path, email="nobody@example.com", **given)
    known = await work_of(path, email=EMAIL, **given)
    assert known == unknown
    assert known[2] != []


async def test_the_demos_mailbox_shows_mails_to_people(house):
    await house.register()
    root = house.services.settings.base_url
    assert "Confirm your e-mail address" in (await house.client().get(f"{root}/dev/mailbox")).text


async def test_a_token_in_a_mail_is_stored_as_a_digest_only_and_gone_from_the_queue(house):
    await house.client().post("/register", json={"email": EMAIL, "password": PASSWORD})
    queued = await house.ask("SELECT args::text FROM procrastinate_jobs WHERE task_name = 'accounts.mail-requested'")
    assert EMAIL not in queued
    assert PASSWORD not in queued
    from tests.signing.conftest import token_of

    token = token_of(await house.mail())
    assert await house.ask("SELECT count(*) FROM mail_token WHERE mail_token::text LIKE %s", f"%{token[4:]}%") == 0
    assert await house.ask("SELECT count(*) FROM message WHERE message::text LIKE %s", f"%{token[4:]}%") == 0
    left = await house.ask("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'accounts.mail-requested'")
    assert left == 0
