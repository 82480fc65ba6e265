"""Measures, and what is reported of them."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Question = TypeVar("Question")


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table.

    Attributes:
        samples: how many were measured.
        p50, p95: milliseconds; of what is done once, `p50` is its time and `p95` is `None`.
        facts: what else is worth knowing ("peak 120 MB").
        target: the most that p95 (or the one time) may be, in milliseconds; `None` where nothing was promised.
    """

    group: str
    name: str
    samples: int
    p50: float
    p95: float | None = None
    facts: str = ""
    target: float | None = None

    @property
    def is_met(self) -> bool:
        measured = self.p50 if self.p95 is None else self.p95
        return self.target is None or measured <= self.target


@dataclass(frozen=True, slots=True)
class Ratio:
    """One line of the table of ratios: what we do a second, beside what a known program does in the same run.

    Attributes:
        per_second, base_per_second: ours, and the other's.
        base: what the other is ("pgbench, spread").
        least: the ratio that was promised; `None` where nothing was.
        facts: what else is worth knowing ("p99 48 ms").
    """

    group: str
    name: str
    per_second: float
    base_per_second: float
    base: str
    least: float | None = None
    facts: str = ""

    @property
    def value(self) -> float:
        return self.per_second / self.base_per_second

    @property
    def is_met(self) -> bool:
        return self.least is None or self.value >= self.least


@dataclass(frozen=True, slots=True)
class Growth:
    """How a measure grows with the size of its problem: a line of the plot.

    Attributes:
        name: what is measured ("holds a second, spread").
        size: what grows ("departures").
        unit: of the measure ("a second", "ms").
        points: (size, measure), the smaller size first.
    """

    name: str
    size: str
    unit: str
    points: Sequence[tuple[float, float]]


def summarise(group: str, name: str, times: Sequence[float], *, facts: str = "", target: float | None = None) -> Result:
    """Percentiles (nearest rank) of times in milliseconds."""
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return Result(group, name, len(ordered), ordered[len(ordered) // 2], p95, facts, target)


async def time_each(
    ask: Callable[[Question], Awaitable[object]], questions: Sequence[Question], *, warm_up: int = 20
) -> list[float]:
    """Milliseconds of each question, one after another; the first ones are asked once before, uncounted."""
    for question in questions[:warm_up]:
        await ask(question)
    times = []
    for question in questions:
        begun = time.perf_counter()
        await ask(question)
        times.append((time.perf_counter() - begun) * 1000)
    return times
