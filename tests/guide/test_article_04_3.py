"""第四条（三）培训方案报备: 培训机构应与骨干教师共同设计制订本次培训班的培训方案，并报省级管理部门审核."""

from __future__ import annotations

import pytest

from server.assessment import tasks
from server.attendance import timetable
from server.certificates import issue
from server.certificates.rules import SchemeNotApproved
from server.classes import service as classes
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.permissions import ROLE_PERMISSIONS, Permission
from server.kernel.platform import Platform
from server.schemes import service
from server.schemes.rules import NotYourStep, SchemeIncomplete, SchemeNotInState, SignaturesMissing
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.certifying import on_last_day, passed_class
from tests.scheming import COURSES, PROVINCE, TASKS, approved, content, draft, filed
from tests.surveying import clock_of


async def test_institution_and_backbone_teachers_draft_it_together(
    platform: Platform, wechat: Simulator
) -> None:
    """培训机构应与骨干教师共同设计制订: both write it in turns, and without the signature of each teacher of the class nothing is filed."""
    held = await stage.class_in_session(platform, wechat, trainees=0)
    teacher = held.teacher.actor
    begun = (await draft(platform, held)).version
    written = content(teacher.id, objectives="能独立实施课程，并带教一位同事。")
    version = (await service.save_as_teacher(platform, teacher, held.id, written, begun)).version
    seen = await service.scheme_of_class(platform, held.officer, held.id)
    assert [(one.saved_by, one.saved_by_teacher) for one in seen.versions] == [
        (teacher.name, True),
        (held.officer.name, False),
    ]
    await service.send_for_signature(platform, held.officer, held.id, version)
    with pytest.raises(SignaturesMissing):
        await service.file(platform, held.officer, held.id, version)
    await service.sign(platform, held.teacher.actor, held.id, version)
    await service.file(platform, held.officer, held.id, version)


async def test_the_province_reviews_it_and_nobody_else(platform: Platform, wechat: Simulator) -> None:
    """报省级管理部门审核."""
    reviewers = {role for role in Role if Permission.SCHEMES_REVIEW in ROLE_PERMISSIONS[role]}
    writers = {role for role in Role if Permission.SCHEMES_MANAGE in ROLE_PERMISSIONS[role]}
    assert reviewers == {Role.PROVINCE} and writers == INSTITUTION_ROLES
    held = await stage.class_in_session(platform, wechat, trainees=0)
    version = (await draft(platform, held)).version
    with pytest.raises(SchemeNotInState):
        await service.approve(platform, PROVINCE, held.id, version)
    with pytest.raises(NotYourStep):
        await service.approve(platform, stage.actor(cast.CENTRE), held.id, version)


async def test_the_approved_scheme_makes_the_class(platform: Platform, wechat: Simulator) -> None:
    """本次培训班的培训方案: courses, timetable, tasks and criteria of the class are those that were reviewed."""
    held = await stage.class_in_session(platform, wechat, trainees=0)
    version = await approved(platform, held)
    followed = await classes.get_class(platform, held.officer, held.id)
    assert (followed.scheme_version, followed.class_hours) == (version, 80)
    assert followed.courses == [title for title, _ in COURSES]
    taught = [one for one, _ in await timetable.timetable_of_class(platform, held.id)]
    planned = content(held.teacher.actor.id).sessions
    assert [(one.starts_at, one.course, one.hours) for one in taught] == [
        (row.starts_at, row.course, row.hours) for row in planned
    ]
    given = await tasks.tasks_of_class(platform, held.id)
    assert [(one.title, one.kind) for one in given] == [(row.title, row.kind) for row in TASKS]


async def test_a_scheme_below_the_standard_is_not_filed(platform: Platform, wechat: Simulator) -> None:
    """《培训标准》: not fewer hours than the level asks for, by the policy of the first day of the class."""
    held = await stage.class_in_session(platform, wechat, trainees=0)
    whole = content(held.teacher.actor.id)
    short = await draft(platform, held, courses=whole.courses[:2], sessions=whole.sessions[:12])
    with pytest.raises(SchemeIncomplete) as refused:
        await service.send_for_signature(platform, held.officer, held.id, short.version)
    assert "《培训标准》" in refused.value.fields[0].message
    assert "不低于 80 课时，方案现为 60 课时" in refused.value.fields[0].message


async def test_what_was_filed_is_kept_with_who_did_what(platform: Platform, wechat: Simulator) -> None:
    """第二十五条: each version, its author, its signatures and its review can be read afterwards."""
    held = await stage.class_in_session(platform, wechat, trainees=0)
    await approved(platform, held)
    await filed(platform, held, materials="讲义第二版")
    seen = await service.scheme_of_class(platform, held.officer, held.id)
    assert [one.version for one in seen.versions] == [2, 1]
    assert [(step.action, step.actor_name) for step in seen.versions[1].history] == [
        ("SAVE", held.officer.name),
        ("SEND", held.officer.name),
        ("SIGN", held.teacher.actor.name),
        ("FILE", held.officer.name),
        ("APPROVE", PROVINCE.name),
    ]


async def test_a_class_that_was_applied_for_gives_no_certificates_without_an_approved_scheme(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, trainees=1)
    clock_of(platform).set(on_last_day(opened))
    await platform["classes"].update_one({"_id": opened.id}, {"$set": {"application_id": "a" * 24}})
    seen = await issue.class_certificates(platform, opened.officer, opened.id)
    assert "培训方案" in seen.hindrance
    with pytest.raises(SchemeNotApproved):
        await issue.issue_certificates(platform, opened.officer, opened.id)
    await platform["classes"].update_one({"_id": opened.id}, {"$set": {"scheme_version": 1}})
    assert await issue.issue_certificates(platform, opened.officer, opened.id) == 1
