"""What a cluster holds, as one of its nodes tells it: the witness that a restore brought everything back.

A fingerprint has sections (the rows of one table, the schema, …); a section maps a name (a row's primary key, an
object of the schema) to its content, or the digest of it. So two fingerprints compare whatever the order in which
the rows came, and a difference can be named.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

from cassandra.cluster import Session
from cassandra.query import SimpleStatement

from .cassandra import CassandraCluster
from .workload import QUERIES

Fingerprint = dict[str, dict[str, str]]

# What each node or Cassandra itself keeps there is not the user's. `system_auth` is.
_SYSTEM_KEYSPACES = {"system", "system_schema", "system_distributed", "system_traces"}
_SYSTEM_REPLICATION = ("system_auth", "system_distributed", "system_traces")
_FETCH_SIZE = 500
_SETTLE_TIMEOUT = 60.0


def fingerprint(session: Session, queries: Sequence[str] = QUERIES) -> Fingerprint:
    """Every row of every table and view, the schema, the roles, and the answers to `queries`."""
    sections: Fingerprint = {}
    for keyspace, table in _tables(session):
        sections[f"rows of {keyspace}.{table}"] = _rows(session, keyspace, table)
    sections["schema"] = {
        f"{row[0]} {row[1]} {row[2]}": row[3] for row in _select(session, "DESCRIBE SCHEMA WITH INTERNALS")
    }
    sections["triggers"] = {
        f"{row[0]}.{row[1]} {row[2]}": repr(row[3]) for row in _select(session, "SELECT * FROM system_schema.triggers")
    }
    sections["replication of system keyspaces"] = {
        name: repr(sorted(replication.items()))
        for name, replication in _select(session, "SELECT keyspace_name, replication FROM system_schema.keyspaces")
        if name in _SYSTEM_REPLICATION
    }
    sections["queries"] = {query: _digest(sorted(map(repr, _select(session, query)))) for query in queries}
    return sections


def settled_fingerprint(cluster: CassandraCluster, *, queries: Sequence[str] = QUERIES, **login: str) -> Fingerprint:
    """The fingerprint that all nodes agree on: a view follows its table with some delay."""
    deadline = time.monotonic() + _SETTLE_TIMEOUT
    while True:
        first, *others = fingerprints(cluster, queries=queries, **login).values()
        found = [line for other in others for line in differences(first, other)]
        if not found:
            return first
        if time.monotonic() > deadline:
            raise AssertionError("the nodes do not agree with the first one:\n" + "\n".join(found))
        time.sleep(1)


def fingerprints(
    cluster: CassandraCluster, *, queries: Sequence[str] = QUERIES, **login: str
) -> dict[str, Fingerprint]:
    """The fingerprint of each node, by address."""
    prints = {}
    for node in cluster.nodes:
        with node.session(**login) as session:
            prints[node.address] = fingerprint(session, queries)
    return prints


def rows_in(sections: Fingerprint) -> int:
    """How many rows the tables and views of users hold."""
    return sum(
        len(rows)
        for name, rows in sections.items()
        if name.startswith("rows of ") and not name.startswith("rows of system_auth.")
    )


def differences(expected: Fingerprint, found: Fingerprint, limit: int = 5) -> list[str]:
    """What differs, in words; empty if nothing does. At most `limit` lines a section, and a line with the rest."""
    lines: list[str] = []
    for section in sorted(expected.keys() | found.keys()):
        before, after = expected.get(section, {}), found.get(section, {})
        if section not in expected or section not in found:
            lines.append(f"{section}: {'unexpected' if section in found else 'missing'}")
        section_lines = [
            f"{section}: {_difference(name, before.get(name), after.get(name))}"
            for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name)
        ]
        lines += section_lines[:limit]
        if len(section_lines) > limit:
            lines.append(
                f"{section}: {len(section_lines) - limit} more differences ({len(before)} before, {len(after)} now)"
            )
    return lines


def _difference(name: str, before: str | None, after: str | None) -> str:
    if before is None:
        return f"unexpected {name}"
    if after is None:
        return f"missing {name}"
    return f"changed {name}: {before!r} became {after!r}"


def _tables(session: Session) -> list[tuple[str, str]]:
    names = [
        *_select(session, "SELECT keyspace_name, table_name FROM system_schema.tables"),
        *_select(session, "SELECT keyspace_name, view_name FROM system_schema.views"),
    ]
    return sorted((keyspace, table) for keyspace, table in names if keyspace not in _SYSTEM_KEYSPACES)


def _rows(session: Session, keyspace: str, table: str) -> dict[str, str]:
    kinds = dict(
        _select(
            session,
            "SELECT column_name, kind FROM system_schema.columns "
            f"WHERE keyspace_name = '{keyspace}' AND table_name = '{table}'",
        )
    )
    keys = sorted(name for name, kind in kinds.items() if kind in ("partition_key", "clustering"))
    others = sorted(kinds.keys() - keys)
    names = ", ".join(f'"{name}"' for name in keys + others)
    rows = {}
    for row in _select(session, f'SELECT {names} FROM "{keyspace}"."{table}"'):
        key = ", ".join(f"{name}={value}" for name, value in zip(keys, row))
        # The columns are part of the content: a column without any value is still a column.
        rows[key] = _digest([*others, *map(repr, row[len(keys) :])])
    return rows


def _select(session: Session, query: str) -> Iterator[tuple[Any, ...]]:
    """The rows, page by page: they can be read once."""
    return iter(session.execute(SimpleStatement(query, fetch_size=_FETCH_SIZE)))


def _digest(parts: Iterable[str]) -> str:
    digest = blake2b(digest_size=12)
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
