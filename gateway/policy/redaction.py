"""Redaction: what of a request or an answer a person may read. Everything else is masked.

Deny by default: text stands only in fields that are named as harmless, here for all products or
by the adapter (``Adapter.readable``). A field is known by its name alone, without case and without
the path to it: ``metadata[payment_id]`` and ``{"metadata": {"payment_id": …}}`` are both
``payment_id``. Even there, what looks like an e-mail address, an IBAN or a card number is masked.
Numbers of JSON up to 9 digits stay, because without them no amount can be followed.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_plus

import httpx
import msgspec
from lxml.etree import LxmlError, XMLParser, fromstring, tostring

READABLE_FIELDS: Final = frozenset(
    """
    amount amount_capturable amount_received amount_refunded api_version capture_method code
    companycode company_code created created_at currency decline_code error_code errorcode event
    fiscalyear has_more id idempotency_key livemode method object reason result resulttype severity
    state status statuscode success type updated_at value_date version
    """.split()
)
_READABLE_HEADERS: Final = frozenset(
    b"""
    accept accept-encoding accept-language allow cache-control connection content-encoding
    content-language content-length content-type date dataserviceversion expect host
    idempotency-key idempotent-replayed if-match maxdataserviceversion odata-maxversion
    odata-version prefer preference-applied ratelimit ratelimit-policy request-id retry-after
    server stripe-should-retry stripe-version traceparent transfer-encoding user-agent vary
    x-correlation-id x-correlationid x-ratelimit-limit x-ratelimit-remaining x-ratelimit-reset
    x-request-id
    """.split()
)
_TEXT_LIMIT: Final = 16 * 1024
_PARSE_LIMIT_BYTES: Final = 64 * 1024  # reading megabytes to show 16 KiB holds the loop
_CUT: Final = "\n… (cut)"
_DIGITS: Final = 9
_SURELY_SHORT: Final = 10**_DIGITS
_READABLE_DIGITS: Final = 12  # seconds since the epoch have 10; card numbers begin at 13
_MASKS_LENGTH: Final = 256
_MASKS: Final = tuple(f"•••({length})" for length in range(_MASKS_LENGTH))

_NAMES_LIMIT: Final = 4096
# What reads as a name; anything else may be a value that serves as a key.
_NAME: Final = re.compile(r"[A-Za-z_@$#.:/\-\[\]{}()0-9]{1,80}")
_KIND: Final = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}")
_SEGMENT: Final = re.compile(r"[^\[\].:/@#$]+")
_NUMBERS: Final = (
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])"  # IBAN
    r"|(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])"  # card number
)
_PERSONAL_NUMBER: Final = re.compile(_NUMBERS)
_PERSONAL: Final = re.compile(
    r"[^\s@<>\"']{1,64}@[^\s@<>\"']{1,190}\.[A-Za-z]{2,24}|" + _NUMBERS  # e-mail
)
# What both numbers have in them; found or not in a fifth of the time.
_MAYBE_NUMBER: Final = re.compile("[0-9](?:[ -]?[A-Za-z0-9]){12}")
_SHORTEST_NUMBER: Final = 13  # of a card; an IBAN has 15 characters
# A UUID; one of ours without its dashes, which SAP knows an order by (UUIDv7, 01… until 2039); a
# traceparent. Thirteen digits in a row stand in one of ninety of them, and mean nothing.
_IDENTIFIER: Final = re.compile(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|01[0-9a-f]{10}7[0-9a-f]{3}[89ab][0-9a-f]{15}"
    r"|[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
)
_IDENTIFIER_LENGTHS: Final = frozenset({36, 32, 55})

_json_decode = msgspec.json.Decoder().decode
_json_encode = msgspec.json.Encoder().encode


class _Names(dict[str, bool | None]):
    """Field name to whether its text may be read; None where the name may itself be a value.

    Judged once and kept, because names are few; foreign data cannot fill the memory.
    """

    def __init__(self, readable: frozenset[str]) -> None:
        super().__init__()
        self._readable = READABLE_FIELDS | {name.lower() for name in readable}

    def __missing__(self, name: str) -> bool | None:
        judged = self._judge(name)
        if len(self) < _NAMES_LIMIT:
            self[name] = judged
        return judged

    def spelt(self, name: str) -> str:
        """The name, or its mask."""
        return _masked(name) if self[name] is None else name

    def _judge(self, name: str) -> bool | None:
        if not _NAME.fullmatch(name) or _PERSONAL.search(name):
            return None
        segments: list[str] = _SEGMENT.findall(name.lower())
        last = next((part for part in reversed(segments) if not part.isdigit()), "")
        # A payer's one-time code is called like an error's.
        return last in self._readable and "blik" not in segments


_names = lru_cache(maxsize=256)(_Names)  # one for each adapter


def redact_headers(pairs: Iterable[tuple[bytes, bytes]]) -> str:
    """Header lines with the values of all but the harmless ones masked."""
    lines = []
    for name, value in pairs:
        start, is_readable = _start_of_line(name)
        lines.append(start + (_readable(value) if is_readable else _mask(len(value))))
    return "\n".join(lines)


@lru_cache(maxsize=1024)
def _start_of_line(name: bytes) -> tuple[str, bool]:
    """The name of a header with its colon, and whether the value may be read."""
    return f"{name.decode('latin-1')}: ", name.lower() in _READABLE_HEADERS


def _readable(value: bytes) -> str:
    """The value of a harmless header."""
    if len(value) in _IDENTIFIER_LENGTHS:  # each is new and would push another out of the cache
        return _screened(value.decode("latin-1"))
    return _kept(value)


@lru_cache(maxsize=1024)  # most are the same from one call to the next, and none is a secret
def _kept(value: bytes) -> str:
    return _screened(value.decode("latin-1"))


def redact_url(url: httpx.URL, readable: frozenset[str]) -> str:
    """The URL without user, with personal looking parts of the path and most values masked."""
    path, _, query = url.raw_path.decode("ascii").partition("?")
    shown = f"{url.scheme}://{url.netloc.decode('ascii')}{_redact_path(path)}"
    return f"{shown}?{_form(query, _names(readable))}" if query else shown


@lru_cache(maxsize=256)  # addresses of documents are many, those of collections few and frequent
def _redact_path(path: str) -> str:
    if _PERSONAL.search(unquote_plus(path)):
        return "/".join(_screened_whole(part) for part in path.split("/"))
    return path


def redact_body(content_type: str, body: bytes, readable: frozenset[str]) -> str | bytes:
    """The body with its structure, its numbers and its harmless fields; the rest masked.

    Bytes are an object or a list of JSON, which can stand in other JSON as it is.

    Args:
        content_type: As in the header; decides how the body is read.
        body: Not compressed.
        readable: Names of further fields, in any case, that may be shown.
    """
    if not body:
        return ""
    kind = content_type.partition(";")[0].strip().lower()
    read = _reader(kind)
    if read is None or len(body) > _PARSE_LIMIT_BYTES:
        return _placeholder(kind, body)
    try:
        shown: str | bytes = read(body, _names(readable))
    except (ValueError, msgspec.MsgspecError, LxmlError, RecursionError):
        return _placeholder(kind, body)
    if isinstance(shown, bytes):
        if len(shown) <= _TEXT_LIMIT and shown[:1] in {b"{", b"["}:
            return shown
        shown = shown.decode("utf-8")
    return shown if len(shown) <= _TEXT_LIMIT else shown[: _TEXT_LIMIT - len(_CUT)] + _CUT


def _placeholder(kind: str, body: bytes) -> str:
    shown = kind if _KIND.fullmatch(kind) else "unknown type"
    return f"<{len(body)} bytes of {shown}>"


@lru_cache(maxsize=256)
def _reader(kind: str) -> Any:
    if kind in {"application/x-ndjson", "application/jsonl", "application/x-json-stream"}:
        return _ndjson
    if kind == "application/json" or kind.endswith("+json"):
        return _json
    if kind in {"application/xml", "text/xml"} or kind.endswith("+xml"):
        return _xml
    return _form_body if kind == "application/x-www-form-urlencoded" else None


def _json(body: bytes, names: _Names) -> bytes:
    return _json_encode(_value(_json_decode(body), names))


def _ndjson(body: bytes, names: _Names) -> str:
    return "\n".join(_json(line, names).decode() for line in body.splitlines() if line.strip())


def _value(value: Any, names: _Names) -> Any:
    """A JSON value outside of a readable field; what holds others is changed as it stands."""
    kind = type(value)
    if kind is dict:
        _redact_object(value, names)
        return value
    if kind is list:
        _redact_items(value, names, None)
        return value
    return _masked(value) if kind is str else _number(value, _DIGITS)


def _redact_object(fields: dict[str, Any], names: _Names) -> None:
    """Field by field; leaves are dealt with here, because calls are what costs."""
    odd = []
    for name, value in fields.items():
        is_readable = names[name]
        if is_readable is None:
            odd.append(name)
        kind = type(value)
        if kind is str:
            if not is_readable:
                length = len(value)
                fields[name] = _MASKS[length] if length < _MASKS_LENGTH else _mask(length)
            elif len(value) >= _SHORTEST_NUMBER or "@" in value:
                fields[name] = _screened(value)
        elif kind is dict:
            _redact_object(value, names)
        elif kind is list:
            _redact_items(value, names, is_readable)
        else:
            fields[name] = _number(value, _READABLE_DIGITS if is_readable else _DIGITS)
    for name in odd:
        fields[_masked(name)] = fields.pop(name)


def _redact_items(items: list[Any], names: _Names, is_readable: bool | None) -> None:  # noqa: FBT001 - by name it takes longer, and it is called for each list
    """The texts of a readable field's list are readable; what is nested speaks for itself."""
    for index, item in enumerate(items):
        if type(item) is dict:
            _redact_object(item, names)
        elif is_readable and type(item) is str:
            items[index] = _screened(item)
        else:
            items[index] = _value(item, names)


