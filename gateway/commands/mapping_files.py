"""Mapping files as the commands see them: any folder, any schemas, with a tenant's changes."""

import importlib.resources
from collections.abc import Mapping as Values
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
import yaml

from gateway.commands import terminal
from gateway.errors import Misconfigured
from gateway.kit import mapping
from gateway.kit.mapping import cases, core
from gateway.kit.mapping.document import entries_of, section_of, text_of
from gateway.kit.mapping.findings import did_you_mean
from gateway.kit.mapping.installed import MODEL, Product, declared, extended
from gateway.kit.mapping.schemas import Schemas

if TYPE_CHECKING:  # --help does not need it
    from gateway.configuring import Configuration

_CASES: Final = ".cases"
_SCHEMAS: Final = "schemas"
_MODEL: Final = {f"canonical.{kind.__name__}": kind for kind in MODEL}


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """What a command was pointed at.

    Attributes:
        folder: Of mappings, its folders included; None for those that are delivered.
        schemas: Folders of schemas, beside the ``schemas`` that lies beside a mapping.
        files: Reference to file, such as ``edmx:API_BUSINESS_PARTNER``.
        notes: What schemas cannot say.
        values: The tenant's; None for a check without tenant.
        made: The tenant's mappings by name, as its systems use them.
    """

    folder: Path | None = None
    schemas: tuple[Path, ...] = ()
    files: dict[str, Path] = {}
    notes: Path | None = None
    overlays: tuple[mapping.Document, ...] = ()
    values: dict[str, Any] | None = None
    tenant: str = ""
    made: dict[str, mapping.Mapping] = {}


class Source(msgspec.Struct, frozen=True):
    """One mapping file with what it is checked against."""

    path: Path
    document: mapping.Document
    schemas: Schemas

    @property
    def name(self) -> str:
        """As the file says, or the file's own where it does not."""
        return head(self.document, "mapping") or self.path.stem

    def overlays(self, where: Where) -> tuple[mapping.Document, ...]:
        """Those that extend this mapping."""
        return tuple(each for each in where.overlays if extended(each) == self.name)

    def check(self, where: Where, values: Values[str, Any] | None) -> mapping.Result:
        """Check it, each of the values going to the mapping that declares it."""
        laid = self.overlays(where)
        own = None if values is None else declared(values, self.document, *laid)
        return mapping.check(
            self.document, self.schemas, config=own, overlays=laid, tenant=where.tenant
        )

    def load(self, where: Where, values: Values[str, Any]) -> mapping.Mapping:
        """The mapping with these values.

        Raises:
            Refused: It has an error.
        """
        result = self.check(where, values)
        if result.mapping is None:
            raise mapping.Refused(self.document.file, result.findings)
        return result.mapping

    def examples(self, where: Where) -> cases.Cases:
        """Its cases, under those that lie beside an overlay."""
        found = cases.read(cases.beside(self.path))
        for overlay in self.overlays(where):
            found = found.under(cases.read(cases.beside(Path(overlay.file))))
        return found

    def ends(self, where: Where) -> cases.Ends:
        """What its source and its look-ups are."""
        model = {name: kind for name, kind in _MODEL.items() if name not in where.files}
        references = {
            name: str(node.value)
            for name, node in entries_of(section_of(self.document.root, "needs")).items()
        }
        needs = {
            name: model.get(each) or self.schemas.resolve(each) for name, each in references.items()
        }
        return cases.Ends(model.get(head(self.document, "from")), needs)


def head(document: mapping.Document, section: str) -> str:
    """A section that is one text; empty where there is none."""
    return text_of(document.root, section)


