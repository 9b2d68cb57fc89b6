"""What is wrong with an order: all at once, by pointer, and without a word of what was sent."""

import copy
import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.capability import Capability
from gateway.model.money import Money
from gateway.model.order import NewOrder
from gateway.policy import validation
from gateway.policy.routing import Choice, System
from gateway.policy.validation import MAX_ERRORS, FieldError, Invalid, read_order
from gateway.settings import Routing

_ORDER: Final[dict[str, Any]] = {
    "channel": "B2C",
    "kind": "PURCHASE",
    "party": {
        "party_id": "C-1",
        "kind": "PERSON",
        "names": ["Ada", "Lovelace"],
        "addresses": [
            {"line1": "Street", "postal_code": "10115", "city": "Berlin", "country": "DE"},
            {"line1": "Road", "postal_code": "1010", "city": "Wien", "country": "AT"},
        ],
        "email": "ada@example.com",
    },
    "items": [
        {"product_id": "A", "quantity": 2, "unit_price": {"amount": "10.00", "currency": "EUR"}},
        {"product_id": "B", "quantity": 1, "unit_price": {"amount": "5.50", "currency": "EUR"}},
    ],
    "total": {"amount": "25.50", "currency": "EUR"},
    "payment": {"method_code": "card", "token": "tok_1"},
    "reference": "R-1",
    "note": "Ring twice",
}
# Long enough that no advice of ours contains it by chance.
_SENT: Final = "sent-by-a-person"


def order(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(_ORDER) | changes


def place(data: Any, pointer: str, value: Any) -> Any:
    """The document with another value at a pointer."""
    *path, last = pointer.split("/")[1:]
    inner = data
    for name in path:
        inner = inner[int(name)] if isinstance(inner, list) else inner[name]
    inner[int(last) if isinstance(inner, list) else last] = value
    return data


def errors_of(data: Any, currencies: tuple[str, ...] = ("EUR",)) -> tuple[FieldError, ...]:
    """What is wrong; nothing for a good order."""
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    try:
        read_order(body, currencies=currencies)
    except Invalid as error:
        return error.errors
    return ()


def named(data: Any, currencies: tuple[str, ...] = ("EUR",)) -> list[tuple[str, str]]:
    """Pointer and code of everything that is wrong."""
    return [(one.pointer, one.code) for one in errors_of(data, currencies)]


def test_good_order_is_read() -> None:
    """Every field arrives as it was sent."""
    read = read_order(json.dumps(_ORDER).encode(), currencies=("EUR",))

    assert isinstance(read, NewOrder)
    assert ("C-1", Money(2550, "EUR"), "Ring twice") == (
        read.party.party_id,
        read.total,
        read.note,
    )


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/colour", "red", "unknown_field"),
        ("/party/namse", ["x"], "unknown_field"),
        ("/items/1/colour", "red", "unknown_field"),
        ("/total/tax", "1.00", "unknown_field"),
        ("/items/0/quantity", "2", "wrong_type"),
        ("/items/0/quantity", 2.5, "wrong_type"),
        ("/items/0/quantity", 2.0, "wrong_type"),
        ("/items/0/quantity", True, "wrong_type"),
        ("/items/0/quantity", None, "wrong_type"),
        ("/items/0/quantity", 0, "too_small"),
        ("/items/0/quantity", 10**40, "too_large"),
        ("/party/names", "Ada", "wrong_type"),
        ("/party/birth_date", 1990, "wrong_type"),
        ("/party/birth_date", "1.2.1990", "wrong_format"),
        ("/party", [], "wrong_type"),
        ("/total", None, "wrong_type"),
        ("/total/amount", 25.5, "wrong_type"),
        ("/total/amount", "25,50", "wrong_format"),
        ("/total/amount", "25.501", "wrong_amount"),
        ("/total/amount", "0.00", "not_positive"),
        ("/total/amount", "-25.50", "not_positive"),
        ("/total/amount", "25.51", "total_differs"),
        ("/total/currency", "eur", "wrong_format"),
        ("/total/currency", "XXX", "unknown_currency"),
        ("/total/currency", "USD", "currency_not_sold"),
        ("/items/0/unit_price/amount", "-10.00", "negative"),
        ("/items/0/unit_price/currency", "USD", "mixed_currency"),
        ("/items", [], "too_few"),
        ("/channel", "FAX", "not_allowed"),
        ("/note", "x" * 201, "too_long"),
        ("/payment/token", "x" * 8193, "too_long"),
        ("/payment/token", "4242424242424242", "card_number"),
        ("/note", "my card is 4242 4242 4242 4242", "card_number"),
        ("/items/0/description", "4242-4242-4242-4242", "card_number"),
        ("/items/0/description", "nul\x00", "control_character"),
        ("/party/addresses/0/house_number", "1\x00", "control_character"),
        ("/party/addresses/0/line2", "a\nb", "control_character"),
        ("/reference", "R-1\n", "control_character"),
        ("/party/addresses/1/country", "DE\n", "control_character"),
        ("/payment/token", "tok_1\x7f", "control_character"),
        ("/party/names/0", "nul\x00", "control_character"),
        ("/party/names/0", "two\nlines", "control_character"),
        ("/party/addresses/0/line1", "a\tb", "control_character"),
        ("/party/addresses/0/city", "Köln\x1f", "control_character"),
        ("/note", "two\nlines", "control_character"),
    ],
)
def test_mistake_is_named(pointer: str, value: Any, code: str) -> None:
    """One mistake gives an entry with its own pointer and the name of the rule."""
    assert (pointer, code) in named(place(order(), pointer, value))


