"""Many requests in one transaction: one round trip to read, a decision in memory, one to write and commit.

The locks are those of a single take and are had in the same order: the owner's other requests, the owner's running
holds, the runs by id, the new hold rows, the claims by key in one pass of one statement. Those on owners and their
holds are had before reading, and not waited for: a request that meets somebody there goes its own way. A batch that
replaces nothing reads without any lock, so those that lose cost the database no write at all.

Between reading and writing somebody else may be faster. The claims are therefore written as a single take writes them,
on condition that the run is still on sale and that they are free by the database's own clock, and counted in the same
statement: fewer than decided is an error, and nothing of the batch stays.

Plans are made once, when the tables may be empty or their growth unknown. So each statement is written in such a way
that there is but one way to find its rows: by the index on what is asked for, key by key (`LATERAL` … `OFFSET 0`).
"""
# ruff: noqa: S608  (the statements are put together from constants)

from collections.abc import Sequence
from typing import Final

import psycopg

from farebox.core.pipeline import Pipeline, Statement, numbers, plain, quoted, texts
from farebox.inventory.deciding import Member, Picture, Run, Running, pack_key, unpack_key
from farebox.inventory.queries import HoldRecord
from farebox.inventory.statements import HOLDS
from farebox.inventory.views import Hold, Keys, TakeRequest, Want, pack, wants_of

SomebodyWasFaster = psycopg.errors.DivisionByZero
"""What counting the claims raises: the picture that the batch was decided on is out of date."""

_BE_ALONE: Final = """
SELECT owner, pg_try_advisory_xact_lock(hashtextextended(owner, run))
FROM unnest($1::text[], $2::bigint[]) AS pair (owner, run)"""
"""The lock that a single take waits for in `BE_ALONE`."""

_RUNNING: Final = f"""
WITH running AS (
    SELECT id AS running_id, asked.owner AS running_owner FROM unnest($1::text[]) AS asked (owner),
    LATERAL (SELECT id FROM hold
        WHERE hold.owner = asked.owner AND state = 'held'
          AND expires_at - statement_timestamp() > interval '0'  -- no way to use the index on the clock
          AND (id = ANY ($2::uuid[]) OR EXISTS (
              SELECT FROM jsonb_array_elements(wants || amounts) AS part
              WHERE (part ->> 0)::bigint = ANY ($3::bigint[])))
        OFFSET 0) AS theirs
), locked AS ({HOLDS}
    WHERE id = ANY (ARRAY(SELECT running_id FROM running))
      AND coalesce(state = 'held' AND expires_at > clock_timestamp(), false)  -- no way to use one of all running holds
    ORDER BY id
    FOR UPDATE SKIP LOCKED
)
SELECT running_owner, locked.* FROM running LEFT JOIN locked ON id = running_id"""
"""Holds that may be replaced; one that somebody else is changing comes with its owner only."""

_USED: Final = f"{HOLDS} WHERE id = ANY ($1::uuid[])"

_ON_SALE: Final = """
coalesce(sales_open_at <= statement_timestamp(), true) AND coalesce(sales_close_at > statement_timestamp(), true)"""

_RUNS: Final = f"SELECT id, units, slots, {_ON_SALE} FROM inventory WHERE id = ANY ($1::bigint[])"

_TAKEN: Final = """
SELECT inventory_id, taken.unit, slot
FROM unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::smallint[]) AS asked (run, unit, first_slot, end_slot),
LATERAL (SELECT inventory_id, unit, slot FROM claim
    WHERE claim.inventory_id = run AND claim.unit = asked.unit AND slot >= first_slot AND slot < end_slot
      AND (expires_at IS NULL OR expires_at > clock_timestamp())
    OFFSET 0) AS taken"""

_MAKE_HOLDS: Final = """
INSERT INTO hold (id, owner, state, expires_at, first_taken_at, latest_at, extensions, max_extensions, wants)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
                     $7::smallint[], $8::smallint[], $9::jsonb[])"""

_LOCK_RUNS: Final = f"""
SELECT 1 / (count(*) = $2)::int
FROM (SELECT FROM inventory WHERE id = ANY ($1::bigint[]) AND {_ON_SALE} ORDER BY id FOR KEY SHARE) AS runs"""

