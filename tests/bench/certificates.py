"""TLS contexts with RSA-3072 certificates on both sides for the peer of the handshake benchmark, and one for
a web server.
"""

import datetime as dt
import ipaddress
import shutil
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


def mutual_contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Client and server context for TLS 1.3; each demands the other's certificate."""
    with tempfile.TemporaryDirectory() as folder:
        client, server = (certificate(Path(folder), name) for name in ("client", "server"))
        return _context(ssl.PROTOCOL_TLS_CLIENT, client, server), _context(
            ssl.PROTOCOL_TLS_SERVER, server, client
        )


def server_certificate(path: Path) -> None:
    """Write key and certificate of a web server on the loopback into one file."""
    with tempfile.TemporaryDirectory() as folder:
        alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))])
        shutil.move(certificate(Path(folder), "127.0.0.1", alternative), path)


def _context(side: int, own: Path, other: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(side)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(own)
    context.load_verify_locations(other)
    return context


def certificate(folder: Path, name: str, alternative: x509.SubjectAlternativeName | None = None) -> Path:
    """Make a key and its own certificate, good for an hour, in one new file; returns its path."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
    )
    if alternative is not None:
        builder = builder.add_extension(alternative, critical=False)
    signed = builder.sign(key, hashes.SHA256())
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path