@pytest.mark.parametrize("field", ["channel", "party", "items", "total", "payment"])
def test_missing_field_is_named(field: str) -> None:
    """The pointer is that of the field that should be there."""
    data = order()
    del data[field]

    assert [(f"/{field}", "missing")] == named(data)


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"7", b"true"])
def test_anything_but_an_object_is_wrong_as_a_whole(body: bytes) -> None:
    """The pointer of the whole body is the empty one."""
    assert [("", "wrong_type")] == named(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{}{}",
        b"{} x",
        b"\xef\xbb\xbf{}",
        json.dumps(_ORDER).encode("utf-16"),
        json.dumps(_ORDER).encode("utf-16-le"),
        json.dumps(order(note="Straße"), ensure_ascii=False).encode("latin-1"),
        b'{"note": "\xed\xa0\x80"}',
        b'{"note": "\\ud800"}',
        b'{"note": NaN}',
        b'{"note": Infinity}',
        b'{"note": 1e400}',
        b'{"note": ' + b"9" * 5000 + b"}",
        b"{'note': 1}",
        b'{"note": "\x00"}',
    ],
)
def test_what_is_not_json_in_utf_8_is_refused(body: bytes) -> None:
    """Half a document, other encodings, lone surrogates and numbers that no decoder agrees on."""
    assert [("", "not_json")] == named(body)


@pytest.mark.parametrize("levels", [65, 1_000, 100_000])
@pytest.mark.parametrize("brackets", [b"[]", b"{}"])
def test_deep_nesting_is_refused_before_anything_walks_it(levels: int, brackets: bytes) -> None:
    """Recursion would end in a crash long before 100,000 levels."""
    opening = b"[" if brackets == b"[]" else b'{"a":'
    body = opening * levels + b"1" + brackets[1:] * levels

    assert [("", "too_deep")] == named(body)


def test_64_levels_are_walked() -> None:
    """The limit itself is fine; what is wrong there is named as anywhere."""
    body = b"[" * 64 + b"]" * 64

    assert [("", "wrong_type")] == named(body)


def test_brackets_in_strings_are_no_nesting() -> None:
    """A note may hold as many brackets as it likes, escaped quotes between them or not."""
    assert [] == named(order(note='["\\' * 60))


def test_name_that_stands_twice_is_named_where_it_stands() -> None:
    """Which of the two values counts is anybody's guess, so neither does; however it is spelt."""
    text = json.dumps(_ORDER)
    text = text.replace('"quantity": 1', '"quantity": 1, "qu\\u0061ntity": 3')
    text = text.replace('"channel"', '"channel": "SME", "channel"')

    assert [("/channel", "duplicate_key"), ("/items/1/quantity", "duplicate_key")] == [
        one for one in named(text.encode()) if one[1] == "duplicate_key"
    ]


