"""Redaction: nothing that is not named as harmless gets through, whatever the shape."""

from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

import httpx
import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.policy import redaction
from gateway.policy.redaction import READABLE_FIELDS, redact_headers, redact_url
from tests.redacting import redact_body

READABLE = frozenset({"payment_id", "SalesOrder"})
NOTHING: frozenset[str] = frozenset()
CANARY = "kanarienvogel"
JSON = "application/json; charset=utf-8"
FORM = "application/x-www-form-urlencoded"


def _json(value: Any, readable: frozenset[str] = READABLE) -> Any:
    return msgspec.json.decode(redact_body(JSON, msgspec.json.encode(value), readable))


def test_json_keeps_structure_numbers_and_harmless_fields() -> None:
    """What a person needs to follow a payment, and nothing of the customer."""
    given_body = {
        "id": "pi_1",
        "Status": "succeeded",
        "amount": 1999,
        "livemode": False,
        "charge": None,
        "customer": {"name": "Max Mustermann", "tags": ["vip", 7]},
        "metadata": {"payment_id": "p-1", "note": "ring twice"},
        "d": {"SALESORDER": "0000012345"},
    }

    assert _json(given_body) == {
        "id": "pi_1",
        "Status": "succeeded",
        "amount": 1999,
        "livemode": False,
        "charge": None,
        "customer": {"name": "•••(14)", "tags": ["•••(3)", 7]},
        "metadata": {"payment_id": "p-1", "note": "•••(10)"},
        "d": {"SALESORDER": "0000012345"},
    }


@pytest.mark.parametrize(
    ("expected", "number"),
    [
        (999_999_999, 999_999_999),
        ("•••(10)", 1_000_000_000),
        ("•••(16)", 4_111_111_111_111_111),
        (-12.5, -12.5),
        ("•••(16)", -4_111_111_111_111_111),
        ("•••(12)", 12.3456789012),
        (True, True),
    ],
)
def test_long_numbers_are_masked(expected: Any, number: Any) -> None:
    """Telephone and card numbers have more than nine digits."""
    assert _json({"x": number}) == {"x": expected}
    assert _json([number]) == [expected]


def test_a_harmless_field_may_hold_a_time_but_not_a_card_number() -> None:
    """Seconds since the epoch have ten digits."""
    assert _json({"created": 1_800_000_000, "code": 4_111_111_111_111_111}) == {
        "created": 1_800_000_000,
        "code": "•••(16)",
    }


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("•••(15) failed", "max@example.org failed"),
        ("for •••(22)", "for DE89370400440532013000"),
        ("for •••(27)", "for DE89 3704 0044 0532 0130 00"),
        ("card •••(16)", "card 4111111111111111"),
        ("card •••(19)", "card 4111 1111-1111 1111"),
        ("requires_capture", "requires_capture"),
        ("0195e7a2-1111-7222-8333-444444444444", "0195e7a2-1111-7222-8333-444444444444"),
        ("01a204a265bc7dd59d4111111111111f", "01a204a265bc7dd59d4111111111111f"),  # UUIDv7
        ("01a204a265bc1dd59d•••(13)f", "01a204a265bc1dd59d4111111111111f"),  # none of ours
        ("pi_3NxQvJ2eZvKYlo2C1k5m2r", "pi_3NxQvJ2eZvKYlo2C1k5m2r"),
    ],
)
def test_what_looks_personal_is_masked_in_harmless_fields_too(expected: str, text: str) -> None:
    """Products write addresses into their messages."""
    assert _json({"code": text, "codes": 1, "reason": [text]}) == {
        "code": expected,
        "codes": 1,
        "reason": [expected],
    }


@pytest.mark.parametrize("name", ["max@example.org", "DE89370400440532013000", "Max Mustermann"])
def test_a_key_that_is_a_value_is_masked(name: str) -> None:
    """Objects are used as tables, with people as keys."""
    assert _json({name: {"status": "ok"}}) == {f"•••({len(name)})": {"status": "ok"}}


def test_one_time_code_of_a_payer_is_no_error_code() -> None:
    """Both are called code; only one opens an account."""
    found = redact_body(FORM, b"error[code]=1&options[blik][code]=777987", frozenset())

    assert "error[code]=1" in found
    assert "777987" not in found


