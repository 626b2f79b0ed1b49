"""What the demo and the system tests keep in Cassandra: keyspaces with one of everything, rows, roles with grants.

`create` makes the keyspaces and roles of a new cluster, `load` and `change` write rows through one session; `fill` does
all that a new cluster needs. Writes
wait for every replica, so that afterwards each node alone has what it should have. Rows are the same in every run.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from cassandra import ConsistencyLevel
from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.query import SimpleStatement

from .cassandra import CassandraCluster

# Roles that log in, with their passwords.
LOGINS = {"analyst": "an4lyst", "clerk": "cl3rk"}

_SCHEMA = """
CREATE KEYSPACE shop WITH replication = {{'class': 'NetworkTopologyStrategy', '{datacenter}': {two}}};
CREATE TYPE shop.address (street text, zip int);
CREATE TYPE shop.contact (phone text, home frozen<address>);
CREATE FUNCTION shop.add_up (total int, item int) CALLED ON NULL INPUT RETURNS int LANGUAGE java
    AS $$ return total + (item == null ? 0 : item); /* a ';' and a ' */ $$;
CREATE AGGREGATE shop.total (int) SFUNC add_up STYPE int INITCOND 0;
CREATE TABLE shop.customers (id uuid PRIMARY KEY, name text, contact frozen<contact>, tags set<text>,
    points map<text, int>, visited list<timestamp>, fax text)
    WITH comment = 'it''s; a comment';
CREATE TABLE shop.orders (customer uuid, number int, item text, quantity int, price decimal, placed timestamp,
    currency text static, PRIMARY KEY (customer, number)) WITH CLUSTERING ORDER BY (number DESC);
CREATE TABLE shop.page_views (page text PRIMARY KEY, hits counter);
CREATE TABLE shop."OrderNotes" ("Order" int PRIMARY KEY, "Note" text);
CREATE TABLE shop.never_filled (id int PRIMARY KEY);
CREATE INDEX orders_by_placed ON shop.orders (placed);
CREATE INDEX orders_by_quantity ON shop.orders (quantity) USING 'sai';
CREATE MATERIALIZED VIEW shop.orders_by_item AS SELECT customer, number, item, quantity, price FROM shop.orders
    WHERE item IS NOT NULL AND customer IS NOT NULL AND number IS NOT NULL PRIMARY KEY (item, customer, number);
CREATE KEYSPACE archive WITH replication = {{'class': 'NetworkTopologyStrategy', '{datacenter}': {three}}};
CREATE TABLE archive.documents (id int, page int, body text, PRIMARY KEY (id, page))
    WITH compression = {{'enabled': false}};
