"""Checks a certificate's file by itself: no platform, no database, no network, and none of the platform's code.

    scripts/verify-certificate 证书.pdf --proof 入账证明.json --root 另存的根.json

The proof is what the public page of the certificate gives (/verify/…/proof); the root one that was kept from /ledger/roots, best by
somebody else and earlier. Says in Chinese what is proven and what is not. Ends with 0 where nothing speaks against the certificate, with 1
where something does, with 2 where a file cannot be read.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

MOST_BYTES = 10 * 1024 * 1024
ENDED = {"REVOKED": "撤销", "REISSUED": "作废并补发", "REPLACED": "作废并换发"}


class Unreadable(Exception):
    """In words for whoever called."""


class Report:
    def __init__(self) -> None:
        self.wrong = 0
        self.ended = ""
        """What became of its certificate, in words."""
        self.open: list[str] = []
        """What is not proven."""

    def good(self, words: str) -> None:
        print(f"✓ {words}")

    def bad(self, words: str) -> None:
        self.wrong += 1
        print(f"✗ {words}")

    def no_more(self, what: str, *, same: bool) -> None:
        """The file may be whole, but its certificate counts no more."""
        self.ended = f"{'文件与签发时相同，但' if same else ''}证书已{what}，不再有效。"
        print(f"✗ 台账登记这张证书已{what}，不再有效。")

    @property
    def conclusion(self) -> str:
        if self.wrong:
            return "与签发时不符，请勿采信。"
        if self.ended:
            return self.ended
        return "以上各项没有发现问题。"

    def unproven(self, words: str) -> None:
        self.open.append(words)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="核对培训合格证书的电子文件，不依靠平台和数据库。")
    parser.add_argument("file", type=Path, help="证书的 PDF 文件")
    parser.add_argument("--proof", type=Path, help="入账证明：公开验证页上下载的 JSON")
    parser.add_argument("--root", type=Path, help="另外保存的签名根：公布页的 JSON，最好由他人较早保存")
    given = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)  # pyHanko's own words are for its developers
    report = Report()
    try:
        content = _read(given.file)
        proof = _json(given.proof) if given.proof else None
        kept = _roots(_json(given.root)) if given.root else []
        _check(report, content, proof, kept)
    except Unreadable as refusal:
        print(f"无法核对：{refusal}", file=sys.stderr)
        return 2
    except (KeyError, TypeError, AttributeError, ValueError):
        print("无法核对：入账证明或签名根不是平台给出的内容。", file=sys.stderr)
        return 2
    print("\n没有证明的：")
    for words in report.open:
        print(f"－ {words}")
    print(f"\n结论：{report.conclusion}")
    return 1 if report.wrong or report.ended else 0


def _check(report: Report, content: bytes, proof: Any, kept: list[dict[str, Any]]) -> None:
    digest = hashlib.sha256(content).hexdigest()
    print(f"文件的 SHA-256：{digest}")
    root = proof["signed_root"] if proof else kept[0] if kept else None
    authority = x509.load_pem_x509_certificate(root["certificate"].encode()) if root else None
    _check_signature(report, content, authority)
    if root and _check_root(report, root):
        if proof:
            _check_inclusion(report, proof, digest)
        _compare(report, root, kept, given_proof=bool(proof))
    if not proof:
        report.unproven("没有给出入账证明（--proof），没有核对这个文件是否记在台账里。")
    report.unproven("这张证书今天是否仍然有效：签名的根公布以后还可能撤销、补发或换发，请在平台上查询。")
    report.unproven("纸质证书、打印件是否与这个文件相同：请逐项对照。")


# ---- the signature of the file


def _check_signature(report: Report, content: bytes, authority: x509.Certificate | None) -> None:
    try:
        found = PdfFileReader(io.BytesIO(content), strict=False).embedded_regular_signatures
    except Exception as error:  # a broken file breaks its reader in many ways
        raise Unreadable("这不是完好的 PDF 文件。") from error
    if not found:
        report.bad("文件没有数字签名。")
        return
    trusted = [asn1.Certificate.load(authority.public_bytes(Encoding.DER))] if authority else []
    for one in found:
        signer = one.signer_cert.subject.native.get("common_name", "")
        try:
            status = validate_pdf_signature(one, ValidationContext(trust_roots=trusted, allow_fetching=False))
        except Exception:  # whatever it is, it is no signature that holds
            report.bad("文件的签名读不懂，不能当作完好。")
            return
        if not (status.intact and status.valid):
            report.bad("文件在签名以后被改动过。")
        elif status.coverage is not SignatureCoverageLevel.ENTIRE_FILE or not status.docmdp_ok:
            report.bad("文件在签名以后被追加过内容。")
        else:
            report.good(f"文件的每个字节都与“{signer}”签名时相同。")
            _check_signer(report, x509.load_der_x509_certificate(one.signer_cert.dump()), authority)


def _check_signer(report: Report, signer: x509.Certificate, authority: x509.Certificate | None) -> None:
    if authority is None:
        report.unproven("签名的密钥是谁的：请给出入账证明或签名根，以核对签名证书由谁签发。")
        return
    try:
        signer.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        report.unproven(
            "签名证书不是平台的机构签发的（发证机构自己的密钥），它是否属于该机构请向其签发者核实。"
        )
    else:
        report.good("签名证书由平台的完整性证明机构签发。")
        report.unproven("平台代签的密钥只证明文件没有改动，不是法律意义上的电子印章。")


# ---- the ledger


def _check_root(report: Report, root: dict[str, Any]) -> bool:
    """Whether what is said of the root is what was signed."""
    certificate = x509.load_pem_x509_certificate(root["certificate"].encode())
    key = certificate.public_key()
    try:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        signature = base64.b64decode(root["signature"], validate=True)
        key.verify(signature, root["statement"].encode(), ec.ECDSA(hashes.SHA256()))
        said = json.loads(root["statement"])
        assert (said["day"], said["size"], said["root"]) == (root["day"], root["size"], root["root"])
    except (InvalidSignature, AssertionError, KeyError, ValueError):
        report.bad("台账的根没有有效的签名，或被改动过。")
        return False
    report.good(f"{root['day']} 公布的台账根（共 {root['size']} 条）签名有效。")
    print(f"  根：{root['root']}\n  签名证书指纹：{certificate.fingerprint(hashes.SHA256()).hex()}")
    report.unproven("上面的签名证书指纹是否属于平台：请与平台公布页，或别处保存的指纹比对。")
    return True


def _check_inclusion(report: Report, proof: dict[str, Any], digest: str) -> None:
    root, leaf = proof["signed_root"], json.loads(proof["leaf"])
    path = [bytes.fromhex(one) for one in proof["path"]]
    reached = _root_of(proof["leaf"].encode(), int(proof["index"]), int(root["size"]), path)
    if reached is None or reached.hex() != root["root"]:
        report.bad("入账证明算不到签名的根：它不属于这份台账，或被改动过。")
        return
    report.good(f"台账第 {leaf['position']} 条（证书编号 {leaf['number']}）在签名公布的台账里。")
    if not leaf["file"]:
        report.unproven("台账登记这张证书时还没有保存文件，只能证明证书编号记在台账里。")
    elif leaf["file"] == digest:
        report.good("台账登记的就是这个文件，一个字节不差。")
    else:
        report.bad("台账登记的是另一个文件：这个文件不是核发时的那一份。")
    if leaf["kind"] in ENDED:
        report.no_more(ENDED[leaf["kind"]], same=leaf["file"] == digest)


def _root_of(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return None
    digest, number, last = hashlib.sha256(b"\x00" + leaf).digest(), index, size - 1
    for one in path:
        if last == 0:
            return None
        if number % 2 or number == last:
            digest = hashlib.sha256(b"\x01" + one + digest).digest()
            while number and not number % 2:
                number, last = number // 2, last // 2
        else:
            digest = hashlib.sha256(b"\x01" + digest + one).digest()
        number, last = number // 2, last // 2
    return digest if last == 0 else None


def _compare(report: Report, root: dict[str, Any], kept: list[dict[str, Any]], *, given_proof: bool) -> None:
    """With a root that somebody has kept: a platform that shows each another ledger is caught by it."""
    if not given_proof:
        return
    same = next((one for one in kept if one["day"] == root["day"]), None)
    if same is None:
        words = "没有给出" if not kept else "给出的文件里没有"
        report.unproven(
            f"别人看到的是不是同一份台账：{words} {root['day']} 的签名根（--root），请用他人保存的根比对。"
        )
    elif (same["root"], same["size"]) == (root["root"], root["size"]) and same["certificate"] == root[
        "certificate"
    ]:
        report.good(f"与另外保存的 {root['day']} 的根相同。")
    else:
        report.bad(f"与另外保存的 {root['day']} 的根不同：有人给出了另一份台账。")


# ---- files


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"读不到文件 {path}。") from error
    if len(content) > MOST_BYTES:
        raise Unreadable(f"{path} 超过 10 MB，不是证书文件。")
    return content


def _json(path: Path) -> Any:
    refusal = Unreadable(f"{path} 不是平台给出的 JSON 文件。")
    try:
        given = json.loads(_read(path))
    except ValueError as error:
        raise refusal from error
    if not isinstance(given, dict) or not given:
        raise refusal
    return given


def _roots(given: Any) -> list[dict[str, Any]]:
    """One root, a list of them as /ledger/roots gives it, or a whole proof."""
    if "items" in given:
        return list(given["items"])
    return [given.get("signed_root", given)]


if __name__ == "__main__":
    sys.exit(main())
