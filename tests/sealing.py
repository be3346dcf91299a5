"""Keys and seals for tests: fictional, and made when they are asked for."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID
from PIL import Image, ImageDraw

PDFSIG = shutil.which("pdfsig") or shutil.which("pdfsig", path=f"{sys.prefix}/poppler")
"""Of poppler-utils; scripts/test gets it."""
PASSWORD = "口令 with a blank"
NOW = datetime(2026, 3, 16, tzinfo=UTC)
P256 = ec.generate_private_key(ec.SECP256R1())
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def certificate(
    name: str,
    key: Key = P256,
    *,
    begins: datetime = NOW - timedelta(days=30),
    days: int = 365,
    signs: bool = True,
    authority: bool = False,
    only: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    usage = [signs, signs, not signs, not signs, False, False, False, False, False]
    whose = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
            x509.NameAttribute(NameOID.COMMON_NAME, "证书专用"),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(whose)
        .issuer_name(whose)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.KeyUsage(*usage), critical=True)
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
    )
    if only:
        builder = builder.add_extension(x509.ExtendedKeyUsage([only]), critical=False)
    return builder.sign(key, hashes.SHA256())


def pkcs12(name: str, key: Key = P256, **facts: object) -> bytes:
    made = certificate(name, key, **facts)  # type: ignore[arg-type]
    return serialize_key_and_certificates(
        b"seal", key, made, None, BestAvailableEncryption(PASSWORD.encode())
    )


def without_key(name: str) -> bytes:
    encryption = BestAvailableEncryption(PASSWORD.encode())
    return serialize_key_and_certificates(None, None, certificate(name), None, encryption)


def png(size: tuple[int, int] = (400, 400), ground: tuple[int, int, int, int] = (0, 0, 0, 0)) -> bytes:
    """A red ring."""
    picture = Image.new("RGBA", size, ground)
    ImageDraw.Draw(picture).ellipse((8, 8, size[0] - 8, size[1] - 8), outline=(220, 20, 20, 255), width=14)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def svg(
    inside: str = '<circle cx="50" cy="50" r="45" fill="none" stroke="#d11" stroke-width="4"/>',
    head: str = "",
) -> bytes:
    return f'{head}<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">{inside}</svg>'.encode()


# ---- programs that are not ours


VALIDATOR = """
import sys
from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

roots = list(load_certs_from_pemder([sys.argv[1]]))
for name in sys.stdin.read().split():
    try:
        with open(name, "rb") as file:
            [one] = PdfFileReader(file).embedded_regular_signatures
            found = validate_pdf_signature(one, ValidationContext(trust_roots=roots, allow_fetching=False))
            print(found.bottom_line, one.docmdp_level.name if one.docmdp_level else "-")
    except Exception as error:
        print(False, type(error).__name__)
"""


def of_pyhankos_validator(paths: Sequence[Path], root: Path) -> list[str]:
    """A line for each file: whether it holds under that authority, and what its certification permits."""
    names = "\n".join(map(str, paths))
    command = [sys.executable, "-c", VALIDATOR, str(root)]
    return subprocess.run(
        command, input=names, capture_output=True, text=True, check=True
    ).stdout.splitlines()


def hold_for_poppler(paths: Sequence[Path]) -> list[bool]:
    """Whether pdfsig finds a signature that is valid and of the whole file."""

    def holds(path: Path) -> bool:
        said = subprocess.run([str(PDFSIG), path], capture_output=True, text=True, check=False).stdout
        return "Signature is Valid." in said and "  - Total document signed" in said.splitlines()

    with ThreadPoolExecutor(2) as two:
        return list(two.map(holds, paths))