CREATE TABLE archive.images (id uuid PRIMARY KEY, content blob) WITH compression = {{'class': 'ZstdCompressor'}};
"""

_ROLES = """
CREATE ROLE readers;
CREATE ROLE analyst WITH PASSWORD = '{analyst}' AND LOGIN = true;
CREATE ROLE clerk WITH PASSWORD = '{clerk}' AND LOGIN = true;
GRANT readers TO analyst;
GRANT SELECT ON KEYSPACE shop TO readers;
GRANT SELECT ON archive.documents TO readers;
GRANT EXECUTE ON FUNCTION shop.add_up(int, int) TO readers;
GRANT SELECT ON shop.orders TO clerk;
GRANT MODIFY ON shop.orders TO clerk;
"""

_ROW_WITH_FAX = "INSERT INTO shop.customers (id, name, fax) VALUES (00000000-0000-0000-0000-000000000001, 'customer with a fax', '555-1')"

# Queries whose answers need an index, a function or an aggregate.
QUERIES = (
    "SELECT customer, number FROM shop.orders WHERE placed = '2024-03-01T00:07:00Z'",
    "SELECT customer, number FROM shop.orders WHERE quantity > 97",
    "SELECT customer, number FROM shop.orders_by_item WHERE item = 'item 7'",
    "SELECT shop.total(quantity) FROM shop.orders WHERE customer = 00000000-0000-0000-0000-000000001002",
)

_FIRST_DAY = datetime(2024, 3, 1, tzinfo=UTC)
_WORDS = "backup restore token ring rack node table row column index snapshot manifest digest bucket object key".split()
_PAGE_SIZE = 2000
_IMAGE_SIZE = 4000
_PAGES_PER_DOCUMENT = 25


@dataclass(frozen=True)
class Amount:
    """How many rows `load` writes."""

    orders: int
    pages: int
    images: int

    @property
    def megabytes(self) -> float:
        """About the size of the content, without copies."""
        return (self.pages * _PAGE_SIZE + self.images * _IMAGE_SIZE + self.orders * 100) / 1e6


SMALL = Amount(orders=600, pages=200, images=50)
FULL = Amount(orders=4000, pages=12_500, images=6_250)


def create(cluster: CassandraCluster) -> None:
    """Makes the keyspaces with all that is in them, and the roles."""
    replicas = {"two": min(2, len(cluster.nodes)), "three": min(3, len(cluster.nodes))}
    with cluster.nodes[0].session() as session:
        _execute_all(session, _SCHEMA.format(datacenter=cluster.nodes[0].datacenter, **replicas))
        # A row that is on disk before its column is dropped, still holds it.
        insert = SimpleStatement(_ROW_WITH_FAX, consistency_level=ConsistencyLevel.ALL)
        session.execute(insert)
        cluster.nodetool("flush", "shop", "customers")
        session.execute("ALTER TABLE shop.customers DROP fax")
        _execute_all(session, _ROLES.format(**LOGINS))


def fill(cluster: CassandraCluster, amount: Amount) -> None:
    """Makes of a new cluster one with roles on every node, keyspaces and rows."""
    cluster.replicate_roles()
    create(cluster)
    with cluster.nodes[0].session() as session:
        load(session, amount)


def load(session: Session, amount: Amount) -> None:
    """The first rows of every table but `never_filled`."""
    _write_orders(session, range(amount.orders))
    _write_pages(session, range(amount.pages))
    write_images(session, range(amount.images))
    _write(
        session,
        "UPDATE shop.page_views SET hits = hits + ? WHERE page = ?",
        ((i % 17 + 1, f"/page/{i % 50}") for i in range(amount.orders // 4)),
    )
    _write(
        session,
        'INSERT INTO shop."OrderNotes" ("Order", "Note") VALUES (?, ?)',
        ((i, f'note {i}; it\'s "quoted"') for i in range(amount.orders // 10)),
    )


def change(session: Session, amount: Amount) -> None:
    """Adds a tenth of the rows again as new ones, changes some of the old ones, and deletes a few."""
    tenth = Amount(amount.orders // 10, amount.pages // 10, amount.images // 10)
    _write_orders(session, range(amount.orders, amount.orders + tenth.orders))
    _write_pages(session, range(amount.pages, amount.pages + tenth.pages))
    write_images(session, range(amount.images, amount.images + tenth.images))
    _write(
        session,
        "UPDATE shop.orders SET quantity = ?, item = ? WHERE customer = ? AND number = ?",
        ((1000 + i, "changed", customer(i), i) for i in range(tenth.orders)),
    )
    _write(
        session,
        "DELETE FROM shop.orders WHERE customer = ? AND number = ?",
        ((customer(i), i) for i in range(tenth.orders, 2 * tenth.orders)),
    )
    _write(
        session,
        "UPDATE shop.page_views SET hits = hits + ? WHERE page = ?",
        ((1, f"/page/{i}") for i in range(50)),
    )


def _execute_all(session: Session, statements: str) -> None:
    """Executes them through one node, which needs no agreement in between; the last one waits for it."""
    *first, last = statements.strip().split(";\n")
    agreement_wait = session.cluster.max_schema_agreement_wait
    session.cluster.max_schema_agreement_wait = 0
    for statement in first:
        session.execute(statement)
    session.cluster.max_schema_agreement_wait = agreement_wait
    session.execute(last)


def customer(order: int) -> UUID:
    return UUID(int=0x1000 + order // 4)


def _write_orders(session: Session, numbers: range) -> None:
    _write(
        session,
        "INSERT INTO shop.orders (customer, number, item, quantity, price, placed, currency) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (customer(i), i, f"item {i % 40}", i % 100, Decimal(i) / 100, _FIRST_DAY + timedelta(minutes=i), "EUR")
            for i in numbers
        ),
    )
    _write(
        session,
        "INSERT INTO shop.customers (id, name, contact, tags, points, visited) VALUES (?, ?, ?, ?, ?, ?)",
        (
            (
                customer(i),
                f"customer {i}",
                (f"555-{i}", (f"street {i}", 10_000 + i)),
                {"new", f"group {i % 3}"},
                {"bonus": i, "other": -i},
                [_FIRST_DAY, _FIRST_DAY + timedelta(days=i % 300)],
            )
            for i in numbers[::4]
        ),
    )


def _write_pages(session: Session, numbers: range) -> None:
    def page(i: int) -> tuple[Any, ...]:
        words = random.Random(i).choices(_WORDS, k=_PAGE_SIZE // 6)
        return i // _PAGES_PER_DOCUMENT, i % _PAGES_PER_DOCUMENT, " ".join(words)

    _write(session, "INSERT INTO archive.documents (id, page, body) VALUES (?, ?, ?)", map(page, numbers))


def write_images(session: Session, numbers: range) -> None:
    def image(i: int) -> tuple[Any, ...]:
        return UUID(int=0x2000 + i), random.Random(i).randbytes(_IMAGE_SIZE)

    _write(session, "INSERT INTO archive.images (id, content) VALUES (?, ?)", map(image, numbers))


def _write(session: Session, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    prepared = session.prepare(statement)
    prepared.consistency_level = ConsistencyLevel.ALL
    results: Iterator[Any] = execute_concurrent_with_args(
        session, prepared, rows, concurrency=64, results_generator=True, raise_on_first_error=True
    )
    for _ in results:
        pass
