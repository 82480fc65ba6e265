"""The first admin, and a change of the keys that sign, from the command line."""

import re
from typing import Any

import psycopg
import pytest

from farebox.cli import app
from farebox.core.errors import Invalid


@pytest.fixture
def farebox(monkeypatch, tmp_path, database_url, direct_database_url, capsys) -> Any:
    """Runs a command on this test's database; what it printed."""
    # logs would go to this test's standard error for as long as the test process lives
    monkeypatch.setattr("farebox.cli.people.configure_logs", lambda settings: None)
    monkeypatch.setenv("FAREBOX_HOME", str(tmp_path))
    monkeypatch.setenv("FAREBOX_DATABASE_URL", database_url)
    monkeypatch.setenv("FAREBOX_DIRECT_DATABASE_URL", direct_database_url)
    monkeypatch.setenv("FAREBOX_BASE_URL", "https://shop.example")

    def run(*words: str) -> str:
        app(words, result_action="return_value")
        return str(capsys.readouterr().out)

    return run


def ask(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def test_the_first_admin_gets_a_link_and_no_password(farebox, server_url):
    said = farebox("people", "add", "--email", "root@example.com", "--admin")
    assert re.search(r"https://shop\.example/reset-password\?token=fbl_[\w-]{43}\n", said)
    assert ask(server_url, "SELECT roles, password_hash, email_verified_at FROM person") == [
        (["admin", "user"], None, None)
    ]


def test_without_the_word_admin_nobody_is_one(farebox, server_url):
    farebox("people", "add", "--email", "an@example.com")
    assert ask(server_url, "SELECT roles FROM person") == [(["user"],)]


def test_an_account_that_is_there_is_made_an_admins_and_gets_another_link(farebox, server_url):
    first = farebox("people", "add", "--email", "an@example.com")
    second = farebox("people", "add", "--email", "AN@example.com", "--admin")
    assert first != second
    assert ask(server_url, "SELECT roles FROM person") == [(["admin", "user"],)]
    assert ask(server_url, "SELECT count(*) FROM mail_token WHERE purpose = 'reset-password'") == [(2,)]


def test_what_is_no_address_is_refused(farebox, server_url):
    with pytest.raises(Invalid):
        farebox("people", "add", "--email", "nobody")
    assert ask(server_url, "SELECT count(*) FROM person") == [(0,)]


def test_keys_rotate_and_the_older_one_retires_later(farebox, server_url):
    farebox("keys", "rotate")
    farebox("keys", "rotate")
    rows = ask(server_url, "SELECT retires_at IS NULL FROM signing_key ORDER BY created_at, kid")
    assert rows == [(False,), (True,)]
