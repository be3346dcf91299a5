"""The pages of enrolment, needs and arrivals over HTTP."""

from __future__ import annotations

import io

import openpyxl

from server.admissions import arrival
from server.admissions import service as admissions
from server.admissions.rules import DISCIPLINE_VERSION
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import sign_in
from tests.admitting import AGREE, APRIL, admit, apply, open_class

QUESTION = {"question_title": "您的教龄", "question_option": ["短", "长", "｜"]}
SETTINGS = {
    "opens": "2026-03-16T08:00",
    "closes": "2026-04-10T18:00",
    "places": "30",
    "reporting": "4月13日 8:30 前，实训楼一层",
    "to_bring": "身份证",
    "question_title": "是否住宿",
    "question_option": ["住宿", "不住宿", "｜"],
}


async def test_an_institution_opens_its_class_and_reviews_who_applied(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=0, **APRIL)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/classes/{opened.id}/enrolment"
    assert "开放报名" in (await mine.get(home)).text
    wrong = await mine.save(
        home, SETTINGS | {"closes": "2026-03-01T18:00", "question_option": ["一项", "｜"]}
    )
    assert wrong.status == 422 and 'value="2026-03-01T18:00"' in wrong.html
    done = await mine.save(home, SETTINGS)
    assert (done.status, done.location) == (303, home)
    shown = await mine.get(home)
    assert "还没有人报名" in shown.text and "报名设置已保存" in shown.text
    assert 'value="30"' in shown.html and 'value="不住宿"' in shown.html


