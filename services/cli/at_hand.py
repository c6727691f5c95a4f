"""Servers for a command that needs no running service: those of the stack, the given ones, or started for it."""

import contextlib
from collections.abc import Iterator

from infra.servers import Servers, data_folder, running_servers
from infra.stack_file import current_stack
from services.cli.console import console


@contextlib.contextmanager
def servers_at_hand() -> Iterator[Servers]:
    """The servers of the running stack, or those that are given; otherwise this checkout's, for as long as needed.

    So an operator can look at a service, and put it back, while none of it runs.
    """
    stack = current_stack(data_folder())
    if stack is not None:
        yield Servers(kafka=stack.kafka, postgres=stack.postgres, kind="environment")
        return
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with running_servers(folder, lambda text: console.print(f"  {text}", highlight=False)) as servers:
        yield servers
