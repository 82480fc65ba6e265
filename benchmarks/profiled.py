"""`python -m benchmarks.profiled FILE serve …`: the `farebox` program, which notes where it spends its time.

A thousand times in a second of work (of the processor, not of the clock) it looks at what is being done, and counts it
for the innermost layer of its own that is doing it, or having it done. SIGUSR1 lets it begin to count anew, when the
server is warm. The counts are kept in FILE at the end.
"""

import json
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

INTERVAL_SECONDS: Final = 0.001

LAYERS: Final[Sequence[tuple[str, str]]] = (
    ("/farebox/inventory/", "the kernel: deciding, writing, committing"),
    ("/farebox/core/together.py", "who asks, and what is on sale: one question for many"),
    ("/farebox/coaches/", "the choice: departure, seats, price, limits"),
    ("/farebox/pricing/", "the choice: departure, seats, price, limits"),
    ("/farebox/timetable/", "the choice: departure, seats, price, limits"),
    ("/farebox/bookings/", "the booking: people, prices, rows, its life"),
    ("/farebox/payments/", "the money: payments, settlement, the ledger"),
    ("/farebox/ticketing/", "the tickets"),
    ("/farebox/notifications/", "mails, once nobody waits"),
    ("/farebox/api/", "reading the request, writing the answer"),
    ("/farebox/edge/", "log, metrics, language, headers, access"),
    ("/litestar/", "the framework: routing, middleware, dependencies, JSON"),
    ("/uvicorn/", "HTTP: parsing and sending"),
)
OTHER: Final = "the event loop, the network, and all else"

_counts: Counter[str] = Counter()
_layers: dict[str, str | None] = {}


def shares(path: Path) -> Mapping[str, float]:
    """What part of the time each layer had, the largest first."""
    counts: dict[str, int] = json.loads(path.read_text())
    total = sum(counts.values())
    return {layer: count / total for layer, count in sorted(counts.items(), key=lambda each: -each[1])}


def _look(_: int, frame: FrameType | None) -> None:
    layer = None
    while frame is not None and layer is None:
        layer = _layer_of(frame.f_code.co_filename)
        frame = frame.f_back
    _counts[layer or OTHER] += 1


def _layer_of(file: str) -> str | None:
    if file not in _layers:
        _layers[file] = next((layer for part, layer in LAYERS if part in file), None)
    return _layers[file]


def _begin_anew(*_: object) -> None:
    _counts.clear()


def main() -> None:
    path = Path(sys.argv.pop(1))
    from farebox.cli import main as farebox  # noqa: PLC0415  (its arguments are in place now)

    signal.signal(signal.SIGUSR1, _begin_anew)
    signal.signal(signal.SIGPROF, _look)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)
    try:
        farebox()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        path.write_text(json.dumps(_counts))


if __name__ == "__main__":
    main()
