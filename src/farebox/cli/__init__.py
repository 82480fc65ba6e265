"""The command line: `farebox demo`, `serve`, `worker`, `migrate`, `import-gtfs`, `people`, `staff`, `keys`,
`secrets`, `ledger`, `doctor` and `version`.

Nothing heavy is imported here: a command loads what it needs once its database is on its way up.
"""

import signal
import sys
from typing import Annotated, NoReturn

from cyclopts import App, Parameter

from farebox import __version__
from farebox.cli import data, health, ledger, people, secrets, staff, start
from farebox.cli.screen import err, problem
from farebox.core.errors import DomainError

app = App(
    name="farebox",
    help="Sell seats on coaches: an online shop, its API and its jobs, from one command.",
    version=__version__,
    suppress_keyboard_interrupt=False,
    help_epilogue="Settings come from FAREBOX_… environment variables; docs/guides/operate.md lists them.",
)
app.command(start.demo)
app.command(start.serve)
app.command(start.worker)
app.command(data.migrate)
app.command(data.import_gtfs, name="import-gtfs")
app.command(people.app)
app.command(people.keys)
app.command(secrets.app)
app.command(staff.app)
app.command(ledger.app)
app.command(health.doctor)
app.command(health.version)


class Terminated(KeyboardInterrupt):
    """SIGTERM: unwinds like Ctrl-C, so that what was started is stopped."""


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    debug: Annotated[bool, Parameter(help="Show where an error came from.", negative="")] = False,
) -> int:
    """Run one command; an error becomes a sentence that says what to do, and exit code 1."""
    try:
        return int(app(tokens, result_action="return_value") or 0)
    except DomainError as error:
        if debug:
            raise
        problem(error.text())
    except KeyboardInterrupt as stop:
        return 143 if isinstance(stop, Terminated) else 130
    except Exception as error:
        if debug:
            raise
        said = str(error).partition("\n")[0]
        problem(f"{type(error).__name__}: {said}")
        err.print("Run it again with --debug to see where. `farebox doctor` looks for what is wrong with the setting.")
    return 1


def main() -> NoReturn:
    """The entry point of the `farebox` program."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(app.meta(result_action="return_value"))


def _terminate(*_: object) -> None:
    raise Terminated
