"""Certificates are signed so that any later change shows, to our own check and to tools that are not ours (articles 17 and 18)."""

from __future__ import annotations

import hashlib
import io
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typst
from asn1crypto.keys import PrivateKeyInfo
from asn1crypto.tsp import TimeStampReq
from asn1crypto.x509 import Certificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.sign.timestamps import DummyTimeStamper
from pypdf import PdfReader, PdfWriter

from server.kernel.clock import FixedClock
from server.kernel.errors import FileUnreadable, Invalid, NotFound
from server.kernel.platform import Platform
from server.kernel.seen import ChangedMeanwhile, mark
from server.messages import office_inbox
from server.messages.office_inbox import InboxFilter
from server.seals import keys, service
from server.seals.checker import check_pdf
from server.seals.documents import KeyState, SigningKey
from server.seals.external import SealService, SealServiceFailed
from server.seals.inspecting import Integrity, inspect
from server.seals.keys import KeyUpload, KeyWithdrawal, NotYourKey
from server.seals.pkcs12 import read_key
from server.seals.rules import KeyRefused, check_key
from server.seals.signer import KeyUnusable, SigningMaterial, sign
from server.settings import Settings
from tests import cast, sealing, stage
from tests.sealing import NOW, PASSWORD

XINGTAI, CHANGZHOU = stage.actor(cast.XINGTAI_OFFICER), stage.actor(cast.CHANGZHOU_OFFICER)
HEBEI = stage.actor(cast.HEBEI_OFFICER)
NAME = "邢台技师学院"
OTHERS = ["常州技师学院"]
PAGE = (
    '#set document(title: [证书], date: datetime(year: 2026, month: 3, day: 16))\n#set text(lang: "zh")\n= {}'
)


def drawn(words: str = "certificate") -> bytes:
    made = typst.compile(PAGE.format(words).encode(), format="pdf", pdf_standards="a-2u")
    assert isinstance(made, bytes)
    return made


def signed(material: SigningMaterial, words: str = "certificate") -> bytes:
    return sign(drawn(words), material, reason="核发培训合格证书", place="河北省").pdf


@pytest.fixture
async def material(platform: Platform) -> SigningMaterial:
    return await service.material(platform, cast.XINGTAI)


# ---- what is signed, and by whom


async def test_what_the_platform_signs_for_an_institution_is_intact_ours_and_named_as_the_platforms(
    platform: Platform, material: SigningMaterial
) -> None:
    assert material == await service.material(platform, cast.XINGTAI)  # one key, kept
    assert not material.own_key and "平台代签" in material.signed_by
    plain = drawn()
    done = sign(plain, material, reason="核发培训合格证书", place="河北省")
    assert done.pdf.startswith(plain) and not done.timestamped
    assert b"pdfaid" in done.pdf[len(plain) :]  # still PDF/A: the metadata were written anew, and say so
    found = await check_pdf(platform, done.pdf)
    assert found.intact and found.institution_code == cast.XINGTAI and not found.own_key
    stored = await platform["signing_keys"].find_one({})
    assert stored and material.key not in bytes(stored["key"])


async def test_each_institution_has_a_key_of_its_own_and_one_authority_vouches_for_all(
    platform: Platform,
) -> None:
    one, other = [await service.material(platform, code) for code in (cast.XINGTAI, cast.CHANGZHOU)]
    assert one.key != other.key and one.chain[1] == other.chain[1]
    authority = await service.authority(platform)
    root = x509.load_pem_x509_certificate(authority.certificate_pem.encode())
    for material in (one, other):
        x509.load_der_x509_certificate(material.chain[0]).verify_directly_issued_by(root)
    key = root.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(authority.sign(b"root"), b"root", ec.ECDSA(hashes.SHA256()))


async def test_a_change_shows_to_us_to_poppler_and_to_pyhankos_validator(
    platform: Platform, material: SigningMaterial, tmp_path: Path
) -> None:
    """Intact; any byte of the signed ranges, sampled over 100 files; something appended."""
    sample = random.Random(20261201)
    files: dict[Path, bool] = {}

    def keep(content: bytes, intact: bool) -> None:
        path = tmp_path / f"{len(files)}.pdf"
        path.write_bytes(content)
        files[path] = intact

    for number in range(10):
        good = signed(material, f"certificate {number}")
        keep(good, True)
        for _ in range(10):
            keep(_with_another_byte(good, sample), False)
    appended = _edited(signed(material))
    keep(appended, False)

    for path, intact in files.items():
        try:
            assert (inspect(path.read_bytes()).integrity is Integrity.INTACT) is intact, path
        except FileUnreadable:
            assert not intact
    root = tmp_path / "root.pem"
    root.write_text(await service.certificates(platform))
    said = sealing.of_pyhankos_validator(list(files), root)
    assert said[0] == "True NO_CHANGES"
    assert [line.startswith("True") for line in said] == list(files.values())
    if sealing.PDFSIG is None:
        pytest.skip("没有 pdfsig：scripts/test 会下载 poppler-utils")
    assert sealing.hold_for_poppler(list(files)) == list(files.values())
    assert (await check_pdf(platform, appended)).integrity is Integrity.APPENDED


