from __future__ import annotations

from hubbub.testing.simulation.counterexample import Call, Counterexample, Placed, Unplaced


def test_it_is_a_table() -> None:
    counterexample = Counterexample[object](
        (Placed(Call(("add", "tea"), 1, 4), "1 tea"), Placed(Call(("add", "x" * 99), 2), "2")),
        (Unplaced(Call("get", 5, 6, "1 tea"), "2 teas"),),
    )
    head, *lines = str(counterexample).splitlines()

    assert head.startswith("The calls are not linearizable")
    assert [line.split()[:3] for line in lines] == [
        ["made", "returned", "operation"],
        ["1", "1", "4"],
        ["2", "2", "?"],
        ["?", "5", "6"],
    ]
    assert "expects '2 teas'" in lines[3]
    assert "…" in lines[2]
    assert "unknown" in lines[2]


def test_a_call_without_a_return_is_unknown() -> None:
    assert Call("get", 1).is_unknown
    assert not Call("get", 1, 2).is_unknown
