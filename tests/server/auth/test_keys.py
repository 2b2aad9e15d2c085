"""Each key verifies by the algorithms of its kind, and by no others."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, RSAAlgorithm

from hubbub.errors import Invalid
from hubbub.server.auth.keys import KEY_BITS_MIN, KEY_BYTES_MIN, KEYS_BYTES_MAX, read_keys

RSA = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key(), as_dict=True)
EC = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
P384 = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)
OCT = HMACAlgorithm.to_jwk("s" * KEY_BYTES_MIN, as_dict=True)
OKP = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def set_of(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def algorithms(*keys: Any, secrets: bool = True) -> list[str]:
    return [key.algorithm_name for key in read_keys(set_of(*keys), secrets=secrets)]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (RSA, ["RS256", "PS256"]),
        ({**RSA, "alg": "PS256"}, ["PS256"]),
        ({**RSA, "alg": "RS256", "use": "sig"}, ["RS256"]),
        (EC, ["ES256"]),
        (OKP, ["EdDSA"]),
        (OCT, ["HS256"]),
        ({**EC, "key_ops": ["verify"]}, ["ES256"]),
    ],
)
def test_a_key_has_the_algorithms_of_its_kind(key: Any, expected: list[str]) -> None:
    assert algorithms(key) == expected


@pytest.mark.parametrize(
    "key",
    [
        {**RSA, "alg": "HS256"},
        {**RSA, "alg": "none"},
        {**RSA, "alg": "RSA-OAEP"},
        {**EC, "alg": "RS256"},
        {**OCT, "alg": "HS512"},
        {**RSA, "use": "enc"},
        {**EC, "key_ops": ["sign"]},
        {**EC, "key_ops": "verify"},
        {**EC, "crv": ["P-256"]},
        P384,
        {**RSA, "kty": "rsa"},
        {"kty": "OKP", "crv": "X25519", "x": OKP["x"]},
        "a key",
        None,
    ],
)
def test_a_key_for_something_else_is_ignored(key: Any) -> None:
    assert algorithms(key, EC) == ["ES256"]


def test_a_key_that_can_be_guessed_or_computed_is_ignored() -> None:
    weak = rsa.generate_private_key(65537, KEY_BITS_MIN // 2).public_key()
    short = HMACAlgorithm.to_jwk("s" * (KEY_BYTES_MIN - 1), as_dict=True)

    assert algorithms(RSAAlgorithm.to_jwk(weak, as_dict=True), short, EC) == ["ES256"]


def test_no_secret_key_is_taken_from_a_public_set() -> None:
    assert algorithms(OCT, EC, secrets=False) == ["ES256"]
    with pytest.raises(Invalid, match="no key that can be used"):
        algorithms(OCT, secrets=False)


def test_a_set_has_a_largest_size() -> None:
    with pytest.raises(Invalid, match=str(KEYS_BYTES_MAX)):
        read_keys(set_of(EC) + b" " * KEYS_BYTES_MAX, secrets=False)


def test_no_error_holds_a_part_of_a_key() -> None:
    with pytest.raises(Invalid) as raised:
        read_keys(set_of({"k": "planted", "kid": "planted"}) + b"planted", secrets=True)

    assert "planted" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_public_key_is_no_secret_key() -> None:
    [key, _] = read_keys(set_of(RSA), secrets=True)
    forged = jwt.encode({"sub": "eve"}, "s" * 32, "HS256")

    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.decode(forged, key, [key.algorithm_name])


@given(content=st.binary() | st.dictionaries(st.text(), st.text()).map(json.dumps).map(str.encode))
def test_whatever_is_read_is_keys_or_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        read_keys(content, secrets=True)
