"""The mappings that are delivered with the hub: ``mappings/<product>/``.

A product's folder holds mappings (``sales_order.yaml`` is ``sap_s4.sales_order``), their cases
(``sales_order.cases.yaml``) and schemas that we wrote ourselves (``schemas/``). Files are read once
per process; what is checked for a tenant is its configuration and its overlays.
"""

import importlib.resources
import tempfile
from collections.abc import Mapping as Values
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.errors import Misconfigured
from gateway.kit.mapping.document import Document, entries_of, parse, section_of, text_of
from gateway.kit.mapping.findings import Finding, Refused, Severity, did_you_mean
from gateway.kit.mapping.ingredients import Ingredients, Made
from gateway.kit.mapping.loading import check
from gateway.kit.mapping.mapping import Mapping
from gateway.kit.mapping.schemas import Schemas
from gateway.model import (
    bank,
    dispute,
    event,
    held_mandate,
    item,
    mandate,
    movement,
    order,
    party,
    payment,
    payout,
    reference,
    risk,
    split,
    transfer,
)

# What ``canonical.NAME`` names.
MODEL: Final = tuple(
    kind
    for module in (
        bank,
        dispute,
        event,
        held_mandate,
        item,
        mandate,
        movement,
        order,
        party,
        payment,
        payout,
        reference,
        risk,
        split,
        transfer,
    )
    for kind in vars(module).values()
    if isinstance(kind, type)
    and issubclass(kind, msgspec.Struct)
    and kind.__module__ == module.__name__
)


