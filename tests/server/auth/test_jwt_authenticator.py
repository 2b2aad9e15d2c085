"""Tokens that the application signs."""

from __future__ import annotations

import base64
import hmac
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, OKPAlgorithm, RSAAlgorithm

from hubbub.errors import Invalid
from hubbub.server.auth.jwt_authenticator import THREADS_MAX, JwtAuthenticator
from hubbub.server.auth.keys import KEY_BYTES_MIN, KEYS_BYTES_MAX
from hubbub.server.auth.tokens import TOKEN_CHARS_MAX

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECRET = "s" * 64
MANY = 1_000
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P256 = ec.generate_private_key(ec.SECP256R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()


class Noon:
    """A clock that stands."""

    def now(self) -> datetime:
        """Return noon."""
        return NOON

    def monotonic(self) -> float:
        """Return nothing."""
        return 0.0


KEYS: dict[str, tuple[Any, dict[str, Any]]] = {
    "HS256": (SECRET, HMACAlgorithm.to_jwk(SECRET, as_dict=True)),
    "RS256": (RSA, RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True)),
    "PS256": (RSA, {**RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True), "alg": "PS256"}),
    "ES256": (P256, ECAlgorithm.to_jwk(P256.public_key(), as_dict=True)),
    "EdDSA": (ED25519, OKPAlgorithm.to_jwk(ED25519.public_key(), as_dict=True)),
}


def write_keys(path: Path, *algorithms: str) -> None:
    keys = [{**KEYS[one][1], "kid": one} for one in algorithms]
    path.write_text(json.dumps({"keys": keys}))
    # A clock of files may be too coarse to tell two writes apart.
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000 * len(algorithms)))


def token(algorithm: str, kid: str | None = None, **claims: Any) -> str:
    whole = {"sub": "ann", "exp": NOON.timestamp() + 60, "iat": NOON.timestamp(), **claims}
    headers = {"kid": kid or algorithm}
    return jwt.encode(whole, KEYS[algorithm][0], algorithm=algorithm, headers=headers)


def authenticator(path: Path, *algorithms: str, **options: Any) -> JwtAuthenticator:
    write_keys(path / "keys.json", *(algorithms or KEYS))
    return JwtAuthenticator(path / "keys.json", clock=Noon(), **options)


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_token_names_its_user(tmp_path: Path, algorithm: str) -> None:
    reads = authenticator(tmp_path)
    identity = await reads(token(algorithm, role="moderator", name="Ann"))

    assert identity is not None
    assert (identity.user, identity.role, identity.nickname) == ("ann", "moderator", "Ann")


async def test_keys_change_while_it_runs(tmp_path: Path) -> None:
    reads = authenticator(tmp_path, "HS256")
    before = [await reads(token(one)) for one in ("HS256", "RS256")]
    write_keys(tmp_path / "keys.json", "HS256", "RS256")
    both = [await reads(token(one)) for one in ("HS256", "RS256")]
    write_keys(tmp_path / "keys.json", "RS256", "EdDSA", "RS256")
    after = [await reads(token(one)) for one in ("HS256", "RS256")]

    assert [one is not None for one in before] == [True, False]
    assert [one is not None for one in both] == [True, True]
    assert [one is not None for one in after] == [False, True]


async def test_those_who_come_while_the_keys_are_read_wait_for_them(tmp_path: Path) -> None:
    # So many that to read them takes a while.
    others = [{**KEYS["RS256"][1], "kid": str(number)} for number in range(MANY)]
    ours = {**KEYS["HS256"][1], "kid": "HS256"}
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [*others, ours]}))
    reads = JwtAuthenticator(tmp_path / "keys.json", clock=Noon())
    found = []

    async def sign_in() -> None:
        found.append(await reads(token("HS256")))

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(sign_in)

    assert None not in found


NO_KEYS = [
    None,
    b"",
    b'{"keys": [{"kty"',
    b"[]",
    b'{"keys": []}',
    b'{"keys": [{"kty": "RSA"}]}',
    b"\xff",
    json.dumps({"keys": [{**KEYS["ES256"][1], "use": "enc"}]}).encode(),
]


@pytest.mark.parametrize("content", NO_KEYS)
async def test_the_keys_before_are_used_while_the_file_has_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes | None
) -> None:
    reads = authenticator(tmp_path, "HS256")
    assert await reads(token("HS256")) is not None
    path = tmp_path / "keys.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    assert await reads(token("HS256")) is not None
    assert "keeps using the keys from before" in caplog.text
    assert str(path) in caplog.text


@pytest.mark.parametrize("content", NO_KEYS)
async def test_without_any_keys_nobody_is_let_in(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_bytes(content)
    reads = JwtAuthenticator(path, clock=Noon())

    assert await reads(token("HS256")) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOON.timestamp()},
        {"nbf": NOON.timestamp() + 1},
        {"nbf": "soon"},
        {"sub": None},
        {"sub": 7},
    ],
)
async def test_claims_that_are_not_good_are_refused(tmp_path: Path, claims: dict[str, Any]) -> None:
    assert await authenticator(tmp_path)(token("HS256", **claims)) is None


@pytest.mark.parametrize("forged", ["", "nonsense", "a.b.c"])
async def test_nonsense_is_refused(tmp_path: Path, forged: str) -> None:
    assert await authenticator(tmp_path)(forged) is None


