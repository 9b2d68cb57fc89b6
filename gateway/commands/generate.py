"""``headrace generate``: files that are written from the code, and compared with it in CI."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from gateway import errors, settings
from gateway.api import contract
from gateway.api.problems import CATALOGUE
from gateway.commands import language
from gateway.commands.check import all_adapters, verbs
from gateway.kit.adapter import Adapter
from gateway.model.capability import Capability
from gateway.model.dispute import DISPUTE_STATES
from gateway.model.mandate import MANDATE_STATES
from gateway.model.order import ORDER_STATES
from gateway.model.payment import PAYMENT_STATES, REFUND_STATES
from gateway.model.payment_method import PAYMENT_METHOD_STATES
from gateway.model.payout import PAYOUT_STATES
from gateway.model.transfer import TRANSFER_STATES

_NOTE: Final = "<!-- Written by `headrace generate`; edit the code instead. -->\n"
_SETTINGS_START: Final = """
# Settings

`headrace.yaml` for the process, one file per tenant in the folder `tenants`. Secrets are
references: `env:NAME` or `file:/path`. What an adapter needs is in [adapters](adapters.md).
"""
_ADAPTERS_START: Final = """
# Adapters

Products that can be connected. `find_` verbs only read; every other verb that moves something has
one that tells what became of it.
"""
_FIELD: Final = re.compile(r"^(\w+(?:, \w+)*):\s*(.*)$")


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where a file is not current.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="Of the repository.",
)
def generate(root: Path, *, check: bool) -> None:
    """Write openapi/headrace.yaml and the tables of docs/reference anew."""
    stale = [
        (name, content) for name, content in files().items() if _content(root / name) != content
    ]
    for name, content in stale:
        if check:
            click.echo(f"{name} is not current; run `headrace generate`.", err=True)
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
            click.echo(f"{name} written")
    if check and stale:
        raise SystemExit(1)


def _content(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""


def files() -> dict[str, bytes]:
    """Every generated file: its path from the root of the repository, and what belongs in it."""
    texts = {
        "docs/reference/states.md": _states(),
        "docs/reference/settings.md": _settings(),
        "docs/reference/adapters.md": _adapters(),
        "docs/reference/errors.md": _errors(),
        "docs/reference/mapping-language.md": language.text(),
    }
    return {
        "openapi/headrace.yaml": contract.text(),
        **{name: (_NOTE + text).encode() for name, text in texts.items()},
    }


def _states() -> str:
    drawn = [
        f"\n## {machine.name.capitalize()}\n\n```mermaid\n{machine.mermaid()}```\n"
        for machine in (
            ORDER_STATES,
            PAYMENT_STATES,
            PAYMENT_METHOD_STATES,
            REFUND_STATES,
            DISPUTE_STATES,
            MANDATE_STATES,
            PAYOUT_STATES,
            TRANSFER_STATES,
        )
    ]
    start = (
        "\n# States\n\nWhich change of state is allowed. Of orders and mandates the code refuses"
        " every other; a payment's state\nis computed from all reports"
        " ([payments](../explanation/payments.md)), and a test holds it against its table.\n"
    )
    return start + "".join(drawn)


def _settings() -> str:
    parts = [
        _SETTINGS_START,
        "\n## headrace.yaml\n",
        *_tree(settings.Settings, ""),
        "\n## tenants/&lt;tenant&gt;.yaml\n",
        *_tree(settings.TenantSettings, ""),
    ]
    return "".join(parts)


def _tree(kind: type[msgspec.Struct], prefix: str) -> list[str]:
    """The table of a Struct, then those of the Structs in it."""
    title = f"\n### {prefix.removesuffix('.')}\n" if prefix else ""
    parts = [title, f"\n{_first_line(kind)}\n\n", settings_table(kind, prefix)]
    for field in msgspec.structs.fields(kind):
        inner, is_list = _struct_in(field.type)
        if inner is not None:
            parts += _tree(inner, f"{prefix}{field.name}{'[]' if is_list else ''}.")
    return parts


def _struct_in(kind: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """The Struct behind a type, and whether it stands in a list."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind, False
    for inner in getattr(kind, "__args__", ()):
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            return inner, True
    return None, False


def settings_table(kind: type[msgspec.Struct], prefix: str = "") -> str:
    """Name, type, default and documentation of every field of a Struct."""
    told = documented(kind)
    rows = ["| setting | type | default | what it does |\n|---|---|---|---|\n"]
    for field in msgspec.structs.fields(kind):
        cells = (
            f"`{prefix}{field.name}`",
            _type_text(field.type),
            _default_text(field),
            _cell(told.get(field.name, "")),
        )
        rows.append(f"| {' | '.join(cells)} |\n")
    return "".join(rows)


