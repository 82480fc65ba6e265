"""Pictures of people: made, kept, replaced, taken away."""

import asyncio
import re
import secrets
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from farebox.accounts.errors import PersonNotFound
from farebox.accounts.people_models import PersonRow
from farebox.accounts.pictures import SIZES, make_avatar
from farebox.accounts.profile import ProfileUpdated
from farebox.core.db import Database, UnitOfWork
from farebox.core.files import FileNotKept, Files
from farebox.core.jobs import Jobs

DELETE_AVATAR: Final = "accounts.delete-avatar"
FOLDER: Final = "avatars"
NAME_BYTES: Final = 16
KEY: Final = re.compile(rf"[0-9a-f]{{{2 * NAME_BYTES}}}-({'|'.join(map(str, SIZES))})\.webp")


class Avatars:
    """People's pictures.

    A picture is kept under a random name, which is all that is needed to see it. The row of its person has that name.
    """

    def __init__(self, database: Database, files: Files, jobs: Jobs) -> None:
        self._database = database
        self._files = files
        self._jobs = jobs
        self._is_drawing = asyncio.Semaphore(1)  # a large picture needs much memory while it is drawn

    async def change(self, person_id: UUID, upload: bytes) -> str:
        """Give a person the picture that they sent, instead of the one that they had; its name.

        Not inside a unit of work: drawing takes time, and keeping may be a network call.

        Raises:
            BadPicture, PictureTooLarge, MovingPicture: see `make_avatar`.
            PersonNotFound: there is no such person.
            Unavailable: it cannot be kept now.
        """
        async with self._is_drawing:
            squares = await asyncio.to_thread(make_avatar, upload)
        name = secrets.token_hex(NAME_BYTES)
        try:
            for size, content in squares.items():
                await self._files.put(_path(avatar_key(name, size)), content)
            await self._give(person_id, name)
        except BaseException:
            await delete_avatar(self._files, name)
            raise
        return name

    async def take_away(self, person_id: UUID) -> None:
        """Leave a person without a picture, also one who had none.

        Raises:
            PersonNotFound: there is no such person.
        """
        await self._give(person_id, None)

    async def _give(self, person_id: UUID, name: str | None) -> None:
        async with self._database.begin() as work:
            await _replace(work, self._jobs, person_id, name)

    async def read(self, key: str) -> bytes:
        """A picture by its name and size, as WebP.

        Raises:
            FileNotKept: there is none such.
        """
        if not KEY.fullmatch(key):
            raise FileNotKept
        return await self._files.get(_path(key))


def avatar_key(name: str, size: int) -> str:
    """What a picture of this size is called, the last part of its address. `size` is one of `SIZES`."""
    return f"{name}-{size}.webp"


async def delete_avatar(files: Files, name: str) -> None:
    """Delete a picture's files. Where they are gone already, nothing happens."""
    for size in SIZES:
        await files.delete(_path(avatar_key(name, size)))


def register_avatar_jobs(jobs: Jobs, files: Files) -> None:
    """Enter the job `DELETE_AVATAR`, to be deferred by whoever takes a picture's name out of its row."""

    async def delete(avatar: str) -> None:
        await delete_avatar(files, avatar)

    jobs.register(DELETE_AVATAR, delete)


async def _replace(work: UnitOfWork, jobs: Jobs, person_id: UUID, name: str | None) -> None:
    """The row's new name; the files of the old one go once this is committed, and surely."""
    found = (
        await work.session.execute(
            select(PersonRow.avatar).where(PersonRow.id == person_id, PersonRow.erased_at.is_(None)).with_for_update()
        )
    ).one_or_none()
    if found is None:
        raise PersonNotFound
    if found.avatar == name:
        return
    await work.session.execute(
        update(PersonRow).where(PersonRow.id == person_id).values(avatar=name, updated_at=work.now)
    )
    if found.avatar:
        await jobs.defer(work, DELETE_AVATAR, avatar=found.avatar)
    work.publish(ProfileUpdated(user_id=person_id))


def _path(key: str) -> str:
    return f"{FOLDER}/{key}"
