"""The pages of what becomes of a certificate: asked for on its page, decided by the issuer or by the province, over HTTP."""

from __future__ import annotations

from datetime import timedelta

from server.kernel.platform import Platform
from server.reissues import revoking
from server.reissues.revoking import HoldersStatement
from server.wechat.simulator import Simulator
from tests import cast, certifying
from tests.admin.browserless import Browser, sign_in
from tests.surveying import clock_of


async def test_a_copy_other_words_and_a_revocation_go_their_ways_from_the_page_of_a_certificate(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await certifying.passed_class(platform, wechat, 2)
    paper, other = await certifying.issued(platform, opened)
    clock_of(platform).advance(timedelta(days=1))
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    province = await sign_in(platform, site, cast.HEBEI_OFFICER)
    home = f"/admin/certificates/{paper.id}"
    page = await mine.get(home)
    for words in ("申请补发", "申请换发", "拟撤销", "序列号还剩 99997 个", "还剩 997 个"):
        assert words in page.text, words
    assert f"{home}/revoke" not in page.html  # its day has passed
    assert 'method="post"' not in (await province.get(home)).html.partition("<main")[2]

    short = await mine.post(f"{home}/reissue", {"kind": "LOST", "reason": "丢"})
    assert short.status == 422 and "data-dialog-show" in short.html and ">丢</textarea>" in short.html
    asked = await mine.post(f"{home}/reissue", {"kind": "LOST", "reason": "本人遗失证书。"})
    assert asked.location.startswith("/admin/reissues/")
    going = (await mine.get(home)).text
    assert (
        "在办：补发（遗失）" in going and "在办的补发（遗失）申请随之终止" in going
    )  # and no way to ward a revocation off
    assert (
        "本人遗失证书。" in (await mine.get("/admin")).text
        or asked.location in (await mine.get("/admin")).html
    )
    assert "同意补发" not in (await province.get(asked.location)).html
    assert (await province.post(f"{asked.location}/grant", {"seen": "1"})).status == 403
    stale = await mine.post(f"{asked.location}/grant", {"seen": "9"})
    assert stale.status == 409 and "又有了变动" in stale.text
    assert (await mine.post(f"{asked.location}/grant", {"seen": "1"})).location == asked.location
    await certifying.signed(platform)
    after = await mine.get(home)
    assert "已作废（已补发）" in after.text and "1300900003" in after.text
    public = await Browser(site).get(f"/verify/{paper.token}")
    assert "这张证书已作废" in public.text and "补发" in public.text

    home = f"/admin/certificates/{other.id}"
    nothing = await mine.post(f"{home}/replace", {"reason": "姓名写错了"})
    assert nothing.status == 409 and "信息更正" in nothing.text
    filed = await mine.post(f"{home}/replace", {"reason": "课程印错一门。", "courses": "课程甲\r\n课程乙"})
    assert "课程甲、课程乙" in (await province.get(filed.location)).text
    assert filed.location in (await province.get("/admin/reissues?state=FILED&kind=CORRECTED")).html
    assert "退回申请" in (await province.get(filed.location)).text
    back = await province.post(f"{filed.location}/return", {"seen": "1", "reason": "请附原始课表。"})
    assert back.status == 303 and "请附原始课表。" in (await mine.get(filed.location)).text
    gone = await mine.post(f"{filed.location}/withdraw", {"seen": "2", "reason": "重新核对后再报。"})
    assert gone.location == filed.location

    heard = await mine.post(f"{home}/propose", {"reason": "成绩需要复核。"})
    shown = await mine.get(heard.location)
    assert "还没有陈述" in shown.text and "请在收到陈述或期满以后" in shown.text
    typed = {"seen": "1", "reason": "成绩有误", "typed": other.printed.number}
    early = await mine.post(f"{heard.location}/decide", typed)
    assert early.status == 409
    agreed = HoldersStatement(text="同意撤销，请重新核发。", agrees=True)
    await revoking.state_own(platform, opened.trainees[1].actor, heard.location.rpartition("/")[2], agreed)
    typed |= {"seen": "2"}
    assert "陈述已满、待决定的证书撤销" in (await mine.get("/admin")).text
    wrong = await mine.post(f"{heard.location}/decide", typed | {"typed": paper.printed.number[:-1]})
    assert wrong.status == 422 and "data-dialog-show" in wrong.html
    assert (await mine.post(f"{heard.location}/decide", typed)).status == 303
    revoked = await mine.get(home)
    assert "这张证书已撤销" in revoked.text and "重新核发" in revoked.text
    anew = await mine.post(f"{home}/renew", {"reason": "复核后成绩合格。"})
    await certifying.signed(platform)
    assert "130092026033003" in (await mine.get(anew.location)).text
