"""The cache of folded states: true only while nobody else has appended."""

from services.kernel.commands import state_cache
from services.kernel.commands.state_cache import StateCache, StreamState
from services.kernel.log.event_log import Head


def _heads(**positions: int) -> dict[int, Head]:
    return {int(name[1:]): Head(position, bytes(32)) for name, position in positions.items()}


def _cache() -> StateCache:
    cache = StateCache()
    cache.committed({0: 5, 1: 9}, {"a": StreamState(0, 2, "A"), "b": StreamState(1, 3, "B")})
    return cache


def test_a_state_is_known_while_its_partition_stands_where_we_left_it() -> None:
    cache = _cache()
    cache.trust(_heads(p0=5, p1=9))
    assert cache.get("a") == StreamState(0, 2, "A")
    assert cache.get("c") is None


def test_a_foreign_append_makes_its_partition_unknown_and_no_other() -> None:
    cache = _cache()
    cache.trust(_heads(p0=6, p1=9))
    assert cache.get("a") is None
    assert cache.get("b") == StreamState(1, 3, "B")


def test_a_partition_that_was_never_ours_is_not_trusted() -> None:
    cache = _cache()
    cache.trust(_heads(p2=0))
    assert cache.get("a") is not None


def test_a_transaction_that_fails_cannot_spoil_what_is_known() -> None:
    cache = _cache()
    state = cache.get("a")
    assert state is not None
    state.version, state.state = 99, "spoilt"
    assert cache.get("a") == StreamState(0, 2, "A")


def test_after_doubt_nothing_is_known() -> None:
    cache = _cache()
    cache.forget()
    cache.trust(_heads(p0=5, p1=9))
    assert cache.get("a") is None


def test_the_least_recently_written_states_go_first() -> None:
    cache = _cache()
    more = {f"s{number}": StreamState(0, 1, number) for number in range(state_cache.STATES_MAX - 1)}
    cache.committed({0: 6}, {"a": StreamState(0, 3, "A")})
    cache.committed({0: 7}, more)
    assert cache.get("b") is None
    assert cache.get("a") == StreamState(0, 3, "A")
