"""Tokens and requests that somebody made to get in: what opens the MCP endpoint, and what does not."""

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any, Final

import httpx2
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.responses import JSONResponse

from tests.oauth.sites import STATIC, Site, site
from tests.oauth.test_introspection import asking
from tests.server.console.fake_provider import rsa_key

REGISTRY: Final = JWSRegistry(algorithms=["RS256", "PS256", "ES256", "HS256"])
LIST: Final[dict[str, Any]] = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}


def _sign(here: Site, header: dict[str, Any], key: RSAKey | ECKey | OctKey | None = None, **claims: Any) -> str:
    """Sign claims under any header: joserfc writes only those that are right."""
    named: dict[str, Any] = {"alg": "RS256", "kid": here.issuer.key.kid, **header}
    signed = f"{_part(named)}.{_part(here.claims(**claims))}"
    signature = REGISTRY.get_alg(named["alg"]).sign(signed.encode(), key or here.issuer.key)
    return f"{signed}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _part(content: Any) -> str:
    return urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _forged(here: Site) -> dict[str, tuple[str, int]]:
    """Return tokens by what is tried, with the status that each is answered."""
    own, other = here.issuer.key, rsa_key("another")
    shared = OctKey.import_key("a secret that everybody could have chosen")
    elliptic = ECKey.generate_key("P-256")
    unbound = RSAKey.import_key({name: part for name, part in own.as_dict(private=True).items() if name != "alg"})
    public = other.as_dict(private=False)
    good, now = here.token(), here.claims()["iat"]
    head, body, signature = good.split(".")
    return {
        "as it should be": (good, 200),
        "alg: none in capitals": (f"{_part({'alg': 'NONE'})}.{body}.", 401),
        "alg: none with the signature": (f"{_part({'alg': 'none', 'kid': own.kid})}.{body}.{signature}", 401),
        "alg left out": (f"{_part({'kid': own.kid})}.{body}.{signature}", 401),
        "alg is a list": (f"{_part({'alg': ['RS256'], 'kid': own.kid})}.{body}.{signature}", 401),
        "another algorithm than the key is for": (_sign(here, {"alg": "PS256"}, unbound), 401),
        "another kind of key under that id": (_sign(here, {"alg": "ES256"}, elliptic), 401),
        "a shared secret": (_sign(here, {"alg": "HS256"}, shared), 401),
        "its own key in the header": (_sign(here, {"jwk": public}, other), 401),
        "a key somewhere else": (_sign(here, {"jku": f"{here.issuer.issuer}/evil", "kid": "evil"}, other), 401),
        "a certificate in the header": (
            _sign(here, {"x5c": ["MIIB"], "x5u": f"{here.issuer.issuer}/evil"}, other),
            401,
        ),
        "kid of no text": (_sign(here, {"kid": 7}, other), 401),
        "kid of a path": (_sign(here, {"kid": "../../keys/first"}, other), 401),
        "kid of many letters": (_sign(here, {"kid": "k" * 3000}, other), 401),
        "no kid": (_sign(here, {"kid": None}, other), 401),
        "a rule that nobody knows": (_sign(here, {"crit": ["ours"], "ours": True}), 401),
        "other content than was signed": (f"{head}.{_part(here.claims(scope='write'))}.{signature}", 401),
        "no signature": (f"{head}.{body}.", 401),
        "a blank in front": (f" {good}", 401),
        "a fourth part": (f"{good}.{signature}", 401),
        "a list in place of a header": (f"{_part(['RS256'])}.{body}.{signature}", 401),
        "a header of many brackets": (f"{urlsafe_b64encode(b'[' * 3000).decode()}.{body}.{signature}", 401),
        "typ in capitals": (_sign(here, {"typ": "AT+JWT"}), 200),
        "typ in full": (_sign(here, {"typ": "application/at+jwt"}), 200),
        "typ of a list": (_sign(here, {"typ": ["at+jwt"]}), 401),
        "typ of a refresh token": (_sign(here, {"typ": "rt+jwt"}), 401),
        "several audiences": (here.token(aud=["https://other.example.com", here.resource]), 200),
        "audiences that begin alike": (here.token(aud=[f"{here.resource}/", f"{here.resource}x", here.url]), 401),
        "an audience within a text": (here.token(aud=f"https://other.example.com {here.resource}"), 401),
        "an audience by name": (here.token(aud={here.resource: 1}), 401),
        "no audience at all": (here.token(aud=[]), 401),
        "the issuer with a slash": (here.token(iss=f"{here.issuer.issuer}/"), 401),
        "several issuers": (here.token(iss=[here.issuer.issuer]), 401),
        "over within the skew": (here.token(exp=now - 40), 200),
        "over beyond the skew": (here.token(exp=now - 90), 401),
        "over in words": (here.token(exp=str(now + 300)), 401),
        "over never": (here.token(exp=float("inf")), 401),
        "over at no time": (here.token(exp=float("nan")), 401),
        "over in a very long time": (here.token(exp=10**30), 200),
        "soon": (here.token(nbf=now + 40), 200),
        "later": (here.token(nbf=now + 90), 401),
        "made later": (here.token(iat=now + 600), 401),
        "bound to a key": (here.token(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}), 401),
        "scopes of a list": (here.token(scope=["read"]), 200),
        "scopes in one text of a list": (here.token(scope=["read write"]), 403),
        "scopes with commas": (here.token(scope="read,write"), 403),
        "scopes with other blanks": (here.token(scope="x\u2003read\twrite"), 403),
        "scopes in capitals": (here.token(scope="READ Write"), 403),
        "scopes by name": (here.token(scope={"read": True}), 403),
        "a scope within another": (here.token(scope="voicetel.read reader"), 403),
        "the name of a static token": (here.token(sub="alice"), 200),
    }


