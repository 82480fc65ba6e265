"""Codes of the timetable as words and pictures for people."""

from farebox.core.i18n import N_, gettext

AMENITIES: dict[str, tuple[str, str]] = {
    "wifi": (N_("Wi-Fi"), "wifi"),
    "power": (N_("Power socket"), "power"),
    "usb": (N_("USB charging"), "usb"),
    "toilet": (N_("Toilet"), "toilet"),
    "water": (N_("Drinking water"), "water"),
    "blanket": (N_("Blanket"), "blanket"),
    "air-conditioning": (N_("Air conditioning"), "air"),
    "wheelchair": (N_("Wheelchair space"), "wheelchair"),
    "luggage": (N_("Luggage included"), "bag"),
    "reclining": (N_("Reclining seats"), "recline"),
    "snack": (N_("Snack"), "snack"),
    "screen": (N_("Screen at the seat"), "screen"),
    "bicycle": (N_("Bicycles"), "bike"),
}
"""Code -> label and icon."""

SEAT_TYPES = {
    "standard": N_("Standard seat"),
    "limousine": N_("Limousine armchair"),
    "sleeper": N_("Sleeper berth"),
}

SEAT_FEATURES = {
    "window": N_("window"),
    "aisle": N_("aisle"),
    "middle": N_("middle"),
    "front": N_("front row"),
    "rear": N_("rear"),
    "extra-legroom": N_("extra legroom"),
    "lower": N_("lower deck"),
    "upper": N_("upper deck"),
    "table": N_("at a table"),
}

PASSENGER_TYPES = {"adult": N_("Adult"), "child": N_("Child"), "senior": N_("Senior")}

ID_TYPES = {"citizen_id": N_("Citizen ID card"), "passport": N_("Passport")}


TRAVEL_STYLES = {
    "budget": (N_("Budget"), N_("The price counts most.")),
    "comfort": (N_("Comfort"), N_("More room, fewer changes.")),
    "luxury": (N_("Luxury"), N_("The best seat there is.")),
}
"""Code -> label, and what it means."""

INTEREST_LABELS = {
    "beaches": N_("Beaches"),
    "mountains": N_("Mountains"),
    "nature": N_("Nature"),
    "history": N_("History"),
    "culture": N_("Culture"),
    "food": N_("Food"),
    "nightlife": N_("Nightlife"),
    "shopping": N_("Shopping"),
    "festivals": N_("Festivals"),
    "adventure": N_("Adventure"),
    "wellness": N_("Wellness"),
    "family": N_("With children"),
}

DIET_LABELS = {
    "vegetarian": N_("Vegetarian"),
    "vegan": N_("Vegan"),
    "halal": N_("Halal"),
    "kosher": N_("Kosher"),
    "gluten-free": N_("Gluten-free"),
    "lactose-free": N_("Lactose-free"),
    "no-nuts": N_("No nuts"),
    "no-seafood": N_("No seafood"),
}

CHANNEL_LABELS = {"email": N_("E-mail"), "sms": N_("SMS"), "push": N_("App")}

NOTICE_LABELS = {
    "booking": (N_("Bookings"), N_("Confirmations, tickets, changes of your trips.")),
    "reminders": (N_("Reminders"), N_("Before you leave, and before the time to pay is over.")),
    "offers": (N_("Offers and news"), N_("Only if you ask for them. You can end this at any time.")),
    "security": (N_("Security"), N_("New sign-ins and changes of your password. E-mail is always on.")),
}
"""Kind of news -> label, and what it is."""

PRIVACY_LABELS = {
    "personalisation": (
        N_("Suggest trips by what I like"),
        N_("We look at your earlier trips and your preferences to put fitting trips first."),
    ),
    "analytics": (
        N_("Count what I do on these pages"),
        N_("It helps us to see what works. Nothing goes to anybody else."),
    ),
}
"""What somebody may allow -> label, and what it means."""


def amenity_label(code: str) -> str:
    """The label of an amenity; a code that we do not know is shown as it came, readable."""
    known = AMENITIES.get(code)
    return gettext(known[0]) if known else code.replace("-", " ").replace("_", " ").capitalize()


def amenity_icon(code: str) -> str:
    known = AMENITIES.get(code)
    return known[1] if known else "dot"


def seat_type_label(code: str) -> str:
    return gettext(SEAT_TYPES[code]) if code in SEAT_TYPES else code.replace("-", " ").capitalize()


def seat_place(features: tuple[str, ...]) -> str:
    """Where a seat is, in words: "window, front row"."""
    return ", ".join(gettext(SEAT_FEATURES[feature]) for feature in features if feature in SEAT_FEATURES)
