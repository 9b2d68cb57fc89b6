"""``headrace mappings``: check, test, compare and document transformations before they run."""

import json
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import partial, wraps
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from gateway.commands import language, mapping_changes, mapping_files, mapping_sets, terminal
from gateway.commands.mapping_files import Source, Where
from gateway.kit import mapping
from gateway.kit.mapping import cases, coverage, facets
from gateway.kit.mapping.installed import strays
from gateway.kit.mapping.types import Type

_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER: Final = click.Path(path_type=Path, exists=True, file_okay=False)
_SHOWN: Final = 12  # values of a field in a table
_OPTIONS: Final = (
    click.option("--folder", type=_FOLDER, help="Of mappings; the delivered ones unless given."),
    click.option("--schemas", type=_FOLDER, multiple=True, help="Folder of schemas."),
    click.option("--schema", multiple=True, metavar="REF=FILE", help="edmx:NAME=FILE and such."),
    click.option("--notes", type=_FILE, help="What schemas cannot say."),
    click.option("--overlay", type=_FILE, multiple=True, help="A tenant's changes."),
    click.option("--values", type=_FILE, help="A tenant's values for config:, YAML or JSON."),
    click.option("--tenant", default="", help="With what this tenant is configured with."),
    click.option("--system", default="", help="Only this system of the tenant."),
    terminal.CONFIG,
)


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives the command ``where`` in place of the options that say it."""

    @wraps(command)
    def called(
        *arguments: Any,
        folder: Path | None,
        schemas: tuple[Path, ...],
        schema: tuple[str, ...],
        notes: Path | None,
        overlay: tuple[Path, ...],
        values: Path | None,
        tenant: str,
        system: str,
        config: Path,
        **more: Any,
    ) -> Any:
        where = Where(
            folder=folder,
            schemas=schemas,
            files=dict(_reference(each) for each in schema),
            notes=notes,
            overlays=tuple(mapping_files.read(each) for each in overlay),
            values=mapping_files.values_in(values) if values is not None else None,
        )
        if tenant:
            where = mapping_files.of_tenant(where, config, tenant, system)
        return command(*arguments, where=where, **more)

    made: Callable[..., Any] = called
    for option in reversed(_OPTIONS):
        made = option(made)
    return made


def _reference(text: str) -> tuple[str, Path]:
    reference, equals, path = text.rpartition("=")
    if not equals or not Path(path).is_file():
        raise click.UsageError(f"--schema {text}: write REF=FILE; the file has to be there.")
    return reference, Path(path)


@click.group(invoke_without_command=True)
@_where
@terminal.JSON
@click.pass_context
def mappings(context: click.Context, where: Where, *, as_json: bool) -> None:
    """Transformations between our model and products; alone: what there is."""
    if context.invoked_subcommand is not None:
        return
    records = [
        {name: mapping_files.head(source.document, name) for name in ("mapping", "version")}
        | {name: mapping_files.head(source.document, name) for name in ("from", "to")}
        | {"file": source.document.file}
        for source in mapping_files.collect(where)
    ]
    terminal.show_records(
        "mappings", ("mapping", "version", "from", "to", "file"), records, as_json=as_json
    )


# check ----------------------------------------------------------------------------------------


@mappings.command()
@click.argument("names", nargs=-1)
@_where
@terminal.JSON
def check(names: tuple[str, ...], where: Where, *, as_json: bool) -> None:
    """Check mappings against the schemas of both ends; exit code 1 where one has an error."""
    sources = mapping_files.collect(where)
    found = strays(where.overlays, [source.name for source in sources])
    wanted = mapping_files.chosen(sources, names)
    for source in wanted:
        found += source.check(where, where.values).findings
    if as_json:
        terminal.show_json([_record(each) for each in found])
    else:
        _print(found, len(wanted))
    if any(each.severity is mapping.Severity.ERROR for each in found):
        raise SystemExit(1)


def _record(finding: mapping.Finding) -> dict[str, Any]:
    told = language.CODES[finding.code]
    plain: dict[str, Any] = msgspec.to_builtins(finding)
    return plain | {"check": told.check, "advice": told.advice}


def _print(found: list[mapping.Finding], checked: int) -> None:
    for each in found:
        click.echo(str(each))
    codes = sorted({each.code for each in found})
    for code in codes:
        click.echo(f"\n{code} {language.CODES[code].check}.\n    {language.CODES[code].advice}")
    errors = sum(each.severity is mapping.Severity.ERROR for each in found)
    click.echo(f"\n{checked} mappings, {errors} errors, {len(found) - errors} warnings.")


# test -----------------------------------------------------------------------------------------


class Failed(msgspec.Struct, frozen=True):
    """A case that does not give what it says."""

    case: str
    file: str
    line: int
    differences: tuple[cases.Difference, ...]


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """What the cases of one mapping came to.

    Attributes:
        reached: How much of the mapping they reach, of ``wanted``.
        unreached: What neither a case reaches nor anybody waived.
        stale: Waived though a case reaches it, or though it does not exist.
    """

    mapping: str
    cases: int
    failed: tuple[Failed, ...]
    reached: int
    wanted: int
    unreached: tuple[coverage.Point, ...]
    stale: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """All cases pass, and together they reach all of it."""
        return bool(self.cases) and not (self.failed or self.unreached or self.stale)


def run_cases(source: Source, where: Where) -> Tested:
    """Run the cases of a mapping.

    Raises:
        Refused: The mapping has an error.
        Misconfigured: The cases cannot be read.
    """
    found, ends = source.examples(where), source.ends(where)
    watches: dict[str, coverage.Watch] = {}
    failed = []
    for case in found.cases:
        values = found.config | case.config | (where.values or {})
        key = json.dumps(values, sort_keys=True, default=str)
        if key not in watches:
            watches[key] = coverage.Watch(source.load(where, values))
        watch = watches[key]
        differences = watch.see(partial(cases.complaints, case, watch.mapping, ends))
        if differences:
            failed.append(Failed(case.name, case.file, case.line, differences))
    wanted = {point for watch in watches.values() for point in watch.wanted}
    reached = {point for watch in watches.values() for point in watch.reached}
    missing = wanted - reached
    names = {point.name for point in missing}
    return Tested(
        mapping=source.name,
        cases=len(found.cases),
        failed=tuple(failed),
        reached=len(wanted & reached),
        wanted=len(wanted),
        unreached=tuple(sorted(one for one in missing if one.name not in found.waived)),
        stale=tuple(name for name in found.waived if name not in names),
    )


@mappings.command()
@click.argument("names", nargs=-1)
@click.option("--coverage", "show_coverage", is_flag=True, help="Print what no case reaches.")
@_where
@terminal.JSON
def test(names: tuple[str, ...], where: Where, *, show_coverage: bool, as_json: bool) -> None:
    """Run the cases beside mappings; exit code 1 where one fails or where they miss something."""
    chosen = mapping_files.chosen(mapping_files.collect(where), names)
    found = [run_cases(source, where) for source in chosen]
    if as_json:
        terminal.show_json(found)
    else:
        for each in found:
            _show_tested(each, show_coverage=show_coverage)
    if not all(each.is_right for each in found):
        raise SystemExit(1)


def _show_tested(result: Tested, *, show_coverage: bool) -> None:
    click.echo(
        f"{result.mapping}: {result.cases} cases, {len(result.failed)} failed;"
        f" {result.reached} of {result.wanted} fields, branches and codes reached,"
        f" {len(result.unreached)} neither reached nor waived"
    )
    for failed in result.failed:
        _show_differences(f"{failed.file}:{failed.line}: {failed.case}", failed.differences)
    for name in result.stale:
        click.echo(f"    waived without need, remove it: {name}")
    if show_coverage:
        for point in result.unreached:
            click.echo(f"    {point.file}:{point.line}: {point.name}")


def _show_differences(
    title: str,
    differences: tuple[cases.Difference, ...],
    columns: tuple[str, str] = ("expected", "got"),
) -> None:
    rows = [(one.path or "/", _text(one.expected), _text(one.got)) for one in differences]
    terminal.show_table(title, ("field", *columns), rows)


def _text(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


# diff -----------------------------------------------------------------------------------------


@mappings.command()
@click.argument("old")
@click.argument("new")
@_where
@terminal.JSON
def diff(old: str, new: str, where: Where, *, as_json: bool) -> None:
    """What changes from OLD to NEW: places of the file, and outputs of all cases.

    Each is a mapping file or a mapping's name; NEW may be an overlay over OLD.
    """
    before, after, over = _pair(old, new, where)
    results = [one.check(way, where.values) for one, way in ((before, where), (after, over))]
    changes = tuple(mapping_changes.places(*(result.effective for result in results)))
    outputs = tuple(mapping_changes.outputs((before, where), (after, over)))
    if as_json:
        terminal.show_json({"changes": changes, "outputs": outputs})
        return
    rows = [(one.path, _text(one.old), _text(one.new), one.origin) for one in changes]
    terminal.show_table("changed in the mapping", ("place", "old", "new", "origin"), rows)
    for one in outputs:
        _show_differences(f"case {one.case}", one.differences, ("old", "new"))
    click.echo(f"{len(changes)} places, {len(outputs)} cases changed.")


def _pair(old: str, new: str, where: Where) -> tuple[Source, Source, Where]:
    """Both mappings, and how the new one is looked at."""
    before = _one(old, where)
    if Path(new).is_file():
        document = mapping_files.read(Path(new))
        if mapping_files.head(document, "extends"):
            over = msgspec.structs.replace(where, overlays=(*where.overlays, document))
            return before, before, over
    return before, _one(new, where), where


def _one(name: str, where: Where) -> Source:
    if Path(name).is_file():
        return mapping_files.single(Path(name), where)
    return mapping_files.chosen(mapping_files.collect(where), (name,))[0]


# docs -----------------------------------------------------------------------------------------


@mappings.command()
@click.argument("name")
@_where
@terminal.JSON
def docs(name: str, where: Where, *, as_json: bool) -> None:
    """The table target, label, type, expression, origin of one mapping as Markdown."""
    source = _one(name, where)
    made = _made(source, where)
    rows = [_documented(line, made) for line in made.lineage() if line.target.startswith("/")]
    if as_json:
        terminal.show_json(rows)
        return
    click.echo(f"## {made.name}\n\n| target | label | type | expression | origin |")
    click.echo("|---|---|---|---|---|")
    for row in rows:
        click.echo(f"| {' | '.join(_cell(each) for each in row.values())} |")


def _documented(line: mapping.Lineage, made: mapping.Mapping) -> dict[str, str]:
    label, kind = _target(made.program.target, line.target)
    return {
        "target": f"`{line.target}`",
        "label": label,
        "type": _type_text(kind) if kind is not None else "",
        "expression": f"`{line.rule}`",
        "origin": f"{line.file}:{line.line}",
    }


def _target(kind: Type, path: str) -> tuple[str, Type | None]:
    """Label and type of a target field."""
    found: Type | None = kind
    label = ""
    for step in path.strip("/").split("/"):
        name = step.removesuffix("[]")
        field = found.shape.fields.get(name) if found is not None and found.shape else None
        if field is None:
            return label, None
        found, label = field.type, field.label
        if step.endswith("[]"):
            found = found.item
    return label, found


def _type_text(kind: Type) -> str:
    """A type in words, with the only values allowed where they are few."""
    if kind.values and len(kind.values) <= _SHOWN:
        return f"one of {', '.join(kind.values)}"
    return facets.describe(kind)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _made(source: Source, where: Where) -> mapping.Mapping:
    """The tenant's mapping, or one with the values given or those that the cases use."""
    if source.name in where.made:
        return where.made[source.name]
    given = where.values
    return source.load(where, source.examples(where).values() if given is None else given)


