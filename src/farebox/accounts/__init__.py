"""People and the companies that sell: operators, guest sessions, and who is asking."""

from farebox.accounts.access_tokens import AccessTokens, rotate_signing_key
from farebox.accounts.actor import ANONYMOUS, SYSTEM, Actor, has_second_proof, person_actor
from farebox.accounts.api_keys import (
    LONGEST_LIFE,
    ApiKey,
    list_keys,
    make_key,
    revoke_key,
)
from farebox.accounts.attempts import attempt_key, delete_old_attempts, forget_failures, note_failure
from farebox.accounts.avatars import (
    DELETE_AVATAR,
    Avatars,
    avatar_key,
    delete_avatar,
    register_avatar_jobs,
)
from farebox.accounts.challenges import delete_expired_challenges
from farebox.accounts.changing import (
    EmailChange,
    change_password,
    check_password,
    confirm_email_change,
    find_email_change,
    is_reset_possible,
    request_email_change,
    request_password_reset,
    reset_password,
)
from farebox.accounts.consent import (
    PURPOSES,
    WORDING,
    Consent,
    Purpose,
    has_consent,
    list_consent_history,
    list_consents,
    read_unsubscribe_token,
    say_consent,
    unsubscribe_token,
)
from farebox.accounts.devices import (
    Device,
    PairedDevice,
    list_devices,
    make_device,
    pair_device,
    revoke_device,
    show_new_code,
)
from farebox.accounts.erasing import Erased, erase_person, is_last_admin, list_unverified
from farebox.accounts.errors import (
    ChallengeExpired,
    EmailNotVerified,
    EmailTaken,
    InvalidCredentials,
    InvalidRefreshToken,
    LinkExpired,
    OperatorNotFound,
    PersonNotFound,
    SecondFactorRequired,
    SessionNotFound,
    TooManyAttempts,
    WrongCode,
    WrongPassword,
)
from farebox.accounts.factor_errors import (
    FactorNeeded,
    FactorNotFound,
    IdentityNotFound,
    IdentityTaken,
    LastWayIn,
    LinkOver,
    PasskeyRefused,
    PasskeysUnavailable,
    ProofNotAccepted,
    ProviderDenied,
    ProviderEmailUnverified,
    ProviderRefused,
    ProviderSignInExpired,
    ProviderUnreachable,
    TooManyFactors,
    UnknownProvider,
)
from farebox.accounts.factors import (
    Factor,
    add_passkey,
    check_second_factor,
    confirm_totp,
    get_factor,
    list_factors,
    list_proofs,
    must_have_second_factor,
    needs_second_factor,
    remove_factor,
    rename_factor,
    renew_recovery_codes,
)
from farebox.accounts.first_people import let_in
from farebox.accounts.guest_sessions import end_booking_sessions, end_guest_session
from farebox.accounts.identities import (
    Begun,
    Identity,
    Intent,
    LinkNeeded,
    begin_handshake,
    confirm_with_identity,
    end_handshake,
    find_waiting_link,
    get_identity,
    hold_for_linking,
    link_identity,
    list_identities,
    unlink_identity,
)
from farebox.accounts.invitations import (
    Invitation,
    InvitationMail,
    InvitationOffer,
    accept_invitation,
    get_invitation_offer,
    invite,
    list_invitations,
    make_invitation_mail,
    resend_invitation,
    revoke_invitation,
)
from farebox.accounts.mail_requests import MAIL_REQUESTED, answer_mail_request, open_request
from farebox.accounts.mail_tokens import delete_old_mail_tokens
from farebox.accounts.memberships import (
    STAFF_ROLES,
    Member,
    StaffRole,
    add_member,
    add_member_by_email,
    change_role,
    list_colleagues,
    list_members,
    remove_member,
)
from farebox.accounts.oidc import Claims, Handshake, OidcClient
from farebox.accounts.oidc_providers import Provider, read_providers
from farebox.accounts.operators import (
    OPERATORS,
    OperatorView,
    find_operator_by_code,
    get_operator,
    list_currencies_sold,
    list_operators,
    upsert_operator,
)
from farebox.accounts.other_sign_ins import sign_in_elsewhere, sign_in_with_passkey
from farebox.accounts.passkeys import (
    begin_passkey,
    begin_passkey_confirmation,
    begin_passkey_sign_in,
    find_site,
    read_credential,
)
from farebox.accounts.passwords import Passwords
from farebox.accounts.people import Person, email_key, find_person_by_email, get_person
from farebox.accounts.permissions import DEVICE_SCOPES, KEY_SCOPES, PERMISSION_NAMES, ROLE_NAMES, ROLES, Permission
from farebox.accounts.person_sessions import (
    OpenedSession,
    PersonSession,
    delete_old_person_sessions,
    end_session,
    end_session_of_refresh_token,
    end_session_of_token,
    end_sessions,
    list_sessions,
    note_proof,
    open_person_session,
)
from farebox.accounts.personal_audit import (
    Access,
    booking_subject,
    forget_accesses,
    list_accesses,
    note_access,
    note_accesses,
    person_subject,
    search_accesses,
)
from farebox.accounts.personal_settings import (
    ALWAYS,
    CHANNELS,
    KINDS,
    PRIVACY,
    Channel,
    NoticeKind,
    PersonalSettings,
    PrivacyChoice,
    SettingsChange,
    get_personal_settings,
    update_personal_settings,
)
from farebox.accounts.pictures import LARGEST_BYTES, BadPicture, MovingPicture, PictureTooLarge
from farebox.accounts.preferences import (
    DIETS,
    INTERESTS,
    BudgetRange,
    Preferences,
    PreferencesChange,
    TravelStyle,
    get_preferences,
    update_preferences,
)
from farebox.accounts.profile import (
    OLDEST_YEARS,
    ProfileChange,
    ProfileUpdated,
    list_currencies,
    list_timezones,
    lock_person,
    update_profile,
)
from farebox.accounts.recognising import People
from farebox.accounts.recovery import count_recovery_codes
from farebox.accounts.refreshing import Refreshed, refresh, staff_roles_of
from farebox.accounts.registering import make_person, register, resend_verification, verify_email
from farebox.accounts.sessions import (
    GuestSession,
    Sessions,
    authenticate,
    delete_expired_sessions,
    open_booking_session,
    open_guest_session,
)
from farebox.accounts.signing_in import (
    Client,
    SecondFactorNeeded,
    SignedIn,
    admit,
    find_second_factors,
    finish_sign_in,
    sign_in,
)
from farebox.accounts.staff import (
    Post,
    get_reached_operator,
    list_posts,
    reached_operators,
    require_second_factor,
    requires_second_factor,
)
from farebox.accounts.staff_errors import (
    AlreadyStaff,
    DeviceNotFound,
    InvitationForAnother,
    InvitationNotFound,
    InvitationOver,
    InvitedTooOften,
    KeyNotFound,
    LastOperatorAdmin,
    MemberNotFound,
    PairingFailed,
    RoleNotGrantable,
    SecondProofRequired,
    StepUpRequired,
    TooManyOfThem,
)
from farebox.accounts.staff_events import (
    StaffInvited,
    StaffJoined,
    StaffRemoved,
    StaffRoleChanged,
)
from farebox.accounts.stepping_up import Signed, confirm_with_code, confirm_with_passkey, confirm_with_password
from farebox.accounts.totp import TotpSetup, begin_totp, get_totp_setup
from farebox.accounts.whereabouts import describe_device, describe_place

