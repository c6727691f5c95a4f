"""The plan of a run: which fault, on whom, how long, drawn from a seed before anything starts."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from contracts.topics import ServiceName
from services.kernel import failpoints

SERVICES = tuple(service.value for service in ServiceName)
_GAP_SECONDS = (0.4, 1.6)
# In a run only; a service has no second version to swap in here.
_POINTS = tuple(name for name in failpoints.NAMES if name != "projector.in_swap")


@dataclass(frozen=True, slots=True)
class Step:
    """One fault. `seconds` is how long it lasts where it lasts, `detail` what else there is to choose."""

    fault: str
    service: str
    after_seconds: float
    seconds: float
    detail: str

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.fault} {self.service}{lasting}{f' ({self.detail})' if self.detail else ''}"


# How often each fault comes in one round, and between how many seconds it lasts.
_ROUND: dict[str, tuple[int, tuple[float, float]]] = {
    "service killed": (26, (0, 0)),
    "all services killed": (3, (0, 0)),
    "killed at a failpoint": (4, (0, 0)),
    "second replica, first killed": (2, (2, 5)),
    "replica joins and leaves": (1, (2, 4)),
    "service frozen, replica takes over": (1, (9, 11)),
    "event loop blocked, replica takes over": (1, (18, 20)),
    "service terminated": (2, (0, 0)),
    "consumer groups lost": (1, (0, 0)),
    "Kafka stopped": (1, (2, 12)),
    "Kafka killed": (1, (0, 2)),
    "Kafka frozen": (2, (2, 8)),
    "PostgreSQL restarted fast": (1, (0, 2)),
    "PostgreSQL restarted immediately": (1, (0, 2)),
    "PostgreSQL killed": (1, (0, 1)),
    "PostgreSQL frozen": (1, (1, 4)),
    "backends terminated": (3, (0, 0)),
    "log head locked": (2, (2, 7)),
    "commits lost": (3, (0, 0)),
}
_SHORT = (
    "second replica, first killed",
    "consumer groups lost",
    "Kafka killed",
    "PostgreSQL restarted immediately",
    "backends terminated",
    "log head locked",
    "commits lost",
)
_GROUPS_LOST = ("deleted", "reset to the beginning", "reset to the end")
# The long stop comes once a run, early enough to be in a run of five minutes.
_LONG_STOP = Step("Kafka stopped", "", 1.0, 30.0, "")
_LONG_STOP_PLACE = 25


def long_plan(seed: int) -> Iterator[Step]:
    """Steps without end; the same seed gives the same steps."""
    random = Random(f"{seed}/plan")
    number = 0
    while True:
        names = [name for name, (times, _) in _ROUND.items() for _ in range(times)]
        random.shuffle(names)
        for name in names:
            number += 1
            if number == _LONG_STOP_PLACE:
                yield _LONG_STOP
            yield _drawn(random, name, _ROUND[name][1])


def short_plan(seed: int) -> list[Step]:
    """Every service is killed once, and the quickest of the other faults happen once on whom the seed says."""
    random = Random(f"{seed}/plan")
    steps = [_drawn(random, name, (_ROUND[name][1][0], _ROUND[name][1][0])) for name in _SHORT]
    steps += [Step("service killed", service, random.uniform(*_GAP_SECONDS), 0, "") for service in SERVICES]
    random.shuffle(steps)
    return steps


_LONG_ABSENCES = {
    "kafka": "Kafka stopped",
    "postgres": "PostgreSQL restarted fast",
    "postgres-frozen": "PostgreSQL frozen",
}
LONG_ABSENCES = tuple(_LONG_ABSENCES)
LOAD_SECONDS_BEFORE = 20.0


def long_absence(server: str, seconds: float) -> list[Step]:
    """One server is away for so long, and nothing else happens."""
    return [Step(_LONG_ABSENCES[server], "", LOAD_SECONDS_BEFORE, seconds, "")]


def _drawn(random: Random, fault: str, seconds: tuple[float, float]) -> Step:
    service = "" if fault.startswith(("Kafka", "PostgreSQL", "all ")) else random.choice(SERVICES)
    detail = ""
    if fault == "killed at a failpoint":
        detail = f"{random.choice(_POINTS)}:{random.randint(1, 4)}"
    elif fault == "event loop blocked, replica takes over":
        detail = f"{random.choice(_POINTS)}:{random.randint(1, 4)}:stall"
    elif fault == "consumer groups lost":
        detail = random.choice(_GROUPS_LOST)
    elif fault == "commits lost":
        detail = str(random.randint(1, 4))
    lasting = random.uniform(*seconds) if seconds[1] else 0.0
    return Step(fault, service, random.uniform(*_GAP_SECONDS), lasting, detail)
