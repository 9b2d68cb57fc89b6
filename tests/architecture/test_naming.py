"""Names, reasons and places that no linter knows (style §4, §8, §11 and §12)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from tests.architecture.source import Source, python_files, text_files

OURS = ("gateway", "adapters")
EVERYTHING = ("gateway", "adapters", "tests", "benchmarks", "docs")

VERBS_AT_MOST = 7
# Flows are verb and object; a new story may bring a new verb.
FLOW_VERBS = frozenset(
    """
    attempt authorize cancel capture change collect confirm create deliver distribute dun export
    import invoice notify park place post receive reconcile refund remind renew resolve return send
    ship start sync take terminate transfer
    """.split()
)
# Unit tests of something that stands outside gateway/: file and what it tests.
NOT_MIRRORED = {
    "tests/unit/test_orders_file.py": "docs/tutorial/orders.jsonl",
    "tests/unit/test_run_vectors.py": "tests/run_vectors.py",
}
LOG_METHODS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
LOGGERS = frozenset({"log", "logger", "_log", "_logger", "LOG"})

_EVENT = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
_SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no cover)\b(.*)", re.DOTALL)
_CODE_AND_REASON = {
    "noqa": re.compile(r": ?[A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)*\s+(#|-|–)\s*\w+.*"),
    "type": re.compile(r"\[[a-z-]+(, ?[a-z-]+)*\]\s+(#|-|–)\s*\w+.*"),
    "pragma": re.compile(r"\s+(#|-|–)\s*\w+.*"),
}
_TODO = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\s*\(?(issue )?#\d+)")
# Hosts of package registries, and folders that only this or that machine has. Brackets keep the
# patterns from finding themselves.
_ELSEWHERE = re.compile(
    r"(?:pypi|pythonhosted|npmjs|yarnpkg)[.](?:org|com)|deb[.]debian[.]org"
    r"|(?<![\w.-])/(?:work|tmp|opt/pypi[\w-]*|opt/wheels)/[\w.]"
)


def wrong_ports(source: Source) -> list[str]:
    """Ports that are no Protocol, have too many verbs, or verbs with a body."""
    found = []
    for node in source.definitions:
        if not isinstance(node, ast.ClassDef):
            continue
        verbs = [item for item in node.body if isinstance(item, ast.FunctionDef)]
        if [ast.unparse(parent) for parent in node.bases] != ["Protocol"]:
            found.append(f"{source.path}: {node.name} is no Protocol")
        if len(verbs) > VERBS_AT_MOST:
            found.append(f"{source.path}: {node.name} has {len(verbs)} verbs")
        found += [
            f"{source.path}: {node.name}.{verb.name} has a body, so it is optional"
            for verb in verbs
            if ast.unparse(verb.body[-1]) != "..."
        ]
    return found


def not_implemented(source: Source) -> list[str]:
    """Uses of NotImplementedError that are not msgspec's own protocol."""
    lines = source.text.splitlines()
    return [
        f"{source.path}:{node.lineno}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name)
        and node.id == "NotImplementedError"
        and not lines[node.lineno - 1].endswith("# msgspec's protocol")
    ]


def wrong_flows(names: list[str]) -> list[str]:
    """Flows whose module is not named verb_object."""
    return [name for name in names if not _is_flow(name)]


def _is_flow(name: str) -> bool:
    verb, _, thing = name.partition("_")
    return bool(thing) and verb in FLOW_VERBS


def without_original(tests: list[str], modules: set[str]) -> list[str]:
    """Unit tests whose name belongs to no module of the hub.

    ``tests/unit/kit/test_odata_batch.py`` belongs to ``gateway/kit/odata.py``.
    """
    return [test for test in tests if not any(_belongs(test, module) for module in modules)]


def _belongs(test: str, module: str) -> bool:
    path, original = PurePosixPath(test), PurePosixPath(module)
    folder = path.parent.as_posix().replace("tests/unit", "gateway", 1)
    name = path.stem.removeprefix("test_")
    if folder != original.parent.as_posix():
        return False
    return name == original.stem or name.startswith(f"{original.stem}_")


def wrong_log_calls(source: Source) -> list[str]:
    """Log calls with an f-string, or whose event is not ``flow.step``."""
    found = []
    for call in _log_calls(source):
        if any(isinstance(node, ast.JoinedStr) for node in ast.walk(call)):
            found.append(f"{source.path}:{call.lineno} f-string in a log call")
        event = call.args[0] if call.args else None
        if isinstance(event, ast.Constant) and not _EVENT.fullmatch(str(event.value)):
            found.append(f"{source.path}:{call.lineno} {event.value!r} is not like flow.step")
    return found


