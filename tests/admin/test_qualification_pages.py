"""Dynamic management over HTTP: the lists, a case with its forms, the papers, what waits, and neighbours who see nothing."""

from __future__ import annotations

from datetime import date

import pytest

from server.kernel.platform import Platform
from server.qualification import review
from server.qualification import service as qualification
from server.qualification.service import StatementDraft
from server.wechat.simulator import Simulator
from tests import cast, reviewing, stage
from tests.admin.browserless import Browser, Form, sign_in
from tests.printed import text_of
from tests.services.test_tasks_of_teachers import a_task, keep

SAID = StatementDraft(text="去年因病住院，附有证明。")
CANCEL: Form = {
    "outcome": "CANCELLED",
    "effective_on": "2026-03-16",
    "reason": "两年内未承担任务，予以取消。",
}


@pytest.fixture
async def centre(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.CENTRE)


@pytest.fixture
async def hebei(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.HEBEI_OFFICER)


@pytest.fixture
async def xingtai(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.XINGTAI_OFFICER)


async def test_empty_lists_say_what_will_stand_there(centre: Browser) -> None:
    assert "没有核查事项" in (await centre.get("/admin/qualification")).text
    assert "没有预警" in (await centre.get("/admin/qualification/warnings")).text
    assert "没有符合条件的事项" in (await centre.get("/admin/qualification?state=DECIDED")).text


async def test_the_centre_finds_the_case_and_decides_when_it_was_stated(
    platform: Platform, wechat: Simulator, centre: Browser
) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    home = f"/admin/qualification/{stood.case.id}"
    listed = await centre.get("/admin/qualification?rule=NO_TASK&province=13")
    assert stood.case.name in listed.text and home in listed.html
    for other in ("rule=NO_CLASS", "subject=BASE", "state=FILED", "province=32"):
        assert stood.case.name not in (await centre.get(f"/admin/qualification?{other}")).text
    shown = await centre.get(home)
    assert "立案时查明的事实" in shown.text and "没有承担过任务" in shown.text and "陈述期限到" in shown.text
    early = await centre.review(home, "decide", CANCEL)
    assert early.status == 409 and "对方还没有陈述" in early.text
    await qualification.state_own(platform, stood.teacher.actor, stood.case.id, SAID)
    assert "待决定的动态管理事项" in (await centre.get("/admin")).text
    assert stood.case.name in (await centre.get("/admin/qualification?todo=yes")).text
    wrong = await centre.review(home, "decide", {"outcome": "CANCELLED", "effective_on": "2026-03-01"})
    assert wrong.status == 422 and "依据和理由" in wrong.text
    past = await centre.review(home, "decide", {**CANCEL, "effective_on": "2026-03-01"})
    assert past.status == 422 and "生效日期不能早于今天" in past.text
    done = await centre.review(home, "decide", CANCEL)
    assert (done.status, done.location) == (303, home)
    shown = await centre.get(home)
    assert "2026-0001" in shown.text and "取消资格" in shown.text and SAID.text in shown.text
    paper = await centre.get(f"{home}/decisions/2026-0001/pdf")
    assert paper.status == 200 and "起取消骨干教师资格" in text_of(paper.body)
    assert (await centre.get(f"{home}/decisions/2026-0009/pdf")).status == 404
    back = await centre.review(
        home, "reverse", {"effective_on": "2026-03-16", "reason": "补充材料属实，予以恢复。"}
    )
    assert back.status == 303
    shown = await centre.get(home)
    assert "决定已撤销" in shown.text and "2026-0002" in shown.text and "2026-0001" in shown.text


async def test_the_centre_ends_a_case_with_a_reason(
    platform: Platform, wechat: Simulator, centre: Browser
) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    home = f"/admin/qualification/{stood.case.id}"
    assert (await centre.review(home, "dismiss", {})).status == 422
    assert (await centre.review(home, "dismiss", {"reason": "登记有误，终止。"})).status == 303
    shown = await centre.get(home)
    assert "已终止" in shown.text and "登记有误" in shown.text and f"{home}/dismiss" not in shown.html
    again = await centre.review(home, "dismiss", {"reason": "再终止一次。"})
    assert again.status == 409 and "不能终止" in again.text


async def test_a_training_centre_reads_why_states_its_case_and_is_decided_on(
    platform: Platform, site: str, centre: Browser
) -> None:
    begun = "/admin/institutions/017/qualifications/1/withdraw"
    assert "取消前须听取陈述" in (await centre.get(begun)).text
    assert (await centre.save(begun, {})).status == 422
    home = (await centre.save(begun, {"reason": "不再具备骨干教师培训条件。"})).location
    again = await centre.save(begun, {"reason": "再立一次案。"})
    assert again.status == 409 and "已经立案" in again.text
    early = await centre.review(home, "decide", CANCEL)
    assert early.status == 409 and "对方还没有陈述" in early.text
    changzhou = await sign_in(platform, site, cast.CHANGZHOU_OFFICER)
    assert "可以陈述情况的动态管理事项" in (await changzhou.get("/admin")).text
    assert "不再具备骨干教师培训条件" in (await changzhou.get(home)).text
    assert (await changzhou.save(f"{home}/statement", {"text": SAID.text})).status == 303
    assert "待决定的动态管理事项" in (await centre.get("/admin")).text
    shown = await centre.get(home)
    assert SAID.text in shown.text and "自生效日期起不能再开班、发证" in shown.text
    assert "提醒警示" not in shown.text, "it is kept or cancelled"
    assert (await centre.review(home, "decide", CANCEL)).status == 303
    assert "由部里重新公布" in (await centre.get(home)).text
    assert "目前没有有效资格" in (await centre.get("/admin/institutions/017")).text
    paper = await changzhou.get(f"{home}/decisions/2026-0001/pdf")
    assert paper.status == 200 and "起取消师资研修中心资格" in text_of(paper.body)


