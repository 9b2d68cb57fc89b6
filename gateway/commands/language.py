"""The language of mappings as its reference has it: grammar, converters, what checks say."""

from typing import Final

import msgspec

from gateway.kit.mapping import checking, document, expressions, overlays
from gateway.kit.mapping.converters import CONVERTERS


class Code(msgspec.Struct, frozen=True):
    """One check.

    Attributes:
        check: What it found, the end of a sentence.
        advice: What to do.
    """

    check: str
    advice: str


CODES: Final = {
    "E01": Code(
        "the target has no such field",
        "Correct the spelling; the message names the nearest one.",
    ),
    "E02": Code(
        "what is read does not exist: a field of the source, a name, a code list, a value",
        "Correct the spelling, or declare it under let:, codes:, config: or needs:.",
    ),
    "E03": Code("a required field of the target is not mapped", "Add a rule for it."),
    "E04": Code(
        "the types do not fit, or a converter is applied to a wrong one",
        "Convert the value, such as with | text, | isodate or | amount.",
    ),
    "E05": Code(
        "the value may be null where that is not allowed",
        "Add | required (null is parked) or | default(…), or ask with has(…) first.",
    ),
    "E06": Code(
        "the value may be too long or too large for its field, or a list have too many items",
        "Say what becomes of it: | cut(n) shortens, | fit(n) parks; for decimals | round(n).",
    ),
    "E07": Code(
        "something would be lost: decimals, the time of day, a zone, a fraction of a second",
        'Write the loss down: | round(n), | date("Europe/Berlin"), | unix.',
    ),
    "E08": Code(
        "a code list does not have all that may come in",
        "Add the keys that the message names, or a default: | code(list, …).",
    ),
    "E09": Code(
        "a value is none of those that the target takes, or not of its pattern; a number without"
        " quotes",
        "Use one of its values; put numbers of code lists in quotes.",
    ),
    "E12": Code(
        "a key stands twice, or two branches of a choice are always written",
        "Remove one of them, or say with when: which it is.",
    ),
    "E13": Code(
        "the field is read-only",
        "Remove the rule: the system refuses or ignores what is sent.",
    ),
    "E14": Code(
        "a list where one value belongs, or the other way round",
        "Write each: LIST as NAME for lists; first(… for …) takes one element of a list.",
    ),
    "E15": Code(
        "there is no such converter, or its arguments are wrong", "See the converters above."
    ),
    "E16": Code(
        "this is not part of the language, or above one of its limits",
        "Write it with the grammar above; split what is too large.",
    ),
    "E17": Code(
        "a constant is longer than its field", "Shorten it, also where it stands in a code list."
    ),
    "E18": Code(
        "an overlay does not fit the mapping underneath",
        "Name the mapping and its major version; remove only what is there; spell each id right.",
    ),
    "E19": Code("a condition is not true or false", "Compare it with something, or use has(…)."),
    "E20": Code(
        "the field keeps upper case only, the value may have lower case",
        "Add | upper, or accept with allow: [E20] that the system changes it.",
    ),
    "E21": Code(
        "a list is searched again for each element of a list",
        "Compute it once under let:, or group the list.",
    ),
    "E23": Code("the mapping may take too long", "Split it, or make lists and lengths smaller."),
    "E24": Code(
        "reversible: true, but a rule cannot be turned round",
        "Remove reversible:, or write the rule with converters that have an inverse.",
    ),
    "E25": Code(
        "a value of the tenant is missing, not declared or of a wrong type",
        "Give the value as config: declares it.",
    ),
    "E27": Code(
        "a comparison is never, or always, true",
        "Correct the constant: it is none of the values that may stand there.",
    ),
    "E30": Code(
        "any text may come in, and the code list cannot have them all",
        "Give a default, or allow: [E30]: an unknown one is parked, nothing is dropped.",
    ),
    "E31": Code(
        "an amount without its currency, of another one, or cents where none are counted",
        "Map the currency beside the amount, from the same money.",
    ),
    "E32": Code(
        "the mapping does not fit a newer release of the schema",
        "Change the rule before the system is upgraded.",
    ),
    "W10": Code("a key of a code list can never occur", "Remove it, or correct its spelling."),
    "W11": Code("a let, code list or value is not used", "Remove it."),
    "W22": Code(
        "a field of the source is not read", "Map it, or name it under unused: if that is meant."
    ),
    "W26": Code("a part of a rule has no effect", "Remove it."),
    "W28": Code(
        "the value may be shorter than the target takes, or a list have too few items",
        "Add a default, or accept it with allow:.",
    ),
    "W29": Code("allow: or unused: names what does not occur", "Remove it."),
}

