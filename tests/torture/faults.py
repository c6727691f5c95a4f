"""What can happen to a running system, each as one function of the cluster and a step of the plan.

A function returns when what it did is over: the process was killed, the server is back, the lock is released.
"""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import asyncpg
from aiokafka.errors import KafkaError

from contracts.topics import channel_topics, events_topic
from services.cli.stack import DATABASE_PREFIX
from services.demo.book import CHANNELS
from services.kernel import postgres
from tests.torture.cluster import SESSION_TIMEOUT_MS, Cluster, replica_of, with_failpoint
from tests.torture.groups import delete_group, reset_group
from tests.torture.plan import SERVICES, Step
from tests.torture.processes import Running

FAILPOINT_SECONDS_MAX = 20.0
_GROUP_SECONDS_MAX = 20.0
YOUNG_SECONDS = 15.0
_PARTITION = 3

Fault: TypeAlias = Callable[[Cluster, Step], Awaitable[None]]


async def _service_killed(cluster: Cluster, step: Step) -> None:
    await cluster.services[step.service].kill()


async def _all_services_killed(cluster: Cluster, step: Step) -> None:
    for running in cluster.services.values():
        running.send(signal.SIGKILL)
    for running in cluster.services.values():
        await running.gone()
        running.kills += 1


async def _killed_at_a_failpoint(cluster: Cluster, step: Step) -> None:
    """The service is started anew with the failpoint armed, and dies there when it gets there."""
    running = cluster.services[step.service]
    running.held = True
    try:
        await running.kill()
        doomed = with_failpoint(cluster, step.service, step.detail)
        cluster.replicas.append(doomed)
        doomed.start()
        process = doomed.process
        if process is not None and await asyncio.to_thread(process.wait, FAILPOINT_SECONDS_MAX):
            doomed.kills += process.exit_code == -signal.SIGKILL
        else:
            await doomed.kill()
    finally:
        running.held = False


async def _second_replica(cluster: Cluster, step: Step) -> None:
    replica = replica_of(cluster, step.service)
    await asyncio.sleep(step.seconds)
    await cluster.services[step.service].kill()
    await asyncio.sleep(step.seconds)
    await _ended_in_order(replica)


async def _replica_joins_and_leaves(cluster: Cluster, step: Step) -> None:
    for _ in range(2):
        replica = replica_of(cluster, step.service)
        await asyncio.sleep(step.seconds)
        await _ended_in_order(replica)


async def _service_frozen(cluster: Cluster, step: Step) -> None:
    """Longer than the session timeout, so that the group goes on without it; then it wakes and believes itself in."""
    assert step.seconds * 1000 > SESSION_TIMEOUT_MS
    replica = replica_of(cluster, step.service)
    running = cluster.services[step.service]
    running.freeze()
    try:
        await asyncio.sleep(step.seconds)
    finally:
        running.thaw()
    await asyncio.sleep(1)
    await _ended_in_order(replica)


async def _loop_blocked(cluster: Cluster, step: Step) -> None:
    """Its loop stands still at a failpoint longer than its session; a replica goes on, and then it wakes."""
    running = cluster.services[step.service]
    running.held = True
    try:
        await _ended_in_order(running)
        blocked = with_failpoint(cluster, step.service, step.detail)
        cluster.replicas.append(blocked)
        blocked.start()
        replica = replica_of(cluster, step.service)
        await asyncio.sleep(step.seconds)
        await _ended_in_order(blocked)
        await _ended_in_order(replica)
    finally:
        running.held = False


async def _service_terminated(cluster: Cluster, step: Step) -> None:
    running = cluster.services[step.service]
    running.held = True
    try:
        await _ended_in_order(running)
    finally:
        running.held = False


async def _ended_in_order(running: Running) -> None:
    """SIGTERM under load: it finishes what it holds and ends with 0."""
    if not running.alive:
        return
    code = await running.end(signal.SIGTERM)
    # A process that is still importing has no handler yet.
    young = time.monotonic() - running.started_at < YOUNG_SECONDS
    assert code == 0 or (young and code == -signal.SIGTERM), f"{running.name} ended with {code} on SIGTERM"


