"""Run vector files: of webhooks through the receivers' adapters, of mappings through the engine.

    python tests/run_vectors.py FILE...

A webhook file names its ``provider`` and holds ``cases``: ``headers`` (or ``header_list``),
``body``, ``secrets``, ``expect`` (``valid`` or ``invalid``) and, where time matters, ``now`` and
``tolerance_s``. Each case gets a system of its own with its own secrets. The files of mappings are
golden examples, seeded mistakes and mutants: ``tests/mappings/vectors.py`` says what they look
like. The last line says how many passed and failed; one failure makes the exit code 1.
"""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from gateway.errors import HeadraceError, Rejected  # noqa: E402 - found only from here on
from gateway.kit.adapter import Adapter  # noqa: E402 - the same

VERDICTS = {"valid", "invalid"}


class NotOfThisForm(Exception):  # noqa: N818 - a finding about a file, not an error of the hub
    """The file or the case is not of the form described above."""


def main(paths: list[str]) -> int:
    """Run all files, print one line a failure, and the totals as the last line."""
    if not paths:
        print("usage: python tests/run_vectors.py FILE...", file=sys.stderr)
        return 2
    passed = failed = 0
    for path in paths:
        for name, complaint in run_file(Path(path)):
            if complaint:
                print(f"{path}: {name}: {complaint}")
            passed, failed = passed + (not complaint), failed + bool(complaint)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def run_file(path: Path) -> Iterator[tuple[str, str]]:
    """Each case by name with its complaint; empty when it passed."""
    try:
        text = path.read_text(encoding="utf-8")
        content = _lines(text) if path.suffix == ".jsonl" else json.loads(text)
    except (OSError, ValueError) as error:
        yield "file", f"cannot be read: {error}"
        return
    if isinstance(content, list) or (isinstance(content, dict) and "base" in content):
        yield from run_mappings(path, content)
    else:
        yield from run_webhooks(content)


def _lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def run_mappings(path: Path, content: Any) -> Iterator[tuple[str, str]]:
    """The cases of a file about mappings."""
    from tests.mappings import vectors

    try:
        yield from vectors.run(path, content)
    except vectors.NoForm as reason:
        yield "file", str(reason)


def run_webhooks(content: Any) -> Iterator[tuple[str, str]]:
    """The cases of a webhook file."""
    cases = content.get("cases") if isinstance(content, dict) else None
    if not isinstance(cases, list) or not cases:
        yield "file", "has no list of cases, so it is not a webhook vector file"
        return
    try:
        adapter = adapter_of(content.get("provider"))
        broken = ""
    except NotOfThisForm as reason:
        adapter, broken = None, str(reason)
    for number, case in enumerate(cases):
        name = str(case.get("id", number)) if isinstance(case, dict) else str(number)
        yield name, broken if adapter is None else judge(adapter, case, content)


def adapter_of(provider: object) -> Adapter:
    """The adapter with a webhooks port that the file is about.

    Raises:
        NotOfThisForm: We have none.
    """
    if not isinstance(provider, str) or not provider.isidentifier():
        raise NotOfThisForm(f"no adapter for provider {provider!r}")
    try:
        adapter = importlib.import_module(f"adapters.{provider.lower()}").ADAPTER
    except (ModuleNotFoundError, AttributeError) as error:
        raise NotOfThisForm(f"no adapter for provider {provider!r}") from error
    if not isinstance(adapter, Adapter) or "webhooks" not in adapter.ports:
        raise NotOfThisForm(f"the adapter for {provider!r} has no webhooks")
    return adapter


def judge(adapter: Adapter, case: Any, content: dict[str, Any]) -> str:
    """The complaint about one case; empty when the receiver's verdict is the expected one."""
    try:
        expected, headers, body = expectation(case), headers_of(case), body_of(case)
        tolerance = case.get("tolerance_s", content.get("tolerance_s"))
        settings = settings_for(adapter.settings, secrets_of(case), tolerance)
        now = float(case.get("now", content.get("now", 0)))
    except (NotOfThisForm, TypeError, ValueError) as error:
        return f"form not known: {error}"
    verdict, reason = verdict_of(adapter.ports["webhooks"](settings), headers, body, now)
    return "" if verdict == expected else f"expected {expected}, got {verdict} ({reason})"


def verdict_of(port: Any, headers: dict[str, str], body: bytes, now: float) -> tuple[str, str]:
    """What the receiver makes of a delivery: genuine, and a body that can be taken apart.

    A genuine body with contents that we do not know is still genuine.
    """
    try:
        port.verify(headers, body, now=now)
        port.read(body)
    except Rejected as error:
        genuine = error.code in {"event_unexpected", "status_unknown", "unreadable"}
        return ("valid" if genuine else "invalid"), error.code
    except HeadraceError as error:
        return "invalid", error.code
    return "valid", "accepted"


def settings_for(kind: type[Any], secrets: tuple[str, ...], tolerance_s: object) -> Any:
    """Settings of a system with these signing secrets; what else is required is filled in."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    values: dict[str, Any] = {name: "unused" for name, f in fields.items() if f.required}
    values["webhook_secrets"] = secrets
    if tolerance_s is not None:
        values["tolerance_s"] = tolerance_s
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise NotOfThisForm(f"the adapter has no setting {', '.join(unknown)}")
    return msgspec.convert(values, kind)


def expectation(case: Any) -> str:
    """``valid`` or ``invalid``."""
    expected = case.get("expect") if isinstance(case, dict) else None
    if expected not in VERDICTS:
        raise NotOfThisForm(f"expect is {expected!r}")
    return str(expected)


def headers_of(case: dict[str, Any]) -> dict[str, str]:
    """Headers with names in lower case; repeated ones joined by a comma, as servers do."""
    pairs = case.get("header_list")
    if pairs is None:
        named = case.get("headers", {})
        if not isinstance(named, dict):
            raise NotOfThisForm("headers is not an object")
        pairs = named.items()
    headers: dict[str, str] = {}
    for name, value in pairs:
        if not isinstance(name, str) or not isinstance(value, str):
            raise NotOfThisForm("a header is not a text")
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known},{value}"
    return headers


def body_of(case: dict[str, Any]) -> bytes:
    """The bytes as they are."""
    body = case.get("body")
    if not isinstance(body, str):
        raise NotOfThisForm("there is no body")
    return body.encode("utf-8")


def secrets_of(case: dict[str, Any]) -> tuple[str, ...]:
    """All secrets of the endpoint."""
    secrets = case.get("secrets", [])
    if not isinstance(secrets, list) or not all(isinstance(s, str) for s in secrets):
        raise NotOfThisForm("secrets is not a list of texts")
    return tuple(secrets)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
