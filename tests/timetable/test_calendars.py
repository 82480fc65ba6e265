"""Days of service, counted without walking them, and moved by whole weeks."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from farebox.timetable.importing.calendars import (
    LIVELY_DAYS,
    ServiceDays,
    count_runs_by_day,
    shift,
    weeks_to_shift,
)

START = date(2024, 1, 1).toordinal()
DAYS = st.integers(START, START + 120)
SERVICES = st.builds(
    ServiceDays,
    weekdays=st.integers(0, 127),
    first=DAYS,
    last=DAYS,
    added=st.sets(DAYS, max_size=10),
    removed=st.sets(DAYS, max_size=10),
)


@given(st.lists(st.tuples(SERVICES, st.integers(0, 3)), max_size=6))
def test_runs_are_counted_as_if_day_by_day(services):
    expected = {
        day: total
        for day in range(START, START + 130)
        if (total := sum(runs for service, runs in services if service.runs_on(day)))
    }
    assert count_runs_by_day(services) == expected


def test_a_week_begins_on_monday_as_bit_zero():
    monday = date(2024, 1, 1)
    service = ServiceDays(weekdays=0b0100001, first=monday.toordinal(), last=monday.toordinal() + 13)
    days = [date.fromordinal(day) for day in count_runs_by_day([(service, 1)])]
    assert days == [monday, date(2024, 1, 6), date(2024, 1, 8), date(2024, 1, 13)]


@given(SERVICES, st.integers(-300, 300))
def test_a_shift_by_weeks_moves_every_day_and_keeps_weekdays(service, weeks):
    before = count_runs_by_day([(service, 1)])
    shift([service], weeks * 7)
    assert count_runs_by_day([(service, 1)]) == {day + weeks * 7: runs for day, runs in before.items()}


RUNS = st.dictionaries(st.integers(START, START + 200), st.integers(1, 5), min_size=1, max_size=40)


@given(RUNS, st.dates(date(2026, 1, 1), date(2026, 12, 31)))
def test_no_other_shift_gives_more_departures_and_none_as_good_has_more_to_come(runs, to):
    def lively(weeks: int) -> int:
        start = to.toordinal() - weeks * 7
        return sum(runs.get(day, 0) for day in range(start, start + LIVELY_DAYS))

    weeks = weeks_to_shift(runs, to)
    assert lively(weeks) == max(lively(other) for other in range(weeks - 60, weeks + 60)) > 0
    assert all(lively(other) < lively(weeks) for other in range(weeks + 1, weeks + 60))


def test_a_steady_calendar_is_moved_so_that_it_begins_with_the_date():
    monday = date(2019, 3, 4).toordinal()
    runs = dict.fromkeys(range(monday, monday + 365), 7)
    wednesday = date(2026, 11, 18)
    weeks = weeks_to_shift(runs, wednesday)
    first = date.fromordinal(monday + weeks * 7)
    assert first == wednesday - timedelta(days=2)


def test_a_calendar_without_days_is_not_moved():
    assert weeks_to_shift({}, date(2026, 1, 1)) == 0
