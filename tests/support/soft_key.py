"""A passkey without a device: makes and shows what a browser would."""

import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

PRESENT = AuthenticatorData.FLAG.UP
ATTESTED = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT


class SoftKey:
    """One key of one site."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = b"a key of these tests"
        self.count = 0

    def make(self, asked: dict[str, Any], *, origin: str) -> str:
        """Answer who asks for a new passkey."""
        said = CollectedClientData.create("webauthn.create", websafe_decode(asked["challenge"]), origin)
        public = ES256.from_cryptography_key(self.key.public_key())
        told = AttestedCredentialData.create(b"\0" * 16, self.name, public)
        data = AuthenticatorData.create(sha256(self.host.encode()), ATTESTED, self.count, told)
        response = {"attestationObject": websafe_encode(AttestationObject.create("none", data, {}))}
        return self._answer(said, response)

    def show(self, asked: dict[str, Any], *, origin: str) -> str:
        """Answer who asks for this passkey."""
        self.count += 1
        assert [websafe_decode(each["id"]) for each in asked["allowCredentials"]] == [self.name]
        said = CollectedClientData.create("webauthn.get", websafe_decode(asked["challenge"]), origin)
        data = AuthenticatorData.create(sha256(self.host.encode()), PRESENT, self.count)
        signed = self.key.sign(data + said.hash, ec.ECDSA(hashes.SHA256()))
        return self._answer(said, {"authenticatorData": websafe_encode(data), "signature": websafe_encode(signed)})

    def _answer(self, said: CollectedClientData, response: dict[str, str]) -> str:
        name = websafe_encode(self.name)
        whole = {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": {"clientDataJSON": websafe_encode(said), **response},
        }
        return json.dumps(whole)
