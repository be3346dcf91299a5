"""The holder of a certificate asks, takes back, states the case and reads the history, by the calls of the phones."""

from __future__ import annotations

from datetime import timedelta

from server.kernel.platform import Platform
from server.kernel.reviews import Review
from server.reissues import revoking, service
from server.reissues.revoking import Proposal
from server.wechat.simulator import Simulator
from tests import certifying
from tests.api.client import call
from tests.surveying import clock_of

WANTED = {"kind": "LOST", "reason": "搬家时遗失，已向派出所说明。", "nonce": "nonce-0001"}


async def test_the_holder_asks_once_and_reads_what_became_of_the_certificate(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await certifying.passed_class(platform, wechat, 2)
    [paper, _] = await certifying.issued(platform, opened)
    me, other = opened.trainees[0].token, opened.trainees[1].token
    asking = f"/certificates/{paper.id}/requests"
    wrong = await call(site, "POST", asking, token=me, body=WANTED | {"kind": "REVOKED", "reason": "丢"})
    assert wrong.status == 422
    asked = await call(site, "POST", asking, token=me, body=WANTED)
    assert (asked.status, asked.json["state"], asked.json["may_withdraw"]) == (201, "ASKED", True)
    again = await call(site, "POST", asking, token=me, body=WANTED)
    assert (again.status, again.json) == (200, asked.json)
    reused = await call(site, "POST", asking, token=me, body=WANTED | {"reason": "借出以后没有收回。"})
    assert (reused.status, reused.problem) == (409, "nonce-reused")
    second = await call(site, "POST", asking, token=me, body=WANTED | {"nonce": "nonce-0002"})
    assert (second.status, second.problem) == (409, "certificate-request-open")
    assert "撤回" in second.json["detail"]
    assert (await call(site, "POST", asking, token=other, body=WANTED)).status == 404
    home = f"/certificate-requests/{asked.json['id']}"
    assert (await call(site, "POST", f"{home}/withdraw", token=other)).status == 404
    for _ in range(2):
        gone = await call(site, "POST", f"{home}/withdraw", token=me)
        assert (gone.status, gone.json["state"]) == (200, "WITHDRAWN")

    third = await call(site, "POST", asking, token=me, body=WANTED | {"nonce": "nonce-0003"})
    await service.grant(platform, opened.officer, third.json["id"], Review(seen=1))
    await certifying.signed(platform)
    listed = (await call(site, "GET", "/certificates", token=me)).json["items"]
    assert [(one["status"], one["number"]) for one in listed] == [
        ("VALID", paper.printed.number),
        ("REISSUED", paper.printed.number),
    ]
    mine = (await call(site, "GET", "/certificate-requests", token=me)).json["items"]
    assert [one["state"] for one in mine] == ["APPROVED", "WITHDRAWN"]
    assert mine[0]["new_certificate_id"] == listed[0]["id"]
    assert (await call(site, "GET", "/certificate-requests", token=other)).json["items"] == []
    told = await call(site, "GET", f"/certificates/{paper.id}/history", token=me)
    titles = [one["title"] for one in told.json["items"]]
    assert titles[0] == "核发，序列号 1300900001" and "补发（遗失）：同意补发" in titles
    assert (await call(site, "GET", f"/certificates/{paper.id}/history", token=other)).status == 404
    assert (await call(site, "GET", f"/certificates/{paper.id}/pdf", token=me)).status == 409


async def test_the_holder_is_told_and_states_the_case_before_anything_is_decided(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await certifying.passed_class(platform, wechat, 1)
    [paper] = await certifying.issued(platform, opened)
    clock_of(platform).advance(timedelta(days=1))
    heard = await revoking.propose(platform, opened.officer, paper.id, Proposal(reason="成绩需要复核。"))
    me = opened.trainees[0].token
    inbox = await call(site, "GET", "/inbox", token=me)
    assert any("拟撤销" in str(one) and str(heard.until) in str(one) for one in inbox.json["items"])
    [shown] = (await call(site, "GET", "/certificate-requests", token=me)).json["items"]
    assert (shown["kind"], shown["until"], shown["may_withdraw"]) == ("REVOKED", str(heard.until), False)
    home = f"/certificate-requests/{heard.id}"
    assert (await call(site, "POST", f"{home}/withdraw", token=me)).status == 409
    said = {"text": "成绩没有错，请复核原始评分。", "agrees": False}
    stated = await call(site, "POST", f"{home}/statement", token=me, body=said)
    assert (stated.status, stated.json["statement"]) == (200, said["text"])
    assert (await call(site, "POST", f"{home}/statement", token=me, body=said)).json == stated.json
