"""The kernel's SQL.

Clocks. `now()` is the start of the transaction, so a transaction that has waited would see claims as alive that have
run out, and would hand out less time than it promises. Therefore:

- what decides about a row (may this claim be overtaken?) asks `clock_timestamp()`, which is read after the row was
  locked, however long that took;
- what is given out (the end of a hold, which must be the same on all its claims) is read once per statement, in a
  materialised `moment`;
- what only reads asks `statement_timestamp()`: it is one instant for all rows, and an index can be searched with it.

Locks. A hold's row first, then runs by id, then claims by primary key, then stock (see `stock`), each in one pass of
one statement. A taker that meets somebody's claim locks that row for a moment even when it does not get it, so every
statement that changes claims sorts them, and a hold that replaces another claims the union of both in the same pass.
Who changes several holds in one unit of work calls `lock_holds` first.
"""
# ruff: noqa: S608  (the statements are put together from constants of this file)

_RUNS = """
runs AS MATERIALIZED (
    SELECT id, units, slots FROM inventory
    WHERE id = ANY (%(runs)s::bigint[])
      AND (NOT %(selling)s OR (coalesce(sales_open_at <= statement_timestamp(), true)
                               AND coalesce(sales_close_at > statement_timestamp(), true)))
    ORDER BY id
    FOR KEY SHARE
)"""

_CLAIM = """
claimed AS (
    INSERT INTO claim AS theirs (inventory_id, unit, slot, hold_id, expires_at)
    SELECT key.inventory_id, key.unit, key.slot, mover.id, mover.expires_at
    FROM unnest(%(inventory_ids)s::bigint[], %(units)s::smallint[], %(slots)s::smallint[])
        AS key (inventory_id, unit, slot)
    JOIN runs ON runs.id = key.inventory_id AND key.unit < runs.units AND key.slot < runs.slots
    CROSS JOIN mover
    ORDER BY key.inventory_id, key.unit, key.slot
    ON CONFLICT (inventory_id, unit, slot) DO UPDATE
        SET hold_id = excluded.hold_id, expires_at = excluded.expires_at
        WHERE theirs.expires_at <= clock_timestamp() OR theirs.hold_id = ANY (%(replaces)s::uuid[])
    RETURNING inventory_id, unit, slot
)
SELECT mover.first_taken_at, mover.expires_at, mover.latest_at, claimed.inventory_id, claimed.unit, claimed.slot
FROM mover LEFT JOIN claimed ON true"""

TAKE = f"""
WITH {_RUNS},
mover AS (
    INSERT INTO hold
        (id, owner, state, expires_at, first_taken_at, latest_at, extensions, max_extensions, wants, amounts)
    SELECT %(hold_id)s, %(owner)s, 'held',
           coalesce(%(until)s::timestamptz, least(moment.at + make_interval(secs => %(ttl)s), moment.latest)),
           moment.first, moment.latest, %(extensions)s, %(max_extensions)s, %(wants)s, %(amounts)s
    FROM (SELECT at, first, first + make_interval(secs => %(total)s) AS latest
          FROM (SELECT at, coalesce(%(first)s::timestamptz, at) AS first FROM (SELECT clock_timestamp() AS at) AS clock)
              AS begun) AS moment
    ON CONFLICT (id) DO NOTHING
    RETURNING id, first_taken_at, expires_at, latest_at
), {_CLAIM}"""
"""Makes the hold and its claims, or, when the hold's id was used before, nothing: then no row comes back.

Fewer claims back than asked: the request lost, and its savepoint must be rolled back."""

RECLAIM = f"""
WITH {_RUNS},
mover AS (
    UPDATE hold SET state = 'confirmed', expires_at = NULL, confirmed_at = clock_timestamp()
    WHERE id = %(hold_id)s AND state = ANY (%(sources)s)
    RETURNING id, first_taken_at, expires_at, latest_at
), {_CLAIM}"""
"""Takes what an ended hold had, for good. Counted and rolled back like `TAKE`."""

