"""Every import rule and every banned call is seen failing: violations are planted in a copy and must be named."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.architecture.planting import Plant, banned_calls, broken_import_rules, copy_of_the_project, plant
from tests.architecture.sources import ROOT

Broken: TypeAlias = Mapping[str, frozenset[tuple[str, str] | str]]

SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
RULES = [contract["name"] for contract in SETTINGS["importlinter"]["contracts"]]
BANNED = sorted(SETTINGS["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"])

LAYERS, INSIDE, DOMAIN, CONTRACTS, INFRA, SERVERS, PURE, KNOWS, READS, SHAPES = RULES[:10]
KERNEL, IN_KERNEL, INTAKE, POSTGRES, KAFKA, FASTSTREAM, HTTP = RULES[10:]

PLANTS: list[tuple[str, Plant]] = [
    (LAYERS, Plant("services.policy.queries", "services.claims.queries")),
    (LAYERS, Plant("services.billing.api", "services.quote.queries")),
    (LAYERS, Plant("services.kernel.clock", "services.policy.queries")),
    (LAYERS, Plant("services.demo.quiet", "services.cli.console")),
    (LAYERS, Plant("services.intake.rows", "services.demo.quiet")),
    (INSIDE, Plant("services.policy.domain.state", "services.policy.outbound")),
    (INSIDE, Plant("services.claims.queries", "services.claims.api")),
    (INSIDE, Plant("services.billing.inbound", "services.billing.outbound")),
    (INSIDE, Plant("services.quote.projections.refused_message", "services.quote.queries")),
    (DOMAIN, Plant("services.policy.domain.events", "services.policy.domain.state")),
    (DOMAIN, Plant("services.claims.domain.commands", "services.claims.domain.events")),
    (DOMAIN, Plant("services.billing.domain.state", "services.billing.domain.decider")),
    (CONTRACTS, Plant("contracts.topics", "services.kernel.errors")),
    (CONTRACTS, Plant("contracts.envelope", "infra.errors")),
    (INFRA, Plant("infra.errors", "services.kernel.errors")),
    (INFRA, Plant("infra.servers", "contracts.topics")),
    (SERVERS, Plant("services.kernel.proof.verify", "infra.stack")),
    (PURE, Plant("services.policy.domain.commands", "asyncio")),
    (PURE, Plant("services.claims.domain.state", "time")),
    (PURE, Plant("services.quote.domain.state", "random")),
    (PURE, Plant("services.billing.domain.commands", "os.path")),
    (PURE, Plant("services.policy.inbound", "logging")),
    (PURE, Plant("services.policy.outbound", "services.kernel.kafka")),
    (PURE, Plant("services.claims.projections.cover", "services.kernel.log.event_log")),
    (PURE, Plant("services.kernel.routing", "services.kernel.process.http")),
    (PURE, Plant("contracts.vocabulary.money", "aiokafka")),
    (KNOWS, Plant("services.policy.domain.decider", "services.kernel.routing")),
    (KNOWS, Plant("services.billing.domain.decider", "contracts.topics")),
    (READS, Plant("services.claims.outbound", "services.claims.queries")),
    (READS, Plant("services.billing.inbound", "services.billing.projections.account")),
    (SHAPES, Plant("services.policy.api", "contracts.policy.v1")),
    (SHAPES, Plant("services.claims.projections.claim", "contracts.channel.v1")),
    (SHAPES, Plant("services.cli.lookup", "contracts.channel.notices_v1")),
    (KERNEL, Plant("services.kernel.projecting.rebuild", "contracts.vocabulary.money")),
    (IN_KERNEL, Plant("services.kernel.log.log_reader", "services.kernel.publishing.relay")),
    (IN_KERNEL, Plant("services.kernel.receiving.inbox", "services.kernel.process.runtime")),
    (IN_KERNEL, Plant("services.kernel.projecting.projector", "services.kernel.proof.verify")),
    (INTAKE, Plant("services.intake.cells", "services.kernel.clock")),
    (INTAKE, Plant("services.intake.mapping", "services.quote.queries")),
    (POSTGRES, Plant("services.billing.queries", "asyncpg")),
    (POSTGRES, Plant("services.cli.console", "asyncpg")),
    (KAFKA, Plant("services.claims.inbound", "aiokafka")),
    (FASTSTREAM, Plant("services.demo.quiet", "faststream.kafka")),
    (HTTP, Plant("services.policy.queries", "fastapi")),
]

CALLS = {
    "datetime.datetime.now": "datetime.datetime.now(datetime.UTC)",
    "datetime.datetime.utcnow": "datetime.datetime.utcnow()",
    "datetime.datetime.today": "datetime.datetime.today()",
    "datetime.date.today": "datetime.date.today()",
    "uuid.uuid1": "uuid.uuid1()",
    "uuid.uuid4": "uuid.uuid4()",
    "os.environ": 'os.environ["HOME"]',
    "os.getenv": 'os.getenv("HOME")',
    "random": "random.random()",
}
PLANTED_FILES = ("services/policy/domain/planted_calls.py", "services/kernel/planted_calls.py")


@pytest.fixture(scope="module")
def planted_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_of_the_project(tmp_path_factory.mktemp("planted"))
    plant(folder, [each for _, each in PLANTS])
    for file in PLANTED_FILES:
        lines = ["import datetime", "import os", "import random", "import uuid", *CALLS.values()]
        (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "services/policy/saga.py").write_text('"""A module that no other service has."""\n', encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def broken(planted_copy: Path) -> Broken:
    return broken_import_rules(planted_copy)


def test_the_project_keeps_its_import_rules() -> None:
    assert broken_import_rules(ROOT) == {}


@pytest.mark.parametrize("rule", RULES)
def test_every_import_rule_can_fail(rule: str, broken: Broken) -> None:
    assert rule in {planted_rule for planted_rule, _ in PLANTS}, "plant a violation of this rule"
    assert rule in broken


@pytest.mark.parametrize(("rule", "planted"), PLANTS, ids=lambda value: getattr(value, "module", None))
def test_a_planted_import_is_named_by_its_rule(rule: str, planted: Plant, broken: Broken) -> None:
    assert planted.edge in broken[rule]


def test_a_module_that_no_other_service_has_breaks_the_common_shape(broken: Broken) -> None:
    assert any("services.policy.saga" in found for found in broken[INSIDE])


@pytest.mark.parametrize("file", PLANTED_FILES)
def test_every_banned_call_is_named(file: str, planted_copy: Path) -> None:
    assert sorted(CALLS) == BANNED, "plant a call for every banned name"
    assert sorted(banned_calls(planted_copy, file)) == BANNED
