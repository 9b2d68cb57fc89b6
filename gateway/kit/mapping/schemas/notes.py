"""The side file: what a schema cannot say, such as what a create needs; reviewed like code.

    {"API_BUSINESS_PARTNER": {"A_BusinessPartnerType": {
        "required": ["BusinessPartnerCategory"],
        "optional": ["…"],
        "read_only": ["…"],
        "plain": ["to_BusinessPartnerRole"],
        "enums": {"BusinessPartnerCategory": ["1", "2", "3"]},
        "types": {"SomeDate": {"type": "string", "format": "date-time"}}}}}

``types`` holds JSON Schema; what is written there replaces the field's type. ``plain`` are lists
that are sent as they are: OData V2 has {"results": […]} in its answers, but takes both.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from gateway.kit.mapping.schemas.documents import Document, Pointer
from gateway.kit.mapping.schemas.errors import suggest
from gateway.kit.mapping.types import Field, Type, Wire

Adjust = Callable[[str, dict[str, Field]], dict[str, Field]]

_SECTIONS: Final = frozenset({"required", "optional", "read_only", "plain", "enums", "types"})


class Notes:
    """What the side file says about the schemas of one name.

    Args:
        document: The side file.
        name: Of the schema, as it stands in a reference after the colon.
        read: Turns JSON Schema at a place of the side file into a type.
    """

    def __init__(self, document: Document, name: str, read: Callable[[Pointer], Type]) -> None:
        self._document = document
        self._name = name
        self._read = read

    def adjust(self, type_name: str, fields: dict[str, Field]) -> dict[str, Field]:
        """The fields of one type with what the notes say.

        Raises:
            SchemaError: A note names a field that the type does not have.
        """
        found = dict(fields)
        for section, names in self._sections(type_name).items():
            for name in names:
                place = (self._name, type_name, section, name)
                if name not in found:
                    near = suggest(name, found)
                    raise self._document.error(f"{type_name} has no field {name}{near}", place)
                found[name] = self._noted(found[name], place)
        return found

    def _sections(self, type_name: str) -> dict[str, Any]:
        types = self._document.root.get(self._name, {})
        sections = types.get(type_name, {}) if isinstance(types, dict) else {}
        for section in sections:
            if section not in _SECTIONS:
                near = suggest(section, _SECTIONS)
                place = (self._name, type_name, section)
                raise self._document.error(f"unknown section {section}{near}", place)
        return dict(sections)

    def _noted(self, field: Field, place: tuple[str, str, str, str]) -> Field:
        match place[2]:
            case "required":
                return msgspec.structs.replace(field, required=True)
            case "optional":
                return msgspec.structs.replace(field, required=False)
            case "read_only":
                return msgspec.structs.replace(field, writable=False)
            case "plain":
                bare = msgspec.structs.replace(field.type, wire=Wire.PLAIN)
                return msgspec.structs.replace(field, type=bare)
            case "enums":
                values = tuple(str(value) for value in self._document.at(place))
                limited = msgspec.structs.replace(field.type, values=values)
                return msgspec.structs.replace(field, type=limited)
            case _:
                return msgspec.structs.replace(field, type=self._read(place))


def unchanged(_type_name: str, fields: dict[str, Field]) -> dict[str, Field]:
    """The fields as the schema has them: there are no notes."""
    return fields
