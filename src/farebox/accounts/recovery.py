"""Recovery codes: ten, each once, for who has lost the phone. Shown when they are made; only keyed digests are kept."""

import secrets as random
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, update

from farebox.accounts.people_models import RecoveryCodeRow
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork

CODES: Final = 10
LENGTH: Final = 10
LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's: no letter is taken for another; 50 bits in ten of them."""

ALIKE: Final = str.maketrans("oil", "011")


async def make_recovery_codes(work: UnitOfWork, person_id: UUID, *, secrets: Secrets) -> list[str]:
    """New codes, such as `7k2mq-x93bd`; earlier ones stop working. They are told this once."""
    await delete_recovery_codes(work, person_id)
    codes = ["".join(random.choice(LETTERS) for _ in range(LENGTH)) for _ in range(CODES)]
    work.session.add_all(
        RecoveryCodeRow(
            person_id=person_id, code_digest=secrets.blind_index(_name_of(person_id, code)), created_at=work.now
        )
        for code in codes
    )
    return [f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}" for code in codes]


async def use_recovery_code(work: UnitOfWork, person_id: UUID, code: str, *, secrets: Secrets) -> bool:
    """Whether this is one of the person's codes that was not used before; then it is now. Written as one likes."""
    letters = "".join(letter for letter in code.lower().translate(ALIKE) if letter in LETTERS)
    used = await work.session.execute(
        update(RecoveryCodeRow)
        .where(
            RecoveryCodeRow.person_id == person_id,
            RecoveryCodeRow.code_digest.in_(secrets.blind_indexes(_name_of(person_id, letters))),
            RecoveryCodeRow.used_at.is_(None),
        )
        .values(used_at=work.now)
        .returning(RecoveryCodeRow.person_id)
        .execution_options(synchronize_session=False)
    )
    return used.one_or_none() is not None


async def count_recovery_codes(work: UnitOfWork, person_id: UUID) -> int:
    """How many are left."""
    left = select(func.count()).where(RecoveryCodeRow.person_id == person_id, RecoveryCodeRow.used_at.is_(None))
    return await work.session.scalar(left) or 0


async def delete_recovery_codes(work: UnitOfWork, person_id: UUID) -> None:
    await work.session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.person_id == person_id))


def _name_of(person_id: UUID, code: str) -> str:
    """What the keyed digest is of: of one person's code, so that two alike are not seen to be."""
    return f"recovery-code:{person_id}:{code}"
