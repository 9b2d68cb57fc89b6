"""Forms with brackets."""

from typing import Any

import pytest

from gateway.kit.forms import encode


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, b""),
        ({"a": "x", "b": 1}, b"a=x&b=1"),
        ({"a": True, "b": False}, b"a=true&b=false"),
        ({"a": {"b": {"c": "x"}}}, b"a[b][c]=x"),
        ({"a": ["x", 2]}, b"a[]=x&a[]=2"),
        ({"a": {"b": ["x"]}}, b"a[b][]=x"),
        ({"a": []}, b""),
        ({"a": "x&b=1 ü"}, b"a=x%26b%3D1+%C3%BC"),
        ({"a&b": "x"}, b"a%26b=x"),
    ],
)
def test_fields(fields: dict[str, Any], expected: bytes) -> None:
    """Maps and lists become brackets, and a value stays one value."""
    assert expected == encode(fields)


@pytest.mark.parametrize("value", [None, 1.5, [{"b": 1}], [["x"]], [None]])
def test_what_a_form_does_not_hold(value: Any) -> None:
    """Null, floating point and lists of more than single values are mistakes of ours."""
    with pytest.raises(TypeError):
        encode({"a": value})
