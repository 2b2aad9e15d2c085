"""The registry of methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec
import pytest

from hubbub.errors import Invalid
from hubbub.method import Method
from hubbub.service import (
    SEQ_MAX,
    Service,
    check_limit,
    check_seq,
    command,
    methods_of,
    query,
    remote,
    slow_command,
    slow_query,
)

R = TypeVar("R")


class Plan(Generic[R]):
    """Decides nothing, and gives a value."""

    def __init__(self, value: R) -> None:
        self.result: Callable[..., R] = lambda: value


class Sums(Service):
    """A service to try the registry with."""

    name = "sums"

    @command
    def add(self, one: int, other: int = 2, *, key: str | None = None) -> Plan[int]:
        """
        Add.

        Args:
            one: a number.
        """
        return Plan(one + other)

    @query
    def words(self, *, of: list[str]) -> Plan[str]:
        """Join words."""
        return Plan(" ".join(of))

    @slow_command
    async def wait(self) -> None:
        """Wait for something else."""

    @slow_query
    async def look(self, at: int) -> list[int]:
        """Look something up."""
        return [at]

    def helper(self) -> None:
        """Not for the network."""


class Ann:
    """A user whose plans are carried out at once."""

    user, role = "ann", "user"
    refused: Mapping[str, Mapping[str, str]] = {}

    async def execute(self, command: Plan[Any]) -> Any:
        """Give the value of a plan."""
        return command.result()

    def signal(self, stream: str, kind: str, body: Mapping[str, object] | None = None) -> None:
        """Tell nobody."""

    def new_id(self) -> str:
        """Give always the same."""
        return "7"


METHODS = methods_of(Sums)


def test_only_what_is_marked_is_listed() -> None:
    assert list(METHODS) == ["sums.add", "sums.words", "sums.wait", "sums.look"]


@pytest.mark.parametrize(
    ("name", "changes", "plain", "keyed"),
    [
        ("sums.add", True, True, True),
        ("sums.words", False, True, False),
        ("sums.wait", True, False, False),
        ("sums.look", False, False, False),
    ],
)
def test_each_is_known_by_its_marks(name: str, *, changes: bool, plain: bool, keyed: bool) -> None:
    method = METHODS[name]

    assert (method.changes, method.plain, method.keyed) == (changes, plain, keyed)


def test_the_result_of_a_plain_method_is_what_its_decision_gives() -> None:
    assert METHODS["sums.add"].result is int
    assert METHODS["sums.look"].result == list[int]


def test_arguments_are_read_by_their_types() -> None:
    decode = msgspec.json.Decoder(METHODS["sums.add"].arguments).decode

    assert msgspec.structs.asdict(decode(b'{"one":1}')) == {"one": 1, "other": 2, "key": None}
    for bad in (b"{}", b'{"one":"1"}', b'{"one":1,"more":2}'):
        with pytest.raises(msgspec.ValidationError):
            decode(bad)


async def test_a_plain_method_is_executed_when_it_is_awaited() -> None:
    sums = Sums(Ann())

    assert await sums.add(1) == 3
    assert await sums.words(of=["a", "b"]) == "a b"
    assert await sums.look(7) == [7]


async def test_a_remote_service_calls_with_arguments_by_name() -> None:
    calls: list[tuple[str, Mapping[str, Any]]] = []

    async def call(method: Method, arguments: Mapping[str, Any]) -> int:
        calls.append((method.name, dict(arguments)))
        return 7

    sums = remote(Sums, call)

    assert await sums.add(1, other=3, key="k") == 7
    assert calls == [("sums.add", {"one": 1, "other": 3, "key": "k"})]


async def test_a_remote_service_has_the_same_signature() -> None:
    async def call(method: Method, arguments: Mapping[str, Any]) -> None:
        raise AssertionError("it was not called right")

    with pytest.raises(TypeError):
        await remote(Sums, call).add()  # type: ignore[call-arg]


@pytest.mark.parametrize("limit", [0, -1, 501, None, "7", 1.5])
def test_a_limit_has_limits(limit: object) -> None:
    with pytest.raises(Invalid, match="500"):
        check_limit(limit, 500)


def test_a_good_limit_is_returned() -> None:
    assert check_limit(500, 500) == 500


@pytest.mark.parametrize(
    "value", [True, False, 1 << 63, 1 << 70, -1, 10**5000, 1.0, "1", None], ids=range(9)
)
def test_a_seq_and_a_limit_are_numbers_within_limits(value: object) -> None:
    with pytest.raises(Invalid):
        check_limit(value, 500)
    with pytest.raises(Invalid):
        check_seq(value)


@pytest.mark.parametrize(
    "wrong",
    [-1, SEQ_MAX + 1, 1 << 63, 1 << 70, 10**5_000, True, False, 1.0, "1", None, [1], b"1"],
    ids=lambda wrong: type(wrong).__name__,
)
def test_a_seq_that_no_store_could_take_is_refused(wrong: object) -> None:
    with pytest.raises(Invalid) as error:
        check_seq(wrong)

    assert len(error.value.message) < 200


@pytest.mark.parametrize(
    "wrong", [True, 1 << 70, 10**5_000, "x" * 100_000], ids=lambda wrong: type(wrong).__name__
)
def test_a_limit_that_is_no_number_is_refused_in_few_words(wrong: object) -> None:
    with pytest.raises(Invalid) as error:
        check_limit(wrong, 500)

    assert len(error.value.message) < 200
