"""The archive and its tables: whatever is wrong is said with file, line and what to do, never with a traceback."""

import re
import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.timetable.feeds import STOPS, small_feed, write_folder, write_zip, zipped

from farebox.timetable import FeedTables, GtfsError, ImportReport
from farebox.timetable.gtfs import open_feed_files
from farebox.timetable.gtfs import tables as tables_module
from farebox.timetable.gtfs.values import (
    parse_color,
    parse_count,
    parse_date,
    parse_language,
    parse_length,
    parse_position,
    parse_time,
    parse_zone,
)

NAMES = ["Aberg ZOB", "Bedorf", "Cestadt", "Dehausen"]


def stop_names(path: Path, **limits: int) -> tuple[list[str], ImportReport]:
    report = ImportReport()
    with open_feed_files(path, **limits) as files:
        tables = FeedTables(files, report)
        tables.check()
        return [row["stop_name"] for row in tables.rows("stops.txt")], report


def refusal(path: Path, **limits: int) -> str:
    with pytest.raises(GtfsError) as refused:
        stop_names(path, **limits)
    return refused.value.text()


def feed_with(tmp_path: Path, name: str, content: str | bytes) -> Path:
    feed: Mapping[str, str | bytes] = {**small_feed(), name: content}
    return write_zip(tmp_path / "feed.zip", feed)


# The archive


def test_a_zip_is_read(tmp_path):
    assert stop_names(write_zip(tmp_path / "f.zip", small_feed()))[0] == NAMES


def test_a_zip_with_everything_in_one_folder_is_read(tmp_path):
    path = write_zip(tmp_path / "f.zip", small_feed(), folder="hill-2025/")
    assert stop_names(path)[0] == NAMES


def test_a_folder_written_with_backslashes_is_read(tmp_path):
    path = write_zip(tmp_path / "f.zip", small_feed(), folder="hill\\2025\\")
    assert stop_names(path)[0] == NAMES


def test_what_a_mac_adds_to_a_zip_is_left_alone(tmp_path):
    files = {**small_feed(), "__MACOSX/._stops.txt": "junk", ".DS_Store": "junk", "._trips.txt": "junk"}
    assert stop_names(write_zip(tmp_path / "f.zip", files))[0] == NAMES


def test_file_names_in_capitals_are_read(tmp_path):
    files = {name.upper(): text for name, text in small_feed().items()}
    assert stop_names(write_zip(tmp_path / "f.zip", files))[0] == NAMES


def test_a_folder_is_read(tmp_path):
    assert stop_names(write_folder(tmp_path / "feed", small_feed()))[0] == NAMES


def test_a_folder_in_a_folder_is_read(tmp_path):
    write_folder(tmp_path / "outer" / "inner", small_feed())
    assert stop_names(tmp_path / "outer")[0] == NAMES


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b"PK\x03\x04 but no more", "not a zip archive, or it is damaged"),
        (b"<!DOCTYPE html><title>404</title>", "It is a web page; the download address was wrong"),
        (b"route_id,agency_id\n", "not a zip archive"),
        (zipped({}), "There is no timetable in it"),
        (zipped({"readme.txt": "hello"}), "There is no timetable in it"),
        (zipped({"bus.zip": b"PK", "rail.zip": b"PK"}), "It holds other archives (bus.zip, rail.zip); unpack it"),
        (zipped({"a/stops.txt": "x", "b/stops.txt": "x"}), "The archive holds 2 feeds (a, b"),
        (zipped({f"{n}.txt": "" for n in range(1001)}), "The archive holds 1001 files"),
    ],
)
def test_what_is_no_archive_of_a_feed_is_refused(tmp_path, content, said):
    (tmp_path / "f.zip").write_bytes(content)
    text = refusal(tmp_path / "f.zip")
    assert said in text
    assert "f.zip: " in text


def test_a_path_to_nothing_is_refused(tmp_path):
    assert "There is no file" in refusal(tmp_path / "missing.zip")


def test_a_folder_without_a_feed_is_refused(tmp_path):
    assert "There is no timetable in it" in refusal(tmp_path)


