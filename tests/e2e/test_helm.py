"""The Helm chart: rendered by Helm itself and held against Kubernetes' own schemas.

No cluster, no network: ``helm-python-sdk`` is Helm as a library, ``kubernetes-validate`` carries
the schemas of Kubernetes.
"""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from gateway import app, configuring
from gateway.settings import (
    ApiKey,
    CallPolicy,
    PaymentRule,
    Routing,
    Settings,
    TenantSettings,
    load,
)

kubernetes_validate = pytest.importorskip("kubernetes_validate")
helm = pytest.importorskip("helm_python")

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "headrace"
HOWTO = ROOT / "docs" / "howto" / "deploy-on-kubernetes.md"
OLDEST, NEWEST = "1.30.0", "1.37.0"
SECRETS_AT = "/etc/headrace/secrets"

# What the chart decides by itself, because it mounts the folders and the Secret.
SET_BY_THE_CHART = {"data", "tenants", "database.url"}
# Where the chart is stricter than the process, and why.
STRICTER = {
    "server.host": "an empty address binds nothing",
    "server.port": "0 means any free port, which a Service cannot find",
    "worker.health_port": "0 serves no probes, so the pod would never be ready",
    "server.api_keys": "without a key the process refuses to bind to more than loopback",
    "telemetry.otlp_endpoint": "a user and password in a URL would stand in a ConfigMap",
    "telemetry.service": "spans without a service are lost",
}


def api_key(reference: str, *, tenant: str = "main") -> dict[str, str]:
    return {"client": "operator", "tenant": tenant, "key": reference}


FULL: dict[str, Any] = {
    "settings": {
        "server": {
            "port": 9000,
            "body_limit_bytes": 16_777_216,
            "api_keys": [{"client": "portal", "tenant": "acme", "key": "env:PORTAL_KEY"}],
        },
        "worker": {"drain_s": 90.5, "health_port": 9001},
        "telemetry": {"otlp_endpoint": "http://collector.otel:4319", "sampling": 0.05},
    },
    "tenants": {
        "acme": {
            "currencies": ["EUR", "SEK"],
            "systems": [
                {
                    "name": "stripe_de",
                    "adapter": "stripe",
                    "settings": {
                        "secret_key": f"file:{SECRETS_AT}/acme.stripe/secret_key",
                        "webhook_secrets": [f"file:{SECRETS_AT}/acme.stripe/webhook"],
                    },
                    "policy": {"attempts": 2},
                    "verbs": {"refund_payment": {"timeout_s": 30}},
                },
                {
                    "name": "s4",
                    "adapter": "sap_s4",
                    "settings": {"user": "HEADRACE", "password": "env:S4_PASSWORD"},
                },
            ],
            "routing": {"erp": "s4", "crm": "s4", "risk": "rules", "payments": "stripe_de"},
            "patience": {"in_doubt_s": [10, 60.5]},
        },
        "nordlicht": {
            "currencies": ["JPY"],
            "systems": [{"name": "rules", "adapter": "decision_table"}],
            "routing": {"erp": "rules", "crm": "rules", "risk": "rules", "payments": "rules"},
        },
    },
    "database": {"existingSecret": "pg.hub-credentials", "key": "uri"},
    "secrets": ["acme.stripe"],
    "env": {
        "PORTAL_KEY": {"secret": "portal", "key": "key"},
        "S4_PASSWORD": {"secret": "acme-s4", "key": "password"},
    },
    "image": {"repository": "images.example.com/headrace", "digest": "sha256:" + "ab" * 32},
    "imagePullSecrets": [{"name": "pull"}],
    "serve": {
        "preStopSleepSeconds": 20,
        "autoscaling": {"enabled": True, "maxReplicas": 20},
        "podAnnotations": {"example.com/scrape": "no"},
        "podLabels": {"example.com/tier": "front"},
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "hub", "operator": "Exists", "effect": "NoSchedule"}],
        "priorityClassName": "high",
    },
    "worker": {
        "autoscaling": {"enabled": True},
        "podLabels": {"example.com/tier": "back"},
        "affinity": {"podAntiAffinity": {}},
    },
    "dataClaim": "headrace-exports",
    "serviceAccount": {"annotations": {"example.com/role": "hub"}},
    "service": {"annotations": {"example.com/internal": "true"}},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"example.com/body-size": "1m"},
        "hosts": [{"host": "hub.example.com", "paths": ["/v1", "/webhooks"]}],
        "tls": [{"secretName": "hub-tls", "hosts": ["hub.example.com"]}],
    },
    "networkPolicy": {
        "ingressFrom": [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}],
        "egressPorts": [443, 6432],
    },
}


