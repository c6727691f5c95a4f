"""The four services have the same inside: know one, know all."""

import pytest

from contracts.topics import ServiceName
from tests.architecture.sources import sources

EVERY_SERVICE = frozenset(("__init__", "api", "app", "inbound", "outbound", "queries", "domain", "projections"))
EVERY_DOMAIN = frozenset(("__init__", "commands", "events", "state", "decider"))

# Quote alone reads the form of channel messages, keeps the product catalogue and what is known of customers, and has
# underwriters at work.
EXTRA_MODULES = {
    ServiceName.QUOTE: frozenset(
        (
            "catalogue",
            "channel_form",
            "customer_api",
            "customers",
            "deadline_queries",
            "deadlines",
            "overlap_api",
            "plan_sheet",
            "product_api",
            "register_api",
            "sales",
            "product_files",
            "product_queries",
            "product_requests",
            "product_schema",
            "underwriting_api",
            "underwriting_outbound",
            "underwriting_queries",
        )
    )
}


def inside(folder: str, paths: list[str]) -> frozenset[str]:
    """Names of the modules and packages directly in a folder."""
    names = (path.removeprefix(folder).removesuffix(".py") for path in paths if path.startswith(folder))
    return frozenset(name.split("/")[0] for name in names)


def differences(service: ServiceName, paths: list[str]) -> list[str]:
    """What a service lacks, or has beyond the common shape and its declared extras."""
    found = inside(f"services/{service}/", paths)
    wanted = EVERY_SERVICE | EXTRA_MODULES.get(service, frozenset())
    domain = inside(f"services/{service}/domain/", paths)
    return [
        *(f"services/{service} lacks {name}" for name in sorted(wanted - found)),
        *(f"services/{service} has {name}, which no other service has" for name in sorted(found - wanted)),
        *(f"services/{service}/domain lacks {name}" for name in sorted(EVERY_DOMAIN - domain)),
    ]


PATHS = [source.path for source in sources("services")]


@pytest.mark.parametrize("service", ServiceName)
def test_a_service_has_the_common_shape(service: ServiceName) -> None:
    assert differences(service, PATHS) == []


def test_a_missing_module_is_seen() -> None:
    without = [path for path in PATHS if path != "services/policy/outbound.py"]
    assert differences(ServiceName.POLICY, without) == ["services/policy lacks outbound"]


def test_an_odd_module_is_seen() -> None:
    odd = [*PATHS, "services/policy/saga.py"]
    assert differences(ServiceName.POLICY, odd) == ["services/policy has saga, which no other service has"]


def test_a_domain_without_its_state_is_seen() -> None:
    without = [path for path in PATHS if path != "services/policy/domain/state.py"]
    assert differences(ServiceName.POLICY, without) == ["services/policy/domain lacks state"]
