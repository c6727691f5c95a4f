"""The settings of one service process, read from `LEDGER_*` once and passed on as a value."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Where the servers are, and how much is done at a time."""

    model_config = SettingsConfigDict(env_prefix="LEDGER_", frozen=True)

    database: str = Field(description="DSN of the service's own database, with its own role")
    kafka: str = Field(description="bootstrap servers, host:port[,host:port]")
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=0, ge=0, le=65535, description="0 takes a free port")

    inbox_records: int = Field(default=500, ge=1, description="records fetched in one poll")
    commit_works: int = Field(default=64, ge=1, description="inbox batches and HTTP commands in one commit")
    relay_events: int = Field(default=1_000, ge=1, description="events a partition in one Kafka transaction")
    projector_events: int = Field(default=250, ge=1, description="events a partition in one commit")
    commands_waiting_max: int = Field(default=256, ge=1, description="HTTP commands that wait; more are turned away")
    reads_waiting_max: int = Field(default=256, ge=1, description="HTTP reads that wait; more are turned away")
    poll_seconds: float = Field(default=0.05, gt=0, description="how often a sleeping loop looks again")
    calendar_seconds: float = Field(default=5, gt=0, description="how often is looked for what is due")
    channel_refresh_seconds: float = Field(default=2, gt=0, description="how soon a new channel is seen")

    checkpoints_folder: Path | None = Field(default=None, description="where signed checkpoints of the log are kept")
    signing_key: Path | None = Field(default=None, description="PEM file with the Ed25519 key that signs them")
    checkpoint_seconds: float = Field(default=10, gt=0, description="how often what is new is signed")
    checkpoint_events: int = Field(default=10_000, ge=1, description="so many new events are signed at once")

    session_timeout_ms: int = Field(
        default=30_000,
        ge=6_000,
        description="how long a silent process keeps its partitions",
    )
    loop_stall_seconds: float = Field(
        default=3,
        gt=0,
        description="how long the event loop may stand still before it is logged, with the function that blocks it",
    )
    failpoint: str = Field(default="", description="for tests: name[:nth][:action], see failpoints.py")