class Release:
    """One rendering: the objects by kind and name.

    Attributes:
        objects: As Kubernetes would be given them.
        notes: What Helm tells the operator.
    """

    def __init__(self, files: dict[str, str]) -> None:
        self.objects: list[dict[str, Any]] = [
            document
            for name, text in files.items()
            if name.endswith(".yaml")
            for document in yaml.safe_load_all(text)
            if document
        ]
        self.notes = files["headrace/templates/NOTES.txt"]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The objects of a kind, in the order of the files."""
        return [found for found in self.objects if found["kind"] == kind]

    def one(self, kind: str, suffix: str) -> dict[str, Any]:
        """The only object of a kind whose name ends so."""
        (found,) = [o for o in self.of(kind) if o["metadata"]["name"].endswith(suffix)]
        return found

    def pods(self) -> dict[str, dict[str, Any]]:
        """The pod templates by the name of their container."""
        templates = [o["spec"]["template"] for o in self.of("Deployment") + self.of("Job")]
        return {template["spec"]["containers"][0]["name"]: template for template in templates}


@pytest.fixture(scope="module")
def chart() -> Iterator[Any]:
    with helm.Chart.load(CHART) as loaded:
        yield loaded


def render(chart: Any, values: dict[str, Any], *, name: str = "demo") -> Release:
    return Release(chart.render(values, name=name, namespace="hub"))


@pytest.fixture(params=[{}, FULL], ids=["default", "full"])
def release(chart: Any, request: pytest.FixtureRequest) -> Release:
    return render(chart, request.param)


def container(template: dict[str, Any]) -> dict[str, Any]:
    (only,) = template["spec"]["containers"]
    found: dict[str, Any] = only
    return found


def files_of(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What is mounted in a pod: path to the volume behind it."""
    volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
    mounts = container(template)["volumeMounts"]
    return {mount["mountPath"]: volumes[mount["name"]] for mount in mounts}


def configuration(release: Release) -> str:
    text: str = release.one("ConfigMap", "headrace")["data"]["headrace.yaml"]
    return text


def leaves(kind: type, prefix: str = "") -> dict[str, Any]:
    """Every setting of a Struct by its dotted name, with the type that msgspec sees."""
    found: dict[str, Any] = {}
    struct = msgspec.inspect.type_info(kind)
    assert isinstance(struct, msgspec.inspect.StructType)
    for field in struct.fields:
        name = f"{prefix}{field.name}"
        if isinstance(field.type, msgspec.inspect.StructType):
            found |= leaves(field.type.cls, f"{name}.")
        else:
            found[name] = field.type
    return found


