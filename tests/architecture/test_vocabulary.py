"""Words that hide what a thing is (style §2)."""

import re
from pathlib import PurePosixPath

import pytest

from tests.architecture.source import Source, python_files

FORBIDDEN = frozenset(
    """
    manager managers service services helper helpers util utils common base misc handler handlers
    processor processors info v2
    """.split()
)
# (path, name): reason. A name stands here only where somebody else chose it.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("adapters/sap_s4/simulator.py", "_service_document"): "OData's name for the root of a service",
}

# The last word of a run of capitals (HTTPServer: HTTP, Server), a capitalised word, or small ones.
_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*")


def words(name: str) -> list[str]:
    """The words of a name in snake or camel case, in lower case."""
    return [word.lower() for part in name.split("_") for word in _WORD.findall(part)]


def names(source: Source) -> list[tuple[int, str]]:
    """Line and name of the module, its folder, and everything it defines.

    Test functions are left out: their names are sentences in the words of the field.
    """
    path = PurePosixPath(source.path)
    stem = path.parent.name if path.name == "__init__.py" else path.stem
    defined = [(node.lineno, node.name) for node in source.definitions]
    return [(1, stem), *(named for named in defined if not named[1].startswith("test_"))]


def misnamed(
    sources: list[Source], exceptions: dict[tuple[str, str], str] = EXCEPTIONS
) -> list[str]:
    """Names with a forbidden word, as ``path:line name``."""
    return [
        f"{source.path}:{line} {name}"
        for source in sources
        for line, name in names(source)
        if FORBIDDEN.intersection(words(name)) and (source.path, name) not in exceptions
    ]


def test_nothing_is_called_a_thing() -> None:
    """No module, class or function of ours has one of the forbidden words in its name."""
    assert [] == misnamed(python_files("gateway", "adapters", "tests", "benchmarks", "docs"))


def test_exceptions_are_still_needed() -> None:
    """An exception whose name is gone goes too, and each has a reason."""
    sources = python_files("gateway", "adapters", "tests", "benchmarks", "docs")
    present = {(source.path, name) for source in sources for _, name in names(source)}

    assert set() == set(EXCEPTIONS) - present
    assert all(EXCEPTIONS.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("read_info", ["read", "info"]),
        ("HTTPServiceV2", ["http", "service", "v2"]),
        ("_BaseURL", ["base", "url"]),
        ("handle_async_request", ["handle", "async", "request"]),
        ("information", ["information"]),
        ("sap_s4", ["sap", "s4"]),
    ],
)
def test_names_fall_into_whole_words(name: str, expected: list[str]) -> None:
    """A word counts only whole: ``handle`` is no ``handler``, ``information`` no ``info``."""
    assert expected == words(name)


def test_forbidden_words_are_reported_wherever_they_name_something() -> None:
    """Module, package, class, function and method are looked at; variables are not."""
    module = Source("gateway/kit/order_utils.py", "def f():\n    info = 1\n")
    package = Source("gateway/common/__init__.py", "")
    inside = Source(
        "gateway/x.py",
        "class OrderManager:\n    async def _run_helper(self): ...\n    def help(self): ...\n"
        "def test_v2_errors(): ...\n",
    )

    assert [
        "gateway/kit/order_utils.py:1 order_utils",
        "gateway/common/__init__.py:1 common",
        "gateway/x.py:1 OrderManager",
        "gateway/x.py:2 _run_helper",
    ] == misnamed([module, package, inside])


def test_an_exception_covers_one_name_in_one_file() -> None:
    """A listed name elsewhere is still reported."""
    listed = {("gateway/x.py", "base"): "the product's own word"}
    sources = [Source("gateway/x.py", "def base(): ..."), Source("gateway/y.py", "def base(): ...")]

    assert ["gateway/y.py:1 base"] == misnamed(sources, listed)
