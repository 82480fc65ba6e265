"""Taking over the fares of a feed: those of its last edition are replaced, in the transaction of the import."""

from uuid import UUID

from sqlalchemy import any_, delete, func, update

from farebox.accounts import OperatorView, list_operators
from farebox.core.db import UnitOfWork
from farebox.pricing.auditing import IMPORT, changes_between, note_fare_changes
from farebox.pricing.commands import sell_feed
from farebox.pricing.fares import FareBook
from farebox.pricing.feed_changes import changes_of_feed, list_said, sold_by
from farebox.pricing.gtfs_fares import FeedFares, Rule, read_fares
from farebox.pricing.models import FareProductRow, FareTermsRow
from farebox.pricing.queries import read_fare_book, unset_fare_book
from farebox.timetable import FeedKeys, FeedTables, list_areas_of_feed, list_lines_of_feed

_COPY_PRODUCTS = """
    COPY fare_product (feed_id, code, name, currency, adult_minor, child_minor, senior_minor) FROM STDIN
"""
_COPY_RULES = """
    COPY fare_rule (feed_id, product_code, operator_id, line_id, network_id, origin, destination, contains, priority,
                    is_zonal, is_exclusive) FROM STDIN
"""


async def import_fares(work: UnitOfWork, tables: FeedTables, keys: FeedKeys) -> dict[str, int]:
    """Replace the fares of a feed and put its operators on sale: a hook of `timetable.import_feed`.

    Returns:
        How many products and rules there are now, for the report, which also counts what could not be used.
    """
    fares = read_fares(tables)
    operators = await list_operators(work, sorted(set(keys.agencies.values())))
    books = {each.id: await _book_of(work, each) for each in operators.values()}
    was = await list_said(work, keys.feed_id)
    _warn_of_other_currencies(tables, fares, {operator.currency for operator in operators.values()})
    await work.session.execute(delete(FareProductRow).where(FareProductRow.feed_id == keys.feed_id))
    await _copy_products(work, keys.feed_id, fares)
    rules = await _copy_rules(work, tables, keys, fares)
    await work.session.execute(
        update(FareTermsRow).where(any_(FareTermsRow.feed_ids) == keys.feed_id).values(version=func.gen_random_uuid())
    )
    for operator in operators.values():
        await sell_feed(work, operator.id, keys.feed_id, operator.currency)
    said, lines = await list_said(work, keys.feed_id), await list_lines_of_feed(work, keys.feed_id)
    areas = await list_areas_of_feed(work, keys.feed_id)
    for operator in operators.values():
        before, after = books[operator.id], await _book_of(work, operator)
        own_areas = areas.get(operator.id, frozenset())
        sold = sold_by(was, operator.id, before.terms.currency, lines, own_areas)
        sells = sold_by(said, operator.id, after.terms.currency, lines, own_areas)
        changes = [*changes_of_feed(sold, sells), *changes_between(before, after)]
        await note_fare_changes(work, operator.id, changes, actor=IMPORT)
    return {"fare products": len(fares.products), "fare rules": rules}


async def _book_of(work: UnitOfWork, operator: OperatorView) -> FareBook:
    """What an operator has set; an import sets it anew where the operator's currency is another."""
    row = await work.session.get(FareTermsRow, operator.id, populate_existing=True)
    return await read_fare_book(work, row) if row else unset_fare_book(operator.currency)


def _warn_of_other_currencies(tables: FeedTables, fares: FeedFares, sold_in: set[str]) -> None:
    for product in fares.products.values():
        if product.currency not in sold_in:
            tables.report.warn("unpriced", product.file, subject="not the operator's currency", example=product.code)


async def _copy_products(work: UnitOfWork, feed_id: UUID, fares: FeedFares) -> None:
    async with (await work.driver()).cursor() as cursor, cursor.copy(_COPY_PRODUCTS) as copy:
        for product in fares.products.values():
            prices = product.prices
            amounts = (prices.get("adult"), prices.get("child"), prices.get("senior"))
            await copy.write_row((feed_id, product.code, product.name, product.currency, *amounts))


async def _copy_rules(work: UnitOfWork, tables: FeedTables, keys: FeedKeys, fares: FeedFares) -> int:
    """Write the rules with our ids. Those for a line or an operator that the feed does not have are left out."""
    written = 0
    async with (await work.driver()).cursor() as cursor, cursor.copy(_COPY_RULES) as copy:
        for rule in fares.rules:
            if _is_dangling(tables, keys, rule):
                continue
            await copy.write_row(
                (
                    keys.feed_id,
                    rule.product,
                    keys.agencies[rule.agency_id] if rule.agency_id else None,
                    keys.lines[rule.route_id] if rule.route_id else None,
                    rule.network_id,
                    rule.origin,
                    rule.destination,
                    None if rule.contains is None else sorted(rule.contains),
                    rule.priority,
                    rule.is_zonal,
                    rule.is_exclusive,
                )
            )
            written += 1
    return written


def _is_dangling(tables: FeedTables, keys: FeedKeys, rule: Rule) -> bool:
    if rule.route_id and rule.route_id not in keys.lines:
        tables.report.warn("dangling-reference", "fare_rules.txt", subject="route_id", example=rule.route_id)
        return True
    if rule.agency_id and rule.agency_id not in keys.agencies:
        tables.report.warn("dangling-reference", "fare_attributes.txt", subject="agency_id", example=rule.agency_id)
        return True
    return False
