"""A service as one ASGI process: its FastStream broker and its HTTP API share one life."""

import contextlib
import signal
import sys
from collections.abc import AsyncIterator

import uvicorn
from fastapi import APIRouter, FastAPI

from services.kernel import failpoints
from services.kernel.collector import collect_seldom
from services.kernel.dead_letter_api import dead_letters
from services.kernel.http import install_problems, operations
from services.kernel.observability import configure_logging
from services.kernel.runtime import BeforeBatch, Kernel
from services.kernel.service import ServiceDefinition
from services.kernel.settings import ServiceSettings


class Application:
    """A declared service that can be run."""

    def __init__(
        self, definition: ServiceDefinition, router: APIRouter, before_batch: BeforeBatch | None = None
    ) -> None:
        self.definition = definition
        self.router = router
        self.before_batch = before_batch

    def asgi(self, settings: ServiceSettings) -> FastAPI:
        """The ASGI application; starting it starts the service."""
        kernel = Kernel(self.definition, settings)

        @contextlib.asynccontextmanager
        async def life(app: FastAPI) -> AsyncIterator[None]:
            await kernel.start(self.before_batch)
            try:
                yield
            finally:
                await kernel.stop()

        app = FastAPI(title=f"{self.definition.name} service", version="1", lifespan=life)
        app.state.kernel = kernel
        app.include_router(operations)
        app.include_router(dead_letters)
        app.include_router(self.router)
        install_problems(app)
        return app

    def run(self, settings: ServiceSettings) -> None:
        """Serve until SIGTERM or SIGINT; the batch in hand is finished before the process ends."""
        configure_logging(self.definition.name)
        failpoints.arm(settings.failpoint)
        # Once it has stopped in order, uvicorn sends itself the signal again; by itself that would be a death by it.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        collect_seldom()
        config = uvicorn.Config(
            self.asgi(settings),
            host=settings.http_host,
            port=settings.http_port,
            loop="uvloop",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=10,
        )
        uvicorn.Server(config).run()
