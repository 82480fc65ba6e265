"""In which zone the pages of an account tell days and times: as chosen, as the browser says, or as it may well be."""

import pytest
from msgspec import structs
from tests.people import Somebody, make_person, sign_in_as
from tests.web.conftest import Browser
from tests.web.reading import read
from tests.web.test_after_sale import sql
from tests.web.test_wallet import put_in

__all__ = ["sql"]

LATE = "2026-03-09 20:00+00"
"""An evening in Europe, when it is the next day in Asia."""


@pytest.fixture
def settings(settings, request):
    """Of a shop in the country that a test names, else in Vietnam."""
    return structs.replace(settings, phone_region=getattr(request, "param", "VN"))


@pytest.fixture
async def an(services, secrets) -> Somebody:
    return await make_person(services.database, secrets)


@pytest.fixture
async def home(browser: Browser, an: Somebody, sql) -> Browser:
    """The browser of somebody who put money in late in the evening."""
    await sign_in_as(browser.client, an)
    await put_in(browser, "12.50")
    sql("ALTER TABLE ledger_entry DISABLE TRIGGER USER")  # which let nobody change what is written there
    sql("UPDATE ledger_entry SET at = %s", LATE)
    sql("UPDATE person_session SET created_at = %s", LATE)
    return browser


def browser_says(browser: Browser, zone: str) -> None:
    browser.client.cookies.set("farebox_zone", zone, path="/account")


async def statement(browser: Browser) -> tuple[str, str]:
    """The day of what was put in, and which zone that is said to be of."""
    told = read((await browser.get("/account/wallet?currency=EUR")).text)
    when, said = told.text_of("list-table"), told.text_of("zone-note")
    return when.split("Put in")[0].removeprefix("When What Amount In it then ").strip(), said


async def test_the_browser_s_zone_counts_until_one_is_chosen_and_is_named(home):
    browser_says(home, "America/Jamaica")  # whose clocks are never put forward
    assert await statement(home) == (
        "9 Mar 2026",
        "Days and times are those of Eastern Standard Time, GMT-5. Choose a time zone",
    )
    security = read((await home.get("/account/security")).text)
    assert "since 9 March 2026" in security.text_of("ways")
    assert "Eastern Standard Time, GMT-5." in security.text_of("zone-note")


async def test_a_former_name_of_a_zone_is_known_too(home):
    browser_says(home, "Asia/Saigon")
    assert (await statement(home))[0] == "10 Mar 2026"


async def test_who_has_chosen_a_zone_has_it_everywhere_and_need_not_be_told(home):
    browser_says(home, "America/New_York")
    await home.post("/account/settings", page="/account/settings", timezone="Asia/Tokyo")
    assert await statement(home) == ("10 Mar 2026", "")
    security = read((await home.get("/account/security")).text)
    assert "since 10 March 2026" in security.text_of("ways")
    assert security.text_of("zone-note") == ""


@pytest.mark.parametrize("said", ["", "Mars/Olympus", "../../etc/passwd", "x" * 4000, "Asia/Tokyo<script>"])
async def test_where_the_browser_says_nothing_that_is_known_it_is_the_zone_of_the_shop_s_country(home, said):
    browser_says(home, said)
    when, told = await statement(home)
    assert when == "10 Mar 2026"
    assert told.startswith("Days and times are those of Indochina Time, GMT+7.")


@pytest.mark.parametrize("settings", ["US"], indirect=True)
async def test_in_a_country_of_many_zones_the_reader_s_language_may_tell(home):
    assert await statement(home) == ("9 Mar 2026", "Days and times are those of GMT. Choose a time zone")
    page = read((await home.get("/account/wallet?currency=EUR&lang=vi")).text)
    assert "10/3/2026" in page.text_of("list-table")
