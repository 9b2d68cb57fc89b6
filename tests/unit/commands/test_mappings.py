"""``headrace mappings`` on a small folder of its own."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.__main__ import cli
from tests.mappings import small
from tests.unit.commands.tenants import write_tenant

BASE = (
    "mapping: small.order\nversion: 1.2.0\nfrom: schema:Source\nto: schema:Target\n"
    "config: {short: str(3)}\n"
    "codes: {k: {new: N, used: U}}\n"
    "fields:\n"
    "  Number: number\n"
    "  Kind: kind | code(k)\n"
    "  Short: cfg.short\n"
    "  Twenty: note\n"
    "  Country: {value: country, when: express | default(False)}\n"
    "  Items: {each: lines as l, fields: {Sku: l.sku, No: position}}\n"
    "unused: [code, placed, on, total, fee, ratio, owner, lines.quantity, lines.price, lines.tags,"
    " lines.weight, others, tags]\n"
)
OUT = {
    "Number": "12",
    "Kind": "N",
    "Short": "DE1",
    "Items": [{"Sku": "a", "No": 1}, {"Sku": "b", "No": 2}, {"Sku": "a", "No": 3}],
}
FULL = {**OUT, "Kind": "U", "Twenty": "quick", "Country": "DE"}
FAST = {**small.VALUE, "kind": "used", "note": "quick", "express": True}
CASES: list[dict[str, Any]] = [
    {"name": "plain", "in": {**small.VALUE, "express": False}, "out": OUT},
    {"name": "not said", "in": {**small.VALUE, "express": None}, "out": OUT},
    {"name": "all of it", "in": FAST, "out": FULL},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One mapping with its schemas and with cases that reach all of it."""
    schemas = tmp_path / "schemas"
    schemas.mkdir()
    for name, schema in {"Source": small.SOURCE, "Target": small.TARGET}.items():
        text = json.dumps({"title": name, **schema})
        (schemas / f"{name}.schema.json").write_text(text, encoding="utf-8")
    (tmp_path / "order.yaml").write_text(BASE, encoding="utf-8")
    write_cases(tmp_path, CASES)
    return tmp_path


def write_cases(folder: Path, cases: list[dict[str, Any]], **more: Any) -> None:
    """JSON is YAML."""
    text = json.dumps({"config": {"short": "DE1"}, "cases": cases, **more})
    (folder / "order.cases.yaml").write_text(text, encoding="utf-8")


def run(folder: Path, command: str, *arguments: str, given: Any = None) -> Result:
    """The command with the folder."""
    body = None if given is None else json.dumps(given)
    line = ["mappings", command, "--folder", str(folder), *arguments]
    return CliRunner().invoke(cli, line, input=body)


def said(folder: Path, command: str, *arguments: str, given: Any = None) -> Any:
    """What it prints for machines."""
    return json.loads(run(folder, command, *arguments, "--json", given=given).output)


def change(folder: Path, old: str, new: str) -> None:
    """Edit the mapping."""
    text = (folder / "order.yaml").read_text(encoding="utf-8")
    assert old in text
    (folder / "order.yaml").write_text(text.replace(old, new), encoding="utf-8")


def overlay(folder: Path, text: str) -> str:
    """A tenant's overlay beside the folder; its path."""
    path = folder / "tenant" / "over.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_what_there_is(folder: Path) -> None:
    """Alone the command lists mappings, not cases and schemas."""
    found = CliRunner().invoke(cli, ["mappings", "--folder", str(folder), "--json"])

    assert [("small.order", "1.2.0")] == [
        (one["mapping"], one["version"]) for one in json.loads(found.output)
    ]


def test_check_of_a_clean_mapping(folder: Path) -> None:
    """Exit code 0, and how many were checked."""
    result = run(folder, "check")

    assert 0 == result.exit_code
    assert "1 mappings, 0 errors, 0 warnings." in result.output


def test_check_names_file_line_place_and_advice(folder: Path) -> None:
    """Exit code 1; a person reads what to do, a machine each part of it."""
    change(folder, "  Twenty: note\n", "  Twnty: note\n")
    result = run(folder, "check")
    [record] = said(folder, "check")

    assert 1 == result.exit_code
    assert f"{folder}/order.yaml:11: E01 /Twnty: " in result.output
    assert "did you mean Twenty?" in result.output
    assert ("E01", "/Twnty", 11) == (record["code"], record["place"], record["line"])
    assert record["advice"] in result.output


