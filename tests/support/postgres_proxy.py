"""A TCP proxy in front of PostgreSQL that can lose the answer to a COMMIT, and with it the connection."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from urllib.parse import urlsplit

_COMMIT = b"COMMIT;\x00"
_APPEND = b'COPY "log"."events"'
_CHUNK_BYTES = 256 * 1024


class PostgresProxy:
    """Passes everything on. Of the next `lose_commits` commits the server does the work and nobody hears of it.

    Only commits of sessions that append events count.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server_at = (host, port)
        self.lose_commits = 0
        self.lost = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        """Serve one connection until either side closes it."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            server, requests = await asyncio.open_connection(*self._server_at)
            swallow = asyncio.Event()
            pumps = [
                asyncio.create_task(self._to_server(client, requests, swallow)),
                asyncio.create_task(self._to_client(server, answers, swallow)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                requests.transport.abort()
        answers.transport.abort()

    async def _to_server(
        self, client: asyncio.StreamReader, requests: asyncio.StreamWriter, swallow: asyncio.Event
    ) -> None:
        appends = False
        with contextlib.suppress(OSError):
            while chunk := await client.read(_CHUNK_BYTES):
                appends = appends or _APPEND in chunk
                if appends and self.lose_commits > 0 and _COMMIT in chunk:
                    self.lose_commits -= 1
                    self.lost += 1
                    swallow.set()
                requests.write(chunk)
                await requests.drain()

    async def _to_client(
        self, server: asyncio.StreamReader, answers: asyncio.StreamWriter, swallow: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await server.read(_CHUNK_BYTES):
                if swallow.is_set():
                    return
                answers.write(chunk)
                await answers.drain()

    async def close(self) -> None:
        """Cut all connections."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def postgres_proxy(dsn: str, port: int = 0) -> AsyncIterator[PostgresProxy]:
    """A proxy in front of the server that the DSN names, on this port or on a free one."""
    address = urlsplit(dsn)
    proxy = PostgresProxy(address.hostname or "127.0.0.1", address.port or 5432)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", port)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()


@contextmanager
def proxies_in_a_thread(dsn: str, names: Sequence[str]) -> Iterator[dict[str, PostgresProxy]]:
    """One proxy for each name, run by a thread of their own: whoever blocks the caller's loop does not stop them."""
    proxies: dict[str, PostgresProxy] = {}
    open_now, end = threading.Event(), threading.Event()

    async def run() -> None:
        async with AsyncExitStack() as stack:
            for name in names:
                proxies[name] = await stack.enter_async_context(postgres_proxy(dsn))
            open_now.set()
            await asyncio.to_thread(end.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="proxies", daemon=True)
    thread.start()
    try:
        assert open_now.wait(10), "the proxies did not start"
        yield proxies
    finally:
        end.set()
        thread.join(10)


def through(proxy: PostgresProxy, dsn: str) -> str:
    """The same DSN by way of the proxy."""
    address = urlsplit(dsn)
    login = address.netloc.rpartition("@")[0]
    return address._replace(netloc=f"{login}@127.0.0.1:{proxy.port}").geturl()