def test_syntax_rules_and_sums_are_reported_together() -> None:
    """One answer names them all, so that a front-end corrects them in one go."""
    data = place(order(colour="red"), "/items/0/unit_price/amount", "-10.00")
    data = place(data, "/payment/token", "4242424242424242")
    data = place(data, "/party/names", [])

    assert [
        ("/colour", "unknown_field"),
        ("/items/0/unit_price/amount", "negative"),
        ("/party/names", "too_few"),
        ("/payment/token", "card_number"),
        ("/total/amount", "total_differs"),
    ] == named(data)


@pytest.mark.parametrize("quantity", ["2", None])
def test_unreadable_part_is_no_wrong_sum(quantity: Any) -> None:
    """A sum that cannot be made is not reported as one that differs."""
    data = place(order(), "/items/0/quantity", quantity)

    assert [("/items/0/quantity", "wrong_type")] == named(data)


def test_other_currency_is_not_added_up() -> None:
    """One line in another currency is one mistake, not two."""
    data = place(order(), "/items/0/unit_price/currency", "USD")

    assert [("/items/0/unit_price/currency", "mixed_currency")] == named(data, ("EUR", "USD"))


@pytest.mark.parametrize(
    "data",
    [
        order(items=[{"x": 1}] * 10_000),
        order(**{f"field_{number}": 1 for number in range(10_000)}),
        order(items=["\n"] * 10_000),
    ],
    ids=["items", "fields", "texts"],
)
def test_answer_to_ten_thousand_mistakes_is_bounded(data: Any) -> None:
    """So many are named as anybody corrects at once; the last entry says that there are more."""
    errors = errors_of(data)

    assert MAX_ERRORS + 1 == len(errors)
    assert ("", "more") == (errors[-1].pointer, errors[-1].code)


def test_hundred_mistakes_are_all_named() -> None:
    """The bound cuts nothing below it."""
    data = order(**{f"field_{number:03}": 1 for number in range(MAX_ERRORS)})

    assert [(f"/field_{number:03}", "unknown_field") for number in range(MAX_ERRORS)] == named(data)


def test_pointers_are_escaped_and_short() -> None:
    """RFC 6901: ``~`` and ``/`` in a name are written ``~0`` and ``~1``; a long name is cut."""
    data = order(**{"a/b~c": 1, "x" * 1000: 1})

    assert ["/a~1b~0c", "/" + "x" * 100] == [one.pointer for one in errors_of(data)]


def test_close_name_is_suggested() -> None:
    """A slip of the pen is told by the name that was meant."""
    (error,) = errors_of(place(order(), "/party/namse", []))

    assert "There is no such field; did you mean names?" == error.detail


# --- properties ------------------------------------------------------------------------------

# Where a value may be replaced by one that no rule lets pass: by its pointer.
_LEAVES: Final = (
    "/channel",
    "/kind",
    "/party/party_id",
    "/party/kind",
    "/party/names/0",
    "/party/names/1",
    "/party/email",
    "/party/addresses/0/country",
    "/party/addresses/1/country",
    "/party/addresses/0/city",
    "/items/0/product_id",
    "/items/0/quantity",
    "/items/1/quantity",
    "/items/0/unit_price/amount",
    "/items/1/unit_price/currency",
    "/payment/method_code",
    "/payment/token",
    "/reference",
    "/note",
)
_NO_RULE_LETS_PASS: Final = st.one_of(
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.just({"sent": _SENT}),
    st.just([_SENT]),
    st.just(f"{_SENT}\x00"),
    st.just(f"{_SENT}@{_SENT}\x1f " * 20),
)
_OBJECTS: Final = ("", "/party", "/party/addresses/1", "/items/0", "/total", "/payment")


@given(
    wrong=st.dictionaries(st.sampled_from(_LEAVES), _NO_RULE_LETS_PASS, max_size=8),
    unknown=st.sets(st.sampled_from(_OBJECTS), max_size=4),
)
def test_every_seeded_mistake_is_named(wrong: dict[str, Any], unknown: set[str]) -> None:
    """So many mistakes at random places give an entry for each place, and none for any other."""
    data = order()
    for pointer, value in wrong.items():
        place(data, pointer, value)
    for pointer in unknown:
        place(data, f"{pointer}/surplus", _SENT)
    found = {one.pointer for one in errors_of(data)}

    assert {*wrong, *(f"{pointer}/surplus" for pointer in unknown)} == found


