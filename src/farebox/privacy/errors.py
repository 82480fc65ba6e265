"""Errors of privacy."""

from typing import Literal

from farebox.core.errors import DomainError
from farebox.core.i18n import N_

Obstacle = Literal["unpaid", "upcoming", "money-owed", "wallet", "last-admin"]


class NotErasable(DomainError):
    """An account that is still needed.

    `obstacles`: what is in the way (`unpaid`, `upcoming`, `money-owed`, `wallet`: money is in it, `last-admin`);
    `references`: of the bookings.
    """

    code = "not-erasable"
    message = N_(
        "This account cannot be erased yet: a trip is still ahead, a booking waits for its payment, money is on its way"
        " back or in the wallet, or nobody else could look after an operator."
    )

    def __init__(self, *, obstacles: list[Obstacle], references: list[str]) -> None:
        super().__init__(obstacles=obstacles, references=references)
