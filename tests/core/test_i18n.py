from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from farebox.core.i18n import current_language, format_day, format_time, language, negotiate


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("en-US,en;q=0.9", "en"),
        ("de-DE,vi;q=0.3", "vi"),
        ("vi;q=0.2, en;q=0.7", "en"),
        ("fr", "en"),
        ("", "en"),
        ("vi;q=0", "en"),
        ("vi;q=abc", "en"),
        (",;,", "en"),
    ],
)
def test_the_best_language_is_chosen(header, code):
    assert negotiate(header) == code


def test_a_language_ends_with_its_block():
    with language("vi"):
        assert current_language() == "vi"
    assert current_language() == "en"


def test_an_unknown_language_means_the_default():
    with language("tlh"):
        assert current_language() == "en"


def test_times_are_those_of_the_place():
    instant = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    assert format_time(instant, ZoneInfo("Asia/Ho_Chi_Minh")) == "06:30"
    assert format_day(instant.astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))) == "Thu 26 Nov"
