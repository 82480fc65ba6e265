"""Units that the kernel chooses."""

import asyncio
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inventory.kernel import TERMS, claim_count, open_run, run_clock_out, want

from farebox.core.ids import new_id
from farebox.inventory import (
    Allocation,
    Hold,
    HoldConflict,
    NotEnoughUnits,
    NotOnSale,
    UnknownUnits,
    Want,
    allocate,
    availability,
    block,
    claims_on,
    confirm,
    release,
    take,
)
from farebox.inventory import allocation as module
from farebox.inventory.allocation import choose

AN, BO = "guest:an", "guest:bo"
ROWS = ((0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11))
SLOTS = 8


def ask(count, first=2, end=5, rows=ROWS, run=1):
    return Allocation(run, count, first, end, rows)


def all_free(rows=ROWS, **gaps):
    """Every unit free on all slots, but for those given another gap as `u<unit>=(first, end)`, or none as `None`."""
    free = {unit: (0, SLOTS) for row in rows for unit in row}
    for name, gap in gaps.items():
        unit = int(name[1:])
        free.pop(unit)
        if gap:
            free[unit] = gap
    return free


# --- choosing


def test_where_all_is_free_the_best_are_chosen():
    assert choose(ask(3), all_free()) == (0, 1, 2)


def test_they_sit_together_even_where_better_units_are_free_apart():
    assert choose(ask(3), all_free(u1=None, u6=None)) == (8, 9, 10)


def test_the_ends_of_two_rows_are_not_side_by_side():
    assert choose(ask(2), all_free(u0=None, u1=None, u2=None, u5=None)) == (6, 7)


def test_where_they_cannot_sit_together_they_sit_in_as_few_groups_as_possible():
    assert choose(ask(5), all_free(u1=None)) == (0, 4, 5, 6, 7)
    assert choose(ask(5), all_free(u1=None, u3=None, u5=None)) == (0, 8, 9, 10, 11)
    assert choose(ask(9), all_free()) == (0, 1, 2, 3, 4, 5, 6, 7, 8)


def test_a_unit_whose_gap_is_just_the_stretch_comes_first():
    assert choose(ask(1), all_free(u6=(2, 5))) == (6,)


def test_a_unit_that_stays_whole_at_one_end_comes_before_one_that_is_cut_in_two():
    assert choose(ask(1), all_free(u6=(2, 8))) == (6,)
    assert choose(ask(1), all_free(u6=(1, 6), u9=(0, 5))) == (9,)


def test_of_as_many_fragments_the_tightest_gap_decides():
    assert choose(ask(1), all_free(u5=(0, 5), u6=(1, 5), u7=(2, 7))) == (6,)
    assert choose(ask(1), all_free(u5=(0, 7), u6=(1, 6))) == (6,)


def test_sitting_together_matters_more_than_fragments():
    assert choose(ask(2), all_free(u4=(2, 5), u6=(2, 5))) == (4, 5)


def test_of_what_is_alike_the_first_in_the_order_of_preference_decides():
    assert choose(ask(2, rows=((7, 6), (3, 2), (1, 0))), all_free(u7=None)) == (3, 2)


def test_too_few_free_units_are_no_choice():
    assert choose(ask(3, rows=((0, 1, 2),)), all_free(((0, 1, 2),), u1=None)) is None
    assert choose(ask(10**9), all_free()) is None


@st.composite
def situations(draw):
    """Rows of shuffled units, some of them free, with gaps around the stretch."""
    units = draw(st.permutations(range(draw(st.integers(1, 8)))))
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(units) - 1)))))
    rows = [tuple(units[a:b]) for a, b in pairwise([0, *cuts, len(units)])]
    first = draw(st.integers(0, 4))
    end = draw(st.integers(first + 1, 5))
    gap = st.tuples(st.integers(max(0, first - 2), first), st.integers(end, min(5, end + 2)))
    gaps = {unit: draw(gap) for unit in units if draw(st.integers(0, 3))}
    return Allocation(1, draw(st.integers(1, 5)), first, end, tuple(row for row in rows if row)), gaps


