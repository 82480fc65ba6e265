"""What people have set: which news reach them on which way, what we may do with what we know, how we speak to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import select

from farebox.accounts.consent import Purpose, list_consents, say_consent
from farebox.accounts.errors import PersonNotFound
from farebox.accounts.people_models import PersonRow
from farebox.accounts.profile import Choices, checked_choices, lock_person, touched
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_

NoticeKind: TypeAlias = Literal["booking", "reminders", "offers", "security"]
Channel: TypeAlias = Literal["email", "sms", "push"]

KINDS: Final[tuple[NoticeKind, ...]] = get_args(NoticeKind)
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)

USUAL: Final[Mapping[NoticeKind, frozenset[Channel]]] = {
    "booking": frozenset({"email", "push"}),
    "reminders": frozenset({"email", "push"}),
    "offers": frozenset(),
    "security": frozenset({"email"}),
}
"""The ways that are open as long as nothing was set. Offers are for who asks for them."""

CONSENTS: Final[Mapping[Channel, Purpose]] = {"email": "marketing-email", "sms": "marketing-sms"}
"""The ways on which offers want a consent, which is kept as such: with its words, and withdrawn in other places too."""

ALWAYS: Final[Mapping[NoticeKind, frozenset[Channel]]] = {"security": frozenset({"email"})}
"""The ways that cannot be closed: who has taken over an account would close them first."""

PrivacyChoice: TypeAlias = Literal["personalisation", "analytics"]
PRIVACY: Final[tuple[PrivacyChoice, ...]] = get_args(PrivacyChoice)
"""What we do only for who allows it: suggest by earlier trips and preferences; count what is done on our pages."""


class KeptSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person has set otherwise than it usually is, as it is kept."""

    notifications: dict[NoticeKind, dict[Channel, bool]] = {}
    privacy: dict[PrivacyChoice, bool] = {}


@dataclass(frozen=True, slots=True)
class PersonalSettings:
    """All that a person can set, as it counts now."""

    notifications: Mapping[NoticeKind, Mapping[Channel, bool]]
    privacy: Mapping[PrivacyChoice, bool]
    language: str | None
    currency: str | None
    timezone: str | None

    def allows(self, kind: NoticeKind, channel: Channel) -> bool:
        """Whether news of this kind may come this way."""
        return self.notifications[kind][channel]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SettingsChange(Choices):
    """What to set. What is not given stays."""

    notifications: Mapping[NoticeKind, Mapping[Channel, bool]] | UnsetType = UNSET
    privacy: Mapping[PrivacyChoice, bool] | UnsetType = UNSET


async def get_personal_settings(work: UnitOfWork, person_id: UUID) -> PersonalSettings:
    """Raises: PersonNotFound."""
    row = (
        await work.session.execute(
            select(PersonRow.settings, PersonRow.language, PersonRow.currency, PersonRow.timezone).where(
                PersonRow.id == person_id, PersonRow.erased_at.is_(None)
            )
        )
    ).one_or_none()
    if row is None:
        raise PersonNotFound
    return _counting(await _kept(work, person_id, row.settings), row.language, row.currency, row.timezone)


async def update_personal_settings(work: UnitOfWork, person_id: UUID, change: SettingsChange) -> PersonalSettings:
    """Set what is given; all that is set then.

    Raises:
        Invalid: with every rule that is broken, by the names of the wire.
        PersonNotFound: there is no such person.
    """
    errors: list[FieldError] = []
    values = checked_choices(change, errors)
    notifications = {} if change.notifications is UNSET else change.notifications
    for kind, channels in ALWAYS.items():
        errors += [
            FieldError(
                f"notifications.{kind}.{channel}", "always-on", N_("News about security cannot be switched off.")
            )
            for channel in sorted(channels)
            if notifications.get(kind, {}).get(channel) is False
        ]
    if errors:
        raise Invalid(errors)
    row = await lock_person(work, person_id)
    kept = await _kept(work, person_id, row.settings)
    told = {kind: kept.notifications.get(kind, {}) | dict(notifications.get(kind, {})) for kind in KINDS}
    allowed = kept.privacy | dict({} if change.privacy is UNSET else change.privacy)
    for channel, purpose in CONSENTS.items():
        if channel in notifications.get("offers", {}):
            await say_consent(work, person_id, purpose, is_given=told["offers"][channel], source="settings")
    kept = KeptSettings(notifications={kind: ways for kind, ways in told.items() if ways}, privacy=allowed)
    row.settings = msgspec.to_builtins(kept)
    for name, value in values.items():
        setattr(row, name, value)
    touched(work, row)
    return _counting(kept, row.language, row.currency, row.timezone)


async def _kept(work: UnitOfWork, person_id: UUID, settings: object) -> KeptSettings:
    """What the row says, and of offers what was consented to."""
    kept = msgspec.convert(settings, KeptSettings)
    given = {each.purpose: each.is_given for each in await list_consents(work, person_id)}
    offers = kept.notifications.get("offers", {}) | {way: given[purpose] for way, purpose in CONSENTS.items()}
    return KeptSettings(notifications=kept.notifications | {"offers": offers}, privacy=kept.privacy)


def _counting(kept: KeptSettings, language: str | None, currency: str | None, timezone: str | None) -> PersonalSettings:
    return PersonalSettings(
        notifications={kind: {channel: _is_open(kept, kind, channel) for channel in CHANNELS} for kind in KINDS},
        privacy={choice: kept.privacy.get(choice, False) for choice in PRIVACY},
        language=language,
        currency=currency,
        timezone=timezone,
    )


def _is_open(kept: KeptSettings, kind: NoticeKind, channel: Channel) -> bool:
    if channel in ALWAYS.get(kind, ()):
        return True
    return kept.notifications.get(kind, {}).get(channel, channel in USUAL[kind])
