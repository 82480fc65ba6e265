"""`farebox secrets` from outside."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.bookings.shows import Box, scalar

from farebox.core.crypto import load_secrets
from farebox.core.keys import encoded

FAREBOX = Path(sys.executable).with_name("farebox")


@pytest.fixture
def farebox(server_url, tmp_path):
    def run(*arguments, **settings):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")}
        ours = {"FAREBOX_DATABASE_URL": server_url, "FAREBOX_HOME": str(tmp_path)}
        command = [FAREBOX, "secrets", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=clean | ours | settings
        )

    return run


async def test_a_new_key_is_made_and_everything_sealed_anew_with_it(database, settings, tmp_path, farebox):
    secrets = load_secrets(tmp_path, {})
    box = Box(database, settings, secrets)
    booking, _, _ = await box.booked()
    old = secrets.header

    run = farebox("rotate")

    assert run.returncode == 0, run.stderr
    assert "1 booking" in " ".join(run.stdout.split())
    sealed = await scalar(database, "SELECT contact_email FROM booking")
    assert sealed[:5] == load_secrets(tmp_path, {}).header
    assert sealed[:5] != old
    assert booking.contact.email.open(secrets) == "an.nguyen@example.com"  # a process that ran all the time
    assert secrets.decrypt(sealed, place="booking.contact_email") == "an.nguyen@example.com"


async def test_it_says_what_is_left_to_do(database, settings, tmp_path, farebox):
    await Box(database, settings, load_secrets(tmp_path, {})).booked()
    key = encoded(b"\x07" * 16 + bytes(range(16)))
    former = {"FAREBOX_OLD_SECRET_KEYS": encoded((tmp_path / "secrets" / "secret.key").read_bytes())}
    moved = {"FAREBOX_SECRET_KEY": key} | former
    assert "1 booking 1 booking_passenger" in " ".join(farebox("status", **moved).stdout.split())
    assert farebox("reseal", **moved).returncode == 0
    assert "0 booking 0 booking_passenger" in " ".join(farebox("status", **moved).stdout.split())


def test_a_key_of_the_environment_is_the_operators_to_change(farebox, tmp_path):
    run = farebox("rotate", FAREBOX_SECRET_KEY="A" * 43)
    assert run.returncode == 1
    assert "yours to change" in " ".join(run.stderr.split())
    assert not (tmp_path / "secrets").exists()


async def test_a_lost_key_is_told(database, settings, tmp_path, farebox):
    await Box(database, settings, load_secrets(tmp_path, {})).booked()
    run = farebox("reseal", FAREBOX_SECRET_KEY="A" * 43)
    assert run.returncode == 1
    assert "sealed with a key that is not here" in " ".join(run.stderr.split())