def _with_another_byte(content: bytes, sample: random.Random) -> bytes:
    """One of the bytes that are signed: all but what is between the brackets of /Contents."""
    found = re.search(rb"/ByteRange \[0 (\d+) (\d+) (\d+)\s*\]", content)
    assert found
    first, begins, rest = map(int, found.groups())
    at = sample.randrange(first + rest)
    at = at if at < first else begins + at - first
    changed = bytearray(content)
    changed[at] ^= 1 << sample.randrange(8)
    return bytes(changed)


def _edited(content: bytes) -> bytes:
    """Another page after the signature, as an incremental update."""
    writer = PdfWriter(io.BytesIO(content), incremental=True)
    writer.add_blank_page(100, 100)
    out = io.BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(content)
    return out.getvalue()


# ---- what somebody brings


async def test_a_file_that_is_not_signed_by_us_is_not_said_to_be_ours(platform: Platform) -> None:
    read = read_key(sealing.pkcs12("某某公司"), PASSWORD)
    foreign = await check_pdf(platform, signed(SigningMaterial(read.key, read.chain, True, "")))
    assert (foreign.integrity, foreign.ours, foreign.intact) == (Integrity.INTACT, False, False)
    assert "某某公司" in foreign.words and "不是本平台" in foreign.words
    ours = await service.material(platform, cast.XINGTAI)
    assert ours
    put_in = {"fingerprint": hashlib.sha256(read.chain[0]).hexdigest(), "chain": list(read.chain)}
    await platform["signing_keys"].update_one({}, {"$set": put_in})  # by whoever owns the database
    assert not (await check_pdf(platform, signed(SigningMaterial(read.key, read.chain, True, "")))).ours
    unsigned = await check_pdf(platform, drawn())
    assert unsigned.integrity is Integrity.UNSIGNED and not unsigned.ours


async def test_what_a_seal_service_signed_is_ours_by_the_authority_that_the_operator_names(
    platform: Platform, tmp_path: Path
) -> None:
    read = read_key(sealing.pkcs12("某某公司"), PASSWORD)
    file = signed(SigningMaterial(read.key, read.chain, True, ""))
    named = tmp_path / "authorities.pem"
    for whose, ours in (
        (read.chain[0], True),
        (sealing.certificate("他人").public_bytes(Encoding.DER), False),
    ):
        named.write_bytes(x509.load_der_x509_certificate(whose).public_bytes(Encoding.PEM))
        settings = platform.settings.model_copy(update={"seal_service_authorities": named})
        assert (await check_pdf(replace(platform, settings=settings), file)).ours is ours


def encrypted() -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(drawn())))
    writer.encrypt("secret")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: b"MZ hello", "不是 PDF"),
        (lambda: b"%PDF-1.7\n" + bytes(range(256)) * 40, "损坏"),
        (lambda: b"%PDF-1.7\n" + b"[" * 200_000, "损坏"),
        (encrypted, "加密"),
        (lambda: b"%PDF-1.7" + bytes(10 * 2**20), "10 MB"),
    ],
)
async def test_a_hostile_file_is_answered_in_words(
    platform: Platform, make: Callable[[], bytes], words: str
) -> None:
    with pytest.raises(FileUnreadable, match=words):
        await check_pdf(platform, make())


# ---- the institution's own key


async def uploaded(platform: Platform, content: bytes, reason: str = "") -> SigningKey:
    before = await keys.own_key(platform, cast.XINGTAI)
    wanted = KeyUpload(seen=mark(before), password=PASSWORD, reason=reason)
    return await keys.upload(platform, XINGTAI, cast.XINGTAI, content, wanted)


