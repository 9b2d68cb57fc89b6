"""Vector files of mappings: golden examples, seeded mistakes, mutants.

Whatever a file needs (its mapping, configuration, schemas) is looked for in its own tree first and
then in the contracts, so that files with other contents run as well.

    golden/NAME.jsonl         {"in": …, "out": …} a line; the mapping is mappings/NAME.yaml
    checker/ANY.json          "base" and "cases": find, replace, config, expect_code, expect_at
    checker/ANY.jsonl         {"patch": RFC 6902, "verdict": "accept" or "reject"} a line
"""

import copy
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from gateway.errors import HeadraceError
from gateway.kit import mapping
from gateway.kit.mapping.findings import Severity
from gateway.kit.mapping.schemas import Schemas
from tests.mappings.sources import stripe_openapi

ROOT: Final = Path(__file__).resolve().parents[2]
CONTRACTS: Final = (ROOT / os.environ.get("HEADRACE_CONTRACTS", "../shared/contracts")).resolve()
# The form of the mutants does not say of what they are; a line may, with "base".
MUTATED: Final = "mappings/sap_bp.yaml"
Verdicts = Iterator[tuple[str, str]]


class NoForm(Exception):  # noqa: N818 - a finding about a file
    """The file is not of a form described above, or what it needs is not there."""


def run(path: Path, content: Any) -> Verdicts:
    """Each case by name with its complaint, empty when it passed.

    Args:
        content: The file: an object, or the list of its lines.

    Raises:
        NoForm: The file is not about mappings.
    """
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(path, Path(folder))
        if isinstance(content, dict) and "base" in content:
            yield from bench.seeded(content)
        elif isinstance(content, list) and _all_have(content, "in", "out"):
            yield from bench.golden(content)
        elif isinstance(content, list) and _all_have(content, "patch", "verdict"):
            yield from bench.mutants(content)
        else:
            raise NoForm("is neither a webhook nor a mapping vector file")


def _all_have(rows: list[Any], *names: str) -> bool:
    return bool(rows) and all(isinstance(row, dict) and row.keys() >= {*names} for row in rows)


