"""Reading GTFS: the archive, its tables row by row, the values in them, and the report of what was found wrong."""

from farebox.timetable.gtfs.archive import FeedFiles, open_feed_files
from farebox.timetable.gtfs.report import Finding, ImportReport
from farebox.timetable.gtfs.tables import FeedTables, Progress, Row

__all__ = ["FeedFiles", "FeedTables", "Finding", "ImportReport", "Progress", "Row", "open_feed_files"]
