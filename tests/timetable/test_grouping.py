"""Which stops are one place: names and nearness, and never two cities in one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.timetable.geography import distance_m
from farebox.timetable.grouping import CITY_RADIUS_M, NamedPoint, city_name, group_points, is_same_city

FAR = NamedPoint("far", "Far Away", 40.0, 0.0)
"""Makes a feed wider than a town's."""


def places(*stops: tuple[str, float, float]) -> dict[str, list[str]]:
    points = [NamedPoint(str(number), *stop) for number, stop in enumerate(stops)]
    return {group.name: [member.name for member in group.members] for group in group_points([*points, FAR])[:-1]}


BERLIN = [
    ("Berlin ZOB", 52.507, 13.280),
    ("Berlin Südkreuz", 52.476, 13.364),
    ("Berlin-Spandau", 52.534, 13.198),
    ("Berlin, Alexanderplatz", 52.522, 13.413),
]


def test_stops_of_a_city_are_one_place_with_its_name():
    assert places(*BERLIN) == {"Berlin": [name for name, _, _ in BERLIN]}


def test_frankfurt_on_the_main_is_not_frankfurt_on_the_oder():
    found = places(
        ("Frankfurt (Main) Hbf", 50.107, 8.663),
        ("Frankfurt (Oder)", 52.336, 14.547),
        ("Frankfurt(M) Flughafen", 50.051, 8.571),
        ("Frankfurt (Main) Süd", 50.099, 8.686),
    )
    assert found == {
        "Frankfurt (Main)": ["Frankfurt (Main) Hbf", "Frankfurt(M) Flughafen", "Frankfurt (Main) Süd"],
        "Frankfurt (Oder)": ["Frankfurt (Oder)"],
    }


def test_names_in_brackets_keep_neighbours_of_one_name_apart():
    found = places(("Neustadt(Aisch) Bahnhof", 49.57, 10.60), ("Neustadt(Donau) Bahnhof", 49.60, 10.65))
    assert len(found) == 2


def test_a_bare_name_shows_a_city_too_but_less_far():
    near, far = ("Rostock Stadthafen", 54.093, 12.131), ("Rostock Heide", 54.20, 12.25)
    assert places(("Rostock", 54.076, 12.131), near, far) == {
        "Rostock": ["Rostock", "Rostock Stadthafen"],
        "Rostock Heide": ["Rostock Heide"],
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bad Homburg", "Bad Nauheim"),
        ("Bad Bahnhof", "Bad Nauheim"),
        ("Weil Bahnhof", "Weil am Rhein"),
        ("Santa Cruz Estación", "Santa Cruz de la Zarza"),
        ("La Estación", "La Garena"),
        ("Rue de la Gare", "Rue de la Paix"),
        ("Köln Hbf", "Köln/Bonn Flughafen"),
        ("Ulm Hbf", "Neu-Ulm"),
        ("Bến xe Mỹ Đình", "Bến xe Giáp Bát"),
        ("Hà Nội", "Hà Nam"),
        ("Baden Bahnhof", "Badenweiler"),
        ("Central Station", "Central Park"),
    ],
)
def test_different_towns_stay_apart_however_near(one, other):
    assert places((one, 50.0, 8.0), (other, 50.02, 8.02)) == {one: [one], other: [other]}


def test_the_same_name_twice_is_one_place_only_across_the_road():
    assert places(("Wolnzach", 48.60, 11.60), ("Wolnzach", 48.61, 11.60)) == {"Wolnzach": ["Wolnzach"] * 2}
    points = [NamedPoint("a", "Wolnzach", 48.60, 11.60), NamedPoint("b", "Wolnzach", 48.65, 11.60), FAR]
    assert [len(group.members) for group in group_points(points)] == [1, 1, 1]


def test_numbers_of_bays_are_no_part_of_a_name():
    assert places(("Urząd Miejski 01", 52.43, 20.61), ("Urząd Miejski 02", 52.4301, 20.6102)) == {
        "Urząd Miejski": ["Urząd Miejski 01", "Urząd Miejski 02"]
    }


def test_in_a_town_network_bare_names_show_no_city():
    points = [
        NamedPoint("a", "Schönau", 50.000, 8.000),
        NamedPoint("b", "Schönau Abzweig", 50.030, 8.030),
        NamedPoint("c", "Anger", 50.100, 8.100),
    ]
    assert [group.name for group in group_points(points)] == ["Schönau", "Schönau Abzweig", "Anger"]
    assert [group.name for group in group_points([*points, FAR])] == ["Schönau", "Anger", "Far Away"]


def test_a_lone_stop_keeps_its_whole_name():
    assert places(("Ulm Hbf", 48.4, 9.98), ("Aachen Hbf", 50.77, 6.09)) == {
        "Ulm Hbf": ["Ulm Hbf"],
        "Aachen Hbf": ["Aachen Hbf"],
    }


@pytest.mark.parametrize(
    ("name", "city"),
    [
        ("Wien Westbahnhof", "Wien"),
        ("Oldenburg Hbf/ZOB", "Oldenburg"),
        ("Barcelona-Estació de França", "Barcelona"),
        ("Madrid - Atocha Cercanias", "Madrid"),
        ("Praha hl.n.", "Praha"),
        ("Warszawa Centralna", "Warszawa"),
        ("Milano (Centrale)", "Milano"),
        ("Freiburg(Breisgau) Hbf", "Freiburg(Breisgau)"),
    ],
)
def test_the_city_in_a_name(name, city):
    assert city_name(name).text == city


def test_a_place_of_one_feed_is_known_in_another():
    assert is_same_city("Aachen", "Aachen Hbf")
    assert is_same_city("Frankfurt", "Frankfurt (Main) Hbf")
    assert is_same_city("Hà Nội", "Ha Noi")
    assert not is_same_city("Frankfurt (Main)", "Frankfurt (Oder)")
    assert not is_same_city("Halle", "Hallein")


def test_no_stops_are_no_places():
    assert group_points([]) == []


WORDS = st.sampled_from(
    ["Berlin", "Bad", "Neu", "Ulm", "Hbf", "ZOB", "Süd", "Frankfurt", "(Main)", "(Oder)", "01", "am", "-", "/", ","]
)
POINTS = st.lists(
    st.tuples(
        st.lists(WORDS, min_size=1, max_size=4).map(" ".join),
        st.floats(48, 54, allow_nan=False),
        st.floats(7, 15, allow_nan=False),
    ),
    max_size=25,
)


@given(POINTS)
def test_every_stop_is_in_one_place_and_places_are_no_larger_than_a_city(stops):
    points = [NamedPoint(number, *stop) for number, stop in enumerate(stops)]
    groups = group_points(points)
    assert sorted(member.key for group in groups for member in group.members) == [point.key for point in points]
    for group in groups:
        lead = points[group.lead]
        for member in group.members:
            assert distance_m(lead.lat, lead.lon, member.lat, member.lon) <= CITY_RADIUS_M


@pytest.mark.parametrize(
    ("one", "other", "metres"),
    [((52.52, 13.405), (48.137, 11.575), 504_000), ((0, 179.9), (0, -179.9), 22_239), ((10, 20), (10, 20), 0)],
)
def test_distances_on_the_globe(one, other, metres):
    assert distance_m(*one, *other) == pytest.approx(metres, rel=0.005)