# What converters do; kinds, parameters and inverse are read from the code.
CONVERTS: Final = {
    "upper": "In upper case.",
    "lower": "In lower case.",
    "strip": "Without spaces at both ends.",
    "cut": "The first n characters.",
    "part": "The characters from a up to b, counted from 0.",
    "fit": "As it is; the call is parked if it is longer than n.",
    "remove": "Without a text that may stand in it.",
    "zfill": "Digits with zeros in front, n characters long; other text as it is (SAP's ALPHA).",
    "unzfill": "Digits without zeros in front; other text as it is.",
    "text": "A whole number as text.",
    "amount": "A number as plain text, never with an exponent.",
    "round": "With n decimals, half away from zero.",
    "minor": "An amount in the smallest unit of its currency: 12.34 EUR is 1234.",
    "major": "The other way round.",
    "epoch": "Seconds since 1970 as a moment.",
    "unix": "A moment as whole seconds since 1970; a fraction is cut off.",
    "isodate": "A date as text YYYY-MM-DD, or such a text as a date.",
    "date": "The day of a moment in a time zone.",
    "utc": "A moment in UTC.",
    "nonempty": "Null in place of the empty text.",
    "join": "A list of texts as one.",
    "oneline": "In one line: control characters and runs of blanks become one blank.",
    "fold": "One line of a text that is parted between words, by the widths of the lines; counted"
    " from 0. What exceeds the last line is cut.",
}
_NAMED: Final = {
    "default(EXPR)": "Another value in place of null.",
    "required": "As it is; the call is parked if it is null.",
    "code(LIST)": "The entry of a code list; the call is parked if there is none.",
    "code(LIST, default)": "The entry of a code list, or the default (`None` leaves it out).",
}
_GRAMMAR: Final = """
# The language of mappings

A mapping is a YAML file of sections. It may rename, move, convert and look up; it may not decide
what happens next. Everything in it is checked against the schemas of both ends before it runs.
How to change one: [change a mapping](../howto/change-a-mapping.md).

## File

```text
mapping: NAME            # a-z, 0-9, _ and . (sap_s4.sales_order)
version: 1.2.3
from: REF                # canonical.Struct | edmx:FILE#Type | openapi:API#schema | schema:FILE
to: REF                  #   | xsd:FILE#element | wsdl:FILE#operation | csv:LAYOUT | fixed:LAYOUT
extends: NAME@MAJOR      # only in an overlay, in place of the four above
config:  {NAME: TYPE}    # values of the tenant: str(n) int bool decimal(p,s) enum(a,b) map
needs:   {NAME: REF}     # look-ups that the flow fetched before; read as needs.NAME
codes:   {LIST: {KEY: "VALUE"}}  # null leaves the field out; "A.b" and "*.b" have two keys;
                                 # "@name" stands for a long list
let:     {NAME: EXPR}    # computed once, in this order
fields:  {TARGET: RULE}
unused:  [PATH]          # fields of the source that are left out on purpose
reversible: true         # promises that the mapping can be turned round
```

## Rules

```text
RULE  := EXPR | {const: SCALAR} | {value: EXPR, when: COND, clear: true, allow: [CODE]}
       | {fields: {…}, when: COND}        one object
       | BLOCK | [BLOCK, …]               a list; the items of blocks follow each other
BLOCK := {each: "LIST as NAME", when: COND, fields: {…}}          an item per element
       | {group: "LIST by KEY, KEY as NAME", when: COND, after: TARGET, fields: {…}}
       | {when: COND, fields: {…}}                                one item
```

A list of texts or numbers has `value:` or `const:` in place of `fields:`. A block may carry `id:`,
by which an overlay changes it. `clear: true` writes null where the value is null; otherwise null
leaves the field out. A list without items is written; `omit: true` in one of its blocks
leaves it out. `allow:` accepts findings that an engineer has decided on.
An expression that cannot be read has no value and cannot be accepted; an overlay that replaces a
value decides anew.

## Expressions

```text
EXPR := PIPE | PIPE "if" COND "else" EXPR
PIPE := SUM ("|" CONVERTER)*
SUM  := ["-"] ATOM (("+" | "-" | "*") ATOM)*      whole numbers and decimals, never floating point
ATOM := PATH | "text" | INT | True | False | None | f"text {PIPE} text" | FUNC | "(" EXPR ")"
PATH := NAME ("." NAME)*                          names of loops and let, cfg., needs., the source
FUNC := sum(LIST.FIELD) | count(LIST) | has(PATH) | dec("1.5") | position
      | sum|first|any|count "(" EXPR "for" NAME "in" LIST ["if" COND] ")"
COND := EXPR (== != < <= > >=) EXPR | EXPR ["not"] "in" (CONST, …) | has(PATH)
      | "not" COND | COND "and" | "or" COND
```

Null goes through every converter as null, and leaves its field out. It may not reach arithmetic,
templates, comparisons of order or a required field. What goes wrong at run time parks the call
with mapping, file, line, field and tenant; nothing is dropped or cut unless the mapping says so.
The record does not repeat the value, which may be of a person; only a key that a code list lacks.

## What is not checked

A `pattern` of the target is held against texts of the mapping (constants, code lists), not against
texts of the source with another pattern. `/Date(ms)/` keeps milliseconds of a moment. Whether the
conditions of two branches of a choice exclude each other is not known.

## Files

Rows of CSV are for machines: a text that a spreadsheet would take for a formula (`=1+1`) is written
as it is, quoted where the separator, a quote or a line end stands in it; a null character is
refused. Whoever opens such a file in a spreadsheet imports its columns as text. In a fixed column
`fill: "0"` of a number stands behind its sign; a missing value is spaces, never zero.
"""
_CASES: Final = """
## Cases

Beside `NAME.yaml` lies `NAME.cases.yaml`: a list of cases, or a map with `cases:`, `config:`
(values for all of them) and `waived:` (what no case has to reach, and why). A case has `name`,
`in`, perhaps `needs` and `config`, and either `out` or `fails: {path, code}`.
`headrace mappings test --coverage` names what no case reaches as `waived:` repeats it:

| name | what was not reached |
|---|---|
| `field /City` | The rule. |
| `branch /CareOf care_of null` | The value was always there; `there`: it never was. |
| `branch /Discount fails` | The condition always held; `holds`: it never did. |
| `branch /Name empty` | `nonempty` never met an empty text; `filled`: it met nothing else. |
| `code terms net60` | The entry of a code list; `default` for what stands in no entry. |
"""


