"""How much of a run is gone on a stretch, for everybody and before a hold was taken."""

from tests.inventory.kernel import TERMS, open_run, want

from farebox.inventory import Taken, block, confirm, count_gone, count_taken, take


async def test_a_unit_counts_once_where_somebody_has_it_on_a_part_of_the_stretch(database):
    run = await open_run(database, units=5, slots=4)
    async with database.begin() as work:
        await take(work, want(run, 0, first=0, end=2), owner="guest:an", terms=TERMS)
        await take(work, want(run, 0, first=2, end=4), owner="guest:bo", terms=TERMS)
        sold = await take(work, want(run, 1, first=3, end=4), owner="guest:chi", terms=TERMS)
        await confirm(work, sold.id)
        await block(work, want(run, 2, first=0, end=4), owner="crew")
        assert await count_gone(work, run, 0, 4) == 3
        assert await count_gone(work, run, 0, 3) == 2


async def test_before_a_hold_only_what_was_taken_earlier_counts(database):
    run = await open_run(database, units=5)
    async with database.begin() as work:
        await take(work, want(run, 0), owner="guest:an", terms=TERMS)
    async with database.begin() as work:
        own = await take(work, want(run, [1, 2]), owner="guest:bo", terms=TERMS)
    async with database.begin() as work:
        await take(work, want(run, 3), owner="guest:chi", terms=TERMS)
        assert await count_gone(work, run, 0, 1, before=own.id) == 1
        assert await count_gone(work, run, 0, 1) == 4


async def test_what_has_run_out_is_not_gone(database):
    run = await open_run(database, units=5)
    async with database.begin() as work:
        hold = await take(work, want(run, 0), owner="guest:an", terms=TERMS)
        await work.execute("UPDATE claim SET expires_at = now() - interval '1 s' WHERE hold_id = %s", (hold.id,))
        assert await count_gone(work, run, 0, 1) == 0


async def test_a_run_is_as_full_as_units_are_sold_or_held_on_any_part_of_it(database):
    run, other, empty = [await open_run(database, units=5, slots=4) for _ in range(3)]
    async with database.begin() as work:
        for first in (0, 2):  # unit 0 is sold twice, one part each
            sold = await take(work, want(run, 0, first=first, end=first + 2), owner="guest:an", terms=TERMS)
            await confirm(work, sold.id)
        sold = await take(work, want(run, 1, first=0, end=2), owner="guest:bo", terms=TERMS)
        await confirm(work, sold.id)
        await take(work, want(run, [1, 2], first=2, end=4), owner="guest:chi", terms=TERMS)
        over = await take(work, want(run, 3), owner="guest:dung", terms=TERMS)
        await work.execute("UPDATE claim SET expires_at = now() - interval '1 s' WHERE hold_id = %s", (over.id,))
        await block(work, want(run, 4, first=0, end=4), owner="crew")
        await take(work, want(other, 0), owner="guest:an", terms=TERMS)
        full = {run: Taken(sold=2, held=1), other: Taken(sold=0, held=1), empty: Taken(sold=0, held=0)}
        assert await count_taken(work, [run, other, empty]) == full
