"""OData V2 in pieces, for adapter authors: literals, dates, envelopes, pages and the errors.

Everything is a pure function over text and bytes. The error reader also takes V4, XML, HTML and
plain text, because a Gateway answers in all of them depending on what stands in front of it.

Source: OData Version 2.0, "URI Conventions" and "JSON Format"; SAP Help, "SAP Gateway Foundation",
pages "Conversion Handling in OData Channel" and "Message Container"; all read 2026-11.
"""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import quote, urljoin, urlsplit

import httpx
import msgspec
from lxml.etree import HTMLParser, XMLParser, fromstring

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DATE: Final = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{1,4})?\)/")
_JSON: Final = msgspec.json.Decoder(float_hook=Decimal)
_SEVERITIES: Final = {1: "success", 2: "info", 3: "warning", 4: "error"}


# --- what goes into an address ---------------------------------------------------------------


def literal(text: str) -> str:
    """A string literal for ``$filter``: quoted, quotes doubled."""
    return "'" + text.replace("'", "''") + "'"


def key(value: str | Mapping[str, str]) -> str:
    """The key predicate of one entity, ready for the path.

    Args:
        value: The only key, or each key property with its value.
    """
    if isinstance(value, str):
        return f"({_key_literal(value)})"
    return "(" + ",".join(f"{name}={_key_literal(part)}" for name, part in value.items()) + ")"


def _key_literal(text: str) -> str:
    return quote(literal(text), safe="'")


def query(options: Mapping[str, str]) -> str:
    """System query options, percent-encoded; a blank is %20, which every Gateway reads."""
    return "&".join(f"{name}={quote(value, safe=_READABLE)}" for name, value in options.items())


_READABLE: Final = "$',()/:"


# --- values ----------------------------------------------------------------------------------


def write_date(day: dt.date) -> str:
    """A date as ``/Date(ms)/``: midnight in UTC, whatever the local time is."""
    return f"/Date({(day - _EPOCH.date()).days * 86_400_000})/"


def read_date(text: str | None) -> dt.datetime | None:
    """The moment of ``/Date(ms)/`` in UTC; None for no date.

    The optional ``+nnnn`` is an offset in minutes for display and does not move the moment.

    Raises:
        ValueError: Not such a date, or outside the calendar.
    """
    if not text:
        return None
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("not an OData V2 date such as /Date(0)/")
    try:
        return _EPOCH + dt.timedelta(milliseconds=int(match.group(1)))
    except OverflowError:
        raise ValueError("the date is outside the calendar") from None


def read_decimal(text: str) -> Decimal:
    """A decimal string, also with the trailing minus of SAP's flat forms; never a float.

    Raises:
        ValueError: Not a finite decimal number.
    """
    plain = text.strip()
    if plain.endswith("-"):
        plain = "-" + plain[:-1]
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise ValueError("not a decimal number") from None
    if not value.is_finite():
        raise ValueError("not a finite number")
    return value


def external(number: str) -> str:
    """A number as SAP's screens show it: all-digit values lose their leading zeros (ALPHA).

    Text with anything but digits is left alone, zeros included.
    """
    if number.isascii() and number.isdigit():
        return number.lstrip("0") or "0"
    return number


def internal(number: str, length: int) -> str:
    """A number as SAP's tables keep it: all-digit values are padded with zeros (ALPHA)."""
    return number.zfill(length) if number.isascii() and number.isdigit() else number


# --- answers ---------------------------------------------------------------------------------


def entity(body: bytes) -> dict[str, Any]:
    """The one entity of a V2 answer.

    Raises:
        ValueError: The body is not that.
    """
    content = _content(body)
    if not isinstance(content, dict) or "results" in content:
        raise ValueError("the answer holds no single entity")
    return content


def entities(body: bytes) -> list[dict[str, Any]]:
    """The entities of one page of a V2 answer.

    Raises:
        ValueError: The body is not that.
    """
    return children(_content(body))


def children(value: Any) -> list[dict[str, Any]]:
    """The entities behind an expanded navigation, with or without ``results`` around them.

    Raises:
        ValueError: The value is not that.
    """
    rows = value.get("results") if isinstance(value, dict) else value
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("the answer holds no list of entities")
    return rows


def etag(record: Mapping[str, Any]) -> str:
    """The entity tag that the answer states for an entity; empty where it states none."""
    metadata = record.get("__metadata")
    tag = metadata.get("etag") if isinstance(metadata, dict) else None
    return tag if isinstance(tag, str) else ""


def next_page(body: bytes, page: httpx.URL) -> httpx.URL | None:
    """Where the next page lies; None on the last one.

    The link may be relative, or absolute with a host that only SAP can see. Path and query are
    taken and the host that was asked is kept, so credentials never go elsewhere.

    Args:
        page: The address this answer came from.
    """
    content = _content(body)
    link = content.get("__next") if isinstance(content, dict) else None
    if not isinstance(link, str) or not link:
        return None
    found = urlsplit(urljoin(str(page), link))
    target = f"{found.path}?{found.query}" if found.query else found.path
    return page.copy_with(raw_path=target.encode("ascii", "ignore"))


