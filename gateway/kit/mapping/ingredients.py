"""What mappings are made of, kept so that another process or release can make the same ones."""

from collections.abc import Mapping as Values
from typing import Any

import msgspec

from gateway.kit.mapping.mapping import Mapping


class Ingredients(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides what the mappings of one system do, besides this code.

    Values of the configuration and texts of files only: settings are never among them, because
    they hold secrets.

    Attributes:
        product: Whose mappings.
        documents: File to text of each mapping.
        schemas: File to content of the schemas that are not of our model, their notes included.
        config: The values that the mappings are given.
        overlays: File and text, in the order in which they lie over the mappings.
    """

    product: str
    documents: dict[str, str]
    schemas: dict[str, bytes]
    config: dict[str, Any]
    overlays: tuple[tuple[str, str], ...]


class Made(dict[str, Mapping]):
    """The mappings of one system by the name of their file.

    Attributes:
        of: What they are made of.
    """

    def __init__(self, mappings: Values[str, Mapping], of: Ingredients) -> None:
        super().__init__(mappings)
        self.of = of
