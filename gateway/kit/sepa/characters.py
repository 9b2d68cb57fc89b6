"""The characters of SEPA: what a file may hold, and how other writing becomes that.

Names and remittance texts are transliterated, references never (see ``identifiers``). A character
without a spelling is refused; nothing is dropped, and nothing is cut unless the caller says so.

Source: EPC217-08, SEPA requirements for an extended character set: the Latin set and its
conversion table for punctuation. German umlauts as the DK recommends (ä is ae), Greek after
ISO 843, Bulgarian after its transliteration act of 2009.
"""

import re
import unicodedata
from typing import Final

ALLOWED: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ "
)
_WRITTEN: Final = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]*")

_LATIN: Final = dict(
    pair.split("=")
    for pair in """
    ä=ae ö=oe ü=ue Ä=Ae Ö=Oe Ü=Ue ß=ss ẞ=SS æ=ae Æ=Ae œ=oe Œ=Oe ø=o Ø=O đ=d Đ=D ð=d Ð=D þ=th Þ=Th
    ł=l Ł=L ı=i ħ=h Ħ=H ŋ=n Ŋ=N ŧ=t Ŧ=T ĸ=k ŉ='n ĳ=ij Ĳ=IJ ŀ=l Ŀ=L ª=a º=o
    """.split()
)
_GREEK: Final = dict(
    pair.split("=")
    for pair in """
    α=a β=v γ=g δ=d ε=e ζ=z η=i θ=th ι=i κ=k λ=l μ=m ν=n ξ=x ο=o π=p ρ=r σ=s ς=s τ=t υ=y φ=f χ=ch
    ψ=ps ω=o
    """.split()
)
_CYRILLIC: Final = dict(
    pair.split("=")
    for pair in """
    а=a б=b в=v г=g д=d е=e ж=zh з=z и=i й=y к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=h ц=ts
    ч=ch ш=sh щ=sht ъ=a ь=y ю=yu я=ya
    """.split()
)
_PUNCTUATION: Final = {
    **dict.fromkeys("!#$%*=^@", "."),
    **dict.fromkeys("<[{", "("),
    **dict.fromkeys(">]}", ")"),
    **dict.fromkeys("\\|", "/"),
    **dict.fromkeys("_~‐‑‒–—−", "-"),
    **dict.fromkeys('"`´‘’‚‛“”„‟«»‹›', "'"),
    **dict.fromkeys("\t\n\r\u00a0\u2007\u2009\u202f", " "),
    ";": ",",
    "&": "+",
    "…": "...",
    "€": "EUR",
    "£": "GBP",
    "§": "Par.",
    "№": "No.",
    "·": ".",
    "•": "-",
}
_TABLE: Final = {
    **_LATIN,
    **_PUNCTUATION,
    **{
        letter: spelling
        for alphabet in (_GREEK, _CYRILLIC)
        for small, written in alphabet.items()
        for letter, spelling in ((small, written), (small.upper(), written.capitalize()))
        if len(letter) == 1
    },
    "ς": "s",
}


class Unwritable(ValueError):  # noqa: N818 - the text is, not the program
    """A text that a file cannot hold; its message never repeats the text.

    Attributes:
        rule: ``characters``, ``length`` or ``empty``.
        position: Of the character, from 1, in the composed form (NFC); 0 where none is to blame.
    """

    def __init__(self, rule: str, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.rule = rule
        self.position = position


def written(text: str, *, at_most: int, cut: bool = False) -> str:
    """The text as a file holds it.

    Args:
        at_most: Characters of the field, counted after transliteration.
        cut: What is over may be lost.

    Raises:
        Unwritable: A character has no spelling, or the text is empty or too long.
    """
    plain = text if _WRITTEN.fullmatch(text) else transliterated(text)
    plain = plain.strip()
    if not plain:
        raise Unwritable("empty", "nothing is left to write")
    if len(plain) > at_most:
        if not cut:
            raise Unwritable("length", f"{len(plain)} characters, the field takes {at_most}")
        plain = plain[:at_most].rstrip()
    return plain


def transliterated(text: str) -> str:
    """The text in the characters of SEPA.

    Raises:
        Unwritable: A character has no spelling; its code point is named.
    """
    return "".join(
        each if each in ALLOWED else _spelling(each, position)
        for position, each in enumerate(unicodedata.normalize("NFC", text), 1)
    )


def _spelling(character: str, position: int) -> str:
    spelling = _TABLE.get(character)
    if spelling is not None:
        return spelling
    # A letter with marks is the letter; a ligature or a full-width form is what it stands for.
    parts = [
        each for each in unicodedata.normalize("NFKD", character) if not unicodedata.combining(each)
    ]
    spelt = [each if each in ALLOWED else _TABLE.get(each) for each in parts]
    if not spelt or None in spelt:
        message = f"character {position} (U+{ord(character):04X}) has no spelling in SEPA"
        raise Unwritable("characters", message, position)
    return "".join(filter(None, spelt))
