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
