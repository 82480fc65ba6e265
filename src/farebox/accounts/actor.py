"""Who is asking."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from farebox.accounts.permissions import ROLES, Permission
from farebox.core.db import Reach
from farebox.core.errors import NotAllowed, SignInRequired

SECOND_PROOFS: Final = frozenset({"totp", "recovery-code", "passkey"})
"""What proves more than a password that somebody may have overheard."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking, as read from the credential and never from a request's body.

    Attributes:
        kind: `user`: a person with an account, who may also act for operators; `partner`: an API key; `device`: a
            driver's phone or a scanner.
        id: the guest session, person, key or device; `None` for anonymous visitors and the system.
        booking_id: set when the credential reaches this one booking and nothing else.
        session_id: the sign-in of a `user`.
        roles: what a `user` is on the platform: `user`, `premium`, `admin`.
        grants: what may be done for which operator.
        withheld: what would be granted with a second proof and is not without: for an operator whose policy asks for
            one, and on the whole platform (`None`) for its admins.
        proved: how a `user` proved who they are, such as `password` and `totp`; `proved_at`: when they last did.
        has_second_factor: whether they have something to give a second proof with.
    """

    kind: Literal["anonymous", "guest", "user", "partner", "device", "system"]
    id: UUID | None = None
    booking_id: UUID | None = None
    session_id: UUID | None = None
    roles: frozenset[str] = frozenset()
    grants: tuple[tuple[UUID, frozenset[Permission]], ...] = ()
    withheld: tuple[tuple[UUID | None, frozenset[Permission]], ...] = ()
    proved: frozenset[str] = frozenset()
    proved_at: datetime | None = None
    has_second_factor: bool = False

    @property
    def owner(self) -> str:
        """The name under which this actor holds seats and books, such as `guest:<session id>` or `user:<person id>`.

        Raises:
            SignInRequired: anonymous visitors own nothing.
            NotAllowed: a credential for one booking takes no seats.
        """
        if self.kind == "anonymous":
            raise SignInRequired
        if self.booking_id is not None:
            raise NotAllowed
        return f"{self.kind}:{self.id}" if self.id else self.kind

    @property
    def is_everywhere(self) -> bool:
        """Whether no operator bounds what this actor may do: the system, and admins of the platform."""
        return self.kind == "system" or "admin" in self.roles

    @property
    def reach(self) -> Reach:
        """The operators of whose private rows this actor may see any at all: what a unit of work is told."""
        return "*" if self.is_everywhere else tuple(operator_id for operator_id, _ in self.grants)

    def permissions_for(self, operator_id: UUID) -> frozenset[Permission]:
        """All that this actor may do for an operator."""
        if self.kind == "system":
            return frozenset(Permission)
        everywhere = (permission for role in self.roles for permission in ROLES.get(role, ()))
        there = (permission for granting, granted in self.grants if granting == operator_id for permission in granted)
        return frozenset((*everywhere, *there))

    def operators_with(self, permission: Permission) -> frozenset[UUID]:
        """The operators for whom this actor may do that; for who `is_everywhere`, it is all, not these."""
        return frozenset(operator_id for operator_id, granted in self.grants if permission in granted)

    def may(self, permission: Permission, operator_id: UUID | None = None) -> bool:
        """Whether this actor may do that for an operator; for any operator where none is named."""
        if self.kind == "system" or any(permission in ROLES.get(role, ()) for role in self.roles):
            return True
        return any(
            permission in granted for granting, granted in self.grants if operator_id is None or operator_id == granting
        )

    def lacks_proof(self, permission: Permission, operator_id: UUID | None = None) -> bool:
        """Whether nothing but a second proof stands between this actor and doing that."""
        return any(
            permission in held
            for holding, held in self.withheld
            if operator_id is None or holding is None or operator_id == holding
        )


def has_second_proof(actor: Actor) -> bool:
    """Whether this sign-in was proved by more than a password."""
    return not SECOND_PROOFS.isdisjoint(actor.proved)


def person_actor(
    person_id: UUID,
    session_id: UUID,
    *,
    roles: Iterable[str],
    memberships: Iterable[tuple[str | UUID, str, bool]] | None,
    proved: Collection[str],
    proved_at: datetime,
    has_second_factor: bool,
) -> Actor:
    """A signed-in person with all that they may do.

    Args:
        roles: on the platform.
        memberships: for each operator its id, the person's role for it, and whether its policy asks for a second proof:
            what the database's function `staff_grants(person_id)` gives.
    """
    held = frozenset(roles)
    withheld: list[tuple[UUID | None, frozenset[Permission]]] = []
    is_proved_twice = not SECOND_PROOFS.isdisjoint(proved)
    if "admin" in held and not is_proved_twice:
        held -= {"admin"}
        withheld.append((None, ROLES["admin"]))
    grants = []
    for operator_id, role, asks_for_second_proof in memberships or ():
        grant = (UUID(str(operator_id)), ROLES[role])
        if asks_for_second_proof and not is_proved_twice:
            withheld.append(grant)
        else:
            grants.append(grant)
    return Actor(
        "user",
        person_id,
        session_id=session_id,
        roles=held,
        grants=tuple(grants),
        withheld=tuple(withheld),
        proved=frozenset(proved),
        proved_at=proved_at,
        has_second_factor=has_second_factor,
    )


ANONYMOUS = Actor("anonymous")
SYSTEM = Actor("system")