def _log_calls(source: Source) -> Iterator[ast.Call]:
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value
        name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
        if node.func.attr in LOG_METHODS and name in LOGGERS:
            yield node


def prints(source: Source) -> list[str]:
    """Calls of print."""
    return [
        f"{source.path}:{node.lineno}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    ]


def asserts(source: Source) -> list[str]:
    """Assert statements, which Python leaves out when asked to optimise."""
    return [
        f"{source.path}:{node.lineno}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Assert)
    ]


def bare_suppressions(source: Source) -> list[str]:
    """Suppressed findings without a code or without a reason."""
    found = []
    for line, comment in source.comments:
        match = _SUPPRESSION.search(comment)
        if match is None:
            continue
        kind = match[1].partition(":")[0]
        if not _CODE_AND_REASON[kind].fullmatch(match[2]):
            found.append(f"{source.path}:{line} {comment}")
    return found


def loose_ends(source: Source) -> list[str]:
    """Comments with a TODO that no issue keeps."""
    return [
        f"{source.path}:{line} {comment}"
        for line, comment in source.comments
        if _TODO.search(comment)
    ]


def addresses(path: str, text: str) -> list[str]:
    """Lines that name a package registry or a folder of one machine."""
    return [
        f"{path}:{number} {match[0]}"
        for number, line in enumerate(text.splitlines(), 1)
        for match in _ELSEWHERE.finditer(line)
    ]


def ports() -> list[Source]:
    """The modules of gateway/ports, without what ports speak of, which is no port."""
    return [
        source
        for source in python_files("gateway/ports")
        if PurePosixPath(source.path).stem not in {"__init__", "exchange", "notification"}
    ]


def test_ports_are_small_protocols() -> None:
    """Every port is a Protocol of at most seven verbs, none of them optional."""
    assert [] == [found for source in ports() for found in wrong_ports(source)]
    assert {"crm", "erp", "payments", "risk"} <= {PurePosixPath(p.path).stem for p in ports()}


def test_nothing_is_left_unimplemented() -> None:
    """NotImplementedError is raised only where msgspec asks for it."""
    assert [] == [found for source in python_files(*OURS) for found in not_implemented(source)]


def test_flows_are_verb_and_object() -> None:
    """``place_order`` says what happens; ``orders`` would not."""
    names = [PurePosixPath(source.path).stem for source in python_files("gateway/flows")]

    assert [] == wrong_flows([name for name in names if not name.startswith("_")])


def test_unit_tests_mirror_the_hub() -> None:
    """Each unit test has the module it tests at the same place in gateway/."""
    modules = {source.path for source in python_files("gateway")}
    tests = [
        source.path
        for source in python_files("tests/unit")
        if PurePosixPath(source.path).name.startswith("test_") and source.path not in NOT_MIRRORED
    ]

    assert [] == without_original(tests, modules)


def test_log_events_are_constant() -> None:
    """What varies in a log line is a field, never a part of the event."""
    assert [] == [found for source in python_files(*OURS) for found in wrong_log_calls(source)]


def test_only_commands_print() -> None:
    """Everything else returns values or logs."""
    quiet = [s for s in python_files(*OURS) if not s.path.startswith("gateway/commands/")]

    assert [] == [found for source in quiet for found in prints(source)]


def test_only_tests_assert() -> None:
    """A check that matters in production raises one of the four errors."""
    assert [] == [found for source in python_files(*OURS) for found in asserts(source)]


def test_suppressions_have_code_and_reason() -> None:
    """Whoever silences a tool says which finding, and why."""
    assert [] == [
        found for source in python_files(*EVERYTHING) for found in bare_suppressions(source)
    ]


def test_open_ends_are_issues() -> None:
    """A TODO without an issue is forgotten."""
    assert [] == [found for source in python_files(*EVERYTHING) for found in loose_ends(source)]


def test_no_file_depends_on_one_machine() -> None:
    """No tracked file names a package registry or a folder of somebody's machine."""
    assert [] == [found for path, text in text_files() for found in addresses(path, text)]


def test_wrong_ports_are_reported() -> None:
    """A class that is no Protocol, an eighth verb and a default are each named."""
    verbs = "".join(f"    def verb_{n}(self): ...\n" for n in range(8))
    source = Source(
        "gateway/ports/x.py",
        f"class Mail:\n{verbs}class Fax(Protocol):\n    def send(self):\n        return None\n",
    )

    assert [
        "gateway/ports/x.py: Mail is no Protocol",
        "gateway/ports/x.py: Mail has 8 verbs",
        "gateway/ports/x.py: Fax.send has a body, so it is optional",
    ] == wrong_ports(source)


def test_not_implemented_is_reported() -> None:
    """The reason has to stand in the same line."""
    source = Source(
        "x.py",
        "def f():\n    raise NotImplementedError\n"
        "def g():\n    raise NotImplementedError('x')  # msgspec's protocol\n",
    )

    assert ["x.py:2"] == not_implemented(source)


def test_wrong_flow_names_are_reported() -> None:
    """A noun is no flow, nor is a verb alone."""
    assert ["orders", "order_placing", "place"] == wrong_flows(
        ["place_order", "orders", "order_placing", "export_postings", "place"]
    )


def test_a_test_without_module_is_reported() -> None:
    """A wrong folder is reported like a wrong name; a longer name is fine."""
    assert ["tests/unit/test_money.py", "tests/unit/model/test_cash.py"] == without_original(
        [
            "tests/unit/model/test_money.py",
            "tests/unit/model/test_money_rounding.py",
            "tests/unit/test_money.py",
            "tests/unit/model/test_cash.py",
        ],
        {"gateway/model/money.py", "gateway/app.py"},
    )


def test_wrong_log_calls_are_reported() -> None:
    """f-strings anywhere in the call, and events without a dot."""
    source = Source(
        "x.py",
        'log.info("flow.started", order_id=order_id)\n'
        'self._log.warning(f"flow {name}")\n'
        'log.error("It failed", error=1)\n'
        'log.info("flow.step", text=f"{x}")\n'
        'console.info(f"not a logger")\n',
    )

    assert [
        "x.py:2 f-string in a log call",
        "x.py:3 'It failed' is not like flow.step",
        "x.py:4 f-string in a log call",
    ] == wrong_log_calls(source)


def test_prints_and_asserts_are_reported() -> None:
    """Calls and statements count, names and strings do not."""
    source = Source("x.py", 'print("x")\ntext = "print(1)"\nassert text\nassert_that = 1\n')

    assert ["x.py:1"] == prints(source)
    assert ["x.py:3"] == asserts(source)


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# noqa: S101",
        "# noqa: reasons are not codes",
        "# type: ignore",
        "# type: ignore[arg-type]",
        "# type: ignore  # because",
        "# pragma: no cover",
    ],
)
def test_bare_suppressions_are_reported(comment: str) -> None:
    """Neither the code nor the reason may be missing."""
    assert [f"x.py:1 {comment}"] == bare_suppressions(Source("x.py", f"x = 1  {comment}\n"))


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: S101 - proves the point",
        "# noqa: S101, N818 - proves the point",
        "# type: ignore[arg-type]  # the stub is wrong",
        "# pragma: no cover - only on Windows",
        "# not a suppression: noqanything",
    ],
)
def test_reasoned_suppressions_pass(comment: str) -> None:
    """Code and reason are enough."""
    assert [] == bare_suppressions(Source("x.py", f"x = 1  {comment}\n"))


