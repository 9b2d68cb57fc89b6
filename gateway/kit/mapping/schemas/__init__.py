"""Schemas of both ends of a mapping, in any language that vendors write them in."""

from gateway.kit.mapping.schemas.catalog import Schemas
from gateway.kit.mapping.schemas.errors import SchemaError

__all__ = ["SchemaError", "Schemas"]