def _content(body: bytes) -> Any:
    decoded = _decoded(body)
    if not isinstance(decoded, dict) or "d" not in decoded:
        raise ValueError("the answer is no OData V2 envelope")
    return decoded["d"]


def _decoded(body: bytes) -> Any:
    try:
        return _JSON.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("the answer is not JSON") from error


# --- errors and messages ---------------------------------------------------------------------


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of SAP's message container.

    Attributes:
        code: Message class and number, such as ``V1/302``.
        text: SAP's sentence; it may name persons and belongs in no log.
        severity: ``error``, ``warning``, ``info`` or ``success``.
        target: The property it is about, where SAP says so.
    """

    code: str = ""
    text: str = ""
    severity: str = "error"
    target: str = ""


class ODataError(msgspec.Struct, frozen=True, kw_only=True):
    """An error answer, whatever its form.

    Attributes:
        code, text: Of the whole answer; empty and the title of the page for HTML.
        details: The single messages, in SAP's order.
        transaction_id: What SAP's administrators search for in /IWFND/ERROR_LOG.
    """

    code: str = ""
    text: str = ""
    details: tuple[Message, ...] = ()
    transaction_id: str = ""

    @property
    def errors(self) -> tuple[str, ...]:
        """The sentences that say what is wrong; the whole answer's where no detail does."""
        return self._texts("error") or ((self.text,) if self.text else ())

    @property
    def warnings(self) -> tuple[str, ...]:
        """The sentences that only warn."""
        return self._texts("warning")

    def _texts(self, severity: str) -> tuple[str, ...]:
        return tuple(detail.text for detail in self.details if detail.severity == severity)


def read_error(body: bytes) -> ODataError:
    """Read an error answer in any form; never raises, because the status has said enough."""
    start = body.lstrip()[:1]
    if start == b"{":
        return _json_error(body)
    if start == b"<":
        return _marked_up_error(body)
    return ODataError(text=_line(body.decode("utf-8", "replace")))


def read_messages(header: str | None) -> tuple[Message, ...]:
    """The messages of a ``sap-message`` header, which travels with success as well."""
    if not header:
        return ()
    try:
        first = _decoded(header.encode("utf-8"))
    except ValueError:
        return (Message(text=_line(header), severity="warning"),)
    if not isinstance(first, dict):
        return ()
    return (_message(first), *(_message(each) for each in _dicts(first.get("details"))))


def _json_error(body: bytes) -> ODataError:
    try:
        answer = _decoded(body)
    except ValueError:
        return ODataError(text=_line(body.decode("utf-8", "replace")))
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return ODataError()
    inner = error.get("innererror")
    inner = inner if isinstance(inner, dict) else {}
    found = _dicts(inner.get("errordetails")) or _dicts(error.get("details"))
    return ODataError(
        code=_word(error.get("code")),
        text=_sentence(error.get("message")),
        details=tuple(_message(each) for each in found),
        transaction_id=_word(inner.get("transactionid")),
    )


def _message(record: Mapping[str, Any]) -> Message:
    severity = record.get("severity")
    if not isinstance(severity, str):
        number = record.get("@SAP__common.numericSeverity", record.get("numericSeverity"))
        severity = _SEVERITIES.get(number, "error") if isinstance(number, int) else "error"
    return Message(
        code=_word(record.get("code")),
        text=_sentence(record.get("message")),
        severity=severity,
        target=_word(record.get("target")),
    )


def _marked_up_error(body: bytes) -> ODataError:
    """The XML error body of V2, or the title of a page that a proxy or the ICM wrote."""
    # Both parsers recover from anything and give None where nothing is left.
    root = fromstring(body, XMLParser(resolve_entities=False, no_network=True, recover=True))
    # Not by QName: it raises for the odd names that a recovered document may have.
    if root is not None and str(root.tag).rpartition("}")[2] == "error":
        return _xml_error(root)
    page = fromstring(body, HTMLParser(no_network=True))
    titles = page.xpath("//title/text() | //h1/text()") if page is not None else []
    return ODataError(text=_line(str(titles[0])) if titles else "")


def _xml_error(root: Any) -> ODataError:
    details = tuple(
        Message(
            code=_below(each, "code"),
            text=_below(each, "message"),
            severity=_below(each, "severity") or "error",
            target=_below(each, "target"),
        )
        for each in root.iter("{*}errordetail")
    )
    return ODataError(
        code=_below(root, "code"),
        text=_below(root, "message"),
        details=details,
        transaction_id=_line("".join(root.xpath("string(.//*[local-name()='transactionid'])"))),
    )


def _below(element: Any, name: str) -> str:
    return _line(element.findtext(f"{{*}}{name}") or "")


def _sentence(value: Any) -> str:
    """A message that is a string in one release and an object in the next."""
    if isinstance(value, dict):
        value = value.get("value")
    return _word(value)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _line(text: str) -> str:
    return " ".join(text.split())[:500]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
