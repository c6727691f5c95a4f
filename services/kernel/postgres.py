"""PostgreSQL around the log: roles, databases, migrations, pools, and which errors mean a lost connection."""

import hashlib
import importlib.resources
import json
import secrets
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import orjson

from services.kernel import clock
from services.kernel.errors import CannotStart
from services.kernel.log import chain
from services.kernel.log.event_log import Connection

_PACKAGE = "services.kernel.migrations"
_LEDGER = """
create table if not exists public.migration (
    name text primary key, sha256 text not null, applied_at timestamptz not null default now())
"""
_GRANTS = """
grant usage on schema log to {role};
grant select, insert on log.events, log.unique_keys to {role};
grant select, insert, update, delete on log.commands to {role};
grant select on log.genesis, log.readable_events to {role};
grant select on public.migration to {role};
grant select, update on log.log_head to {role};
grant select, insert, update, delete on log.inbox, log.dead_letters, log.parked, log.replies to {role};
grant select, insert, update, delete on log.projections, log.checkpoints to {role};
grant usage, create on schema read to {role};
alter role {role} in database {database} set search_path = read, log;
"""


def database_name(service: str, prefix: str) -> str:
    """The database of a service."""
    return f"{prefix}_{service}".replace("-", "_")


def service_dsn(admin_dsn: str, service: str, prefix: str) -> str:
    """DSN of the service's run-time role, which may insert events and never change them."""
    name = database_name(service, prefix)
    return _with(admin_dsn, user=name, database=name)


def admin_dsn_of(admin_dsn: str, database: str) -> str:
    """The administrator's address in another database."""
    return _with(admin_dsn, user=None, database=database)


def _with(admin_dsn: str, *, user: str | None, database: str) -> str:
    parts = urlsplit(admin_dsn)
    if user is None:
        return urlunsplit(parts._replace(path=f"/{database}"))
    netloc = f"{user}:{quote(_password(admin_dsn, user))}@{parts.hostname}:{parts.port or 5432}"
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{database}"))


def _password(admin_dsn: str, role: str) -> str:
    # Derived from the administrator's, so that nothing has to be stored; who has that one can set any other.
    return hashlib.sha256(f"{urlsplit(admin_dsn).password or ''}/{role}".encode()).hexdigest()[:32]


async def provision(admin_dsn: str, service: str, prefix: str, partitions: int) -> str:
    """Make the service's role, database, tables and genesis where they are missing. Returns its DSN."""
    name = database_name(service, prefix)
    await make_role(admin_dsn, service, prefix)
    admin = await asyncpg.connect(admin_dsn)
    try:
        if not await admin.fetchval("select 1 from pg_database where datname = $1", name):
            await admin.execute(f"create database {name}")
    finally:
        await admin.close()
    owner = await asyncpg.connect(admin_dsn_of(admin_dsn, name))
    try:
        await equip(owner, name, name)
        await _found(owner, service, partitions)
    finally:
        await owner.close()
    return service_dsn(admin_dsn, service, prefix)


async def make_role(admin_dsn: str, service: str, prefix: str) -> None:
    """Make the service's run-time role where it is missing."""
    name = database_name(service, prefix)
    admin = await asyncpg.connect(admin_dsn)
    try:
        if not await admin.fetchval("select 1 from pg_roles where rolname = $1", name):
            await admin.execute(f"create role {name} login password '{_password(admin_dsn, name)}'")
    finally:
        await admin.close()


async def equip(owner: asyncpg.Connection, role: str, database: str) -> None:
    """Bring a service's database to the present tables, and let its role do what it needs to."""
    await _migrate(owner)
    await owner.execute(_GRANTS.format(role=role, database=database))


async def drop(admin_dsn: str, service: str, prefix: str) -> None:
    """Remove a service's database and role. For tests and `reset` only."""
    name = database_name(service, prefix)
    admin = await asyncpg.connect(admin_dsn)
    try:
        await admin.execute(f"drop database if exists {name} with (force)")
        await admin.execute(f"drop role if exists {name}")
    finally:
        await admin.close()


async def _migrate(owner: asyncpg.Connection) -> None:
    await owner.execute(_LEDGER)
    applied = {row["name"]: row["sha256"] for row in await owner.fetch("select name, sha256 from public.migration")}
    for name, sql in _migrations():
        digest = hashlib.sha256(sql.encode()).hexdigest()
        if name in applied:
            if applied[name] != digest:
                raise RuntimeError(f"migration {name} was changed after it was applied; add a new one instead")
            continue
        async with owner.transaction():
            await owner.execute(sql)
            await owner.execute("insert into public.migration (name, sha256) values ($1, $2)", name, digest)


def _migrations() -> list[tuple[str, str]]:
    files = importlib.resources.files(_PACKAGE).iterdir()
    return sorted((file.name, file.read_text()) for file in files if file.name.endswith(".sql"))


