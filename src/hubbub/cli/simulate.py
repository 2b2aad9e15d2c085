"""``hubbub simulate``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from typing import Annotated, Literal, cast

import typer

from ..errors import Invalid
from ..simulator import Result, RunOptions, Workload, run_seed, shortest_plan
from .exit import fail
from .feature_names import FeatureNames, features_known, object_named

__all__ = ["simulate_system"]

Seed = Annotated[int, typer.Option(metavar="N", help="The first seed.")]
Seeds = Annotated[int, typer.Option(metavar="N", min=1, help="How many seeds to run.")]
Hours = Annotated[
    float, typer.Option(metavar="HOURS", min=0.01, help="Simulated hours of each seed.")
]
Clients = Annotated[
    int, typer.Option(metavar="N", min=1, max=5_000, help="How many users there are.")
]
Nodes = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=9,
        help="How many servers share the database; by default a part of the seeds has 2 or 3.",
    ),
]
Backend = Annotated[
    Literal["asyncio", "trio"], typer.Option(metavar="NAME", help="asyncio or trio.")
]
FaultSeconds = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", min=0, help="Seconds from fault to fault, on average; 0 for none."
    ),
]
ActionSeconds = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=0.01, help="Seconds until a user acts again, on average."),
]
InProcess = Annotated[
    bool,
    typer.Option(
        "--in-process", help="Users are in the server's process: no network, many more users."
    ),
]
Limit = Annotated[
    float | None,
    typer.Option("--for", metavar="SECONDS", min=0, help="Run seeds for so many real seconds."),
]
WorkloadNames = Annotated[
    list[str] | None,
    typer.Option(
        "--workload",
        metavar="MODULE:CLASS",
        rich_help_panel="Features",
        help="Let users also do what a class of yours says, like tickets.load:Asking. You can give "
        "it several times.",
    ),
]


def simulate_system(
    seed: Seed = 0,
    seeds: Seeds = 1,
    hours: Hours = 1.0,
    clients: Clients = 5,
    nodes: Nodes = None,
    backend: Backend = "asyncio",
    fault_seconds: FaultSeconds = 200.0,
    action_seconds: ActionSeconds = 30.0,
    in_process: InProcess = False,
    limit: Limit = None,
    feature: FeatureNames = None,
    workload: WorkloadNames = None,
) -> None:
    """
    Run a whole system in one process, with everything going wrong.

    A server, or a cluster of them, its disk, its payment provider, a network and users live
    through hours of crashes, partitions and failing disks in seconds, on one virtual clock.
    Afterwards every promise of the documentation's page "Guarantees" is checked. A seed decides
    everything: the same seed is the same run. The program exits with 1 if a promise is broken, and
    shows the fewest faults that break it.

    Examples:
        hubbub simulate --seeds 100
        hubbub simulate --seed 17 --backend trio
        hubbub simulate --nodes 3 --seeds 20
        hubbub simulate --feature helpdesk.tickets:TICKETS --workload helpdesk.load:Asking
    """
    options = RunOptions(
        backend=backend,
        hours=hours,
        clients=clients,
        nodes=nodes,
        fault_seconds=fault_seconds,
        action_seconds=action_seconds,
        features=features_known(feature or ()),
        workloads=_workloads(workload or ()),
        in_process=in_process,
    )
    totals = _Totals(backend)
    for one in _seeds(seed, seeds, limit):
        try:
            totals.add(run_seed(one, options), hours)
        except Exception as error:
            _report(one, options, error)
            raise fail(
                f"Seed {one} fails on {backend}, after {totals.seeds} that passed."
            ) from None
    typer.echo(totals.summary())


class _Totals:
    """The totals of the runs so far."""

    def __init__(self, backend: str) -> None:
        self.seeds = 0
        self._backend = backend
        self._began = time.perf_counter()
        self._hours = 0.0
        self._numbers: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()

    def add(self, result: Result, hours: float) -> None:
        """Add a run that passed."""
        self.seeds += 1
        self._hours += hours
        self._faults.update(result.faults)
        for name in ("events", "calls", "refused", "connections", "cuts", "lives"):
            self._numbers[name] += getattr(result, name)

    def summary(self) -> str:
        """Return a few lines."""
        seconds = time.perf_counter() - self._began
        faster = 3600 * self._hours / seconds
        numbers = ", ".join(f"{number:,} {name}" for name, number in self._numbers.items())
        faults = ", ".join(f"{number:,} {kind}" for kind, number in sorted(self._faults.items()))
        return (
            f"{self.seeds:,} seeds, {self._hours:,.1f} simulated hours on {self._backend} in "
            f"{seconds:.1f} s, {faster:,.0f} times as fast as life: no promise is broken.\n"
            f"{numbers}\nFaults: {faults or 'none'}"
        )


def _seeds(first: int, number: int, limit: float | None) -> Iterator[int]:
    if limit is None:
        yield from range(first, first + number)
        return
    ends = time.perf_counter() + limit
    for seed in count(first):
        yield seed
        if time.perf_counter() >= ends:
            return


def _report(seed: int, options: RunOptions, error: Exception) -> None:
    """Say what is broken, and what the fewest faults are that break it."""
    for leaf in islice(_leaves(error), 3):
        typer.echo(f"{type(leaf).__name__}: {leaf}")
    typer.echo("Looking for the fewest faults that are needed …", err=True)
    plan = shortest_plan(seed, options)
    typer.echo(
        f"With {len(plan)} faults it fails as well:" if plan else "It fails without a fault."
    )
    for fault in plan:
        typer.echo(f"  {fault}")
    typer.echo(
        f"Run it again: hubbub simulate --seed {seed} --hours {options.hours:g} "
        f"--clients {options.clients} --backend {options.backend} "
        f"--fault-seconds {options.fault_seconds:g} --action-seconds {options.action_seconds:g}"
        + (f" --nodes {options.nodes}" if options.nodes is not None else "")
        + (" --in-process" if options.in_process else "")
    )


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _workloads(named: Sequence[str]) -> Sequence[Callable[[], Workload]]:
    try:
        found = [object_named(text, type) for text in named]
    except Invalid as error:
        raise typer.BadParameter(error.message, param_hint="--workload") from error
    for text, one in zip(named, found, strict=True):
        if not callable(one):
            raise typer.BadParameter(f"{text} is not a class.", param_hint="--workload")
    return cast(Sequence[Callable[[], Workload]], found)
