"""Wiring: a configuration with a mistake makes no process, one without makes all its parts."""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from gateway import app, configuring
from gateway.configuring import Configuration
from gateway.errors import Misconfigured

_TENANT: Final[dict[str, Any]] = {
    "tenant": "acme",
    "currencies": ["EUR"],
    "systems": [
        {
            "name": "stripe_de",
            "adapter": "stripe",
            "settings": {"secret_key": "env:APP_KEY", "webhook_secrets": ["env:APP_KEY"]},
        },
        {
            "name": "sap",
            "adapter": "sap_s4",
            "settings": {
                "base_url": "http://sap",
                "user": "U",
                "password": "env:APP_KEY",
                "client": "100",
                "sales_organization": "1710",
                "distribution_channel": "10",
                "division": "00",
            },
        },
        {
            "name": "sales",
            "adapter": "salesforce",
            "settings": {
                "login_url": "http://sales",
                "client_id": "headrace",
                "client_secret": "env:APP_KEY",
            },
        },
        {"name": "rules", "adapter": "decision_table"},
    ],
    "routing": {"erp": "sap", "crm": "sales", "risk": "rules", "payments": "stripe_de"},
}
Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("APP_KEY", "invented")
    monkeypatch.setenv("APP_EMPTY", "")
    monkeypatch.delenv("APP_NOWHERE", raising=False)


def written(
    folder: Path, *, process: Mapping[str, Any] | None = None, **tenants: Change | None
) -> Path:
    """A configuration: the good tenant once for each name, changed where a change is given."""
    (folder / "tenants").mkdir()
    for name, change in (tenants or {"acme": None}).items():
        tenant = copy.deepcopy(_TENANT) | {"tenant": name}
        if change is not None:
            change(tenant)
        text = yaml.safe_dump(tenant, sort_keys=False)
        (folder / "tenants" / f"{name}.yaml").write_text(text)
    path = folder / "headrace.yaml"
    path.write_text(yaml.safe_dump(dict(process or {})))
    return path


def configured(folder: Path, **settings: Any) -> Configuration:
    return configuring.configure(written(folder, **settings))


def said(folder: Path, **settings: Any) -> str:
    """What is said about a configuration, without where it lies."""
    path = written(folder, **settings)
    with pytest.raises(Misconfigured) as caught:
        configuring.configure(path)
    return caught.value.message.removeprefix(f"{folder}/")


def system(number: int, *path: str, value: Any) -> Change:
    """A change of one field of a system."""

    def change(tenant: dict[str, Any]) -> None:
        inner = tenant["systems"][number]
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = value

    return change


def test_good_configuration_is_typed_and_has_its_secrets(tmp_path: Path) -> None:
    """References are resolved; each system has its adapter's own settings."""
    made = configured(tmp_path)

    adapter, settings = made.systems["acme"]["stripe_de"]
    assert ("stripe", "invented", ("invented",)) == (
        adapter.product,
        settings.secret_key,
        settings.webhook_secrets,
    )
    assert {"stripe_de", "sap", "sales", "rules"} == set(made.systems["acme"])


_NO_SECRET: Final = "give a reference, env:NAME or file:/path, never the secret itself"
_HALF_A_LEASE: Final = (
    "connect_timeout_s + timeout_s (23 s) may be at most half of worker.lease_s (30 s)"
)
_SALES_ORDER: Final = "systems[1].verbs.create_sales_order"