def at(tree: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return None
        tree = tree[part]
    return tree


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_is_valid_kubernetes(release: Release, version: str) -> None:
    """No field is misspelt or of a wrong type, in the oldest and the newest Kubernetes."""
    for found in release.objects:
        kubernetes_validate.validate(found, version, strict=True)

    assert {"ConfigMap", "Deployment", "Job", "NetworkPolicy", "Service"} <= {
        found["kind"] for found in release.objects
    }


def test_the_oldest_kubernetes_is_the_one_of_the_chart(chart: Any) -> None:
    """Helm refuses clusters that were not looked at here."""
    assert chart.metadata["kubeVersion"] == f">={OLDEST}-0"


@pytest.mark.parametrize("values", [{}, FULL], ids=["default", "full"])
def test_lint_finds_nothing(values: dict[str, Any]) -> None:
    """``helm lint --strict`` has no warning."""
    report = helm.lint(CHART, values, strict=True)

    assert [m for m in report["messages"] if m["severity"] > 1] == []


def test_each_object_stands_in_the_namespace_of_the_release(release: Release) -> None:
    """``helm template | kubectl apply`` puts everything where Helm would."""
    assert {"hub"} == {found["metadata"]["namespace"] for found in release.objects}


def test_optional_objects_are_there_when_asked_for(chart: Any) -> None:
    """The full set adds the ingress and two autoscalers, the default has none."""
    added = {"Ingress", "HorizontalPodAutoscaler"}

    assert added & {o["kind"] for o in render(chart, {}).objects} == set()
    assert added <= {o["kind"] for o in render(chart, FULL).objects}


def test_names_stay_short_enough(chart: Any) -> None:
    """The longest release name Helm allows still gives names that Kubernetes takes."""
    release = render(chart, {}, name="r" * 53)

    assert max(len(found["metadata"]["name"]) for found in release.objects) <= 63


# Settings: the chart says what gateway/settings.py can read.


def test_values_name_every_setting(chart: Any) -> None:
    """An operator finds each field of Settings in values.yaml."""
    settings = chart.values["settings"]
    missing = [
        name
        for name in leaves(Settings)
        if name not in SET_BY_THE_CHART and at(settings, name) is None
    ]

    assert missing == []


def test_defaults_are_those_of_the_process(chart: Any, tmp_path: Path) -> None:
    """Whoever changes nothing gets what the documentation of the settings says."""
    path = tmp_path / "headrace.yaml"
    path.write_text(configuration(render(chart, {})), encoding="utf-8")
    settings = load(path, Settings)
    own = msgspec.to_builtins(Settings())
    deviations = {
        name: at(msgspec.to_builtins(settings), name)
        for name in leaves(Settings)
        if at(msgspec.to_builtins(settings), name) != at(own, name)
    }

    assert deviations == {
        "data": "/var/lib/headrace",
        "tenants": "/etc/headrace/tenants",
        "database.url": f"file:{SECRETS_AT}/headrace-database/url",
        "server.host": "0.0.0.0",  # noqa: S104 - in the pod; Service and NetworkPolicy decide
        "server.api_keys": (api_key(f"file:{SECRETS_AT}/headrace-api-keys/operator"),),
    }


def test_what_an_operator_types_arrives(chart: Any, tmp_path: Path) -> None:
    """Values reach the process unchanged, large integers and replaced lists included."""
    path = tmp_path / "headrace.yaml"
    path.write_text(configuration(render(chart, FULL)), encoding="utf-8")
    settings = load(path, Settings)

    assert settings.server.port == 9000
    assert settings.server.body_limit_bytes == 16_777_216
    assert [(key.client, key.key) for key in settings.server.api_keys] == [
        ("portal", "env:PORTAL_KEY")
    ]
    assert settings.worker.drain_s == 90.5
    assert settings.telemetry.sampling == 0.05
    assert settings.database.url == f"file:{SECRETS_AT}/pg.hub-credentials/uri"


def test_tenants_arrive(chart: Any, tmp_path: Path) -> None:
    """Each tenant is a file that reads as TenantSettings, under its own name."""
    files = render(chart, FULL).one("ConfigMap", "headrace-tenants")["data"]
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    acme = load(tmp_path / "acme.yaml", TenantSettings)
    nordlicht = load(tmp_path / "nordlicht.yaml", TenantSettings)

    assert set(files) == {"acme.yaml", "nordlicht.yaml"}
    assert (acme.tenant, nordlicht.tenant) == ("acme", "nordlicht")
    assert acme.systems[0].policy.attempts == 2
    assert acme.systems[0].verbs == {"refund_payment": {"timeout_s": 30}}
    assert acme.patience.in_doubt_s == (10.0, 60.5)


def test_overlays_arrive(chart: Any) -> None:
    """Beside the tenants, word for word: findings name their lines; pods roll when one changes."""
    text = "extends: sap_s4.sales_order@1\nfields:\n  SalesDistrict: {const: DE01}\n"
    values = FULL | {"overlays": {"acme-order.overlay.yaml": text}}
    before, after = render(chart, FULL), render(chart, values)

    files = after.one("ConfigMap", "headrace-tenants")["data"]
    assert text == files["acme-order.overlay.yaml"]
    sums = [
        each.one("Deployment", "headrace-worker")["spec"]["template"]["metadata"]["annotations"]
        for each in (before, after)
    ]
    assert sums[0] != sums[1]


def test_overlay_that_is_not_listed(chart: Any) -> None:
    """A tenant that names an overlay nobody gives stops the rendering."""
    values = copy.deepcopy(FULL)
    values["tenants"]["acme"]["systems"][0]["overlays"] = ["missing.overlay.yaml"]

    with pytest.raises(helm.HelmRenderError, match=r"missing\.overlay\.yaml"):
        render(chart, values)


def resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        found = at(schema, node["$ref"].removeprefix("#/").replace("/", "."))
        return resolved(schema, found)
    return node


def limits(node: dict[str, Any]) -> dict[str, Any]:
    """What a JSON schema demands of one value, without its documentation."""
    documentation = {"default", "title", "description", "examples"}
    return {key: value for key, value in node.items() if key not in documentation}


def test_values_have_the_limits_of_the_settings(chart: Any) -> None:
    """What the process would refuse is refused by ``helm install`` already."""
    ours = chart.schema
    theirs = msgspec.json.schema(Settings)
    wrong = []
    for name in sorted(set(leaves(Settings)) - SET_BY_THE_CHART - set(STRICTER)):
        here = resolved(ours, ours["properties"]["settings"])
        there = resolved(theirs, theirs)
        for part in name.split("."):
            here = resolved(ours, here.get("properties", {}).get(part, {}))
            there = resolved(theirs, there["properties"][part])
        if limits(here) != limits(there):
            wrong.append(f"{name}: {limits(there)} in the settings, {limits(here)} in the chart")

    assert wrong == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (CallPolicy, "policy"),
        (ApiKey, "api_key"),
        (Routing, "routing"),
        (PaymentRule, "PaymentRule"),
    ],
)
def test_values_have_the_limits_of_what_is_repeated(chart: Any, kind: type, name: str) -> None:
    """Keys, and the policies and routings of tenants, are checked like the settings."""
    schema = chart.schema
    theirs = msgspec.json.schema(kind)["$defs"][kind.__name__]
    ours = schema["$defs"][name]
    here = {field: limits(resolved(schema, node)) for field, node in ours["properties"].items()}

    assert {field: limits(node) for field, node in theirs["properties"].items()} == here
    assert theirs["required"] == ours.get("required", [])


