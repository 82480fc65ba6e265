"""Whose pages these are."""

from uuid import UUID

from farebox.accounts import Actor

SECURITY = "/account/security"


def person_of(actor: Actor) -> UUID:
    """Who has signed in, where the route's rule lets in nobody else."""
    assert actor.id is not None, "the rule of the route"
    return actor.id


def session_of(actor: Actor) -> UUID:
    """Their sign-in."""
    assert actor.session_id is not None, "the rule of the route"
    return actor.session_id
