"""Suggestions: what people type, and what they mean."""

from itertools import pairwise

import pytest
from tests.search.feeds import SmallFeed, days_from
from tests.search.shop import TODAY, OpenShop, Shop

from farebox.core.i18n import language
from farebox.search import suggest_places

CITIES = {
    "hanoi": ("Hà Nội", 21.03, 105.83),
    "hue": ("Huế", 16.46, 107.59),
    "danang": ("Đà Nẵng", 16.05, 108.20),
    "saigon": ("Sài Gòn", 10.78, 106.70),
    "munich": ("München", 48.14, 11.56),
    "fuerth": ("Fuerth", 49.47, 10.99),
    "cologne": ("Köln", 50.94, 6.96),
    "frankfurt": ("Frankfurt(Main)", 50.11, 8.66),
    "oder": ("Frankfurt(Oder)", 52.34, 14.55),
    "wroclaw": ("Wrocław", 51.10, 17.04),
    "muelheim": ("Mülheim an der Ruhr", 51.43, 6.89),
    "cordoba": ("Córdoba", 37.89, -4.79),
    "moscow": ("Москва", 55.76, 37.62),
}


@pytest.fixture
async def atlas(open_shop: OpenShop) -> Shop:
    """Cities from all over; two of them far busier than the others."""
    feed = SmallFeed()
    for stop_id, (name, lat, lon) in CITIES.items():
        feed.stop(stop_id, name, lat, lon)
    feed.translations.append(("stops", "cologne", "en", "Cologne"))
    stops = list(CITIES)
    for number, (one, other) in enumerate(pairwise(stops)):
        feed.trip(f"t{number}", [(one, 3600 * 8, 3600 * 8), (other, 3600 * 20, 3600 * 20)], days_from(TODAY, 2))
    for number in range(5):
        start = 3600 * (9 + number)
        feed.trip(
            f"busy{number}", [("oder", start, start), ("frankfurt", start + 9000, start + 9000)], days_from(TODAY, 9)
        )
        feed.trip(
            f"b{number}", [("frankfurt", start, start), ("munich", start + 9000, start + 9000)], days_from(TODAY, 9)
        )
    return await open_shop(feed)


async def names(shop: Shop, typed: str, *, limit: int = 8, speak: str = "vi") -> list[str]:
    with language(speak):
        async with shop.database.begin() as work:
            return [place.name for place in await suggest_places(work, typed, limit=limit)]


MEANT = {
    "ha noi": "Hà Nội",
    "hanoi": "Hà Nội",
    "HÀ NỘI": "Hà Nội",
    "Ha N": "Hà Nội",
    "  ha-n": "Hà Nội",
    "Ha\u0300 No\u0323\u0302i": "Hà Nội",
    "hnaoi": "Hà Nội",
    "hnoi": "Hà Nội",
    "hue": "Huế",
    "da nang": "Đà Nẵng",
    "danang": "Đà Nẵng",
    "sai gon": "Sài Gòn",
    "saigon": "Sài Gòn",
    "sài": "Sài Gòn",
    "munchen": "München",
    "Muenchen": "München",
    "MÜNCHEN": "München",
    "münch": "München",
    "munhen": "München",
    "fürth": "Fuerth",
    "Fürt": "Fuerth",
    "koeln": "Köln",
    "cologne": "Köln",
    "Wroclaw": "Wrocław",
    "frankfrt": "Frankfurt(Main)",
    "frankfurt oder": "Frankfurt(Oder)",
    "ruhr": "Mülheim an der Ruhr",
    "cordoba": "Córdoba",
    "cordova": "Córdoba",
    "москва": "Москва",
    "Моск": "Москва",
}


async def test_what_is_typed_finds_what_is_meant(atlas: Shop) -> None:
    assert {typed: (await names(atlas, typed))[:1] for typed in MEANT} == {
        typed: [name] for typed, name in MEANT.items()
    }


async def test_the_whole_name_comes_before_a_beginning_and_a_beginning_before_a_word(open_shop: OpenShop) -> None:
    feed = SmallFeed()
    for number, name in enumerate(["Neu Ulm", "Ulmen", "Ulm", "Kulmbach"]):
        feed.stop(f"s{number}", name, 48.0 + number, 10.0)
    feed.trip("t", [(f"s{n}", 3600 * n, 3600 * n) for n in range(4)], days_from(TODAY, 2))
    shop = await open_shop(feed)
    assert await names(shop, "ulm") == ["Ulm", "Ulmen", "Neu Ulm"]


async def test_among_equals_the_busier_place_comes_first(atlas: Shop) -> None:
    assert await names(atlas, "frank") == ["Frankfurt(Main)", "Frankfurt(Oder)"]
    assert (await names(atlas, "m"))[:2] == ["München", "Mülheim an der Ruhr"]


async def test_alike_names_are_only_suggested_where_nothing_begins_so(atlas: Shop) -> None:
    assert await names(atlas, "Frankfurt(Main)") == ["Frankfurt(Main)"]
    assert await names(atlas, "hu") == ["Huế"]


async def test_what_means_nothing_suggests_nothing(atlas: Shop) -> None:
    for typed in ["", "   ", "%", "_", "\\", "''", "\0", "zzzzzz", "(", "z" * 500, "😀"]:
        assert await names(atlas, typed) == [], typed


async def test_a_limit_is_kept(atlas: Shop) -> None:
    assert len(await names(atlas, "m", limit=2)) == 2


async def test_the_name_of_a_stop_suggests_its_place_and_is_told_first(shop: Shop) -> None:
    async with shop.database.begin() as work:
        (place,) = await suggest_places(work, "my dinh")
    assert (place.name, place.country) == ("Hanoi", "VN")
    assert place.place_id == shop.known.places["my-dinh"]
    assert [(stop.stop_id, stop.name) for stop in place.stops] == [
        (shop.known.ids["my-dinh"], "Bến xe Mỹ Đình"),
        (shop.known.ids["giap-bat"], "Bến xe Giáp Bát"),
    ]


async def test_names_are_told_in_the_readers_language_and_found_in_any(shop: Shop) -> None:
    assert await names(shop, "hanoi", speak="vi") == ["Hà Nội"]
    assert await names(shop, "nanning", speak="vi") == ["Nam Ninh"]
    assert await names(shop, "hà nội", speak="en") == ["Hanoi"]
    assert await names(shop, "nam ninh", speak="en") == ["Nanning"]
