"""The three exports by mappings (``exports/``): each is data, loaded and checked as any other."""

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from gateway.kit import mapping
from gateway.kit.mapping import bulk
from gateway.kit.mapping.schemas import Schemas

FOLDER: Final = Path(__file__).resolve().parent / "exports"


class Receivable(msgspec.Struct, frozen=True):
    """A row of the source, with what its export may rely on."""

    number: Annotated[str, Meta(max_length=16)]
    company: Literal["DE01", "FR01", "AT01"]
    issued_on: date
    terms: Literal["immediate", "net14", "net30", "net60"]
    currency: Annotated[str, Meta(min_length=3, max_length=3, pattern="^[A-Z]{3}$")]
    tax_code: Literal["standard", "reduced", "zero", "reverse"]
    product_group: Literal["lease", "service", "usage", "fee"]
    text: Annotated[str, Meta(max_length=50)]
    customer_no: Annotated[str, Meta(max_length=10)]
    iban: Annotated[str, Meta(max_length=34)]
    mandate: Annotated[str, Meta(max_length=35)]
    signed_on: date
    due_on: date
    amount: Annotated[Decimal, Meta(extra_json_schema={"x-precision": 15, "x-scale": 2})]


def write(name: str, source: Path, target: Path) -> None:
    """Write one file; ``name`` is ``csv``, ``fixed`` or ``xml``."""
    with source.open("rb") as lines, target.open("wb") as out:
        _export(name).write(lines, out)


@cache
def _export(name: str) -> bulk.Export:
    schemas = Schemas(folders=[FOLDER], model=[Receivable])
    file = FOLDER / f"export_{name}.yaml"
    loaded = mapping.load(mapping.parse(file.read_text(), file=file.name), schemas)
    if name == "xml":
        return bulk.xml(loaded, "DrctDbtTxInf", inside=("Document",))
    return bulk.flat(loaded, schemas.layout(f"{name}:postings_{name}"))
