"""第四条（四）培训需求分析：培训机构应与授课骨干教师共同审核报名教师信息，并进行培训需求分析，确保培训方案的适用性。"""

from __future__ import annotations

import pytest

from server.admissions import needs, store
from server.admissions import service as admissions
from server.admissions.needs import NoteDraft
from server.admissions.rules import NotYours, State
from server.classes import service as classes
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import sign_in
from tests.admitting import AGREE, apply, open_class
from tests.api.client import call


async def test_institution_and_backbone_teacher_review_an_application_together(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    """“培训机构应与授课骨干教师共同审核报名教师信息”：one word alone admits nobody, both do, in either order."""
    opened = await open_class(platform, wechat)
    officer = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    for seed, teacher_first in ((31, True), (32, False)):
        _, applied = await apply(platform, wechat, opened.id, cast.person(seed))
        review = f"/teaching/classes/{opened.id}/applications/{applied.id}/review"
        page = f"/admin/classes/{opened.id}/enrolment/{applied.id}"
        for by_teacher in (teacher_first, not teacher_first):
            before = await store.applicant_of_class(platform, opened.id, applied.id)
            assert before is not None and before.state is not State.ADMITTED
            if by_teacher:
                done = await call(site, "POST", review, token=opened.teacher.token, body={"agree": True})
                assert done.status == 200
            else:
                assert (await officer.post(page, {"agree": "true"})).status == 303
        after = await store.applicant_of_class(platform, opened.id, applied.id)
        assert after is not None and after.state is State.ADMITTED
        assert {one.actor_name for one in after.history} >= {
            cast.XINGTAI_OFFICER.name,
            cast.BACKBONE_TEACHER.name,
        }


async def test_a_province_oversees_the_review_and_takes_no_part_in_it(
    platform: Platform, wechat: Simulator
) -> None:
    """The review belongs to 培训机构 and 授课骨干教师."""
    opened = await open_class(platform, wechat)
    _, applied = await apply(platform, wechat, opened.id, cast.person(31))
    province = stage.actor(cast.HEBEI_OFFICER)
    assert (await admissions.applicant(platform, province, opened.id, applied.id)).name == applied.name
    with pytest.raises(NotYours):
        await admissions.review(platform, province, opened.id, applied.id, AGREE)


async def test_the_needs_of_those_who_apply_are_asked_and_lead_to_a_change_that_is_kept(
    platform: Platform, wechat: Simulator
) -> None:
    """“并进行培训需求分析，确保培训方案的适用性”."""
    opened = await open_class(platform, wechat)
    await apply(platform, wechat, opened.id, cast.person(31))
    await apply(platform, wechat, opened.id, cast.person(32))
    found = await needs.needs_of_class(platform, opened.id)
    assert found.applicants == 2 and dict(found.answered[0].counts)["听过介绍"] == 2
    note = NoteDraft(text="多数教师只听过介绍，第一天增加概念导入 2 课时。")
    await needs.add_note(platform, opened.teacher.actor, opened.id, note)
    kept = (await needs.needs_of_class(platform, opened.id)).admission
    assert kept is not None
    [said] = kept.notes
    assert (said.author_name, said.at) == (cast.BACKBONE_TEACHER.name, platform.clock.now())


async def test_who_is_admitted_is_enrolled_just_as_by_a_roster(platform: Platform, wechat: Simulator) -> None:
    """Whoever both have agreed to is a 参训教师 with everything that a roster says of one."""
    opened = await open_class(platform, wechat)
    _, applied = await apply(platform, wechat, opened.id, cast.person(31))
    await admissions.review(platform, opened.officer, opened.id, applied.id, AGREE)
    await admissions.review(platform, opened.teacher.actor, opened.id, applied.id, AGREE)
    [enrolled] = await classes.trainees(platform, opened.id)
    told = (enrolled.name, enrolled.work_unit, enrolled.post, enrolled.major_taught)
    assert told == (applied.name, applied.work_unit, applied.post, applied.major_taught)