async def test_a_public_key_is_no_secret(tmp_path: Path) -> None:
    reads = authenticator(tmp_path, "RS256")
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = {"sub": "ann", "exp": NOON.timestamp() + 60}
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": "RS256"})
    head, _, _ = jwt.encode(claims, SECRET, "HS256", headers={"kid": "RS256"}).split(".")
    said = f"{head}.{unsigned.split('.')[1]}"
    signature = hmac.digest(public, said.encode(), "sha256")
    forged = f"{said}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"

    assert await reads(forged) is None
    assert await reads(unsigned) is None


async def test_audience_and_issuer_are_asked_for(tmp_path: Path) -> None:
    reads = authenticator(tmp_path, audience="hubbub", issuer="app")

    assert await reads(token("RS256", aud="hubbub", iss="app")) is not None
    assert await reads(token("RS256", aud="other", iss="app")) is None
    assert await reads(token("RS256", aud="hubbub", iss="other")) is None
    assert await reads(token("RS256", iss="app")) is None


async def test_roles_are_in_the_application_s_words(tmp_path: Path) -> None:
    reads = authenticator(tmp_path, roles={"staff": "admin"})
    staff = await reads(token("HS256", role="staff"))
    moderator = await reads(token("HS256", role="moderator"))

    assert staff is not None
    assert moderator is not None
    assert (staff.role, moderator.role) == ("admin", "user")


async def test_what_claims_to_refresh_does_not(tmp_path: Path) -> None:
    identity = await authenticator(tmp_path)(token("HS256", use="refresh"))

    assert identity is not None
    assert not identity.refreshes


DEEP = b"[" * 50_000 + b"]" * 50_000


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"keys":%b}' % DEEP,
        b'{"keys":1}',
        b'{"keys":[1]}',
        b'{"keys":[{"kty":"oct"}]}',
        b'{"keys":[{"kty":"oct","k":""}]}',
        b'{"keys":[{"kty":"oct","k":5}]}',
        b'{"keys":[{"kty":"RSA","n":"AA","e":"AQAB"}]}',
        b'{"keys":[{"kty":"RSA","n":[],"e":{}}]}',
        b'{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}',
        b'{"keys":[{"kty":"OKP","crv":[],"x":"AA"}]}',
        b'{"keys":[{"kty":%b}]}' % (b"1" * 5_000),
        b'{"keys":[]} ' + b" " * KEYS_BYTES_MAX,
    ],
)
async def test_whatever_is_in_the_file_the_keys_before_are_used(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reads = authenticator(tmp_path, "HS256")
    before = await reads(token("HS256"))
    (tmp_path / "keys.json").write_bytes(content)
    after = await reads(token("HS256"))
    empty = await reads(jwt.encode({"sub": "eve", "exp": 9e9}, "x" * 32, "HS256"))

    assert before == after is not None
    assert empty is None
    assert "keeps using the keys from before" in caplog.text


def test_a_secret_that_can_be_guessed_is_no_key(tmp_path: Path) -> None:
    weak = "s" * (KEY_BYTES_MIN - 1)
    keys = {"keys": [HMACAlgorithm.to_jwk(weak, as_dict=True)]}
    (tmp_path / "keys.json").write_text(json.dumps(keys))

    with pytest.raises(Invalid, match="32 bytes"):
        JwtAuthenticator(tmp_path / "keys.json", clock=Noon()).read_keys()


def segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


parts = st.binary(max_size=40) | st.sampled_from(
    [
        DEEP[:10_000],
        b'{"alg":"HS256"}',
        b'{"alg":"HS256","kid":["HS256"]}',
        b'{"alg":"HS256","kid":"HS256","x":%b}' % (b"1" * 5_000),
        b'{"alg":"HS256","x":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"sub":"ann","exp":9e9,"name":"\\ud800"}',
        b'{"sub":"ann","exp":9e9,"nbf":NaN}',
        b'{"sub":"ann","exp":9e9,"nbf":%b}' % (b"1" * 400),
        b'{"sub":"ann","exp":9e9,"sid":"\\ud800"}',
        b'{"sub":"a/b","exp":9e9}',
        b'{"sub":"ann","exp":9e9,"role":["admin"]}',
        b"[]",
    ]
)


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> JwtAuthenticator:
    """Read tokens by one key."""
    return authenticator(tmp_path_factory.mktemp("keys"), "HS256")


@given(made_up=st.text() | st.tuples(parts, parts, st.none() | st.binary(max_size=40)))
def test_whatever_is_sent_as_a_token_names_nobody_or_a_user(
    reads: JwtAuthenticator, made_up: str | tuple[bytes, bytes, bytes | None]
) -> None:
    if isinstance(made_up, tuple):
        head, payload, signature = made_up
        signed = f"{segment(head)}.{segment(payload)}"
        by_the_key = hmac.digest(SECRET.encode(), signed.encode(), "sha256")
        made_up = f"{signed}.{segment(by_the_key if signature is None else signature)}"
    identity = reads._identify(made_up)

    assert identity is None or (identity.user.isprintable() and not identity.refreshes)


def test_threads_are_few_and_nobody_else_s() -> None:
    assert 1 < THREADS_MAX < 40


async def test_a_long_token_is_not_looked_at(tmp_path: Path) -> None:
    reads = authenticator(tmp_path, "HS256")

    assert await reads(token("HS256", x="x" * TOKEN_CHARS_MAX)) is None


async def test_no_claim_of_an_application_s_token_makes_it_one_of_ours(tmp_path: Path) -> None:
    identity = await authenticator(tmp_path, "HS256")(
        token("HS256", gen=3, app=True, use="refresh")
    )

    assert identity is not None
    assert (identity.generation, identity.application, identity.refreshes) == (None, False, False)
