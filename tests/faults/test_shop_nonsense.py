"""Whatever somebody gives a method of the shop, the answer is a result or a HubbubError."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hubbub
from hubbub import KEEP, HubbubError, Money, Session, Settings
from hubbub.method import Method
from hubbub.service import methods_of
from hubbub.shop.service import Shop

Backend = Literal["asyncio", "trio"]

DEEP: list[Any] = []
for _ in range(5_000):
    DEEP = [DEEP]
# JSON has these, and a client in the process has all that Python has.
NASTY: list[Any] = [
    None, True, False, 0, 1, -1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, 2**70, -(2**63) - 1,
    10**400, 10**5_000, 0.5, -0.0, 1e308, 5e-324, float("nan"), float("inf"), "", " ", "\0",
    "a\0b", "\ud800", "\u202e", "\u200d", "\u200b", "\ufeff", "\uffff", "\U0010ffff", "a" * 201,
    "é" * 60_000, "a" * 60_000, "\u0301" * 500, "'", '"', "%", "../..", "/", "a/b", "order/1",
    "pen", "SPRING", "1", "en_US", "de_DE@x=y", "../../etc/passwd", "en_" * 20_000, "root", "und",
    "USD", "XXX", "DE", "pm_card_visa", "2026-01-01T00:00:00Z", "<script>", [], {}, [None], DEEP,
    {"amount": 1, "currency": "USD"}, b"", b"\xff", object(), KEEP,
    datetime.max,  # noqa: DTZ901  # no zone on purpose
    datetime.min.replace(tzinfo=UTC), Money(1, "USD"), Money(-1, "USD"), Money(2**53 - 1, "JPY"),
]  # fmt: skip
GOOD: Mapping[str, Any] = {
    "sku": "pen", "name": "Pen", "price": Money(5, "USD"), "code": "SPRING", "percent": 5,
    "payment": "pm_card_visa", "key": "k", "quantity": 1, "by": 1,
}  # fmt: skip
METHODS = methods_of(Shop)


def arguments_of(method: Method) -> st.SearchStrategy[dict[str, Any]]:
    """Draw arguments: some are as they should be, some are left out, the rest is nonsense."""
    nasty = st.sampled_from(NASTY)
    fields = method.arguments.__struct_fields__
    drawn = {name: nasty | st.just(GOOD.get(name, "x")) for name in fields}
    optional = {name: drawn.pop(name) for name in fields if name in method.arguments.__annotations__
                and _may_be_left_out(method, name)}  # fmt: skip
    return st.fixed_dictionaries(drawn, optional=optional)


def _may_be_left_out(method: Method, name: str) -> bool:
    defaults = method.arguments.__struct_defaults__
    fields = method.arguments.__struct_fields__
    return name in fields[len(fields) - len(defaults) :] if defaults else False


calls = st.sampled_from(sorted(METHODS)).flatmap(
    lambda name: st.tuples(st.just(name), arguments_of(METHODS[name]))
)


async def call(backend_hub: Settings, done: list[tuple[str, dict[str, Any]]]) -> None:
    async with (
        hubbub.open("memory://", settings=backend_hub) as hub,
        hub.session("root", role="admin") as root,
        hub.session("eve") as eve,
        hub.session("victim") as victim,
    ):
        await root.shop.set_product("pen", "Pen", Money(5, "USD"), stock=10)
        await root.shop.set_coupon("SPRING", percent=10)
        for name, arguments in done:
            for session in (root, eve):
                await attempt(session, name, arguments)
        with anyio.fail_after(5):
            await victim.shop.cart()


async def attempt(session: Session, name: str, arguments: dict[str, Any]) -> None:
    method: Callable[..., Any] = getattr(session.shop, name.partition(".")[2])
    try:
        await method(**arguments)
    except HubbubError as error:
        # Nobody is sent back a whole body of nonsense.
        if len(error.message) > MESSAGE_CHARS_MAX:
            pytest.fail(f"{name} answers {len(error.message)} characters")


# The sandbox names all of its cards.
MESSAGE_CHARS_MAX = 600
SETTINGS = Settings(checkout_limit=1_000, payment_seconds_max=0.01, checkout_seconds_max=0.01,
                    drain_seconds_max=0.1)  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_each_method_answers_each_nonsense(backend: Backend, name: str) -> None:
    fields = METHODS[name].arguments.__struct_fields__
    done = list[tuple[str, dict[str, Any]]]()
    for field in fields:
        required = [one for one in fields if not _may_be_left_out(METHODS[name], one)]
        for nasty in NASTY:
            done.append((name, {one: GOOD.get(one, "x") for one in required} | {field: nasty}))

    anyio.run(call, SETTINGS, done, backend=backend)


@pytest.mark.hypothesis
@given(st.lists(calls, min_size=1, max_size=10))
def test_any_nonsense_is_answered(done: list[tuple[str, dict[str, Any]]]) -> None:
    anyio.run(call, SETTINGS, done)
