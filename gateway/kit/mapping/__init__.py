"""Mappings: transformations as data, checked against both ends before they run.

document = mapping.parse(text, file="sap_bp.yaml")
result = mapping.check(document, schemas, config={…}, overlays=(…))
result.mapping.apply(source)
"""

from gateway.kit.mapping.document import Document, parse
from gateway.kit.mapping.findings import Finding, Refused, Severity
from gateway.kit.mapping.ingredients import Ingredients, Made
from gateway.kit.mapping.loading import Result, back, check, drift, load
from gateway.kit.mapping.mapping import Lineage, Mapping, MappingFailure, encode

__all__ = [
    "Document",
    "Finding",
    "Ingredients",
    "Lineage",
    "Made",
    "Mapping",
    "MappingFailure",
    "Refused",
    "Result",
    "Severity",
    "back",
    "check",
    "drift",
    "encode",
    "load",
    "parse",
]