def misfit(asked, gaps, chosen):
    """The rules in their plainest words: groups, fragments, what is left over, preference. The smallest is best."""
    neighbours = {pair for row in asked.preference for pair in pairwise(row)}
    groups = len(chosen) - sum(pair in neighbours for pair in pairwise(chosen))
    ends = [end for unit in chosen for end in (asked.first_slot - gaps[unit][0], gaps[unit][1] - asked.end_slot)]
    return groups, sum(end > 0 for end in ends), sum(ends), [asked.units.index(unit) for unit in chosen]


@settings(max_examples=500, deadline=None)
@given(situations())
def test_no_other_choice_is_better(situation):
    asked, gaps = situation
    free = [unit for unit in asked.units if unit in gaps]
    best = min(combinations(free, asked.count), key=lambda chosen: misfit(asked, gaps, chosen), default=None)
    assert choose(asked, gaps) == best


# --- taking


@pytest.fixture
async def run(database):
    return await open_run(database, units=12, slots=SLOTS)


async def test_what_is_chosen_is_held(database, run):
    async with database.begin() as work:
        hold = await allocate(work, ask(3, run=run), owner=AN, terms=TERMS)
        assert (hold.owner, hold.state, hold.claims) == (AN, "held", (Want(run, (0, 1, 2), 2, 5),))
        assert hold.extensions_left == 2
        keys = {(claim.unit, claim.slot) for claim in await claims_on(work, run, 0, SLOTS)}
        assert keys == {(unit, slot) for unit in (0, 1, 2) for slot in (2, 3, 4)}


async def test_gaps_are_seen_between_what_is_held_sold_and_blocked(database, run):
    async with database.begin() as work:
        # 0 is free up to the stretch only at its left, 1 just on the stretch, 2 is in the way, 3 has run out.
        await take(work, want(run, [0], 5, 8), owner=BO, terms=TERMS)
        await confirm(work, (await take(work, want(run, [1], 0, 2), owner=BO, terms=TERMS)).id)
        await block(work, want(run, [1], 5, 6), owner="crew")
        await take(work, want(run, [2], 4, 8), owner=BO, terms=TERMS)
        await run_clock_out(work, await take(work, want(run, [3], 0, 8), owner=BO, terms=TERMS))
        chosen = [
            (await allocate(work, ask(1, rows=((3, 2, 1, 0),), run=run), owner=AN, terms=TERMS)).claims[0].units
            for _ in range(3)
        ]
        assert chosen == [(1,), (0,), (3,)]
        with pytest.raises(NotEnoughUnits):
            await allocate(work, ask(1, rows=((3, 2, 1, 0),), run=run), owner=AN, terms=TERMS)


async def test_the_gap_ends_where_the_run_does(database):
    run = await open_run(database, units=2, slots=4)
    async with database.begin() as work:
        await take(work, want(run, [1], 0, 1), owner=BO, terms=TERMS)
        hold = await allocate(work, Allocation(run, 1, 1, 4, ((0, 1),)), owner=AN, terms=TERMS)
        assert hold.claims[0].units == (1,)


async def test_too_few_are_refused_with_how_many_are_free_and_nothing_is_kept(database, run):
    async with database.begin() as work:
        await take(work, want(run, [4, 5, 6, 7], 4, 8), owner=BO, terms=TERMS)
        with pytest.raises(NotEnoughUnits) as refusal:
            await allocate(work, ask(9, run=run), owner=AN, terms=TERMS)
        assert refusal.value.fields == {"free": 8}
        with pytest.raises(NotEnoughUnits) as refusal:
            await allocate(work, ask(3, rows=((0, 1), (4, 5)), run=run), owner=AN, terms=TERMS)
        assert refusal.value.fields == {"free": 2}
        assert await claim_count(work) == 16


