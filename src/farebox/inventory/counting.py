"""How much an owner holds at a time."""

from typing import Final

from farebox.core.together import Question

RUNNING_HOLDS: Final[Question[str, int]] = Question(
    """
    SELECT owner, running FROM unnest($1::text[]) AS asked (owner),
    LATERAL (SELECT count(*) AS running FROM hold
        WHERE hold.owner = asked.owner AND state = 'held'
          AND expires_at - statement_timestamp() > interval '0') AS theirs  -- no way to use the index on the clock
    """,
    lambda row: row[1],
)
"""How many holds of each owner are running."""
