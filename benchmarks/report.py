"""The table on the screen, and the same in docs/performance.md."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.machine import Machine
from benchmarks.measure import Result

WIDE = 140

HEADER = ("", "", "samples", "p50", "p95", "promise", "")


def print_table(results: Sequence[Result], machine: Machine) -> None:
    table = Table(title=str(machine), title_justify="left", title_style="dim", box=None, padding=(0, 1))
    for number, name in enumerate(HEADER):
        table.add_column(name, justify="right" if number in {2, 3, 4, 5} else "left")
    group = ""
    for result in results:
        cells = list(_cells(result))
        cells[0], group = ("" if result.group == group else result.group), result.group
        cells[5] = f"[{'green' if result.is_met else 'red'}]{cells[5]}[/]"
        table.add_row(*cells)
    screen = Console()
    if screen.width < WIDE and not screen.is_terminal:
        screen = Console(width=WIDE)  # a file or a pipe has no edge to wrap at
    screen.print(table)


def write_document(
    path: Path, results: Sequence[Result], machine: Machine, *, feed: str, today: date, load: float
) -> None:
    lines = [
        "# Performance",
        "",
        "Written by `make bench`; run it on your own machine. Everything runs on one machine at once: PostgreSQL (the",
        "embedded server, with the product's own settings), `farebox serve` (one process), and the client.",
        "",
        f"- Machine: {machine}",
        f"- Timetable: {feed}, thirty days on sale",
        f"- Measured: {today.isoformat()}, with a load average of {load:.1f} from other work before it began",
        "",
        "| | | samples | p50 | p95 | promise | |",
        "|---|---|--:|--:|--:|--:|---|",
        *("| " + " | ".join(_cells(result)) + " |" for result in results),
        "",
        "*Import* is the whole command, from its start to its end. *Search* asks for rides on departures drawn at",
        "random, so busy pairs come up often; without HTTP it is measured in the process, each question in its own",
        "transaction. *Hold* takes two seats on all legs of a ride, each time on another departure. A purchase is four",
        "requests and the provider's webhook; the PDF is asked for right after it, while the mail with it is being",
        "made.",
        "",
    ]
    path.write_text("\n".join(lines))


def _cells(result: Result) -> tuple[str, ...]:
    return (
        result.group,
        result.name,
        f"{result.samples:,}" if result.samples > 1 else "",
        _time(result.p50),
        "" if result.p95 is None else _time(result.p95),
        "" if result.target is None else f"< {_time(result.target)}",
        result.facts,
    )


def _time(milliseconds: float) -> str:
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.3g} s"
    return f"{milliseconds:.3g} ms"
