"""The tables of a feed, one row at a time: nothing is held that was not asked for."""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from typing import TypeAlias

from farebox.timetable.errors import GtfsError
from farebox.timetable.gtfs.archive import FeedFiles
from farebox.timetable.gtfs.report import ImportReport
from farebox.timetable.gtfs.schema import ESSENTIAL_FILES, FILES, KNOWN_BUT_NOT_READ, REQUIRED_FILES

MAX_LINE = 1024 * 1024
"""Characters a line may have. Feeds padded with blanks have some hundreds."""

PROGRESS_ROWS = 5000

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is, in units that only serve to compare."""


class Row(dict[str, str]):
    """A row by column name, values without blanks around them; columns that the file does not have are missing.

    Attributes:
        line: where the row ends in its file, counted from 1.
    """

    __slots__ = ("line",)

    def __init__(self, line: int, values: dict[str, str]) -> None:
        super().__init__(values)
        self.line = line


class FeedTables:
    """The tables of an open feed.

    Attributes:
        report: what is found wrong goes here; `report.warn` counts it.
    """

    def __init__(self, files: FeedFiles, report: ImportReport, progress: Progress | None = None) -> None:
        self._files = files
        self.report = report
        self._progress = progress
        self._headers: dict[str, list[str]] = {}
        self._left_out: set[str] = set()

    @property
    def stem(self) -> str:
        return self._files.stem

    def has(self, name: str) -> bool:
        """Whether the feed has this file."""
        return name in self._files and name not in self._left_out

    def check(self) -> None:
        """See that every required file and column is there, before anything is done. Other files that are empty or lack
        a column are left out from now on.

        Raises:
            GtfsError: the first that is missing.
        """
        for name in REQUIRED_FILES:
            if name not in self._files:
                raise GtfsError(
                    "The file is missing. GTFS requires it; ask the publisher for the whole feed.", file=name
                )
        for name in self._files.sizes:
            if name in FILES:
                self._check_file(name)
            elif name not in KNOWN_BUT_NOT_READ:
                self.report.warn("unknown-file", name)
        if not (self.has("calendar.txt") or self.has("calendar_dates.txt")):
            reason = "The feed has neither calendar.txt nor calendar_dates.txt with anything in it, so nothing runs."
            raise GtfsError(reason)

    def rows(self, name: str) -> Iterator[Row]:
        """The rows of a file in its own order; none where the feed does not have the file.

        Raises:
            GtfsError: the file is not UTF-8, or not CSV.
        """
        header = self._header_of(name) if self.has(name) else []
        for line, values in self._records(name):
            yield Row(line, {column: value.strip() for column, value in zip(header, values, strict=False) if column})

    def columns(self, name: str, *wanted: str) -> Iterator[tuple[int, list[str]]]:
        """Line number and the values of the `wanted` columns, empty where there are none: `rows` for long files."""
        if not self.has(name):
            return
        header = self._header_of(name)
        places = [header.index(column) if column in header else -1 for column in wanted]
        for line, values in self._records(name):
            size = len(values)
            yield line, [values[place].strip() if 0 <= place < size else "" for place in places]

    def _check_file(self, name: str) -> None:
        is_empty = self._first_row(name) is None
        if is_empty and name not in REQUIRED_FILES:
            self.report.warn("empty-file", name)
            self._left_out.add(name)
            return
        try:
            self._header_of(name)
        except GtfsError as error:
            if name in ESSENTIAL_FILES or not error.column:
                raise
            self.report.warn("incomplete-file", name, error.line, subject=error.column)
            self._left_out.add(name)

    def _first_row(self, name: str) -> list[str] | None:
        with self._files.open(name) as raw:
            first = next(self._csv(name, raw), None)
        return first[1] if first else None

    def _header_of(self, name: str) -> list[str]:
        if name not in self._headers:
            first = self._first_row(name)
            if first is None:
                raise GtfsError("The file is empty: it has not even a header.", file=name)
            self._headers[name] = self._read_header(name, first)
        return self._headers[name]

    def _read_header(self, name: str, values: list[str]) -> list[str]:
        header: list[str] = []
        spec = FILES.get(name)
        for value in values:
            column = value.strip().lower()
            if column in header:
                self.report.warn("duplicate-column", name, 1, subject=column)
                column = ""
            elif spec and column and column not in spec.columns:
                self.report.warn("unknown-column", name, 1, subject=column)
            header.append(column)
        for column in spec.required if spec else ():
            if column not in header:
                there = ", ".join(h for h in header if h)[:200] or "none"
                advice = " GTFS parts columns with commas." if len(header) == 1 and set(there) & set(";\t|") else ""
                raise GtfsError(
                    f"The column is missing; the header has {there}.{advice}",
                    file=name,
                    line=1,
                    column=column,
                )
        return header

    def _records(self, name: str) -> Iterator[tuple[int, list[str]]]:
        if not self.has(name):
            return
        width = len(self._header_of(name))
        with self._files.open(name) as raw:
            records = self._csv(name, raw)
            next(records)
            total = self._files.sizes[name]
            for number, (line, values) in enumerate(records, start=1):
                if len(values) > width and any(value.strip() for value in values[width:]):
                    self.report.warn("too-many-fields", name, line)
                if self._progress and number % PROGRESS_ROWS == 0:
                    self._progress(name, min(raw.tell(), total), total)
                yield line, values
        if self._progress:
            self._progress(name, total, total)

    def _csv(self, name: str, raw: io.BufferedReader) -> Iterator[tuple[int, list[str]]]:
        """Rows that are not blank, with the number of the line on which they end."""
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        reader = csv.reader(_lines(name, text), skipinitialspace=True)
        try:
            for values in reader:
                if values and any(map(str.strip, values)):
                    yield reader.line_num, values
        except csv.Error as error:
            reason = f"The line is not CSV ({error}). A quotation mark may be missing here or above."
            raise GtfsError(reason, file=name, line=reader.line_num) from error
        except UnicodeDecodeError as error:
            raise self._not_utf8(name) from error
        finally:
            text.detach()

    def _not_utf8(self, name: str) -> GtfsError:
        """The text layer decodes in blocks and does not know the line; look again, line by line."""
        advice = "Save the file as UTF-8, for instance with: iconv -f WINDOWS-1252 -t UTF-8"
        with self._files.open(name) as raw:
            if raw.peek(2)[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
                return GtfsError("The file is UTF-16. Save it as UTF-8, for instance with: iconv -t UTF-8", file=name)
            for number, line in enumerate(iter(lambda: raw.readline(MAX_LINE), b""), start=1):
                try:
                    line.decode()
                except UnicodeDecodeError:
                    return GtfsError(f"The text is not UTF-8. {advice}", file=name, line=number)
        return GtfsError(f"The text is not UTF-8. {advice}", file=name)


def _lines(name: str, text: io.TextIOWrapper) -> Iterator[str]:
    """The lines of a text, none of them longer than is sane."""
    number = 0
    while line := text.readline(MAX_LINE):
        number += 1
        if len(line) >= MAX_LINE:
            raise GtfsError("The line never ends. This is not a text file of a timetable.", file=name, line=number)
        if "\0" in line:
            raise GtfsError("The line holds a NUL character. This is not a text file.", file=name, line=number)
        yield line