async def test_a_base_states_its_case_and_its_province_files_the_request(
    platform: Platform, centre: Browser, hebei: Browser, xingtai: Browser
) -> None:
    case = await reviewing.base_case(platform)
    home = f"/admin/qualification/{case.id}"
    assert "可以陈述情况的动态管理事项" in (await xingtai.get("/admin")).text
    assert "两年内未开展培训" in (await xingtai.get("/admin/institutions/009")).text
    assert (await xingtai.save(f"{home}/statement", {})).status == 422
    assert (await xingtai.save(f"{home}/statement", {"text": SAID.text})).status == 303
    assert "待处理的教师培训基地动态管理事项" in (await hebei.get("/admin")).text
    shown = await hebei.get(home)
    assert (
        SAID.text in shown.text and "purpose=WITHDRAWAL&amp;institution=009&amp;qualification=1" in shown.html
    )
    assert "作出决定" not in (await centre.get(home)).text
    filed = await hebei.save(
        "/admin/recommendations/new?purpose=WITHDRAWAL&institution=009&qualification=1",
        {
            "purpose": "WITHDRAWAL",
            "institution_code": "009",
            "qualification_number": "1",
            "reason": "两年内没有开展工学一体化教师培训。",
        },
    )
    assert filed.status == 303
    assert filed.location in (await centre.get(home)).html
    request = await centre.get(filed.location)
    assert f'href="{home}"' in request.html and "陈述 1 次" in request.text
    approved = await centre.review(
        filed.location, "approve", {"effective_on": "2026-03-16", "reason": "同意取消"}
    )
    assert approved.status == 303
    shown = await xingtai.get(home)
    assert "已决定" in shown.text and "由省级管理部门重新推荐" in shown.text
    paper = await xingtai.get(f"{home}/decisions/2026-0001/pdf")
    assert "根据省级管理部门的申请" in text_of(paper.body)


async def test_the_warnings_say_which_still_hold(
    platform: Platform, centre: Browser, xingtai: Browser
) -> None:
    teacher = await reviewing.registered(platform, date(2024, 5, 1))
    await reviewing.base_since(platform, date(2024, 9, 16))
    await review.review(platform)
    shown = await centre.get("/admin/qualification/warnings")
    assert shown.text.count("仍需关注") == 2 and "/admin/institutions/009" in shown.html
    assert "两年内须开展培训的预警" in (await xingtai.get("/admin")).text
    assert "将于 2026-09-16 期满" in (await xingtai.get("/admin/institutions/009")).text
    agreed = a_task(teacher, date(2026, 4, 6))
    await keep(platform, agreed)
    arranged = stage.class_draft(name="秋季二级培训班", starts_on=date(2026, 9, 1), ends_on=date(2026, 9, 12))
    await stage.open_class(platform, stage.actor(cast.XINGTAI_OFFICER), arranged)
    shown = await centre.get("/admin/qualification/warnings")
    assert shown.text.count("仍需关注") == 2, "what is agreed answers a warning once it has begun"
    assert f"已安排“{agreed.class_name}”，2026-04-06 开班" in shown.text
    assert "已安排“秋季二级培训班”，2026-09-01 开班" in (await xingtai.get("/admin/institutions/009")).text
    await keep(platform, a_task(teacher, date(2026, 3, 2)))
    only = await centre.get("/admin/qualification/warnings?rule=NO_TASK&grade=THREE_MONTHS&province=13")
    assert "已解除" in only.text and "/admin/institutions/009" not in only.html


async def test_neighbours_see_nothing(platform: Platform, wechat: Simulator, site: str) -> None:
    stood = await reviewing.teacher_case(platform, wechat)
    base = await reviewing.base_case(platform)
    for officer in (cast.JIANGSU_OFFICER, cast.YANGZHOU_OFFICER):
        browser = await sign_in(platform, site, officer)
        for case in (stood.case, base):
            assert (await browser.get(f"/admin/qualification/{case.id}")).status == 404
        listed = await browser.get("/admin/qualification")
        assert stood.case.name not in listed.text and base.name not in listed.text


async def test_more_than_a_page_of_cases_is_paged(platform: Platform, centre: Browser) -> None:
    for seed in range(1, 23):
        await reviewing.registered(platform, date(2023, 6, 1), cast.person(seed))
    await review.review(platform)
    first = await centre.get("/admin/qualification")
    assert first.html.count('<th scope="row">') == 20 and "下一页" in first.text