@given(
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.just(_SENT) | st.just(f"{_SENT}\n"),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(sorted(_ORDER)), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_no_value_is_repeated(data: Any) -> None:
    """Whatever JSON comes: it is refused with at least one entry, and no text quotes it."""
    errors = errors_of(data)

    assert errors
    assert not [one for one in errors if _SENT in one.detail or _SENT in one.code]


@given(st.binary(max_size=200))
def test_no_bytes_break_it(body: bytes) -> None:
    """Anything at all is refused as wrong, never with another exception."""
    assert errors_of(body)


def test_hostile_megabytes_are_refused_quickly() -> None:
    """Lists that are too long are not walked to their end: the loop serves others too."""
    long = b'{"items":[' + b",".join([b"1"] * 500_000) + b"]}"
    shortened = validation._shortened(json.loads(long))

    assert 201 == len(shortened["items"])
    assert MAX_ERRORS + 1 == len(errors_of(long))


_NAMES = st.sampled_from(
    ["a", "b", "\\u0061", ":", '\\":', "\\u0022:", "\\u003a", "\\u003A", " ", "ü"]
)


@st.composite
def _texts(draw: st.DrawFn, depth: int = 3) -> str:
    """JSON with names that may stand twice, and with quotes and colons where they mislead."""
    kind = draw(st.integers(0, 3 if depth else 1))
    blank = draw(st.sampled_from(["", " ", "\n\t"]))
    if kind == 0:
        return f'{blank}"{draw(_NAMES)}"{blank}'
    if kind == 1:
        return draw(st.sampled_from(["1", "null", "true", "[]", "{}"]))
    inner = draw(st.lists(_texts(depth - 1), max_size=3))
    if kind == 2:
        return f"[{','.join(inner)}]"
    fields = (f'{blank}"{draw(_NAMES)}"{blank}:{one}' for one in inner)
    return f"{{{','.join(fields)}}}"


@given(_texts())
def test_no_name_that_stands_twice_is_overlooked(text: str) -> None:
    """The quick look may only err on the side of looking closer."""
    twice = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        twice |= len(items) != len(dict(items))
        return dict(items)

    json.loads(text, object_pairs_hook=pairs)
    found = validation._text_errors(text.encode(), json.loads(text))

    assert twice == any(one.code == "duplicate_key" for one in found)


def _taking(**methods: str) -> Choice:
    """Systems that take one method each."""
    systems = {
        name: System(capabilities=(Capability(method=method, verbs=("create_payment",)),))
        for name, method in methods.items()
    }
    rest = {"payments": "a", "payment_fallbacks": tuple(methods)}
    return Choice(systems=systems, routing=Routing(erp="e", crm="c", risk="r", **rest))


@pytest.mark.parametrize(
    ("provider", "pointer", "code", "detail"),
    [
        ("", "/payment/method_code", "method_unsupported", "Send one of ideal, sepa_debit."),
        ("b", "/payment/method_code", "method_unsupported", "Send one of sepa_debit."),
        ("c", "/payment/provider", "provider_unknown", "Send one of a, b, or leave it out."),
    ],
)
def test_method_that_nobody_takes_is_named(
    provider: str, pointer: str, code: str, detail: str
) -> None:
    """With those that somebody does, or the one that has the token; who it is, is decided later."""
    body = json.dumps(order(payment={**_ORDER["payment"], "provider": provider})).encode()
    choice = _taking(a="ideal", b="sepa_debit")

    with pytest.raises(Invalid) as refused:
        read_order(body, currencies=("EUR",), choice=choice)

    assert (FieldError(pointer, code, detail),) == refused.value.errors


def test_method_that_somebody_takes_is_taken() -> None:
    """By the named one, or by any."""
    choice = _taking(a="ideal", b="card")
    for provider in ("", "b"):
        body = json.dumps(order(payment={**_ORDER["payment"], "provider": provider})).encode()
        assert provider == read_order(body, currencies=("EUR",), choice=choice).payment.provider