WRONG: dict[str, dict[str, Any]] = {
    "text for a number": {"settings": {"server": {"port": "8080"}}},
    "number for text": {"settings": {"telemetry": {"service": 1}}},
    "text for a switch": {"settings": {"telemetry": {"keep_traces": "yes"}}},
    "above the limit": {"settings": {"database": {"pool": 201}}},
    "not above zero": {"settings": {"worker": {"poll_s": 0}}},
    "unknown level": {"settings": {"telemetry": {"log_level": "trace"}}},
    "misspelt setting": {"settings": {"server": {"prot": 8080}}},
    "misspelt part": {"sevre": {"replicas": 3}},
    "fraction of a replica": {"serve": {"replicas": 1.5}},
    "nobody may call": {"settings": {"server": {"api_keys": []}}},
    "key by value": {"settings": {"server": {"api_keys": [api_key("sesame")]}}},
    "variable by value": {"env": {"STRIPE_KEY": "sk_test_1"}},
    "database by value": {"database": {"url": "postgresql://u:p@db/hub"}},
    "collector with password": {"settings": {"telemetry": {"otlp_endpoint": "http://u:p@c:4318"}}},
    "as root": {"podSecurity": {"runAsUser": 0}},
    "ingress to nowhere": {"ingress": {"enabled": True}},
    "tenant with a capital": {"tenants": {"Acme": FULL["tenants"]["acme"]}},
    "tenant without routing": {"tenants": {"acme": {"currencies": ["EUR"], "systems": []}}},
}