async def check_made(connection: Connection, database: str) -> int:
    """How many partitions the log has. Raises CannotStart where the tables are not those that this build needs."""
    made = f"`pledger up` makes what is missing in the database {database}"
    try:
        applied = {row["name"] for row in await connection.fetch("select name from public.migration")}
        missing = [name for name, _ in _migrations() if name not in applied]
        if missing:
            raise CannotStart(f"The database {database} lacks the migrations {', '.join(missing)}: {made}.")
        partitions: int = await connection.fetchval("select count(*) from log.genesis")
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError, asyncpg.InsufficientPrivilegeError) as error:
        raise CannotStart(f"The database {database} has not the tables of a service ({error}): {made}.") from error
    if not partitions:
        raise CannotStart(f"The log in the database {database} was not founded: {made}.")
    return partitions


def refusal(error: BaseException, dsn: str) -> str | None:
    """What to mend where the server is there and lets nobody in; None for any other error."""
    parts = urlsplit(dsn)
    where = f"PostgreSQL at {parts.netloc.rpartition('@')[2]}"
    match error:
        case asyncpg.InvalidAuthorizationSpecificationError():
            return f"{where} refuses the login of {parts.username}: {error}. Mend LEDGER_DATABASE, or the role."
        case asyncpg.InvalidCatalogNameError():
            return f"{where} is there without the database: {error}. `pledger restore` or `pledger up` makes it."
        case asyncpg.InsufficientPrivilegeError():
            return f"{where} does not let {parts.username} into its database: {error}. `pledger up` grants it."
    return None


async def _found(owner: asyncpg.Connection, service: str, partitions: int) -> None:
    existing = await owner.fetchval("select count(*) from log.genesis")
    if existing == partitions:
        return
    if existing:
        raise RuntimeError(f"the log of {service} has {existing} partitions; that is fixed when it is made")
    async with owner.transaction():
        for partition in range(partitions):
            document = chain.genesis_document(service, partition, clock.now(), secrets.token_hex(16))
            digest = chain.genesis_digest(document)
            await owner.execute("insert into log.genesis values ($1, $2, $3)", partition, document, digest)
            await owner.execute("insert into log.log_head values ($1, 0, $2)", partition, digest)


async def connect(dsn: str) -> asyncpg.Connection:
    """One connection, for a command line or a check."""
    connection = await asyncpg.connect(dsn)
    await _speak_json(connection)
    return connection


async def connect_for_replay(dsn: str) -> asyncpg.Connection:
    """One connection that takes JSON as text, as binary COPY needs it, and whose statements may take long.

    What it commits waits for no disk: it can be made again. The last commit of a replay says otherwise.
    """
    return await asyncpg.connect(
        dsn, server_settings={"application_name": "replay", "synchronous_commit": "off", "statement_timeout": "0"}
    )


async def open_pool(dsn: str, *, size: int, durable: bool = True) -> asyncpg.Pool:
    """A pool whose sessions give up waiting for a lock after 5 s and a stuck statement after 60 s.

    A transaction that says nothing for 10 s is ended: its process stands still, and others wait for its heads.
    What a pool that is not `durable` commits may be lost in a crash of the server, whole transactions from the
    end; good enough for what can be made again, and it waits for no disk.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        init=_speak_json,
        server_settings={
            "lock_timeout": "5s",
            "statement_timeout": "60s",
            "idle_in_transaction_session_timeout": "10s",
            "synchronous_commit": "on" if durable else "off",
        },
    )


async def _speak_json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot store (NUL, halves of surrogate pairs), which is written out instead."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode()


def json_text(value: Any) -> str:
    """JSON as PostgreSQL can store it."""
    # A list of JSON lists would reach PostgreSQL as an array of two dimensions; text is unambiguous.
    try:
        text = orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()
    except TypeError:
        # Numbers above 64 bits and keys that are no text.
        text = json.dumps(value)
    return json.dumps(_storable_json(value)) if "\\u0000" in text else text


def _storable_json(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case list() | tuple():
            return [_storable_json(part) for part in value]
        case dict():
            return {storable(name): _storable_json(part) for name, part in value.items()}
        case _:
            return value


def is_transient(error: BaseException) -> bool:
    """Whether the work may be tried again: connection lost, server restarting, lock wait, deadlock.

    A cut connection shows as one of several classes, InterfaceError among them, which is no PostgresError. An
    InterfaceError that is a ValueError as well complains of an argument, and will do so for ever.
    """
    return isinstance(error, TRANSIENT) and not isinstance(error, ValueError)


TRANSIENT: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # What a connection says that was cut while it was in use; it is no InterfaceError.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""Classes that mostly mean so; `is_transient` knows the exceptions."""
