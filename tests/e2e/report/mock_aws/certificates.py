# SPDX-License-Identifier: Apache-2.0
"""Certificates for the mock, made anew for each run: good ones and those that must be refused."""
import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


@dataclass
class Pair:
    certificate: Path
    key: Path

    def __iter__(self):
        return iter((self.certificate, self.key))


class Authority:
    """A CA of this run. `ca_file` is what a client is told to believe."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mock authority")])
        now = datetime.datetime.utcnow()
        builder = x509.CertificateBuilder().subject_name(self.name).issuer_name(self.name)
        builder = builder.public_key(self.key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - DAY).not_valid_after(now + 30 * DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.ca_file = self.write("ca.pem", builder.sign(self.key, hashes.SHA256()))

    def write(self, name: str, certificate) -> Path:
        path = self.folder / name
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def issue(self, name: str, address: str = "127.0.0.1", ends_in=30 * DAY, self_signed=False) -> Pair:
        """A server's certificate for `address` (IP or DNS name)."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        try:
            alternative = x509.IPAddress(ipaddress.ip_address(address))
        except ValueError:
            alternative = x509.DNSName(address)
        end = datetime.datetime.utcnow() + ends_in
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject if self_signed else self.name)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(end - 40 * DAY).not_valid_after(end)
        builder = builder.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = builder.add_extension(usage, critical=False)
        certificate = builder.sign(key if self_signed else self.key, hashes.SHA256())
        key_file = self.folder / f"{name}.key"
        key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        return Pair(self.write(f"{name}.pem", certificate), key_file)
