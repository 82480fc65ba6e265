"""Where a process may run."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def off_one_processor() -> Iterator[None]:
    """What this thread starts in here leaves the first of our processors to those who answer requests.

    For a database: whoever sends it a question wakes it, and Linux likes to run it there and then, in the place of who
    asked. Where there is one processor only, or no way to say so (on macOS), nothing happens.
    """
    ours = os.sched_getaffinity(0) if sys.platform == "linux" else set()
    others = ours - {min(ours, default=0)}
    if not others:
        yield
        return
    os.sched_setaffinity(0, others)
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)
