"""Typed reads of a service's own read models."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import asyncpg
from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)

_PROGRESS = """
select partition, position from log.checkpoints join log.projections p using (version)
 where projection = $1 and p.name = $1 and p.live
"""

CONNECTION_SECONDS_MAX = 5.0
READ_SECONDS_MAX = 20.0
"""A server that stands still answers nothing, not even that a statement took too long."""


class ReadModels:
    """Runs queries against the schema `read`; every row becomes a model.

    `admitted` is entered for each read and may refuse it. Raises TimeoutError where no connection is free, or no
    answer comes, in time.
    """

    def __init__(
        self, pool: asyncpg.Pool, admitted: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
    ) -> None:
        self._pool = pool
        self._admitted = admitted

    async def one(self, model: type[Model], sql: str, *arguments: Any) -> Model | None:
        """The first row, or None."""
        found = await self.row(sql, *arguments)
        return None if found is None else model.model_validate(found)

    async def row(self, sql: str, *arguments: Any) -> dict[str, Any] | None:
        """The first row as it is, or None."""
        async with self.connection() as connection:
            found = await connection.fetchrow(sql, *arguments, timeout=READ_SECONDS_MAX)
        return None if found is None else dict(found)

    async def many(self, model: type[Model], sql: str, *arguments: Any) -> list[Model]:
        """All rows."""
        async with self.connection() as connection:
            rows = await connection.fetch(sql, *arguments, timeout=READ_SECONDS_MAX)
        return [model.model_validate(dict(row)) for row in rows]

    async def with_progress(
        self, projection: str, model: type[Model], sql: str, *arguments: Any
    ) -> tuple[list[Model], dict[int, int]]:
        """All rows, and by partition the position of the log up to which that read model had come when they were."""
        async with self.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            rows = await connection.fetch(sql, *arguments, timeout=READ_SECONDS_MAX)
            passed = await connection.fetch(_PROGRESS, projection, timeout=READ_SECONDS_MAX)
        return [model.model_validate(dict(row)) for row in rows], {row["partition"]: row["position"] for row in passed}

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """A connection of the pool for other reads, under the same limits."""
        with self._admitted():
            async with self._pool.acquire(timeout=CONNECTION_SECONDS_MAX) as connection:
                yield connection