SWAP = f"""
WITH {_RUNS},
mover AS (
    UPDATE hold SET wants = %(wants)s, amounts = %(amounts)s
    WHERE id = %(hold_id)s AND state = ANY (%(sources)s) AND coalesce(expires_at > clock_timestamp(), true)
    RETURNING id, first_taken_at, expires_at, latest_at
), {_CLAIM}"""
"""Takes what a hold is to have, and keeps what it has: the union of both, in one pass. Counted and rolled back like
`TAKE`; no row comes back when the hold's time is over."""

BLOCK = f"""
WITH {_RUNS},
mover AS (
    INSERT INTO hold
        (id, owner, state, expires_at, first_taken_at, latest_at, extensions, max_extensions, confirmed_at, wants)
    SELECT %(hold_id)s, %(owner)s, 'blocked', NULL, at, at, 0, 0, at, %(wants)s
    FROM (SELECT clock_timestamp() AS at) AS moment
    RETURNING id, first_taken_at, expires_at, latest_at
), {_CLAIM}"""
"""Takes units for good, and sells them to nobody: what was `confirmed_at` once is never reclaimed."""

_MINE = """
mine AS (
    SELECT claim.inventory_id, claim.unit, claim.slot
    FROM unnest(%(inventory_ids)s::bigint[], %(units)s::smallint[], %(slots)s::smallint[])
        AS key (inventory_id, unit, slot)
    JOIN claim USING (inventory_id, unit, slot)
    WHERE claim.hold_id = ANY (%(hold_ids)s)
    ORDER BY claim.inventory_id, claim.unit, claim.slot
    FOR UPDATE OF claim
)"""

_REARM_CLAIMS = """
rearmed AS (
    UPDATE claim SET expires_at = moved.expires_at
    FROM mine, moved
    WHERE claim.inventory_id = mine.inventory_id AND claim.unit = mine.unit AND claim.slot = mine.slot
)"""

ANSWERED = """
SELECT expires_at, extensions FROM moved"""
"""Put behind `EXTEND`, `REARM` or `CONFIRM`: no row where it could not be done."""

CERTAIN = """
SELECT 1 / count(*) FROM moved"""
"""The same for who does not wait for an answer, since it must be so: otherwise the transaction fails."""

EXTEND = f"""
WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at), {_MINE},
moved AS (
    UPDATE hold
    SET expires_at = least(moment.at + make_interval(secs => %(seconds)s), latest_at), extensions = extensions + 1
    FROM moment
    WHERE id = %(hold_id)s AND state = ANY (%(sources)s) AND expires_at > moment.at
      AND (SELECT count(*) FROM mine) = %(count)s
    RETURNING expires_at, extensions
), {_REARM_CLAIMS}"""
"""Moves the clocks of a hold and all its claims, or, when one of them is not its own any more, of none."""

REARM = f"""
WITH {_MINE},
moved AS (
    UPDATE hold
    SET owner = coalesce(%(owner)s, owner),
        expires_at = greatest(
            expires_at, coalesce(%(until)s::timestamptz, clock_timestamp() + make_interval(secs => %(seconds)s)))
    WHERE id = %(hold_id)s AND state = ANY (%(sources)s) AND (SELECT count(*) FROM mine) = %(count)s
    RETURNING expires_at, extensions
), {_REARM_CLAIMS}"""
"""Without an `owner`, the hold stays whose it is; without `until`, it runs for so many seconds from now."""

CONFIRM = f"""
WITH {_MINE},
moved AS (
    UPDATE hold SET state = 'confirmed', expires_at = NULL, confirmed_at = clock_timestamp()
    WHERE id = %(hold_id)s AND state = ANY (%(sources)s) AND (SELECT count(*) FROM mine) = %(count)s
    RETURNING expires_at, extensions
), {_REARM_CLAIMS}"""

LOCK_CLAIMS = f"""
WITH {_MINE}
SELECT count(*) FROM mine"""

