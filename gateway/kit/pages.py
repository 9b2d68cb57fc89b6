"""Pages: a text as a PDF, for products that take no plain text.

Source: ISO 32000-1 §7.5 (file structure) and §9.6.2 (standard fonts, which need not be embedded).
"""

import textwrap
from typing import Final

_COLUMNS: Final = 90
_LINES: Final = 54
# A4 in points; Courier at 9.5 points is 5.7 wide, so that 90 columns fit between the margins.
_PAGE: Final = "[0 0 595 842]"
_START: Final = "BT /F1 9.5 Tf 14 TL 40 800 Td"


def of_text(text: str) -> bytes:
    """The text, broken into lines and pages.

    Raises:
        ValueError: A character that the standard fonts do not have.
    """
    lines = [
        part for line in text.splitlines() for part in textwrap.wrap(line, _COLUMNS) or [""]
    ] or [""]
    pages = [lines[at : at + _LINES] for at in range(0, len(lines), _LINES)]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode("ascii"),
        font.encode("ascii"),
    ]
    for number, page in enumerate(pages):
        shown = _shown(page)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox {_PAGE} /Contents {5 + 2 * number} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>".encode("ascii")
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown))
    return _file(objects)


def _shown(lines: list[str]) -> bytes:
    """What draws the lines, top down."""
    drawn = [b"(%s) Tj T*" % _escaped(line) for line in lines]
    return b"\n".join([_START.encode("ascii"), *drawn, b"ET"])


def _escaped(line: str) -> bytes:
    raw = line.encode("cp1252")
    return raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _file(objects: list[bytes]) -> bytes:
    """The objects, and where each begins."""
    made, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    size, start = len(objects) + 1, len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, rows)
    return made + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
