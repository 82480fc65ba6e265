"""Reading the fares of a feed: what becomes a product, what a rule, and what is counted and left out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from farebox.pricing.gtfs_fares import FeedFares, Rule, read_fares
from farebox.timetable.gtfs import FeedTables, ImportReport, open_feed_files

Read = Callable[..., tuple[FeedFares, ImportReport]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_files(**files: str) -> tuple[FeedFares, ImportReport]:
        for name, text in {"agency": "agency_name,agency_url,agency_timezone\n", **files}.items():
            lines = [line.strip() for line in text.strip().splitlines()]
            (tmp_path / f"{name}.txt").write_text("\n".join(lines))
        report = ImportReport()
        with open_feed_files(tmp_path) as opened:
            return read_fares(FeedTables(opened, report)), report

    return read_files


def found(report: ImportReport) -> dict[tuple[str, str], int]:
    return {(finding.file, finding.subject): finding.count for finding in report.findings}


# Fares v1

ATTRIBUTES = """
    fare_id,price,currency_type,payment_method,transfers,agency_id
    short,2.5,EUR,0,0,
    long,10.00,eur,0,0,north
"""


def test_a_fare_is_a_product_for_adults(read: Read) -> None:
    fares, report = read(fare_attributes=ATTRIBUTES)
    products = {code: (product.currency, product.prices) for code, product in fares.products.items()}
    assert products == {"short": ("EUR", {"adult": 250}), "long": ("EUR", {"adult": 1000})}
    assert report.findings == []


def test_a_fare_without_rules_is_for_every_ride_of_its_agency(read: Read) -> None:
    fares, _ = read(fare_attributes=ATTRIBUTES)
    assert fares.rules == [
        Rule("long", agency_id="north", is_zonal=True),
        Rule("short", is_zonal=True),
    ]


def test_the_zones_that_a_fare_contains_are_gathered_from_its_rows(read: Read) -> None:
    fares, _ = read(
        fare_attributes=ATTRIBUTES,
        fare_rules="""
            fare_id,route_id,origin_id,destination_id,contains_id
            short,,a,b,
            long,r,,,5
            long,r,,,6
            long,q,,,6
        """,
    )
    assert fares.rules == [
        Rule("long", "north", "q", contains=frozenset("6"), priority=2, is_zonal=True),
        Rule("long", "north", "r", contains=frozenset("56"), priority=2, is_zonal=True),
        Rule("short", origin="a", destination="b", priority=2, is_zonal=True),
    ]


def test_fares_without_a_usable_price_are_counted(read: Read) -> None:
    fares, report = read(
        fare_attributes="""
            fare_id,price,currency_type
            a,cheap,EUR
            b,-1,EUR
            c,1.005,EUR
            d,1,XQX
            e,,EUR
            f,99999999999999.00,EUR
            ,1,EUR
            good,1.50,EUR
        """,
        fare_rules="""
            fare_id,route_id
            a,r
            good,r
        """,
    )
    assert list(fares.products) == ["good"]
    assert fares.rules == [Rule("good", route_id="r", priority=1, is_zonal=True)]
    assert found(report) == {("fare_attributes.txt", "price"): 7, ("fare_rules.txt", "fare_id"): 1}


def test_a_feed_without_fares_has_none(read: Read) -> None:
    fares, report = read()
    assert fares == FeedFares()
    assert report.findings == []


# Fares v2

PRODUCTS = """
    fare_product_id,fare_product_name,amount,currency
    near,Near,3.00,EUR
    far,Far,7.00,EUR
    monthly,Monthly,90.00,EUR
