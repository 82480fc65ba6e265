"""The seat map while others choose too: told over a socket, or asked for, and alike in all windows of a visitor."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect
from tests.browser.conftest import Traveller
from tests.browser.journey import Gate, Log, choose, free_seats, inspect, open_seats, search, seat
from tests.browser.test_without_scripts import run_out

POLL_MS = 9_000
"""A little more than the map's own pace."""

SWEEP_MS = 9_000
"""By then the server has found out by itself what nobody told it, and has told it."""

TOLD_WITHIN_MS = 1_000

LIVE = re.compile(r"/api/v1/trips/[^/]+/live\?")
CHOICE = re.compile(r"://[^/]+/trips/[^/]+/seats\?")
POLL = re.compile(r"/api/v1/trips/[^/]+/seats\?")

NOTE_WHEN_TAKEN = """number => {
  const seat = document.querySelector(`input[name=seats][value="${number}"]`).closest(".seat");
  new MutationObserver(() => { if (seat.dataset.status === "locked") window.takenAt ??= Date.now(); })
    .observe(seat, { attributes: true });
}"""

HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_seat_goes_on_the_other_map_within_a_second_and_the_focus_stays(visit):
    first, second = visit().page, visit(width=360).page
    polls = Log(first, POLL)
    _open(first, 3)
    _open(second, 3)
    expect(_state(first)).to_have_text("Live")
    number = free_seats(first)[0]
    seat(first, number).focus()
    first.evaluate(NOTE_WHEN_TAKEN, number)
    second.evaluate("document.addEventListener('change', () => { window.clickedAt = Date.now(); })")
    choose(second, [number])
    expect(_drawn(first, number, "locked")).to_be_attached()
    assert first.evaluate("window.takenAt") - second.evaluate("window.clickedAt") < TOLD_WITHIN_MS
    assert polls.requests == []  # it was told, it did not ask
    expect(seat(first, number)).to_be_focused()
    expect(seat(first, number)).to_have_attribute("aria-disabled", "true")
    expect(first.locator("#announcer")).to_contain_text(f"about seat {number}")
    seat(first, number).click(force=True)  # it says of itself that it cannot be had
    expect(first.locator("[data-said]")).to_contain_text(f"about seat {number}")
    inspect(first)
    seat(second, number).click()
    expect(_drawn(first, number, "available")).to_be_attached()


def test_where_no_socket_comes_through_the_map_is_asked_for_until_one_does(visit):
    first, second = visit().page, visit().page
    tried: list[WebSocketRoute] = []
    is_blocked = [True]

    def proxy(socket: WebSocketRoute) -> None:
        tried.append(socket)
        if is_blocked:
            socket.close(code=1013)
        else:
            socket.connect_to_server()

    first.route_web_socket(LIVE, proxy)
    _open(first, 4)
    expect(_state(first)).to_have_text("Updated every 5 s")
    _open(second, 4)
    number = free_seats(first)[1]
    choose(second, [number])
    expect(_drawn(first, number, "locked")).to_be_attached(timeout=POLL_MS)
    before = len(tried)
    is_blocked.clear()
    first.evaluate("dispatchEvent(new Event('online'))")  # does not wait for its turn
    expect(_state(first)).to_have_text("Live")
    assert len(tried) == before + 1
    polls = Log(first, POLL)
    tried[-1].close(code=1001)  # the server is being restarted
    seat(second, number).click()
    expect(_drawn(first, number, "available")).to_be_attached()
    assert len(tried) == before + 2
    assert polls.requests == []
    expect(_state(first)).to_have_text("Live")


