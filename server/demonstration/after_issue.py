"""What becomes of certificates in the demonstration: one was lost and issued again, one was forged and reported.

Beside it the seal that they carry: a drawing that nobody takes for the seal of a school (`seal.svg`).
"""

from __future__ import annotations

from pathlib import Path

from altcha import solve_challenge
from altcha.v2 import Challenge, Payload

from server.certificates import service as certificates
from server.certificates import signing
from server.demonstration.stage import Stage
from server.forgeries import service as forgeries
from server.forgeries.documents import ForgeryFilter
from server.forgeries.service import Findings, Report
from server.kernel import puzzles
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.public_questions import Asker
from server.kernel.reviews import Review
from server.reissues import service as reissues
from server.reissues.rules import Kind
from server.reissues.service import HoldersRequest
from server.seals import filing

SEAL = Path(__file__).with_name("seal.svg")
ISSUER = "邢台技师学院"
A_STRANGER = "192.0.2.1"
"""An address of nobody (RFC 5737)."""


async def seal(stage: Stage) -> None:
    """邢台 has filed it and 河北 has approved it before the first certificate."""
    code = stage.officer.institution_code
    assert code is not None
    filed = await filing.file(stage.at(stage.day(-58)), stage.officer, code, SEAL.read_bytes())
    seen = Review(seen=len(filed.history))
    await filing.approve(stage.at(stage.day(-57)), stage.province, filed.id, seen)


async def lost(stage: Stage, holder: Actor) -> str:
    """The holder asks on the phone, 邢台 agrees the next day; returns the number, which the second certificate keeps."""
    asked_at, granted_at = stage.at(stage.day(-10)), stage.at(stage.day(-9))
    [mine] = await certificates.my_certificates(asked_at, holder)
    wanted = HoldersRequest(kind=Kind.LOST, reason="搬家时遗失了纸质证书，申请补发。", nonce="demo-reissue-1")
    asked, _ = await reissues.ask_as_holder(asked_at, holder, mine.id, wanted)
    await reissues.grant(granted_at, stage.officer, asked.id, Review(seen=len(asked.history)))
    await signing.sign_waiting(granted_at)
    return mine.printed.number


async def forged(stage: Stage, number: str) -> None:
    """A stranger has reported a certificate that nobody issued; 邢台 has answered, 河北 has yet to conclude."""
    reported_at, answered_at = stage.at(stage.day(-6)), stage.at(stage.day(-5))
    told = Report(
        nonce="0" * 32,
        number=f"{number[:-3]}999",
        issuer=ISSUER,
        description="有人持这张证书应聘，扫码显示查无此证，版面和字体也与平台公布的不同。",
    )
    await forgeries.report(reported_at, Asker(A_STRANGER, _worked(reported_at)), told, b"")
    [report] = await forgeries.list_forgeries(answered_at, stage.officer, ForgeryFilter())
    findings = Findings(seen=len(report.history), reason="经核对台账，本院从未核发过这个编号的证书。")
    await forgeries.answer(answered_at, stage.officer, report.id, findings)


def _worked(platform: Platform) -> str:
    """The puzzle that a question of the public takes."""
    challenge = Challenge.from_dict(puzzles.puzzle(platform, 0))
    solution = solve_challenge(challenge)
    assert solution is not None
    return Payload(challenge, solution).to_base64()
