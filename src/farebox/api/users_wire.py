"""What a person's profile, preferences, settings and sessions look like on the wire."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, structs

from farebox.accounts import (
    BudgetRange,
    Channel,
    NoticeKind,
    Person,
    PersonalSettings,
    PersonSession,
    Preferences,
    PreferencesChange,
    PrivacyChoice,
    ProfileChange,
    SettingsChange,
    TravelStyle,
    avatar_key,
)
from farebox.api.wire import MoneyInput, MoneyView, Request, Wire
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.money import Money

AVATARS = "/api/v1/avatars"
PLACE_ID = "0197a7f0-1f6a-7000-8000-00000000c0de"

Name = Annotated[str, Meta(max_length=255)]
Language = Annotated[str, Meta(max_length=35, examples=["vi"], description="A language of the pages: `en`, `vi`.")]
Currency = Annotated[str, Meta(max_length=3, examples=["VND"], description="ISO 4217.")]
Timezone = Annotated[str, Meta(max_length=64, examples=["Asia/Ho_Chi_Minh"], description="IANA name.")]
Word = Annotated[str, Meta(max_length=100)]


class ProfileRequest(Request):
    """What to change. What is not given stays; `null` takes it away, but for names, which stay."""

    first_name: Name | UnsetType = UNSET
    last_name: Name | UnsetType = UNSET
    phone_number: Annotated[str, Meta(max_length=40, examples=["+84912345678"])] | UnsetType | None = UNSET
    date_of_birth: date | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET
    currency: Currency | UnsetType | None = UNSET
    timezone: Timezone | UnsetType | None = UNSET

    def change(self) -> ProfileChange:
        return ProfileChange(
            first_name=self.first_name,
            last_name=self.last_name,
            phone=self.phone_number,
            birth_date=self.date_of_birth,
            language=self.language,
            currency=self.currency,
            timezone=self.timezone,
        )


class PictureView(Wire):
    """Addresses of a person's picture: a square of 512 and one of 96 pixels, as WebP; `null` without one."""

    profile_picture: str | None
    profile_picture_small: str | None

    @classmethod
    def of(cls, avatar: str | None) -> Self:
        large, small = (f"{AVATARS}/{avatar_key(avatar, size)}" if avatar else None for size in (512, 96))
        return cls(profile_picture=large, profile_picture_small=small)


class ProfileView(PictureView):
    """A person, as they see themselves."""

    user_id: UUID
    email: str
    verified_email: bool
    first_name: str
    last_name: str
    phone_number: str | None
    date_of_birth: date | None
    language: str | None
    currency: str | None
    timezone: str | None
    roles: list[str]
    created_at: datetime

    @classmethod
    def of_person(cls, person: Person) -> Self:
        pictures = structs.asdict(PictureView.of(person.avatar))
        return cls(
            user_id=person.id,
            email=person.email,
            verified_email=person.is_verified,
            first_name=person.first_name,
            last_name=person.last_name,
            phone_number=person.phone or None,
            date_of_birth=person.birth_date,
            language=person.language,
            currency=person.currency,
            timezone=person.timezone,
            roles=sorted(person.roles),
            created_at=person.created_at,
            **pictures,
        )


class BudgetRequest(Request):
    """The least and the most that a trip may cost, in one currency; either may be left open."""

    min: MoneyInput | None = None
    max: MoneyInput | None = None


class PreferencesRequest(Request):
    """What to change. What is not given stays; `null` takes a budget or a style away, an empty list what was in it."""

    favorite_destinations: Annotated[list[UUID], Meta(max_length=100, examples=[[PLACE_ID]])] | UnsetType = UNSET
    budget_range: BudgetRequest | UnsetType | None = UNSET
    travel_style: TravelStyle | UnsetType | None = UNSET
    interests: Annotated[list[Word], Meta(max_length=100, examples=[["food", "history"]])] | UnsetType = UNSET
    dietary_restrictions: Annotated[list[Word], Meta(max_length=100, examples=[["vegetarian"]])] | UnsetType = UNSET

    def change(self) -> PreferencesChange:
        """Raises: Invalid: for an amount that the currency cannot have."""
        budget: tuple[Money | None, Money | None] | UnsetType | None = UNSET
        if self.budget_range is None:
            budget = None
        elif self.budget_range is not UNSET:
            budget = (_money("min", self.budget_range.min), _money("max", self.budget_range.max))
        return PreferencesChange(
            favorite_destinations=self.favorite_destinations,
            budget=budget,
            travel_style=self.travel_style,
            interests=self.interests,
            dietary_restrictions=self.dietary_restrictions,
        )


class BudgetView(Wire):
    min: MoneyView | None
    max: MoneyView | None

    @classmethod
    def of(cls, budget: BudgetRange) -> Self:
        return cls(min=MoneyView.of_optional(budget.least), max=MoneyView.of_optional(budget.most))


