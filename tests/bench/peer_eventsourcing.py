"""Writers of the library `eventsourcing`; run by the interpreter of .venv-bench: `DSN WRITERS SECONDS`.

As its documentation has it: an `Application` on its PostgreSQL recorder, aggregates that are saved. The pool holds a
connection for each writer, which was the quickest of 3, 10 and 64.
"""

import hashlib
import json
import sys
import threading
import time
from urllib.parse import unquote, urlsplit

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

_WARM_UP_SECONDS = 1.0


class Tally(Aggregate):  # type: ignore[misc]  # the library is not installed where types are checked
    """The aggregate whose creation is the one event that is saved."""

    @event("Counted")  # type: ignore[untyped-decorator]
    def __init__(self, tally: str, amount: int, note: str) -> None:
        self.tally = tally
        self.amount = amount
        self.note = note


def main() -> None:
    """Write for so many seconds after a warm-up; print the number of events and the seconds."""
    address, writers, seconds = urlsplit(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    settings = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": address.path[1:],
        "POSTGRES_HOST": address.hostname or "127.0.0.1",
        "POSTGRES_PORT": str(address.port or 5432),
        "POSTGRES_USER": unquote(address.username or "postgres"),
        "POSTGRES_PASSWORD": unquote(address.password or "none"),
        "POSTGRES_POOL_SIZE": str(writers),
        "POSTGRES_MAX_OVERFLOW": "0",
    }
    application = Application(env=settings)
    _write(application, writers, _WARM_UP_SECONDS, "warm")
    started = time.perf_counter()
    events = _write(application, writers, seconds, "turn")
    found = {"events": events, "seconds": time.perf_counter() - started}
    application.close()
    sys.stdout.write(json.dumps(found) + "\n")


def _write(application: Application, writers: int, seconds: float, prefix: str) -> int:
    written = [0] * writers
    stop = time.perf_counter() + seconds

    def write(writer: int) -> None:
        while time.perf_counter() < stop:
            name = f"{prefix}-{writer}-{written[writer]}".encode()
            note = hashlib.sha512(name).hexdigest() + hashlib.sha384(name).hexdigest()
            application.save(Tally(tally=hashlib.sha256(name).hexdigest()[:16], amount=1, note=note))
            written[writer] += 1

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(written)


if __name__ == "__main__":
    main()
