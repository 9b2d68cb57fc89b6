"""The suite runs over whatever is on disk."""

import pkgutil

from gateway import ports
from tests.architecture.source import adapter_folders
from tests.conformance.subject import declared, fulfilling

# What ports are spoken in, and no port themselves.
_NOT_PORTS = {"exchange", "notification"}
_PORTS = {one.name for one in pkgutil.iter_modules(ports.__path__)} - _NOT_PORTS


def test_every_adapter_is_declared_under_its_folder() -> None:
    """An adapter that nobody declared would pass by not being asked."""
    found = declared()

    for folder in adapter_folders():
        assert folder.name == found[folder.name].adapter.product


def test_every_port_has_a_suite_and_somebody_who_passes_it() -> None:
    """A suite over nothing proves nothing."""
    assert [] == [port for port in sorted(_PORTS) if not fulfilling(port)]
    assert _PORTS == {port for one in declared().values() for port in one.adapter.ports}


def test_two_accounts_have_two_secrets() -> None:
    """Otherwise the tests about two accounts would prove nothing."""
    for one in declared().values():
        first, second = (one.secrets(one.connect(number)[0]) for number in (1, 2))
        assert not set(first) & set(second)
