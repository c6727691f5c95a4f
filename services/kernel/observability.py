"""Metrics of a service process, in Prometheus form, and its structured logs."""

import logging
import sys
from collections.abc import Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
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


class Thinned(logging.Filter):
    """Lets each sentence of a library's loggers through once in a while, with how often it was said meanwhile.

    While a broker is away its client says the same in every attempt, a hundred lines a second.
    """

    def __init__(self, library: str, seconds: float = 5.0) -> None:
        super().__init__()
        self._library = library
        self._seconds = seconds
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be written; one that is tells how many before it were not."""
        if not record.name.startswith(self._library):
            return True
        sentence = (record.name, str(record.msg))
        last, silent = self._said.get(sentence, (-self._seconds, 0))
        # The record's own time, in seconds since the program began to log.
        now = record.relativeCreated / 1000
        if now - last < self._seconds:
            self._said[sentence] = (last, silent + 1)
            return False
        self._said[sentence] = (now, 0)
        if silent:
            record.msg = f"{record.msg} ({silent} times more since it was last written)"
        return True


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
