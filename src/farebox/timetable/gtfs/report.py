"""What an import did and what it found wrong, for people to read."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from farebox.core.i18n import N_, gettext, ngettext

MAX_LINES = 5
"""Lines kept as examples of each kind of finding."""

FINDINGS = {
    "unknown-file": N_("files that are not part of GTFS or of our extensions; left alone"),
    "empty-file": N_("files without anything in them, not even a header; treated as if they were not there"),
    "incomplete-file": N_("files without a column that they need; left out"),
    "unknown-column": N_("columns that we do not know; left alone"),
    "too-many-fields": N_("rows with more fields than the header has; the surplus is ignored"),
    "duplicate-column": N_("columns named twice in the header; the first one counts"),
    "duplicate-key": N_("rows whose key was there before; the first one counts"),
    "dangling-reference": N_("rows that refer to something that is not in the feed; left out"),
    "missing-value": N_("rows without a value that they need; left out"),
    "bad-value": N_("values that cannot be understood; treated as if they were empty"),
    "bad-time": N_("times that cannot be understood; these calls are left out"),
    "bad-date": N_("dates that cannot be understood; these rows are left out"),
    "bad-coordinate": N_("stops without a usable position; left out, and the calls at them"),
    "bad-zone": N_("time zones that do not exist; the agency's is used"),
    "missing-name": N_("things without a name; their id is shown instead"),
    "mixed-zones": N_("agencies in different time zones; GTFS wants one for all. Each keeps its own"),
    "flexible-stop": N_("calls in an area or on demand, without a stop; left out"),
    "time-goes-back": N_("calls that are reached before the last one was left; moved to the time it was left"),
    "untimed-trip": N_("trips without a time at their first or last call; left out"),
    "short-trip": N_("trips with fewer than two calls; left out"),
    "empty-trip": N_("trips without any call; left out"),
    "closed-trip": N_("trips that nobody may board, or leave; left out"),
    "idle-service": N_("trips on days that no calendar describes; left out"),
    "jump": N_("calls so far from the last one that no vehicle gets there in time: a position or a time is wrong"),
    "too-many-runs": N_("frequencies with more runs a day than can be sold; cut off"),
    "unpriced": N_("fares that cannot be used"),
    "departure-kept": N_(
        "departures no longer in the timetable, or changed in it, but with seats sold or held; kept as sold"
    ),
}
"""Kinds of findings. What is left out is said with each kind."""


COUNTED = (
    N_("agencies"),
    N_("stops"),
    N_("stations"),
    N_("places"),
    N_("vehicle kinds"),
    N_("lines"),
    N_("services"),
    N_("journeys"),
    N_("calls"),
    N_("departures taken back"),
    N_("departures put on sale"),
    N_("fare products"),
    N_("fare rules"),
)
"""Names of the counts of a report."""


@dataclass(slots=True)
class Finding:
    """Something wrong in a feed: how often, and where first."""

    kind: str
    file: str
    subject: str
    count: int = 0
    lines: list[int] = field(default_factory=list)
    example: str = ""

    def text(self) -> str:
        """One line: "stop_times.txt: 2 × rows that refer to … (stop_id '73'; lines 4208, 4219)"."""
        about = " ".join(part for part in (self.subject, repr(self.example) if self.example else "") if part)
        more = ", …" if self.count > len(self.lines) and self.lines else ""
        label = ngettext("line", "lines", len(self.lines))
        where = f"{label} {', '.join(map(str, self.lines))}{more}" if self.lines else ""
        detail = "; ".join(part for part in (about, where) if part)
        said = gettext(FINDINGS.get(self.kind, self.kind))
        return f"{self.file}: {self.count} × {said}" + (f" ({detail})" if detail else "")


@dataclass(slots=True)
class ImportReport:
    """What became of a feed.

    Attributes:
        feed_code: by which the next edition is known to be the same feed.
        counts: what was read, by name of the thing ("journeys": 6063).
        first_date, last_date: days with service, after shifting; `None` without any.
        shift_days: days added to every date.
        hints: what the reader should know or do next.
    """

    feed_code: str = ""
    feed_id: UUID | None = None
    feed_name: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    first_date: date | None = None
    last_date: date | None = None
    shift_days: int = 0
    seconds: float = 0.0
    hints: list[str] = field(default_factory=list)
    _findings: dict[tuple[str, str, str], Finding] = field(default_factory=dict)

    def warn(self, kind: str, file: str, line: int | None = None, *, subject: str = "", example: str = "") -> None:
        """Count a finding. `subject` is the column or thing it is about; the first `example` is kept."""
        finding = self._findings.setdefault((kind, file, subject), Finding(kind, file, subject, example=example[:60]))
        finding.count += 1
        if line is not None and len(finding.lines) < MAX_LINES:
            finding.lines.append(line)

    @property
    def findings(self) -> list[Finding]:
        """Everything found wrong, by file."""
        return sorted(self._findings.values(), key=lambda finding: (finding.file, finding.kind, finding.subject))

    def count_of(self, kind: str, file: str | None = None) -> int:
        """How often a kind of finding occurred, in one file or in all."""
        return sum(f.count for f in self._findings.values() if f.kind == kind and file in {None, f.file})

    def text(self) -> str:
        """The whole report, several lines of plain text."""
        title = gettext("Imported {name} as feed “{code}” in {seconds} seconds.")
        lines = [title.format(name=self.feed_name, code=self.feed_code, seconds=f"{self.seconds:.1f}")]
        lines += [f"  {number:>9,}  {gettext(name)}" for name, number in self.counts.items()]
        if self.first_date and self.last_date:
            text = gettext("Service from {first} to {last}.")
            lines.append(text.format(first=self.first_date.isoformat(), last=self.last_date.isoformat()))
        if self.shift_days:
            lines.append(gettext("All dates are moved by {weeks} weeks.").format(weeks=self.shift_days // 7))
        if self._findings:
            lines.append(gettext("Found on the way:"))
            lines += [f"  - {finding.text()}" for finding in self.findings]
        return "\n".join([*lines, *self.hints])