@pytest.mark.parametrize("values", WRONG.values(), ids=WRONG.keys())
def test_wrong_values_are_refused(chart: Any, values: dict[str, Any]) -> None:
    """The schema of the values stops the installation."""
    chart.validate_schema({})

    with pytest.raises(helm.HelmValuesError):
        chart.validate_schema(values)


# Secrets: only by reference.


def with_secret(field: str, value: Any) -> dict[str, Any]:
    system = {"name": "one", "adapter": "stripe", "settings": {field: value}}
    routing = dict.fromkeys(("erp", "crm", "risk", "payments"), "one")
    return {"tenants": {"t": {"currencies": ["EUR"], "systems": [system], "routing": routing}}}


@pytest.mark.parametrize(
    "field", ["secret_key", "client_secret", "password", "token", "api_key", "private_key"]
)
def test_a_secret_of_a_system_is_refused_by_value(chart: Any, field: str) -> None:
    """A tenant's secret cannot get into a ConfigMap, a reference to it can."""
    chart.validate_schema(with_secret(field, "env:SECRET"))

    with pytest.raises(helm.HelmValuesError):
        chart.validate_schema(with_secret(field, "sesame"))


def test_each_of_several_secrets_is_refused_by_value(chart: Any) -> None:
    """The list of webhook secrets holds references only."""
    chart.validate_schema(with_secret("webhook_secrets", ["env:A", "env:B"]))

    with pytest.raises(helm.HelmValuesError):
        chart.validate_schema(with_secret("webhook_secrets", ["env:A", "whsec_1"]))


def test_no_object_carries_a_secret(release: Release) -> None:
    """The chart makes no Secret, and no variable of a pod has a value that matters."""
    variables = [entry for pod in release.pods().values() for entry in container(pod)["env"]]

    assert release.of("Secret") == []
    assert [entry for entry in variables if "value" in entry and entry["name"] != "HOME"] == []


def test_every_reference_leads_to_something_mounted(release: Release) -> None:
    """Each ``file:`` has its Secret and each ``env:`` its variable in both Deployments."""
    maps = [m for m in release.of("ConfigMap") if "data" in m]
    text = "\n".join(text for found in maps for text in found["data"].values())
    paths = re.findall(rf"file:({SECRETS_AT}/\S+)", text)
    names = set(re.findall(r"env:([A-Z0-9_]+)", text))
    assert paths

    for part in ("serve", "worker"):
        pod = release.pods()[part]
        mounted = {p: v["secret"]["secretName"] for p, v in files_of(pod).items() if "secret" in v}
        variables = {entry["name"] for entry in container(pod)["env"] if "valueFrom" in entry}

        assert {p.rsplit("/", 1)[0] for p in paths} <= set(mounted)
        assert all(path.rsplit("/", 1)[1] == secret for path, secret in mounted.items())
        assert names <= variables


@pytest.mark.parametrize(
    ("reference", "named"),
    [(f"file:{SECRETS_AT}/forgotten/key", "forgotten"), ("env:FORGOTTEN", "FORGOTTEN")],
)
def test_a_reference_to_nothing_stops_the_rendering(chart: Any, reference: str, named: str) -> None:
    """A forgotten Secret is reported by name before a pod waits for it."""
    with pytest.raises(helm.HelmRenderError, match=named):
        render(chart, {"settings": {"server": {"api_keys": [api_key(reference)]}}})


