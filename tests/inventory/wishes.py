"""What the model's test may wish for: units, stock or both, over any stretch of a small market."""

from dataclasses import dataclass, replace
from itertools import combinations

from hypothesis import strategies as st

from farebox.inventory import Amount, Want

UNITS, SLOTS, RUNS, STOCK = 3, 3, 2, 4

OWNERS = st.sampled_from(["guest:an", "guest:bo", "guest:chi"])
STRETCHES = st.sampled_from(list(combinations(range(SLOTS + 1), 2)))
RUN = st.integers(0, RUNS - 1)


@dataclass(frozen=True)
class Wish:
    """Units and amounts whose runs are positions, since the database makes the runs' ids."""

    wants: tuple[Want, ...]
    amounts: tuple[Amount, ...] = ()


WANTS = st.builds(
    Want,
    RUN,
    st.sets(st.integers(0, UNITS - 1), min_size=1).map(lambda units: tuple(sorted(units))),
    st.just(0),
    st.just(0),
)
AMOUNTS = st.builds(Amount, RUN, st.integers(1, STOCK), st.just(0), st.just(0))
UNIT_WISHES = st.lists(st.tuples(WANTS, STRETCHES), min_size=1, max_size=2).map(
    lambda wants: Wish(tuple(replace(want, first_slot=first, end_slot=end) for want, (first, end) in wants))
)
STOCK_WISHES = st.lists(st.tuples(AMOUNTS, STRETCHES), min_size=1, max_size=2).map(
    lambda amounts: Wish((), tuple(replace(amount, first_slot=f, end_slot=e) for amount, (f, e) in amounts))
)
MIXED_WISHES = st.builds(lambda units, stock: Wish(units.wants, stock.amounts), UNIT_WISHES, STOCK_WISHES)
WISHES = st.one_of(UNIT_WISHES, UNIT_WISHES, STOCK_WISHES, MIXED_WISHES)