def test_check_of_values(folder: Path, tmp_path: Path) -> None:
    """With a tenant's values they are held to what the mapping declares."""
    values = tmp_path / "values.txt"
    values.write_text("short: LONG\nanother: 1\n", encoding="utf-8")
    found = said(folder, "check", "--values", str(values))

    assert [("E25", "config/short")] == [(one["code"], one["place"]) for one in found]


def test_warnings_alone_are_fine(folder: Path) -> None:
    """W is said, and does not stop anything."""
    change(folder, "unused: [code, ", "unused: [")
    result = run(folder, "check")

    assert 0 == result.exit_code
    assert "W22" in result.output


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("extends: small.order@1\nfields: {Txt: number}\n", "E01"),
        ("extends: small.order@2\nfields: {Text: number}\n", "E18"),
        ("extends: small.odrer@1\nfields: {Text: number}\n", "E18"),
    ],
)
def test_check_of_an_overlay(folder: Path, text: str, code: str) -> None:
    """An overlay is merged and checked; one that extends nothing is refused."""
    path = overlay(folder, text)
    found = said(folder, "check", "--overlay", path)

    assert [(code, path)] == [(one["code"], one["file"]) for one in found]


def test_a_file_stands_in_for_the_model(folder: Path) -> None:
    """A schema named on the command line is what its reference means, ours or not."""
    change(folder, "from: schema:Source", "from: canonical.Party")
    option = f"canonical.Party={folder}/schemas/Source.schema.json"

    assert 0 == run(folder, "check", "--schema", option).exit_code
    assert 0 == run(folder, "test", "--schema", option).exit_code
    assert 1 == run(folder, "check").exit_code


def test_an_unknown_mapping_is_wrong_usage(folder: Path) -> None:
    """Exit code 2, with the nearest name."""
    result = run(folder, "check", "small.odrer")

    assert 2 == result.exit_code
    assert "did you mean small.order?" in result.output


def test_good_cases(folder: Path) -> None:
    """They pass and reach each field, both ways of each branch, each code."""
    [found] = said(folder, "test")

    assert 0 == run(folder, "test").exit_code
    assert [] == found["unreached"]
    assert found["reached"] == found["wanted"] > 10


def test_a_failing_case_says_what_differs(folder: Path) -> None:
    """Field by field, with the line of the case."""
    items = [{"Sku": "a", "No": 1}, {"Sku": "c", "No": 2}]
    write_cases(folder, [*CASES, {**CASES[0], "name": "wrong", "out": {**OUT, "Items": items}}])
    result = run(folder, "test")
    [found] = said(folder, "test")
    [failed] = found["failed"]

    assert 1 == result.exit_code
    assert "wrong" == failed["case"]
    assert [
        {"path": "/Items/1/Sku", "expected": "c", "got": "b"},
        {"path": "/Items/2", "expected": None, "got": {"Sku": "a", "No": 3}},
    ] == failed["differences"]
    assert "/Items/1/Sku" in result.output


def test_what_no_case_reaches(folder: Path) -> None:
    """A code, the way of a branch and a value that was never there are named; exit code 1."""
    write_cases(folder, CASES[:1])
    result = run(folder, "test", "--coverage")
    [found] = said(folder, "test")
    names = {point["name"] for point in found["unreached"]}

    assert 1 == result.exit_code
    assert {"code k used", "branch /Country holds", "branch /Twenty note there"} <= names
    assert f"{folder}/order.yaml:11: branch /Twenty note there" in result.output.replace(
        "\n    ", "\n"
    )
    assert not [name for name in names if name.startswith(("code k new", "field /Number"))]


def test_waived(folder: Path) -> None:
    """What is waived need not be reached; a waiver without need is named."""
    [before] = said_without(folder)
    waived = {point["name"]: "no customer uses it" for point in before["unreached"]}
    write_cases(folder, CASES[:1], waived=waived)
    good = run(folder, "test")
    write_cases(folder, CASES, waived={"code k used": "is reached"})
    stale = run(folder, "test")

    assert waived
    assert 0 == good.exit_code, good.output
    assert 1 == stale.exit_code
    assert "waived without need, remove it: code k used" in stale.output


