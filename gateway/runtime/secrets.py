"""Secrets by reference: ``env:NAME`` or ``file:/path``; never the text itself."""

import os
import re
from pathlib import Path
from typing import Any, Final

from gateway.errors import Misconfigured

_SECRET_NAME: Final = re.compile(r"(secret|password|passphrase|token|(secret|api|private)_?key)s?$")


def resolve(reference: str, *, field: str) -> str:
    """The secret behind a reference.

    Raises:
        Misconfigured: It is not set, empty, or not a reference.
    """
    scheme, _, name = reference.partition(":")
    if scheme == "env":
        value = os.environ.get(name)
        if value is None:
            raise Misconfigured(f"{field}: environment variable {name} is not set", code="secret")
        return _filled(value, f"{field}: environment variable {name}")
    if scheme == "file":
        try:
            value = Path(name).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"{field}: {name} cannot be read", code="secret") from error
        return _filled(value, f"{field}: {name}")
    raise Misconfigured(
        f"{field}: give a reference, env:NAME or file:/path, never the secret itself", code="secret"
    )


def is_secret(field: str) -> bool:
    """Whether a setting of this name holds a secret."""
    return _SECRET_NAME.search(field) is not None


def _filled(value: str, source: str) -> str:
    """An empty secret would be one that everybody knows."""
    if not value.strip():
        raise Misconfigured(f"{source} is empty", code="secret")
    return value


def resolve_all(settings: Any, *, field: str) -> Any:
    """The settings with every reference replaced; fields named like secrets must be references.

    Raises:
        Misconfigured: A reference leads nowhere, or a secret stands in the file itself.
    """
    if isinstance(settings, dict):
        return {k: resolve_all(v, field=f"{field}.{k}") for k, v in settings.items()}
    if isinstance(settings, list | tuple):
        return [resolve_all(v, field=field) for v in settings]
    if not isinstance(settings, str):
        return settings
    if settings.startswith(("env:", "file:")) or is_secret(field):
        return resolve(settings, field=field)
    return settings
