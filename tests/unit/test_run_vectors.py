"""The vector runner: right verdicts, clear complaints, and a total that can be read by machine."""

import hashlib
import hmac
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOW = 1_800_000_000
OURS = "whsec_x"
BODY = '{"id":"evt_ü","type":"payout.paid","data":{"object":{}}}'


def run(*paths: Path) -> tuple[int, list[str]]:
    """The command as a user runs it, from the root of the repository."""
    command = [sys.executable, "tests/run_vectors.py", *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def header(secret: str = OURS, at: int = NOW, body: str = BODY) -> str:
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def case(**fields: Any) -> dict[str, Any]:
    return {
        "id": "a case",
        "headers": {"Stripe-Signature": header()},
        "body": BODY,
        "secrets": ["whsec_x"],
        "now": NOW,
        "tolerance_s": 300,
        "expect": "valid",
        **fields,
    }


def write(folder: Path, *cases: Any, **head: Any) -> Path:
    path = folder / f"{len(list(folder.iterdir()))}.json"
    path.write_text(json.dumps({"provider": "stripe", "cases": list(cases), **head}))
    return path


def test_all_vectors_of_stripe(contracts: Path) -> None:
    """Every case that Stripe's own client judged gets the same verdict from our receiver."""
    file = contracts / "payments" / "webhooks" / "stripe.json"
    if not file.is_file():
        pytest.skip("contracts not found")

    assert (0, [f"{len(json.loads(file.read_text())['cases'])} passed, 0 failed"]) == run(file)


def test_cases_of_the_form(tmp_path: Path) -> None:
    """Headers in either form, several secrets, any clock and any tolerance are understood."""
    pairs = [["Content-Type", "application/json"], ["STRIPE-SIGNATURE", header()]]
    listed = {k: v for k, v in case(header_list=pairs).items() if k != "headers"}
    file = write(
        tmp_path,
        case(),
        listed,
        case(secrets=["whsec_other", "whsec_x"]),
        case(now=NOW + 301, expect="invalid"),
        case(now=NOW + 301, tolerance_s=302),
        case(secrets=[], expect="invalid"),
        case(body=BODY + " ", expect="invalid"),
        case(headers={}, expect="invalid"),
    )

    assert (0, ["8 passed, 0 failed"]) == run(file)


def test_clock_of_the_file(tmp_path: Path) -> None:
    """A case without a clock of its own is judged by the clock of its file."""
    bare = {k: v for k, v in case(expect="invalid").items() if k not in {"now", "tolerance_s"}}

    assert (0, ["1 passed, 0 failed"]) == run(write(tmp_path, bare, now=NOW + 400, tolerance_s=300))


def test_wrong_verdicts_are_failures(tmp_path: Path) -> None:
    """A genuine case that is expected to be invalid fails by name, and the exit code says so."""
    code, lines = run(write(tmp_path, case(), case(id="wrong", expect="invalid")))

    assert (1, "1 passed, 1 failed") == (code, lines[-1])
    assert "wrong: expected invalid, got valid" in lines[0]


@pytest.mark.parametrize(
    ("head", "complaint"),
    [
        ({"provider": "acme"}, "no adapter for provider 'acme'"),
        ({"provider": "stripes / payones"}, "no adapter for provider 'stripes / payones'"),
        ({"provider": None}, "no adapter for provider None"),
        ({"cases": {}}, "has no list of cases"),
    ],
)
def test_files_we_cannot_judge(tmp_path: Path, head: dict[str, Any], complaint: str) -> None:
    """A file of an unknown provider or form fails case by case, with the reason."""
    code, lines = run(
        write(tmp_path, case(), **head) if "cases" not in head else _bare(tmp_path, head)
    )

    assert (1, "0 passed, 1 failed") == (code, lines[-1])
    assert complaint in lines[0]


def _bare(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "bare.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    "broken",
    [
        {"expect": "perhaps"},
        {"body": None},
        {"secrets": "whsec_x"},
        {"headers": 5},
        {"headers": {"Stripe-Signature": None}},
        {"header_list": [["Stripe-Signature"]]},
        {"tolerance_s": "long"},
        {"now": "soon"},
        "no case",
    ],
)
def test_cases_we_cannot_judge(tmp_path: Path, broken: Any) -> None:
    """A case of another form fails, and those beside it are still judged."""
    one = {**case(), **broken} if isinstance(broken, dict) else broken

    code, lines = run(write(tmp_path, one, case()))

    assert (1, "1 passed, 1 failed") == (code, lines[-1])
    assert "form not known" in lines[0]


def test_files_that_are_missing_or_no_json(tmp_path: Path) -> None:
    """A file that cannot be read is one failure; the others count on."""
    rubbish = tmp_path / "rubbish.json"
    rubbish.write_text("{")

    code, lines = run(tmp_path / "none.json", rubbish, write(tmp_path, case()))

    assert (1, "1 passed, 2 failed") == (code, lines[-1])


def test_no_files_is_wrong_usage() -> None:
    """Nothing to run is not a success."""
    assert 2 == run()[0]


def test_genuine_but_unknown(tmp_path: Path) -> None:
    """A genuine signature on contents we do not know is still genuine; on no JSON it is not."""
    unknown, rubbish = '{"hello":"world"}', "hello"
    file = write(
        tmp_path,
        case(body=unknown, headers={"Stripe-Signature": header(body=unknown)}),
        case(body=rubbish, headers={"Stripe-Signature": header(body=rubbish)}, expect="invalid"),
    )

    assert (0, ["2 passed, 0 failed"]) == run(file)


@pytest.mark.parametrize(
    ("name", "count"),
    [("creditor_ids", 36), ("iban", 54), ("rf_references", 6), ("target_calendar", 111)],
)
def test_all_vectors_of_sepa(contracts: Path, name: str, count: int) -> None:
    """Every identifier and every day gets the verdict of the libraries that were asked."""
    file = contracts / "payments" / "sepa" / "vectors" / f"{name}.json"
    if not file.is_file():
        pytest.skip("contracts not found")

    assert (0, [f"{count} passed, 0 failed"]) == run(file)


def test_sepa_cases_that_fail(tmp_path: Path) -> None:
    """Other files of these forms are judged, a wrong expectation is named, so is a wrong form."""
    contents = [
        {"cases": [{"id": "DE98ZZZ09999999999", "expect": "invalid"}]},
        {"cases": [{"ref": "RF18539007547034", "expect": "valid"}]},
        {"cases": [{"iban": "DE89370400440532013000", "schwifty": "valid", "bank_code": "1"}]},
        {"cases": [{"iban": "DE89370400440532013000", "expect": "perhaps"}]},
        {"closing_days": [{"date": "2026-11-20"}, {"date": "2026-04-03"}, {"day": 1}]},
        {"lead_times": [{"collection_date": "2026-04-07", "d_minus_1": "2026-04-02"}]},
    ]
    files = [tmp_path / f"{number}.json" for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_text(json.dumps(content))

    code, lines = run(*files)

    assert (1, "3 passed, 5 failed") == (code, lines[-1])
    assert [0, 2, 3, 4, 4] == [int(Path(line.split(":")[0]).stem) for line in lines[:-1]]
