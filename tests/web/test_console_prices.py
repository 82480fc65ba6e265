"""The back office's pages about prices: fares, rules, codes and terms, over HTTP, in a browser without scripts."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from tests.counting import counted_statements
from tests.people import make_person, sign_in_as
from tests.staff import PROVED, Employer, make_operator

from farebox.accounts import SYSTEM, add_member
from farebox.core.money import Money
from farebox.pricing import FareCell, NewPromotion, get_fare_book, make_promotion, set_fare

NEXT_YEAR = datetime.now(UTC).year + 1
"""What is to come is of next year, whatever year it is."""

SECTIONS = ("fares", "fares/set", "fares/distance", "fares/try", "rules", "rules/new", "codes", "codes/new", "terms")
FORMS = {
    "fares/set": {"adult": "1"},
    "fares/end": {},
    "fares/distance": {},
    "rules/new": {"do": "save"},
    "codes/new": {"code": "EVIL"},
    "terms/edit": {"do": "save"},
    "terms/end": {},
    "terms/money": {"service_fee": "0"},
}


@pytest.fixture
async def lines(services, coach) -> Employer:
    """Whoever runs the coach."""
    return Employer(coach.departure.operator_id, "small", services.database, services.secrets)


@pytest.fixture
async def boss(lines, browser):
    person = await lines.hire("operator_admin", email="chu@example.com", first_name="Chu", last_name="Lê")
    await sign_in_as(browser.client, person, proved=PROVED)
    return person


@pytest.fixture
def at(lines) -> str:
    return f"/console/{lines.id}"


def text_of(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def fields_in(answer, action):
    """The hidden fields of the form that leads there."""
    [form] = re.findall(rf'<form[^>]+action="{re.escape(action)}".*?</form>', answer.text, re.DOTALL)
    pairs = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in pairs if name != "_csrf_token"}


async def book_of(services, lines):
    async with services.database.begin() as work:
        return await get_fare_book(work, lines.id, actor=SYSTEM)


async def test_a_lines_ways_tell_what_they_cost_and_what_says_so(browser, boss, coach, at):
    page = await browser.get(f"{at}/fares")
    assert "No fare is set by hand" in text_of(page)
    line = re.findall(r'<option value="([0-9a-f-]{36})"', page.text)[0]
    told = text_of(await browser.get(f"{at}/fares", params={"line": line}))
    assert re.search(r"Ahorn to Cella Standard seat €[\d.]+ €[\d.]+ €[\d.]+ Distance", told)
    assert "Dorf to Eich" not in told  # nobody boards at Dorf on the way out, and back it is the other way round
    nothing = await browser.get(f"{at}/fares", params={"line": line, "source": "feed"})
    assert "Nothing fits" in text_of(nothing)
    found = text_of(await browser.get(f"{at}/fares", params={"line": line, "q": "DÖRF"}))
    assert ("Ahorn to Cella" in found, "Ahorn to Dorf" in found) == (False, True)


async def test_a_fare_is_set_by_hand_changed_ended_and_each_step_taken_back(browser, services, boss, coach, lines, at):
    ends = {"from": str(coach.departure.calls[0].place_id), "to": str(coach.departure.calls[2].place_id), "seat": ""}
    line = str(coach.departure.line.id)
    form = await browser.get(f"{at}/fares/set", params=ends)
    assert "Ahorn to Cella" in text_of(form)
    known = await browser.get(f"{at}/fares/set", params=ends | {"line": line})
    assert re.search(r"Now an adult pays €[\d.]+\. By distance: about \d+ km on the road\.", text_of(known))
    answer = await browser.post(f"{at}/fares/set", **ends, line=line, adult="dear", child="-1")
    assert (answer.status_code, answer.text.count('class="input__error"')) == (422, 2)
    assert 'value="dear"' in answer.text
    answer = await browser.post(f"{at}/fares/set", **ends, line=line, adult="19.50", child="5")
    assert answer.status_code == 303
    page = await browser.get(answer.headers["location"])
    assert "Ahorn to Cella Standard seat €19.50 €5.00 €19.50 By hand" in text_of(page)
    answer = await browser.post(f"{at}/fares/set", **ends, line=line, adult="21")
    page = await browser.get(answer.headers["location"])
    undo = fields_in(page, f"{at}/fares/set")
    assert undo == ends | {"line": line, "adult": "19.50", "child": "5"}
    await browser.post(f"{at}/fares/set", **undo)
    assert [cell.adult for cell in (await book_of(services, lines)).cells] == [Money(1950, "EUR")]
    [end] = re.findall(r'href="([^"]+/fares/end[^"]+)"', page.text)
    asked = await browser.get(unescape(end))
    assert "End the fare Ahorn to Cella?" in text_of(asked)
    answer = await browser.post(unescape(end))
    assert (await book_of(services, lines)).cells == []
    again = fields_in(await browser.get(answer.headers["location"]), f"{at}/fares/set")
    await browser.post(f"{at}/fares/set", **again)
    assert len((await book_of(services, lines)).cells) == 1
    assert (await browser.post(f"{at}/fares/end?from=x&to=y")).status_code == 404


async def test_prices_by_distance_discounts_and_better_seats(browser, services, boss, lines, at):
    page = await browser.get(f"{at}/fares/distance")
    typed = dict(re.findall(r'name="([\w-]+)" value="([^"]*)"', page.text)) | {"sells_by_distance": "yes"}
    typed |= {"standard-base": "3", "limousine-base": "", "limousine-per_100_km": "", "limousine-minimum": ""}
    typed |= {"limousine-step": "", "child_discount": "25,5", "surcharge-0-amount": "2", "surcharge-0-feature": "front"}
    wrong = await browser.post(f"{at}/fares/distance", **typed)
    assert (wrong.status_code, 'value="25,5"' in wrong.text) == (422, True)
    answer = await browser.post(f"{at}/fares/distance", **typed | {"child_discount": "25.5"})
    assert answer.status_code == 303, text_of(answer)
    book = await book_of(services, lines)
    assert (set(book.by_distance), book.by_distance["standard"].base) == ({"standard", "sleeper"}, Money(300, "EUR"))
    assert (book.terms.child_discount_bp, book.terms.sells_by_distance) == (2550, True)
    assert [(each.amount, each.feature) for each in book.surcharges] == [(Money(200, "EUR"), "front")]


async def test_what_would_it_cost_tells_each_line_and_why(browser, services, boss, lines, at):
    rule = {"kind": "early", "name": "Early bird", "percent": "10", "way": "less", "ahead": "14", "do": "save"}
    assert (await browser.post(f"{at}/rules/new", **rule)).status_code == 303
    await browser.post(f"{at}/terms/money", service_fee="1", tax="8", way="included")
    page = await browser.get(
        f"{at}/fares/try", params={"day": "2027-01-30", "bought": "2027-01-10", "adult": "1", "child": "1"}
    )
    told = text_of(page)
    assert "Booked 14 days ahead or earlier, fares are 10% lower." in told
    assert "By distance: about" in told
    assert "Once for each departure that is booked." in told
    assert told.count("Early bird") == 2
    late = await browser.get(f"{at}/fares/try", params={"day": "2027-01-30", "bought": "2027-01-29"})
    assert "Early bird" not in text_of(late)
    wrong = await browser.get(f"{at}/fares/try", params={"day": "2027-01-30", "bought": "2027-02-10", "adult": "20"})
    assert "It must be bought before it leaves." in text_of(wrong)
    assert "Between 1 and 9 people." in text_of(wrong)


async def test_a_rule_is_looked_at_made_changed_turned_off_and_on(browser, services, boss, lines, at):
    weekend = {
        "kind": "weekday",
        "name": "Weekend",
        "percent": "12.5",
        "way": "more",
        "weekday-4": "yes",
        "weekday-6": "yes",
    }
    seen = await browser.post(f"{at}/rules/new", **weekend, do="preview")
    assert seen.status_code == 200
    assert "On Friday and Sunday, fares are 12.5% higher." in text_of(seen)
    assert re.search(r": [^(]+ \(\+12.5%\)", text_of(seen))
    assert (await book_of(services, lines)).price_rules == []  # looking saves nothing
    wrong = await browser.post(f"{at}/rules/new", do="save", **weekend | {"percent": "400", "name": ""})
    assert wrong.status_code == 422
    assert "A rule takes off up to 100%, or adds up to 300%." in text_of(wrong)
    assert (await browser.post(f"{at}/rules/new", do="save", **weekend)).status_code == 303
    page = await browser.get(f"{at}/rules")
    assert "+12.5% Weekend Day of the week On Friday and Sunday, fares are 12.5% higher." in text_of(page)
    [change] = [path for path in re.findall(r'href="([^"]+/rules/\w+)"', page.text) if not path.endswith("new")]
    assert 'value="12.5"' in (await browser.get(change)).text
    assert (await browser.post(change, do="save", **weekend | {"percent": "15"})).status_code == 303
    stale = await browser.post(change, do="save", **weekend)
    assert stale.status_code == 404  # it is another rule by now
    page = await browser.get(f"{at}/rules")
    [off] = re.findall(r'href="([^"]+/off)"', page.text)
    assert "Turn off “Weekend”?" in text_of(await browser.get(off))
    answer = await browser.post(off)
    [rule] = (await book_of(services, lines)).price_rules
    assert (rule.name, rule.percent_bp, rule.weekdays, rule.is_on) == ("Weekend", 1500, 0b1010000, False)
    page = await browser.get(answer.headers["location"])
    again = re.findall(r'action="([^"]+/on)"', page.text)
    assert (len(again), len(set(again))) == (2, 1)  # in the message, and in the list, where it stays
    assert (await browser.post(again[0])).headers["location"] == f"{at}/rules?done=on"
    assert [rule.is_on for rule in (await book_of(services, lines)).price_rules] == [True]
    assert (await browser.post(again[0])).status_code == 404  # it is on already


async def test_a_rule_that_is_off_stays_in_the_list_counts_for_nothing_and_can_be_changed(
    browser, services, boss, coach, lines, at
):
    rule = {"kind": "early", "name": "Early bird", "percent": "50", "way": "less", "ahead": "1", "do": "save"}
    other = {"kind": "season", "name": "Tết", "percent": "5", "way": "more", "do": "save"}
    await browser.post(f"{at}/rules/new", **rule)
    await browser.post(f"{at}/rules/new", **other, first_day="2027-02-01", last_day="2027-02-03")
    tried = {"day": "2027-01-30", "bought": "2027-01-10", "adult": "1"}
    assert "Early bird" in text_of(await browser.get(f"{at}/fares/try", params=tried))
    page = await browser.get(f"{at}/rules")
    paths = re.findall(r'href="([^"]+/off)"', page.text)
    [off] = [path for path in paths if "Early bird" in (await browser.get(path)).text]
    await browser.post(off)
    assert "Early bird" not in text_of(await browser.get(f"{at}/fares/try", params=tried))
    page = await browser.get(f"{at}/rules")
    told = text_of(page)
    assert told.index("Tết") < told.index("Early bird Early booking Off")
    [on] = re.findall(r'action="([^"]+/on)"', page.text)
    changed = await browser.post(on.removesuffix("/on"), **rule | {"percent": "25"})
    assert changed.status_code == 303
    assert [each.is_on for each in (await book_of(services, lines)).price_rules] == [False, True]
    page = await browser.get(f"{at}/rules")
    [remove] = re.findall(r'href="([^"]+/remove)"', page.text)
    assert "Remove “Early bird”?" in text_of(await browser.get(remove))
    assert (await browser.post(remove)).status_code == 303
    assert [each.name for each in (await book_of(services, lines)).price_rules] == ["Tết"]


async def test_each_page_tells_who_changed_what_and_what_it_was(browser, visit, services, boss, coach, lines, at):
    ends = {"from": str(coach.departure.calls[0].place_id), "to": str(coach.departure.calls[2].place_id), "seat": ""}
    for adult in ("19.50", "21"):
        await browser.post(f"{at}/fares/set", **ends, adult=adult)
    rule = {"kind": "early", "name": "Early bird", "percent": "10", "way": "less", "ahead": "14", "do": "save"}
    await browser.post(f"{at}/rules/new", **rule)
    await browser.post(f"{at}/terms/money", service_fee="1.50", tax="8", way="added")
    await browser.post(f"{at}/terms/edit", do="save", seat="", change_hours="", rename_hours="24", rename_fee="3")
    await browser.post(f"{at}/codes/new", code="TET27", kind="percent", percent="10")
    [end] = re.findall(r'href="([^"]+/end)"', (await browser.get(f"{at}/codes")).text)
    for _ in range(2):
        await browser.post(end)
    fares = text_of(await browser.get(f"{at}/fares"))
    assert re.search(r"· Chu Lê Ahorn to Cella, Any seat: changed Before: €19.50 Since then: €21.00", fares)
    assert re.search(r"· Chu Lê Ahorn to Cella, Any seat: made Since then: €19.50", fares)
    rules = text_of(await browser.get(f"{at}/rules"))
    assert "Chu Lê Rule “Early bird”: made Since then: −10%. Booked 14 days ahead or earlier" in rules
    terms = text_of(await browser.get(f"{at}/terms"))
    assert "Chu Lê Terms for “Any seat”: made Since then: Once paid, nothing is paid back" in terms
    assert "Tax, service fee and discounts: changed Before: No service fee. No tax." in terms
    codes = text_of(await browser.get(f"{at}/codes"))
    assert codes.count("Code TET27: ended Before: 10%") == 1  # ending it again changed nothing
    assert "Code TET27: made Since then: 10%" in codes
    async with services.database.begin(reach="*") as work:
        await work.execute("UPDATE membership SET role = 'agent' WHERE person_id <> %s", [boss.id])
        await work.execute("DELETE FROM membership WHERE person_id = %s", [boss.id])
    other = visit()
    await sign_in_as(other.client, await lines.hire("operator_admin", email="b@example.com"), proved=PROVED)
    assert "somebody who does not work here now Rule “Early bird”: made" in text_of(await other.get(f"{at}/rules"))


async def test_a_preview_says_when_another_rule_counts_in_its_place(browser, boss, at):
    days = {"first_day": f"{NEXT_YEAR}-02-01", "last_day": f"{NEXT_YEAR}-02-03"}
    tet = {"kind": "season", "name": "Tết", "percent": "25", "way": "more", "do": "save"}
    await browser.post(f"{at}/rules/new", **tet | days)
    longer = tet | {"first_day": f"{NEXT_YEAR}-01-30", "last_day": f"{NEXT_YEAR}-02-20", "do": "preview"}
    assert "Another rule of this kind" not in text_of(await browser.post(f"{at}/rules/new", **longer))
    longer |= {"first_day": f"{NEXT_YEAR}-02-01"}
    assert "Another rule of this kind" in text_of(await browser.post(f"{at}/rules/new", **longer))


async def test_a_code_is_made_listed_and_ended(browser, services, boss, lines, at):
    days = {"first_day": f"{NEXT_YEAR}-03-01", "last_day": f"{NEXT_YEAR}-03-31"}
    form = {"code": "tet 27", "kind": "percent", "percent": "10", "amount": "dear", "total_limit": "50", **days}
    wrong = await browser.post(f"{at}/codes/new", **form | {"kind": "amount"})
    assert (wrong.status_code, "This is not an amount of money." in text_of(wrong)) == (422, True)
    wrong = await browser.post(f"{at}/codes/new", **form | {"last_day": f"{NEXT_YEAR}-02-01"})
    assert "It must end after it starts." in text_of(wrong)
    assert (await browser.post(f"{at}/codes/new", **form)).status_code == 303
    assert "is taken. Choose another one." in text_of(await browser.post(f"{at}/codes/new", **form))
    page = await browser.get(f"{at}/codes")
    assert re.search(rf"TET27 10% 0 of 50 .*1 Mar {NEXT_YEAR} – 31 Mar {NEXT_YEAR} To come –", text_of(page))
    [end] = re.findall(r'href="([^"]+/end)"', page.text)
    assert "End the code TET27?" in text_of(await browser.get(end))
    assert (await browser.post(end)).status_code == 303
    assert "Ended" in text_of(await browser.get(f"{at}/codes"))


async def test_terms_are_told_previewed_saved_ended_and_taken_back(browser, services, boss, lines, at):
    assert "Ours, since you have set none" in text_of(await browser.get(f"{at}/terms"))
    form = {"seat": "", "tier-0-hours": "48", "tier-0-percent": "90", "tier-2-hours": "5", "tier-2-percent": "20"}
    form |= {"open_return_days": "30", "open_return_refund": "80"}
    form |= {"change_hours": "", "change_fee": "", "rename_hours": "24", "rename_fee": "3", "fee_refundable": "yes"}
    seen = text_of(await browser.post(f"{at}/terms/edit", **form, do="preview"))
    for sentence in (
        "Cancelled up to 48 h before departure, 90% of the price is paid back.",
        "Cancelled up to 5 h before departure, 20% of the price is paid back.",
        "You cannot change to another trip or seat.",
        "You may change names up to 24 h before departure, for €3.00 a person.",
        "The service fee is paid back, too.",
        "You may buy an open return, to ride back up to 30 days after this trip. 80% of the part of its",
    ):
        assert sentence in seen
    assert (await book_of(services, lines)).sale_terms == {}
    wrong = await browser.post(f"{at}/terms/edit", do="save", **form | {"tier-2-hours": "50"})
    assert (wrong.status_code, "Each step is later than the one before" in text_of(wrong)) == (422, True)
    assert (await browser.post(f"{at}/terms/edit", do="save", **form)).status_code == 303
    terms = (await book_of(services, lines)).sale_terms[""]
    assert (terms.tiers, terms.change_hours, terms.rename_fee_minor) == (((48, 9000), (5, 2000)), None, 300)
    assert (terms.open_return_days, terms.open_return_refund_bp) == (30, 8000)
    assert (await browser.post(f"{at}/terms/edit", do="save", **form | {"seat": "sleeper"})).status_code == 303
    answer = await browser.post(f"{at}/terms/end?seat=")
    assert set((await book_of(services, lines)).sale_terms) == {"sleeper"}
    undo = fields_in(await browser.get(answer.headers["location"]), f"{at}/terms/edit")
    await browser.post(f"{at}/terms/edit", **undo)
    assert (await book_of(services, lines)).sale_terms[""] == terms


async def test_tax_and_service_fee(browser, services, boss, lines, at):
    wrong = await browser.post(f"{at}/terms/money", service_fee="", tax="120", way="added")
    assert (wrong.status_code, wrong.text.count('class="input__error"')) == (422, 2)
    assert (await browser.post(f"{at}/terms/money", service_fee="1.50", tax="8", way="added")).status_code == 303
    terms = (await book_of(services, lines)).terms
    assert (terms.service_fee, terms.tax_rate_bp, terms.is_tax_added) == (Money(150, "EUR"), 800, True)
    told = text_of(await browser.get(f"{at}/terms"))
    assert "Service fee: €1.50, once for each departure that is booked." in told
    assert "Tax: 8%, added to the amounts that are set." in told


async def test_other_operators_and_other_roles_do_not_get_in(browser, visit, services, boss, coach, lines, at):
    other = await make_operator(services.database, services.secrets, "hai-van")
    async with services.database.begin(reach="*") as work:
        new = NewPromotion(operator_id=other.id, code="THEIRS", percent_bp=1000)
        theirs = await make_promotion(work, new, actor=SYSTEM)
    for section in SECTIONS:
        assert (await browser.get(f"/console/{other.id}/{section}")).status_code == 404, section
    for section, form in FORMS.items():
        assert (await browser.post(f"/console/{other.id}/{section}", **form)).status_code == 404, section
    for method in (browser.get, browser.post):  # another operator's code under one's own address
        assert (await method(f"{at}/codes/{theirs.id}/end")).status_code == 404
    stranger = visit()
    await sign_in_as(stranger.client, await lines.hire("agent", email="agent@example.com"), proved=PROVED)
    traveller = visit()
    person = await make_person(services.database, services.secrets, email="khach@example.com")
    await sign_in_as(traveller.client, person, proved=PROVED)
    for who in (stranger, traveller):
        for section in SECTIONS:
            assert (await who.get(f"{at}/{section}")).status_code == 403, section
    both = await make_person(services.database, services.secrets, email="both@example.com")
    async with services.database.begin(reach="*") as work:  # sets fares there, and sells here
        await add_member(work, other.id, both.id, "operator_admin", invited_by=None)
        await add_member(work, lines.id, both.id, "agent", invited_by=None)
    await sign_in_as(traveller.client, both, proved=PROVED)
    for section in SECTIONS:
        assert (await traveller.get(f"{at}/{section}")).status_code == 404, section
    for section, form in FORMS.items():
        assert (await traveller.post(f"{at}/{section}", **form)).status_code == 404, section
    assert (await book_of(services, lines)).price_rules == []


async def test_lists_ask_as_much_for_twenty_rows_as_for_one(browser, services, boss, coach, lines, at):
    places = [call.place_id for call in coach.departure.calls]
    pairs = [(one, other) for one in places for other in places if one != other]
    counts = []
    for first, last in ((0, 1), (1, 20)):
        async with services.database.begin(reach="*") as work:
            for number in range(first, last):
                origin, destination = pairs[number]
                await set_fare(work, lines.id, FareCell(origin, destination, Money(900, "EUR")), actor=SYSTEM)
                new = NewPromotion(operator_id=lines.id, code=f"CODE-{number}", percent_bp=1000)
                await make_promotion(work, new, actor=SYSTEM)
        for number in range(first, last):
            rule = {"kind": "early", "name": f"{number}", "percent": "1", "way": "less", "ahead": f"{number + 1}"}
            await browser.post(f"{at}/rules/new", **rule, do="save")
        for section in ("fares", "codes", "rules", "terms"):
            await browser.get(f"{at}/{section}")
            with counted_statements() as statements:
                assert (await browser.get(f"{at}/{section}")).status_code == 200
            counts.append(len(statements))
    assert counts[:4] == counts[4:]