"""


def test_leg_rules_name_networks_and_areas_and_only_products_in_use_are_kept(read: Read) -> None:
    fares, report = read(
        fare_products=PRODUCTS,
        fare_leg_rules="""
            leg_group_id,network_id,from_area_id,to_area_id,fare_product_id
            1,net,a,b,near
            2,,a,,far
        """,
    )
    assert fares.rules == [
        Rule("near", network_id="net", origin="a", destination="b", is_exclusive=True),
        Rule("far", origin="a", is_exclusive=True),
    ]
    assert {code: product.name for code, product in fares.products.items()} == {"near": "Near", "far": "Far"}
    assert report.findings == []


def test_the_column_of_priorities_changes_what_empty_means_even_where_it_is_empty(read: Read) -> None:
    fares, _ = read(
        fare_products=PRODUCTS,
        fare_leg_rules="""
            from_area_id,fare_product_id,rule_priority
            a,near,
            ,far,5
        """,
    )
    assert fares.rules == [Rule("near", origin="a"), Rule("far", priority=5)]


def test_fares_v2_win_where_a_feed_has_both(read: Read) -> None:
    fares, report = read(
        fare_attributes=ATTRIBUTES,
        fare_products=PRODUCTS,
        fare_leg_rules="""
            fare_product_id
            near
        """,
    )
    assert [rule.product for rule in fares.rules] == ["near"]
    assert found(report) == {("fare_attributes.txt", "the feed has Fares v2 too, which count"): 2}


def test_fares_v1_count_where_a_feed_has_products_but_no_rule_for_a_ride(read: Read) -> None:
    fares, _ = read(fare_attributes=ATTRIBUTES, fare_products=PRODUCTS)
    assert set(fares.products) == {"short", "long"}


def test_the_cheapest_medium_that_needs_no_card_is_sold(read: Read) -> None:
    fares, _ = read(
        fare_media="""
            fare_media_id,fare_media_type
            cash,0
            card,2
            app,4
        """,
        fare_products="""
            fare_product_id,amount,currency,fare_media_id
            near,3.00,EUR,cash
            near,2.00,EUR,card
            near,2.80,EUR,app
            far,5.00,EUR,card
        """,
        fare_leg_rules="""
            fare_product_id
            near
            far
        """,
    )
    prices = {code: product.prices for code, product in fares.products.items()}
    assert prices == {"near": {"adult": 280}, "far": {"adult": 500}}


def test_rider_categories_are_told_by_flag_and_name(read: Read) -> None:
    fares, report = read(
        rider_categories="""
            rider_category_id,rider_category_name,is_default_fare_category
            0,Bilet normalny,1
            1,Bilet ulgowy (Dziecko do 4 r.ż.),
            2,Bilet ulgowy (Dziecko do 18 r.ż.),
            3,Bilet ulgowy (Seniorzy),
            4,Student,
        """,
        fare_products="""
            fare_product_id,rider_category_id,amount,currency
            single,0,4.00,PLN
            single,1,0.00,PLN
            single,2,2.00,PLN
            single,3,2.50,PLN
            single,4,1.00,PLN
        """,
        fare_leg_rules="""
            fare_product_id
            single
        """,
    )
    assert fares.products["single"].prices == {"adult": 400, "child": 200, "senior": 250}
    assert found(report) == {("fare_products.txt", "neither adults, children nor seniors"): 1}


@pytest.mark.parametrize(
    ("name", "passenger_type"),
    [
        ("Trẻ em", "child"), ("Kinder", "child"), ("Niños", "child"), ("小孩", "child"), ("Enfant", "child"),
        ("Người cao tuổi", "senior"), ("Rentner", "senior"), ("敬老", "senior"), ("65+", "senior"),
        ("Seniors", "senior"),
        ("General", "adult"), ("Adult", "adult"), ("Normalpreis", "adult"),
    ],
)  # fmt: skip
def test_names_of_categories_in_many_languages(read: Read, name: str, passenger_type: str) -> None:
    fares, _ = read(
        rider_categories=f"rider_category_id,rider_category_name\nx,{name}",
        fare_products="fare_product_id,rider_category_id,amount,currency\nsingle,x,4.00,EUR",
        fare_leg_rules="fare_product_id\nsingle",
    )
    assert fares.products["single"].prices == {passenger_type: 400}


def test_rules_with_timeframes_count_only_where_nothing_else_prices_the_pair(read: Read) -> None:
    fares, report = read(
        fare_products=PRODUCTS,
        fare_leg_rules="""
            from_area_id,to_area_id,from_timeframe_group_id,fare_product_id
            a,b,,near
            a,b,peak,far
            a,c,peak,far
        """,
    )
    assert fares.rules == [
        Rule("near", origin="a", destination="b", is_exclusive=True),
        Rule("far", origin="a", destination="c", is_exclusive=True),
    ]
    assert found(report) == {("fare_leg_rules.txt", "timeframes are not looked at"): 2}


def test_what_a_single_ride_does_not_need_is_counted(read: Read) -> None:
    _, report = read(
        fare_products=PRODUCTS,
        fare_leg_rules="fare_product_id\nnear\nnowhere",
        fare_transfer_rules="from_leg_group_id,to_leg_group_id,fare_transfer_type\n1,2,0",
    )
    assert found(report) == {
        ("fare_leg_rules.txt", "fare_product_id"): 1,
        ("fare_transfer_rules.txt", "a ticket is for one ride"): 1,
    }