# with one name a line, the face of the largest module would be longer than a file may be
# fmt: off
__all__ = [
    "ALWAYS", "ANONYMOUS", "CHANNELS", "DELETE_AVATAR", "DEVICE_SCOPES", "DIETS", "INTERESTS", "KEY_SCOPES", "KINDS",
    "LARGEST_BYTES", "LONGEST_LIFE", "MAIL_REQUESTED", "OLDEST_YEARS", "OPERATORS", "PERMISSION_NAMES", "PRIVACY",
    "PURPOSES", "ROLES", "ROLE_NAMES", "STAFF_ROLES", "SYSTEM", "WORDING", "Access", "AccessTokens", "Actor",
    "AlreadyStaff", "ApiKey", "Avatars", "BadPicture", "Begun", "BudgetRange", "ChallengeExpired", "Channel", "Claims",
    "Client", "Consent", "Device", "DeviceNotFound", "EmailChange", "EmailNotVerified", "EmailTaken", "Erased",
    "Factor", "FactorNeeded", "FactorNotFound", "GuestSession", "Handshake", "Identity", "IdentityNotFound",
    "IdentityTaken", "Intent", "InvalidCredentials", "InvalidRefreshToken", "Invitation", "InvitationForAnother",
    "InvitationMail", "InvitationNotFound", "InvitationOffer", "InvitationOver", "InvitedTooOften", "KeyNotFound",
    "LastOperatorAdmin", "LastWayIn", "LinkExpired", "LinkNeeded", "LinkOver", "Member", "MemberNotFound",
    "MovingPicture", "NoticeKind", "OidcClient", "OpenedSession", "OperatorNotFound", "OperatorView", "PairedDevice",
    "PairingFailed", "PasskeyRefused", "PasskeysUnavailable", "Passwords", "People", "Permission", "Person",
    "PersonNotFound", "PersonSession", "PersonalSettings", "PictureTooLarge", "Post", "Preferences",
    "PreferencesChange", "PrivacyChoice", "ProfileChange", "ProfileUpdated", "ProofNotAccepted", "Provider",
    "ProviderDenied", "ProviderEmailUnverified", "ProviderRefused", "ProviderSignInExpired", "ProviderUnreachable",
    "Purpose", "Refreshed", "RoleNotGrantable", "SecondFactorNeeded", "SecondFactorRequired", "SecondProofRequired",
    "SessionNotFound", "Sessions", "SettingsChange", "Signed", "SignedIn", "StaffInvited", "StaffJoined",
    "StaffRemoved", "StaffRole", "StaffRoleChanged", "StepUpRequired", "TooManyAttempts", "TooManyFactors",
    "TooManyOfThem", "TotpSetup", "TravelStyle", "UnknownProvider", "WrongCode", "WrongPassword", "accept_invitation",
    "add_member", "add_member_by_email", "add_passkey", "admit", "answer_mail_request", "attempt_key", "authenticate",
    "avatar_key", "begin_handshake", "begin_passkey", "begin_passkey_confirmation", "begin_passkey_sign_in",
    "begin_totp", "booking_subject", "change_password", "change_role", "check_password", "check_second_factor",
    "confirm_email_change", "confirm_totp", "confirm_with_code", "confirm_with_identity", "confirm_with_passkey",
    "confirm_with_password", "count_recovery_codes", "delete_avatar", "delete_expired_challenges",
    "delete_expired_sessions", "delete_old_attempts", "delete_old_mail_tokens", "delete_old_person_sessions",
    "describe_device", "describe_place", "email_key", "end_booking_sessions", "end_guest_session", "end_handshake",
    "end_session", "end_session_of_refresh_token", "end_session_of_token", "end_sessions", "erase_person",
    "find_email_change", "find_operator_by_code", "find_person_by_email", "find_second_factors", "find_site",
    "find_waiting_link", "finish_sign_in", "forget_accesses", "forget_failures", "get_factor", "get_identity",
    "get_invitation_offer", "get_operator", "get_person", "get_personal_settings", "get_preferences",
    "get_reached_operator", "get_totp_setup", "has_consent", "has_second_proof", "hold_for_linking", "invite",
    "is_last_admin", "is_reset_possible", "let_in", "link_identity", "list_accesses", "list_colleagues",
    "list_consent_history", "list_consents", "list_currencies", "list_currencies_sold", "list_devices", "list_factors",
    "list_identities", "list_invitations", "list_keys", "list_members", "list_operators", "list_posts", "list_proofs",
    "list_sessions", "list_timezones", "list_unverified", "lock_person", "make_device", "make_invitation_mail",
    "make_key", "make_person", "must_have_second_factor", "needs_second_factor", "note_access", "note_accesses",
    "note_failure", "note_proof", "open_booking_session", "open_guest_session", "open_person_session", "open_request",
    "pair_device", "person_actor", "person_subject", "reached_operators", "read_credential", "read_providers",
    "read_unsubscribe_token", "refresh", "register", "register_avatar_jobs", "remove_factor", "remove_member",
    "rename_factor", "renew_recovery_codes", "request_email_change", "request_password_reset", "require_second_factor",
    "requires_second_factor", "resend_invitation", "resend_verification", "reset_password", "revoke_device",
    "revoke_invitation", "revoke_key", "rotate_signing_key", "say_consent", "search_accesses", "show_new_code",
    "sign_in", "sign_in_elsewhere", "sign_in_with_passkey", "staff_roles_of", "unlink_identity", "unsubscribe_token",
    "update_personal_settings", "update_preferences", "update_profile", "upsert_operator", "verify_email",
]
# fmt: on
