"""What cases reach is seen, and what they do not is named."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.kit.mapping.cases import Case, Difference, Ends, Expected, complaints, differences
from gateway.kit.mapping.coverage import Watch
from tests.mappings import small

CODES = "codes: {k: {new: N, used: U}, two: {'DE.vat': A, '*.vat': B, '*.national': C}}\n"
ONCE: dict[str, Any] = {}
LONG = {"number": "12345678901"}


def unreached(folder: Path, rules: str, *sources: dict[str, Any]) -> list[str]:
    """Names of what the sources do not reach; the rules stand under ``fields``."""
    result = small.check(CODES + rules, small.schemas(folder))
    assert result.mapping is not None, [str(finding) for finding in result.findings]
    watch = Watch(result.mapping)
    for source in sources:
        watch.see(partial(watch.mapping.apply_json, json.dumps({**small.VALUE, **source})))
    return sorted({point.name for point in watch.wanted - watch.reached})


@pytest.mark.parametrize(
    ("rules", "missing", "completed"),
    [
        ("  Text: note", ["branch /Text note there"], {"note": "n"}),
        (
            "  Text: owner.alias",
            ["branch /Text alias there"],
            {"owner": {"name": "n", "alias": "a"}},
        ),
        ('  Text: \'"a" if has(note) else "b"\'', ["branch /Text note there"], {"note": "n"}),
        (
            '  Text: {value: kind, when: country == "FR"}',
            ["branch /Text holds"],
            {"country": "FR"},
        ),
        ("  Kind: kind | code(k)", ["code k used"], {"kind": "used"}),
        ('  Text: country | code(k, "x")', ["code k new", "code k used"], None),
        (
            "  Items: {each: lines as l, fields: {Text: l.weight | amount}}",
            ["branch /Items[]/Text weight there"],
            None,
        ),
        ("  Flag: any(l.quantity > 9 for l in lines)", ["branch /Flag holds"], None),
        ("  Text: note | default(kind)", ["branch /Text note there"], {"note": "n"}),
        ("  Text: note | nonempty", ["branch /Text note there"], None),
    ],
)
def test_what_is_missing_is_named(
    rules: str, missing: list[str], completed: dict[str, Any] | None, tmp_path: Path
) -> None:
    """With one message something is not reached; with the other way as well all is."""
    head = "fields:\n  Number: number\n"
    found = unreached(tmp_path, head + rules, ONCE)

    assert [name for name in missing if not any(one.startswith(name) for one in found)] == []
    if completed is not None:
        assert unreached(tmp_path, head + rules, ONCE, completed) == []


@pytest.mark.parametrize(("note", "other"), [("x", "null"), (None, "there")])
def test_one_way_is_told_from_the_other(note: str | None, other: str, tmp_path: Path) -> None:
    """A value that is there and one that is not are one rule, and two ways through it."""
    rules = "fields:\n  Number: number\n  Text: note"

    assert [f"branch /Text note {other}"] == unreached(tmp_path, rules, {"note": note})


def test_a_rule_that_never_ran(tmp_path: Path) -> None:
    """Fields of a block whose condition never holds are not reached."""
    rules = "fields:\n  Number: number\n  Owner: {when: has(note), fields: {Name: kind}}\n"
    found = unreached(tmp_path, rules, ONCE)

    assert "field /Owner/Name" in found
    assert [] == unreached(tmp_path, rules, ONCE, {"note": "x"})


def test_entries_of_a_list_with_a_default(tmp_path: Path) -> None:
    """A key that the list has reaches its entry, any other the default."""
    rules = 'fields:\n  Number: number\n  Text: note | code(k, "x")\n'
    other = unreached(tmp_path, rules, {"note": "odd"})
    new = unreached(tmp_path, rules, {"note": "new"})

    assert ["code k new", "code k used"] == [name for name in other if name.startswith("code")]
    assert ["code k default", "code k used"] == [name for name in new if name.startswith("code")]


def test_two_keys(tmp_path: Path) -> None:
    """The entry for a pair, and that for any first key, are entries each."""
    rules = (
        "fields:\n  Number: number\n  Text: f\"{country}.{code | default('vat')}\" | code(two)\n"
    )
    found = unreached(tmp_path, rules, {"country": "FR"})

    assert {"code two DE.vat", "code two *.national"} <= set(found)
    assert "code two *.vat" not in found


def test_checks_of_the_compiler_are_not_wanted(tmp_path: Path) -> None:
    """A field that might be too long needs no case for that."""
    rules = (
        "fields:\n  Number: {value: number | upper, allow: [E06]}\n"
        "  Amount: total.amount\n  Currency: total.currency\n"
    )

    assert [] == unreached(tmp_path, rules, ONCE)


def test_reaching_nothing(tmp_path: Path) -> None:
    """Without a message nothing was reached; entries of code lists are known before."""
    assert ["code k new", "code k used"] == unreached(
        tmp_path, "fields:\n  Number: number\n  Kind: kind | code(k)\n"
    )


# Cases ----------------------------------------------------------------------------------------


def complaints_of(folder: Path, **case: Any) -> list[tuple[str, Any, Any]]:
    """What is wrong with a case of a mapping that writes ``Number``."""
    result = small.check("fields: {Number: number}", small.schemas(folder))
    assert result.mapping is not None
    source = {**small.VALUE, **case.pop("source", {})}
    found = complaints(Case(name="a", source=source, **case), result.mapping, Ends())
    return [(one.path, one.expected, one.got) for one in found]


def test_a_good_case(tmp_path: Path) -> None:
    """No complaint."""
    assert [] == complaints_of(tmp_path, out={"Number": "12"})


def test_a_failure_that_nobody_wanted(tmp_path: Path) -> None:
    """It stands where the failure is."""
    [(path, expected, _)] = complaints_of(tmp_path, source=LONG, out={"Number": "12"})

    assert ("$.number", {"Number": "12"}) == (path, expected)


def test_a_wanted_failure(tmp_path: Path) -> None:
    """Path and code have to be those of the failure."""
    good = Expected(path="$.number", code="mapping_failed")

    assert [] == complaints_of(tmp_path, source=LONG, fails=good)
    assert ["/Number"] == [
        path for path, *_ in complaints_of(tmp_path, source=LONG, fails=Expected(path="/Number"))
    ]
    assert [("$.number", "other", "mapping_failed")] == complaints_of(
        tmp_path, source=LONG, fails=Expected(path="$.number", code="other")
    )
    assert [("$.number", "a failure", {"Number": "12"})] == complaints_of(tmp_path, fails=good)


@pytest.mark.parametrize(
    ("expected", "got", "paths"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": "1"}, ["/a"]),
        ({"a": 1}, {"a": True}, ["/a"]),
        ({"a": None}, {}, ["/a"]),
        ({}, {"a": None}, ["/a"]),
        ({"a": [1, 2]}, {"a": [1]}, ["/a/1"]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2, "c": 3}]}, ["/a/0/b", "/a/0/c"]),
        ({"a": {}}, {"a": []}, ["/a"]),
        ("x", "y", [""]),
    ],
)
def test_differences(expected: Any, got: Any, paths: list[str]) -> None:
    """Each value on its own; a number is no text, and absent is not null."""
    found: list[Difference] = list(differences(expected, got))

    assert paths == [one.path for one in found]
