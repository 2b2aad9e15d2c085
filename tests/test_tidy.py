"""The house rules that no other tool checks. Each test names every offender at once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "hubbub"
PLUGIN = ROOT / "src" / "pytest_hubbub"
TESTS = ROOT / "tests"

# It knows nothing of the rest, as a package of its own, so its words are its own too.
SIMULATION = SOURCE / "testing" / "simulation"

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50

# Modules without a test module of their own, and where they are tested. It may only shrink.
TESTED_ELSEWHERE: dict[str, str] = {
    # The session suite runs them in the process and over a socket, on each store.
    "chat/messages/history.py": "tests/session/test_history.py",
    "chat/service.py": "tests/session/test_messages.py",
    "chat/messages/commands.py": "tests/session/test_limits.py",
    "games/service.py": "tests/session/test_matches.py",
    "session.py": "tests/session/test_following.py",
    "shop/orders/user_orders.py": "tests/session/test_orders.py",
    "shop/service.py": "tests/session/test_checkout.py",
    "operations/service.py": "tests/session/test_accounts.py",
    "users/administration.py": "tests/session/test_administration.py",
    "users/service.py": "tests/session/test_users.py",
    "chat/sealed_service.py": "tests/session/test_sealed.py",
    "keys/commands.py": "tests/session/test_keys.py",
    "keys/device.py": "tests/session/test_keys.py",
    "keys/service.py": "tests/session/test_keys.py",
    "keys/state.py": "tests/session/test_keys.py",
    # Encrypted sessions are tested as a whole.
    "encryption/chat.py": "tests/encryption/test_session.py",
    "encryption/payloads.py": "tests/encryption/test_mischief.py",
    "encryption/room_log.py": "tests/encryption/test_mischief.py",
    # What each feature declares is read together.
    "feature.py": "tests/test_feature_set.py",
    "opening.py": "tests/test_hub.py",
    "chat/feature.py": "tests/test_feature_checks.py",
    "games/feature.py": "tests/test_feature_checks.py",
    "keys/feature.py": "tests/test_feature_checks.py",
    "operations/feature.py": "tests/test_feature_checks.py",
    "shop/feature.py": "tests/test_feature_checks.py",
    "users/feature.py": "tests/test_feature_checks.py",
    "chat/grants.py": "tests/test_permissions.py",
    "games/grants.py": "tests/test_permissions.py",
    "keys/grants.py": "tests/test_permissions.py",
    "operations/grants.py": "tests/test_permissions.py",
    "shop/grants.py": "tests/test_permissions.py",
    "users/grants.py": "tests/test_permissions.py",
    "games/runtime.py": "tests/games/matches/test_supervisor.py",
    "users/runtime.py": "tests/users/test_claims.py",
    "users/signing_in.py": "tests/session/test_users.py",
    # One golden file has them all.
    "chat/events.py": "tests/chat/test_golden.py",
    "games/events.py": "tests/chat/test_golden.py",
    "keys/events.py": "tests/chat/test_golden.py",
    "shop/events.py": "tests/chat/test_golden.py",
    "users/events.py": "tests/chat/test_golden.py",
    # Each plugin runs it in a project of its own.
    "pytest_hubbub/running.py": "tests/pytest_hubbub/test_simulated.py",
    # What a shared store is for.
    "journal/stores/sharing.py": "tests/journal/decide/test_holder.py",
    # Other places to import from.
    "server/asyncio_socket.py": "tests/server/test_uvicorn_protocol.py",
    "shop/stripe.py": "tests/shop/payments/test_stripe.py",
    # One suite for all; a session of nox runs it with uvicorn.
    "server/websocket/asyncio_socket.py": "tests/server/websocket/test_frame_socket.py",
    "server/websocket/socket.py": "tests/server/websocket/test_frame_socket.py",
    "server/websocket/tcp_socket.py": "tests/server/websocket/test_frame_socket.py",
}

# Where names may be imported from as well, for those who did so before.
ALIASES = {
    "src/hubbub/domain.py",
    "src/hubbub/server/asyncio_socket.py",
    "src/hubbub/stores.py",
    "src/hubbub/shop/stripe.py",
}

VAGUE = {"base", "common", "helpers", "manager", "misc", "utils"}

type_of_function = (ast.FunctionDef, ast.AsyncFunctionDef)

PATHS = [path for folder in (SOURCE, PLUGIN) for path in sorted(folder.rglob("*.py"))]


# Every process that runs tests imports this file, and few of them need what these read.
@cache
def sources() -> dict[Path, ast.Module]:
    """Read and parse all that is shipped."""
    return {path: ast.parse(path.read_text()) for path in PATHS}


@cache
def module_names() -> set[str]:
    """Name the modules of what is shipped."""
    return {
        ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in PATHS
    }


@cache
def words_of_tests() -> set[str]:
    """Return every word of the tests."""
    return {
        word
        for path in TESTS.rglob("*.py")
        if path != Path(__file__)
        for word in re.findall(r"\w+", path.read_text())
    }


def test_no_file_is_long() -> None:
    page = [path for kind in ("css", "html", "js") for path in SOURCE.rglob(f"*.{kind}")]
    paths = [*sources(), *page, *TESTS.rglob("*.py")]

    nobody(where(p) for p in paths if len(p.read_text().splitlines()) > FILE_LINES_MAX)


def test_no_function_is_long() -> None:
    nobody(
        where(path, function)
        for path, tree in sources().items()
        for function in functions_of(tree)
        if body_lines(function) > FUNCTION_LINES_MAX
    )


def test_every_module_has_its_tests() -> None:
    modules = {module_of(path) for path in sources() if not path.stem.startswith("__")}
    alone = {m for m in modules if not (TESTS / m).with_stem(f"test_{Path(m).stem}").exists()}

    nobody(alone - TESTED_ELSEWHERE.keys())


def test_only_one_module_of_the_tests_asks_for_the_event_loop_of_the_run() -> None:
    asking = {path for path in TESTS.rglob("*.py") if "hasplugin(" in path.read_text()}

    nobody(map(where, asking - {TESTS / "event_loop.py", TESTS / "conftest.py", Path(__file__)}))


def test_no_exception_outlives_its_reason() -> None:
    nobody(
        module
        for module, tests in TESTED_ELSEWHERE.items()
        if not any((folder / module).exists() for folder in (SOURCE, SOURCE.parent))
        or not (ROOT / tests).exists()
        or (TESTS / module).with_stem(f"test_{Path(module).stem}").exists()
    )


def test_no_word_has_two_meanings() -> None:
    exported: dict[tuple[bool, str], list[str]] = {}
    for path, tree in sources().items():
        if path.stem != "__init__" and where(path) not in ALIASES:
            for name in exported_by(tree):
                exported.setdefault((SIMULATION in path.parents, name), []).append(where(path))

    nobody(f"{name}: {', '.join(places)}" for (_, name), places in exported.items() if places[1:])


def test_no_module_leads_back_to_itself() -> None:
    graph = TopologicalSorter({name_of(path): imports_of(path) for path in sources()})

    try:
        graph.prepare()
    except CycleError as error:
        pytest.fail(f"a cycle: {' <- '.join(error.args[1])}", pytrace=False)


def test_every_name_of_a_module_says_something() -> None:
    nobody(where(path) for path in sources() if VAGUE & set(path.stem.split("_")))


def test_nothing_is_left_to_do() -> None:
    nobody(where(path) for path in sources() if "TODO" in path.read_text())


def test_nothing_is_printed() -> None:
    nobody(
        where(path, node)
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    )


def test_every_public_name_is_documented() -> None:
    nobody(
        f"{where(path, node)} {node.name}"
        for path, tree in sources().items()
        for node in public_definitions(tree)
        if not ast.get_docstring(node)
    )


def test_every_error_is_raised_in_some_test() -> None:
    errors = {n.name for n in sources()[SOURCE / "errors.py"].body if isinstance(n, ast.ClassDef)}

    nobody(errors - words_of_tests())


def test_every_limit_appears_in_some_test() -> None:
    nobody({limit for tree in sources().values() for limit in limits_of(tree)} - words_of_tests())


def nobody(offenders: Iterable[str]) -> None:
    """Fail with the whole list; an assertion would cut it short."""
    if listed := "\n".join(sorted(offenders)):
        pytest.fail(f"these offend:\n{listed}", pytrace=False)


def where(path: Path, node: ast.stmt | ast.expr | None = None) -> str:
    return f"{path.relative_to(ROOT)}" + (f":{node.lineno}" if node else "")


def module_of(path: Path) -> str:
    """Return the path of a module, beside that of its tests."""
    return str(path.relative_to(SOURCE if SOURCE in path.parents else SOURCE.parent))


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    """Return the modules that a module imports anywhere in it, also only for their types."""
    package = name_of(path).split(".")
    package = package if path.stem == "__init__" else package[:-1]
    found = set()
    for node in ast.walk(sources()[path]):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            base = [*base, node.module] if node.module else base
            names = {".".join([*base, alias.name]) for alias in node.names}
            found |= {name if name in module_names() else ".".join(base) for name in names}
    return found


def exported_by(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def functions_of(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, type_of_function))


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def public_definitions(
    tree: ast.Module,
) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    public = {
        name
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for name in ast.literal_eval(node.value)
    }
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, *type_of_function)) and node.name in public:
            yield node


def limits_of(tree: ast.Module) -> Iterator[str]:
    """Name the public constants that end in _MAX, and the settings that end in _max."""
    classes = (node.body for node in tree.body if isinstance(node, ast.ClassDef))
    for node in chain(tree.body, *classes):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name))
            ) if re.fullmatch("[A-Z].*_MAX|[a-z].*_max", name):
                yield name