def test_todos_without_issue_are_reported() -> None:
    """The number makes the difference; strings are not comments."""
    source = Source("x.py", '# TODO later\n# TODO(#12): later\n# FIXME #3\nx = "TODO"\n# XXX\n')

    assert ["x.py:1 # TODO later", "x.py:5 # XXX"] == loose_ends(source)


@pytest.mark.parametrize(
    "line",
    [
        "https://files.python" + "hosted.org/packages/x",
        "index-url = https://py" + "pi.org/simple",
        "registry=https://registry.npm" + "js.org/",
        "open('/wo" + "rk/shared/contracts')",
        "file:///op" + "t/wheels/x.whl",
        "cd /tm" + "p/x",
    ],
)
def test_addresses_are_reported(line: str) -> None:
    """Registries and local folders are named with file and line."""
    found = addresses("README.md", f"\n{line}\n")

    assert 1 == len(found)
    assert found[0].startswith("README.md:2 ")


@pytest.mark.parametrize(
    "line",
    ["mountPath: /tmp", "https://example.com/work/item", "the framework/tmp/x", "my-pypi-mirror"],
)
def test_harmless_addresses_pass(line: str) -> None:
    """A mount point in a container or a path of a URL is nobody's machine."""
    assert [] == addresses("x", line)


def test_ignored_folders_are_not_read(tmp_path: Path) -> None:
    """What .gitignore names is left out, everything else is read."""
    (tmp_path / ".gitignore").write_text(".venv/\n*.egg-info/\n.coverage*\n")
    for name in (".venv/a.py", "x.egg-info/b", ".git/c", ".coverage.1", ".ci/run", "d.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("text")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")

    assert {".gitignore", ".ci/run", "d.md"} == {path for path, _ in text_files(tmp_path)}