def test_a_key_for_nobody_stops_the_rendering(chart: Any) -> None:
    """The tenant of a key has to be one of the tenants."""
    keys = {"settings": {"server": {"api_keys": [api_key("env:PORTAL_KEY", tenant="acne")]}}}

    with pytest.raises(helm.HelmRenderError, match="acne"):
        render(chart, {**FULL, **keys})


# Pods: how they start, stop, move and what they may do.


@pytest.mark.parametrize("part", ["serve", "worker"])
def test_probes_ask_the_port_that_the_process_binds(release: Release, part: str) -> None:
    """Startup and liveness ask /livez, readiness /readyz, on the configured port."""
    settings = yaml.safe_load(configuration(release))
    port = {"serve": settings["server"]["port"], "worker": settings["worker"]["health_port"]}[part]
    process = container(release.pods()[part])
    ports = {entry["name"]: entry["containerPort"] for entry in process["ports"]}
    asked = {
        kind: (process[kind]["httpGet"]["path"], ports[process[kind]["httpGet"]["port"]])
        for kind in ("startupProbe", "livenessProbe", "readinessProbe")
    }

    assert asked == {
        "startupProbe": ("/livez", port),
        "livenessProbe": ("/livez", port),
        "readinessProbe": ("/readyz", port),
    }


@pytest.mark.parametrize("part", ["serve", "worker", "migrate"])
def test_commands_are_those_of_the_architecture(release: Release, part: str) -> None:
    """Each pod starts ``headrace`` with the file that is mounted for it."""
    pod = release.pods()[part]
    command = container(pod)["command"]

    assert command == ["headrace", part, "--config", "/etc/headrace/headrace.yaml"]
    assert "configMap" in files_of(pod)[command[-1]]


@pytest.mark.parametrize("part", ["serve", "worker", "migrate"])
def test_pods_have_no_privileges(release: Release, part: str) -> None:
    """The restricted Pod Security Standard, a read-only file system and no token of the cluster.

    Source: kubernetes.io, Pod Security Standards, read 2026-11.
    """
    spec = release.pods()[part]["spec"]
    context = spec["securityContext"]

    assert spec["automountServiceAccountToken"] is False
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] > 0
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container({"spec": spec})["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"hostNetwork", "hostPID", "hostIPC"} & set(spec) == set()
    assert [volume for volume in spec["volumes"] if "hostPath" in volume] == []
    assert "emptyDir" in files_of({"spec": spec})["/tmp"]  # noqa: S108 - a path in the pod


@pytest.mark.parametrize("part", ["serve", "worker", "migrate"])
def test_pods_have_resources(release: Release, part: str) -> None:
    """The scheduler knows what a pod needs, and memory has an end."""
    resources = container(release.pods()[part])["resources"]

    assert {"cpu", "memory"} == set(resources["requests"])
    assert "memory" in resources["limits"]


def test_a_new_version_takes_over_without_a_gap(release: Release) -> None:
    """A pod leaves only when its successor is ready."""
    for deployment in release.of("Deployment"):
        assert deployment["spec"]["strategy"] == {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
        }


def test_the_facade_takes_requests_until_nobody_sends_any(release: Release) -> None:
    """SIGTERM comes after the pause in which endpoints are forgotten, with time to finish."""
    spec = release.pods()["serve"]["spec"]
    pause = container({"spec": spec})["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert pause >= 5
    assert spec["terminationGracePeriodSeconds"] >= pause + 30


@pytest.mark.parametrize("drain_s", [0.5, 10.0, 90.5, 600.0])
def test_a_worker_may_finish_what_it_has_begun(chart: Any, drain_s: float) -> None:
    """The kubelet kills only well after the worker has stopped by itself."""
    release = render(chart, {"settings": {"worker": {"drain_s": drain_s}}})
    grace = release.pods()["worker"]["spec"]["terminationGracePeriodSeconds"]

    assert grace >= drain_s + 15


@pytest.mark.parametrize("part", ["serve", "worker"])
@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"server": {"in_flight": 7}}},
        {"tenants": {"main": FULL["tenants"]["nordlicht"]}},
    ],
    ids=["settings", "tenants"],
)
def test_a_changed_configuration_rolls_the_pods(
    chart: Any, part: str, change: dict[str, Any]
) -> None:
    """Settings are read at start only, so the pod template has to change with them."""
    before = render(chart, {}).pods()[part]["metadata"]["annotations"]["checksum/config"]
    after = render(chart, change).pods()[part]["metadata"]["annotations"]
    scaled = render(chart, {part: {"replicas": 5}}).pods()[part]["metadata"]

    assert after["checksum/config"] != before
    assert scaled["annotations"]["checksum/config"] == before