def test_a_damaged_archive_is_refused_where_the_damage_is(tmp_path):
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, text in small_feed().items():
            archive.writestr(name, text)
    path.write_bytes(path.read_bytes().replace(b"Cestadt", b"Xestadt", 1))
    assert "stops.txt: The archive is damaged here." in refusal(path)


def test_an_encrypted_archive_is_refused(tmp_path):
    path = write_zip(tmp_path / "f.zip", small_feed())
    content = bytearray(path.read_bytes())
    for at in (match.start() + 8 for match in re.finditer(b"PK\x01\x02", bytes(content))):
        content[at] |= 1
    path.write_bytes(bytes(content))
    assert "protected by a password" in refusal(path)


def test_an_archive_that_unpacks_without_end_is_refused(tmp_path):
    bomb = STOPS + "X,X,50,8\n" * 200_000
    path = feed_with(tmp_path, "stops.txt", bomb)
    assert path.stat().st_size < 10_000
    assert "unpacks to more than 0.0 GiB" in refusal(path, max_bytes=1_000_000)


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "feed", small_feed())
    may_open = Path.open

    def open_but_stops(self: Path, mode: str = "r") -> object:
        if self.name == "stops.txt":  # a mode of 000 would not keep root out
            raise PermissionError(13, "Permission denied", str(self))
        return may_open(self, mode)

    monkeypatch.setattr(Path, "open", open_but_stops)
    assert "stops.txt: The file cannot be read: Permission denied." in refusal(folder)


# The tables


@pytest.mark.parametrize("missing", ["agency.txt", "stops.txt", "routes.txt", "trips.txt", "stop_times.txt"])
def test_a_missing_required_file_is_named(tmp_path, missing):
    feed = small_feed()
    del feed[missing]
    assert f"{missing}: The file is missing." in refusal(write_zip(tmp_path / "f.zip", feed))


def test_a_feed_without_any_calendar_is_refused(tmp_path):
    assert "neither calendar.txt nor calendar_dates.txt" in refusal(
        write_zip(tmp_path / "f.zip", small_feed(calendar=""))
    )


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path):
    path = feed_with(tmp_path, "trips.txt", "route_id,trip_id\nR,T1\n")
    text = refusal(path)
    assert "trips.txt, line 1, column service_id: The column is missing; the header has route_id, trip_id." in text


@pytest.mark.parametrize("mark", [";", "\t"], ids=["semicolons", "tabs"])
def test_columns_parted_by_something_else_than_commas_are_refused_with_a_hint(tmp_path, mark):
    text = refusal(feed_with(tmp_path, "stops.txt", STOPS.replace(",", mark)))
    assert "stops.txt, line 1, column stop_id" in text
    assert text.endswith("GTFS parts columns with commas.")


def test_an_empty_file_is_refused(tmp_path):
    assert "stops.txt: The file is empty" in refusal(feed_with(tmp_path, "stops.txt", b""))


def test_files_that_a_feed_may_lack_are_left_out_when_they_are_of_no_use(tmp_path):
    feed = write_zip(
        tmp_path / "f.zip",
        {
            **small_feed(fare_rules="fare,zone\nx,y\n"),
            "translations.txt": "",
            "frequencies.txt": "\n \n",
            "calendar_dates.txt": "",
        },
    )
    with open_feed_files(feed) as files:
        report = ImportReport()
        tables = FeedTables(files, report)
        tables.check()
        assert [(f.kind, f.file, f.subject) for f in report.findings if f.kind.endswith("-file")] == [
            ("empty-file", "calendar_dates.txt", ""),
            ("incomplete-file", "fare_rules.txt", "fare_id"),
            ("empty-file", "frequencies.txt", ""),
            ("empty-file", "translations.txt", ""),
        ]
        for name in ("fare_rules.txt", "translations.txt", "frequencies.txt", "calendar_dates.txt"):
            assert not tables.has(name)
            assert list(tables.rows(name)) == []


def test_a_calendar_or_frequencies_without_a_column_are_refused(tmp_path):
    for name in ("calendar_dates.txt", "frequencies.txt"):
        text = refusal(write_zip(tmp_path / "f.zip", {**small_feed(), name: "trip_id,service_id\nT1,daily\n"}))
        assert f"{name}, line 1, column" in text