async def test_several_are_agreed_to_at_once_and_one_is_refused_with_a_reason(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await open_class(platform, wechat)
    made = [(await apply(platform, wechat, opened.id, cast.person(seed)))[1] for seed in (31, 32, 33)]
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/classes/{opened.id}/enrolment"
    assert "份报名" in (await mine.get("/admin")).text
    nobody = await mine.post(f"{home}/agree")
    assert nobody.status == 422 and "请先在表中勾选" in nobody.text
    both = await mine.post(f"{home}/agree", {"chosen": [made[0].id, made[1].id]})
    assert both.status == 303
    listed = (await mine.get(f"{home}?state=INSTITUTION_AGREED")).text
    assert made[0].name in listed and made[2].name not in listed
    some = await mine.post(f"{home}/refuse", {"chosen": [made[1].id, "0" * 24], "reason": "名额已满"})
    assert some.status == 207 and "已记录不同意 1 份报名" in some.text
    assert "已不在列表中的一项：没有这份报名" in some.text
    page = f"{home}/{made[2].id}"
    no_reason = await mine.post(page, {"agree": "false"})
    assert no_reason.status == 422 and "请写明理由" in no_reason.text
    assert (await mine.post(page, {"agree": "false", "reason": "任教专业不符"})).status == 303
    refused = await mine.get(page)
    assert "任教专业不符" in refused.text and "培训机构不同意" in refused.text
    again = await mine.post(page, {"agree": "true"})
    assert again.status == 409 and "不能再" in again.text


async def test_the_applicants_are_taken_along_as_a_workbook(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await open_class(platform, wechat)
    await apply(platform, wechat, opened.id, cast.STRANGER)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    sent = await mine.get(f"/admin/classes/{opened.id}/enrolment/export")
    sheet = openpyxl.load_workbook(io.BytesIO(sent.body)).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[1][1] == cast.STRANGER.name and "*" in str(rows[1][2]) and "听过介绍" in rows[1]


async def test_a_clash_and_a_second_certificate_are_shown_to_the_reviewers(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await open_class(platform, wechat)
    _, applied = await apply(platform, wechat, opened.id, cast.STRANGER)
    twin = await stage.open_class(
        platform, opened.officer, stage.class_draft(**APRIL | {"name": "同期的三级班"})
    )
    [known] = await stage.enrol(platform, cast.XINGTAI_OFFICER, twin.id, [cast.STRANGER])
    await platform["certificates"].insert_one(
        {
            "_id": "0" * 24,
            "person_id": known,
            "status": "VALID",
            "printed": {"level": "3", "major": opened.training_class.major_name},
        }
    )
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/classes/{opened.id}/enrolment"
    assert "需留意" in (await mine.get(home)).text
    shown = (await mine.get(f"{home}/{applied.id}")).text
    assert "同期的三级班" in shown and "已持有机械类三级培训合格证书" in shown


async def test_staff_confirm_who_arrives_and_undo_a_slip(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await open_class(platform, wechat)
    signer, writer = await admit(platform, wechat, opened, [cast.person(31), cast.person(32)])
    await arrival.open_notice(platform, signer.actor, opened.id)
    await arrival.sign_pledge(platform, signer.actor, opened.id, DISCIPLINE_VERSION)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/classes/{opened.id}/arrivals"
    assert "还没签" in (await mine.get(home)).text
    found = await mine.post(home, {"sought": signer.actor.name})
    assert found.status == 200 and f'action="{home}/{signer.actor.person_id}"' in found.html
    assert (await mine.post(f"{home}/{signer.actor.person_id}")).status == 303
    dialog = f"{home}/{writer.actor.person_id}"
    assert "纸质承诺书" in (await mine.get(dialog)).text
    missing = await mine.post(dialog)
    assert missing.status == 409 and "请学员先在小程序中签署" in missing.text
    assert (await mine.post(dialog, {"pledge_on_paper": "true"})).status == 303
    listed = (await mine.get(home)).text
    assert "已签纸质" in listed and "已实名认证" in listed
    assert (await mine.post(f"{dialog}/undo")).status == 422
    assert (await mine.post(f"{dialog}/undo", {"reason": "认错了人"})).status == 303
    assert "未报到" in (await mine.get(home)).text
    assert "认错了人" in (await mine.get(f"{dialog}/undo")).text
    exported = openpyxl.load_workbook(io.BytesIO((await mine.get(f"{home}/export")).body)).worksheets[0]
    assert [row[-2] for row in exported.iter_rows(min_row=2, values_only=True)] == [
        "2026-03-16 12:00",
        "未报到",
    ]
    assert "本人签名" in (await mine.get(f"{home}/print")).text


async def test_the_life_of_a_class_shows_enrolment_and_arrival(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await open_class(platform, wechat)
    [phone, _] = await admit(platform, wechat, opened, [cast.person(31), cast.person(32)])
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = f"/admin/classes/{opened.id}"
    before = (await mine.get(page)).text
    assert "2 人报名，2 人录取" in before and "报到" in before
    await arrival.confirm_arrival(
        platform, opened.officer, opened.id, phone.actor.person_id, pledge_on_paper=True
    )
    assert "1 / 2 人" in (await mine.get(page)).text


async def test_needs_are_summed_up_and_answered_with_a_note(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await open_class(platform, wechat)
    await apply(platform, wechat, opened.id, cast.STRANGER)
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    home = f"/admin/classes/{opened.id}/needs"
    assert "听过介绍" in (await mine.get(home)).text
    assert (await mine.post(home, {"text": "短"})).status == 422
    assert (await mine.post(home, {"text": "<b>增加</b>学习任务分析"})).status == 303
    assert "&lt;b&gt;增加&lt;/b&gt;" in (await mine.get(home)).html


async def test_the_centre_keeps_the_questionnaire_and_others_read_it(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    centre = await sign_in(platform, site, cast.CENTRE)
    assert "待核" in (await centre.get("/admin/needs")).text
    wrong = await centre.save(
        "/admin/needs", {"question_title": "题", "question_option": ["一", "｜"], "reason": "试"}
    )
    assert wrong.status == 422 and 'value="题"' in wrong.html
    assert (await centre.save("/admin/needs", QUESTION | {"reason": "重新拟定"})).status == 303
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    shown = await mine.get("/admin/needs")
    assert "您的教龄" in shown.text and "<form" not in shown.html.partition("<main")[2]


async def test_a_province_reads_and_cannot_change_and_a_neighbour_sees_nothing(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await open_class(platform, wechat)
    _, applied = await apply(platform, wechat, opened.id, cast.STRANGER)
    await admissions.review(platform, opened.officer, opened.id, applied.id, AGREE)
    province = await sign_in(platform, site, cast.HEBEI_OFFICER)
    neighbour = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    for page in ("enrolment", f"enrolment/{applied.id}", "needs", "arrivals"):
        path = f"/admin/classes/{opened.id}/{page}"
        read = await province.get(path)
        assert read.status == 200 and 'method="post"' not in read.html.partition("<main")[2]
        assert (await neighbour.get(path)).status == 404
    assert (await province.post(f"/admin/classes/{opened.id}/enrolment/{applied.id}")).status == 403