def said_without(folder: Path) -> Any:
    """The test with the first case alone."""
    write_cases(folder, CASES[:1])
    return said(folder, "test")


def test_no_cases(folder: Path) -> None:
    """A mapping without cases is not tested."""
    (folder / "order.cases.yaml").unlink()

    assert 1 == run(folder, "test").exit_code


def test_a_case_may_want_a_failure(folder: Path) -> None:
    """At its field; elsewhere, and no failure at all, fails the case."""
    strange = {**small.VALUE, "number": "12345678901"}
    cases = [
        {"name": path, "in": given, "fails": {"path": path}}
        for path, given in (("$.number", strange), ("/Kind", strange), ("/Number", small.VALUE))
    ]
    write_cases(folder, [*CASES, *cases])
    [found] = said(folder, "test")

    assert ["/Kind", "/Number"] == sorted(failed["case"] for failed in found["failed"])


def test_cases_of_an_overlay_lie_beside_it(folder: Path) -> None:
    """One with the name of a base case stands in its place."""
    path = overlay(folder, "extends: small.order@1\ncodes: {k: {used: N}}\n")
    alone = run(folder, "test", "--overlay", path)
    case = {**CASES[-1], "out": {**FULL, "Kind": "N"}}
    Path(path).with_name("over.cases.yaml").write_text(json.dumps([case]), encoding="utf-8")
    result = run(folder, "test", "--overlay", path)

    assert 1 == alone.exit_code
    assert 0 == result.exit_code, result.output


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- name: a\n  in: {}\n  out: {}\n- name: b\n  inn: {}\n", 4),
        ("cases:\n- name: a\n  in: {}\n", 2),
        ("- name: a\n  in: [\n", 3),
        ("text", 1),
    ],
)
def test_unreadable_cases(folder: Path, text: str, line: int) -> None:
    """The message has file and line."""
    (folder / "order.cases.yaml").write_text(text, encoding="utf-8")
    result = run(folder, "test")

    assert f"{folder}/order.cases.yaml:{line}: " in str(result.exception)


def test_diff_shows_fields_and_outputs(folder: Path) -> None:
    """What an overlay changes in the file, with its line, and in what comes out."""
    path = overlay(folder, "extends: small.order@1\nfields:\n  Twenty: null\n  Text: number\n")
    found = said(folder, "diff", "small.order", path)
    twenty, text = found["changes"]

    assert ("fields/Twenty", "note", None) == (twenty["path"], twenty["old"], twenty["new"])
    assert ("fields/Text", f"{path}:4") == (text["path"], text["origin"])
    assert {
        "plain": ["/Text"],
        "not said": ["/Text"],
        "all of it": ["/Twenty", "/Text"],
    } == {one["case"]: [each["path"] for each in one["differences"]] for one in found["outputs"]}


def test_diff_of_two_files(folder: Path) -> None:
    """A code that no field names is shown where it comes out."""
    (folder / "newer.txt").write_text(BASE.replace("used: U", "used: N"), encoding="utf-8")
    result = run(folder, "diff", str(folder / "order.yaml"), str(folder / "newer.txt"))

    assert 0 == result.exit_code, result.output
    assert "codes/k/used" in result.output
    assert "case all of it" in result.output
    assert "1 places, 1 cases changed." in result.output


def test_docs(folder: Path) -> None:
    """A row for each field, with type and origin; bars are escaped."""
    rows = run(folder, "docs", "small.order").output.splitlines()

    assert "## small.order 1.2.0" == rows[0]
    assert f"| `/Kind` |  | one of N, U | `kind \\| code(k)` | {folder}/order.yaml:9 |" in rows
    assert f"| `/Items[]/Sku` |  | text(10) | `l.sku` | {folder}/order.yaml:13 |" in rows