async def test_an_own_key_signs_until_it_is_replaced_or_withdrawn_and_what_it_signed_stays_ours(
    platform: Platform,
) -> None:
    first = await uploaded(platform, sealing.pkcs12(NAME, rsa.generate_private_key(65537, 2048)))
    material = await service.material(platform, cast.XINGTAI)
    assert material.own_key and first.algorithm == "RSA 2048"
    file = signed(material)
    with pytest.raises(Invalid):
        await uploaded(platform, sealing.pkcs12(NAME))  # no reason for another
    second = await uploaded(platform, sealing.pkcs12(NAME), "原密钥介质更换")
    stored = await platform["signing_keys"].find_one({"_id": first.id})
    assert stored and (stored["state"], stored["key"]) == (KeyState.REPLACED, None)

    gone = KeyWithdrawal(seen=mark(second), reason="介质遗失，已报失")
    with pytest.raises(NotYourKey):
        await keys.withdraw(platform, HEBEI, second.id, gone)
    with pytest.raises(NotFound):
        await keys.withdraw(platform, CHANGZHOU, second.id, gone)
    await keys.withdraw(platform, XINGTAI, second.id, gone)
    with pytest.raises(ChangedMeanwhile):
        await keys.withdraw(platform, XINGTAI, second.id, gone)
    assert not (await service.material(platform, cast.XINGTAI)).own_key
    found = await check_pdf(platform, file)
    assert found.intact and found.own_key and not found.withdrawn


def older(**facts: object) -> bytes:
    return sealing.pkcs12(NAME, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: b"hello", "不是 PKCS#12"),
        (lambda: b"-----BEGIN CERTIFICATE-----", "PEM"),
        (lambda: sealing.without_key(NAME), "没有私钥"),
        (lambda: sealing.pkcs12(NAME, rsa.generate_private_key(65537, 1024)), "1024 位"),
        (lambda: sealing.pkcs12(NAME, ec.generate_private_key(ec.SECP256K1())), "不支持 secp256k1"),
        (lambda: older(begins=NOW - timedelta(days=400), days=30), "到期"),
        (lambda: older(begins=NOW + timedelta(days=4)), "起才有效"),
        (lambda: older(signs=False), "密钥用途"),
        (lambda: older(authority=True), "CA 证书"),
        (lambda: older(only=ExtendedKeyUsageOID.SERVER_AUTH), "网站"),
        (lambda: sealing.pkcs12("某某公司"), "没有写明本机构"),
        (lambda: sealing.pkcs12("常州技师学院"), "不是本机构的名称"),
    ],
)
def test_a_key_that_will_not_do_is_refused_in_words(make: Callable[[], bytes], words: str) -> None:
    with pytest.raises(KeyRefused, match=words):
        check_key(read_key(make(), PASSWORD).facts, NOW, [NAME], OTHERS, must_name=True)


def test_a_key_may_name_an_institution_whose_name_holds_anothers() -> None:
    facts = read_key(sealing.pkcs12("河北邢台技师学院"), PASSWORD).facts
    check_key(facts, NOW, ["河北邢台技师学院"], ["邢台技师学院"], must_name=True)


def test_a_wrong_password_is_told_at_its_field_and_ber_is_read() -> None:
    made = sealing.pkcs12(NAME)
    with pytest.raises(KeyRefused) as refused:
        read_key(made, "wrong")
    assert refused.value.fields[0].place == "password"
    long = made[1] & 0x7F
    assert read_key(
        b"\x30\x80" + made[2 + long :] + b"\0\0", PASSWORD
    ).key  # of unknown length, as old programs write it
    check_key(read_key(sealing.pkcs12("某某公司"), PASSWORD).facts, NOW, [NAME], must_name=False)


async def test_a_refused_key_leaves_nothing(platform: Platform) -> None:
    for subject in (
        "江苏省常州技师学院",
        "人力资源和社会保障部电子印章",
        "技工院校工学一体化教师培训管理服务平台",
    ):
        with pytest.raises(KeyRefused, match="不是本机构的名称"):
            await uploaded(platform, sealing.pkcs12(subject))
    assert await platform["signing_keys"].count_documents({}) == 0


async def test_the_end_of_an_own_key_is_told_early_and_once_and_then_stops_issuing(
    platform: Platform, clock: FixedClock
) -> None:
    made = await uploaded(platform, older(begins=NOW - timedelta(days=30), days=80))
    assert await keys.waiting(platform, HEBEI) == []
    for _ in range(2):
        assert (await keys.watch(platform))["提醒到期"] == (_ == 0)
    [told] = await office_inbox.inbox(platform, XINGTAI, InboxFilter(), limit=9)
    assert "到期" in told.words
    [line] = await keys.waiting(platform, XINGTAI)
    assert not line.overdue
    file = signed(await service.material(platform, cast.XINGTAI))
    clock.set(made.valid_to + timedelta(hours=1))
    assert (await keys.watch(platform))["提醒到期"] == 1
    with pytest.raises(KeyUnusable, match="到期"):
        await service.material(platform, cast.XINGTAI)
    assert (await check_pdf(platform, file)).intact  # verifying goes on


