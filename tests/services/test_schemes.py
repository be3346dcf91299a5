"""Training schemes on the real database: signatures, the review, and what an approval makes and leaves alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from server.assessment import tasks
from server.assessment.rules import TaskKind
from server.attendance import service as attendance
from server.attendance import timetable
from server.attendance.timetable import TimetableDraft
from server.classes import service as classes
from server.classes.service import ResultsReleased, SchemeGoverns
from server.kernel.errors import Invalid, NotFound, Problem
from server.kernel.platform import Platform
from server.progress.known import Owner
from server.schemes import comparing, remarks, rules, service
from server.schemes.documents import SchemeFilter, SchemeVersion
from server.schemes.remarks import RemarkDraft
from server.schemes.rules import (
    NotYourStep,
    SchemeIncomplete,
    SchemeNotInState,
    SignaturesMissing,
    State,
)
from server.schemes.service import NoScheme, ReturnReason, VersionOutdated
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.assessing import clock_of, hand_in, task_draft
from tests.progressing import steps
from tests.scheming import PROVINCE, TASKS, approved, content, draft, filed, moved, task
from tests.stage import ClassInSession


@pytest.fixture
async def held(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat, trainees=1)


async def newest(platform: Platform, held: ClassInSession) -> SchemeVersion:
    found = (await service.scheme_of_class(platform, held.officer, held.id)).newest
    assert found is not None
    return found


# ---- drafting and signing


async def test_each_save_is_a_version_with_its_author(platform: Platform, held: ClassInSession) -> None:
    await draft(platform, held)
    second = await draft(platform, held, objectives="能带教新教师。")
    again = await draft(platform, held, objectives="能带教新教师。")
    assert (second.version, again.version) == (2, 2)
    seen = await service.scheme_of_class(platform, held.officer, held.id)
    assert [(one.version, one.saved_by, one.state) for one in seen.versions] == [
        (2, held.officer.name, State.DRAFT),
        (1, held.officer.name, State.SUPERSEDED),
    ]
    compared = await comparing.compared_version(platform, held.officer, held.id, 2)
    assert [(one.section, one.after) for one in compared.changes] == [("培训目标", "能带教新教师。")]


async def test_a_colleague_who_edited_an_older_version_overwrites_nothing(
    platform: Platform, held: ClassInSession
) -> None:
    await draft(platform, held)
    with pytest.raises(VersionOutdated):
        await service.save(
            platform, held.officer, held.id, content(held.teacher.actor.id, objectives="旧版上的修改"), 0
        )
    assert (await newest(platform, held)).version == 1


async def test_of_two_who_save_at_once_one_is_told_to_look_again(
    platform: Platform, held: ClassInSession
) -> None:
    await draft(platform, held)
    texts = ("甲的目标", "乙的目标")
    both = await asyncio.gather(
        *(
            service.save(platform, held.officer, held.id, content(held.teacher.actor.id, objectives=one), 1)
            for one in texts
        ),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in both) == ["SchemeVersion", "VersionOutdated"]


async def test_a_teacher_of_the_class_writes_versions_like_the_institution(
    platform: Platform, held: ClassInSession
) -> None:
    teacher = held.teacher.actor
    begun = content(teacher.id, objectives="教师先起草。")
    first = await service.save_as_teacher(platform, teacher, held.id, begun, 0)
    again = await service.save_as_teacher(platform, teacher, held.id, begun, 0)  # over a bad network
    assert first == again
    await draft(platform, held, objectives="机构接着改。")
    third = await service.save_as_teacher(
        platform, teacher, held.id, content(teacher.id, objectives="教师再改。"), 2
    )
    seen = await service.scheme_of_class(platform, held.officer, held.id)
    assert [(one.version, one.saved_by, one.saved_by_teacher, one.state) for one in seen.versions] == [
        (3, teacher.name, True, State.DRAFT),
        (2, held.officer.name, False, State.SUPERSEDED),
        (1, teacher.name, True, State.SUPERSEDED),
    ]
    assert (third.history[0].action, third.author_id) == ("SAVE", teacher.id)
    [entry] = [row async for row in platform["audit"].find({"action": "schemes:save", "facts.version": 3})]
    assert entry["actor_id"] == teacher.id


async def test_who_comes_second_hears_whose_version_came_between_and_loses_nothing(
    platform: Platform, held: ClassInSession
) -> None:
    teacher = held.teacher.actor
    await draft(platform, held)
    await service.save_as_teacher(platform, teacher, held.id, content(teacher.id, materials="讲义第二版"), 1)
    with pytest.raises(VersionOutdated) as refused:
        await draft_on(platform, held, 1, objectives="机构的目标")
    assert f"授课教师{teacher.name}刚刚保存了第 2 版" in refused.value.detail
    assert refused.value.extra == {"version": 2, "saved_by": teacher.name}
    await draft_on(platform, held, 2, objectives="机构的目标", materials="讲义第二版")
    with pytest.raises(VersionOutdated) as back:
        await service.save_as_teacher(platform, teacher, held.id, content(teacher.id), 2)
    assert f"{held.officer.name}刚刚保存了第 3 版" in back.value.detail
    assert [one.content.materials for one in await all_versions(platform, held)][:2] == ["讲义第二版"] * 2


async def draft_on(platform: Platform, held: ClassInSession, based_on: int, **changes: object) -> None:
    await service.save(platform, held.officer, held.id, content(held.teacher.actor.id, **changes), based_on)


async def all_versions(platform: Platform, held: ClassInSession) -> list[SchemeVersion]:
    return (await service.scheme_of_class(platform, held.officer, held.id)).versions


async def test_of_institution_and_teacher_who_save_at_once_one_is_told(
    platform: Platform, held: ClassInSession
) -> None:
    await draft(platform, held)
    teacher = held.teacher.actor
    both = await asyncio.gather(
        draft_on(platform, held, 1, objectives="机构的目标"),
        service.save_as_teacher(platform, teacher, held.id, content(teacher.id, objectives="教师的目标"), 1),
        return_exceptions=True,
    )
    assert sum(isinstance(one, VersionOutdated) for one in both) == 1
    assert len(await all_versions(platform, held)) == 2


async def test_only_a_teacher_of_the_class_drafts_and_not_while_the_province_reviews(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    other = await stage.phone(platform, wechat, "openid-other", cast.SECOND_BACKBONE_TEACHER)
    for stranger in (other.actor, held.trainees[0].actor):
        with pytest.raises(NotFound):
            await service.save_as_teacher(platform, stranger, held.id, content(held.teacher.actor.id), 0)
    version = await filed(platform, held)
    with pytest.raises(SchemeNotInState):
        await service.save_as_teacher(
            platform, held.teacher.actor, held.id, content(held.teacher.actor.id, materials="新讲义"), version
        )


async def test_the_others_are_told_of_a_new_version_once_a_turn(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    second = await stage.phone(platform, wechat, "openid-second", cast.SECOND_BACKBONE_TEACHER)
    await stage.teach(platform, held.officer, held.id, second)
    teacher = held.teacher.actor

    async def told(kind: str = "scheme-drafted") -> list[tuple[str, str]]:
        rows = platform["outbox"].find({"template": kind}).sort("_id", 1)
        return [(row["person_id"], row["data"]["version"]) async for row in rows]

    await draft(platform, held)
    await draft(platform, held, materials="讲义第二版")
    assert sorted(await told()) == sorted([(teacher.id, "1"), (second.actor.id, "1")])
    mine = content(teacher.id, materials="讲义第三版")
    await service.save_as_teacher(platform, teacher, held.id, mine, 2)
    assert (await told())[2:] == [(second.actor.id, "3")]
    assert (await steps(platform, held.officer, held.id))["scheme-send"].title.startswith("查看授课教师修改")
    await service.send_for_signature(platform, held.officer, held.id, 3)
    await service.sign(platform, teacher, held.id, 3)
    await service.save_as_teacher(
        platform, teacher, held.id, mine.model_copy(update={"materials": "讲义第四版"}), 3
    )
    assert len(await told()) == 3  # only where there were signatures is anybody told that they are void
    assert await told("scheme-changed") == [(second.actor.id, "4")]


async def test_a_change_after_a_signature_makes_it_void(platform: Platform, held: ClassInSession) -> None:
    first = (await draft(platform, held)).version
    await service.send_for_signature(platform, held.officer, held.id, first)
    assert await service.sign(platform, held.teacher.actor, held.id, first)
    second = (await draft(platform, held, materials="讲义第二版")).version
    assert (await newest(platform, held)).signatures == []
    with pytest.raises(VersionOutdated):
        await service.file(platform, held.officer, held.id, first)
    await service.send_for_signature(platform, held.officer, held.id, second)
    with pytest.raises(SignaturesMissing) as refused:
        await service.file(platform, held.officer, held.id, second)
    assert held.teacher.actor.name in refused.value.detail


async def test_a_signature_is_for_the_version_that_was_read(platform: Platform, held: ClassInSession) -> None:
    await draft(platform, held)
    with pytest.raises(SchemeNotInState):
        await service.sign(platform, held.teacher.actor, held.id, 1)
    await service.send_for_signature(platform, held.officer, held.id, 1)
    assert await service.sign(platform, held.teacher.actor, held.id, 1)
    assert not await service.sign(platform, held.teacher.actor, held.id, 1)
    await draft(platform, held, materials="讲义第二版")
    with pytest.raises(VersionOutdated):
        await service.sign(platform, held.teacher.actor, held.id, 1)


async def test_every_teacher_of_the_class_must_have_signed(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    """A teacher who accepted after the first had signed is waited for as well."""
    version = (await draft(platform, held)).version
    await service.send_for_signature(platform, held.officer, held.id, version)
    await service.sign(platform, held.teacher.actor, held.id, version)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    second = await stage.phone(platform, wechat, "openid-second", cast.SECOND_BACKBONE_TEACHER)
    await stage.teach(platform, held.officer, held.id, second)
    with pytest.raises(SignaturesMissing) as refused:
        await service.file(platform, held.officer, held.id, version)
    assert cast.SECOND_BACKBONE_TEACHER.name in refused.value.detail


async def test_an_incomplete_scheme_is_neither_signed_nor_filed(
    platform: Platform, held: ClassInSession
) -> None:
    await draft(platform, held, tasks=TASKS[:1], objectives="")
    with pytest.raises(SchemeIncomplete) as refused:
        await service.send_for_signature(platform, held.officer, held.id, 1)
    words = " ".join(one.message for one in refused.value.fields)
    assert "终结性考核" in words and "培训目标" in words
    assert (await newest(platform, held)).state is State.DRAFT


async def test_nobody_from_elsewhere_is_written_into_a_scheme(
    platform: Platform, held: ClassInSession
) -> None:
    with pytest.raises(Invalid):
        await service.save(platform, held.officer, held.id, content("a" * 24), 0)


async def test_remarks_are_kept_once_and_seen_by_both(platform: Platform, held: ClassInSession) -> None:
    with pytest.raises(NoScheme):
        await remarks.remark(platform, held.officer, held.id, RemarkDraft(text="请看课表"))
    await draft(platform, held)
    said = RemarkDraft(text="第二天下午请改到机房。", nonce="nonce-0001")
    for _ in range(2):
        await remarks.remark_as_teacher(platform, held.teacher.actor, held.id, said)
    await remarks.remark(platform, held.officer, held.id, RemarkDraft(text="好的，已改。"))
    seen = await service.taught_scheme(platform, held.teacher.actor, held.id)
    assert {one.text for _, one in seen.remarks} == {"好的，已改。", "第二天下午请改到机房。"}
    assert len(seen.remarks) == 2


# ---- review


async def test_an_approval_makes_sessions_and_tasks_once(platform: Platform, held: ClassInSession) -> None:
    version = await filed(platform, held)
    both = await asyncio.gather(
        *(service.approve(platform, PROVINCE, held.id, version) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in both) == ["Consequences", "SchemeNotInState"]
    arranged = await attendance.sessions_of_class(platform, held.officer, held.id)
    assert (len(arranged.rows), arranged.hours) == (16, 80)
    given = await tasks.tasks_of_class(platform, held.id)
    assert [(one.title, one.kind, one.maximum) for one in given] == [
        ("教学设计", TaskKind.FORMATIVE, 100),
        ("说课答辩", TaskKind.SUMMATIVE, 100),
    ]
    training_class = await classes.get_class(platform, held.officer, held.id)
    assert (training_class.scheme_version, training_class.class_hours) == (version, 80)
    told = [row["template"] async for row in platform["outbox"].find({"template": "scheme-approved"})]
    assert len(told) == 1


async def test_a_returned_scheme_makes_nothing_and_can_be_changed(
    platform: Platform, held: ClassInSession
) -> None:
    version = await filed(platform, held)
    with pytest.raises(SchemeNotInState):
        await draft(platform, held, objectives="审核中不能修改")
    why = ReturnReason(reason="课程与学习任务对应不清")
    await service.send_back(platform, PROVINCE, held.id, version, why)
    assert (await attendance.sessions_of_class(platform, held.officer, held.id)).rows == []
    again = await approved(platform, held, objectives="按审核意见补充。")
    seen = await service.scheme_of_class(platform, held.officer, held.id)
    assert [one.state for one in seen.versions] == [State.APPROVED, State.RETURNED]
    assert seen.in_force == again
    reasons = [one.reason for _, one in seen.history if one.reason]
    assert reasons == ["课程与学习任务对应不清"]


async def test_only_the_own_province_reviews(platform: Platform, held: ClassInSession) -> None:
    version = await filed(platform, held)
    with pytest.raises(NotFound):
        await service.approve(platform, stage.actor(cast.JIANGSU_OFFICER), held.id, version)
    for officer in (held.officer, stage.actor(cast.CENTRE)):
        with pytest.raises(NotYourStep):
            await service.approve(platform, officer, held.id, version)


async def test_a_neighbour_and_a_teacher_of_another_class_see_nothing(
    platform: Platform, held: ClassInSession, wechat: Simulator
) -> None:
    await draft(platform, held)
    yangzhou = stage.actor(cast.YANGZHOU_OFFICER)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    other = await stage.phone(platform, wechat, "openid-other", cast.SECOND_BACKBONE_TEACHER)
    said = RemarkDraft(text="与我无关")
    for refused in (
        service.scheme_of_class(platform, yangzhou, held.id),
        comparing.compared_version(platform, yangzhou, held.id, 1),
        service.save(platform, yangzhou, held.id, content(held.teacher.actor.id), 1),
        service.send_for_signature(platform, yangzhou, held.id, 1),
        remarks.remark(platform, yangzhou, held.id, said),
        service.taught_scheme(platform, other.actor, held.id),
        service.sign(platform, other.actor, held.id, 1),
        remarks.remark_as_teacher(platform, other.actor, held.id, said),
        service.taught_scheme(platform, held.trainees[0].actor, held.id),
    ):
        with pytest.raises(NotFound):
            await refused
    assert await service.list_schemes(platform, yangzhou, SchemeFilter(list(State))) == []


async def test_what_waits_for_whom(platform: Platform, held: ClassInSession) -> None:
    hebei, jiangsu = PROVINCE, stage.actor(cast.JIANGSU_OFFICER)
    version = await filed(platform, held)
    line = (await steps(platform, hebei, held.id))["scheme-review"]
    assert (line.owner, line.url) == (Owner.PROVINCE, f"/admin/classes/{held.id}/scheme")
    assert await steps(platform, jiangsu, held.id) == {}
    await service.send_back(platform, hebei, held.id, version, ReturnReason(reason="请补充场地"))
    line = (await steps(platform, held.officer, held.id))["scheme-revise"]
    assert "退回" in line.title and line.owner is Owner.INSTITUTION


# ---- what has happened stays


async def test_a_second_version_keeps_the_past_and_replaces_the_future(
    platform: Platform, held: ClassInSession
) -> None:
    await approved(platform, held)
    before = {one.id: one for one, _ in await timetable.timetable_of_class(platform, held.id)}
    [formative, summative] = await tasks.tasks_of_class(platform, held.id)
    sessions = content(held.teacher.actor.id).sessions
    clock_of(platform).set(sessions[0].starts_at + timedelta(hours=1))
    await hand_in(platform, held.trainees[0], formative)
    later = (TASKS[0], task("综合答辩", TaskKind.SUMMATIVE))
    await approved(platform, held, sessions=moved(sessions, 15, 1), tasks=later)
    after = {one.id: one for one, _ in await timetable.timetable_of_class(platform, held.id)}
    assert len(after) == 16
    assert len(before.keys() & after.keys()) == 15  # only the last one was moved
    assert all(before[one] == after[one] for one in before.keys() & after.keys())
    given = {one.title: one.id for one in await tasks.tasks_of_class(platform, held.id)}
    assert given.keys() == {"教学设计", "综合答辩"} and given["教学设计"] == formative.id
    assert summative.id not in given.values()
    seen = await service.scheme_of_class(platform, held.officer, held.id)
    assert [one.state for one in seen.versions] == [State.APPROVED, State.SUPERSEDED]


async def test_the_approved_version_stays_in_force_while_the_next_is_on_its_way(
    platform: Platform, held: ClassInSession
) -> None:
    first = await approved(platform, held)
    second = await filed(platform, held, materials="讲义第二版")
    seen = await service.scheme_of_class(platform, held.officer, held.id)
    assert (seen.in_force, seen.versions[1].state) == (first, State.APPROVED)
    await service.send_back(platform, PROVINCE, held.id, second, ReturnReason(reason="不必修改"))
    assert (await classes.get_class(platform, held.officer, held.id)).scheme_version == first


async def test_a_version_that_would_rewrite_the_past_is_refused(
    platform: Platform, held: ClassInSession
) -> None:
    await approved(platform, held)
    sessions = content(held.teacher.actor.id).sessions
    [formative, _] = await tasks.tasks_of_class(platform, held.id)
    clock_of(platform).set(sessions[1].ends_at)
    await hand_in(platform, held.trainees[0], formative)
    for changes, words in (
        ({"sessions": moved(sessions, 0, 9)}, "须按原来的时间"),
        ({"tasks": (task("新的设计", TaskKind.FORMATIVE), TASKS[1])}, "须原样保留"),
    ):
        version = (await draft(platform, held, **changes)).version
        with pytest.raises(SchemeIncomplete) as refused:
            await service.send_for_signature(platform, held.officer, held.id, version)
        assert words in " ".join(one.message for one in refused.value.fields)


async def test_time_that_passes_before_the_review_is_found_at_the_approval(
    platform: Platform, held: ClassInSession
) -> None:
    version = await filed(platform, held)
    clock_of(platform).set(content(held.teacher.actor.id).sessions[0].ends_at)
    with pytest.raises(SchemeIncomplete) as refused:
        await service.approve(platform, PROVINCE, held.id, version)
    assert "签到时间已过" in refused.value.fields[0].message
    assert (await newest(platform, held)).state is State.SUBMITTED
    assert (await attendance.sessions_of_class(platform, held.officer, held.id)).rows == []


async def test_editing_after_an_approval_begins_with_the_class_as_it_is(
    platform: Platform, held: ClassInSession
) -> None:
    """A room that staff changed from day to day is not taken back by the next version."""
    await approved(platform, held)
    [first, *_] = [one for one, _ in await timetable.timetable_of_class(platform, held.id)]
    wanted = stage.session_draft(
        title=first.title,
        course=first.course,
        place="机房 502",
        starts_at=first.starts_at,
        ends_at=first.ends_at,
        hours=first.hours,
    )
    await timetable.change_session(platform, held.officer, held.id, first.id, wanted)
    seen = await service.scheme_of_class(platform, held.officer, held.id)
    begun = await service.content_to_edit(platform, seen)
    assert begun.sessions[0].place == "机房 502"
    assert rules.shortcomings(begun, seen.frame) == []


async def test_results_that_are_out_are_under_no_new_scheme(platform: Platform, held: ClassInSession) -> None:
    version = await filed(platform, held)
    released = {"results_released_at": platform.clock.now()}
    await platform["classes"].update_one({"_id": held.id}, {"$set": released})
    with pytest.raises(ResultsReleased):
        await service.approve(platform, PROVINCE, held.id, version)


# ---- an approved scheme governs


async def test_under_an_approved_scheme_sessions_and_tasks_are_not_made_by_hand(
    platform: Platform, held: ClassInSession
) -> None:
    await approved(platform, held)
    [first, *_] = [one for one, _ in await timetable.timetable_of_class(platform, held.id)]
    [formative, _] = await tasks.tasks_of_class(platform, held.id)
    whole = TimetableDraft(
        first_day=held.training_class.starts_on,
        last_day=held.training_class.ends_on,
        weekdays=[5],
        half_days=[{"title": "上午", "starts": "08:00", "ends": "11:00", "hours": 3}],
        courses=[],
        place="实训楼 301",
    )
    later = stage.session_draft(starts_at=first.starts_at, ends_at=first.ends_at, hours=9)
    at_work = (platform, held.officer, held.id)
    for refused in (
        timetable.add_session(*at_work, stage.session_draft()),
        timetable.preview_timetable(*at_work, whole),
        timetable.add_timetable(*at_work, whole),
        timetable.change_session(*at_work, first.id, later),
        timetable.cancel_session(*at_work, first.id, "教室检修"),
        tasks.create_task(*at_work, task_draft(platform)),
        tasks.change_task(*at_work, formative.id, task_draft(platform)),
        tasks.withdraw_task(*at_work, formative.id),
    ):
        with pytest.raises(SchemeGoverns):
            await refused


async def test_nothing_half_done_is_left_when_an_approval_fails_on_its_way(
    platform: Platform, held: ClassInSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = await filed(platform, held)

    async def broken(*_: object) -> None:
        raise Problem("平台故障")

    monkeypatch.setattr(tasks, "make_task", broken)
    with pytest.raises(Problem):
        await service.approve(platform, PROVINCE, held.id, version)
    assert (await newest(platform, held)).state is State.SUBMITTED
    assert (await attendance.sessions_of_class(platform, held.officer, held.id)).rows == []
    assert (await classes.get_class(platform, held.officer, held.id)).scheme_version is None


async def test_a_scheme_is_saved_and_sent_in_one_or_not_at_all(
    platform: Platform, held: ClassInSession
) -> None:
    await stage.assess(platform, held)
    whole = content(held.teacher.actor.id)
    with pytest.raises(SchemeIncomplete):
        await service.save_and_send(
            platform, held.officer, held.id, whole.model_copy(update={"tasks": ()}), 0
        )
    assert await all_versions(platform, held) == []
    saved = await service.save_and_send(platform, held.officer, held.id, whole, 0)
    assert (saved.version, (await newest(platform, held)).state) == (1, State.SIGNING)
    assert await platform["outbox"].count_documents({"template": "scheme-to-sign"}) == 1


async def test_an_approval_may_carry_words_that_stand_in_the_history(
    platform: Platform, held: ClassInSession
) -> None:
    await filed(platform, held)
    await service.approve(platform, PROVINCE, held.id, 1, comment="同意，注意第二周的实训安全。")
    assert (await newest(platform, held)).history[-1].reason == "同意，注意第二周的实训安全。"
