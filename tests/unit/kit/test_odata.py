"""The OData pieces: what is written can be read back, and no answer is too odd to be read."""

import datetime as dt
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.kit import odata

_NAMES = st.sampled_from(
    """
    error code message value innererror errordetails details severity transactionid target
    @SAP__common.numericSeverity
    """.split()
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner),
)


@pytest.fixture(scope="session")
def values() -> dict[str, Any]:
    root = Path(__file__).parents[3]
    folder = root / os.environ.get("HEADRACE_CONTRACTS", "../shared/contracts")
    file = folder / "sap" / "vectors" / "values.json"
    if not file.is_file():
        pytest.skip("contracts not found")
    return json.loads(file.read_text())


def test_dates_of_the_vectors(values: dict[str, Any]) -> None:
    """The offset behind a V2 date does not move the moment."""
    expected = [stamp and dt.datetime.fromisoformat(stamp) for _, stamp in values["v2_datetime"]]

    assert expected == [odata.read_date(text) for text, _ in values["v2_datetime"]]


def test_leading_zeros_of_the_vectors(values: dict[str, Any]) -> None:
    """Only all-digit numbers gain and lose zeros."""
    padded = [odata.internal(text, length) for text, length, _ in values["alpha_in"]]
    plain = [odata.external(text) for text, _ in values["alpha_out"]]

    assert [expected for *_, expected in values["alpha_in"]] == padded
    assert [expected for _, expected in values["alpha_out"]] == plain


def test_decimals_of_the_vectors(values: dict[str, Any]) -> None:
    """A trailing minus is a minus."""
    expected = [Decimal(number) for _, number in values["decimal"]]

    assert expected == [odata.read_decimal(text) for text, _ in values["decimal"]]


def test_keys_of_the_vectors(values: dict[str, Any]) -> None:
    """Quotes are doubled, everything else that is not safe is percent-encoded."""
    expected = [f"({predicate})" for _, predicate in values["key_predicate"]]

    assert expected == [odata.key(text) for text, _ in values["key_predicate"]]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_the_key(text: str) -> None:
    """Between the outer quotes stands the text, each quote of its own doubled."""
    inner = unquote(odata.key(text))[2:-2]

    assert text == inner.replace("''", "'")
    assert inner.count("'") == 2 * text.count("'")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_the_query(text: str) -> None:
    """A filter arrives as it was written, and adds no further option."""
    url = httpx.URL("https://s4.test/x?" + odata.query({"$filter": f"A eq {odata.literal(text)}"}))

    assert {"$filter": f"A eq {odata.literal(text)}"} == dict(url.params)
    assert " " not in str(url)


def test_key_of_two_properties() -> None:
    """Each part is named."""
    expected = "(SalesOrder='1',SalesOrderItem='10')"

    assert expected == odata.key({"SalesOrder": "1", "SalesOrderItem": "10"})


@given(st.dates())
def test_any_date_survives(day: dt.date) -> None:
    """A date is its midnight in UTC, before 1970 and in 9999 too."""
    moment = odata.read_date(odata.write_date(day))

    assert moment == dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text", ["2026-01-01", "/Date()/", "/Date(999999999999999)/", "x/Date(0)/"]
)
def test_no_date(text: str) -> None:
    """What is no V2 date is refused, and so is one outside the calendar."""
    with pytest.raises(ValueError, match="date"):
        odata.read_date(text)


@pytest.mark.parametrize("text", ["", "1,5", "NaN", "Infinity", "-"])
def test_no_decimal(text: str) -> None:
    """Only finite numbers with a point are amounts."""
    with pytest.raises(ValueError, match="number"):
        odata.read_decimal(text)


def test_number_of_zeros_only() -> None:
    """A number of zeros stays a number."""
    assert odata.external("0000000000") == "0"


def test_other_digits_are_text() -> None:
    """Arabic-Indic digits are digits to Python and text to SAP."""
    assert odata.internal("١٢", 10) == "١٢"
    assert odata.external("٠١") == "٠١"


def test_numbers_are_decimals() -> None:
    """A JSON number never becomes a float."""
    number = odata.entity(b'{"d": {"n": 12345678901234.567}}')["n"]

    assert Decimal("12345678901234.567") == number
    assert isinstance(number, Decimal)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html/>", b"[]", b'{"d": []}', b'{"d": {"results": []}}', b"\xff", b"[" * 99_999],
)
def test_no_entity(body: bytes) -> None:
    """Anything but one enveloped entity is refused."""
    with pytest.raises(ValueError, match="answer"):
        odata.entity(body)


@pytest.mark.parametrize("body", [b'{"d": {}}', b'{"d": {"results": [1]}}', b'{"results": []}'])
def test_no_entities(body: bytes) -> None:
    """Anything but a list of entities is refused."""
    with pytest.raises(ValueError, match="answer"):
        odata.entities(body)


