"""The archive of WAL: what PostgreSQL writes, copied to another folder as it is written, where one is named."""

import os
from pathlib import Path

from infra import backup as copies
from infra.servers import Servers
from infra.stack import Child


def archiver(servers: Servers) -> list[Child]:
    """The program that archives WAL to the folder that LEDGER_WAL names; none where it is not set.

    From then on the server keeps its WAL until the archive has it, so that a pause leaves no gap.
    """
    named = os.environ.get(copies.WAL_VARIABLE, "").strip()
    if not named:
        return []
    folder = Path(named).expanduser().absolute()
    copies.create_slot(servers.postgres, folder)
    argv, variables = copies.wal_receiver(servers.postgres, folder)
    return [Child(name="wal-archive", argv=argv, env=variables)]
