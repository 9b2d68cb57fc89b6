"""The embedded risk engine: a decision table that a person can read, and the reason it gave.

The table is a JDM graph (zen-engine) with one decision table, first hit. zen checks nothing: a
string in a number column, a misspelt column and a cell that does not parse or fails all fall
through to the next row in silence, and its ``validate`` passes them. So each cell is tried when
the table is loaded, the input is checked before a decision and the answer after it. Money is
compared in the table, never computed.

Source: GoRules documentation, "JSON Decision Model"; zen-engine 2.1.3, measured.
"""

import hashlib
from importlib import resources
from typing import Annotated, Any, Literal

import msgspec
import zen
from msgspec import Meta

from gateway.errors import Misconfigured
from gateway.model.identifiers import derived_id
from gateway.model.order import Channel, Order
from gateway.model.party import PartyKind
from gateway.model.risk import RiskAssessment, RiskReason, RiskState
from gateway.ports.exchange import Exchange

EXPLANATION_BYTES = 16 * 1024
PURPOSE = "order_acceptance"

_Country = Annotated[str, Meta(pattern="^[A-Z]{2}$")]
_Method = Annotated[str, Meta(pattern="^[a-z0-9_]{2,40}$")]
_Cell = Annotated[str, Meta(max_length=4_000)]


class RiskInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a table may look at; nothing that names a person, and no protected trait.

    Attributes:
        amount_minor: Total in minor units of the currency, 5000000 for 50,000.00 EUR and for
            5,000,000 JPY; a limit therefore always stands beside a currency.
        country: Of the first address.
        countries: Of all addresses, sorted; for lists that one of them is enough for.
        item_count: Pieces, not lines.
    """

    amount_minor: Annotated[int, Meta(ge=0, lt=10**18)]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    channel: Channel
    kind: Annotated[str, Meta(pattern="^[A-Z_]{2,40}$")]
    party_kind: PartyKind
    country: _Country
    countries: Annotated[tuple[_Country, ...], Meta(min_length=1, max_length=5)]
    method_code: _Method
    item_count: Annotated[int, Meta(ge=1, lt=10**9)]
    has_vat_id: bool


class _Answer(msgspec.Struct, frozen=True):
    decision: RiskState
    methods_allowed: tuple[_Method, ...]
    reason: RiskReason


class _Column(msgspec.Struct, frozen=True):
    id: Annotated[str, Meta(min_length=1)]
    field: str


class _Table(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    hit_policy: Literal["first"]
    # Another place or mode would leave every column empty, and the default row decides.
    input_field: None = None
    output_path: None = None
    execution_mode: Literal["single"] = "single"
    inputs: Annotated[tuple[_Column, ...], Meta(min_length=1)]
    outputs: tuple[_Column, ...]
    rules: Annotated[tuple[dict[str, _Cell], ...], Meta(min_length=1, max_length=1_000)]


class _Node(msgspec.Struct, frozen=True):
    id: str
    type: str
    name: str = ""
    content: msgspec.Raw = msgspec.Raw(b"null")


class _Graph(msgspec.Struct, frozen=True):
    nodes: tuple[_Node, ...]


_GRAPH = msgspec.json.Decoder(_Graph)
_TABLE = msgspec.json.Decoder(_Table)
# Any order: whatever row it hits, the table has to answer with a decision.
_PROBE = RiskInput(
    amount_minor=100,
    currency="EUR",
    channel=Channel.B2C,
    kind="PURCHASE",
    party_kind=PartyKind.PERSON,
    country="DE",
    countries=("DE",),
    method_code="card",
    item_count=1,
    has_vat_id=False,
)
_PROBE_VALUES: dict[str, Any] = msgspec.to_builtins(_PROBE)
_CANONICAL = msgspec.json.Encoder(order="sorted")
_OUTPUTS = frozenset({"decision", "methods_allowed", "reason.code", "reason.text"})


class DecisionTableRisk:
    """The port ``risk`` without a bureau: an exchange that sends nothing.

    Attributes:
        strategy_version: Name and the first twelve digits of the table's SHA-256, so that every
            decision names the table that made it.

    Args:
        table: The JDM graph, as JSON.
        name: What the strategy is called, such as ``default``.

    Raises:
        Misconfigured: The table does not load, may run code, or can leave an order undecided.
    """

    def __init__(self, table: bytes, name: str) -> None:
        self._table_id = _checked_table(table)
        self._decision = _loaded(table)
        self._decide(_CANONICAL.encode(_PROBE))
        self.strategy_version = f"{name}@{hashlib.sha256(table).hexdigest()[:12]}"

    def assess(self, order: Order, *, key: str) -> Exchange[RiskAssessment]:
        """Decide; the same key gives the same assessment id."""
        yield from ()  # a bureau would be asked here
        return self._assess(order, key)

    def _assess(self, order: Order, key: str) -> RiskAssessment:
        canonical = _CANONICAL.encode(risk_input(order))
        answer, trace = self._decide(canonical)
        return RiskAssessment(
            assessment_id=derived_id(key),
            party_id=order.party.party_id,
            order_id=order.order_id,
            purpose=PURPOSE,
            inputs_hash=hashlib.sha256(canonical).hexdigest(),
            strategy_version=self.strategy_version,
            decision=answer.decision,
            methods_allowed=answer.methods_allowed,
            reasons=(answer.reason,),
            explanation=_explanation(trace, self._table_id),
        )

    def _decide(self, canonical: bytes) -> tuple[_Answer, dict[str, Any]]:
        try:
            response = self._decision.evaluate(canonical, {"trace": True})
            return msgspec.convert(response["result"], _Answer), response["trace"]
        except msgspec.ValidationError as error:
            raise Misconfigured(
                "The decision table answered something that is not a decision.",
                code="risk_answer_invalid",
                detail=str(error),
            ) from error
        except RuntimeError as error:
            raise Misconfigured(
                "The decision table failed.", code="risk_table_failed", detail=_first_line(error)
            ) from error


def default_risk() -> DecisionTableRisk:
    """The engine with the table that comes with the hub."""
    file = resources.files("gateway.engines").joinpath("risk_default.json")
    return DecisionTableRisk(file.read_bytes(), "default")


def risk_input(order: Order) -> RiskInput:
    """What the table may know of an order.

    Raises:
        Misconfigured: A value is outside what the columns expect.
    """
    party = order.party
    fields = {
        "amount_minor": order.total.minor,
        "currency": order.total.currency,
        "channel": order.channel,
        "kind": order.kind,
        "party_kind": party.kind,
        "country": party.addresses[0].country,
        "countries": tuple(sorted({address.country for address in party.addresses})),
        "method_code": order.payment.method_code,
        "item_count": sum(item.quantity for item in order.items),
        "has_vat_id": party.vat_id is not None,
    }
    try:
        # Structs check nothing when they are made, so the fields are converted.
        return msgspec.convert(fields, RiskInput)
    except msgspec.ValidationError as error:
        raise Misconfigured(
            "The order has a value that the decision table cannot judge.",
            code="risk_input_invalid",
            detail=str(error),
        ) from error


def _checked_table(raw: bytes) -> str:
    try:
        nodes = _GRAPH.decode(raw).nodes
        tables = [node for node in nodes if node.type == "decisionTableNode"]
        foreign = {node.type for node in nodes} - {"inputNode", "outputNode", "decisionTableNode"}
        if foreign:
            # Function nodes run JavaScript; the others reach files or hide the row that decided.
            raise _wrong(f"not allowed: {', '.join(sorted(foreign))[:120]}")
        if len(tables) != 1:
            raise _wrong(f"{len(tables)} decision tables, expected one")
        table = _TABLE.decode(tables[0].content)
    except msgspec.MsgspecError as error:
        raise _wrong(str(error)) from error
    _check_columns(table)
    _check_cells(table)
    return tables[0].id


def _check_columns(table: _Table) -> None:
    unknown = {column.field for column in table.inputs} - set(RiskInput.__struct_fields__)
    if unknown:
        raise _wrong(f"column {min(unknown)[:40]!r} is not a field of the input")
    if {column.field for column in table.outputs} != _OUTPUTS:
        raise _wrong(f"outputs must be {', '.join(sorted(_OUTPUTS))}")
    if any(table.rules[-1].get(column.id) for column in table.inputs):
        raise _wrong("the last row must be the default, with every condition empty")


def _check_cells(table: _Table) -> None:
    for number, rule in enumerate(table.rules, start=1):
        for column in table.inputs:
            _check_condition(rule.get(column.id, ""), column.field, number)
        _check_answer({column.field: rule.get(column.id, "") for column in table.outputs}, number)


def _check_condition(cell: str, field: str, number: int) -> None:
    if not cell:
        return
    try:
        # Tried on a value of the column's type: a cell that fails would skip its row in silence.
        zen.evaluate_unary_expression(cell, {"$": _PROBE_VALUES[field]})
    except RuntimeError as error:
        raise _wrong(f"row {number}, {field}: {_first_line(error)}") from error


def _check_answer(cells: dict[str, str], number: int) -> None:
    try:
        # Constants only: an expression that fails would skip its row too.
        values = {field: msgspec.json.decode(cell) for field, cell in cells.items()}
        reason = {"code": values["reason.code"], "text": values["reason.text"]}
        msgspec.convert({**values, "reason": reason}, _Answer)
    except msgspec.MsgspecError as error:
        raise _wrong(f"row {number}, answer: {error}") from error


def _loaded(table: bytes) -> zen.ZenDecision:
    try:
        decision = zen.ZenEngine().create_decision(table.decode("utf-8"))
        decision.validate()
    except (RuntimeError, UnicodeDecodeError) as error:
        raise _wrong(_first_line(error)) from error
    return decision


def _wrong(cause: str) -> Misconfigured:
    return Misconfigured(
        f"The decision table cannot be used: {cause}.", code="risk_table_invalid", detail=cause
    )


def _first_line(error: Exception) -> str:
    # zen appends a stack of its own to each message.
    return str(error).partition("\n\nStack backtrace")[0].replace("\n", " ")[:200]


def _explanation(trace: dict[str, Any], table_id: str) -> str:
    steps = [_step(node) for node in sorted(trace.values(), key=lambda node: node["order"])]
    whole = _CANONICAL.encode(steps)
    if len(whole) <= EXPLANATION_BYTES:
        return whole.decode("utf-8")
    rule = (trace[table_id]["traceData"] or {}).get("rule", {})
    return _CANONICAL.encode([{"shortened": True, "rule": rule.get("_id", "")}]).decode("utf-8")


def _step(node: dict[str, Any]) -> dict[str, Any]:
    # Without the times, so that the same input has the same explanation.
    return {name: value for name, value in node.items() if name != "performance"}
