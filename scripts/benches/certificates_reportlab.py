"""The other way to a signed certificate: reportlab draws the page, and pyHanko's SimpleSigner signs it as its documentation shows it."""

from __future__ import annotations

import io
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from server.certificates.render import Sheet
from server.kernel.paper import FONT_FOLDERS

FONT = "LXGWWenKai"


class KeptKey(signers.SimpleSigner):
    """The same, but that the key is not read anew for each signature."""

    @cache  # noqa: B019 - as long as the bench
    def _key(self) -> rsa.RSAPrivateKey:
        key = serialization.load_der_private_key(self.signing_key.dump(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        return bytes(256) if dry_run else self._key().sign(data, padding.PKCS1v15(), hashes.SHA256())


def register_font() -> None:
    [found] = [path for folder in FONT_FOLDERS for path in folder.glob("LXGWWenKai-Regular.ttf")][:1]
    pdfmetrics.registerFont(TTFont(FONT, str(found)))


def signer(kind: type[signers.SimpleSigner]) -> signers.SimpleSigner:
    """With an RSA key of 2,048 bits and a certificate of its own."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.KeyUsage(True, True, False, False, False, False, False, False, False),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    with tempfile.TemporaryDirectory(prefix="gongxue-bench-") as folder:
        key_file, certificate_file = Path(folder, "key.pem"), Path(folder, "cert.pem")
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        loaded = kind.load(str(key_file), str(certificate_file))  # type: ignore[no-untyped-call]  # pyHanko's
    return kind(
        signing_cert=loaded.signing_cert, signing_key=loaded.signing_key, cert_registry=loaded.cert_registry
    )


def page(sheet: Sheet) -> bytes:
    """The same words and the same QR code on a plain frame: no ornament, no tags, no PDF/A."""
    said, out = sheet.snapshot, io.BytesIO()
    size = landscape(A4)
    canvas = Canvas(out, pagesize=size)
    canvas.setTitle(said.number)
    canvas.rect(30, 30, size[0] - 60, size[1] - 60)
    canvas.setFont(FONT, 30)
    canvas.drawCentredString(size[0] / 2, 480, "工学一体化教师培训合格证书")
    lines = [
        f"{said.name}（身份证号 {said.id_number}）",
        f"于 {said.training_from} 至 {said.training_to} 参加 {said.level.training}",
        f"{said.major} {''.join(f'《{course}》' for course in said.courses)} 共计 {said.class_hours} 课时",
        f"考核{said.result}，特发此证。",
        f"发证机构：{said.issuer}",
        f"发证日期：{said.issued_on}",
        f"证书编号：{said.number}    序列号：{said.serial}",
    ]
    canvas.setFont(FONT, 16)
    for place, line in enumerate(lines):
        canvas.drawString(80, 420 - 32 * place, line)
    code = QrCodeWidget(sheet.verify_url, barWidth=80, barHeight=80)
    drawing = Drawing(80, 80)
    drawing.add(code)
    renderPDF.draw(drawing, canvas, 700, 60)
    canvas.save()
    return out.getvalue()


def made(sheet: Sheet, by: signers.SimpleSigner) -> bytes:
    signature = signers.PdfSignatureMetadata(field_name="Signature1")
    signed: io.BytesIO = signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(page(sheet))), signature, signer=by
    )
    return signed.getvalue()
