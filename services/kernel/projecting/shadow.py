"""Shadow tables: a copy of a read model that a replay fills beside the live one, with checkpoints of its own.

Rows and checkpoint are committed together, so a replay that was killed can go on where it stood. The checkpoints lie
with those of the read models, under the shadow's name, which no declaration can have.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import CodeType

import asyncpg

from services.kernel.errors import ReplayRefused
from services.kernel.log.event_log import Connection
from services.kernel.projecting import projection_sql
from services.kernel.projecting.narrowing import Narrowing
from services.kernel.projection import Projection

_MARK = "__"
_CLAIM = "select pg_try_advisory_lock(hashtextextended($1, 0))"
_RELEASE = "select pg_advisory_unlock(hashtextextended($1, 0))"
_FIND = "select shape from log.projections where name = $1 and version = $2"
_DECLARE = "insert into log.projections (name, version, live, shape) values ($1, $2, false, $3)"
_START = "insert into log.checkpoints (projection, version, partition, position) values ($1, $2, $3, 0)"
_POSITIONS = "select partition, position from log.checkpoints where projection = $1 and version = $2"
_MOVE = """
update log.checkpoints set position = $5
 where projection = $1 and version = $2 and partition = $3 and position = $4
"""
_OF_ALL = """
select p.name, p.version, coalesce(sum(c.position), 0)::bigint as events
  from log.projections p left join log.checkpoints c on c.projection = p.name and c.version = p.version
 where p.name like $1 group by p.name, p.version order by p.name, p.version
"""
_FORGET = "delete from log.projections where name = $1 and version = $2"
_FORGET_CHECKPOINTS = "delete from log.checkpoints where projection = $1 and version = $2"


class Purpose(StrEnum):
    """What a shadow is filled for. A comparison never disturbs a rebuild that waits to be resumed."""

    REBUILD = "rebuild"
    COMPARISON = "comparison"


@dataclass(frozen=True, slots=True)
class Leftover:
    """A shadow that is in the database; `events` is how far its checkpoints have come."""

    projection: str
    version: int
    purpose: str
    events: int


def shadow_of(projection: Projection, purpose: Purpose) -> Projection:
    """The same read model under the shadow's name."""
    return replace(projection, name=f"{projection.name}{_MARK}{purpose}")


def keys_of(shadow: Projection) -> Projection:
    """The table beside a shadow that holds the keys of the rows to be made again, where not all are."""
    columns = {column: shadow.columns[column] for column in shadow.key}
    return Projection(name=f"{shadow.name}_keys", version=shadow.version, columns=columns, key=shadow.key)


async def claim(connection: Connection, projection: Projection) -> None:
    """Be the only replay of this read model until `release` or the end of the session.

    Raises ReplayRefused where there is one already.
    """
    if not await connection.fetchval(_CLAIM, f"replay/{projection.name}"):
        raise ReplayRefused(f"another rebuild or comparison of {projection.name} is running; wait until it has ended")


async def release(connection: Connection, projection: Projection) -> None:
    """Let the next replay of this read model come."""
    await connection.execute(_RELEASE, f"replay/{projection.name}")


async def open_shadow(
    connection: Connection, shadow: Projection, shape: str, partitions: Sequence[int], *, fresh: bool
) -> dict[int, int]:
    """The checkpoints of the shadow: where it stood, or 0 where it is made anew.

    What another version, declaration or build left behind is dropped.
    """
    for leftover in await connection.fetch(_OF_ALL, shadow.name):
        if leftover["version"] != shadow.version:
            await drop_shadow(connection, replace(shadow, version=leftover["version"]))
    async with connection.transaction():
        known = await connection.fetchval(_FIND, shadow.name, shadow.version)
        table = projection_sql.table_name(shadow)
        if not fresh and known == shape and await connection.fetchval("select to_regclass($1)::oid", table):
            rows = await connection.fetch(_POSITIONS, shadow.name, shadow.version)
            found = {row["partition"]: row["position"] for row in rows}
            if sorted(found) == sorted(partitions):
                return found
        await drop_shadow(connection, shadow)
        await connection.execute(projection_sql.create_table(shadow))
        await connection.execute(projection_sql.create_table(keys_of(shadow)))
        await connection.execute(_DECLARE, shadow.name, shadow.version, shape)
        for partition in partitions:
            await connection.execute(_START, shadow.name, shadow.version, partition)
    return dict.fromkeys(partitions, 0)