def test_form_fields_are_known_by_their_last_name() -> None:
    """Brackets are a path; numbers and empty brackets are not names."""
    body = (
        b"amount=1999&metadata[payment_id]=p-1&metadata%5Bpayment_id%5D=p-2&expand[]=customer"
        b"&line_items[0][name]=Shirt+blue&payment_id[name]=x&code=max%40example.org&flag"
    )

    assert redact_body(FORM, body, READABLE) == (
        "amount=1999&metadata[payment_id]=p-1&metadata[payment_id]=p-2&expand[]=•••(8)"
        "&line_items[0][name]=•••(10)&payment_id[name]=•••(1)&code=•••(15)&•••(4)"
    )


def test_xml_keeps_elements_and_harmless_texts() -> None:
    """Elements and attributes by their local names."""
    body = (
        b'<?xml version="1.0"?><!-- Max --><s:Envelope xmlns:s="urn:s"><s:Body id="1" who="Max">'
        b"<SalesOrder>4711</SalesOrder>loose<Name>Max</Name><?pi Max?><Code>OK</Code></s:Body>"
        b"</s:Envelope>"
    )

    assert redact_body("text/xml", body, READABLE) == (
        '<s:Envelope xmlns:s="urn:s"><s:Body id="1" who="•••(3)"><SalesOrder>4711</SalesOrder>'
        "•••(5)<Name>•••(3)</Name><Code>OK</Code></s:Body></s:Envelope>"
    )


def test_ndjson_is_read_line_by_line() -> None:
    """One object each."""
    body = b'{"id":"1","name":"Max"}\n\n{"id":"2"}\n'

    assert redact_body("application/x-ndjson", body, READABLE) == (
        '{"id":"1","name":"•••(3)"}\n{"id":"2"}'
    )


@pytest.mark.parametrize(
    ("expected", "content_type", "body"),
    [
        ("", "application/json", b""),
        ("<9 bytes of text/html>", "text/html; charset=utf-8", b"<b>Max</b"),
        ("<4 bytes of application/json>", "application/json", b"{Max"),
        ("<4 bytes of application/problem+json>", "application/problem+json", b"\xff\xfe{}"),
        ("<5 bytes of text/xml>", "text/xml", b"<Max>"),
        ("<15 bytes of text/xml>", "text/xml", "<a><Köln/></a>".encode()),
        ("<7 bytes of application/x-ndjson>", "application/x-ndjson", b'{}\n{"Ma'),
        ("<3 bytes of unknown type>", "", b"Max"),
        ("<3 bytes of unknown type>", "Max Mustermann", b"Max"),
        ("<6 bytes of application/x-www-form-urlencoded>", FORM, "Köln=".encode()),
        ("<65537 bytes of application/json>", "application/json", b"[" + b" " * 65535 + b"]"),
    ],
)
def test_what_cannot_be_read_is_counted(expected: str, content_type: str, body: bytes) -> None:
    """An unreadable body shows its size and type only."""
    assert redact_body(content_type, body, READABLE) == expected


def test_a_document_type_is_not_shown() -> None:
    """Entities could carry anything past the names."""
    body = b'<!DOCTYPE a [<!ENTITY x "Max Mustermann">]><id>&x;</id>'

    assert redact_body("text/xml", body, READABLE) == f"<{len(body)} bytes of text/xml>"


def test_deep_nesting_is_survived() -> None:
    """A body made to break us shows its size only."""
    body = b"[" * 20_000 + b"]" * 20_000

    assert redact_body(JSON, body, READABLE) == "<40000 bytes of application/json>"


def test_a_long_body_is_cut() -> None:
    """Evidence is for reading."""
    shown = redact_body(JSON, msgspec.json.encode([{"x": n} for n in range(5000)]), READABLE)

    assert len(shown) == 16 * 1024
    assert shown.endswith("\n… (cut)")


def test_headers_are_masked_unless_harmless() -> None:
    """Names always stand, values of the list only."""
    headers = [
        (b"Authorization", b"Bearer sk_live_1"),
        (b"Cookie", b"SAP_SESSIONID=abc"),
        (b"Set-Cookie", b"a=b"),
        (b"X-CSRF-Token", b"tok"),
        (b"Stripe-Signature", b"t=1,v1=ab"),
        (b"X-Unheard-Of", b"Max"),
        (b"Content-Type", b"application/json"),
        (b"Idempotency-Key", b"0195e7a2-1111-7222-8333-444444444444"),
        (b"traceparent", b"00-01234567890123456789012345678901-0123456789012345-01"),
        (b"Retry-After", b"3"),
        (b"X-Request-Id", b"max@example.org"),
    ]

    assert redact_headers(headers).splitlines() == [
        "Authorization: •••(16)",
        "Cookie: •••(17)",
        "Set-Cookie: •••(3)",
        "X-CSRF-Token: •••(3)",
        "Stripe-Signature: •••(9)",
        "X-Unheard-Of: •••(3)",
        "Content-Type: application/json",
        "Idempotency-Key: 0195e7a2-1111-7222-8333-444444444444",
        "traceparent: 00-01234567890123456789012345678901-0123456789012345-01",
        "Retry-After: 3",
        "X-Request-Id: •••(15)",
    ]


