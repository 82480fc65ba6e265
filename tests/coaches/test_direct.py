"""The short way past the framework answers as the framework would, and is taken for what is plain only."""

import json

import pytest
from tests.coaches.visitors import API, problem_of

from farebox.api import direct
from farebox.api.reading import LARGEST_BODY
from farebox.core.ids import new_id

OWN = {"x-request-id"}
"""Headers that differ from answer to answer."""


@pytest.fixture
def both_ways(client, monkeypatch):
    """Sends a request twice: straight to the handler, and as any other handler gets it."""

    async def both_ways(method, path, **request):
        straight = await client.request(method, API + path, **request)
        with monkeypatch.context() as other:
            other.setattr(direct, "DIRECT", "nothing is")
            usual = await client.request(method, API + path, **request)
        return straight, usual

    return both_ways


@pytest.fixture
def marked(monkeypatch):
    """Marks whatever is answered the short way."""
    monkeypatch.setattr(direct, "_encode", lambda _: b'"short"')


def facts(answer):
    return answer.status_code, {name: value for name, value in answer.headers.items() if name not in OWN}, answer.text


def wish(coach, **changes):
    return {"tripId": str(coach.id), "seatNumbers": ["1A"], **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"seatNumbers": ["1A", "9Z"]},
        {"seatNumbers": []},
        {"seatNumbers": ["1A", "1a"]},
        {"seatNumbers": "1A"},
        {"seatNumbers": [1]},
        {"seatNumbers": [""]},
        {"seatNumbers": ["x" * 41]},
        {"seatNumbers": None},
        {"tripId": "nowhere"},
        {"tripId": 7},
        {"tripId": "00000000-0000-0000-0000-000000000003"},
        {"from": "garbage"},
        {"from": 1},
        {"from": "00000000-0000-0000-0000-000000000003"},
        {"seats": ["1A"]},
    ],
    ids=lambda changes: json.dumps(changes)[:30],
)
async def test_what_is_refused_is_refused_alike(coach, an, both_ways, changes):
    token = {"Authorization": f"Bearer {an.token}"}
    for headers in (token, {}, {**token, "Accept-Language": "vi"}):
        straight, usual = await both_ways("POST", "/seats/lock", json=wish(coach, **changes), headers=headers)
        assert straight.status_code >= 400
        assert facts(straight) == facts(usual)


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{", b'{"tripId": "\xff"}', b"[" * 100_000],
    ids=["none", "null", "a list", "cut off", "latin-1", "deep"],
)
async def test_what_cannot_be_read_is_refused_alike(an, both_ways, body):
    headers = {"Authorization": f"Bearer {an.token}", "Content-Type": "application/json"}
    straight, usual = await both_ways("POST", "/seats/lock", content=body, headers=headers)
    assert straight.status_code >= 400
    assert facts(straight) == facts(usual)


async def test_what_is_granted_is_granted_alike(coach, an, both_ways):
    token = {"Authorization": f"Bearer {an.token}"}
    ride = {"from": str(coach.stop("b")), "to": str(coach.stop("d"))}
    ids, granted = set(), []
    for answer in await both_ways("POST", "/seats/lock", json=wish(coach, **ride), headers=token):
        status, headers, _ = facts(answer)
        lock = answer.json()
        ids.add(lock.pop("lockId"))
        granted.append((status, headers, lock))
    assert granted[0][0] == 201
    assert granted[0] == granted[1]
    assert len(ids) == 2
    path = f"/seats/lock/{answer.json()['lockId']}"
    extended = await both_ways("PATCH", path + "/extend", headers=token)
    assert [(each.status_code, each.json()["extensionsLeft"]) for each in extended] == [(200, 1), (200, 0)]
    for method, of in (("PATCH", path + "/extend"), ("DELETE", path), ("DELETE", f"/seats/lock/{new_id()}")):
        straight, usual = await both_ways(method, of, headers=token)
        assert facts(straight) == facts(usual)


async def test_a_refusal_is_kept_for_its_key_as_ever(coach, an):
    for replayed in (None, "true"):
        answer = await an.lock("9Z")
        assert answer.status_code == 422
        kept = await an.send("POST", "/seats/lock", wish(coach, seatNumbers=["9Z"]), **{"Idempotency-Key": "k"})
        assert (kept.status_code, kept.headers.get("idempotency-replayed")) == (422, replayed)


async def test_the_short_way_is_taken(coach, an, marked):
    assert (await an.lock("1A")).text == '"short"'


@pytest.mark.parametrize("from_", ["null", None])
async def test_what_only_the_framework_understands_is_left_to_it(coach, an, marked, from_):
    """It takes the word for the value."""
    answer = await an.send("POST", "/seats/lock", wish(coach, **{"from": from_}))
    assert answer.status_code == 201
    assert (answer.text == '"short"') == (from_ is None)


async def test_a_body_has_an_end(coach, an):
    answer = await an.send("POST", "/seats/lock", wish(coach, seatNumbers=["x" * LARGEST_BODY]))
    assert problem_of(answer, 413)["code"] == "content-too-large"
