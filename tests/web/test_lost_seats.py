"""What an open seat map is told of seats that are its visitor's no more, and how several windows choose together."""

import re

import httpx
import psycopg
import pytest
from tests.web.conftest import Browser
from tests.web.test_checkout import hold, pending

from farebox.web.shop.seats import merge_choices


@pytest.mark.parametrize(
    ("wanted", "known", "mine", "together"),
    [
        (["5A"], [], [], ["5A"]),
        (["5A", "5B"], ["5A"], ["5A"], ["5A", "5B"]),
        (["5B"], [], ["5A"], ["5A", "5B"]),  # chosen in another window meanwhile
        (["5A", "5B", "5C"], ["5A", "5B"], ["5A"], ["5A", "5C"]),  # given back in another window meanwhile
        ([], ["5A"], ["5A", "5B"], ["5B"]),  # given back here
        (["5A", "5B"], ["5A"], [], ["5A", "5B"]),  # the time was over
        ([], ["5A"], ["5A"], []),
    ],
)
def test_a_choice_comes_on_top_of_what_other_windows_chose(wanted, known, mine, together):
    assert merge_choices(wanted, known, mine) == together


async def test_two_windows_that_choose_at_once_lose_nothing(browser, coach):
    await hold(browser, coach, "5A")
    answer = await choose(browser, coach, "6A", known="")  # of a window drawn before
    assert mine_of(answer) == "5A,6A"
    answer = await choose(browser, coach, known="5A")  # which it has given back, and knows nothing of the other
    assert mine_of(answer) == "6A"


async def test_a_form_without_scripts_wants_what_is_ticked_and_nothing_else(browser, coach):
    await hold(browser, coach, "5A")
    await hold(browser, coach, "6A")
    assert mine_of(await look(browser, coach)) == "6A"


async def test_seats_whose_time_is_over_can_be_held_again(browser, coach, settings):
    lock = lock_of(await choose(browser, coach, "5A", "5B", known=""))
    run_out(settings.database_url)
    answer = await look(browser, coach, known="5A,5B", lock=lock)
    assert notice_of(answer) == "The time for seats 5A, 5B is over. They are free again."
    assert offers_of(answer) == ["5A,5B"]
    assert "notice--warn" in answer.text
    assert mine_of(answer) == ""
    assert 'data-lost="5A:available,5B:available"' in answer.text


async def test_seats_that_others_took_or_the_operator_keeps_back_are_told_apart(visit, coach, settings):
    first, second = visit(), visit()
    lock = lock_of(await choose(first, coach, "5A", "5B", "5C", known=""))
    run_out(settings.database_url)
    await hold(second, coach, "5A")
    async with coach.database.begin() as work:
        await coach.block(work, "5B")
    answer = await look(first, coach, known="5A,5B,5C", lock=lock)
    assert notice_of(answer) == (
        "The time for seat 5A was over, and somebody else has it now. "
        "The operator has taken seat 5B off sale. "
        "The time for seat 5C is over. It is free again."
    )
    again, instead = offers_of(answer)
    assert again == "5C"
    assert len(set(instead.split(","))) == 2
    assert not {"5A", "5B", "5C"} & set(instead.split(","))
    taken = await choose(first, coach, *again.split(","), *instead.split(","), known="")
    assert mine_of(taken).split(",") == sorted([again, *instead.split(",")])


async def test_a_seat_given_back_in_another_window_is_no_alarm(browser, coach):
    lock = lock_of(await choose(browser, coach, "5A", "5B", known=""))
    await choose(browser, coach, "5B", known="5A,5B", lock=lock)
    answer = await look(browser, coach, known="5A,5B", lock=lock)
    assert notice_of(answer) == "Seat 5A was given back in another window."
    assert "notice--info" in answer.text
    assert offers_of(answer) == []
    assert mine_of(answer) == "5B"


async def test_seats_that_went_into_a_booking_lead_there(browser, coach):
    lock = lock_of(await choose(browser, coach, "5A", known=""))
    at = await pending(browser, coach, "5A")
    answer = await look(browser, coach, known="5A", lock=lock)
    assert notice_of(answer) == "You went on with seat 5A in another window."
    assert f'href="{at}"' in answer.text


async def test_nothing_is_told_of_what_is_still_held(browser, coach):
    lock = lock_of(await choose(browser, coach, "5A", known=""))
    answer = await look(browser, coach, known="5A", lock=lock)
    assert notice_of(answer) == ""
    assert mine_of(answer) == "5A"
    assert 'data-lost=""' in answer.text


async def test_rubbish_in_what_a_page_says_of_itself_does_no_harm(visit, coach):
    first, second = visit(), visit()
    foreign = lock_of(await choose(first, coach, "5A", known=""))
    for known, lock in (("Z9,,'\"<b>," * 50, "x"), ("5A", foreign), ("5B", "00000000-0000-7000-8000-000000000000")):
        answer = await look(second, coach, known=known, lock=lock)
        assert answer.status_code == 200
        assert "<b>" not in answer.text
        assert "given back" not in answer.text


async def test_windows_of_one_visitor_know_each_other_and_nobody_else(visit, coach):
    first, second = visit(), visit()
    assert viewer_of(await look(first, coach)) == ""
    one = viewer_of(await choose(first, coach, "5A", known=""))
    assert one
    assert viewer_of(await look(first, coach)) == one
    assert viewer_of(await choose(second, coach, "6A", known="")) not in {one, ""}


async def choose(browser: Browser, coach, *seats: str, known: str, lock: str = "") -> httpx.Response:
    """As the map's script does."""
    form = {"_csrf_token": await browser.token(), "seats": list(seats), "known": known, "lock": lock, **ends(coach)}
    return await browser.client.post(f"/trips/{coach.id}/seats", data=form, headers={"HX-Request": "true"})


async def look(browser: Browser, coach, **known: str) -> httpx.Response:
    return await browser.get(f"/trips/{coach.id}/seats", params=ends(coach) | known, headers={"HX-Request": "true"})


def ends(coach) -> dict[str, str]:
    return {"from": str(coach.stop("a")), "to": str(coach.stop("e"))}


def mine_of(answer: httpx.Response) -> str:
    return found(r'data-mine="([^"]*)"', answer)


def lock_of(answer: httpx.Response) -> str:
    return found(r'data-lock="([^"]+)"', answer)


def viewer_of(answer: httpx.Response) -> str:
    return found(r'data-viewer="([^"]*)"', answer)


def notice_of(answer: httpx.Response) -> str:
    told = re.search(r"<p data-say>([^<]*)", answer.text)
    return told[1] if told else ""


def offers_of(answer: httpx.Response) -> list[str]:
    return re.findall(r'data-take="([^"]+)"', answer.text)


def found(pattern: str, answer: httpx.Response) -> str:
    match = re.search(pattern, answer.text)
    assert match, answer.text
    return match[1]


def run_out(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for table in ("claim", "hold"):
            connection.execute(f"UPDATE {table} SET expires_at = now() - interval '1 second'")
