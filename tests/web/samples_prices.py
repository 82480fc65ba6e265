"""The back office's pages about prices and money, with made-up content, for the gallery."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from tests.web.made_up import at, dong

from farebox.accounts import OperatorView
from farebox.core.money import Money
from farebox.web.console.rule_words import kind_choices, weekday_choices
from farebox.web.views.account import Pages
from farebox.web.views.checkout import Problem
from farebox.web.views.console import Choice, Office, Section
from farebox.web.views.fares import (
    CodeRow,
    CodesView,
    DistanceView,
    EditTermsView,
    FareRow,
    FaresView,
    FareView,
    HistoryLine,
    MoneyTermsView,
    NewCodeView,
    QuoteRow,
    RulePreview,
    RuleRow,
    RulesView,
    RuleView,
    TermsCard,
    TermsView,
    TriedQuote,
    TryView,
    Undo,
)
from farebox.web.views.trips import Option

Sample = Callable[[], tuple[str, object, dict[str, Any]]]

ID = UUID("018f6b2e-0000-7000-8000-00000000c0de")
LINES = OperatorView(ID, "truong-son", "Trường Sơn Lines", "Asia/Ho_Chi_Minh", "VND", brand_color="#0b7a75")
SECTIONS: tuple[Section, ...] = ("today", "fares", "rules", "codes", "terms", "till", "staff", "keys", "devices")
SEATS = (Option("", "Any seat", True), Option("standard", "Standard seat"), Option("sleeper", "Sleeper berth"))
LINE_OPTIONS = (Option("a", "TS1: Hà Nội – Đà Nẵng", True), Option("b", "TS5: Hà Nội – Nam Ninh"))
PLACES = (Option("a", "Hà Nội", True), Option("b", "Huế"), Option("c", "Thành phố Hồ Chí Minh"))


def office(section: Section, sections: tuple[Section, ...] = SECTIONS) -> Office:
    return Office(LINES, section, sections)


def fares(**changes: Any) -> FaresView:
    facts: dict[str, Any] = {
        "office": office("fares"),
        "currency": "VND",
        "rows": (
            FareRow(
                "Hà Nội", "Ninh Bình", "Standard seat", dong(95_000), dong(71_250), dong(85_500), "hand", "#", "#", "#"
            ),
            FareRow(
                "Hà Nội", "Huế", "Standard seat", dong(455_000), dong(341_000), dong(410_000), "feed", "#", "", "#"
            ),
            FareRow(
                "Hà Nội",
                "Thành phố Hồ Chí Minh",
                "Sleeper berth",
                dong(1_150_000),
                dong(862_500),
                dong(1_035_000),
                "distance",
                "#",
                "",
                "#",
            ),
            FareRow("Huế", "Đồng Hới", "Standard seat", None, None, None, None, "#", "", "#"),
        ),
        "pages": Pages(51, 54, 72, "#", "#"),
        "lines": LINE_OPTIONS,
        "line": "a",
        "sources": (Option("", "Anything", True), Option("hand", "By hand")),
        "source": "",
        "search": "",
    }
    return FaresView(**facts | changes)


def fares_ended() -> FaresView:
    undo = Undo("#", "Put it back", (("from", "a"), ("adult", "95000")))
    return fares(done="The fare was ended. It counts no more from the next price on.", undo=undo)


def fare(**changes: Any) -> FareView:
    typed = {"from": "a", "to": "b", "seat": "", "adult": "dear", "child": "", "senior": ""}
    facts: dict[str, Any] = {
        "office": office("fares"),
        "currency": "VND",
        "places": PLACES,
        "seats": SEATS,
        "typed": typed,
        "is_fixed": False,
    }
    return FareView(**facts | changes)


def distance() -> DistanceView:
    typed = {"standard-base": "30000", "standard-per_100_km": "x", "child_discount": "25", "sells_by_distance": "yes"}
    wrong = "This is not an amount of money."
    return DistanceView(
        office("fares"),
        "VND",
        (Choice("standard", "Standard seat"), Choice("limousine", "Limousine armchair")),
        SEATS,
        (Option("", "Any place"), Option("extra-legroom", "extra legroom")),
        2,
        typed,
        {"standard-per_100_km": wrong},
        (Problem("standard-per_100_km", wrong),),
    )


def quote() -> TriedQuote:
    return TriedQuote(
        "Hà Nội to Đà Nẵng",
        ("TS1, Coach 45", "Saturday 12 December 2026, booked 22 days before", "70% of the seats gone"),
        (
            QuoteRow("Seat 1C", "From the fares that came with the imported timetable.", dong(495_000)),
            QuoteRow(
                "Seat 1C: Weekend (+10%)",
                "On Friday and Saturday, fares are 10% higher.",
                dong(49_500),
            ),
            QuoteRow(
                "Seat 1C: Early bird (-10%)",
                "Booked 14 days ahead or earlier, fares are 10% lower.",
                dong(-49_500),
            ),
            QuoteRow("Service fee", "Once for each departure that is booked.", dong(10_000)),
        ),
        dong(505_000),
        dong(37_407),
    )


def tried(**changes: Any) -> TryView:
    typed = {
        "line": "a",
        "from": "a",
        "to": "b",
        "seat": "",
        "day": "2026-12-12",
        "bought": "2026-11-20",
        "load": "70",
        "back": "",
        "adult": "1",
        "child": "0",
        "senior": "0",
    }
    facts: dict[str, Any] = {
        "office": office("fares"),
        "lines": LINE_OPTIONS,
        "places": PLACES,
        "seats": SEATS,
        "typed": typed,
    }
    return TryView(**facts | changes)


def rules() -> RulesView:
    rows = (
        RuleRow("1", "season", "Tết", "+25%", True, "From 1 to 14 February 2027, fares are 25% higher.", "to-come"),
        RuleRow("2", "season", "Summer", "+10%", True, "From 1 June to 31 August 2026, fares are 10% higher.", "over"),
        RuleRow(
            "3", "early", "Early bird", "−12.5%", False, "Booked 14 days ahead or earlier, fares are 12.5% lower.", ""
        ),
        RuleRow("4", "load", "x" * 60, "+5%", True, "Once 80% of the seats are gone, fares are 5% higher.", ""),
        RuleRow("5", "early", "Last week", "+8%", True, "Booked 7 days ahead or earlier, fares are 8% higher.", "off"),
    )
    undo = Undo("#", "Turn it on again", ())
    done = "The rule was turned off. It counts no more from the next price on."
    history = (
        HistoryLine(at(9, 30), "Lê Chu", "Rule “Last week”: changed", "+8%. Booked 7 days ahead.", "+8%. Turned off."),
        HistoryLine(
            at(6, 0, -2), "an import of a timetable", "Fares of the timetable: changed", "158 fares", "160 fares"
        ),
        HistoryLine(at(18, 5, -3), "the platform", f"Rule “{'x' * 60}”: made", "", "+5%. Once 80% are gone."),
    )
    return RulesView(office("rules"), rows, done, undo, history)


def rule(**changes: Any) -> RuleView:
    typed = {"kind": "weekday", "weekday-4": "yes", "name": "Weekend", "way": "more", "percent": "12.5", "line": "a"}
    facts: dict[str, Any] = {
        "office": office("rules"),
        "key": "",
        "kinds": kind_choices(),
        "weekdays": weekday_choices(),
        "lines": LINE_OPTIONS,
        "typed": typed,
    }
    return RuleView(**facts | changes)


def rule_previewed() -> RuleView:
    note = "Another rule of this kind fits this day more closely, and counts in its place."
    return rule(preview=RulePreview("On Friday, fares are 12.5% higher.", dong(495_000), quote(), note), key="ab12")


def rule_wrong() -> RuleView:
    errors = {"weekday-0": "Say when the rule counts.", "percent": "A rule takes off up to 100%, or adds up to 300%."}
    problems = tuple(Problem(name, text) for name, text in errors.items())
    return rule(errors=errors, problems=problems, lines=())


def codes() -> CodesView:
    days = {"starts": date(2026, 12, 1), "ends": date(2026, 12, 31)}
    rows = (
        CodeRow(ID, "WELCOME10", "10%", 123, 500, 1, 24, None, None, None, "good", (dong(4_920_000),)),
        CodeRow(ID, "TET-27", "₫50,000", 0, None, None, None, **days, minimum=dong(300_000), state="to-come", gave=()),
        CodeRow(
            ID,
            "A-VERY-LONG-CODE-OF-FORTY-CHARACTERS-IN-",
            "15%",
            40,
            40,
            2,
            100,
            None,
            days["ends"],
            None,
            "used-up",
            (dong(1_000), Money(100, "EUR")),
        ),
        CodeRow(ID, "OLD", "5%", 3, None, None, None, days["starts"], None, None, "ended", ()),
    )
    return CodesView(
        office("codes"), rows, Pages(1, 4, 4), "The code was made. It can be taken within its days and limits."
    )


def new_code() -> NewCodeView:
    kinds = (
        Choice("percent", "A percentage", "Of what the seats cost together"),
        Choice("amount", "An amount", "Up to it"),
    )
    errors = {"code": "The code TET-27 is taken. Choose another one.", "percent": "Enter a percentage."}
    problems = tuple(Problem(name, text) for name, text in errors.items())
    return NewCodeView(office("codes"), "VND", kinds, {"code": "TET-27", "kind": "percent"}, errors, problems)


def terms() -> TermsView:
    told = (
        "Cancelled up to 72 h before departure, 100% of the price is paid back.",
        "Cancelled later, nothing is paid back.",
        "You may change names up to 2 h before departure, free of charge.",
    )
    cards = (TermsCard("", "Any seat", told, True), TermsCard("sleeper", "Sleeper berth", told, False))
    money = ("Service fee: ₫10,000, once for each departure that is booked.", "Tax: 8%, included in every amount.")
    return TermsView(office("terms"), cards, SEATS[1:2], money, "The terms were saved.", Undo("#", "Undo", ()))


def edit_terms(**changes: Any) -> EditTermsView:
    typed = {"tier-0-hours": "48", "tier-0-percent": "100", "change_hours": "4", "change_fee": "20000"}
    return EditTermsView(office("terms"), "Any seat", "", "VND", 4, typed, **changes)


def edit_terms_wrong() -> EditTermsView:
    wrong = "Each step is later than the one before, and pays back less."
    return edit_terms(errors={"tier-1-hours": wrong}, problems=(Problem("tier-1-hours", wrong),))


def money_terms() -> MoneyTermsView:
    ways = (
        Choice("included", "Included", "Every amount has the tax in it."),
        Choice("added", "Added", "A line of tax."),
    )
    return MoneyTermsView(office("terms"), "VND", ways, {"service_fee": "10000", "tax": "8", "way": "added"})


def _empty(lacks: str) -> FaresView:
    return fares(rows=(), pages=Pages(0, 0, 0), lacks=lacks, line="" if lacks == "by-hand" else "a")


PAGES: dict[str, Sample] = {
    "fares": lambda: ("console/fares.html", fares(), {}),
    "fares-ended": lambda: ("console/fares.html", fares_ended(), {}),
    "fares-none": lambda: ("console/fares.html", _empty("by-hand"), {}),
    "fares-not-found": lambda: ("console/fares.html", _empty("found"), {}),
    "fares-nothing-on-sale": lambda: ("console/fares.html", _empty("departures"), {}),
    "fare": lambda: ("console/fare.html", fare(is_fixed=True, origin="Hà Nội", destination="Huế"), {}),
    "fare-wrong": lambda: (
        "console/fare.html",
        fare(errors={"adult": "This is not an amount of money.", "to": "Choose a place."}),
        {},
    ),
    "fares-by-distance": lambda: ("console/distance.html", distance(), {}),
    "fare-tried": lambda: ("console/try.html", tried(quote=quote()), {}),
    "fare-not-tried": lambda: (
        "console/try.html",
        tried(refusal="This line carries nobody from the one to the other."),
        {},
    ),
    "fare-tried-wrong": lambda: ("console/try.html", tried(errors={"day": "Enter a date."}), {}),
    "rules": lambda: ("console/rules.html", rules(), {}),
    "rules-none": lambda: ("console/rules.html", RulesView(office("rules"), ()), {}),
    "rule": lambda: ("console/rule.html", rule(), {}),
    "rule-previewed": lambda: ("console/rule.html", rule_previewed(), {}),
    "rule-wrong": lambda: ("console/rule.html", rule_wrong(), {}),
    "codes": lambda: ("console/codes.html", codes(), {}),
    "codes-none": lambda: ("console/codes.html", CodesView(office("codes"), (), Pages(0, 0, 0)), {}),
    "new-code": lambda: ("console/new_code.html", new_code(), {}),
    "sale-terms": lambda: ("console/terms.html", terms(), {}),
    "edit-terms": lambda: (
        "console/edit_terms.html",
        edit_terms(preview=("Cancelled later, nothing is paid back.",)),
        {},
    ),
    "edit-terms-wrong": lambda: ("console/edit_terms.html", edit_terms_wrong(), {}),
    "money-terms": lambda: ("console/money_terms.html", money_terms(), {}),
}