@pytest.mark.parametrize(
    ("change", "line", "field", "reason"),
    [
        (
            system(0, "settings", "secret_key", value="sk_live_1"),
            "secret_key: sk_live_1",
            "systems[0].settings.secret_key",
            _NO_SECRET,
        ),
        (
            system(0, "settings", "webhook_secrets", value=["whsec_1"]),
            "webhook_secrets:",
            "systems[0].settings.webhook_secrets",
            _NO_SECRET,
        ),
        (
            system(2, "settings", "client_secret", value="env:APP_NOWHERE"),
            "client_secret: env:APP_NOWHERE",
            "systems[2].settings.client_secret",
            "environment variable APP_NOWHERE is not set",
        ),
        (
            system(2, "settings", "client_secret", value="env:APP_EMPTY"),
            "client_secret: env:APP_EMPTY",
            "systems[2].settings.client_secret",
            "environment variable APP_EMPTY is empty",
        ),
        (
            system(1, "settings", "password", value="file:nowhere"),
            "password: file:nowhere",
            "systems[1].settings.password",
            "nowhere cannot be read",
        ),
        (
            system(0, "settings", "secrt_key", value="env:APP_KEY"),
            "secrt_key: env:APP_KEY",
            "systems[0].settings.secrt_key",
            "there is no such field",
        ),
        (
            system(1, "settings", "client", value="1"),
            "client: '1'",
            "systems[1].settings.client",
            "Expected `str` matching regex '^[0-9]{3}$'",
        ),
        (
            lambda tenant: tenant["systems"][1]["settings"].pop("client"),
            "settings:",
            "systems[1].settings.client",
            "is missing",
        ),
        (
            system(1, "settings", "materials", value={"CAR-1": ""}),
            "materials:",
            "systems[1].settings.materials[...]",
            "Expected `str` of length >= 1",
        ),
        (
            system(0, "adapter", value="strype"),
            "adapter: strype",
            "systems[0].adapter",
            "there is no adapter 'strype'",
        ),
        (
            system(0, "adapter", value="os"),
            "adapter: os",
            "systems[0].adapter",
            "there is no adapter 'os'",
        ),
        (
            system(3, "name", value="sales"),
            "- name: sales",
            "systems[3].name",
            "'sales' stands twice",
        ),
        (
            system(3, "name", value="wallets"),
            "- name: wallets",
            "systems[3].name",
            "'wallets' is what the ledger's wallets are called",
        ),
        (
            system(1, "policy", "attempts", value=0),
            "attempts: 0",
            "systems[1].policy.attempts",
            "Expected `int` >= 1",
        ),
        (
            system(1, "verbs", "create_sales_order", "timout_s", value=3),
            "timout_s: 3",
            f"{_SALES_ORDER}.timout_s",
            "there is no such field",
        ),
        (
            system(1, "verbs", "create_sales_order", "timeout_s", value="3"),
            "timeout_s: '3'",
            f"{_SALES_ORDER}.timeout_s",
            "Expected `float`, got `str`",
        ),
        (
            system(1, "verbs", "create_salesorder", "timeout_s", value=3),
            "create_salesorder:",
            "systems[1].verbs.create_salesorder",
            "there is no such verb",
        ),
        (
            system(1, "policy", "timeout_s", value=20),
            "timeout_s: 20",
            "systems[1].policy.timeout_s",
            _HALF_A_LEASE,
        ),
        (
            lambda tenant: tenant["routing"].update(erp="nowhere"),
            "erp: nowhere",
            "routing.erp",
            "there is no system 'nowhere'",
        ),
        (
            lambda tenant: tenant["routing"].update(erp="stripe_de"),
            "erp: stripe_de",
            "routing.erp",
            "Stripe does not fulfil erp",
        ),
        (
            lambda tenant: tenant["routing"].update(risk="sap"),
            "risk: sap",
            "routing.risk",
            "SAP S/4HANA does not fulfil risk",
        ),
        (
            lambda tenant: tenant["routing"].update(payment_fallbacks=["adyen_de"]),
            "- adyen_de",
            "routing.payment_fallbacks[0]",
            "there is no system 'adyen_de'",
        ),
        (
            lambda tenant: tenant["routing"].update(
                payment_rules=[{"name": "r", "to": {"sap": 1}}]
            ),
            "to:",
            "routing.payment_rules[0].to",
            "SAP S/4HANA does not fulfil payments",
        ),
        (
            lambda tenant: tenant["routing"].update(
                payment_rules=[{"name": "r", "above": "1.00", "to": {"stripe_de": 1}}]
            ),
            "above: '1.00'",
            "routing.payment_rules[0].above",
            "needs exactly one currency beside it",
        ),
        (
            lambda tenant: tenant["routing"].update(
                payment_rules=[
                    {"name": "r", "up_to": "1.5", "currencies": ["JPY"], "to": {"stripe_de": 1}}
                ]
            ),
            "up_to: '1.5'",
            "routing.payment_rules[0].up_to",
            "JPY has 0 decimals, got 1",
        ),
        (
            lambda tenant: tenant["routing"].pop("crm"),
            "routing:",
            "routing.crm",
            "is missing",
        ),
        (
            lambda tenant: tenant.update(currencies=["EUR", "EUX"]),
            "- EUX",
            "currencies[1]",
            "'EUX' is not an ISO 4217 currency code",
        ),
    ],
)
def test_mistake_of_a_tenant_is_named(
    tmp_path: Path, change: Change, line: str, field: str, reason: str
) -> None:
    """Its file, the line where a person finds it, the field, and what is wrong."""
    file, number, named = said(tmp_path, acme=change).split(":", 2)

    assert ("tenants/acme.yaml", f" {field}: {reason}") == (file, named)
    lines = (tmp_path / file).read_text().splitlines()
    assert line == lines[int(number) - 1].strip()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "hub.internal", ""])  # noqa: S104 - refused