async def test_only_tokens_that_the_issuer_made_for_this_resource_open_anything(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        shared = {"kty": "oct", "k": "YSBzZWNyZXQ", "kid": here.issuer.key.kid}
        here.issuer.published = [shared, {"kty": "none"}, {}, here.issuer.key.as_dict(private=False)]
        cases = _forged(here)
        found = {tried: (await here.ask(token)).status_code for tried, (token, _) in cases.items()}
        assert found == {tried: status for tried, (_, status) in cases.items()}
        assert {path for path, _, _ in here.issuer.seen} <= {
            "/keys",
            "/.well-known/openid-configuration",
        }  # no address that a token names was asked
        assert here.issuer.reads("/keys") == 1


async def test_a_token_counts_in_one_header_of_the_endpoint_and_nowhere_else(tmp_path: Path) -> None:
    async with site(tmp_path, introspection=asking()) as here:
        good, opaque = here.token(), "opaque-token-of-anna-1"
        twice = [("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {STATIC}")]
        assert (await here.post(LIST, headers=twice)).status_code == 400
        assert (await here.post(LIST, headers={"Authorization": f"Bearer {good}, Bearer {good}"})).status_code == 401
        assert (await here.post(LIST, headers={"Authorization": f"DPoP {good}"})).status_code == 401
        assert (await here.post(LIST, headers={"Authorization": f"Basic {good}"})).status_code == 401
        assert (await here.post(LIST, headers={"X-Authorization": f"Bearer {good}"})).status_code == 401
        inside = {"params": {"access_token": good}}
        for path, body in ((f"/mcp?access_token={good}", LIST), ("/mcp", LIST | inside)):
            told = await here.http.post(f"{here.url}{path}", json=body)
            assert told.status_code == 401
            assert good not in told.text + str(told.headers)
        here.issuer.answers = {"/introspect": JSONResponse({}, 503)}
        for path in ("/healthz", "/approvals", "/.well-known/oauth-protected-resource", "/nowhere"):
            headers = {"Authorization": f"Bearer {opaque}"}
            assert (await here.http.get(f"{here.url}{path}", headers=headers)).status_code != 503
        assert here.issuer.reads("/introspect") == 0
        large = await here.post(LIST, headers={"Authorization": f"Bearer {'x' * 60_000}"})
        assert large.status_code in {400, 401, 431}
        assert here.issuer.reads("/introspect") == 0


async def test_a_foreign_page_gets_nowhere_with_a_token_either(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        bearer = ("Authorization", f"Bearer {here.token()}")
        foreign: dict[str, tuple[tuple[str, str], int]] = {
            "a name that leads here": (("Host", "evil.example"), 421),
            "a page of somebody else": (("Origin", "https://evil.example"), 403),
        }
        for header, status in foreign.values():
            assert (await here.post(LIST, headers=[bearer, header])).status_code == status
        async with httpx2.AsyncClient(base_url=here.url) as http:
            told = await http.get("/.well-known/oauth-protected-resource", headers={"Host": "evil.example"})
        assert told.json()["resource"] == here.resource