def documented(kind: type) -> dict[str, str]:
    """Field to its sentence in the ``Attributes`` of the docstring."""
    _, _, attributes = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    names: list[str] = []
    for line in inspect.cleandoc(attributes.partition("\n\n")[0]).splitlines():
        match = None if line.startswith(" ") else _FIELD.match(line)
        if match:
            names = match[1].split(", ")
            found |= dict.fromkeys(names, match[2])
        else:
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found


def _type_text(kind: Any) -> str:
    """A type and its limits in words, from its JSON Schema."""
    inner, is_list = _struct_in(kind)
    if inner is not None:
        return "list of objects" if is_list else "object"
    schema = msgspec.json.schema(kind)
    return _cell(_schema_text(schema))


_LIMITS: Final = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "`{}`",
}


def _schema_text(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" if value else "empty" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_schema_text(one) for one in schema["anyOf"])
    word = str(schema.get("type", "anything"))
    items = schema.get("items")
    if isinstance(items, dict):
        word = f"list of {_schema_text(items)}"
    limits = [text.format(schema[name]) for name, text in _LIMITS.items() if name in schema]
    return ", ".join([word, *limits])


def _default_text(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**required**"
    if field.default is msgspec.NODEFAULT:
        return "empty"
    default = field.default
    if isinstance(default, msgspec.Struct):
        return "see below"
    if default in ("", (), {}, frozenset()):
        return "empty"
    value = msgspec.json.encode(default).decode()
    return f"`{_cell(value)}`"


def _cell(text: str) -> str:
    """Text for a cell of a table: reStructuredText's double backticks, no bars."""
    return text.replace("``", "`").replace("|", "\\|")


def _first_line(kind: type) -> str:
    return _cell((kind.__doc__ or "").strip().partition("\n")[0])


def _adapters() -> str:
    return _ADAPTERS_START + "".join(_adapter(one) for one in all_adapters())


def _adapter(adapter: Adapter) -> str:
    rows = [
        f"| `{port}` | {', '.join(f'`{verb}`' for verb in verbs(port))} |\n"
        for port in adapter.ports
    ]
    has_settings = bool(msgspec.structs.fields(adapter.settings))
    return "".join(
        (
            f"\n## {adapter.title} (`{adapter.product}`)\n\n",
            "Logs in before the first call.\n\n" if adapter.login else "",
            "| port | verbs |\n|---|---|\n",
            *rows,
            methods_table(adapter.capabilities),
            f"\n{settings_table(adapter.settings)}" if has_settings else "\nNo settings.\n",
        )
    )


def _parts(one: Capability) -> str:
    """Into how many parts it divides: at the payment, and by transfers after it."""
    after = f"{one.splits_after} after" if one.splits_after else ""
    return ", ".join(filter(None, (str(one.splits or ""), after)))


def methods_table(capabilities: tuple[Capability, ...]) -> str:
    """The table of what a payment provider can do."""
    rows = [
        f"| `{one.method}` | {' '.join(one.countries) or 'any'} |"
        f" {' '.join(one.currencies) or 'any'} |"
        f" {', '.join(f'`{verb}`' for verb in one.verbs)} |"
        f" {', '.join(_asked(one))} | {one.hold_days or ''} | {_parts(one)} |\n"
        for one in capabilities
    ]
    head = (
        "\n| method | countries | currencies | verbs | asks for | days held | parts |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(rows) if rows else ""


def _asked(one: Capability) -> Iterator[str]:
    """What has to be sent for a method."""
    words = {
        "token": one.token,
        "`return_url`": one.redirect,
        "mandate": one.mandate,
        "payer and items": one.payer,
        "`manual` capture": one.held,
    }
    return (word for word, needed in words.items() if needed)


def _errors() -> str:
    rows = [
        f"| `{code}` | {status} | {title} | {_cell(advice)} |\n"
        for code, (status, title, advice) in CATALOGUE.items()
    ]
    kinds = (errors.Rejected, errors.Unavailable, errors.InDoubt, errors.Misconfigured)
    return "".join(
        (
            "\n# Errors\n\n## Inside: named after what the caller does next\n\n",
            "| error | means |\n|---|---|\n",
            *(f"| `{kind.__name__}` | {_first_line(kind)} |\n" for kind in kinds),
            "\nA declined card, a refused credit check, a blocked debtor: results, not errors.\n",
            "\n## Outside: problem documents (RFC 9457)\n\n",
            "Each type is explained under `/problems/<code>`.\n\n",
            "| code | status | title | what to do |\n|---|---|---|---|\n",
            *rows,
        )
    )