_CLAIM: Final = """
WITH claimed AS (
    INSERT INTO claim AS theirs (inventory_id, unit, slot, hold_id, expires_at)
    SELECT run, unit, slot, hold_id, expires_at
    FROM unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::smallint[], $5::uuid[], $6::timestamptz[])
        AS wanted (run, unit, first_slot, end_slot, hold_id, expires_at),
        generate_series(first_slot, end_slot - 1) AS slot
    ORDER BY run, unit, slot
    ON CONFLICT (inventory_id, unit, slot) DO UPDATE
        SET hold_id = excluded.hold_id, expires_at = excluded.expires_at
        WHERE theirs.expires_at <= clock_timestamp() OR theirs.hold_id = ANY ($7::uuid[])
    RETURNING 1
)
SELECT 1 / (count(*) = $8)::int FROM claimed"""

_GIVE_UP: Final = """
DELETE FROM claim WHERE ctid = ANY (ARRAY(
    SELECT mine.ctid FROM unnest($1::bigint[], $2::smallint[], $3::smallint[]) AS key (run, unit, slot),
    LATERAL (SELECT ctid FROM claim
        WHERE claim.inventory_id = run AND claim.unit = key.unit AND claim.slot = key.slot AND claim.hold_id = $4
        OFFSET 0) AS mine))"""
"""Found as in `_TAKEN`. Rows of ours that this transaction has just written: they stay where they are."""

_END: Final = "UPDATE hold SET state = 'released' WHERE id = ANY ($1::uuid[])"
"""They are locked, and were held when they were."""

_CLOCK: Final = "SELECT clock_timestamp()"

STATEMENTS: Final = (_BE_ALONE, _RUNNING, _USED, _RUNS, _TAKEN, _CLOCK, _LOCK_RUNS, _MAKE_HOLDS, _CLAIM, _END, _GIVE_UP)
"""What is worth preparing, where the connection is the same for every batch."""


async def take_together(pipeline: Pipeline, members: Sequence[Member], *, begin: Sequence[str] = ()) -> None:
    """Decide about the members in their order and commit what they have won, in one transaction.

    Args:
        begin: the statements that must begin every transaction on this connection, if there are any.

    Raises:
        SomebodyWasFaster: nothing was changed; the same again would be decided otherwise.
        psycopg.Error: anything else that the database refused; nothing was changed, unless the connection is lost.
    """
    requests = [member.request for member in members]
    replacing = [request for request in requests if request.replaces_own or request.replaces]
    if replacing and not begin:
        begin = ("BEGIN",)  # the locks that reading takes must last; else what is sent together is a transaction
    try:
        picture = await _read(pipeline, requests, replacing, begin)
        for member in members:
            picture.serve(member)
        winners = [member for member in members if member.is_new]
        if winners:
            await pipeline.send(_writes(winners) + [("COMMIT", ()) for _ in begin[:1]])
        else:
            await pipeline.roll_back()
    except psycopg.Error:
        if not pipeline.is_closed:
            await pipeline.roll_back()
        raise


async def _read(
    pipeline: Pipeline, requests: Sequence[TakeRequest], replacing: Sequence[TakeRequest], begin: Sequence[str]
) -> Picture:
    """Lock what is to be replaced, and see who has what."""
    used = [str(request.hold_id) for request in requests if request.hold_id is not None]
    runs = {want.inventory_id for request in requests for want in request.wants}
    statements: list[Statement] = [(statement, ()) for statement in begin]
    if replacing:
        statements += _locks_of_replaced(replacing)
    if used:
        statements.append((_USED, (plain(used),)))
    statements += [(_RUNS, (numbers(runs),)), (_TAKEN, _ranges(requests)), (_CLOCK, ())]
    answers = iter((await pipeline.send(statements))[len(begin) :])
    alone, running = (next(answers), next(answers)) if replacing else ([], [])
    known = next(answers) if used else []
    sizes, taken, [[at]] = answers
    picture = Picture(
        at,
        {run: Run(units, slots, on_sale) for run, units, slots, on_sale in sizes},
        {pack_key(*key) for key in taken},
        running={request.owner: [] for request in replacing},
        out_of_reach={owner for owner, is_ours in alone if not is_ours},
        used={row[0]: HoldRecord(*row) for row in known},
    )
    for owner, *row in running:
        if row[0] is None or HoldRecord(*row).amounts:
            picture.out_of_reach.add(owner)
        else:
            picture.running[owner].append(Running.of_record(HoldRecord(*row)))
    return picture


def _locks_of_replaced(replacing: Sequence[TakeRequest]) -> list[Statement]:
    """Two statements: the second must see what the request before us has committed."""
    pairs = sorted({(r.owner, want.inventory_id) for r in replacing if r.replaces_own for want in r.wants})
    own_runs = numbers(run for _, run in pairs)
    owners = texts({request.owner for request in replacing})
    replaced = plain(str(request.replaces) for request in replacing if request.replaces)
    return [
        (_BE_ALONE, (texts(owner for owner, _ in pairs), own_runs)),
        (_RUNNING, (owners, replaced, own_runs)),
    ]


