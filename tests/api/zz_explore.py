import json, copy, pytest
from tests.api.conftest import *
from tests.api.front import *

async def test_x(front):
    good = new_order("g")
    def ch(**kw):
        o = copy.deepcopy(good); o.update(kw); return o
    def raw(path, value):
        o = copy.deepcopy(good); x=o
        for p in path[:-1]: x = x[p]
        x[path[-1]] = value
        return o
    t = json.dumps(good)
    cases = {
     "unknown": ch(colour="red"),
     "unknown nested": raw(["party","namse"], "x"),
     "wrong type": raw(["items",0,"quantity"], "2"),
     "float qty": raw(["items",0,"quantity"], 2.5),
     "bool qty": raw(["items",0,"quantity"], True),
     "float int qty": raw(["items",0,"quantity"], 2.0),
     "huge qty": raw(["items",0,"quantity"], 10**40),
     "wrong curr": raw(["total","currency"], "XXX"),
     "not sold": raw(["total","currency"], "USD"),
     "amount number": raw(["total","amount"], 12.5),
     "money null": raw(["total"], None),
     "money unknown": raw(["total","x"], 1),
     "negative": raw(["total","amount"], "-20.00"),
     "neg price": raw(["items",0,"unit_price","amount"], "-1.00"),
     "missing": {k:v for k,v in good.items() if k!="party"},
     "empty": b"", "ws": b"  ", "null": b"null", "array": b"[]", "empty obj": b"{}", "str": b'"x"', "num": b"1",
     "notjson": b"{nope", "trailing": t.encode()+b"x", "twodocs": t.encode()+b" "+t.encode(),
     "bom": b"\xef\xbb\xbf"+t.encode(),
     "utf16": t.encode("utf-16"), "utf16le": t.encode("utf-16-le"), "latin1": json.dumps(good,ensure_ascii=False).encode("latin-1"),
     "nan": t.replace('"quantity": 2','"quantity": NaN').encode(),
     "inf": t.replace('"quantity": 2','"quantity": Infinity').encode(),
     "1e400": t.replace('"quantity": 2','"quantity": 1e400').encode(),
     "-1e400": t.replace('"quantity": 2','"quantity": -1e400').encode(),
     "2e0": t.replace('"quantity": 2','"quantity": 2e0').encode(),
     "hugeint": t.replace('"quantity": 2','"quantity": '+"9"*5000).encode(),
     "hugeint unknown field": (t[:-1]+', "zz": '+"9"*5000+"}").encode(),
     "surrogate": t.replace("M\\u00fcller","\\ud800").encode(),
     "surrogate in note": json.dumps(ch(note="X")).replace('"X"','"\\ud800"').encode(),
     "surrogate raw": t.replace("M\\u00fcller","\x00S").encode().replace(b"\x00S", b"\xed\xa0\x80"),
     "nul name": raw(["party","names",0], "a\x00b"),
     "nul note": ch(note="a\x00b"),
     "nul desc": raw(["items",0,"description"], "a\x00b"),
     "nul house": raw(["party","addresses",0,"house_number"], "1\x00"),
     "nul line2": raw(["party","addresses",0,"line2"], "1\x00"),
     "nul email": raw(["party","email"], "a\x00@x"),
     "nul key": ch(**{"a\x00b":1}),
     "deep65": ('{"a":'*65+"1"+"}"*65).encode(),
     "deep1000": ('['*1000+"]"*1000).encode(),
     "deep100000": ('['*100000+"]"*100000).encode(),
     "deep100000 open": ('['*100000).encode(),
     "deep in str": raw(["note"], "["*150),
     "dup": t.replace('"quantity": 2','"quantity": 2, "quantity": 2').encode(),
     "dup top": (t[:-1]+', "channel":"B2C"}').encode(),
     "dup escaped": t.replace('"quantity": 2','"quantity": 2, "qu\\u0061ntity": 3').encode(),
     "empty items": ch(items=[]),
     "10000 errs": ch(items=[{"x":1}]*10000),
     "200 items bad": ch(items=[{"x":1}]*200),
     "10000 unknown": {**good, **{f"u{i}":i for i in range(10000)}},
     "names str": raw(["party","names"], "Bob"),
     "enum": ch(channel="ZZZ"),
     "card": raw(["payment","token"], "4242424242424242"),
     "big": json.dumps(ch(note="x"*1100000)).encode(),
    }
    out = []
    for name, body in cases.items():
        try:
            r = await front.post(body, key="k-"+name.replace(" ","-"))
            b = r.json()
            out.append(f"{name:24} {r.status_code} {b.get('code')} n={len(b.get('errors',[]))} len={len(r.content)} {[(e['pointer'][:40],e['code'],e['detail'][:60]) for e in b.get('errors',[])[:4]]}")
        except BaseException as e:
            out.append(f"{name:24} EXC {type(e).__name__} {str(e)[:150]}")
    for ct in ["", "text/plain", "application/xml", "application/json; charset=utf-8", "application/json; charset=iso-8859-1", "APPLICATION/JSON", "application/vnd.x+json", "application/json, text/plain"]:
        r = await front.post(good, key="ct"+str(abs(hash(ct))), Content_Type=ct)
        out.append(f"CT {ct!r} {r.status_code} {r.json().get('code')}")
    print("\n".join(out)); print(await front.stored())