def test_results_with_and_without_a_name() -> None:
    """Lists stand bare in V1 services and under ``results`` in V2."""
    assert [{"A": "1"}] == odata.entities(b'{"d": {"results": [{"A": "1"}]}}')
    assert [{"A": "1"}] == odata.entities(b'{"d": [{"A": "1"}]}')


def test_etag_is_text_or_missing() -> None:
    """Without an entity tag there is an empty one."""
    assert odata.etag({"__metadata": {"etag": 'W/"1"'}}) == 'W/"1"'
    assert not odata.etag({"__metadata": {"etag": 1}})
    assert not odata.etag({})


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://internal:8443/sap/S/A?$skiptoken=2", "https://s4.test/sap/S/A?$skiptoken=2"),
        ("A?$skiptoken='x%20y'", "https://s4.test/sap/S/A?$skiptoken='x%20y'"),
        ("/sap/S/A", "https://s4.test/sap/S/A"),
    ],
)
def test_next_page_stays_with_the_host(link: str, expected: str) -> None:
    """Credentials go to the configured host, whatever host the link names."""
    body = json.dumps({"d": {"results": [], "__next": link}}).encode()

    found = odata.next_page(body, httpx.URL("https://s4.test/sap/S/A?$top=1"))

    assert expected == str(found)


def test_last_page() -> None:
    """No link, no further page."""
    assert odata.next_page(b'{"d": {"results": []}}', httpx.URL("https://s4.test/")) is None


def test_v2_error_with_object_messages() -> None:
    """CAP wraps the messages of details in objects; they read like SAP's strings."""
    detail = {"code": "A/1", "message": {"lang": "en", "value": "No"}, "severity": "error"}
    body = {"error": {"code": "A/1", "innererror": {"errordetails": [detail]}}}

    error = odata.read_error(json.dumps(body).encode())

    assert error.errors == ("No",)


def test_v4_error() -> None:
    """V4 has its message as a string and severities as numbers."""
    warning = {"code": "V1/555", "message": "Moved", "@SAP__common.numericSeverity": 3}
    body = {"error": {"code": "V1/302", "message": "Undefined", "details": [warning]}}

    error = odata.read_error(json.dumps(body).encode())

    assert (error.code, error.errors, error.warnings) == ("V1/302", ("Undefined",), ("Moved",))


def test_xml_error() -> None:
    """A service that was not asked for JSON answers the same in XML."""
    body = b"""<?xml version="1.0" encoding="utf-8"?>
    <error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">
      <code>V1/302</code><message xml:lang="en">Cannot be created</message>
      <innererror><transactionid>6F1E</transactionid><errordetails>
        <errordetail><code>V1/302</code><message>Undefined</message><severity>error</severity>
        </errordetail>
        <errordetail><code>V1/555</code><message>Moved</message><severity>warning</severity>
        </errordetail></errordetails></innererror></error>"""

    error = odata.read_error(body)

    assert (error.code, error.text) == ("V1/302", "Cannot be created")
    assert (error.errors, error.warnings) == (("Undefined",), ("Moved",))
    assert error.transaction_id == "6F1E"


def test_xml_entities_are_not_resolved(tmp_path: Path) -> None:
    """An error body cannot read our files."""
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    body = f'<!DOCTYPE e [<!ENTITY x SYSTEM "{secret.as_uri()}">]><error><code>&x;</code></error>'

    assert "s3cret" not in repr(odata.read_error(body.encode()))


def test_page_and_plain_text() -> None:
    """Of a page the title is kept, of plain text its beginning."""
    page = b"<html><head><title>Service\n Unavailable</title></head><body>long</body></html>"

    assert odata.read_error(page).text == "Service Unavailable"
    assert odata.read_error(b"CSRF token validation failed").text == "CSRF token validation failed"
    assert odata.read_error(b"x" * 9_999).text == "x" * 500
    assert odata.read_error(b"{ cut off").text == "{ cut off"


@given(
    st.binary()
    | st.binary().map(b"<".__add__)
    | _JSON.map(lambda value: json.dumps({"error": value}).encode())
)
@example(b"<:")
@example(b"<")
@example(b"<!---->")
@example(b"<?xml?>")
@example(b"<error xmlns:a='b'><a:code/></error>")
def test_no_error_answer_is_too_odd(body: bytes) -> None:
    """The status has said enough, so reading the body never fails."""
    error = odata.read_error(body)

    assert all(isinstance(each, str) for each in (error.code, error.text, error.transaction_id))


def test_messages_of_a_success() -> None:
    """The first message carries the others."""
    header = (
        '{"code":"V1/302","message":"Moved","severity":"warning","details":'
        '[{"code":"V1/303","message":"Short","severity":"info"}]}'
    )

    messages = odata.read_messages(header)

    assert [(each.code, each.severity) for each in messages] == [
        ("V1/302", "warning"),
        ("V1/303", "info"),
    ]


def test_odd_messages_of_a_success() -> None:
    """A header that is no JSON is one warning, no header is none."""
    assert odata.read_messages("Moved")[0].text == "Moved"
    assert odata.read_messages(None) == ()
    assert odata.read_messages("[]") == ()