def _number(value: Any, digits: int) -> Any:
    if value is None or value is True or value is False:
        return value
    if type(value) is int and 0 <= value < _SURELY_SHORT:
        return value
    length = sum(character.isdigit() for character in repr(value))
    return value if length <= digits else f"•••({length})"


def _form_body(body: bytes, names: _Names) -> str:
    return _form(body.decode("ascii"), names)


def _form(text: str, names: _Names) -> str:
    """Names and values in plain spelling; ``expand[]=x`` is a field ``expand``."""
    return "&".join(_pair(pair, names) for pair in text.split("&"))


def _pair(pair: str, names: _Names) -> str:
    name, equals, value = pair.partition("=")
    if not equals:  # who knows whether it is a name or a value
        return _masked(pair)
    spelt, plain = _plain(name), _plain(value)
    shown = _screened(plain) if names[spelt] else _masked(plain)
    return f"{names.spelt(spelt)}={shown}"


def _plain(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text


def _xml(body: bytes, names: _Names) -> str:
    parser = XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
    )
    root = fromstring(body, parser)
    if root.getroottree().docinfo.doctype:  # no partner sends one; entities could hide anything
        raise ValueError("A document type is not shown.")
    for element in root.iter():
        name = _local(element.tag)
        is_readable = names[name]
        if is_readable is None:
            raise ValueError("An element is not named like one.")
        element.text = _shown(element.text, is_readable=is_readable)
        element.tail = _shown(element.tail, is_readable=False)
        for attribute, value in element.attrib.items():
            shown = _shown(value, is_readable=names[_local(attribute)])
            element.set(attribute, shown or "")
    return str(tostring(root, encoding="unicode"))


def _local(name: str) -> str:
    """The name without its namespace: ``{urn:x}Item`` is ``Item``."""
    return name.rpartition("}")[2]


def _shown(text: str | None, *, is_readable: bool | None) -> str | None:
    if text is None or not text.strip():
        return text
    return _screened(text) if is_readable else _masked(text)


def _masked(text: str) -> str:
    return _mask(len(text))


def _mask(length: int) -> str:
    return _MASKS[length] if length < _MASKS_LENGTH else f"•••({length})"


def _screened(text: str) -> str:
    """Readable text, with what looks personal masked."""
    has_at = "@" in text
    if len(text) < _SHORTEST_NUMBER and not has_at:
        return text
    if len(text) in _IDENTIFIER_LENGTHS and _IDENTIFIER.fullmatch(text):
        return text
    if not has_at and not _MAYBE_NUMBER.search(text):
        return text
    pattern = _PERSONAL if has_at else _PERSONAL_NUMBER  # which is quicker by a factor
    return pattern.sub(lambda match: _masked(match.group()), text)


def _screened_whole(part: str) -> str:
    return _masked(part) if _PERSONAL.search(unquote_plus(part)) else part