def test_a_choice_that_reached_nobody_is_sent_once_the_server_is_back(visit):
    page = visit().page
    sockets: list[WebSocketRoute] = []

    def proxy(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    page.route_web_socket(LIVE, proxy)
    _open(page, 4)
    expect(_state(page)).to_have_text("Live")
    number = free_seats(page)[0]
    page.route(CHOICE, lambda route: route.abort())
    seat(page, number).click()
    expect(page.locator("[data-said]")).to_contain_text("not held yet")
    page.unroute(CHOICE)
    sockets[-1].close(code=1001)
    expect(page.locator("#selection")).to_have_attribute("data-mine", number)
    expect(page.locator("[data-said]")).to_have_count(0)


def test_a_browser_that_knows_no_sockets_asks(visit):
    page = visit().page
    page.add_init_script("delete window.WebSocket")
    _open(page, 4)
    expect(_state(page)).to_have_text("Updated every 5 s")


def test_who_missed_something_asks_for_all_of_it(visit):
    """With a server of the test's own, that leaves something out."""
    page = visit().page
    asked: list[Any] = []
    numbers: list[str] = []

    def answer(socket: WebSocketRoute, message: str | bytes) -> None:
        asked.append(json.loads(message))
        tell(socket, "snapshot", 9, "locked")

    def tell(socket: WebSocketRoute, kind: str, version: int, status: str, **more: int) -> None:
        seats = [{"number": each, "status": status if each == number else "occupied"} for each in numbers]
        socket.send(json.dumps({"type": kind, "version": version, "seats": seats, **more}))

    def serve(socket: WebSocketRoute) -> None:
        socket.on_message(lambda message: answer(socket, message))
        tell(socket, "snapshot", 1, "available")
        tell(socket, "delta", 2, "locked", since=1)
        tell(socket, "delta", 3, "available", since=2)
        tell(socket, "delta", 7, "occupied", since=5)

    _open(page, 5)
    number = free_seats(page)[0]
    numbers += [str(each.get_attribute("value")) for each in page.locator("input[name=seats]").all()]
    page.route_web_socket(LIVE, serve)
    page.reload()
    expect(_drawn(page, number, "locked")).to_be_attached()
    assert asked == [{"type": "snapshot"}]


def test_a_map_of_another_vehicle_is_not_taken_for_the_present_one(visit):
    page = visit().page
    seats = [{"number": "99Z", "status": "available"}]
    message = json.dumps({"type": "snapshot", "version": 1, "seats": seats})
    page.route_web_socket(LIVE, lambda socket: socket.send(message))
    _open(page, 5)
    expect(page.locator("[data-said]")).to_contain_text("The operator has changed the vehicle.")
    page.unroute_all()
    with page.expect_navigation():
        page.get_by_role("button", name="Load the map again").click()


def test_a_page_that_nobody_sees_rests_and_is_right_as_soon_as_it_is_seen(visit):
    page, other = visit().page, visit().page
    page.clock.install()
    with page.expect_websocket() as watching:
        _open(page, 5)
    _open(other, 5)
    expect(_state(page)).to_have_text("Live")
    page.evaluate(HIDE, True)
    with watching.value.expect_event("close"):
        page.clock.fast_forward("01:05")
    number = free_seats(other)[0]
    choose(other, [number])
    page.evaluate(HIDE, False)
    expect(_drawn(page, number, "locked")).to_be_attached()


@pytest.mark.parametrize("whispers", [True, False], ids=["windows talk", "only the server tells"])
def test_two_windows_of_one_visitor_agree(visit, whispers):
    traveller: Traveller = visit()
    if not whispers:
        traveller.context.add_init_script("delete window.BroadcastChannel")
    one = traveller.page
    _open(one, 6)
    first, second, third = free_seats(one)[:3]
    if not whispers:  # else it has a session only from now on, and the other window must hear of that
        choose(one, [first])
    other = traveller.context.new_page()
    other.goto(one.url)
    expect(_state(other)).to_have_text("Live")
    if whispers:
        choose(one, [first])
    expect(seat(other, first)).to_be_checked()
    seat(other, second).click()
    for page in (one, other):
        expect(page.locator("#selection")).to_have_attribute("data-mine", f"{first},{second}")
        expect(page.locator(".sum__total")).to_contain_text("2 seats")
        expect(page.locator("[data-say]")).to_have_count(0)
    seat(one, first).click()
    expect(seat(other, first)).not_to_be_checked()
    expect(other.locator("[data-say]")).to_contain_text(f"Seat {first} was given back in another window.")
    expect(other.locator(".sum__total")).to_contain_text("1 seat")
    # both at once: neither choice is lost
    one.locator(f'input[value="{first}"]').evaluate("box => box.click()")
    other.locator(f'input[value="{third}"]').evaluate("box => box.click()")
    for page in (one, other):
        expect(page.locator("#selection")).to_have_attribute("data-mine", f"{first},{second},{third}")


def test_seats_whose_time_is_over_are_explained_and_can_be_had_again(visit, shop):
    page = visit().page
    _open(page, 1)
    numbers = free_seats(page)[:2]
    choose(page, numbers)
    seat(page, numbers[1]).focus()
    run_out(shop.database_url)
    expect(page.locator("[data-say]")).to_contain_text(
        f"The time for seats {', '.join(numbers)} is over. They are free again.", timeout=SWEEP_MS
    )
    expect(seat(page, numbers[1])).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("is over")
    expect(page.locator(".sum__total")).to_have_count(0)
    inspect(page)
    page.get_by_role("button", name=f"Hold seats {', '.join(numbers)} again").click()
    expect(page.locator(".sum__total")).to_contain_text("2 seats")
    expect(page.locator("[data-say]")).to_have_count(0)


def test_a_seat_that_somebody_took_after_the_time_was_over_is_explained_and_another_offered(visit, shop):
    first, second = visit().page, visit().page
    _open(first, 2)
    _open(second, 2)
    number = free_seats(first)[0]
    choose(first, [number])
    expect(_drawn(second, number, "locked")).to_be_attached()
    gate = Gate(first, re.compile("known="))  # what it asks between the end and the other's choice comes too late
    run_out(shop.database_url)
    choose(second, [number])
    expect(_drawn(second, number, "mine")).to_be_attached()
    gate.open()
    expect(first.locator("[data-say]")).to_contain_text(
        f"The time for seat {number} was over, and somebody else has it now.", timeout=SWEEP_MS
    )
    expect(_drawn(first, number, "locked")).to_be_attached()
    offered = str(first.locator("[data-take]").get_attribute("data-take"))
    first.get_by_role("button", name=f"Take seat {offered} instead").click()
    expect(_drawn(first, offered, "mine")).to_be_attached()
    expect(seat(first, offered)).to_be_focused()


def _open(page: Page, index: int) -> None:
    """The seats of one of the day's trips; each test has its own, as far as there are enough."""
    search(page, travellers=1)
    open_seats(page, index)


def _state(page: Page) -> Any:
    return page.locator("[data-freshness-text]")


def _drawn(page: Page, number: str, status: str) -> Any:
    return page.locator(f'.seat[data-status="{status}"] input[value="{number}"]')