@pytest.mark.parametrize(
    ("count", "first", "end", "rows"),
    [
        (0, 0, 4, ROWS), (-1, 0, 4, ROWS), (1, 3, 3, ROWS), (1, 0, SLOTS + 1, ROWS),
        (1, 0, 4, ((0, 12),)), (1, 0, 4, ((0, -1),)), (1, 0, 4, ((0, 1), (1, 2))), (1, 0, 4, ()), (1, 0, 4, ((),)),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused(database, run, count, first, end, rows):
    async with database.begin() as work:
        with pytest.raises(UnknownUnits):
            await allocate(work, ask(count, first, end, rows, run), owner=AN, terms=TERMS)
        with pytest.raises(UnknownUnits):
            await allocate(work, ask(1, run=run + 1), owner=AN, terms=TERMS)


async def test_outside_the_sales_window_nothing_is_given(database):
    run = await open_run(database, units=12, slots=SLOTS, sales_close_at=database.clock())
    async with database.begin() as work:
        with pytest.raises(NotOnSale):
            await allocate(work, ask(1, run=run), owner=AN, terms=TERMS)


async def test_the_same_request_sent_again_changes_nothing(database, run):
    hold_id = new_id()
    async with database.begin() as work:
        first = await allocate(work, ask(2, run=run), owner=AN, terms=TERMS, hold_id=hold_id)
        assert first.id == hold_id
        assert await allocate(work, ask(2, run=run), owner=AN, terms=TERMS, hold_id=hold_id) == first
        assert await claim_count(work) == 6
        sold = await confirm(work, hold_id)
        assert await allocate(work, ask(2, run=run), owner=AN, terms=TERMS, hold_id=hold_id) == sold


async def test_an_id_used_for_something_else_is_refused(database, run):
    hold_id = new_id()
    other = await open_run(database, units=12, slots=SLOTS)
    async with database.begin() as work:
        await allocate(work, ask(2, run=run), owner=AN, terms=TERMS, hold_id=hold_id)
        for wrong, owner in (
            (ask(2, run=run), BO),
            (ask(3, run=run), AN),
            (ask(2, 2, 6, run=run), AN),
            (ask(2, rows=ROWS[1:], run=run), AN),
            (ask(2, run=other), AN),
        ):
            with pytest.raises(HoldConflict):
                await allocate(work, wrong, owner=owner, terms=TERMS, hold_id=hold_id)
        await release(work, hold_id)
        with pytest.raises(HoldConflict):
            await allocate(work, ask(2, run=run), owner=AN, terms=TERMS, hold_id=hold_id)
        assert await claim_count(work) == 0


async def test_the_same_request_twice_at_once_is_answered_alike(database, run):
    hold_id = new_id()

    async def send():
        async with database.begin() as work:
            return await allocate(work, ask(2, run=run), owner=AN, terms=TERMS, hold_id=hold_id)

    one, other = await asyncio.gather(send(), send())
    assert one == other
    async with database.begin() as work:
        assert await claim_count(work) == 6


async def test_who_was_slower_is_given_others(database, run, monkeypatch):
    """Between the choice and the take, somebody takes what was chosen: twice."""
    choices = []

    async def taken_meanwhile(work, wants, **more):
        choices.append(wants[0].units)
        if len(choices) <= 2:
            async with database.begin() as faster:
                await take(faster, want(run, [wants[0].units[0]], 0, SLOTS), owner=BO, terms=TERMS)
        return await take(work, wants, **more)

    monkeypatch.setattr(module, "take", taken_meanwhile)
    async with database.begin() as work:
        hold = await allocate(work, ask(2, run=run), owner=AN, terms=TERMS)
    assert choices == [(0, 1), (1, 2), (2, 3)]
    assert hold.claims == (Want(run, (2, 3), 2, 5),)


async def test_many_at_once_are_all_served_until_nothing_is_left(database, run):
    """Each would choose what all the others choose, and lose it as often as there are others."""

    async def buy(number):
        async with database.begin() as work:
            return await allocate(work, ask(1, run=run), owner=f"guest:{number}", terms=TERMS)

    answers = await asyncio.gather(*(buy(number) for number in range(16)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, NotEnoughUnits)]
    assert [answer.fields for answer in refused] == [{"free": 0}] * 4
    assert [type(answer) for answer in answers if answer not in refused] == [Hold] * 12
    async with database.begin() as work:
        assert await availability(work, [(run, 2, 5)]) == [0]
