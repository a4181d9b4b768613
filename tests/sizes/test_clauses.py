"""Sets of sizes as conditions: what is written says the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archdsl.sizes import Equal, symbol
from archdsl.sizes.clauses import MOST, clause
from archdsl.sizes.naturals import EVERY, NONE, Naturals

naturals = st.builds(
    Naturals.of,
    st.lists(st.integers(1, 30), max_size=4),
    st.integers(1, 20),
    st.one_of(st.none(), st.integers(1, 60)),
    st.sampled_from([1, 2, 6]),
    st.sets(st.integers(0, 5)),
).filter(lambda values: values != NONE)


@given(naturals)
def test_a_clause_holds_for_exactly_the_set(values: Naturals) -> None:
    text = clause({"H": values}, [])
    if text is None:
        assert len(values.members) > MOST
        return
    for h in range(1, 150):
        assert (not text or eval(text, {"H": h})) == (h in values), text


def test_how_it_reads() -> None:
    assert clause({"H": Naturals.of(start=32, period=16), "W": EVERY}, []) == "H % 16 == 0 and H >= 32"
    assert clause({"H": EVERY, "W": EVERY}, [Equal(symbol("H"), symbol("W"))]) == "H == W"
    assert clause({"H": Naturals.of(range(3, 8), residues=())}, []) == "3 <= H <= 7"
    assert clause({"H": EVERY}, []) == ""
    assert clause({"H": Naturals.of(period=40, residues=range(0, 40, 3))}, []) is None, "too many to list"