def test_selectors_find_their_own_pods_only(release: Release) -> None:
    """Service, budget, policy and Deployment of one part never take another part's pods."""
    pods = {name: pod["metadata"]["labels"] for name, pod in release.pods().items()}

    def found(selector: dict[str, str]) -> set[str]:
        return {name for name, labels in pods.items() if selector.items() <= labels.items()}

    assert found(release.one("Service", "headrace")["spec"]["selector"]) == {"serve"}
    for part in ("serve", "worker"):
        for kind in ("Deployment", "PodDisruptionBudget"):
            selector = release.one(kind, f"-{part}")["spec"]["selector"]["matchLabels"]
            assert found(selector) == {part}
    for part in pods:
        policy = release.one("NetworkPolicy", f"-{part}")
        assert found(policy["spec"]["podSelector"]["matchLabels"]) == {part}


def test_an_autoscaler_is_not_overruled(chart: Any) -> None:
    """An upgrade does not set the replicas that an autoscaler has chosen."""
    release = render(chart, FULL)
    scaled = {o["spec"]["scaleTargetRef"]["name"] for o in release.of("HorizontalPodAutoscaler")}

    assert {d["metadata"]["name"] for d in release.of("Deployment")} == scaled
    assert [d for d in release.of("Deployment") if "replicas" in d["spec"]] == []
    assert [d["spec"]["replicas"] for d in render(chart, {}).of("Deployment")] == [2, 2]


def test_pods_are_spread(release: Release) -> None:
    """One zone or one node may go without taking a whole part with it."""
    for part in ("serve", "worker"):
        spread = release.pods()[part]["spec"]["topologySpreadConstraints"]
        assert {"topology.kubernetes.io/zone", "kubernetes.io/hostname"} == {
            constraint["topologyKey"] for constraint in spread
        }


# Migration and network.


def test_the_migration_runs_before_everything_else(release: Release) -> None:
    """The job is a hook and needs nothing that the release makes later."""
    job = release.one("Job", "-migrate")
    pod = release.pods()["migrate"]
    hooks = [o for o in release.objects if "helm.sh/hook" in o["metadata"].get("annotations", {})]
    settings = release.one("ConfigMap", "-migrate")
    tenants = release.one("ConfigMap", "-migrate-tenants")
    when = [o["metadata"]["annotations"] for o in (settings, tenants, job)]
    weights = [int(found["helm.sh/hook-weight"]) for found in when]
    needed = {v["configMap"]["name"] for v in pod["spec"]["volumes"] if "configMap" in v}

    assert hooks == [settings, tenants, job]
    assert {found["helm.sh/hook"] for found in when} == {"pre-install,pre-upgrade"}
    assert needed == {settings["metadata"]["name"], tenants["metadata"]["name"]}
    assert max(weights[:2]) < weights[2]
    assert "serviceAccountName" not in pod["spec"]
    assert settings["data"] == release.one("ConfigMap", "headrace")["data"]
    assert tenants.get("data") == release.one("ConfigMap", "headrace-tenants").get("data")


