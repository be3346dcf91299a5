"""The pages of results that are opened again, over HTTP: the institution asks on the page of results, its province decides."""

from __future__ import annotations

from server.assessment import service
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.admin.browserless import sign_in
from tests.assessing import assess_everybody, clock_of, release


async def test_the_institution_asks_the_province_agrees_and_the_first_results_stay_in_sight(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    await assess_everybody(platform, opened, [59])
    await release(platform, opened)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    results = f"/admin/classes/{opened.id}/results"
    assert "申请重新开放" in (await mine.get(results)).text
    short = await mine.post(f"{results}/reopen", {"reason": "错"})
    assert short.status == 422 and "理由" in short.text
    asked = await mine.post(f"{results}/reopen", {"reason": "漏评一份终结性考核。"})
    assert asked.location.startswith("/admin/reopenings/")
    page = await mine.get(asked.location)
    assert "待省级审核" in page.text and "漏评一份终结性考核。" in page.text and "撤回" in page.text
    again = await mine.post(f"{results}/reopen", {"reason": "漏评一份终结性考核。"})
    assert again.status == 409 and "已有待审核的申请" in again.text

    province = await sign_in(platform, site, cast.HEBEI_OFFICER)
    assert "待审核的成绩重新开放申请" in (await province.get("/admin")).text
    listed = await province.get("/admin/reopenings?state=SUBMITTED")
    assert opened.training_class.name in listed.text and asked.location in listed.html
    assert "1 名学员已公布的成绩立即作废" in (await province.get(asked.location)).text
    refused = await province.post(f"{asked.location}/decline", {"seen": "1", "reason": ""})
    assert refused.status == 422
    assert (await province.post(f"{asked.location}/approve", {"seen": "1"})).location == asked.location
    assert await service.released_results(platform, opened.id) == {}

    now = await mine.get(results)
    for words in ("可以公布了", "此前公布、已作废的成绩", "59.0", "公布成绩"):
        assert words in now.text, words


async def test_what_was_released_by_an_earlier_version_says_so_and_after_a_certificate_nothing_is_opened(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await certifying.passed_class(platform, wechat, trainees=1)
    await platform["classes"].update_one({"_id": opened.id}, {"$set": {"released_by_old_rule": True}})
    await certifying.issued(platform, opened)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = await mine.get(f"/admin/classes/{opened.id}/results")
    assert "按旧规则公布" in page.text and "已核发的证书继续有效" in page.text
    assert "申请重新开放" not in page.text
    assert clock_of(platform).now() == certifying.on_last_day(opened)
