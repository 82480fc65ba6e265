"""How the command line looks: to people on standard output, problems on standard error."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Tell what takes a moment, while it does."""
    with err.status(what) if err.is_terminal else _nothing():
        yield


def problem(text: str) -> None:
    err.print(Text.assemble(("error: ", "bold red"), text), soft_wrap=True)


def facts(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """A title and aligned pairs of name and value."""
    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(value))
    out.print()
    out.print(Text(title, style="bold"))
    out.print(table, soft_wrap=True)
    out.print()


@contextmanager
def _nothing() -> Iterator[None]:
    yield
