"""Institutions, recommendations and corrections over HTTP (articles 5 and 25.4)."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest

from server.classes.documents import TrainingClass
from server.institutions import service as institutions
from server.institutions.rules import RequestPurpose
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, reviewing, stage
from tests.admin.browserless import Browser, Form, Shown, sign_in

NEW_BASE: Form = {
    "purpose": "NEW_BASE",
    "institution_name": "河北示例技师学院",
    "majors": ["01", "03"],
    "reason": "实训条件达到要求，近三年承担省级师资培训。",
}
GRANT: Form = {
    "code": "052",
    "majors": ["01"],
    "valid_from": "2026-03-16",
    "valid_to": "2029-03-15",
    "reason": "专家组审核通过，中心〔2026〕5 号公布。",
}
ABOUT_XINGTAI = "/admin/recommendations/new?purpose={}&institution=009&qualification=1"


@pytest.fixture
async def centre(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.CENTRE)


@pytest.fixture
async def hebei(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.HEBEI_OFFICER)


@pytest.fixture
async def xingtai(platform: Platform, site: str) -> Browser:
    return await sign_in(platform, site, cast.XINGTAI_OFFICER)


@pytest.fixture
async def opened(platform: Platform) -> TrainingClass:
    return await stage.open_class(platform, stage.actor(cast.XINGTAI_OFFICER), stage.class_draft())


def about(purpose: RequestPurpose) -> Form:
    return {
        "purpose": purpose.value,
        "institution_code": "009",
        "qualification_number": "1",
        "reason": "两年内没有开展工学一体化教师培训。",
    }


def rows_of(shown: Shown) -> list[tuple[object, ...]]:
    sheet = openpyxl.load_workbook(io.BytesIO(shown.body)).active
    assert sheet is not None
    return list(sheet.iter_rows(values_only=True))


# ---- recommendation and review


async def test_a_school_is_recommended_reviewed_and_published(centre: Browser, hebei: Browser) -> None:
    assert "还没有推荐和申请" in (await hebei.get("/admin/recommendations")).text
    filed = await hebei.post("/admin/recommendations/new?purpose=NEW_BASE", NEW_BASE)
    assert filed.status == 303, filed.text
    assert "待审核的基地推荐和资格申请：推荐教师培训基地“" in (await centre.get("/admin")).text
    review = await centre.get(filed.location)
    assert 'value="052"' in review.html and "机械类、信息类" in review.text
    done = await centre.review(filed.location, "approve", GRANT)
    assert done.location == "/admin/institutions/052"
    page = await centre.get(done.location)
    assert "河北示例技师学院" in page.text and "公布资格（部试甲）" in page.text
    assert "中心〔2026〕5 号" in page.text and "2029-03-15" in page.text
    assert "河北示例技师学院" in (await hebei.get("/admin/institutions")).text


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"code": "009"}, "code"),
        ({"code": "52"}, "code"),
        ({"majors": []}, "majors"),
        ({"valid_from": "2026-03-15"}, "valid_from"),
        ({"valid_to": "2026-03-15"}, "valid_to"),
        ({"reason": ""}, "reason"),
    ],
)
async def test_a_wrong_approval_is_refused_at_its_field(
    centre: Browser, hebei: Browser, changes: Form, place: str
) -> None:
    filed = await hebei.post("/admin/recommendations/new?purpose=NEW_BASE", NEW_BASE)
    answer = await centre.review(filed.location, "approve", {**GRANT, **changes})
    assert answer.status in (409, 422) and f'id="field-{place}-error"' in answer.html


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"institution_name": ""}, "institution_name"),
        ({"institution_name": "邢台技师学院"}, "institution_name"),
        ({"majors": []}, "majors"),
        ({"reason": "好"}, "reason"),
    ],
)
async def test_a_wrong_recommendation_is_refused_at_its_field(
    hebei: Browser, changes: Form, place: str
) -> None:
    answer = await hebei.post("/admin/recommendations/new?purpose=NEW_BASE", {**NEW_BASE, **changes})
    assert answer.status == 422 and f'id="field-{place}-error"' in answer.html


async def test_what_is_declined_waits_for_the_province_and_may_come_again(
    centre: Browser, hebei: Browser
) -> None:
    filed = await hebei.save("/admin/recommendations/new?purpose=NEW_BASE", NEW_BASE)
    empty = await centre.review(filed.location, "decline", {"reason": ""})
    assert empty.status == 422 and "data-dialog-show" in empty.html
    await centre.review(filed.location, "decline", {"reason": "请补充信息类实训条件。"})
    assert "未核准的基地推荐和资格申请：推荐教师培训基地“" in (await hebei.get("/admin")).text
    amend = await hebei.get(f"{filed.location}/amend")
    assert "请补充信息类实训条件。" in amend.text
    again = await hebei.save(
        f"{filed.location}/amend", {"majors": ["01"], "reason": "只推荐机械类，条件已补充。"}
    )
    assert again.location == filed.location
    page = await centre.get(filed.location)
    assert "修改后重新提交（冀试乙，河北省级管理部门）" in page.text and "只推荐机械类" in page.text
    assert (await hebei.save(f"{filed.location}/retract")).status == 303
    assert "已撤回" in (await hebei.get("/admin/recommendations?state=RETRACTED")).text


async def test_the_page_of_a_withdrawal_lists_the_classes_that_stand_on_the_qualification(
    platform: Platform, centre: Browser, hebei: Browser, opened: TrainingClass
) -> None:
    form = await hebei.get(ABOUT_XINGTAI.format("WITHDRAWAL"))
    assert "教师培训基地（2026-01-01 至 2028-12-31，有效）" in form.text
    filed = await hebei.save(ABOUT_XINGTAI.format("WITHDRAWAL"), about(RequestPurpose.WITHDRAWAL))
    review = await centre.get(filed.location)
    assert opened.name in review.text and "不会自动改变" in review.text
    decision: Form = {"effective_on": "2026-04-01", "reason": "中心〔2026〕6 号"}
    refused = await centre.review(filed.location, "approve", decision)
    assert refused.status == 409 and "还没有陈述，陈述期限到2026-03-31" in refused.text
    await reviewing.hear_xingtai(platform)
    await centre.review(filed.location, "approve", decision)
    await hebei.get(filed.location)
    page = await hebei.get("/admin/institutions/009")
    assert "取消资格（部试甲）" in page.text and "自 2026-04-01" in page.text
    assert "申请取消资格" not in page.text
    again = await hebei.save(ABOUT_XINGTAI.format("SUSPENSION"), about(RequestPurpose.SUSPENSION))
    assert again.status == 422 and "已取消" in again.text


async def test_a_second_request_of_one_school_says_that_the_first_is_open(hebei: Browser) -> None:
    await hebei.post("/admin/recommendations/new?purpose=NEW_BASE", NEW_BASE)
    answer = await hebei.post("/admin/recommendations/new?purpose=NEW_BASE", NEW_BASE)
    assert answer.status == 409 and "已有未办结的申请" in answer.text


async def test_the_neighbour_finds_nothing(platform: Platform, site: str, hebei: Browser) -> None:
    filed = await hebei.post("/admin/recommendations/new?purpose=NEW_BASE", NEW_BASE)
    jiangsu = await sign_in(platform, site, cast.JIANGSU_OFFICER)
    assert (await jiangsu.get(filed.location)).status == 404
    assert "河北示例" not in (await jiangsu.get("/admin/recommendations")).text
    yangzhou = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    assert (await yangzhou.get("/admin/recommendations")).status == 403
    assert "基地推荐" not in (await yangzhou.get("/admin")).text


# ---- what the centre does itself


async def test_the_centre_confirms_the_qualification_of_annex_1(centre: Browser) -> None:
    path = "/admin/institutions/009/qualifications/1/confirm"
    assert "没有列出专业大类和有效期" in (await centre.get(path)).text
    form: Form = {
        "majors": ["01", "02"],
        "valid_from": "2026-01-01",
        "valid_to": "",
        "reason": "中心〔2026〕1 号",
    }
    refused = await centre.save(path, form)
    assert refused.status == 422 and 'id="field-valid_to-error"' in refused.html
    assert (await centre.save(path, {**form, "valid_to": "2028-12-31"})).location == "/admin/institutions/009"
    page = await centre.get("/admin/institutions/009")
    assert "待核" not in page.text and "核定资格（部试甲）" in page.text
    assert "按附件 1 录入（平台）" in page.text  # the version before can still be read
    assert "已经核定" in (await centre.get(path)).text


async def test_the_centre_suspends_a_training_centre_and_only_that(centre: Browser) -> None:
    form: Form = {"effective_on": "2026-03-16", "reason": "部里决定"}
    assert (
        "由省级管理部门提出申请"
        in (await centre.get("/admin/institutions/009/qualifications/1/withdraw")).text
    )
    told: Form = {**form, "seen": "0" * 16}  # the form is not offered
    refused = await centre.save("/admin/institutions/009/qualifications/1/withdraw", told)
    assert refused.status == 409 and "由省级管理部门提出申请" in refused.text
    heard = await centre.save("/admin/institutions/017/qualifications/1/withdraw", form)
    assert "已立案" in (await centre.get(heard.location)).text
    assert "陈述期限到 2026-03-31" in (await centre.get(heard.location)).text
    assert "没有受影响的培训班" in (await centre.get("/admin/institutions/017/qualifications/1/suspend")).text
    await centre.save("/admin/institutions/017/qualifications/1/suspend", form)
    page = await centre.get("/admin/institutions/017")
    assert "目前没有有效资格" in page.text and "恢复资格" in page.text
    assert (await centre.get("/admin/institutions/017/qualifications/9/suspend")).status == 404


async def test_the_centre_publishes_a_training_centre(centre: Browser) -> None:
    path = "/admin/institutions/publish"
    form: Form = {"code": "009", "majors": ["01"], "valid_from": "2026-03-16", "reason": "部里公布"}
    assert "009 邢台技师学院" in (await centre.get(path)).text
    assert (await centre.post(path, form)).location == "/admin/institutions/009"
    assert "骨干教师、一级、二级、三级培训" in (await centre.get("/admin/institutions/009")).text
    assert 'value="052"' in (await centre.get(f"{path}?school=new")).html
    new: Form = {**form, "school": "new", "name": "河北示例技师学院", "province_code": "13"}
    refused = await centre.post(path, new)
    assert refused.status == 409 and 'id="field-code-error"' in refused.html
    assert (await centre.post(path, {**new, "code": "052"})).location == "/admin/institutions/052"


async def test_institutions_are_filtered_and_exported(centre: Browser, hebei: Browser) -> None:
    stars = await centre.get("/admin/institutions?kind=TRAINING_CENTRE")
    assert "江苏省常州技师学院" in stars.text and "邢台技师学院" not in stars.text
    assert "没有符合条件的培训机构" in (await centre.get("/admin/institutions?status=WITHDRAWN")).text
    table = rows_of(await hebei.get("/admin/institutions/export?q=009"))
    assert [row[:4] for row in table[1:]] == [("009", "邢台技师学院", "河北", "教师培训基地")]


# ---- corrections


def correction_of(opened: TrainingClass, **changes: str) -> Form:
    return {
        "name": opened.name,
        "place": opened.place,
        "starts_on": opened.starts_on.isoformat(),
        "ends_on": opened.ends_on.isoformat(),
        "reason": "实训楼检修，改到图书馆。",
    } | changes


async def test_a_class_is_corrected_on_request_and_its_page_keeps_the_version_before(
    platform: Platform, hebei: Browser, xingtai: Browser, opened: TrainingClass
) -> None:
    path = f"/admin/classes/{opened.id}/correct"
    assert 'value="实训楼 301"' in (await xingtai.get(path)).html
    same = await xingtai.post(path, correction_of(opened))
    assert same.status == 409 and "没有要更正的内容" in same.text
    filed = await xingtai.post(path, correction_of(opened, place="图书馆 201"))
    assert filed.status == 303, filed.text
    assert "已有一件更正申请在审核中" in (await xingtai.get(path)).text
    assert "待审核的更正申请：" in (await hebei.get("/admin")).text
    review = await hebei.get(filed.location)
    assert "培训地点 实训楼 301 图书馆 201" in review.text
    empty = await hebei.review(filed.location, "return", {"reason": ""})
    assert empty.status == 422 and "data-dialog-show" in empty.html
    await hebei.review(filed.location, "approve")
    page = await xingtai.get(f"/admin/classes/{opened.id}")
    assert "地点 图书馆 201" in page.text and "更正记录" in page.text
    assert "更正已发布的信息（冀试乙，河北省级管理部门） 培训地点：实训楼 301 → 图书馆 201" in page.text
    assert "核准并更正（冀试乙，河北省级管理部门）" in (await xingtai.get(filed.location)).text


async def test_a_returned_correction_comes_back_with_what_was_asked(
    hebei: Browser, xingtai: Browser, opened: TrainingClass
) -> None:
    path = f"/admin/classes/{opened.id}/correct"
    filed = await xingtai.post(path, correction_of(opened, place="图书馆"))
    await hebei.review(filed.location, "return", {"reason": "请写明房间号。"})
    assert "被退回的更正申请：" in (await xingtai.get("/admin")).text
    form = await xingtai.get(path)
    assert "请写明房间号。" in form.text and 'value="图书馆"' in form.html
    again = await xingtai.post(path, correction_of(opened, place="图书馆 201"))
    assert again.location == filed.location
    await xingtai.post(f"{filed.location}/retract")
    assert "已撤回" in (await xingtai.get("/admin/corrections?state=RETRACTED")).text


async def test_a_trainee_s_name_is_corrected_from_the_roster(
    platform: Platform, wechat: Simulator, hebei: Browser, xingtai: Browser
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    [trainee] = held.trainees
    path = f"/admin/classes/{held.id}/roster/{trainee.actor.id}/correct"
    assert path in (await xingtai.get(f"/admin/classes/{held.id}/roster")).html
    wrong: Form = {"name": "王5", "ground": "MISSPELT", "reason": "已核对身份证。"}
    assert 'id="field-name-error"' in (await xingtai.post(path, wrong)).html
    filed = await xingtai.post(path, {**wrong, "name": "王试新"})
    assert "名册中写错" in (await hebei.get(filed.location)).text
    await hebei.review(filed.location, "approve")
    assert "王试新" in (await xingtai.get(f"/admin/classes/{held.id}/roster")).text


async def test_a_trainee_s_phone_number_is_corrected_from_the_roster_and_never_shown_whole(
    platform: Platform, wechat: Simulator, hebei: Browser, xingtai: Browser
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    [trainee], phone = held.trainees, cast.people(2)[1].phone
    path = f"/admin/classes/{held.id}/roster/{trainee.actor.id}/correct"
    assert "正确的手机号" in (await xingtai.get(path)).text
    typed: Form = {"name": trainee.actor.name, "ground": "PHONE_CHANGED", "reason": "已核对身份证。"}
    assert 'id="field-phone-error"' in (await xingtai.post(path, {**typed, "phone": "12345"})).html
    filed = await xingtai.post(path, {**typed, "phone": phone})
    seen = await hebei.get(filed.location)
    assert "本人换了手机号" in seen.text and f"****{phone[-4:]}" in seen.text and phone not in seen.html
    assert (await hebei.review(filed.location, "approve")).status == 303


async def test_an_institution_asks_for_its_new_name_and_the_centre_approves(
    platform: Platform, centre: Browser, xingtai: Browser
) -> None:
    form: Form = {"name": "邢台示例技师学院", "reason": "省政府批复更名。"}
    filed = await xingtai.post("/admin/institutions/009/correct", form)
    await centre.review(filed.location, "approve")
    page = await xingtai.get("/admin/institutions/009")
    assert "邢台示例技师学院" in page.text and "名称更正记录" in page.text
    found = await institutions.institution(platform, stage.actor(cast.CENTRE), "009")
    assert found.name == "邢台示例技师学院"


async def test_the_institution_and_the_reviewer_hear_which_sessions_lie_outside_the_new_dates(
    platform: Platform, wechat: Simulator, hebei: Browser, xingtai: Browser
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=0)
    wanted = correction_of(held.training_class, starts_on="2026-03-18")
    filed = await xingtai.post(f"/admin/classes/{held.id}/correct", wanted)
    session = await stage.teaching_session(platform, held)  # while the request waits
    page = await xingtai.get(f"/admin/classes/{held.id}")
    assert '<span>名册<span class="visually-hidden">：未开始</span>' in page.html, "nobody is in it"
    assert "1 个课次不在更正后的日期内" in (await hebei.get(filed.location)).text
    refused = await hebei.review(filed.location, "approve")
    assert refused.status == 409 and f"“{session.title}”（2026-03-17）不在更正后的日期内" in refused.text
    await xingtai.post(f"{filed.location}/retract", {"reason": "日期不改了。"})
    again = await xingtai.post(f"/admin/classes/{held.id}/correct", wanted)
    assert again.status == 409 and f"“{session.title}”（2026-03-17）不在更正后的日期内" in again.text


# ---- the class page and the list


async def test_a_class_shows_its_life_with_who_did_what(
    platform: Platform, wechat: Simulator, xingtai: Browser
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=2)
    page = await xingtai.get(f"/admin/classes/{held.id}")
    steps = dict(re.findall(r"<span>([^<]+)<span class=\"visually-hidden\">：([^<]+)</span>", page.html))
    assert steps["名册"] == "已完成" and steps["课次签到"] == "未开始" and steps["证书"] == "未开始"
    assert f"2 人，{cast.XINGTAI_OFFICER.name}，2026-03-16" in page.text


async def test_classes_are_narrowed_to_the_year_in_which_they_begin(
    xingtai: Browser, opened: TrainingClass
) -> None:
    assert opened.name in (await xingtai.get("/admin/classes?year=2026&stage=ONGOING")).text
    page = await xingtai.get("/admin/classes")
    assert 'href="/admin/classes?place=PLAN"' in page.html, (
        "从计划申请开班 leads to what is to be applied for"
    )
    assert "没有可以申请开班的计划项目" in (await xingtai.get("/admin/classes?place=PLAN")).text
    assert opened.name not in (await xingtai.get("/admin/classes?year=2025")).text
    assert len(rows_of(await xingtai.get("/admin/classes/export?year=2026"))) == 2
    assert len(rows_of(await xingtai.get("/admin/classes/export?year=2025"))) == 1
