"""An uploaded PKCS#12 file, read in a process of its own: how often its password is stretched is for whoever made it to say."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pypdf import PdfWriter

from server.kernel.errors import Problem
from server.seals.inspecting import Integrity, inspect
from server.seals.rules import CURVES, RSA_BITS_MOST, KeyFacts, KeyRefused
from server.seals.signer import SigningMaterial, sign

UPLOADED_LARGEST = 256 * 1024
CHAIN_MOST = 8
NAMED_IN = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
OTHER_PURPOSES = frozenset(
    {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CODE_SIGNING,
        ExtendedKeyUsageOID.TIME_STAMPING,
        ExtendedKeyUsageOID.OCSP_SIGNING,
    }
)
E = TypeVar("E", bound=x509.ExtensionType)
_DER = serialization.Encoding.DER


@dataclass(frozen=True)
class ReadKey:
    key: bytes = field(repr=False)
    """PKCS#8 in DER, in clear: in memory only."""
    chain: tuple[bytes, ...]
    facts: KeyFacts


def read_key(content: bytes, password: str) -> ReadKey:
    """Opens it, and has it sign something. Whether it will do is for the rules. Raises KeyRefused."""
    key, certificate, others = _opened(content, password)
    facts = _facts(certificate, key)
    chain = (certificate.public_bytes(_DER), *(one.public_bytes(_DER) for one in others[: CHAIN_MOST - 1]))
    plain = key.private_bytes(_DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    if facts.algorithm in CURVES or (facts.algorithm == "rsa" and facts.bits <= RSA_BITS_MOST):
        _try(SigningMaterial(plain, chain, True, ""))
    return ReadKey(plain, chain, facts)


def _opened(
    content: bytes, password: str
) -> tuple[PrivateKeyTypes, x509.Certificate, list[x509.Certificate]]:
    if content.lstrip().startswith(b"-----BEGIN"):
        raise KeyRefused("这是 PEM 文本，不是 PKCS#12 文件。请把证书连同私钥导出为 .p12 或 .pfx 文件。")
    if content.startswith(b"\xfe\xed\xfe\xed"):
        raise KeyRefused("这是 Java 密钥库（JKS）。请用 keytool -importkeystore 转为 PKCS12 格式后上传。")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # BER where DER is asked for: old programs write it, and it is read all the same
            found = load_pkcs12(content, password.encode())
    except UnsupportedAlgorithm as error:
        if "urve" in str(error):
            raise KeyRefused(
                "证书的密钥算法不受支持（可能是 SM2）：PDF 的签名须由各种阅读器验证。请申领 RSA 2048 位以上或 P-256 的证书。"
            ) from None
        raise KeyRefused("文件的加密方式太旧或不常见，无法打开。请用 AES-256 重新导出 .p12 文件。") from None
    except ValueError as error:
        if "password" in str(error).lower():
            raise KeyRefused(
                "密码不对，或文件已损坏。请核对导出时设置的密码，注意大小写。", "password"
            ) from None
        raise KeyRefused(
            "这不是 PKCS#12 文件，或其编码不合规范。请用证书软件重新导出为 .p12 或 .pfx 文件（不要用文本编辑器打开保存过的文件）。"
        ) from None
    certificates = [one.certificate for one in (found.cert, *found.additional_certs) if one is not None]
    if found.key is None:
        raise KeyRefused("文件里没有私钥，只有证书，不能签名。请在导出时选择“包含私钥”。")
    own = next((one for one in certificates if one.public_key() == found.key.public_key()), None)
    if own is None:
        raise KeyRefused("文件里没有与私钥对应的证书。请把证书和私钥一起导出后上传。")
    return found.key, own, [one for one in certificates if one != own]


def _facts(certificate: x509.Certificate, key: PrivateKeyTypes) -> KeyFacts:
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm, bits = "rsa", key.key_size
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm, bits = key.curve.name, key.key_size
    else:
        algorithm, bits = type(key).__name__.removesuffix("PrivateKey").lstrip("_"), 0
    names = [str(one.value) for kind in NAMED_IN for one in certificate.subject.get_attributes_for_oid(kind)]
    usage = _extension(certificate, x509.KeyUsage)
    basic = _extension(certificate, x509.BasicConstraints)
    purposes = set(_extension(certificate, x509.ExtendedKeyUsage) or ())
    return KeyFacts(
        algorithm,
        bits,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        tuple(names),
        usage is None or usage.digital_signature or usage.content_commitment,
        bool(basic and basic.ca),
        bool(purposes) and purposes <= OTHER_PURPOSES,
    )


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    except ValueError:
        raise KeyRefused("证书的扩展项编码有误，无法读取。请向发证机构重新申领。") from None


def _try(material: SigningMaterial) -> None:
    """A file signed by it has to be found intact: what fails here would fail on the first certificate."""
    blank = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(72, 72)
    writer.write(blank)
    try:
        signed = sign(blank.getvalue(), material, reason="试签", place="")
        if inspect(signed.pdf).integrity is Integrity.INTACT:
            return
    except Problem:
        pass
    raise KeyRefused("试签没有通过：用这个密钥签署的文件验证不了。请向发证机构核对证书，或重新导出后上传。")
