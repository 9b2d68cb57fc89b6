"""Identifiers: version 7 as RFC 9562 has it, and the same again where effects must not double."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from gateway.model.identifiers import derived_id, id_at, new_id

moments = st.integers(min_value=0, max_value=2**48 - 1)
randomness = st.binary(min_size=10, max_size=10)


def test_example_of_the_standard() -> None:
    """The test vector of RFC 9562, appendix A.6."""
    random = bytes.fromhex("0CC3" + "18C4DC0C0C07398F")

    assert "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" == id_at(0x017F22E279B0, random)


@given(moments, randomness)
def test_version_variant_and_time(now_ms: int, random: bytes) -> None:
    """48 bits of time, version 7, variant 10, whatever the randomness."""
    found = uuid.UUID(id_at(now_ms, random))

    assert 7 == found.version
    assert uuid.RFC_4122 == found.variant
    assert now_ms == found.int >> 80


@given(randomness)
def test_all_randomness_is_kept(random: bytes) -> None:
    """Only the six bits of version and variant are lost."""
    found = uuid.UUID(id_at(0, random)).int
    given_bits = int.from_bytes(random, "big")
    kept = ((1 << 80) - 1) & ~(0xF << 76) & ~(0x3 << 62)

    assert given_bits & kept == found & kept


@given(moments, moments, randomness, randomness)
def test_texts_sort_by_creation(one: int, other: int, first: bytes, second: bytes) -> None:
    """The earlier id is the smaller text, so that an index grows at its end."""
    if one != other:
        assert (one < other) == (id_at(one, first) < id_at(other, second))


def test_new_ids_differ() -> None:
    """A thousand at once are a thousand."""
    assert 1000 == len({new_id() for _ in range(1000)})


def test_new_ids_are_of_this_time() -> None:
    """Not before this code was written, not after the year 2100."""
    made_ms = uuid.UUID(new_id()).int >> 80

    assert 1_760_000_000_000 < made_ms < 4_102_444_800_000


@given(st.lists(st.text(alphabet="ab:-/0", max_size=5), min_size=1, max_size=4))
def test_derived_ids_repeat(parts: list[str]) -> None:
    """The same parts give the same id, in every process and for ever."""
    found = derived_id(*parts)

    assert found == derived_id(*parts)
    assert 5 == uuid.UUID(found).version


def test_derived_ids_keep_their_parts_apart() -> None:
    """``ab, c`` is not ``a, bc``; more parts, another order or an empty part differ too."""
    derived = [("ab", "c"), ("a", "bc"), ("abc",), ("c", "ab"), ("ab", "c", "")]

    assert len(derived) == len({derived_id(*parts) for parts in derived})


def test_derived_ids_are_pinned() -> None:
    """A change of the rule would double effects that are under way; so the id stands here."""
    assert "1b961283-193c-588b-9a61-f2fa9234830d" == derived_id("0190c1a2-order", "create_payment")
