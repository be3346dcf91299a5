"""scripts/verify-certificate needs no platform: it is given files, and says what they prove (article 18: 防伪)."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from tornado.httpclient import AsyncHTTPClient

from scripts import verify_certificate
from server.certificates import service as certificates
from server.certificates.issue import Revocation
from server.kernel.platform import Platform
from server.ledger import roots
from server.ledger import service as ledger
from server.reissues import revoking
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.admin.browserless import Browser

XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
SCRIPT = Path(verify_certificate.__file__)


async def test_a_file_its_proof_and_a_root_are_checked_without_platform_and_database(
    platform: Platform,
    wechat: Simulator,
    site: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened = await certifying.passed_class(platform, wechat, trainees=2)
    one, other = await certifying.issued(platform, opened)
    signed = (await certificates.staff_pdf(platform, XINGTAI, one.id)).content
    await ledger.seal(platform)
    early = await AsyncHTTPClient().fetch(f"{site}/verify/{one.token}/proof", raise_error=False)
    assert early.code == 409 and "明天再来" in early.body.decode()
    await roots.check_and_sign(platform)

    def keep(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    async def fetched(path: str) -> bytes:
        return bytes((await AsyncHTTPClient().fetch(site + path)).body)

    pdf = keep("certificate.pdf", signed)
    proof_said, roots_said = await fetched(f"/verify/{one.token}/proof"), await fetched("/ledger/roots")
    proof, root = keep("proof.json", proof_said), keep("roots.json", roots_said)
    whole = subprocess.run(  # noqa: ASYNC221 - it is what is tested
        [sys.executable, "-I", SCRIPT, pdf, "--proof", proof, "--root", root],
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60,
    )  # fmt: skip
    assert whole.returncode == 0, whole.stdout + whole.stderr
    for words in (
        "文件的每个字节都与",
        "签名证书由平台的完整性证明机构签发",
        f"（证书编号 {one.printed.number}）在签名公布的台账里",
        "一个字节不差",
        "根相同",
        "今天是否仍然有效",
        "不是法律意义上的电子印章",
    ):
        assert words in whole.stdout

    async def check(file: str, *more: str) -> tuple[int, str]:
        code = await asyncio.to_thread(verify_certificate.main, [file, *more])
        return code, "".join(capsys.readouterr())

    code, said = await check(pdf)
    assert code == 0 and "没有给出入账证明" in said, said
    code, said = await check(keep("altered.pdf", signed.replace(b"/Lang", b"/Long", 1)), "--proof", proof)
    assert code == 1 and "在签名以后被改动过" in said and "台账登记的是另一个文件" in said
    code, said = await check(keep("longer.pdf", signed + b"\n%more\n"), "--proof", proof)
    assert code == 1 and "追加过内容" in said and "另一个文件" in said
    plain = signed[: signed.index(b"%%EOF") + 6]
    code, said = await check(keep("unsigned.pdf", plain), "--proof", proof)
    assert code == 1 and "没有数字签名" in said

    told = orjson.loads(proof_said)
    forged = {**told, "leaf": told["leaf"].replace(one.printed.number, other.printed.number)}
    code, said = await check(pdf, "--proof", keep("forged.json", orjson.dumps(forged)))
    assert code == 1 and "算不到签名的根" in said
    forged = {**told, "signed_root": told["signed_root"] | {"root": "0" * 64}}
    code, said = await check(pdf, "--proof", keep("forged.json", orjson.dumps(forged)))
    assert code == 1 and "没有有效的签名" in said
    split = orjson.loads(roots_said)["items"][0] | {"root": "1" * 64}
    code, said = await check(pdf, "--proof", proof, "--root", keep("split.json", orjson.dumps(split)))
    assert code == 1 and "另一份台账" in said
    for nonsense in (b"no json", b"[]", b"{}"):
        code, said = await check(pdf, "--proof", keep("nonsense.json", nonsense))
        assert code == 2 and "无法核对" in said and "Traceback" not in said
    code, said = await check(keep("no.pdf", b"x"))
    assert code == 2 and "不是完好的 PDF" in said

    wanted = Revocation(reason="姓名登记有误", typed=one.printed.number)
    await revoking.revoke(platform, XINGTAI, one.id, wanted)
    page = await Browser(site).get(f"/verify/{one.token}")
    assert "公布台账根" in page.text and "撤销" in page.text and "下载入账证明" in page.text
    public = (await Browser(site).get("/ledger")).text
    assert orjson.loads(roots_said)["items"][0]["root"] in public and "没有发现改动" in public