class Bench:
    """What the cases of one file stand on."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._path = path
        self._trees = [path.resolve().parent.parent, CONTRACTS / "mapping"]
        self._schemas = self._known_schemas(folder)

    def golden(self, rows: list[dict[str, Any]]) -> Verdicts:
        """Each ``in`` gives its ``out``."""
        name = self._mapping_named(self._path.stem)
        file = self._find(f"mappings/{name}.yaml")
        document = mapping.parse(file.read_text(encoding="utf-8"), file=file.name)
        result = mapping.check(document, self._schemas, config=self._config(name))
        if result.mapping is None:
            yield name, "; ".join(str(finding) for finding in errors(result))
            return
        for number, row in enumerate(rows, 1):
            body = json.dumps(row["in"]).encode()
            try:
                found = result.mapping.apply_json(body)
            except HeadraceError as error:
                yield f"line {number}", f"{error.message} ({error.code})"
                continue
            yield f"line {number}", difference(row["out"], found)

    def seeded(self, content: dict[str, Any]) -> Verdicts:
        """Each mistake is found, by code and place, and nothing else is called an error."""
        file = self._find(str(content["base"]))
        text, config = file.read_text(encoding="utf-8"), self._config(file.stem)
        for number, case in enumerate(content.get("cases") or [], 1):
            name = f"{number} {case.get('name', '')}".strip() if isinstance(case, dict) else "case"
            try:
                yield name, self._judge_mistake(case, text, config)
            except (AttributeError, KeyError, TypeError) as error:
                yield name, f"form not known: {error!r}"

    def _judge_mistake(self, case: dict[str, Any], text: str, config: dict[str, Any]) -> str:
        if case["find"] is not None:
            if case["find"] not in text:
                return f"form not known: {case['find']!r} is not in the mapping"
            text = text.replace(case["find"], case["replace"], 1)
        merged = {**config, **(case["config"] or {})}
        merged = {name: value for name, value in merged.items() if value is not None}
        document = mapping.parse(text, file="seeded.yaml")
        result = mapping.check(document, self._schemas, config=merged)
        code, at = case["expect_code"], case["expect_at"]
        if not any(f.code == code and at in f"{f.place} {f.message}" for f in result.findings):
            shown = "; ".join(map(str, result.findings)) or "nothing"
            return f"expected {code} at {at!r}, found {shown}"
        more = [str(f) for f in errors(result) if f.code != code and at not in f.place]
        return f"also found {'; '.join(more)}" if more else ""

    def mutants(self, rows: list[dict[str, Any]]) -> Verdicts:
        """Each mutant is let through or refused, as its oracle said."""
        bases: dict[str, tuple[Any, dict[str, Any]]] = {}
        seen: Counter[tuple[str, str]] = Counter()
        for number, row in enumerate(rows, 1):
            name = f"line {number} {row.get('mutation', '')}".strip()
            base = str(row.get("base", MUTATED))
            if base not in bases:
                file = self._find(base)
                tree = yaml.safe_load(file.read_text(encoding="utf-8"))
                bases[base] = tree, self._config(file.stem)
            tree, config = bases[base]
            try:
                text = as_yaml(patched(tree, row["patch"]))
            except (KeyError, IndexError, TypeError, ValueError) as error:
                yield name, f"form not known: the patch does not fit, {error!r}"
                continue
            document = mapping.parse(text, file="mutant.yaml")
            found = errors(mapping.check(document, self._schemas, config=config))
            verdict = "reject" if found else "accept"
            shown = f" ({'; '.join(map(str, found[:3]))})" if found else ""
            wanted = str(row["verdict"])
            seen[wanted, verdict] += 1
            yield name, "" if verdict == wanted else f"expected {wanted}, got {verdict}{shown}"

        print(f"{self._path.name}: {quality(seen)}")

    def _find(self, name: str) -> Path:
        for tree in self._trees:
            if (found := tree / name).is_file():
                return found
        raise NoForm(f"needs {name}, which is neither in its tree nor in the contracts")

    def _mapping_named(self, stem: str) -> str:
        """The mapping of a golden file: its own name or the longest that begins it."""
        known = {file.stem for tree in self._trees for file in (tree / "mappings").glob("*.yaml")}
        fitting = [name for name in known if stem.startswith(name)]
        if not fitting:
            raise NoForm(f"no mapping of the name {stem}")
        return max(fitting, key=len)

    def _config(self, name: str) -> dict[str, Any]:
        try:
            text = self._find("mappings/tenant-config.json").read_text(encoding="utf-8")
        except NoForm:
            return {}
        return dict(json.loads(text).get(name, {}))

    def _known_schemas(self, folder: Path) -> Schemas:
        stripe = folder / "stripe.json"
        stripe.write_text(json.dumps(stripe_openapi()), encoding="utf-8")
        files = {"openapi:stripe": stripe}
        for tree in reversed(self._trees):
            for file in sorted((tree / "model").glob("*.schema.json")):
                root = json.loads(file.read_text(encoding="utf-8"))
                name = root.get("$ref", root.get("title", "")).rpartition("/")[2]
                files |= {f"canonical.{name}": file, f"schema:{name}": file}
        for edmx in sorted((CONTRACTS / "sap/odata-v2").glob("*.edmx")):
            files[f"edmx:{edmx.stem}"] = edmx
        try:
            notes = self._find("mappings/schema-notes.json")
        except NoForm:
            notes = None
        return Schemas(files, notes=notes)


def quality(seen: Mapping[tuple[str, str], int]) -> str:
    """Recall and precision of refusals, from counts of (wanted, given) verdicts."""
    right = seen.get(("reject", "reject"), 0)
    wanted = right + seen.get(("reject", "accept"), 0)
    given = right + seen.get(("accept", "reject"), 0)
    recall, precision = right / wanted if wanted else 1.0, right / given if given else 1.0
    return f"recall {recall:.3f}, precision {precision:.3f}"


def errors(result: Any) -> list[Any]:
    """The findings that stop a load."""
    return [finding for finding in result.findings if finding.severity is Severity.ERROR]


def difference(expected: Any, found: Any, path: str = "") -> str:
    """The first place where two trees differ; empty if they do not."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name in [*expected, *(key for key in found if key not in expected)]:
            if name not in found:
                return f"{path}/{name} is missing"
            if name not in expected:
                return f"{path}/{name} is too much"
            if shown := difference(expected[name], found[name], f"{path}/{name}"):
                return shown
        return ""
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        shown = (difference(one, two, f"{path}[{number}]") for number, (one, two) in pairs)
        return next(filter(None, shown), "")
    same = type(expected) is type(found) and expected == found
    return "" if same else f"{path}: expected {expected!r}, got {found!r}"


def patched(tree: Any, patch: list[dict[str, Any]]) -> Any:
    """A copy with ``add``, ``remove`` and ``replace`` of RFC 6902 done to it."""
    tree = copy.deepcopy(tree)
    for step in patch:
        *parents, last = [
            part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]
        ]
        place = tree
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        _change(place, last, step)
    return tree


def _change(place: Any, last: str, step: dict[str, Any]) -> None:
    key: Any = last
    if isinstance(place, list):
        key = len(place) if last == "-" else int(last)
    if step["op"] == "add" and isinstance(place, list):
        place.insert(key, step["value"])
    elif step["op"] == "remove":
        del place[key]
    elif step["op"] in {"add", "replace"}:
        if step["op"] == "replace":
            _ = place[key]  # what is replaced has to be there
        place[key] = step["value"]
    else:
        raise ValueError(step["op"])


def as_yaml(tree: Any) -> str:
    """The tree as a mapping file; a name a line, as people write it."""
    return json.dumps(tree, indent=1)
