"""What is kept of an adapter's mappings, so that a flow can go on with them."""

import msgspec
import pytest

from gateway.runtime import mapping_sets
from gateway.runtime.secrets import is_secret
from tests.conformance.subject import Subject, declared

MAPPED = {
    name: one
    for name, one in declared().items()
    # Who asks nobody has no secrets.
    if one.adapter.mappings is not None and not one.silent
}


@pytest.mark.parametrize("subject", MAPPED.values(), ids=MAPPED)
def test_no_secret_is_kept(subject: Subject) -> None:
    """Rows of the database are backed up and read by more people than secrets are."""
    settings, _ = subject.connect(1)
    secrets = subject.secrets(settings)

    made = subject.adapter.load(settings)

    kept = msgspec.msgpack.encode(mapping_sets.of("acme", {"it": made}).systems)
    assert secrets
    assert [] == [one for one in secrets if one.encode() in kept]


@pytest.mark.parametrize("subject", MAPPED.values(), ids=MAPPED)
def test_secrets_of_the_suite_are_all_there_are(subject: Subject) -> None:
    """Every field that is named like a secret has its value among those looked for above."""
    settings, _ = subject.connect(1)
    fields = {
        field: getattr(settings, field) for field in settings.__struct_fields__ if is_secret(field)
    }

    assert fields
    for value in fields.values():
        values = value if isinstance(value, tuple) else (value,)
        assert set(values) <= set(subject.secrets(settings))


@pytest.mark.parametrize("subject", MAPPED.values(), ids=MAPPED)
def test_secret_changes_nothing(subject: Subject) -> None:
    """Two accounts with the same values translate alike: renewing a secret makes no new set."""
    sets = []
    for number in (1, 2):
        settings, _ = subject.connect(number)
        sets.append(mapping_sets.of("acme", {"it": subject.adapter.load(settings)}))

    assert sets[0] == sets[1]


@pytest.mark.parametrize("subject", MAPPED.values(), ids=MAPPED)
def test_mappings_are_made_again_from_what_is_kept(subject: Subject) -> None:
    """The ports are made of them as of those that were loaded."""
    settings, _ = subject.connect(1)
    first = mapping_sets.of("acme", {"it": subject.adapter.load(settings)})

    made = subject.adapter.again(settings, first.systems["it"], tenant="acme")

    assert first == mapping_sets.of("acme", {"it": made})
    for port in subject.adapter.ports:
        assert subject.adapter.port(port, settings, made)
