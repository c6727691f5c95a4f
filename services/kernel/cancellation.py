"""Cancelling tasks in which a client library may swallow the cancellation."""

import asyncio
from collections.abc import Iterable

_CANCEL_AGAIN_SECONDS = 6
"""Longer than the relay needs to throw a producer away."""


async def cancel(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancel tasks until they have ended: a client library may swallow a cancellation while it closes something."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)


def end_if_cancelled() -> None:
    """Raise the cancellation that somebody asked this task for, and that aiokafka swallowed in closing a client."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
