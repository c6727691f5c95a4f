"""Metrics of a service process, in Prometheus form, and its structured logs."""

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_OWN = "services."
_SENTENCES_MAX = 1_000
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


class Metrics:
    """Counters and gauges of one service; names end in their unit."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self._label = {"service": service}
        self.appended = self._counter("events_appended_total", "Events appended to the log")
        self.commit_seconds = self._histogram("commit_seconds", "One group commit", _SECONDS)
        self.commit_events = self._histogram("commit_events", "Events in one group commit", _SIZES)
        self.received = self._counter("records_received_total", "Kafka records taken in")
        self.dead_letters = self._counter("dead_letters_total", "Messages kept as dead letters")
        self.relayed = self._counter("records_relayed_total", "Records sent to Kafka")
        self.relay_seconds = self._histogram("relay_transaction_seconds", "One Kafka transaction", _SECONDS)
        self.relay_lag = self._gauge("relay_lag_events", "Log events the relay has not passed yet")
        self.projection_lag = self._gauge("projection_lag_events", "Log events the projector has not passed yet")
        self.loop_stalls = self._counter("loop_stalls_total", "Times that the event loop stood still")
        self.calendar_done = self._counter("calendar_commands_total", "Commands of the calendar that changed something")
        self.commands_turned_away = self._counter(
            "commands_turned_away_total", "HTTP commands refused because too many waited"
        )
        self.reads_turned_away = self._counter("reads_turned_away_total", "HTTP reads refused because too many waited")

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"ledger_{name}", text, list(self._label), registry=self.registry).labels(**self._label)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"ledger_{name}", text, list(self._label), registry=self.registry).labels(**self._label)

    def _histogram(self, name: str, text: str, buckets: Sequence[float]) -> Histogram:
        made = Histogram(f"ledger_{name}", text, list(self._label), buckets=buckets, registry=self.registry)
        return made.labels(**self._label)

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)


@dataclass(slots=True)
class _Said:
    """When a sentence was last written and last said, how often in between, and how long it is held back."""

    written_at: float
    said_at: float
    interval: float
    silent: int = 0


class Thinned(logging.Filter):
    """Lets a sentence that is said again and again through once in a while, with how often it was said meanwhile.

    While a server is away everybody who needs it says the same in every attempt, a hundred lines a second. The
    longer it goes on, the seldomer it is written. Of a library a sentence is its form, whatever is filled in.
    """

    def __init__(self, library: str, seconds: float = 5.0, seconds_max: float = 60.0) -> None:
        super().__init__()
        self._library = library
        self._seconds = seconds
        self._seconds_max = seconds_max
        self._said: dict[tuple[str, str], _Said] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be written; one that is tells how many before it were not."""
        sentence = self._sentence(record)
        if sentence is None:
            return True
        # The record's own time, in seconds since the program began to log.
        now = record.relativeCreated / 1000
        said = self._said.get(sentence)
        if said is None or now - said.said_at >= self._seconds_max:
            if len(self._said) >= _SENTENCES_MAX:
                self._said.clear()
            self._said[sentence] = _Said(now, now, self._seconds)
            return True
        said.said_at = now
        if now - said.written_at < said.interval:
            said.silent += 1
            return False
        if said.silent:
            record.msg = f"{record.msg} ({said.silent} times more since it was last written)"
        said.written_at, said.silent = now, 0
        said.interval = min(2 * said.interval, self._seconds_max)
        return True

    def _sentence(self, record: logging.LogRecord) -> tuple[str, str] | None:
        if record.name.startswith(self._library):
            return (record.name, str(record.msg))
        if record.name.startswith(_OWN) and record.levelno < logging.CRITICAL:
            return (record.name, record.getMessage())
        return None


def configure_logging(service: str) -> None:
    """JSON lines on standard error, with the service's name; standard-library loggers go the same way."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _with_service(service)],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("aiokafka", "uvicorn.access", "httpx"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    handler.addFilter(Thinned("aiokafka"))


def _with_service(service: str) -> structlog.typing.Processor:
    def add(logger: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    return add