def text() -> str:
    """The page ``docs/reference/mapping-language.md``, without its note."""
    parts = [_GRAMMAR, _converters(), _limits(), _overlays(), _CASES, _codes()]
    return "".join(parts)


def _converters() -> str:
    rows = []
    for name, converter in CONVERTERS.items():
        form = f"{name}({', '.join(converter.parameters)})" if converter.parameters else name
        takes = ", ".join(sorted(kind.value for kind in converter.kinds))
        inverse = f"`{converter.inverse}`" if converter.inverse else ""
        rows.append(f"| `{form}` | {takes} | {CONVERTS[name]} | {inverse} |\n")
    rows += [f"| `{form}` | anything | {told} | |\n" for form, told in _NAMED.items()]
    head = "\n## Converters\n\n| converter | takes | gives | turned round |\n|---|---|---|---|\n"
    return head + "".join(rows)


def _limits() -> str:
    limits = {
        "size of a file": f"{document.FILE_BYTES:,} bytes",
        "size of an overlay": f"{overlays.BYTES:,} bytes",
        "values in a file": f"{document.NODES:,}",
        "characters of an expression": f"{expressions.CHARACTERS:,}",
        "depth of an expression": str(expressions.DEPTH),
        "lists in lists": str(checking.NESTING),
        "constants": f"{expressions.ARGUMENT:,} characters",
        "steps of one call, a list without limit counted as 1,000": f"{checking.COST:,}",
    }
    rows = "".join(f"| {name} | {limit} |\n" for name, limit in limits.items())
    return (
        "\n## Limits\n\nNo loops but those over lists, no recursion, no patterns; no anchors,"
        f" tags or merge keys of YAML.\n\n| what | at most |\n|---|---|\n{rows}"
    )


def _overlays() -> str:
    return (
        "\n## Overlays\n\nAn overlay has `extends:` and the sections that it changes. Maps are"
        " merged, null removes, lists are replaced unless their blocks have `id:`; `fields: null`"
        " removes such a block. An `id` that only looks like a known one is refused. What comes out"
        " is checked like any mapping.\n"
    )


def _codes() -> str:
    rows = "".join(
        f"| `{code}` | {_cell(told.check)} | {_cell(told.advice)} |\n"
        for code, told in CODES.items()
    )
    return (
        "\n## What checks say\n\nE stops the start. W is decided by whoever wrote the mapping:"
        " mended, or named under `allow:` or `unused:`.\n\n"
        f"| code | found | what to do |\n|---|---|---|\n{rows}"
    )


def _cell(sentence: str) -> str:
    return sentence.replace("|", "\\|")
