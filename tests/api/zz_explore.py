import json, copy, pytest, asyncio
from tests.api.conftest import *
from tests.api.front import *


async def test_x(front):
    out = []
    r = await front.post(new_order("g"))
    op = r.json()
    oid = op["order_id"]

    async def go(method, path, **kw):
        try:
            r = await front.api.request(method, path, **kw)
            out.append(
                f"{method} {path[:60]} {kw.get('headers', '')} -> {r.status_code} {r.headers.get('content-type')} {dict((k, v) for k, v in r.headers.items() if k not in ('content-type', 'headrace-request-id'))} {r.text[:160]!r}"
            )
        except BaseException as e:
            out.append(f"{method} {path[:60]} EXC {type(e).__name__} {str(e)[:150]}")

    for m in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "FOO"):
        for p in (
            "/v1/orders",
            f"/v1/orders/{oid}",
            "/livez",
            "/webhooks/acme/stripe",
            "/problems/invalid",
            "/openapi.yaml",
            "/nope",
        ):
            await go(m, p)
    for p in (
        "/",
        "/v1",
        "/v1/orders",
        "/v1/orders/",
        f"/v1/orders/{oid}/",
        "/v1/orders/%00",
        "/v1/orders/%ff",
        "/v1/orders/a%2Fb",
        "/v1/orders/x/timeline",
        "/v1/orders/%00/timeline",
        "/v1/operations/%00",
        "/v1/operations/x",
        "/v1/orders/" + "x" * 5000,
        "/problems/nope",
        "/problems/%00",
        "/problems/",
        "/v1/orders/'",
        "//v1/orders",
        "/v1/orders/..",
        "/webhooks/acme/stripe",
        "/livez",
        "/readyz",
        "/livez?x=1",
        "/openapi.yaml",
    ):
        await go("GET", p)
    for p in (
        "/webhooks/acme/nope",
        "/webhooks/nope/stripe",
        "/webhooks/acme/%00",
        "/webhooks/%00/stripe",
        "/webhooks/acme/stripe",
        "/webhooks/acme/sap",
        "/webhooks/acme/rules",
    ):
        await go("POST", p, content=b"{}")
    await go("POST", "/webhooks/acme/stripe", content=b"x" * 1100000)
    for sig in (
        "",
        "t=1,v1=00",
        "t=x",
        "t=,v1=",
        "\xff",
        "t=1e400,v1=0",
        "t=99999999999999999999,v1=00",
        "t=" + "9" * 5000 + ",v1=00",
        "v1=00",
        "t=1,v1=é",
    ):
        await go(
            "POST",
            "/webhooks/acme/stripe",
            content=b"{}",
            headers={"Stripe-Signature": sig.encode("latin-1")},
        )
    for k in (
        '"abc"',
        "abc",
        '"abc',
        '""',
        "",
        " ",
        "a b",
        "x" * 255,
        "x" * 256,
        "é",
        "a,b",
        '"a""b"',
        "'a'",
        "a\\b",
    ):
        r = await front.api.post(
            "/v1/orders",
            json=new_order("k" + str(abs(hash(k)))),
            headers={"Idempotency-Key": k.encode("latin-1")},
        )
        out.append(
            f"KEY {k[:20]!r} {r.status_code} {r.json().get('code')} {r.headers.get('idempotency-replayed')}"
        )
    r = await front.api.post(
        "/v1/orders",
        content=json.dumps(new_order("t")),
        headers=[
            ("Idempotency-Key", "twice-1"),
            ("Idempotency-Key", "twice-2"),
            ("Content-Type", "application/json"),
        ],
    )
    out.append(f"TWO KEYS {r.status_code}")
    for p in (
        "wait=0",
        "wait=1",
        "respond-async, wait=1",
        "wait=abc",
        "wait=-1",
        "wait=9999",
        "wait = 1",
        "WAIT=1",
        'wait="1"',
        "xwait=1",
    ):
        r = await front.post(
            new_order("p" + str(abs(hash(p)))), key="p" + str(abs(hash(p))), Prefer=p
        )
        out.append(
            f"PREFER {p!r} {r.status_code} {r.headers.get('preference-applied')} vary={r.headers.get('vary')}"
        ) if p != "wait=9999" else None
    for tn in ("", "acme", "nope", "\xff"):
        await go("GET", f"/v1/orders/{oid}", headers={"Headrace-Tenant": tn.encode("latin-1")})
    r = await front.api.get(f"/v1/orders/{oid}")
    tag = r.headers["etag"]
    out.append(str(r.headers))
    for inm in (tag, "W/" + tag, "*", '"x", ' + tag, '"x"', "", tag.strip('"'), "\xff"):
        r = await front.api.get(
            f"/v1/orders/{oid}", headers={"If-None-Match": inm.encode("latin-1")}
        )
        out.append(
            f"INM {inm!r} {r.status_code} {len(r.content)} {r.headers.get('content-type')} {r.headers.get('content-length')} {r.headers.get('etag')}"
        )
    print("\n".join(out))
    print(await front.stored())
