"""What holds for every page: languages, policy, errors, caches, addresses; and the search form's understanding."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from msgspec.structs import replace as changed
from tests.web import samples

from farebox.app import create_app
from farebox.core.i18n import LANGUAGES
from farebox.web.pages import Here, own_path


class _Reader(HTMLParser):
    """Collects what the content policy would refuse, and ids."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.ids: list[str] = []
        self.pointers: list[str] = []
        self._is_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.refused += [f"{tag} {name}" for name in names if name == "style" or name.startswith("on")]
        self.refused += [f"{tag} hx-on" for name in names if name.startswith("hx-on")]
        if tag == "style" or (tag == "script" and not names.get("src")):
            self.refused.append(tag)
        if names.get("id"):
            self.ids.append(str(names["id"]))
        for name in ("for", "aria-describedby", "aria-labelledby", "aria-controls"):
            self.pointers += str(names.get(name) or "").split()


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("name", sorted(samples.PAGES))
def test_every_page_keeps_to_the_content_policy_and_points_to_what_is_there(gallery, name, language):
    answer = gallery.get(f"/gallery/{name}?lang={language}")
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    reader = _Reader()
    reader.feed(answer.text)
    assert reader.refused == []
    assert sorted(set(reader.pointers) - set(reader.ids)) == []
    assert sorted({each for each in reader.ids if reader.ids.count(each) > 1}) == []
    assert len(re.findall(r"<h1[ >]", answer.text)) == 1


async def test_errors_are_pages_for_people_and_documents_for_programs(browser):
    page = await browser.get("/no/such/page")
    assert page.status_code == 404
    assert "We could not find that" in page.text
    document = await browser.get("/api/v1/no-such-thing")
    assert document.headers["content-type"].startswith("application/problem+json")
    assert (await browser.get("/trips/00000000-0000-7000-8000-000000000000")).status_code == 404
    assert (await browser.get("/bookings/00000000-0000-7000-8000-000000000000")).status_code == 403
    assert (await browser.get("/trips/not-an-id")).status_code == 404


async def test_a_mishap_says_nothing_about_the_inside(browser, services, monkeypatch):
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("farebox.web.shop.home.blank_form", fail)
    answer = await browser.get("/")
    assert answer.status_code == 500
    assert "secret of the house" not in answer.text
    assert answer.headers["x-request-id"] in answer.text


async def test_too_many_attempts_get_a_page_that_says_when_to_come_back(services):
    limited = replace(services, settings=changed(services.settings, rate_limits="on"))
    app: Any = create_app(limited)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://farebox.example") as client:
        token = re.search(r'name="_csrf_token" value="([^"]+)"', (await client.get("/find")).text)
        assert token
        form = {"_csrf_token": token[1], "reference": "BUS20261120K7QM2X", "contact": "x@example.com"}
        answers = [await client.post("/find", data=form) for _ in range(21)]
    assert answers[-2].status_code == 200
    assert answers[-1].status_code == 429
    assert "That was too often" in answers[-1].text
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_the_policy_allows_nothing_inline(browser):
    policy = (await browser.get("/")).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


async def test_the_language_is_kept_and_one_stays_where_one_was(browser):
    answer = await browser.post("/language", language="vi", back="/find?reference=BUS1")
    assert answer.headers["location"] == "/find?reference=BUS1"
    assert '<html lang="vi">' in (await browser.get("/")).text
    answer = await browser.post("/language", language="xx", back="https://elsewhere.example/")
    assert answer.headers["location"] == "/"
    assert '<html lang="vi">' in (await browser.get("/")).text


async def test_the_language_can_be_chosen_where_nothing_was_found(services):
    """By somebody who was on no other page before, and so has no token yet."""
    app: Any = create_app(services)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://farebox.example") as client:
        assert (await client.get("/nowhere")).status_code == 404
        answer = await client.post("/language", data={"language": "vi", "back": "/"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert '<html lang="vi">' in (await client.get("/")).text


@pytest.mark.parametrize(
    "url", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "", "x", "/a\nb"]
)
def test_nobody_is_sent_elsewhere(url):
    assert own_path(url) == "/"


def test_an_address_is_changed_in_one_thing():
    here = Here(
        "/search", (("from", "A"), ("amenity", "wifi"), ("amenity", "toilet"), ("sort", "price")), mailbox=False
    )
    assert here.with_query({"sort": None}) == "/search?from=A&amenity=wifi&amenity=toilet"
    assert here.with_query({"from": "Hà Nội"}, path="/") == (
        "/?amenity=wifi&amenity=toilet&sort=price&from=H%C3%A0+N%E1%BB%99i"
    )


async def test_the_mailbox_is_not_there_in_production(services):
    production = replace(services, settings=changed(services.settings, env="production"), providers={})
    app: Any = create_app(production)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://farebox.example") as client:
        assert (await client.get("/dev/mailbox")).status_code == 404
        assert "/dev/mailbox" not in (await client.get("/")).text
        assert (await client.get("/pay/sandbox/00000000-0000-7000-8000-000000000000")).status_code == 404


async def test_the_mailbox_is_not_open_to_other_machines(services):
    app: Any = create_app(services)
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://farebox.example") as client:
        assert (await client.get("/dev/mailbox")).status_code in {401, 403}
