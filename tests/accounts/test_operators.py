"""Operators: made once, brought up to date, found by id and by code."""

from typing import Any

import pytest

from farebox.accounts import OperatorNotFound, find_operator_by_code, get_operator, list_operators, upsert_operator
from farebox.core.ids import new_id

FACTS: dict[str, Any] = {
    "name": "Trường Sơn Lines",
    "timezone": "Asia/Ho_Chi_Minh",
    "currency": "VND",
    "language": "vi",
}


async def test_an_operator_is_made_and_found(database):
    async with database.begin() as work:
        made = await upsert_operator(work, code="truong-son", phone="+84 24 3864 1234", **FACTS)
        assert await get_operator(work, made.id) == made
        assert await find_operator_by_code(work, "truong-son") == made
        assert await find_operator_by_code(work, "nobody") is None
    assert (made.name, made.currency, made.phone, made.email) == ("Trường Sơn Lines", "VND", "+84 24 3864 1234", "")


async def test_bringing_up_to_date_keeps_the_id(database):
    async with database.begin() as work:
        made = await upsert_operator(work, code="truong-son", **FACTS)
        other = await upsert_operator(work, code="song-hong", **FACTS)
        changed = await upsert_operator(work, code="truong-son", **FACTS | {"name": "Trường Sơn"})
        assert changed.id == made.id
        assert changed.name == "Trường Sơn"
        assert await list_operators(work, [made.id, other.id, new_id()]) == {made.id: changed, other.id: other}


async def test_an_operator_that_is_not_there(database):
    async with database.begin() as work:
        with pytest.raises(OperatorNotFound):
            await get_operator(work, new_id())


async def test_how_many_seats_one_may_hold_outlives_the_next_timetable(database):
    async with database.begin() as work:
        made = await upsert_operator(work, code="truong-son", **FACTS)
        assert made.max_seats is None
        limited = await upsert_operator(work, code="truong-son", **FACTS, max_seats=8)
        assert limited.max_seats == 8
        await upsert_operator(work, code="truong-son", **FACTS)
        assert (await get_operator(work, made.id)).max_seats == 8


async def test_a_timetable_that_comes_again_leaves_invoices_and_commission_alone(database):
    async with database.begin() as work:
        made = await upsert_operator(work, code="truong-son", **FACTS)
        assert (made.legal_name, made.tax_number, made.commission_bp) == ("", "", 0)
        ours: dict[str, Any] = {"legal_name": "Trường Sơn JSC", "tax_number": "0101234567", "commission_bp": 1250}
        await upsert_operator(work, code="truong-son", **FACTS, **ours)
        again = await upsert_operator(work, code="truong-son", **FACTS)
        assert (again.legal_name, again.tax_number, again.commission_bp) == ("Trường Sơn JSC", "0101234567", 1250)
        free = await upsert_operator(work, code="truong-son", **FACTS, commission_bp=0)
        assert (free.legal_name, free.commission_bp) == ("Trường Sơn JSC", 0)
