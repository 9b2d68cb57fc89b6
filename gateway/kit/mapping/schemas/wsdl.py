"""WSDL 1.1: what the operations of a SOAP interface take and answer.

Source: W3C note WSDL 1.1, §2.3 to §2.5, document style; of RPC style no vendor file is at hand.
"""

from pathlib import Path

from gateway.kit.mapping.schemas import xml
from gateway.kit.mapping.schemas.errors import SchemaError, suggest
from gateway.kit.mapping.schemas.notes import Adjust
from gateway.kit.mapping.schemas.xml import Element
from gateway.kit.mapping.schemas.xsd import Xsd
from gateway.kit.mapping.schemas.xsd_files import Files
from gateway.kit.mapping.types import Type

_ANSWER = "output"


class Wsdl:
    """One interface.

    Args:
        path: The file.
        adjust: Adds what the side file knows.
    """

    def __init__(self, path: Path, adjust: Adjust) -> None:
        self._path = path
        self._files = Files(path)
        self._xsd = Xsd(self._files, adjust)
        root = self._files.root
        self._messages = {each.get("name"): each for each in root.iterchildren("{*}message")}
        self._operations = {
            operation.get("name"): operation
            for port in root.iterchildren("{*}portType")
            for operation in port.iterchildren("{*}operation")
        }

    def type_of(self, name: str) -> Type:
        """The element that an operation takes; that it answers for ``OPERATION/output``.

        Raises:
            SchemaError: There is no such operation, or it has no such message.
        """
        operation, _, direction = name.partition("/")
        if operation not in self._operations or direction not in {"", _ANSWER}:
            near = suggest(operation, self._operations)
            raise SchemaError(f"has no operation {name}{near}", file=self._path)
        found = self._operations[operation].find(f"{{*}}{direction or 'input'}")
        if found is None:
            raise SchemaError(f"{operation} has no {direction or 'input'}", file=self._path)
        return self._message(found)

    def names(self) -> list[str]:
        """Operations, and their answers."""
        return [
            f"{name}/{_ANSWER}" if tag == _ANSWER else str(name)
            for name, operation in self._operations.items()
            for tag in ("input", _ANSWER)
            if operation.find(f"{{*}}{tag}") is not None
        ]

    def files(self) -> list[Path]:
        """The file and those it imports."""
        return self._files.paths

    def _message(self, direction: Element) -> Type:
        name = direction.get("message", "").rpartition(":")[2]
        message = self._messages.get(name)
        if message is None:
            raise self._error(f"message {name} is not here", direction)
        named = [part for part in message if xml.local(part) == "part" and part.get("element")]
        if len(named) != 1:
            raise self._error(f"message {name} must have one part with an element", message)
        return self._xsd.type_at(named[0].get("element"), named[0])

    def _error(self, reason: str, element: Element) -> SchemaError:
        return SchemaError(reason, file=self._path, line=element.sourceline)
