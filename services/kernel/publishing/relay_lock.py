"""The lock that lets one relay of a service work while the others stand by.

It keeps relays from fencing each other for nothing; that a topic is right never depends on it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

RETRY_SECONDS = 0.5
SILENT_SECONDS = 5.0
_SIGN_OF_LIFE_SECONDS = 1.0
_CLASS = 0x50_4C
_TRY = "select pg_try_advisory_lock($1, 1)"
# A process that stands still keeps its session, and with it the lock; its producer will be fenced by the next one's.
_END_SILENT_HOLDER = """
select pg_terminate_backend(l.pid)
  from pg_locks l join pg_stat_activity a using (pid)
 where l.locktype = 'advisory' and l.granted and l.classid = $1::bigint::oid and l.objid = 1
   and l.database = (select oid from pg_database where datname = current_database())
   and a.state_change < now() - make_interval(secs => $2)
"""


@asynccontextmanager
async def only_relay(pool: asyncpg.Pool) -> AsyncIterator[Callable[[], bool]]:
    """Wait for the lock and hold it for the block, which gets a function that tells whether it is held still."""
    async with pool.acquire() as holder:
        while not await holder.fetchval(_TRY, _CLASS):
            await holder.execute(_END_SILENT_HOLDER, _CLASS, SILENT_SECONDS)
            await asyncio.sleep(RETRY_SECONDS)
        sign_of_life = asyncio.create_task(_show_life(holder))
        try:
            yield lambda: _is_open(holder)
        finally:
            sign_of_life.cancel()
            await asyncio.wait([sign_of_life])


async def _show_life(holder: asyncpg.pool.PoolConnectionProxy) -> None:
    with contextlib.suppress(Exception):
        while True:
            await holder.execute("select 1")
            await asyncio.sleep(_SIGN_OF_LIFE_SECONDS)


def _is_open(holder: asyncpg.pool.PoolConnectionProxy) -> bool:
    try:
        return not holder.is_closed()
    except asyncpg.InterfaceError:
        # The pool took back the connection when the server cut it; the lock went with the session.
        return False
