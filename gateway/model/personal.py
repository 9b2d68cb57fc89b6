"""Values that say who somebody is: kept out of every text that Python makes of a Struct."""

from typing import ClassVar

import msgspec


class Guarded(msgspec.Struct, frozen=True, kw_only=True):
    """A Struct whose ``repr`` names its personal fields without their values.

    Logs, tracebacks and messages of failed tests show the ``repr``.

    Attributes:
        personal: Names of the fields that tell who somebody is or where their money lies.
    """

    personal: ClassVar[frozenset[str]] = frozenset()

    def __repr__(self) -> str:
        shown = (
            f"{name}={'***' if name in self.personal and value else repr(value)}"
            for name, value in msgspec.structs.asdict(self).items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"
