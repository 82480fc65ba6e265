"""What a timetable calls things becomes text, too: feeds come from other people's systems."""

import psycopg
from tests.attacks.conftest import LURE, foreign_in


async def test_names_in_a_feed_become_no_part_of_a_page(browser, coach, settings):
    calls = coach.departure.calls
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("UPDATE place SET name = name || %s", [LURE])
        connection.execute("UPDATE stop SET name = name || %s", [LURE])
        connection.execute("UPDATE line SET name = name || %s", [LURE])
        connection.execute("UPDATE operator SET name = name || %s, address = %s, phone = %s", [LURE, LURE, LURE])
        connection.execute("UPDATE vehicle_kind SET name = name || %s", [LURE])
    day = calls[0].departure.date().isoformat()
    ride = {"from": str(calls[0].stop_id), "to": str(calls[-1].stop_id)}
    names = {"from": f"Ahorn{LURE}", "to": f"Eich{LURE}", "date": day}
    ids = {"from_id": str(calls[0].place_id), "to_id": str(calls[-1].place_id)}
    shown = 0
    for path, query in (
        ("/", {}),
        ("/search", names | ids),
        (f"/trips/{coach.id}", ride),
        (f"/trips/{coach.id}/seats", ride),
    ):
        answer = await browser.get(path, params=query)
        assert answer.status_code == 200, path
        assert foreign_in(answer.text) == [], path
        shown += answer.text.count("onerror=alert(1)")
    assert shown > 10, "they are shown, as text"
