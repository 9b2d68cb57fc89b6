"""Settings: a mistake is named by file, line and field, and nothing starts with one."""

from pathlib import Path
from typing import Final

import pytest
import yaml

from gateway.errors import Misconfigured
from gateway.settings import CallPolicy, Settings, TenantSettings, line_of, load, mistake

_NO_TAG: Final = "could not determine a constructor for the tag"
_NO_REFERENCE: Final = "Expected `str` matching regex '^(env|file):.+$'"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "headrace.yaml"


def said(file: Path, text: str | bytes, kind: type = Settings) -> str:
    """What is said about a file, without where it lies."""
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(Misconfigured) as caught:
        load(file, kind)
    return caught.value.message.removeprefix(str(file.parent) + "/")


def test_empty_file_is_all_defaults(file: Path) -> None:
    """A process can be started with nothing typed."""
    file.write_text("")

    assert Settings() == load(file, Settings)
    assert ("127.0.0.1", 8080) == (Settings().server.host, Settings().server.port)


def test_what_is_typed_is_read(file: Path) -> None:
    """Fields that are not named keep their defaults."""
    file.write_text("server:\n  port: 9000\nworker: {lease_s: 60}\n")

    read = load(file, Settings)

    assert (9000, 60, 1.0) == (read.server.port, read.worker.lease_s, read.telemetry.sampling)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("servr: {}\n", "headrace.yaml:1: servr: there is no such field"),
        (
            "data: var\nserver:\n  host: ::1\n  prt: 1\n",
            "headrace.yaml:4: server.prt: there is no such field",
        ),
        ("\n\nserver:\n  port: x\n", "headrace.yaml:4: server.port: Expected `int`, got `str`"),
        ("server:\n  port: true\n", "headrace.yaml:2: server.port: Expected `int`, got `bool`"),
        ("server:\n  port: 70000\n", "headrace.yaml:2: server.port: Expected `int` <= 65535"),
        ("worker: {poll_s: .nan}\n", "headrace.yaml:1: worker.poll_s: Expected `float` > 0.0"),
        ("data: 2026-01-01\n", "headrace.yaml:1: data: Expected `str`, got `date`"),
        (
            "server:\n  api_keys:\n    - client: web\n      tenant: acme\n      key: secret\n",
            f"headrace.yaml:5: server.api_keys[0].key: {_NO_REFERENCE}",
        ),
        (
            "server:\n  api_keys:\n    - client: web\n      key: env:X\n",
            "headrace.yaml:3: server.api_keys[0].tenant: is missing",
        ),
        ("- a\n", "headrace.yaml:1: $: Expected `object`, got `array`"),
        ("just text\n", "headrace.yaml:1: $: Expected `object`, got `str`"),
        ("1: 2\n", "headrace.yaml:1: $: Expected `str`"),
    ],
)
def test_wrong_field_is_named(file: Path, text: str, expected: str) -> None:
    """File, line of the field itself, path of the field, and what is wrong."""
    assert expected == said(file, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("server:\n  port: 1\n  port: 2\n", "headrace.yaml:3: 'port' stands twice"),
        ("server: {}\nworker: {}\nserver: {}\n", "headrace.yaml:3: 'server' stands twice"),
        (
            "server:\n  api_keys:\n    - {client: a, client: b}\n",
            "headrace.yaml:3: 'client' stands twice",
        ),
        (
            "server:\n\tport: 1\n",
            "headrace.yaml:2: found character '\\t' that cannot start any token",
        ),
        ("server:\n  port: [1\nx: }\n", "headrace.yaml:3: expected ',' or ']', but got ':'"),
        ("server: {}\n---\nserver: {}\n", "headrace.yaml:2: but found another document"),
        (
            "data: !!python/object/apply:os.getcwd []\n",
            f"headrace.yaml:1: {_NO_TAG} 'tag:yaml.org,2002:python/object/apply:os.getcwd'",
        ),
        ('data: "\x00"\n', "headrace.yaml: holds a character that YAML does not allow"),
        (b"data: \xff\n", "headrace.yaml: cannot be read as UTF-8"),
    ],
)
def test_what_is_no_good_yaml_is_refused(file: Path, text: str | bytes, expected: str) -> None:
    """Tabs, torn brackets, two documents, objects, bytes; and a name that stands twice."""
    assert expected == said(file, text)


def test_keys_that_are_no_text_do_not_break_it(file: Path) -> None:
    """A mapping as a key is YAML, too, and wrong here like any other."""
    assert "headrace.yaml:1: found unhashable key" == said(file, "{[1]: 2}: 3\n")


def test_missing_file_is_named(tmp_path: Path) -> None:
    """The path as it was given."""
    path = tmp_path / "nowhere.yaml"

    with pytest.raises(Misconfigured, match=r"nowhere\.yaml: cannot be read"):
        load(path, Settings)


def test_value_of_a_secret_is_not_repeated(file: Path) -> None:
    """Where the reference belongs somebody typed the secret itself; the error may be logged."""
    text = "database:\n  url: mysql://root:hunter2@db/x\n"

    assert "hunter2" not in said(file, text)


def test_tenant_needs_its_parts(file: Path) -> None:
    """The first field that is missing is named with the line of what lacks it."""
    text = "tenant: acme\ncurrencies: [EUR]\nsystems: []\nrouting:\n  erp: a\n  crm: b\n  risk: c\n"

    assert "headrace.yaml:4: routing.payments: is missing" == said(file, text, TenantSettings)


def test_line_of_a_deep_field_is_found() -> None:
    """Through lists and mappings, in both of YAML's spellings."""
    system = "  - name: b\n    policy:\n      attempts: 3\n    verbs: {x: {y: 1}}\n"
    text = f"systems:\n  - name: a\n{system}"
    node = yaml.compose(text, Loader=yaml.SafeLoader)

    assert 5 == line_of(node, "$.systems[1].policy.attempts")
    assert 6 == line_of(node, "$.systems[1].verbs.x.y")
    assert 4 == line_of(node, "$.systems[1].policy")


def test_line_of_what_is_not_there_is_that_of_its_parent() -> None:
    """The nearest line that a person can look at."""
    node = yaml.compose("a: 1\nsystems:\n  - name: a\n", Loader=yaml.SafeLoader)

    assert 3 == line_of(node, "$.systems[0].policy.attempts")
    assert 2 == line_of(node, "$.systems[7].name")
    assert 1 == line_of(None, "$.systems")


def test_mistake_in_an_empty_file_has_a_line(file: Path) -> None:
    """The first one."""
    file.write_text("")

    assert mistake(file, "$.server.host", "reason").message.endswith(":1: server.host: reason")


def test_default_policy_fits_the_default_lease() -> None:
    """A process whose operator typed nothing starts."""
    policy, worker = CallPolicy(), Settings().worker

    assert worker.lease_s >= 2 * (policy.timeout_s + policy.connect_timeout_s)