async def _consumer_groups_lost(cluster: Cluster, step: Step) -> None:
    running = cluster.services[step.service]
    running.held = True
    try:
        await _ended_in_order(running)
        async with asyncio.timeout(_GROUP_SECONDS_MAX):
            await _lose_groups(cluster, step)
    except (KafkaError, OSError, TimeoutError):
        # Another fault may have left members that Kafka still believes in; then the groups stay.
        return
    finally:
        running.held = False


async def _lose_groups(cluster: Cluster, step: Step) -> None:
    bootstrap, service = cluster.servers.kafka, step.service
    channels = [channel_topics(channel)[0].name for channel in CHANNELS]
    groups = {f"{service}.events": [events_topic(name) for name in SERVICES], f"{service}.channels": channels}
    for group, topics in groups.items():
        if step.detail == "deleted":
            await delete_group(bootstrap, group)
        else:
            await reset_group(bootstrap, group, topics, to_end=step.detail.endswith("end"))


async def _kafka_stopped(cluster: Cluster, step: Step) -> None:
    await cluster.kafka.end(signal.SIGTERM)
    await asyncio.sleep(step.seconds)
    await cluster.start_kafka()


async def _kafka_killed(cluster: Cluster, step: Step) -> None:
    await cluster.kafka.kill()
    await asyncio.sleep(step.seconds)
    await cluster.start_kafka()


async def _kafka_frozen(cluster: Cluster, step: Step) -> None:
    await _frozen(cluster.kafka, step.seconds)


async def _postgres_frozen(cluster: Cluster, step: Step) -> None:
    await _frozen(cluster.postgres, step.seconds)


async def _frozen(running: Running, seconds: float) -> None:
    running.freeze()
    try:
        await asyncio.sleep(seconds)
    finally:
        running.thaw()


async def _postgres_fast(cluster: Cluster, step: Step) -> None:
    await cluster.postgres.end(signal.SIGINT)
    await asyncio.sleep(step.seconds)
    await cluster.start_postgres()


async def _postgres_immediate(cluster: Cluster, step: Step) -> None:
    await cluster.postgres.end(signal.SIGQUIT)
    await asyncio.sleep(step.seconds)
    await cluster.start_postgres()


async def _postgres_killed(cluster: Cluster, step: Step) -> None:
    await cluster.postgres.kill()
    await asyncio.sleep(step.seconds)
    await cluster.start_postgres()


async def _backends_terminated(cluster: Cluster, step: Step) -> None:
    connection = await asyncpg.connect(cluster.database(step.service))
    try:
        role = postgres.database_name(step.service, DATABASE_PREFIX)
        await connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", role)
    finally:
        await connection.close()


async def _log_head_locked(cluster: Cluster, step: Step) -> None:
    connection = await asyncpg.connect(cluster.database(step.service))
    try:
        async with connection.transaction():
            await connection.execute("select 1 from log.log_head where partition = $1 for update", _PARTITION)
            await asyncio.sleep(step.seconds)
    finally:
        await connection.close()


async def _commits_lost(cluster: Cluster, step: Step) -> None:
    cluster.proxies[step.service].lose_commits += int(step.detail)


FAULTS: dict[str, Fault] = {
    "service killed": _service_killed,
    "all services killed": _all_services_killed,
    "killed at a failpoint": _killed_at_a_failpoint,
    "second replica, first killed": _second_replica,
    "replica joins and leaves": _replica_joins_and_leaves,
    "service frozen, replica takes over": _service_frozen,
    "event loop blocked, replica takes over": _loop_blocked,
    "service terminated": _service_terminated,
    "consumer groups lost": _consumer_groups_lost,
    "Kafka stopped": _kafka_stopped,
    "Kafka killed": _kafka_killed,
    "Kafka frozen": _kafka_frozen,
    "PostgreSQL restarted fast": _postgres_fast,
    "PostgreSQL restarted immediately": _postgres_immediate,
    "PostgreSQL killed": _postgres_killed,
    "PostgreSQL frozen": _postgres_frozen,
    "backends terminated": _backends_terminated,
    "log head locked": _log_head_locked,
    "commits lost": _commits_lost,
}


def services_hit(step: Step) -> tuple[str, ...]:
    """The services that must come back after the fault."""
    return (step.service,) if step.service else SERVICES
