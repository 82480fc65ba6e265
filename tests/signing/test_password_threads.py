"""Where passwords are checked: aside, and after everything else."""

import os
import sys
import threading

import pytest

from farebox.accounts import Passwords
from farebox.accounts.passwords import LOWEST, NICENESS


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
async def test_checking_passwords_stands_back_behind_all_else():
    passwords = Passwords()
    before = os.getpriority(os.PRIO_PROCESS, 0)
    asked = passwords._aside(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert await asked == min(before + NICENESS, LOWEST)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
    passwords.close()