def test_reachable_host_needs_keys(tmp_path: Path, host: str) -> None:
    """Without keys everybody is let in, so only this machine may come."""
    expected = "headrace.yaml:2: server.host: a host that others can reach needs server.api_keys"

    assert expected == said(tmp_path, process={"server": {"host": host}})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_keys(tmp_path: Path, host: str) -> None:
    """On one's own machine the hub can be tried without any."""
    assert host == configured(tmp_path, process={"server": {"host": host}}).settings.server.host


def test_reachable_host_with_keys_is_fine(tmp_path: Path) -> None:
    """A key for each front-end, known by reference."""
    key = {"client": "web", "tenant": "acme", "key": "env:APP_KEY"}
    process = {"server": {"host": "10.0.0.1", "api_keys": [key]}}

    assert "10.0.0.1" == configured(tmp_path, process=process).settings.server.host


@pytest.mark.parametrize(
    ("key", "line", "reason"),
    [
        ({"tenant": "beta"}, "tenant: beta", "there is no tenant 'beta'"),
        (
            {"key": "env:APP_NOWHERE"},
            "key: env:APP_NOWHERE",
            "environment variable APP_NOWHERE is not set",
        ),
        ({"key": "env:APP_EMPTY"}, "key: env:APP_EMPTY", "environment variable APP_EMPTY is empty"),
        ({"key": "env:APP_KEY"}, "key: env:APP_KEY", "is the key of another client as well"),
    ],
)
def test_mistake_of_a_key_is_named(
    tmp_path: Path, key: dict[str, str], line: str, reason: str
) -> None:
    """An empty key would let everybody in, a shared one would mix two clients up."""
    first = {"client": "web", "key": "env:APP_KEY", "tenant": "acme"}
    second = {"client": "app", "key": "env:PATH", "tenant": "acme"} | key
    process = {"server": {"api_keys": [first, second]}}

    file, number, named = said(tmp_path, process=process).split(":", 2)

    (field,) = key
    assert ("headrace.yaml", f" server.api_keys[1].{field}: {reason}") == (file, named)
    assert line == (tmp_path / file).read_text().splitlines()[int(number) - 1].strip()


def test_two_tenants_with_one_name_are_refused(tmp_path: Path) -> None:
    """The second file is named; the first was fine."""
    assert "tenants/beta.yaml:1: tenant: 'acme' stands twice" == said(
        tmp_path, acme=None, beta=lambda tenant: tenant.update(tenant="acme")
    )


def test_process_without_tenants_is_refused(tmp_path: Path) -> None:
    """It could serve nobody; most often the folder is misspelt."""
    assert "nowhere: there is no tenant file (*.yaml)" == said(
        tmp_path, process={"tenants": "nowhere"}
    )