# back -----------------------------------------------------------------------------------------


@mappings.command()
@click.argument("name")
@_where
def back(name: str, where: Where) -> None:
    """A proposal for the mapping that reads what NAME writes; an engineer completes it.

    It holds the fields that can be turned round; JSON is YAML.
    """
    source = _one(name, where)
    click.echo(mapping.back(_made(source, where), source.schemas, source.document))


# try ------------------------------------------------------------------------------------------


@mappings.command("try")
@click.argument("name")
@click.option("--needs", type=_FILE, help="What look-ups brought, YAML or JSON.")
@_where
@terminal.JSON
def try_one(name: str, needs: Path | None, where: Where, *, as_json: bool) -> None:
    """Run one mapping with the JSON from standard input, and print what comes out."""
    source = _one(name, where)
    made = _made(source, where)
    try:
        given = msgspec.json.Decoder(float_hook=Decimal).decode(sys.stdin.buffer.read())
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise click.UsageError(f"standard input is not JSON: {error}") from error
    fetched = mapping_files.values_in(needs) if needs is not None else {}
    try:
        made_of_it = cases.run(made, source.ends(where), given, fetched)
    except mapping.MappingFailure as failure:
        _show_failure(failure, as_json=as_json)
        raise SystemExit(1) from failure
    terminal.show_json(made_of_it)


def _show_failure(failure: mapping.MappingFailure, *, as_json: bool) -> None:
    names = ("mapping", "file", "line", "path", "message", "detail")
    record = {name: getattr(failure, name) for name in names}
    if as_json:
        terminal.show_json(record)
    else:
        terminal.show_table("parked", ("what", "value"), list(record.items()))


mappings.add_command(mapping_sets.sets)
mappings.add_command(mapping_sets.withdraw)
