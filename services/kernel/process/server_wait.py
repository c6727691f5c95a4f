"""Waits at the start of a service for a server that is away, as long as it takes, and says now and then for what.

What only a person can mend is not waited for: see CannotStart.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

from aiokafka.errors import KafkaError

from services.kernel import kafka, postgres
from services.kernel.cancellation import end_if_cancelled

ANSWER_SECONDS_MAX = 10.0
_PAUSE_SECONDS_MIN, _PAUSE_SECONDS_MAX = 0.2, 3.0
_SAY_SECONDS = 30.0

log = logging.getLogger(__name__)

Found = TypeVar("Found")


def postgres_server(dsn: str) -> str:
    """The database server as people name it: its address, without the login."""
    return f"PostgreSQL at {urlsplit(dsn).netloc.rpartition('@')[2]}"


def kafka_server(bootstrap: str) -> str:
    """The broker as people name it."""
    return f"Kafka at {bootstrap}"


async def until_there(
    server: str, attempt: Callable[[], Awaitable[Found]], tell: Callable[[str | None], None]
) -> Found:
    """What the attempt gives, made again with longer and longer pauses while the server is away.

    `tell` is told what is waited for, and None when that is over. Any error that does not mean an absent server is
    raised. A cancellation ends the wait, also one that a client library swallowed.
    """
    pause, began, said = _PAUSE_SECONDS_MIN, time.monotonic(), float("-inf")
    while True:
        try:
            found = await attempt()
        except (Exception, asyncio.CancelledError) as error:
            # In closing, aiokafka also cancels what it was awaited for; nobody asked for that.
            end_if_cancelled()
            if not _is_away(error):
                raise
            reason = f"waits for {server}: {str(error) or type(error).__name__}"
            tell(reason)
            if time.monotonic() - said >= _SAY_SECONDS:
                said = time.monotonic()
                log.warning("%s; for %.0f s now, and as long as it takes", reason, said - began)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _PAUSE_SECONDS_MAX)
            continue
        end_if_cancelled()
        tell(None)
        if said > began:
            log.info("%s is there, after %.1f s", server, time.monotonic() - began)
        return found


def _is_away(error: BaseException) -> bool:
    return isinstance(error, KafkaError | asyncio.CancelledError) or postgres.is_transient(error)


async def kafka_answers(bootstrap: str) -> None:
    """Return once Kafka has answered. Raises what kept it from that: a closed port, or one that gives no answer."""
    if not await some_port_is_open(bootstrap):
        # To ask its client would cost more, and a line in the log for each address.
        raise ConnectionRefusedError("no connection")
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await kafka.list_topics(bootstrap)
    except (KafkaError, TimeoutError) as error:
        reason = f"the port is open, but does not answer as Kafka does ({str(error) or type(error).__name__})"
        raise ConnectionError(f"{reason}; it may be starting, or want another login or protocol") from error


async def some_port_is_open(bootstrap: str) -> bool:
    """Whether any of the addresses takes a connection."""
    for address in bootstrap.split(","):
        host, _, port = address.rpartition(":")
        with contextlib.suppress(OSError, TimeoutError):
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), ANSWER_SECONDS_MAX)
            writer.close()
            return True
    return False
