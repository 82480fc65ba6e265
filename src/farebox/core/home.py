"""The data directory: made private, and, where it cannot be, a reason that says what to do."""

import errno
import os
from pathlib import Path


def prepare_home(home: Path) -> None:
    """Make the data directory, private to its owner (root's lets the database's own user pass, but not look).

    Raises:
        OSError: it cannot be made; see `explain`.
    """
    if not home.exists():
        home.mkdir(parents=True)
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)


def explain(error: OSError) -> str:
    """What an error with the data directory means for the person who started us."""
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}:
        return f"{error.filename} cannot be written ({error.strerror}). Name another place with --home or FAREBOX_HOME."
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"the disk is full ({error.filename}). Make room, or name another place with --home or FAREBOX_HOME."
    return str(error)