async def test_a_key_that_cannot_be_opened_stops_issuing_and_no_verifying(
    platform: Platform, material: SigningMaterial
) -> None:
    file = signed(material)
    other = await service.material(platform, cast.CHANGZHOU)
    assert other
    swapped = await platform["signing_keys"].find_one({"institution_code": cast.CHANGZHOU})
    assert swapped
    await platform["signing_keys"].update_one(
        {"institution_code": cast.XINGTAI}, {"$set": {"key": swapped["key"]}}
    )
    with pytest.raises(KeyUnusable):
        await service.material(platform, cast.XINGTAI)
    assert (await check_pdf(platform, file)).intact


async def test_the_platforms_certificate_is_renewed_before_its_end(
    platform: Platform, clock: FixedClock
) -> None:
    first = await service.material(platform, cast.XINGTAI)
    clock.set(clock.now() + timedelta(days=3 * 365 - 30))
    assert await keys.watch(platform) == {"提醒到期": 0, "续签": 1}
    second = await service.material(platform, cast.XINGTAI)
    assert second.chain[0] != first.chain[0] and second.chain[1] == first.chain[1]
    assert (await check_pdf(platform, signed(first))).ours


# ---- timestamps, and a seal service of others


class _Answers(BaseHTTPRequestHandler):
    """Answers each POST as the server's `reply` says."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, kind, content = self.server.reply(self, body)  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


Reply = Callable[[BaseHTTPRequestHandler, bytes], tuple[int, str, bytes]]


@contextmanager
def answering(reply: Reply) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.reply = reply  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_timestamp_is_put_in_and_read_back_and_an_outage_signs_without_it() -> None:
    key = rsa.generate_private_key(65537, 2048)
    whose = sealing.certificate("时间戳", key, only=ExtendedKeyUsageOID.TIME_STAMPING)
    stamper = DummyTimeStamper(
        Certificate.load(whose.public_bytes(Encoding.DER)),
        PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        override_md="sha256",
        fixed_dt=NOW,
    )
    asked: list[int] = []

    def reply(_: BaseHTTPRequestHandler, body: bytes) -> tuple[int, str, bytes]:
        asked.append(len(body))
        if len(asked) > 2:
            return 503, "text/plain", b"down"
        answer = stamper.request_tsa_response(TimeStampReq.load(body))
        return 200, "application/timestamp-reply", answer.dump()

    read = read_key(sealing.pkcs12(NAME), PASSWORD)
    with answering(reply) as url:
        material = SigningMaterial(read.key, read.chain, True, "", url)
        with_it = sign(drawn(), material, reason="核发", place="")
        assert with_it.timestamped
        found = inspect(with_it.pdf)
        assert (found.integrity, found.timestamped, found.signed_at) == (Integrity.INTACT, True, NOW)
        for _ in range(2):  # the second does not ask again
            without = sign(drawn(), material, reason="核发", place="")
            assert not without.timestamped and inspect(without.pdf).integrity is Integrity.INTACT
    assert len(asked) == 3


def test_a_seal_service_signs_in_the_place_of_a_key_and_what_it_gets_wrong_is_no_certificate() -> None:
    read = read_key(sealing.pkcs12(NAME), PASSWORD)
    its_own = SigningMaterial(read.key, read.chain, True, "")
    good = [True]

    def reply(request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, str, bytes]:
        if (
            request.path != "/seal/institutions/009/sign"
            or request.headers["Authorization"] != "Bearer t0ken"
        ):
            return 403, "text/plain", b""
        return 200, "application/pdf", sign(body, its_own, reason="", place="").pdf if good[0] else body

    with answering(reply) as url:
        service_ = SealService(f"{url}/seal", "t0ken", "009")
        material = SigningMaterial(b"", (), True, "外部电子印章服务", service=service_)
        assert "t0ken" not in repr(material)
        assert (
            inspect(sign(drawn(), material, reason="核发", place="河北省").pdf).integrity is Integrity.INTACT
        )
        good[0] = False
        with pytest.raises(SealServiceFailed, match="完整签名"):
            sign(drawn(), material, reason="核发", place="河北省")
        wrong = SigningMaterial(b"", (), True, "", service=SealService(f"{url}/seal", "other", "009"))
        with pytest.raises(SealServiceFailed, match="403"):
            sign(drawn(), wrong, reason="核发", place="")
    with pytest.raises(SealServiceFailed, match="没有应答"):
        sign(drawn(), material, reason="核发", place="")
    with pytest.raises(ValueError, match="https"):
        Settings(seal_service_url="http://seal.example.cn")