@pytest.mark.parametrize(
    "written",
    [
        "\ufeff" + STOPS,
        STOPS.replace("\n", "\r\n"),
        STOPS.replace("\n", "\r"),
        STOPS.replace("\n", "\n\n"),
        STOPS.replace("\n", " " * 350 + "\n"),
        STOPS.replace(",", " , "),
        STOPS.replace("Bedorf", '"Bedorf"').replace("stop_name", '"stop_name"'),
        STOPS.replace(",Bedorf", ', "Bedorf"'),
        STOPS.replace("stop_name", "Stop_Name"),
        STOPS.rstrip("\n"),
        STOPS + "   \n,,,\n",
    ],
    ids=[
        "bom",
        "crlf",
        "cr",
        "blank lines",
        "padded",
        "blanks",
        "quoted",
        "blank before quote",
        "capitals",
        "no last line feed",
        "empty rows",
    ],
)
def test_every_way_of_writing_csv_reads_alike(tmp_path, written):
    names, report = stop_names(feed_with(tmp_path, "stops.txt", written))
    assert names == NAMES
    assert report.findings == []


def test_a_quoted_value_may_hold_commas_quotes_and_line_feeds(tmp_path):
    text = 'stop_id,stop_name,stop_lat,stop_lon\nA,"Aberg, ""Am\nMarkt""",50,8\nB,Bedorf,50,9\n'
    report = ImportReport()
    with open_feed_files(feed_with(tmp_path, "stops.txt", text)) as files:
        rows = list(FeedTables(files, report).rows("stops.txt"))
    assert [(row["stop_name"], row.line) for row in rows] == [('Aberg, "Am\nMarkt"', 3), ("Bedorf", 4)]


def test_unknown_files_and_columns_are_counted_and_left_alone(tmp_path):
    feed = small_feed(stops=STOPS.replace("stop_lon", "stop_lon,mood,mood"), weather="day,rain\n")
    names, report = stop_names(write_zip(tmp_path / "f.zip", feed))
    assert names == NAMES
    assert [(f.kind, f.file, f.subject) for f in report.findings] == [
        ("duplicate-column", "stops.txt", "mood"),
        ("unknown-column", "stops.txt", "mood"),
        ("unknown-file", "weather.txt", ""),
    ]


def test_a_row_may_be_shorter_than_the_header_and_is_counted_when_longer(tmp_path):
    text = "stop_id,stop_name,stop_lat,stop_lon,zone_id\nA,Aberg\nB,Bedorf,50,9,z,surplus\nC,Cestadt,51,10,z,,\n"
    names, report = stop_names(feed_with(tmp_path, "stops.txt", text))
    assert names == ["Aberg", "Bedorf", "Cestadt"]
    assert [(f.kind, f.lines) for f in report.findings] == [("too-many-fields", [3])]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (STOPS.encode("utf-16"), "stops.txt: The file is UTF-16. Save it as UTF-8"),
        ((STOPS + "E,Überlingen,47.7,9.1\n").encode("cp1252"), "stops.txt, line 6: The text is not UTF-8."),
        (STOPS.replace("Bedorf", "Be\0dorf").encode(), "stops.txt, line 3: The line holds a NUL character."),
        ((STOPS + 'E,"Never closed,47,9\n' + "x,y,1,2\n" * 20_000).encode(), "stops.txt, line "),
    ],
    ids=["utf-16", "latin", "nul", "open quote"],
)
def test_what_is_no_utf8_csv_is_refused_with_its_line(tmp_path, content, said):
    assert said in refusal(feed_with(tmp_path, "stops.txt", content))


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(tables_module, "MAX_LINE", 10_000)
    assert "stops.txt, line 6: The line never ends." in refusal(feed_with(tmp_path, "stops.txt", STOPS + "x" * 20_000))


def test_progress_is_told_up_to_the_end(tmp_path):
    told: list[tuple[str, int, int]] = []
    long = STOPS + "".join(f"s{n},S{n},50,8\n" for n in range(12_000))
    with open_feed_files(feed_with(tmp_path, "stops.txt", long)) as files:
        tables = FeedTables(files, ImportReport(), lambda *one: told.append(one))
        assert sum(1 for _ in tables.columns("stops.txt", "stop_id")) == 12_004
    assert [name for name, _, _ in told] == ["stops.txt"] * 3
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1][1:] == (len(long), len(long))


