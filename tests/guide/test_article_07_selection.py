"""第七条、第四条（二）、第九条（二）: 省级管理部门推荐符合条件的教师参加选拔，师资研修中心培训考核、报送合格教师名单."""

from __future__ import annotations

import pytest

from server.kernel.errors import Forbidden
from server.kernel.platform import Platform
from server.selection import registration, training
from server.selection import service as selection
from server.selection.documents import PassList
from server.selection.registration import NobodyToReport, Report
from server.selection.rules import ListState, NotABackboneClass, NotEligible, State
from tests import cast, stage
from tests.progressing import waits
from tests.selecting import (
    CENTRE,
    CHANGZHOU,
    HEBEI,
    SERVED,
    XINGTAI,
    accepted,
    backbone_class,
    certified,
    enrolled,
    nominee_draft,
    reported,
    submitted,
    through,
)


async def test_a_province_recommends_teachers_who_meet_the_conditions(platform: Platform) -> None:
    """组织省级管理部门按照要求推荐符合条件的技工院校教师参加 … 骨干教师培训选拔。"""
    unfit = await selection.begin(platform, HEBEI, nominee_draft(years_of_teaching=0))
    with pytest.raises(NotEligible):
        await selection.submit(platform, HEBEI, unfit.id)
    for actor in (CENTRE, CHANGZHOU, XINGTAI):
        with pytest.raises(Forbidden):
            await selection.begin(platform, actor, nominee_draft(cast.person(40)))


async def test_the_conditions_are_policies_of_the_centre(platform: Platform) -> None:
    """符合条件: the guide names no condition, so that each is a policy, 待核 until the centre sets it."""
    asked = await selection.conditions(platform)
    assert (asked.years_least, asked.age_most, asked.certificate) == (5, 55, 0)


async def test_the_centre_organises_the_selection(platform: Platform) -> None:
    """部指导中心根据各地实际需求，组织省级管理部门 … 推荐: it sees how many each province recommends, and decides on each."""
    await submitted(platform)
    [numbers] = await selection.numbers(platform, CENTRE)
    assert (numbers.province_code, numbers.of(State.SUBMITTED)) == (cast.HEBEI, 1)


async def test_a_teacher_of_an_institution_takes_part_in_the_selection(platform: Platform) -> None:
    """第四条（二）: 支持符合条件的教师参加师资研修中心组织的骨干教师培训选拔活动。"""
    found = await accepted(platform)  # a teacher of 邢台技师学院
    assert found.work_unit == "邢台技师学院"
    held = await backbone_class(platform, CHANGZHOU)
    await enrolled(platform, held, [found])
    assert (await selection.nominee(platform, HEBEI, found.id)).class_name == held.name


async def test_only_a_training_centre_trains_the_candidates(platform: Platform) -> None:
    """师资研修中心统一组织骨干教师培训及考核。"""
    chosen = await accepted(platform)
    with pytest.raises(Forbidden):
        await training.candidates(platform, XINGTAI)
    other = await stage.open_class(platform, CHANGZHOU, stage.class_draft(level="1", name="一级教师培训班"))
    with pytest.raises(NotABackboneClass):
        await enrolled(platform, other, [chosen])


async def test_who_passes_the_assessment_is_reported_to_the_centre_by_list(platform: Platform) -> None:
    """考核合格即为通过选拔，由师资研修中心向合格教师核发 … 证书，并将合格教师名单等报送部指导中心。"""
    chosen = [await accepted(platform, one) for one in (SERVED, cast.person(32))]
    held = await backbone_class(platform, CHANGZHOU)
    await enrolled(platform, held, chosen)
    with pytest.raises(NobodyToReport):
        await registration.report(platform, CHANGZHOU, held.id, Report())
    failing = (await selection.nominee(platform, HEBEI, chosen[1].id)).person_id
    await certified(platform, held, failed=[failing or ""])
    new = await reported(platform, held)
    assert [one.name for one in new.passed] == [SERVED.name]
    assert (await selection.nominee(platform, HEBEI, chosen[1].id)).state is State.FAILED


async def test_the_list_waits_for_the_centre(platform: Platform) -> None:
    """报送部指导中心。"""
    _, new = await through(platform, [SERVED])
    assert new.state is ListState.SUBMITTED
    assert [one.title for one in await waits(platform, CENTRE, PassList)] == ["待登记入库的合格教师名单"]
