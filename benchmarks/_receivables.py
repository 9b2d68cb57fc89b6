"""Receivables as JSON lines, and three files made from them by other tools.

The rows have the form of ``contracts/mapping/bulk/in.jsonl``; the files that of the three expected
ones beside it, byte by byte.
"""

import importlib.util
import json
import random
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

# What only a benchmark needs lies in a folder of its own: requirements/bench.txt.
PEERS: Final = Path(sys.prefix) / "bench"
COMPANIES: Final = {"DE01": "1010", "FR01": "1110", "AT01": "1210"}
GL: Final = {"lease": "41000000", "service": "41000100", "usage": "41000200", "fee": "41000300"}
TAX: Final = {"standard": "A1", "reduced": "A2", "zero": "A0", "reverse": "E1"}
TERMS: Final = {"immediate": "0001", "net14": "NT14", "net30": "NT30", "net60": "NT60"}
COLUMNS: Final = (
    "BUKRS",
    "XBLNR",
    "BLDAT",
    "WRBTR",
    "WAERS",
    "MWSKZ",
    "HKONT",
    "SGTXT",
    "KUNNR",
    "ZFBDT",
    "ZTERM",
    "BLART",
)
WIDTHS: Final = (4, 16, 10, 17, 3, 2, 10, 50, 10, 10, 4, 2)
AMOUNT: Final = COLUMNS.index("WRBTR")
NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"


class Receivable(msgspec.Struct, frozen=True):
    """What the exports need of a row; all of it stays text."""

    number: str
    company: str
    issued_on: str
    terms: str
    currency: str
    tax_code: str
    product_group: str
    text: str
    customer_no: str
    iban: str
    mandate: str
    signed_on: str
    due_on: str
    amount: str


def rows(count: int) -> Iterator[bytes]:
    """JSON lines, the same on every run."""
    chance = random.Random(11)
    first = date(2026, 1, 1)
    days = [(first + timedelta(days)).isoformat() for days in range(-600, 500)]
    companies, terms, taxes, groups = map(list, (COMPANIES, TERMS, TAX, GL))
    names = ("Müller & Söhne GmbH", "Müller & Söhne GmbH", 'Dupont "Le Petit"; SARL')
    for number in range(count):
        issued = 600 + chance.randrange(365)
        yield (
            json.dumps(
                {
                    "number": f"r2026-{number:07}",
                    "company": chance.choice(companies),
                    "issued_on": days[issued],
                    "terms": chance.choice(terms),
                    "currency": "CHF" if chance.random() < 0.25 else "EUR",
                    "tax_code": chance.choice(taxes),
                    "product_group": chance.choice(groups),
                    "text": f"{chance.choice(names)} {chance.randrange(5000)}",
                    "customer_no": f"10{chance.randrange(400_000):06}",
                    "iban": f"DE{number % 97:02}37040044{number:010}",
                    "mandate": f"M-{number:09}",
                    "signed_on": days[chance.randrange(600)],
                    "due_on": days[issued + chance.choice((14, 30, 60))],
                    "amount": f"{chance.randrange(1, 10_000_000) / 100:.2f}",
                },
                ensure_ascii=False,
                separators=(",", ":"),
            ).encode()
            + b"\n"
        )


def read(path: Path) -> Iterator[Receivable]:
    """The rows of a file, one at a time."""
    decode = msgspec.json.Decoder(Receivable).decode
    with path.open("rb") as lines:
        yield from map(decode, lines)


def day(text: str) -> str:
    """2026-05-24 as 24.05.2026."""
    return f"{text[8:]}.{text[5:7]}.{text[:4]}"


def posting(row: Receivable) -> tuple[str, ...]:
    """The values of ``COLUMNS``, with a decimal point."""
    return (
        COMPANIES[row.company],
        row.number.upper(),
        day(row.issued_on),
        row.amount,
        row.currency,
        TAX[row.tax_code],
        GL[row.product_group],
        row.text,
        row.customer_no.zfill(10),
        day(row.due_on),
        TERMS[row.terms],
        "DR",
    )


def has_polars() -> bool:
    """Whether Polars can be imported."""
    if PEERS.is_dir() and str(PEERS) not in sys.path:
        sys.path.append(str(PEERS))
    return importlib.util.find_spec("polars") is not None


def polars_csv(source: Path, target: Path) -> None:
    """Semicolons, decimal comma, quotes where needed; written as a stream."""
    if not has_polars():
        raise RuntimeError("polars not installed")
    import polars as pl

    def code(column: str, codes: dict[str, str]) -> pl.Expr:
        return pl.col(column).replace_strict(codes, return_dtype=pl.String)

    def german(column: str) -> pl.Expr:
        text = pl.col(column).str
        return pl.concat_str([text.slice(8, 2), text.slice(5, 2), text.slice(0, 4)], separator=".")

    schema = dict.fromkeys(Receivable.__struct_fields__, pl.String)
    values = (
        code("company", COMPANIES),
        pl.col("number").str.to_uppercase(),
        german("issued_on"),
        pl.col("amount").str.replace(".", ",", literal=True),
        pl.col("currency"),
        code("tax_code", TAX),
        code("product_group", GL),
        pl.col("text"),
        pl.col("customer_no").str.zfill(10),
        german("due_on"),
        code("terms", TERMS),
        pl.lit("DR"),
    )
    named = [value.alias(name) for value, name in zip(values, COLUMNS, strict=True)]
    pl.scan_ndjson(source, schema=schema).select(named).sink_csv(target, separator=";")


def by_hand_fixed(source: Path, target: Path) -> None:
    """Fixed width, amounts to the right, a line ends with CR and LF."""
    with target.open("w", encoding="utf-8", newline="") as out:
        for row in read(source):
            values = list(posting(row))
            values[AMOUNT] = values[AMOUNT].rjust(WIDTHS[AMOUNT])
            padded = (value.ljust(width) for value, width in zip(values, WIDTHS, strict=True))
            out.write("".join(padded) + "\r\n")


def lxml_xml(source: Path, target: Path) -> None:
    """One element a row, built with lxml and written as a stream.

    The elements have no namespace of their own, which spares lxml a declaration in every row; in
    the file they stand in that of the document.
    """
    from lxml import etree

    with etree.xmlfile(str(target), encoding="utf-8") as file:
        file.write_declaration()
        with file.element("Document", nsmap={None: NAMESPACE}):
            for row in read(source):
                file.write(_transaction(row, etree.Element, etree.SubElement))


def _transaction(row: Receivable, element: Any, child: Any) -> Any:
    item = element("DrctDbtTxInf")
    child(child(item, "PmtId"), "EndToEndId").text = row.number.upper()
    child(item, "InstdAmt", Ccy=row.currency).text = row.amount
    mandate = child(child(item, "DrctDbtTx"), "MndtRltdInf")
    child(mandate, "MndtId").text = row.mandate
    child(mandate, "DtOfSgntr").text = row.signed_on
    child(child(child(item, "DbtrAgt"), "FinInstnId"), "Othr").text = "NOTPROVIDED"
    child(child(item, "Dbtr"), "Nm").text = row.text
    child(child(child(item, "DbtrAcct"), "Id"), "IBAN").text = row.iban
    child(child(item, "RmtInf"), "Ustrd").text = f"Invoice {row.number}"
    return item
