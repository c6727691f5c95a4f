"""Takes killed processes out of their consumer groups, so that nobody waits for their sessions to end.

Kafka gives away the partitions of a member that was killed only when its session has timed out, and keeps a member
that joins waiting as long. So members are named after host, process and its start, and whoever starts on the same
host says goodbye for those whose process is gone. One that is taken for dead and lives simply joins again.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import psutil
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest

_SECONDS_MAX = 5
_START_TOLERANCE_SECONDS = 2

log = logging.getLogger(__name__)


def member_name(service: str) -> str:
    """The name of this process among the members of a service's groups."""
    started = int(psutil.Process().create_time())
    return f"{service}-inbox.{socket.gethostname()}.{os.getpid()}.{started}"


async def say_goodbye(bootstrap: str, service: str, groups: Sequence[str]) -> int:
    """Make members of this host whose process is gone leave the groups; returns how many.

    Never raises: without it everything goes on too, only later.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    gone = 0
    try:
        async with asyncio.timeout(_SECONDS_MAX):
            await admin.start()
            for group in groups:
                coordinator = await admin.find_coordinator(group)
                for response in await admin.describe_consumer_groups([group], coordinator):
                    for member in _dead(response, service):
                        await admin._client.send(coordinator, LeaveGroupRequest(group, member))
                        gone += 1
    except (KafkaError, OSError, TimeoutError) as error:
        log.info("killed members of %s stay until their sessions end: %s", ", ".join(groups), error)
    finally:
        await admin.close()
    if gone:
        log.info("%s killed members left %s", gone, ", ".join(groups))
    return gone


def _dead(response: Any, service: str) -> Iterator[str]:
    for _, _, _, _, _, members, *_ in response.groups:
        for member in members:
            if is_dead(member[1], service):
                yield member[0]


def is_dead(name: str, service: str) -> bool:
    """Whether this is the name of a process of the service on this host that does not run any more."""
    prefix, _, started = name.rpartition(".")
    prefix, _, pid = prefix.rpartition(".")
    if prefix != f"{service}-inbox.{socket.gethostname()}" or not pid.isdecimal() or not started.isdecimal():
        return False
    try:
        process = psutil.Process(int(pid))
        same = abs(process.create_time() - int(started)) <= _START_TOLERANCE_SECONDS
        return not same or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
