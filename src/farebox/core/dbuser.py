"""The system user whom the embedded PostgreSQL runs as: ourselves or, as it refuses root, one made for it."""

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)

NAME = "embedded_postgres"


@dataclass(frozen=True, slots=True)
class DatabaseUser:
    """Who owns the data, and the arguments for `subprocess` that switch to that user (none when it is ourselves)."""

    uid: int
    gid: int
    switch: dict[str, Any] = field(default_factory=dict)


def database_user() -> DatabaseUser:
    """The user to run PostgreSQL as; made on the first call when we are root.

    Raises:
        OSError: root, and the system offers no way to add a user.
    """
    if os.geteuid() != 0:
        return DatabaseUser(os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        _add_user()
        entry = pwd.getpwnam(NAME)
    return DatabaseUser(entry.pw_uid, entry.pw_gid, {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []})


def let_through(user: DatabaseUser, *places: Path) -> None:
    """Let the database's user pass through the directories above `places`, when we are root and it cannot.

    Only the right to pass is given, not to list what is there. A checkout under /root needs this.

    Raises:
        OSError: the right cannot be given, as on a read-only file system.
    """
    if not user.switch:
        return
    for place in places:
        for directory in (place.resolve(), *place.resolve().parents):
            mode = directory.stat()
            passes = (
                mode.st_mode & stat.S_IXOTH
                or (mode.st_uid == user.uid and mode.st_mode & stat.S_IXUSR)
                or (mode.st_gid == user.gid and mode.st_mode & stat.S_IXGRP)
            )
            if not passes:
                directory.chmod(stat.S_IMODE(mode.st_mode) | stat.S_IXOTH)
                log.info("directory-opened-for-passing", directory=str(directory), user=NAME)


def _add_user() -> None:
    for program, options in (
        ("useradd", ["--system", "--user-group", "--no-create-home", "--shell", "/bin/false", NAME]),
        ("adduser", ["-S", "-D", "-H", "-s", "/bin/false", NAME]),  # Alpine
    ):
        path = shutil.which(program)
        if path is not None:
            made = subprocess.run([path, *options], check=False, capture_output=True, text=True)  # noqa: S603
            if made.returncode == 0:
                return
            raise OSError(f"PostgreSQL refuses to run as root, and {program} failed: {made.stderr.strip()}")
    raise OSError("PostgreSQL refuses to run as root. Start Farebox as an ordinary user.")
