"""Every query looks up keys, however the planner guesses."""

from __future__ import annotations

import re

import psycopg

from hubbub.journal.stores.contract import Batch, Used
from hubbub.journal.stores.postgres import queries, statements
from hubbub.journal.stores.postgres.connection import SESSION
from hubbub.journal.stores.postgres.store import EXPIRE, PostgresStore
from tests.journal.tally import record

# They read everything, as they are told to.
WHOLE = {"STREAM_LENGTHS"}
QUERIES = {
    name: getattr(module, name)
    for module in (queries, statements)
    for name in module.__all__
    if name.isupper() and name not in WHOLE
} | {"EXPIRE": EXPIRE}

LIMIT = ("messages", "ann")
# The kinds of the arrays that a statement takes.
ARRAYS = {
    "HEADS": "text",
    "TAILS_OF": "text bigint",
    "SNAPSHOTS_OF": "text",
    "LOCK_STREAMS": "bigint text",
    "NEWS_OF": "bigint bigint text bigint",
    "USED_OF": "text text",
    "READ_LIMITS": "text text",
    "LOCK_LIMITS": "text text",
    "ADD_STREAMS": "text",
    "ADD_EVENTS": "bigint text bigint text text bigint bytea text",
    "ADD_KEYS": "text text bytea bytea bigint",
    "SET_LIMITS": "text text bytea",
    "ADD_LIMITS": "text text bytea",
    "KEEP_FIRST_PARTS": "text bigint text bytea",
    "KEEP_OTHER_PARTS": "text bigint bigint text bytea",
    "KEEP_ONLY_NEWEST": "text bigint",
}


def test_no_query_scans_a_table(store: PostgresStore, database: psycopg.Connection) -> None:
    for setting, value in SESSION.items():
        database.execute(f"SET {setting} = {value}")
    plans = {name: plan_of(name, database) for name in QUERIES}

    assert not {name: plan for name, plan in plans.items() if "Seq Scan" in plan}


def test_a_plan_that_was_made_for_a_small_table_goes_by_the_given_keys_too(
    store: PostgresStore, database: psycopg.Connection
) -> None:
    store.commit(Batch([record("room/1", 1)], [Used("ann", "1", b"", ())], limits={LIMIT: b""}))
    database.execute("VACUUM ANALYZE stream, used, charged, event")
    for setting, value in SESSION.items():
        database.execute(f"SET {setting} = {value}")
    names = ["NEWS_OF", "USED_OF", "READ_LIMITS", "LOCK_LIMITS", "HEADS", "TAILS_OF"]
    names += ["SET_LIMITS", "VOID_EVENT", "ADD_EVENTS"]
    plans = {name: plan_of(name, database) for name in names}
    # An index scan without a condition reads the whole table.
    whole = re.compile(r"Index (?:Only )?Scan[^\n]*\n(?!\s*Index Cond)")

    assert not {name: plan for name, plan in plans.items() if whole.search(plan)}


def plan_of(name: str, database: psycopg.Connection) -> str:
    # Only the search may use a bitmap.
    database.execute(f"SET enable_bitmapscan = {'on' if name == 'FIND_WORDS' else 'off'}")
    kinds = iter(re.findall("bigint|text|bytea", ARRAYS.get(name, "")))
    numbers = iter(range(1, 99))

    def parameter(found: re.Match[str]) -> str:
        kind = next(kinds, None)
        return f"${next(numbers)}" + (f"::{kind}[]" if kind else "")

    query = re.sub("%b", parameter, QUERIES[name])
    nulls = ", ".join(["NULL"] * query.count("$"))
    database.execute(f"PREPARE asked AS {query}")
    plan = database.execute(f"EXPLAIN EXECUTE asked{f'({nulls})' if nulls else ''}").fetchall()
    database.execute("DEALLOCATE asked")
    return "\n".join(line for (line,) in plan)


def test_a_search_uses_the_index_of_words(
    store: PostgresStore, database: psycopg.Connection
) -> None:
    store.commit(Batch([record("room/1", seq, text=f"word{seq}") for seq in range(1, 3_000)]))
    database.execute("ANALYZE event")
    database.execute("SET enable_seqscan = off; SET plan_cache_mode = force_custom_plan")
    [(number,)] = database.execute("SELECT id FROM stream")
    query = queries.FIND_WORDS.replace("%b", "%s")
    values = [number, f"'{number}·word7':*", 4_000, 9]
    plan = "\n".join(line for (line,) in database.execute(f"EXPLAIN {query}", values))

    assert "event_words_" in plan, plan
    assert store.search("room/1", ["word7"], 75, 3) == [74, 73, 72]
