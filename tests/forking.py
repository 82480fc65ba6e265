"""Farebox in processes forked from one that has loaded the program: loading it takes longer than most tests of it do.

That the program starts from nothing is tested in `tests/platform/test_cli.py`.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

# One for all tests: what is loaded beforehand cannot be said again once the first process was started.
forking = multiprocessing.get_context("forkserver")
forking.set_forkserver_preload(["farebox.cli", "farebox.server", "tests.forking", "tests.faults.settling"])


def launch(*arguments: str, environment: Mapping[str, str], log: Path) -> BaseProcess:
    """Start `farebox` with these arguments and nothing but this environment; what it says is added to `log`."""
    process = forking.Process(target=_run, args=(arguments, dict(environment), log), daemon=True)
    process.start()
    return process


def _run(arguments: tuple[str, ...], environment: dict[str, str], log: Path) -> None:
    from farebox.cli import main  # loaded in the process that is forked from, not in the tests'

    os.environ.clear()
    os.environ.update(environment)
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.argv = ["farebox", *arguments]
    main()