GIVE_UP_CLAIMS = f"""
WITH {_MINE}
DELETE FROM claim USING mine
WHERE claim.inventory_id = mine.inventory_id AND claim.unit = mine.unit AND claim.slot = mine.slot"""

END_HOLDS = """
UPDATE hold SET state = %(state)s, expires_at = coalesce(expires_at, clock_timestamp())
WHERE id = ANY (%(hold_ids)s) AND state = ANY (%(sources)s)"""

HOLDS = """
SELECT id, owner, state, expires_at, first_taken_at, latest_at, extensions, max_extensions, wants, amounts,
       confirmed_at, clock_timestamp() AS read_at
FROM hold"""

BE_ALONE = """
SELECT pg_advisory_xact_lock(hashtextextended(%(owner)s, run)) FROM unnest(%(runs)s::bigint[]) AS run"""
"""Lets one owner's requests about one run wait for each other. The runs are sorted by the caller."""

REPLACED = f"""{HOLDS}
WHERE owner = %(owner)s AND state = 'held' AND expires_at > statement_timestamp()
  AND (id = %(hold_id)s OR EXISTS (
      SELECT FROM jsonb_array_elements(wants || amounts) AS part
      WHERE (part ->> 0)::bigint = ANY (%(runs)s::bigint[])))
ORDER BY id
FOR UPDATE"""

CLAIMS_ON = """
SELECT claim.inventory_id, claim.unit, claim.slot, claim.hold_id, hold.owner, claim.expires_at, hold.state
FROM claim JOIN hold ON hold.id = claim.hold_id
WHERE claim.inventory_id = %s AND claim.slot >= %s AND claim.slot < %s
  AND (claim.expires_at IS NULL OR claim.expires_at > statement_timestamp())
ORDER BY claim.unit, claim.slot"""

STATUS = """
SELECT claimed.unit,
       CASE WHEN bool_or(hold.state = 'blocked') THEN 'blocked'
            WHEN bool_or(claimed.until IS NULL) THEN 'sold' ELSE 'held' END,
       array_agg(DISTINCT hold.owner),
       CASE WHEN bool_and(claimed.until IS NOT NULL) THEN max(claimed.until) END
FROM (SELECT unit, hold_id, max(expires_at) AS until FROM claim
      WHERE inventory_id = %s AND slot >= %s AND slot < %s
        AND (expires_at IS NULL OR expires_at > statement_timestamp())
      GROUP BY unit, hold_id) AS claimed
JOIN hold ON hold.id = claimed.hold_id
GROUP BY claimed.unit
ORDER BY claimed.unit"""
"""One range of the index for the run. All claims of a hold end at the same instant, so any of them tells it."""

_BUSY = """
    SELECT count(*) FROM (
        SELECT FROM claim
        WHERE claim.inventory_id = asked.inventory_id
          AND claim.slot >= asked.first_slot AND claim.slot < asked.end_slot {condition}
        GROUP BY claim.unit) AS busy"""

AVAILABILITY = f"""
WITH lapsed AS MATERIALIZED (
    SELECT DISTINCT (want ->> 0)::bigint AS inventory_id FROM hold, jsonb_array_elements(hold.wants) AS want
    WHERE hold.state = 'held' AND hold.expires_at <= statement_timestamp()
)
SELECT coalesce((SELECT units FROM inventory WHERE id = asked.inventory_id), 0) - CASE
    WHEN asked.inventory_id IN (SELECT inventory_id FROM lapsed)
    THEN ({_BUSY.format(condition="AND (claim.expires_at IS NULL OR claim.expires_at > statement_timestamp())")})
    ELSE ({_BUSY.format(condition="")}) END
FROM unnest(%s::bigint[], %s::smallint[], %s::smallint[]) WITH ORDINALITY
    AS asked (inventory_id, first_slot, end_slot, position)
ORDER BY asked.position"""
"""Subqueries and no joins: the cost grows with what is asked, not with all that was ever claimed.

Only where a hold's time is over and nobody has swept it is there anything to ask of the claims' clocks. Everywhere else
their keys tell all, and the index alone is read, which takes half the time."""