def test_a_migration_can_be_left_to_somebody_else(chart: Any) -> None:
    """Whoever migrates by hand gets no job."""
    assert render(chart, {"migration": {"enabled": False}}).of("Job") == []


def test_only_the_facade_can_be_called(release: Release) -> None:
    """Workers and the migration take no connection from any pod."""
    calls = {
        part: release.one("NetworkPolicy", f"-{part}")["spec"]["ingress"]
        for part in ("serve", "worker", "migrate")
    }

    assert [rule["ports"] for rule in calls["serve"]] == [[{"port": "http", "protocol": "TCP"}]]
    assert calls["worker"] == calls["migrate"] == []


def test_callers_can_be_narrowed(chart: Any) -> None:
    """With ingressFrom only these peers reach the facade."""
    policy = render(chart, FULL).one("NetworkPolicy", "-serve")

    assert policy["spec"]["ingress"][0]["from"] == FULL["networkPolicy"]["ingressFrom"]


def test_pods_call_what_they_need_and_no_more(chart: Any) -> None:
    """DNS, the ports of the values and the collector's; never the metadata of the cloud."""
    dns, others = render(chart, FULL).one("NetworkPolicy", "-worker")["spec"]["egress"]
    blocks = [peer["ipBlock"] for peer in others["to"] if "ipBlock" in peer]

    assert {entry["port"] for entry in dns["ports"]} == {53}
    assert [entry["port"] for entry in others["ports"]] == [443, 6432, 4319]
    assert "169.254.0.0/16" in blocks[0]["except"]


def test_the_notes_name_the_secrets(release: Release) -> None:
    """The operator reads which Secrets have to exist."""
    mounted = {
        volume["secret"]["secretName"]
        for pod in release.pods().values()
        for volume in pod["spec"]["volumes"]
        if "secret" in volume
    }

    assert [name for name in mounted if name not in release.notes] == []


# The guide, and the process itself.


@pytest.fixture
def guide(chart: Any) -> Release:
    """What the block of values in docs/howto renders to."""
    block = re.search(r"```yaml\n(.*?)```", HOWTO.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return render(chart, yaml.safe_load(block.group(1)))


def lay_out(release: Release, part: str, root: Path) -> dict[str, str]:
    """Write what a pod of the part finds mounted under root; return its variables.

    Every Secret holds its own name and key as text.
    """
    maps = {found["metadata"]["name"]: found.get("data", {}) for found in release.of("ConfigMap")}
    text = "".join("".join(data.values()) for data in maps.values())
    for mount, volume in files_of(release.pods()[part]).items():
        if "configMap" in volume:
            folder = mount.removesuffix("/headrace.yaml")
            written = maps[volume["configMap"]["name"]]
        elif "secret" in volume:
            folder = mount
            written = dict.fromkeys(re.findall(rf"file:{mount}/(\S+)", text), mount)
        else:
            continue
        (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        for name, content in written.items():
            inside = content.replace("/etc/headrace", str(root / "etc/headrace"))
            (root / folder.lstrip("/") / name).write_text(inside, encoding="utf-8")
    variables = container(release.pods()[part])["env"]
    return {entry["name"]: entry["name"] for entry in variables if "valueFrom" in entry}


@pytest.mark.parametrize("part", ["serve", "worker", "migrate"])
def test_the_process_of_each_pod_finds_all_it_reads(
    guide: Release, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the mounts and variables of its pod, a process reads and checks its configuration."""
    for name, value in lay_out(guide, part, tmp_path).items():
        monkeypatch.setenv(name, value)
    configuration = configuring.configure(tmp_path / "etc" / "headrace" / "headrace.yaml")

    assert set(configuration.systems["main"]) == {"stripe_de", "s4", "crm", "rules"}
    assert app.database_url(configuration.settings).endswith("/secrets/headrace-database")


def test_the_guide_opens_the_facade(guide: Release) -> None:
    """The values of the guide make an ingress."""
    assert [found["metadata"]["name"] for found in guide.of("Ingress")] == ["demo-headrace"]
