"""A tenant with all its systems, as an operator would type it."""

from pathlib import Path
from typing import Any

import pytest
import yaml


def write_tenant(folder: Path, monkeypatch: pytest.MonkeyPatch, **overlays: str) -> Path:
    """The files of one tenant, ``acme``; its ``headrace.yaml``.

    Args:
        overlays: System to the text of its overlay.
    """
    monkeypatch.setenv("EXPLAIN_SECRET", "hush-hush")
    secret, host = "env:EXPLAIN_SECRET", "https://systems.example.com"
    given: dict[str, tuple[str, dict[str, Any]]] = {
        "payments": ("stripe", {"base_url": host, "secret_key": secret}),
        "crm": ("salesforce", {"login_url": host, "client_id": "c", "client_secret": secret}),
        "erp": (
            "sap_s4",
            {
                "base_url": host,
                "user": "U",
                "password": secret,
                "client": "100",
                "sales_organization": "1710",
                "distribution_channel": "10",
                "division": "00",
            },
        ),
        "risk": ("decision_table", {}),
    }
    files = {port: [f"{port}.overlay.yaml"] for port in overlays}
    tenant = {
        "tenant": "acme",
        "currencies": ["EUR"],
        "systems": [
            {"name": port, "adapter": name, "settings": settings, "overlays": files.get(port, [])}
            for port, (name, settings) in given.items()
        ],
        "routing": {port: port for port in given},
    }
    (folder / "tenants").mkdir()
    (folder / "tenants" / "acme.yaml").write_text(yaml.safe_dump(tenant))
    for port, text in overlays.items():
        (folder / "tenants" / f"{port}.overlay.yaml").write_text(text)
    file = folder / "headrace.yaml"
    file.write_text("{}")
    return file