class Product:
    """The mappings of one product.

    Args:
        name: Of the product, in front of the name of each mapping.
        folder: Where its files are.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder

    @cached_property
    def documents(self) -> Values[str, Document]:
        """The mappings by the name of their file, not yet checked.

        Raises:
            Misconfigured: There are none.
        """
        paths = [path for path in sorted(self.folder.glob("*.yaml")) if path.suffixes == [".yaml"]]
        if not paths:
            raise Misconfigured(f"{self.folder} holds no mapping", code="mapping_refused")
        return {
            path.stem: parse(path.read_text(encoding="utf-8"), file=f"{self.name}/{path.name}")
            for path in paths
        }

    @cached_property
    def schemas(self) -> Schemas:
        """Our model, and the schemas in the folder; ``notes.yaml`` says what they cannot say."""
        folder = self.folder / "schemas"
        notes = folder / "notes.yaml"
        return Schemas(folders=(folder,), model=MODEL, notes=notes if notes.is_file() else None)

    @cached_property
    def schema_files(self) -> dict[str, bytes]:
        """The content of all schemas by the name of their file."""
        folder = self.folder / "schemas"
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*")) if path.is_file()}

    def load(
        self, config: Values[str, Any], *, overlays: Sequence[Document] = (), tenant: str = ""
    ) -> Made:
        """The mappings for one system of one tenant, by the name of their file.

        Args:
            config: Values for all of them; each is given those that it declares.
            overlays: Changes; each goes to the mapping that it extends, in this order.
            tenant: Its name, for failures at run time.

        Raises:
            Refused: Something is wrong with a mapping, an overlay or a value; with all findings.
        """
        known = [f"{self.name}.{name}" for name in self.documents]
        findings = strays(overlays, known)
        made: dict[str, Mapping] = {}
        for name, document in self.documents.items():
            laid = tuple(each for each in overlays if extended(each) == f"{self.name}.{name}")
            own = declared(config, document, *laid)
            result = check(document, self.schemas, config=own, overlays=laid, tenant=tenant)
            findings += result.findings
            if result.mapping is not None:
                made[name] = result.mapping
                _ = result.mapping.identity  # of the files as they were read, not as they are later
        if any(finding.severity is Severity.ERROR for finding in findings):
            raise Refused(self.name, tuple(findings))
        return Made(made, self._ingredients(config, overlays))

    def again(self, given: Ingredients, *, tenant: str = "") -> Made:
        """The mappings that another process made of these ingredients, maybe another release.

        Its files are read, checked and compiled by this code, for the ends that this code knows.

        Raises:
            Misconfigured: They do not fit it any more.
        """
        with tempfile.TemporaryDirectory(prefix="headrace-mappings-") as folder:
            earlier = Product(self.name, _unpacked(given, Path(folder)))
            self._check_ends(earlier)
            overlays = [parse(text, file=file) for file, text in given.overlays]
            return earlier.load(given.config, overlays=overlays, tenant=tenant)

    def _ingredients(self, config: Values[str, Any], overlays: Sequence[Document]) -> Ingredients:
        return Ingredients(
            product=self.name,
            documents={f"{name}.yaml": each.text for name, each in self.documents.items()},
            schemas=self.schema_files,
            config=dict(config),
            overlays=tuple((each.file, each.text) for each in overlays),
        )

    def _check_ends(self, earlier: "Product") -> None:
        """The adapter hands in what its own mappings take and sends what they make.

        Raises:
            Misconfigured: It would get something else.
        """
        for name, document in self.documents.items():
            if name not in earlier.documents:
                message = f"there is no mapping {self.name}.{name} among them"
                raise Misconfigured(message, code="mapping_refused")
            theirs, ours = _ends(earlier.documents[name]), _ends(document)
            for end in theirs:
                if theirs[end] != ours.get(end):
                    said = f"{theirs[end]}, and {ours.get(end, 'nothing')} now"
                    message = f"{self.name}.{name}: {end} was {said}"
                    raise Misconfigured(message, code="mapping_refused")


def strays(overlays: Sequence[Document], known: Sequence[str]) -> list[Finding]:
    """What is wrong with overlays that extend none of the mappings with these names."""
    found: list[Finding] = []
    for overlay in overlays:
        name = extended(overlay)
        if name in known:
            continue
        line = overlay.root.keys.get("extends", 1)
        guess = did_you_mean(name, known) or f"; there are {', '.join(known) or 'none'}"
        message = f"the overlay extends {name or 'nothing'}{guess}"
        found += overlay.findings
        found.append(Finding("E18", Severity.ERROR, "extends", line, message, overlay.file))
    return found


def declared(config: Values[str, Any], *layers: Document) -> dict[str, Any]:
    """Those of the values that a mapping and its overlays declare."""
    names = {name for each in layers for name in entries_of(section_of(each.root, "config"))}
    return {name: value for name, value in config.items() if name in names}


def extended(overlay: Document) -> str:
    """Name of the mapping that an overlay lies over; empty where it names none."""
    return text_of(overlay.root, "extends").partition("@")[0]


def _ends(document: Document) -> dict[str, str]:
    """The references of both ends and of the look-ups, by name."""
    content = entries_of(document.root)
    ends = {name: str(content[name].value) for name in ("from", "to") if name in content}
    needs = entries_of(section_of(document.root, "needs"))
    return ends | {f"needs.{name}": str(node.value) for name, node in needs.items()}


def _unpacked(given: Ingredients, folder: Path) -> Path:
    """The files as a product's folder has them; the checker reads schemas from files."""
    (folder / "schemas").mkdir()
    for name, text in given.documents.items():
        (folder / Path(name).name).write_text(text, encoding="utf-8")
    for name, content in given.schemas.items():
        (folder / "schemas" / Path(name).name).write_bytes(content)
    return folder


@lru_cache(maxsize=64)
def product(name: str) -> Product:
    """The mappings of a product, as they were delivered; its files are read once."""
    return Product(name, Path(str(importlib.resources.files("mappings"))) / name)


def mappings_of(
    name: str, config: Values[str, Any], *, overlays: Sequence[Document] = (), tenant: str = ""
) -> Made:
    """A product's mappings for one system of one tenant; see ``Product.load``."""
    return product(name).load(config, overlays=overlays, tenant=tenant)
