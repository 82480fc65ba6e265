"""Personal data as a whole: its seals, its export, its erasure, and how long it is kept."""

from farebox.privacy.erasing import Obstacles, erase, erase_unverified, find_obstacles
from farebox.privacy.errors import NotErasable
from farebox.privacy.events import UserErased
from farebox.privacy.exporting import access_on_the_wire, export_person, stream_archive, subjects_of
from farebox.privacy.jobs import REACTIONS, register_jobs
from farebox.privacy.retention import Retention
from farebox.privacy.sealed import NOT_SEALED, SEALED

__all__ = [
    "NOT_SEALED",
    "REACTIONS",
    "SEALED",
    "NotErasable",
    "Obstacles",
    "Retention",
    "UserErased",
    "access_on_the_wire",
    "erase",
    "erase_unverified",
    "export_person",
    "find_obstacles",
    "register_jobs",
    "stream_archive",
    "subjects_of",
]
