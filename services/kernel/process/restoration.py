"""Puts a service's database back from a copy: filled beside the live one, checked, and swapped in by name.

The database that was live until then is kept aside under a name of its own, until somebody drops it or brings it back.
"""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg

from services.kernel import clock, postgres
from services.kernel.errors import NotRestored
from services.kernel.log import event_log

_SESSIONS = """
select count(*) from pg_stat_activity
 where datname = $1 and pid <> pg_backend_pid() and backend_type = 'client backend'
"""
_ASIDE = "select datname from pg_database where starts_with(datname, $1) order by datname"
_HEADS_THAT_DO_NOT_FIT = """
select h.partition from log.log_head h
  left join lateral (select position, digest from log.events where partition = h.partition
                      order by position desc limit 1) e on true
 where h.position <> coalesce(e.position, 0) or (e.position is not null and h.digest <> e.digest)
 order by h.partition
"""
_OWN_READ_MODELS = """
do $$
declare made record;
begin
    for made in select c.oid::regclass as name, c.relkind as kind from pg_class c
                 where c.relnamespace = 'read'::regnamespace and c.relkind in ('r', 'v') loop
        execute format('alter %s %s owner to {role}', case made.kind when 'v' then 'view' else 'table' end, made.name);
    end loop;
end $$
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of a database: the id by which another session can see it, and where the log's partitions end."""

    id: str
    heads: tuple[int, ...]


@contextlib.asynccontextmanager
async def snapshot(admin_dsn: str, service: str, prefix: str) -> AsyncIterator[Snapshot]:
    """Hold a moment of a service's database for as long as the context is open. Disturbs nobody."""
    async with _connected(postgres.admin_dsn_of(admin_dsn, postgres.database_name(service, prefix))) as connection:
        await connection.execute("set idle_in_transaction_session_timeout = 0")
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            heads = await event_log.heads(connection)
            yield Snapshot(
                await connection.fetchval("select pg_export_snapshot()"),
                tuple(head.position for head in heads.values()),
            )


async def check_stopped(admin_dsn: str, service: str, prefix: str) -> None:
    """Refuse to go on while anybody is connected to the service's database."""
    async with _connected(admin_dsn) as admin:
        sessions = await admin.fetchval(_SESSIONS, postgres.database_name(service, prefix))
    if sessions:
        raise NotRestored(f"{service} is running ({sessions} sessions in its database); stop it first")


async def make_room(admin_dsn: str, service: str, prefix: str) -> str:
    """An empty database beside the live one; what an earlier attempt left there is dropped. Returns its address."""
    name = _fresh(service, prefix)
    await postgres.make_role(admin_dsn, service, prefix)
    async with _connected(admin_dsn) as admin:
        await admin.execute(f"drop database if exists {name} with (force)")
        await admin.execute(f"create database {name} template template0")
    return postgres.admin_dsn_of(admin_dsn, name)


async def give_up(admin_dsn: str, service: str, prefix: str) -> None:
    """Drop what `make_room` made."""
    async with _connected(admin_dsn) as admin:
        await admin.execute(f"drop database if exists {_fresh(service, prefix)} with (force)")


async def adopt(admin_dsn: str, service: str, prefix: str) -> tuple[int, ...]:
    """Check the filled database and make it fit for the service. Returns where the log's partitions end.

    Raises NotRestored where it is another service's, or no log, or its heads are not its last events.
    """
    role = postgres.database_name(service, prefix)
    async with _connected(postgres.admin_dsn_of(admin_dsn, _fresh(service, prefix))) as owner:
        try:
            documents = [json.loads(row["document"]) for row in await owner.fetch("select document from log.genesis")]
        except asyncpg.UndefinedTableError as error:
            raise NotRestored("this is no backup of a service: there is no log in it") from error
        services = {document["service"] for document in documents}
        if services != {service}:
            raise NotRestored(f"this is a backup of {', '.join(sorted(services)) or 'nothing'}, not of {service}")
        if broken := await owner.fetch(_HEADS_THAT_DO_NOT_FIT):
            partitions = ", ".join(str(row["partition"]) for row in broken)
            raise NotRestored(f"the log in this backup does not end where its heads say, partition {partitions}")
        await postgres.equip(owner, role, _fresh(service, prefix))
        await owner.execute(_OWN_READ_MODELS.format(role=role))
        await owner.execute("analyze")
        return tuple(head.position for head in (await event_log.heads(owner)).values())


async def swap_in(admin_dsn: str, service: str, prefix: str) -> str | None:
    """Put the filled database in the place of the live one, at one moment. Returns the name of the one put aside."""
    return await _swap(admin_dsn, service, prefix, _fresh(service, prefix))


async def bring_back(admin_dsn: str, service: str, prefix: str, name: str) -> str | None:
    """Put a database that was kept aside back in its place; the present one is kept aside instead."""
    await _check_aside(admin_dsn, service, prefix, name)
    return await _swap(admin_dsn, service, prefix, name)


async def aside(admin_dsn: str, service: str, prefix: str) -> list[str]:
    """The databases that were put aside, oldest first."""
    async with _connected(admin_dsn) as admin:
        rows = await admin.fetch(_ASIDE, f"{postgres.database_name(service, prefix)}_aside_")
    return [row["datname"] for row in rows]


async def drop_aside(admin_dsn: str, service: str, prefix: str, name: str) -> None:
    """Drop a database that was put aside, for good."""
    await _check_aside(admin_dsn, service, prefix, name)
    async with _connected(admin_dsn) as admin:
        await admin.execute(f"drop database {name} with (force)")


async def _check_aside(admin_dsn: str, service: str, prefix: str, name: str) -> None:
    kept = await aside(admin_dsn, service, prefix)
    if name not in kept:
        raise NotRestored(f"{name} is not kept aside for {service}; these are: {', '.join(kept) or 'none'}")


async def _swap(admin_dsn: str, service: str, prefix: str, incoming: str) -> str | None:
    live = postgres.database_name(service, prefix)
    put_aside = f"{live}_aside_{clock.now():%Y%m%dt%H%M%S%fz}"
    async with _connected(admin_dsn) as admin:
        replaced = await admin.fetchval("select exists (select from pg_database where datname = $1)", live)
        try:
            async with admin.transaction():
                if replaced:
                    await admin.execute(f"alter database {live} rename to {put_aside}")
                await admin.execute(f"alter database {incoming} rename to {live}")
        except asyncpg.ObjectInUseError as error:
            raise NotRestored(f"{service} was started meanwhile; stop it and try again") from error
    return put_aside if replaced else None


def _fresh(service: str, prefix: str) -> str:
    return f"{postgres.database_name(service, prefix)}_restoring"


@contextlib.asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()
