"""A service as one ASGI process: its FastStream broker and its HTTP API share one life."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable

import uvicorn
from fastapi import APIRouter, FastAPI

from services.kernel import failpoints
from services.kernel.cancellation import cancel
from services.kernel.collector import collect_seldom
from services.kernel.observability import configure_logging
from services.kernel.process.calendar import Calendar, Due
from services.kernel.process.dead_letter_api import dead_letters
from services.kernel.process.http import install_problems, is_open, operations
from services.kernel.process.runtime import BeforeBatch, Kernel
from services.kernel.service import ServiceDefinition
from services.kernel.settings import ServiceSettings


class Application:
    """A declared service that can be run."""

    def __init__(
        self,
        definition: ServiceDefinition,
        router: APIRouter,
        before_batch: BeforeBatch | None = None,
        due: Due | None = None,
    ) -> None:
        self.definition = definition
        self.router = router
        self.before_batch = before_batch
        self.due = due

    def asgi(self, settings: ServiceSettings, give_up: Callable[[BaseException], None] = lambda _: None) -> FastAPI:
        """The ASGI application; starting it starts the service, which may have to wait for its servers.

        `give_up` is called with the error where the service cannot start.
        """
        kernel = Kernel(self.definition, settings)

        def ended(start: "asyncio.Task[None]") -> None:
            failure = None if start.cancelled() else start.exception()
            if failure is not None:
                give_up(failure)

        @contextlib.asynccontextmanager
        async def life(app: FastAPI) -> AsyncIterator[None]:
            starting = asyncio.create_task(kernel.start(self.before_batch))
            starting.add_done_callback(ended)
            tasks = [starting]
            if self.due is not None:
                tasks.append(asyncio.create_task(Calendar(kernel, self.due, settings.calendar_seconds).run()))
            try:
                yield
            finally:
                await cancel(tasks)
                await kernel.stop()

        app = FastAPI(title=f"{self.definition.name} service", version="1", lifespan=life)
        app.state.kernel = kernel
        app.include_router(operations)
        app.include_router(dead_letters, dependencies=[is_open])
        app.include_router(self.router, dependencies=[is_open])
        install_problems(app)
        return app

    def run(self, settings: ServiceSettings) -> None:
        """Serve until SIGTERM or SIGINT; the batch in hand is finished before the process ends.

        Raises what keeps the service from starting.
        """
        configure_logging(self.definition.name)
        failpoints.arm(settings.failpoint)
        # Once it has stopped in order, uvicorn sends itself the signal again; by itself that would be a death by it.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        collect_seldom()
        failures: list[BaseException] = []

        def give_up(failure: BaseException) -> None:
            failures.append(failure)
            server.should_exit = True

        config = uvicorn.Config(
            self.asgi(settings, give_up),
            host=settings.http_host,
            port=settings.http_port,
            loop="uvloop",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=10,
        )
        server = uvicorn.Server(config)
        server.run()
        for failure in failures:
            raise failure
