"""Secrets: by reference only, never empty, never shown."""

from pathlib import Path

import pytest

from gateway.errors import Misconfigured
from gateway.runtime.secrets import resolve, resolve_all


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_ONE", "hunter2")
    monkeypatch.setenv("SECRET_EMPTY", "")
    monkeypatch.setenv("SECRET_BLANK", " \n")
    monkeypatch.delenv("SECRET_NOWHERE", raising=False)


def test_environment_is_read() -> None:
    """As it is, spaces inside included."""
    assert "hunter2" == resolve("env:SECRET_ONE", field="key")


def test_file_is_read_without_its_last_line_break(tmp_path: Path) -> None:
    """Editors and ``kubectl`` end files with one; a secret has none."""
    for ending in ("", "\n", "\r\n"):
        file = tmp_path / "secret"
        file.write_text(f"hunter2{ending}", newline="")
        assert "hunter2" == resolve(f"file:{file}", field="key")


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("env:SECRET_NOWHERE", "environment variable SECRET_NOWHERE is not set"),
        ("env:", "environment variable  is not set"),
        ("env:SECRET_EMPTY", "environment variable SECRET_EMPTY is empty"),
        ("env:SECRET_BLANK", "environment variable SECRET_BLANK is empty"),
        ("file:nowhere/at/all", "nowhere/at/all cannot be read"),
        ("hunter2", "give a reference, env:NAME or file:/path, never the secret itself"),
        ("vault:hunter2", "give a reference, env:NAME or file:/path, never the secret itself"),
    ],
)
def test_what_leads_nowhere_is_named(reference: str, reason: str) -> None:
    """The field and the reference; an empty secret would be one that everybody knows."""
    with pytest.raises(Misconfigured) as caught:
        resolve(reference, field="key")

    assert f"key: {reason}" == caught.value.message
    assert "hunter2" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A key file of another kind was mounted."""
    file = tmp_path / "secret"
    file.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(Misconfigured, match="cannot be read"):
        resolve(f"file:{file}", field="key")


def test_references_are_resolved_wherever_they_stand() -> None:
    """In mappings and lists; everything else stays as it was typed."""
    typed = {
        "url": "http://x",
        "secret_key": "env:SECRET_ONE",
        "webhook_secrets": ["env:SECRET_ONE"],
        "deep": {"user": "env:SECRET_ONE", "number": 1, "none": None},
    }

    assert {
        "url": "http://x",
        "secret_key": "hunter2",
        "webhook_secrets": ["hunter2"],
        "deep": {"user": "hunter2", "number": 1, "none": None},
    } == resolve_all(typed, field="settings")


@pytest.mark.parametrize(
    "name",
    [
        *("password", "client_secret", "webhook_secrets", "passphrase", "access_token"),
        *("api_key", "apikey", "private_key", "secret_key", "hmac_secret"),
    ],
)
def test_field_that_is_named_like_a_secret_takes_references_only(name: str) -> None:
    """Whoever types the secret itself into a file is told so at once."""
    with pytest.raises(Misconfigured, match=f"settings.{name}: give a reference"):
        resolve_all({name: "hunter2"}, field="settings")


@pytest.mark.parametrize("name", ["user", "keyword", "token_lifetime", "sales_organization"])
def test_other_fields_take_text(name: str) -> None:
    """A name that only looks a little like one is no secret."""
    assert {name: "text"} == resolve_all({name: "text"}, field="settings")