def _ranges(requests: Sequence[TakeRequest]) -> tuple[str, ...]:
    """The rows of `_TAKEN`: a unit over a range of slots each."""
    runs: list[int] = []
    units: list[int] = []
    firsts: list[int] = []
    ends: list[int] = []
    for request in requests:
        for want in request.wants:
            for unit in want.units:
                runs.append(want.inventory_id)
                units.append(unit)
                firsts.append(want.first_slot)
                ends.append(want.end_slot)
    return numbers(runs), numbers(units), numbers(firsts), numbers(ends)


def _writes(winners: Sequence[Member]) -> list[Statement]:
    claims = _Claims()
    for member in winners:
        if not member.has_ended:
            claims.add(member)
    runs = {want.inventory_id for member in winners for want in member.request.wants}
    first: list[Statement] = [(_LOCK_RUNS, (numbers(runs), str(len(runs)))), (_MAKE_HOLDS, _hold_columns(winners))]
    ended = [old for member in winners for old in member.ended if old.member is None]
    if not ended:
        return [*first, (_CLAIM, claims.columns())]
    # What is won and what is given up has to be locked in one pass. So both are claimed, and then the latter let go.
    kept = set().union(*(member.keys for member in winners if not member.has_ended))
    surplus = sorted({unpack_key(key) for old in ended for key in old.keys if key not in kept})
    heir = next(member.hold for member in winners if member.ended)
    assert heir is not None
    for run, unit, slot in surplus:
        claims.add_key(run, unit, slot, heir)
    ids = plain([str(old.id) for old in ended])
    statements = [*first, (_CLAIM, claims.columns(ids)), (_END, (ids,))]
    if surplus:
        statements.append((_GIVE_UP, (*map(numbers, zip(*surplus, strict=True)), str(heir.id))))
    return statements


class _Claims:
    """The rows of `_CLAIM`: a unit over a range of slots each, and whose it becomes."""

    def __init__(self) -> None:
        self._runs: list[int] = []
        self._units: list[int] = []
        self._firsts: list[int] = []
        self._ends: list[int] = []
        self._holds: list[str] = []
        self._expiries: list[str] = []
        self._count = 0

    def add(self, member: Member) -> None:
        hold = member.hold
        assert hold is not None
        hold_id, expiry = str(hold.id), str(hold.expires_at)
        wants: Sequence[Want] = hold.claims
        if len(member.keys) != sum(len(want.units) * (want.end_slot - want.first_slot) for want in wants):
            wants = wants_of(Keys.of(map(unpack_key, member.keys)))  # some were asked for twice
        for want in wants:
            for unit in want.units:
                self._runs.append(want.inventory_id)
                self._units.append(unit)
                self._firsts.append(want.first_slot)
                self._ends.append(want.end_slot)
                self._holds.append(hold_id)
                self._expiries.append(expiry)
        self._count += len(member.keys)

    def add_key(self, run: int, unit: int, slot: int, hold: Hold) -> None:
        self._runs.append(run)
        self._units.append(unit)
        self._firsts.append(slot)
        self._ends.append(slot + 1)
        self._holds.append(str(hold.id))
        self._expiries.append(str(hold.expires_at))
        self._count += 1

    def columns(self, ended: str = "{}") -> tuple[str, ...]:
        """The parameters of `_CLAIM`, where the claims of the holds in `ended` may be overtaken too."""
        return (
            numbers(self._runs),
            numbers(self._units),
            numbers(self._firsts),
            numbers(self._ends),
            plain(self._holds),
            texts(self._expiries),
            ended,
            str(self._count),
        )


def _hold_columns(winners: Sequence[Member]) -> tuple[str, ...]:
    rows = [_hold_row(member) for member in winners]
    ids, owners, states, expiries, firsts, latests, extensions, limits, wants = zip(*rows, strict=True)
    return (
        plain(ids),
        texts(owners),
        plain(states),
        texts(expiries),
        texts(firsts),
        texts(latests),
        numbers(extensions),
        numbers(limits),
        quoted(wants),
    )


def _hold_row(member: Member) -> tuple[str, str, str, str, str, str, int, int, str]:
    hold = member.hold
    assert hold is not None
    return (
        str(hold.id),
        hold.owner,
        "released" if member.has_ended else "held",
        str(hold.expires_at),
        str(hold.first_taken_at),
        str(member.latest_at),
        hold.extensions,
        member.request.terms.max_extensions,
        str(pack(hold.claims)),
    )