async def move(connection: Connection, shadow: Projection, partition: int, old: int, new: int) -> None:
    """Move a checkpoint of the shadow. Raises ReplayRefused where somebody else has moved it."""
    done = await connection.execute(_MOVE, shadow.name, shadow.version, partition, old, new)
    if done != "UPDATE 1":
        raise ReplayRefused(f"another process fills {shadow.name}; end it, or wait until it has ended")


async def drop_shadow(connection: Connection, shadow: Projection) -> None:
    """Remove the shadow with everything that belongs to it."""
    async with connection.transaction():
        for table in (projection_sql.table_name(shadow), projection_sql.table_name(keys_of(shadow))):
            await connection.execute(f"drop table if exists {table}")
        await forget(connection, shadow)


async def forget(connection: Connection, shadow: Projection) -> None:
    """Remove the shadow's checkpoints; its table has become the live one."""
    await connection.execute(_FORGET, shadow.name, shadow.version)
    await connection.execute(_FORGET_CHECKPOINTS, shadow.name, shadow.version)


async def leftovers(connection: Connection) -> list[Leftover]:
    """All shadows: of replays that run, and of those that were stopped."""
    return [
        Leftover(*_parts(row["name"], row["version"]), row["events"])
        for row in await connection.fetch(_OF_ALL, f"%{_MARK}%")
        if _MARK in row["name"]
    ]


def _parts(name: str, version: int) -> tuple[str, int, str]:
    projection, _, purpose = name.rpartition(_MARK)
    return projection, version, purpose


async def discard(connection: asyncpg.Connection, leftover: Leftover) -> bool:
    """Remove a shadow that no running replay owns; whether it was removed. Of its read model only names are known."""
    named = Projection(name=leftover.projection, version=leftover.version, columns={}, key=())
    try:
        await claim(connection, named)
    except ReplayRefused:
        return False
    try:
        await drop_shadow(connection, replace(named, name=f"{named.name}{_MARK}{leftover.purpose}"))
    finally:
        await release(connection, named)
    return True


def shape_of(projection: Projection, narrowing: Narrowing) -> str:
    """Everything that a half-filled shadow depends on: declaration, limits, and the code that folds.

    Any change to the source files of the package of an applier counts as a change of the fold, for an applier may
    call anything; to start again is cheap, to mix two builds in one table is not.
    """
    declared = [*projection.appliers.items(), *projection.removers.items()]
    appliers = sorted(declared, key=lambda entry: entry[0].event_type)
    return json.dumps(
        {
            "columns": list(projection.columns.items()),
            "key": list(projection.key),
            "indexes": [list(columns) for columns in projection.indexes],
            "narrowing": narrowing.describe(),
            "appliers": [[event.event_type, _code(getattr(a, "__code__", None))] for event, a in appliers],
            "build": _sources({a.__module__.partition(".")[0] for _, a in appliers} | {"services", "contracts"}),
        }
    )


def _code(code: CodeType | None) -> str:
    if code is None:
        return ""
    inner = [_code(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return hashlib.sha256(repr((code.co_code, code.co_names, inner)).encode()).hexdigest()


def _sources(packages: set[str]) -> str:
    # The packages of this checkout or installation lie side by side.
    root, digest = Path(__file__).resolve().parents[3], hashlib.sha256()
    for package in sorted(packages):
        for file in sorted((root / package).rglob("*.py")):
            digest.update(f"{file.relative_to(root)}\n".encode() + file.read_bytes())
    return digest.hexdigest()
