"""Typed reads of a service's own read models."""

from typing import Any, TypeVar

import asyncpg
from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)


class ReadModels:
    """Runs queries against the schema `read`; every row becomes a model."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def one(self, model: type[Model], sql: str, *arguments: Any) -> Model | None:
        """The first row, or None."""
        row = await self._pool.fetchrow(sql, *arguments)
        return None if row is None else model.model_validate(dict(row))

    async def row(self, sql: str, *arguments: Any) -> dict[str, Any] | None:
        """The first row as it is, or None."""
        found = await self._pool.fetchrow(sql, *arguments)
        return None if found is None else dict(found)

    async def many(self, model: type[Model], sql: str, *arguments: Any) -> list[Model]:
        """All rows."""
        return [model.model_validate(dict(row)) for row in await self._pool.fetch(sql, *arguments)]
