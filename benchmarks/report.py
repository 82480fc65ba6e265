"""The tables on the screen, and the same in docs/performance.md with the plot of how things grow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.machine import Machine
from benchmarks.measure import Growth, Ratio, Result
from benchmarks.plot import draw_growth

WIDE = 160

TIMES = ("", "", "samples", "p50", "p95", "promise", "")
RATIOS = ("", "", "a second", "beside", "ratio", "promise", "")
PICTURE = "pictures/growth.svg"


@dataclass(slots=True)
class Findings:
    """Everything that one run has found."""

    times: list[Result] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    shares: Mapping[str, float] = field(default_factory=dict)
    """Of the server's own time for a hold."""
    order_shares: Mapping[str, float] = field(default_factory=dict)
    """Of its time for a whole booking."""

    @property
    def is_met(self) -> bool:
        return all(each.is_met for each in self.times) and all(each.is_met for each in self.ratios)


def print_tables(findings: Findings, machine: Machine) -> None:
    screen = Console()
    if screen.width < WIDE and not screen.is_terminal:
        screen = Console(width=WIDE)  # a file or a pipe has no edge to wrap at
    screen.print(str(machine), style="dim")
    if findings.ratios:
        screen.print(_table(RATIOS, [(_ratio_cells(each), each.is_met) for each in findings.ratios]))
    if findings.times:
        screen.print(_table(TIMES, [(_time_cells(each), each.is_met) for each in findings.times]))
    for of_what, shares in (("a hold", findings.shares), ("a booking", findings.order_shares)):
        for layer, share in shares.items():
            screen.print(f"{of_what}: {share:4.0%} {layer}", style="dim")
    for line in findings.growth:
        steps = " → ".join(f"{size:,.0f}: {value:,.1f}" for size, value in line.points)
        screen.print(f"{line.name} ({line.unit}) by {line.size}: {steps}", style="dim")


def write_document(path: Path, findings: Findings, machine: Machine, *, feed: str, today: date, load: float) -> None:
    lines = [
        "# Performance",
        "",
        "Written by `make bench`; run it on your own machine. Everything runs on one machine at once: PostgreSQL (the",
        "embedded server with the product's own settings, so every commit is on the disk), `farebox serve` (one",
        "process), and the client.",
        "",
        f"- Machine: {machine}",
        f"- Timetable: {feed}, thirty days on sale",
        f"- Measured: {today.isoformat()}, with a load average of {load:.1f} from other work before it began",
        "",
        "## Beside a known program",
        "",
        *_markdown(RATIOS, [_ratio_cells(each) for each in findings.ratios]),
        "",
        *ABOUT_RATIOS,
        "",
        *ABOUT_ORDERS,
        "",
        "## Where the time of a hold goes",
        "",
        *ABOUT_SHARES,
        "",
        *_shares(findings.shares),
        "",
        "## Where the time of a booking goes",
        "",
        *_shares(findings.order_shares),
        "",
        "## What people wait for",
        "",
        *_markdown(TIMES, [_time_cells(each) for each in findings.times]),
        "",
        *ABOUT_TIMES,
        "",
        "## How it grows",
        "",
        f"![Each measure at one and at ten times its size]({PICTURE})",
        "",
    ]
    path.write_text("\n".join(lines))
    draw_growth(path.parent / PICTURE, findings.growth)


ABOUT_RATIOS: Sequence[str] = (
    "*pgbench* (`-M prepared`) runs the kernel's own one-statement take on the same server in the same run: what",
    "PostgreSQL can do when nobody thinks, checks, prices or speaks HTTP. A hold is two seats over three legs.",
    "*Spread* is over 20,000 departures; *hot* is one departure that everybody wants, soon full, so that most lose;",
    "*hall* is one run with room for nearly everybody. All count answers, won or lost. Who loses in pgbench has",
    "written his hold nevertheless; in the kernel he leaves nothing, which is most of its lead where few win: look at",
    "the share that won. *One by one* is the kernel without group commit.",
)

ABOUT_ORDERS: Sequence[str] = (
    "*A booking* is four requests: two seats held, booked for two people with a guest's details, a payment begun, and",
    "the sandbox's message that it was paid, upon which there are tickets. Beside it runs pgbench's TPC-B, one",
    "transaction on four tables.",
)

ABOUT_SHARES: Sequence[str] = (
    "Of the server's own work under that load, by a sampling profiler inside it (`benchmarks/profiled.py`). What a",
    "layer calls that is not ours, such as the database's driver, counts as its own.",
)

ABOUT_TIMES: Sequence[str] = (
    "*Import* is the whole command, from its start to its end. *Search* asks for rides on departures drawn at random,",
    "so busy pairs come up often; without HTTP it is measured in the process, each question in its own transaction.",
    "*Hold* takes two seats on all legs of a ride, each time on another departure. A purchase is four requests and the",
    "provider's webhook; the PDF is asked for right after it, while the mail with it is being made.",
)


def _table(header: Sequence[str], rows: Sequence[tuple[tuple[str, ...], bool]]) -> Table:
    table = Table(box=None, padding=(0, 1))
    for number, name in enumerate(header):
        table.add_column(name, justify="right" if 2 <= number <= 5 else "left")
    group = ""
    for row, is_met in rows:
        cells = list(row)
        cells[0], group = ("" if cells[0] == group else cells[0]), cells[0]
        cells[5] = f"[{'green' if is_met else 'red'}]{cells[5]}[/]"
        table.add_row(*cells)
    return table


def _shares(shares: Mapping[str, float]) -> list[str]:
    return ["| | |", "|--:|---|", *(f"| {share:.0%} | {layer} |" for layer, share in shares.items())]


def _markdown(header: Sequence[str], rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [
        "| " + " | ".join(header) + " |",
        "|---|---|--:|--:|--:|--:|---|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


def _time_cells(result: Result) -> tuple[str, ...]:
    return (
        result.group,
        result.name,
        f"{result.samples:,}" if result.samples > 1 else "",
        _time(result.p50),
        "" if result.p95 is None else _time(result.p95),
        "" if result.target is None else f"< {_time(result.target)}",
        result.facts,
    )


def _ratio_cells(ratio: Ratio) -> tuple[str, ...]:
    return (
        ratio.group,
        ratio.name,
        f"{ratio.per_second:,.0f}",
        f"{ratio.base}: {ratio.base_per_second:,.0f}",
        f"{ratio.value:.2f}",
        "" if ratio.least is None else f"≥ {ratio.least:.2f}",
        ratio.facts,
    )


def _time(milliseconds: float) -> str:
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.3g} s"
    return f"{milliseconds:.3g} ms"