def test_lease_is_compared_with_each_verb(tmp_path: Path) -> None:
    """One slow verb would meet the next worker's look-up half way just as well."""
    change = system(1, "verbs", "create_sales_order", "timeout_s", value=20)

    assert "connect_timeout_s + timeout_s (23 s) may be at most half" in said(tmp_path, acme=change)


def test_verb_has_its_own_policy(tmp_path: Path) -> None:
    """What is typed for the verb replaces what is typed for the system; the rest stays."""

    def change(tenant: dict[str, Any]) -> None:
        tenant["systems"][1]["policy"] = {"attempts": 5, "timeout_s": 4}
        tenant["systems"][1]["verbs"] = {"create_sales_order": {"timeout_s": 9}}

    sap = configured(tmp_path, acme=change).policies["acme", "sap"]

    own, other = (configuring.policy_of(sap, verb) for verb in ("create_sales_order", "login"))
    assert (5, 9) == (own.attempts, own.timeout_s)
    assert (5, 4) == (other.attempts, other.timeout_s)


def test_two_tenants_share_no_system(tmp_path: Path) -> None:
    """Two accounts of one product in one process, each with its own settings."""
    made = configured(
        tmp_path, acme=None, beta=system(0, "settings", "base_url", value="http://stripe-of-beta")
    )

    parts = app.build(made, "postgresql://nowhere", role="serve", exporters=())

    acme, beta = (parts.hub.tenant(name) for name in ("acme", "beta"))
    assert "https://api.stripe.com" == acme.collectors["stripe_de"].settings.base_url
    assert "http://stripe-of-beta" == beta.collectors["stripe_de"].settings.base_url
    assert acme.collectors["stripe_de"].port is not beta.collectors["stripe_de"].port
    assert {"stripe_de"} == set(acme.receivers)


def test_database_by_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The URL holds a password, so it may be a reference."""
    monkeypatch.setenv("APP_DATABASE", "postgresql://db/headrace")
    made = configured(tmp_path, process={"database": {"url": "env:APP_DATABASE"}})

    assert "postgresql://db/headrace" == app.database_url(made.settings)


def test_database_reference_that_leads_nowhere(tmp_path: Path) -> None:
    """The field is named, and nothing is started in its place."""
    made = configured(tmp_path, process={"database": {"url": "env:APP_NOWHERE"}})

    with pytest.raises(Misconfigured, match=r"database\.url: .* APP_NOWHERE is not set"):
        app.database_url(made.settings)


_OVERLAY: Final = """\
extends: sap_s4.sales_order@1
fields:
  SalesDistrict: {const: "DE01"}
"""


def test_overlay_changes_the_mapping_of_its_system(tmp_path: Path) -> None:
    """The file lies beside the tenant's and is not taken for a tenant."""
    path = written(tmp_path, acme=system(1, "overlays", value=["order.overlay.yaml"]))
    (tmp_path / "tenants" / "order.overlay.yaml").write_text(_OVERLAY)

    made = configuring.configure(path)

    mappings = made.mappings["acme", "sap"]
    assert mappings is not None
    assert "/SalesDistrict" in {each.target for each in mappings["sales_order"].lineage()}
    assert ["acme"] == list(made.tenants)


@pytest.mark.parametrize(
    ("number", "text", "reason"),
    [
        (1, _OVERLAY.replace("SalesDistrict", "SalesDistrikt"), "order.overlay.yaml:3: E01"),
        (1, _OVERLAY.replace("order@1", "ordr@1"), "order.overlay.yaml:1: E18"),
        (1, None, "cannot be read"),
        (3, _OVERLAY, "Embedded decision table has no mappings"),
    ],
)
def test_broken_overlay_stops_the_start(
    tmp_path: Path, number: int, text: str | None, reason: str
) -> None:
    """It is told with the tenant's file and line, and with its own."""
    path = written(tmp_path, acme=system(number, "overlays", value=["order.overlay.yaml"]))
    if text is not None:
        (tmp_path / "tenants" / "order.overlay.yaml").write_text(text)

    with pytest.raises(Misconfigured, match=reason) as caught:
        configuring.configure(path)

    assert f"systems[{number}].overlays" in caught.value.message