def read(path: Path, name: str = "") -> mapping.Document:
    """A mapping or overlay as text.

    Raises:
        Misconfigured: There is no such file.
    """
    try:
        return mapping.parse(path.read_text(encoding="utf-8"), file=name or str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: cannot be read: {error}", code="mapping_file") from error


def collect(where: Where) -> list[Source]:
    """All mappings of a folder, in the order of their files; overlays are none."""
    folder = where.folder or installed()
    found = []
    for path in sorted(folder.rglob("*.yaml")):
        if path.stem.endswith(_CASES) or _SCHEMAS in path.relative_to(folder).parts[:-1]:
            continue
        document = read(path, str(path.relative_to(folder)) if where.folder is None else "")
        if not head(document, "extends"):
            found.append(Source(path, document, _schemas(path.parent, where)))
    return found


def single(path: Path, where: Where) -> Source:
    """One mapping file."""
    return Source(path, read(path), _schemas(path.parent, where))


def installed() -> Path:
    """Where the delivered mappings lie."""
    return Path(str(importlib.resources.files("mappings")))


def _schemas(folder: Path, where: Where) -> Schemas:
    """The schemas of a folder, read once for all mappings in it."""
    if not (where.schemas or where.files or where.notes):
        return Product(folder.name, folder).schemas
    files = tuple(sorted(where.files.items()))
    return _given(files, (*where.schemas, folder / _SCHEMAS), where.notes)


@lru_cache(maxsize=64)
def _given(
    files: tuple[tuple[str, Path], ...], folders: tuple[Path, ...], notes: Path | None
) -> Schemas:
    named = dict(files)
    model = [kind for name, kind in _MODEL.items() if name not in named]
    return Schemas(named, folders=folders, model=model, notes=notes)


def chosen(sources: list[Source], names: tuple[str, ...]) -> list[Source]:
    """Those that are named, by mapping or by file; all where none is named.

    Raises:
        click.UsageError: There is no such mapping.
    """
    if not names:
        return sources
    by_name = {
        key: source
        for source in sources
        for key in (str(source.path), source.document.file, source.path.stem, source.name)
    }
    for name in names:
        if name not in by_name:
            known = ", ".join(source.name for source in sources)
            guess = did_you_mean(name, by_name) or f"; there are {known or 'none'}"
            raise click.UsageError(f"There is no mapping {name}{guess}.")
    return [by_name[name] for name in names]


def of_tenant(where: Where, config: Path, tenant: str, system: str) -> Where:
    """The same, with what the tenant's systems (or the one named) are configured with.

    Raises:
        Misconfigured: The configuration is wrong; ``Refused`` is its cause where a mapping is.
    """
    configuration = _configured(config)
    name = terminal.one_tenant(configuration, tenant)
    known = [one.name for one in configuration.tenants[name].systems]
    if system and system not in known:
        raise click.UsageError(f"Tenant {name} has no system {system!r}, only {', '.join(known)}.")
    chosen = [
        one for one in configuration.tenants[name].systems if not system or one.name == system
    ]
    folder = config.parent / configuration.settings.tenants
    paths = dict.fromkeys(folder / file for one in chosen for file in one.overlays)
    return msgspec.structs.replace(
        where,
        tenant=name,
        overlays=(*where.overlays, *(read(path) for path in paths)),
        made={
            made.program.name: made
            for one in reversed(chosen)
            for made in (configuration.mappings[name, one.name] or {}).values()
        },
    )


def _configured(config: Path) -> "Configuration":
    """The configuration; each finding is said where a mapping stops it."""
    from gateway import configuring

    try:
        return configuring.configure(config)
    except Misconfigured as error:
        if isinstance(error.__cause__, mapping.Refused):
            for finding in error.__cause__.findings:
                click.echo(str(finding), err=True)
        raise


def values_in(path: Path) -> dict[str, Any]:
    """A tenant's values, from YAML or JSON.

    Raises:
        Misconfigured: The file is no map.
    """
    try:
        found = core.load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: cannot be read: {error}", code="values") from error
    if not isinstance(found, dict):
        raise Misconfigured(f"{path}: a map of names to values is needed", code="values")
    return found
