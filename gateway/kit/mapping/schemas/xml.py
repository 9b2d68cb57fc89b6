"""XML files of schemas: parsed without entities, document types and network."""

from pathlib import Path

from lxml.etree import XMLParser, XMLSyntaxError, fromstring
from lxml.etree import _Element as Element

from gateway.kit.mapping.schemas.errors import SchemaError

__all__ = ["Element", "local", "parse"]


def parse(path: Path) -> Element:
    """The root element of a file.

    Raises:
        SchemaError: It cannot be read, is not well-formed XML, or has a document type.
    """
    # One parser per file: lxml's parsers keep the error log of what they read before.
    parser = XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SchemaError(f"cannot be read ({error.strerror})", file=path) from error
    if b"<!DOCTYPE" in content:
        raise SchemaError("has a document type; remove <!DOCTYPE …>", file=path)
    try:
        root = fromstring(content, parser)
    except XMLSyntaxError as error:
        line = error.lineno or None
        raise SchemaError(f"is not well-formed XML: {error.msg}", file=path, line=line) from error
    if root.getroottree().docinfo.doctype:  # UTF-16 hides it from the search above
        raise SchemaError("has a document type; remove <!DOCTYPE …>", file=path)
    return root


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]