@pytest.mark.parametrize(
    ("expected", "url"),
    [
        ("https://api.example/v1/x", "https://user:secret@api.example/v1/x#frag"),
        (
            "https://api.example:8443/SalesOrder('4711')",
            "https://api.example:8443/SalesOrder('4711')",
        ),
        ("http://h/x?status=open&q=•••(3)&•••(4)", "http://h/x?status=open&q=Max&flag"),
        ("http://h/c/•••(17)/y", "http://h/c/max%40example.org/y"),
        ("http://h/•••(22)", "http://h/DE89370400440532013000"),
    ],
)
def test_urls_keep_their_path(expected: str, url: str) -> None:
    """Users, values and personal looking segments go."""
    assert redact_url(httpx.URL(url), NOTHING) == expected


NAMES = st.text("abcXYZ_019-. $@[]", min_size=1, max_size=12).filter(
    lambda name: (
        any(character.isalpha() for character in name)  # id[0] is an item of id
        and not any(part in name.lower() for part in READABLE_FIELDS)
    )
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text("abc é@1", max_size=8))
TREES = st.recursive(
    st.just(CANARY) | LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
READABLE_PARENTS = st.sampled_from(["id", "status", "payment_id", "code"])


@given(tree=TREES, parent=READABLE_PARENTS, name=NAMES)
def test_a_canary_in_json_is_never_seen(tree: Any, parent: str, name: str) -> None:
    """At any depth, also below a harmless field, since a field speaks for itself."""
    body = msgspec.json.encode({parent: {name: tree}, name: [tree, CANARY]})

    shown = redact_body(JSON, body, READABLE)

    assert not shown.startswith("<")
    assert CANARY not in shown
    assert CANARY not in redact_body("application/x-ndjson", body + b"\n" + body, READABLE)


@given(names=st.lists(NAMES, min_size=1, max_size=4), parent=READABLE_PARENTS)
def test_a_canary_in_a_form_is_never_seen(names: list[str], parent: str) -> None:
    """With brackets or without, and in the query of a URL as well."""
    pairs = [(name, CANARY) for name in names] + [(f"{parent}[{names[0]}]", CANARY)]
    body = urlencode(pairs)

    assert CANARY not in redact_body(FORM, body.encode(), READABLE)
    assert CANARY not in redact_url(httpx.URL(f"https://h/x?{body}"), READABLE)


@given(
    before=st.text("A1 -x", max_size=20),
    number=st.from_regex(redaction._PERSONAL_NUMBER, fullmatch=True),
    after=st.text("A1 -x", max_size=20),
)
def test_the_quick_look_overlooks_no_number(before: str, number: str, after: str) -> None:
    """What a text is spared the long look for is not in it."""
    text = f"{before}{number}{after}"
    assume(not redaction._IDENTIFIER.fullmatch(text))

    long_look = redaction._PERSONAL_NUMBER.sub(lambda found: f"•••({len(found.group())})", text)
    assert long_look == redaction._screened(text)


XML_NAMES = st.text("abcXYZ", min_size=1, max_size=8).filter(
    lambda name: name.lower() not in READABLE_FIELDS
)


@given(names=st.lists(XML_NAMES, min_size=1, max_size=5), parent=READABLE_PARENTS)
def test_a_canary_in_xml_is_never_seen(names: list[str], parent: str) -> None:
    """As text, tail, attribute, CDATA, comment or instruction."""
    inner = f"<![CDATA[{CANARY}]]><!--{CANARY}--><?pi {CANARY}?>"
    for name in names:
        inner = f"<{name} {name}={quoteattr(CANARY)}>{escape(CANARY)}{inner}</{name}>{CANARY}"

    shown = redact_body("application/soap+xml", f"<{parent}>{inner}</{parent}>".encode(), READABLE)

    assert shown.startswith(f"<{parent}>")
    assert CANARY not in shown