class PreferencesView(Wire):
    """What somebody likes. `favoriteDestinations` are ids of places."""

    favorite_destinations: list[UUID]
    budget_range: BudgetView | None
    travel_style: Literal["budget", "comfort", "luxury"] | None
    interests: list[str]
    dietary_restrictions: list[str]

    @classmethod
    def of(cls, preferences: Preferences) -> Self:
        return cls(
            favorite_destinations=list(preferences.favorite_destinations),
            budget_range=BudgetView.of(preferences.budget_range) if preferences.budget_range else None,
            travel_style=preferences.travel_style,
            interests=list(preferences.interests),
            dietary_restrictions=list(preferences.dietary_restrictions),
        )


class ChannelsRequest(Request):
    email: bool | UnsetType = UNSET
    sms: bool | UnsetType = UNSET
    push: bool | UnsetType = UNSET

    def given(self) -> dict[Channel, bool]:
        channels: dict[Channel, bool | UnsetType] = {"email": self.email, "sms": self.sms, "push": self.push}
        return {channel: is_open for channel, is_open in channels.items() if is_open is not UNSET}


class NotificationsRequest(Request):
    """Mails about `security` cannot be switched off."""

    booking: ChannelsRequest | UnsetType = UNSET
    reminders: ChannelsRequest | UnsetType = UNSET
    offers: ChannelsRequest | UnsetType = UNSET
    security: ChannelsRequest | UnsetType = UNSET

    def given(self) -> dict[NoticeKind, Mapping[Channel, bool]]:
        kinds: dict[NoticeKind, ChannelsRequest | UnsetType] = {
            "booking": self.booking,
            "reminders": self.reminders,
            "offers": self.offers,
            "security": self.security,
        }
        return {kind: channels.given() for kind, channels in kinds.items() if channels is not UNSET}


class PrivacyRequest(Request):
    personalisation: bool | UnsetType = UNSET
    analytics: bool | UnsetType = UNSET

    def given(self) -> dict[PrivacyChoice, bool]:
        choices: dict[PrivacyChoice, bool | UnsetType] = {
            "personalisation": self.personalisation,
            "analytics": self.analytics,
        }
        return {choice: is_allowed for choice, is_allowed in choices.items() if is_allowed is not UNSET}


class SettingsRequest(Request):
    """What to set. What is not given stays; for language, currency and time zone `null` means none chosen."""

    notifications: NotificationsRequest | UnsetType = UNSET
    privacy: PrivacyRequest | UnsetType = UNSET
    language: Language | UnsetType | None = UNSET
    currency: Currency | UnsetType | None = UNSET
    timezone: Timezone | UnsetType | None = UNSET

    def change(self) -> SettingsChange:
        return SettingsChange(
            notifications=UNSET if self.notifications is UNSET else self.notifications.given(),
            privacy=UNSET if self.privacy is UNSET else self.privacy.given(),
            language=self.language,
            currency=self.currency,
            timezone=self.timezone,
        )


class SettingsView(Wire):
    """All that is set: by kind of news the ways on which it may come, what is allowed, and how to speak."""

    notifications: dict[Literal["booking", "reminders", "offers", "security"], dict[str, bool]]
    privacy: dict[Literal["personalisation", "analytics"], bool]
    language: str | None
    currency: str | None
    timezone: str | None

    @classmethod
    def of(cls, settings: PersonalSettings) -> Self:
        return cls(
            notifications={
                kind: {str(channel): is_open for channel, is_open in channels.items()}
                for kind, channels in settings.notifications.items()
            },
            privacy=dict(settings.privacy),
            language=settings.language,
            currency=settings.currency,
            timezone=settings.timezone,
        )


class SessionView(Wire):
    """A running sign-in. `current`: the one that asks."""

    session_id: UUID
    kind: Literal["browser", "app"]
    device: Annotated[str, Meta(examples=["Firefox, Windows"])]
    place: Annotated[str, Meta(examples=["VN, 203.0.113.0/24"])]
    current: bool
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, session: PersonSession, current: UUID | None) -> Self:
        return cls(
            session_id=session.id,
            kind=session.kind,
            device=session.device,
            place=session.place,
            current=session.id == current,
            created_at=session.created_at,
            last_used_at=session.used_at,
            expires_at=session.expires_at,
        )


class SessionsView(Wire):
    """All running sign-ins of a person, the one used last first."""

    items: list[SessionView]


class EndedView(Wire):
    ended: Annotated[int, Meta(description="How many sessions there were.")]


def _money(member: str, given: MoneyInput | None) -> Money | None:
    if given is None:
        return None
    try:
        return given.money()
    except ValueError:
        message = N_("This is not an amount of money.")
        raise Invalid([FieldError(f"budgetRange.{member}", "invalid-amount", message)]) from None
