"""The files of this repository, as the checks in this folder read them."""

import ast
import io
import os
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file.

    Attributes:
        path: From the root of the repository, with slashes.
        text: What stands in it.
    """

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file as Python sees it."""
        return ast.parse(self.text, self.path)

    @cached_property
    def lines(self) -> int:
        """How long the file is."""
        return len(self.text.splitlines())

    @property
    def definitions(self) -> "list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]":
        """Every class and function, nested ones too."""
        kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        return [node for node in ast.walk(self.tree) if isinstance(node, kinds)]

    @property
    def functions(self) -> "list[ast.FunctionDef | ast.AsyncFunctionDef]":
        """Every function and method, nested ones too."""
        return [node for node in self.definitions if not isinstance(node, ast.ClassDef)]

    @property
    def comments(self) -> Iterator[tuple[int, str]]:
        """Line and text of every comment; a # in a string is none."""
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def python_files(*folders: str, root: Path = ROOT) -> list[Source]:
    """The Python files of some folders, without the migrations that Alembic writes."""
    return [
        Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
        for folder in folders
        for path in sorted((root / folder).rglob("*.py"))
        if "migrations/versions" not in path.as_posix()
    ]


def text_files(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Path and text of everything that git would keep, by .gitignore; no git needed."""
    ignored = [".git/", *(root / ".gitignore").read_text(encoding="utf-8").split()]
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not _matches(f"{name}/", ignored)]
        for name in files:
            if _matches(name, ignored):
                continue
            path = Path(folder, name)
            try:
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # a picture or an archive


def adapter_folders(root: Path = ROOT) -> list[Path]:
    """The folders under ``adapters/``: one product each."""
    return sorted(path.parent for path in (root / "adapters").glob("*/__init__.py"))


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)
