"""Importing a GTFS feed: all of it in one transaction, or nothing."""

from farebox.timetable.importing.context import FeedKeys, ImportHook
from farebox.timetable.importing.feed import OnSale, import_feed

__all__ = ["FeedKeys", "ImportHook", "OnSale", "import_feed"]
