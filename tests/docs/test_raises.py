"""Every public method names the errors that it raises, and the reference names the same."""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Iterator
from types import ModuleType

import pytest

import hubbub
import hubbub.client
import hubbub.domain
import hubbub.errors
import hubbub.server
import hubbub.testing
from hubbub.client.remote import RemoteSession
from hubbub.extras import MissingExtra
from hubbub.journal.decide.cache_entries import NotLoaded
from hubbub.journal.home import WrongLoop
from hubbub.method import Method
from hubbub.wire.connection_lost import ConnectionLost
from tests.docs.raises import METHODS, PAGE, page, raised_by

# Methods of services that raise only what every method may: a store that fails, a hub that closes.
RAISE_NOTHING = {
    "chat.unread",
    "shop.clear",
    "shop.orders",
    "shop.remove_coupon",
    "users.sign_out",
}
# Public functions and methods that raise nothing of their own, by their module.
FUNCTIONS_RAISE_NOTHING = {
    "hubbub": {
        "BestOf.decide",
        "FirstTo.decide",
        "FirstTo.goes_on",
        "FlatTax.tax",
        "Handler.on_end",
        "Handler.on_start",
        "Handler.on_tick",
        "Hubbub.connect",
        "Hubbub.disconnect",
        "Hubbub.drain",
        "Hubbub.is_connected",
        "Hubbub.keep_running",
        "Hubbub.new_guard",
        "Hubbub.session_of",
        "Hubbub.sign_in_command",
        "Hubbub.start",
        "RoundingProvider.payable",
        "Rounds.decide",
        "Table.cancel",
        "TaxPolicy.tax",
        "TaxTable.tax",
        "Timed.decide",
    },
    "hubbub.client": set(),
    "hubbub.domain": {
        "Actor.new_id",
        "Actor.ruled",
        "Actor.signal",
        "Arguments.get",
        "Arguments.keys",
        "Host.is_connected",
        "Host.keep_running",
        "Host.start",
        "Links.apply",
        "Links.count",
        "Links.ordered",
        "PartedState.kept",
        "PartedState.parts",
        "PartedState.restored",
        "Quota.new_limit",
        "RateLimit.idle",
        "RateLimit.refund",
        "StoredRateLimit.dump",
        "StoredRateLimit.load",
        "RemoteCache.changed",
        "Service.new_stream",
        "Service.waits",
        "State.apply",
        "State.current",
        "State.redacted",
        "State.revoked",
        "States.applied",
        "States.bind",
        "States.forget",
        "States.forget_key",
        "States.get",
        "States.hold",
        "States.missing",
        "States.missing_key",
        "States.missing_of",
        "States.pin",
        "States.put",
        "States.release",
        "States.set_time",
        "States.resize",
        "States.trim",
        "command",
        "nothing",
        "query",
        "rate_limit",
        "slow_command",
        "slow_query",
    },
    "hubbub.server": {
        "Gateway.address_of",
        "Gateway.close_all",
        "Gateway.close_soon",
        "Gateway.enter_session",
        "Gateway.flush",
        "Gateway.leave_session",
        "Gateway.leave_stream",
        "Gateway.new_pace",
        "Gateway.stop",
        "JSONResponse.render",
        "JwtAuthenticator.keep_fresh",
        "on_hubbub_error",
    },
    "hubbub.testing": {
        # Each call fails as the plan says; the class names the error.
        *(f"FaultyBus.{name}" for name in ("interrupt", "publish", "run")),
        *(f"FaultyStore.{name}" for name in vars(hubbub.testing.FaultyStore) if name[0] != "_"),
        "ManualClock.monotonic",
        "ManualClock.now",
        "VirtualClock.advance",
        "VirtualClock.monotonic",
        "VirtualClock.now",
        "VirtualLoop.run_in_executor",
        "VirtualLoop.shutdown_default_executor",
        "VirtualLoop.time",
        "VirtualLoop.watch_threads",
        "drawn_faults",
        "load",
    }
    - {f"FaultyStore.{name}" for name in ("blocking", "crashed")},
}
MODULES = [hubbub, hubbub.client, hubbub.domain, hubbub.server, hubbub.testing]
ERRORS = {
    **vars(builtins),
    **vars(hubbub.errors),
    **{error.__name__: error for error in (ConnectionLost, MissingExtra, NotLoaded, WrongLoop)},
}


def functions_of(module: ModuleType) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the public functions of a module and the methods of its classes, with their errors."""
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isfunction(value):
            yield name, raised_by(value.__doc__)
        elif inspect.isclass(value) and not issubclass(value, BaseException):
            for method, member in vars(value).items():
                function = getattr(member, "__func__", member)
                if not method.startswith("_") and inspect.isfunction(function):
                    yield f"{name}.{method}", errors_of(value, method)


def errors_of(kind: type, method: str) -> list[tuple[str, str]]:
    """Return the errors that a method documents, or the method that it overrides."""
    docs = (
        getattr(vars(base)[method], "__doc__", None)
        for base in kind.__mro__
        if method in vars(base)
    )
    return next((found for found in map(raised_by, docs) if found), [])


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_a_method_names_its_errors(method: Method) -> None:
    assert bool(raised_by(method.doc)) != (method.name in RAISE_NOTHING)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_a_method_with_a_key_names_the_error_of_another_use(method: Method) -> None:
    names = {name for names, _ in raised_by(method.doc) for name in names.split(", ")}

    assert ("KeyReused" in names) == method.keyed


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_public_function_names_its_errors(module: ModuleType) -> None:
    silent = {name for name, errors in functions_of(module) if not errors}

    assert silent == FUNCTIONS_RAISE_NOTHING[module.__name__]


@pytest.mark.parametrize("name", ["read", "follow", "signals"])
def test_a_session_over_a_network_leaves_its_errors_to_the_session(name: str) -> None:
    assert f":meth:`hubbub.Session.{name}`" in (getattr(RemoteSession, name).__doc__ or "")
    assert raised_by(getattr(hubbub.Session, name).__doc__)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_error_that_is_named_exists(module: ModuleType) -> None:
    named = {
        (function, name)
        for function, errors in functions_of(module)
        for names, _ in errors
        for name in names.split(", ")
    }

    assert {(function, name) for function, name in named if name not in ERRORS} == set()


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_every_error_that_a_method_names_exists(method: Method) -> None:
    names = {name for names, _ in raised_by(method.doc) for name in names.split(", ")}

    assert {name for name in names if name not in ERRORS} == set()


def test_the_reference_has_the_errors_of_the_docstrings() -> None:
    assert PAGE.read_text() == page()


def test_errors_are_read_from_a_docstring() -> None:
    doc = """
    Do it.

    Raises:
        Invalid: it is
            too long.
        NotMember, Banned: you are out.
    """

    assert raised_by(doc) == [
        ("Invalid", "it is too long."),
        ("NotMember, Banned", "you are out."),
    ]