def test_back(folder: Path) -> None:
    """What can be turned round, as a mapping that checks; what is only ours is left out."""
    result = run(folder, "back", "small.order")
    proposal = json.loads(result.output)

    assert 0 == result.exit_code
    assert ("schema:Target", "schema:Source") == (proposal["from"], proposal["to"])
    assert "Number" == proposal["fields"]["number"]
    assert "Short" not in result.output


@pytest.mark.parametrize("body", ["[" * 100_000, '{"number": NaN}', "\ud800"])
def test_try_with_what_is_no_json(body: str, folder: Path) -> None:
    """Exit code 2, no traceback."""
    given = body.encode("utf-8", "surrogatepass")
    line = ["mappings", "try", "order", "--folder", str(folder)]
    result = CliRunner().invoke(cli, line, input=given)

    assert 2 == result.exit_code
    assert "not JSON" in result.output


def test_values_are_yaml_1_2(folder: Path) -> None:
    """``010`` and ``NO`` are texts, as in the mapping itself."""
    (folder / "values.yaml").write_text("short: NO\n")
    path = str(folder / "values.yaml")

    assert "NO" == said(folder, "try", "order", "--values", path, given=FAST)["Short"]
    (folder / "values.yaml").write_text("short: 010\n")
    assert "010" == said(folder, "try", "order", "--values", path, given=FAST)["Short"]


def test_try(folder: Path) -> None:
    """What comes out of standard input."""
    assert FULL == json.loads(run(folder, "try", "order", given=FAST).output)


def test_try_says_what_failed(folder: Path) -> None:
    """List, key, field and line; exit code 1."""
    change(folder, "kind | code(k)", "{value: country | code(k), allow: [E30]}")
    change(folder, "unused: [code,", "unused: [code, kind,")
    result = run(folder, "try", "order", "--json", given=small.VALUE)
    record = json.loads(result.output)

    assert 1 == result.exit_code
    assert ("/Kind", 9, "DE") == (record["path"], record["line"], record["detail"])
    assert "the code list k has no entry" in record["message"]


def test_try_without_json(folder: Path) -> None:
    """Exit code 2."""
    result = CliRunner().invoke(cli, ["mappings", "try", "order", "--folder", str(folder)], "{")

    assert 2 == result.exit_code


def of_tenant(config: Path, command: str, *arguments: str) -> Result:
    """The command with the delivered mappings and a tenant's configuration."""
    line = ["mappings", command, *arguments, "--tenant", "acme", "--config", str(config)]
    return CliRunner().invoke(cli, line, input="{}")


def test_a_tenants_overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is checked, and stands in the documentation with its file."""
    text = "extends: salesforce.account@1\nfields:\n  BillingCity: {const: Anywhere}\n"
    config = write_tenant(tmp_path, monkeypatch, crm=text)
    rows = of_tenant(config, "docs", "salesforce.account").output.splitlines()
    changed = [row for row in rows if row.startswith("| `/BillingCity`")]

    assert 0 == of_tenant(config, "check").exit_code
    assert [f"{tmp_path}/tenants/crm.overlay.yaml:3 |"] == [
        row.split()[-2] + " |" for row in changed
    ]


def test_warnings_about_a_tenants_overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They do not stop the start, so that the check has to say them."""
    text = "extends: salesforce.account@1\nlet:\n  spare: home.city\n"
    result = of_tenant(write_tenant(tmp_path, monkeypatch, crm=text), "check")

    assert 0 == result.exit_code
    assert f"{tmp_path}/tenants/crm.overlay.yaml:3: W11 let/spare" in result.output


def test_a_tenants_broken_overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every finding is said, each with its line; the exit code is 1."""
    text = "extends: salesforce.account@1\nfields:\n  BilingCity: {const: A}\n  Nme: {const: A}\n"
    result = of_tenant(write_tenant(tmp_path, monkeypatch, crm=text), "check")
    file = f"{tmp_path}/tenants/crm.overlay.yaml"

    assert 1 == result.exit_code
    assert [f"{file}:3:", f"{file}:4:"] == sorted(
        line.split()[0] for line in result.output.splitlines() if line.startswith(file)
    )


def test_an_unknown_system_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2."""
    config = write_tenant(tmp_path, monkeypatch)

    assert 2 == of_tenant(config, "check", "--system", "moon").exit_code
