"""Servers for the tests that need them: each xdist worker has its own, unless the environment names some."""

from collections.abc import Iterator

import pytest

from infra.servers import Servers, running_servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A Kafka and a PostgreSQL for the whole session; LEDGER_KAFKA and LEDGER_POSTGRES name running ones instead."""
    with running_servers(tmp_path_factory.mktemp("servers"), print) as running:
        yield running
