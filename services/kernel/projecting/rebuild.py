"""Rebuilds a read model from the log: a whole one is swapped in, chosen rows are replaced in the live table.

Readers see the old rows until the one short transaction at the end and the new ones after it.
"""

import asyncio
from dataclasses import dataclass

import asyncpg

from services.kernel.errors import ReplayRefused
from services.kernel.projecting import projection_sql, shadow
from services.kernel.projecting.replay import Filled, Replay, filled
from services.kernel.projecting.shadow import Purpose
from services.kernel.projection import Projection

_TRIES_MAX = 60
_TRY_AGAIN_SECONDS = 1.0
_SWAP_TIMEOUT = "set local lock_timeout = '500ms'"
"""Whoever waits for a table makes all later readers of it wait as well, so it is given up soon and tried again."""
_DURABLE = "set local synchronous_commit = on"
_DECLARING = "select pg_advisory_xact_lock(hashtext($1))"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`events` of the log were passed by this run; `replaced` rows were put right, where rows were chosen."""

    events: int
    replaced: int | None = None


async def rebuild(replay: Replay) -> Rebuilt:
    """Make the read model again. Raises ReplayRefused where that is not possible now, and says why."""
    async with filled(replay, Purpose.REBUILD) as made:
        if replay.narrowing.whole:
            for statement in projection_sql.create_indexes(made.shadow):
                await made.connection.execute(statement)
        for _ in range(_TRIES_MAX):
            try:
                replaced = await _finish(made)
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                await asyncio.sleep(_TRY_AGAIN_SECONDS)
            else:
                return Rebuilt(made.events, replaced)
    table = projection_sql.table_name(replay.projection)
    raise ReplayRefused(f"{table} is in use by long transactions; end them and rebuild again, it goes on where it is")


async def _finish(made: Filled) -> int | None:
    async with made.held():
        await made.connection.execute(_DURABLE)
        await made.connection.execute(_SWAP_TIMEOUT)
        if not made.replay.narrowing.whole:
            replaced = await _replace(made)
            await shadow.drop_shadow(made.connection, made.shadow)
            return replaced
        await _swap(made.connection, made.replay.projection, made.shadow)
    return None


async def _swap(connection: asyncpg.Connection, projection: Projection, built: Projection) -> None:
    table, new = projection_sql.table_name(projection), projection_sql.table_name(built)
    await connection.execute(_DECLARING, f"declare/{projection.name}")
    # The view first, as readers lock it first.
    await projection_sql.point_view(connection, projection, new)
    try:
        await connection.execute(f"drop table {table}")
    except asyncpg.DependentObjectsStillExistError as error:
        raise ReplayRefused(f"{table} cannot be replaced, because something was built on it: {error.detail}") from error
    await connection.execute(f"alter table {new} rename to {table.removeprefix('read.')}")
    await connection.execute(f"drop table {projection_sql.table_name(shadow.keys_of(built))}")
    await shadow.forget(connection, built)


async def _replace(made: Filled) -> int:
    """Put the chosen rows right in the live table; rows that are right already are not touched."""
    projection, connection = made.replay.projection, made.connection
    table, built = projection_sql.table_name(projection), projection_sql.table_name(made.shadow)
    names = ", ".join(("partition", *projection.columns))
    same_key = projection_sql.same_key(projection, "l", "s")
    deleted = await connection.execute(
        f"delete from {table} l where {chosen(made)} and not exists "
        f"(select from {built} s where {same_key} and row(s.*) is not distinct from row(l.*))"
    )
    inserted = await connection.execute(
        f"insert into {table} ({names}) select {names} from {built} s "
        f"where not exists (select from {table} l where {same_key})"
    )
    return max(int(deleted.split()[-1]), int(inserted.split()[-1]))


def chosen(made: Filled) -> str:
    """The condition on live rows `l` that says which of them the shadow stands for."""
    narrowing, partitions = made.replay.narrowing, ", ".join(map(str, made.positions))
    if narrowing.by_event:
        keys = shadow.keys_of(made.shadow)
        same_key = projection_sql.same_key(keys, "l", "k")
        return f"exists (select from {projection_sql.table_name(keys)} k where {same_key})"
    return f"l.partition in ({partitions})"