def test_columns_that_a_file_lacks_are_empty(tmp_path):
    with open_feed_files(write_zip(tmp_path / "f.zip", small_feed())) as files:
        tables = FeedTables(files, ImportReport())
        first = next(tables.columns("stops.txt", "zone_id", "stop_id", "stop_lat"))
        assert first == (2, ["", "A", "50.00"])
        assert not tables.has("frequencies.txt")
        assert list(tables.rows("frequencies.txt")) == []
        assert list(tables.columns("frequencies.txt", "trip_id")) == []


# The values


@given(st.integers(0, 31 * 86400))
def test_every_time_is_read_as_it_is_written(seconds):
    assert parse_time(f"{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}") == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:00", 0),
        ("7:05:09", 25509),
        ("24:00:00", 86400),
        ("49:30:00", 178200),
        ("08:15", 29700),
        ("100:00:00", 360000),
    ],
)
def test_times_pass_midnight_and_may_lack_a_zero_or_seconds(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "8", "08:60:00", "08:00:60", "-1:00:00", "08:00:00pm", "8.5", "745:00:00", "٠٨:٠٠:٠٠", "a"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_time(text)


@given(st.dates(date(1970, 1, 1), date(2199, 12, 31)))
def test_every_date_is_read_as_it_is_written(day):
    assert parse_date(day.strftime("%Y%m%d")) == parse_date(day.isoformat()) == day.toordinal()


@pytest.mark.parametrize("text", ["", "2025", "20250229", "20251301", "18000101", "99991231", "1.1.2025", "2025011"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_date(text)


@pytest.mark.parametrize(
    "position",
    [("", ""), ("x", "1"), ("91", "0"), ("0", "181"), ("nan", "1"), ("inf", "1"), ("0", "0"), ("0.0", "-0.0")],
)
def test_what_is_no_position_is_refused(position):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_position(*position)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_position, None, (20.99, 105.84)),
        (parse_count, "3.0", 3),
        (parse_length, "12.5", 12.5),
        (parse_color, "#FFaa00", "ffaa00"),
        (parse_color, "", ""),
        (parse_language, "pt-BR", "pt"),
        (parse_language, "ES", "es"),
        (parse_language, "mul", ""),
        (parse_language, "", ""),
        (parse_zone, "Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Minh"),
    ],
)
def test_values_are_read(parse, text, value):
    assert (parse("20.99", "105.84") if text is None else parse(text)) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_count, "2.5"),
        (parse_count, "-1"),
        (parse_count, "nan"),
        (parse_count, "1e99"),
        (parse_length, "-3"),
        (parse_length, "inf"),
        (parse_color, "red"),
        (parse_language, "German"),
        (parse_zone, "Mars/Olympus"),
        (parse_zone, ""),
        (parse_zone, "../etc/passwd"),
    ],
)
def test_values_that_are_none_are_refused(parse, text):
    with pytest.raises(ValueError):  # noqa: PT011
        parse(text)


def test_a_report_reads_as_text(tmp_path):
    report = ImportReport(feed_code="hill", feed_name="Hill Lines", counts={"stops": 1234})
    for line in range(2, 9):
        report.warn("dangling-reference", "stop_times.txt", line, subject="stop_id", example="X")
    report.warn("unknown-file", "weather.txt")
    assert report.text().splitlines() == [
        "Imported Hill Lines as feed “hill” in 0.0 seconds.",
        "      1,234  stops",
        "Found on the way:",
        "  - stop_times.txt: 7 × rows that refer to something that is not in the feed; left out "
        "(stop_id 'X'; lines 2, 3, 4, 5, 6, …)",
        "  - weather.txt: 1 × files that are not part of GTFS or of our extensions; left alone",
    ]
    assert report.count_of("dangling-reference") == report.count_of("dangling-reference", "stop_times.txt") == 7
    assert report.count_of("dangling-reference", "trips.txt") == 0
