"""Which errors of PostgreSQL mean: try again."""

import asyncpg
import pytest
from asyncpg.exceptions import ClientConfigurationError

from services.kernel.postgres import database_name, is_transient, service_dsn


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        asyncpg.DeadlockDetectedError("deadlock detected"),
        asyncpg.SerializationError("could not serialize access"),
        asyncpg.LockNotAvailableError("canceling statement due to lock timeout"),
        asyncpg.IdleInTransactionSessionTimeoutError("terminating connection"),
        ConnectionRefusedError(),
        TimeoutError(),
    ],
)
def test_a_lost_connection_or_a_lost_race_is_tried_again(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.CheckViolationError("violates check constraint"),
        asyncpg.UniqueViolationError("duplicate key value"),
        asyncpg.InsufficientPrivilegeError("permission denied"),
        asyncpg.CharacterNotInRepertoireError("invalid byte sequence"),
        # A client-side complaint about an argument is an InterfaceError too.
        ClientConfigurationError("wrong"),
        ValueError("wrong"),
    ],
)
def test_an_error_that_would_come_again_is_not_tried_again(error: Exception) -> None:
    assert not is_transient(error)


def test_a_service_has_a_database_and_a_role_of_its_own() -> None:
    assert database_name("quote", "ledger") == "ledger_quote"
    dsn = service_dsn("postgresql://postgres:secret@db.example:5433/postgres", "quote", "ledger")
    assert dsn.startswith("postgresql://ledger_quote:")
    assert dsn.endswith("@db.example:5433/ledger_quote")
    assert "secret" not in dsn
