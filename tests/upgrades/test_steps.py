"""Each step on documents as the earlier version wrote them: afterwards the filters and the daily work find them, once and for all."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from pymongo.errors import DuplicateKeyError

from server.accounts.documents import Binding
from server.accounts.phones import PhoneAuthenticator
from server.attendance import store as attendance_store
from server.backbone import service as backbone
from server.backbone.documents import PoolFilter
from server.backbone.rules import PoolStatus, Proof
from server.certificates import reconcile
from server.certificates.issue import Revocation
from server.classes import service as classes
from server.classes.forget import forget_rosters
from server.classes.rules import Kind
from server.corrections import service as corrections
from server.corrections.documents import CorrectionFilter
from server.corrections.service import ClassCorrection, InstitutionCorrection
from server.institutions import service as institutions
from server.interruptions import service as interruptions
from server.interruptions.requests import Postponement
from server.interruptions.rules import Ground
from server.invitations.documents import Invitation
from server.kernel import policies
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.identity import Reach, Role
from server.kernel.mongo import ensure_indexes
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.kernel.reviews import Review
from server.ledger import service as ledger
from server.plans import service as plans
from server.reissues import revoking
from server.schemes import service as schemes
from server.schemes.documents import SchemeFilter
from server.schemes.rules import State
from server.surveys import store as survey_store
from server.upgrades import (
    batches,
    s0001_pool_is_searched,
    s0002_schemes_are_narrowed,
    s0003_corrections_are_narrowed,
    s0004_rosters_are_forgotten,
    s0006_releases_are_marked,
    s0007_check_ins_end_with_their_session,
    s0008_pool_says_its_proof,
    s0009_teaching_and_assessing_are_two,
    s0010_tasks_know_the_work_in_them,
    s0012_voided_hours_count_elsewhere,
    s0013_surveys_may_have_a_supplement,
    s0018_phones_say_their_proof,
    s0019_classes_keep_their_planned_end,
    s0020_lists_find_by_index,
    s0021_reviews_have_days,
    s0023_plans_know_what_is_to_be_applied_for,
    s0024_institutions_know_their_former_names,
    s0026_indexes_are_those_of_today,
    s0030_ledger_knows_earlier_certificates,
    steps,
)
from server.wechat.simulator import Simulator
from tests import admitting, cast, certifying, planning, scheming, stage
from tests.finding import LOOKED_FOR, gone_astray
from tests.planning import CENTRE, HEBEI, XINGTAI
from tests.selecting import SERVED, registered, through
from tests.services.test_tasks_of_teachers import a_task, keep
from tests.surveying import open_survey

TABLE = {step.name: step for step in steps.STEPS}


async def changed_by(batches: AsyncIterator[int]) -> int:
    return sum([documents async for documents in batches])


async def without(platform: Platform, collection: str, *fields: str) -> None:
    await platform[collection].update_many({}, {"$unset": dict.fromkeys(fields, "")})


@pytest.fixture(autouse=True)
def _one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "AT_ONCE", 1)


def test_the_table_has_every_step_in_its_order_and_says_in_chinese_what_it_does() -> None:
    modules = sorted(path.stem for path in Path(steps.__file__).parent.glob("s[0-9]*.py"))
    assert list(TABLE) == modules
    assert len({name[:5] for name in modules}) == len(modules), "a number is given once"
    assert all(re.search(r"[\u4e00-\u9fff]", one.title) for one in steps.STEPS)
    assert [one.run.__module__ for one in steps.STEPS] == [f"server.upgrades.{name}" for name in modules]


async def test_members_of_an_earlier_version_are_found_and_recommended_after_the_next_start(
    platform: Platform,
) -> None:
    person_id = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    await without(
        platform,
        "backbone_teachers",
        "status",
        "status_since",
        "due_on",
        "history",
        "figures",
        "marks",
        "grams",
    )
    assert await changed_by(s0001_pool_is_searched.run(platform)) == 2
    assert await changed_by(s0001_pool_is_searched.run(platform)) == 0
    narrowed = PoolFilter(words=cast.BACKBONE_TEACHER.name, status=PoolStatus.ACTIVE)
    assert [one.id for one in await backbone.list_pool(platform, CENTRE, narrowed)] == [person_id]


async def test_schemes_of_an_earlier_version_are_found_by_level_and_by_the_month_in_which_the_class_began_then(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    clock.advance(-timedelta(days=30))
    held = await stage.class_in_session(platform, wechat, trainees=0)
    await scheming.draft(platform, held)
    clock.advance(timedelta(days=1))
    await move_class(platform, held.id, days=30)
    clock.advance(timedelta(days=1))
    await scheming.draft(platform, held, objectives="能独立实施两门工学一体化课程的教学。")
    clock.advance(timedelta(days=1))
    await move_class(platform, held.id, days=1)
    as_saved = [row async for row in platform["scheme_versions"].find({}).sort("version", 1)]
    assert len({row["starts_on"] for row in as_saved}) == 2
    await without(platform, "scheme_versions", "level", "starts_on")
    assert await changed_by(s0002_schemes_are_narrowed.run(platform)) == 2
    assert await changed_by(s0002_schemes_are_narrowed.run(platform)) == 0
    assert [row async for row in platform["scheme_versions"].find({}).sort("version", 1)] == as_saved
    for month, expected in ((3, 0), (4, 1)):
        narrowed = SchemeFilter(list(State), level="3", year=2026, month=month)
        assert len(await schemes.list_schemes(platform, HEBEI, narrowed)) == expected


async def move_class(platform: Platform, class_id: str, days: int) -> None:
    """The province approves that a class begins and ends so much later."""
    found = (await platform["classes"].find_one({"_id": class_id})) or {}
    first, last = (
        (date.fromisoformat(found[name]) + timedelta(days=days)) for name in ("starts_on", "ends_on")
    )
    wanted = ClassCorrection(
        name=found["name"], place=found["place"], starts_on=first, ends_on=last, reason="实训楼检修。"
    )
    asked = await corrections.correct_class(platform, XINGTAI, class_id, wanted)
    await corrections.approve(platform, HEBEI, asked.id, "同意。")


async def test_corrections_of_an_earlier_version_are_found_by_institution_and_level(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=0)
    await move_class(platform, held.id, days=1)
    renamed = InstitutionCorrection(name="邢台示例技师学院", reason="经批准更名。")
    await corrections.correct_institution(platform, XINGTAI, cast.XINGTAI, renamed)
    as_filed = [row async for row in platform["corrections"].find({}).sort("_id", 1)]
    await without(platform, "corrections", "level", "institution_name")
    assert await changed_by(s0003_corrections_are_narrowed.run(platform)) == 2
    assert await changed_by(s0003_corrections_are_narrowed.run(platform)) == 0
    assert [row async for row in platform["corrections"].find({}).sort("_id", 1)] == as_filed
    for narrowed, expected in ((CorrectionFilter(words="邢台"), 2), (CorrectionFilter(level="3"), 1)):
        assert len(await corrections.list_corrections(platform, HEBEI, narrowed)) == expected


async def test_rosters_of_an_earlier_version_are_forgotten_like_later_ones(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    await stage.class_in_session(platform, wechat, trainees=3)
    await without(platform, "roster_imports", "emptied")
    clock.advance(timedelta(days=3 * 366))
    assert await forget_rosters(platform) == {"清除名册": 0}
    assert await changed_by(s0004_rosters_are_forgotten.run(platform)) == 1
    assert await changed_by(s0004_rosters_are_forgotten.run(platform)) == 0
    assert await forget_rosters(platform) == {"清除名册": 1}


async def test_results_of_an_earlier_version_are_marked_and_those_of_this_one_are_not(
    platform: Platform, wechat: Simulator
) -> None:
    """按旧规则公布: what was released stays, and says by which rule."""
    held = await certifying.passed_class(platform, wechat, trainees=1)
    await without(platform, "classes", "released_by_old_rule")
    assert await changed_by(s0006_releases_are_marked.run(platform)) == 1
    assert await changed_by(s0006_releases_are_marked.run(platform)) == 0
    assert (await classes.get_class(platform, held.officer, held.id)).released_by_old_rule
    running = await stage.open_class(platform, XINGTAI, stage.class_draft())
    await without(platform, "classes", "released_by_old_rule")
    await changed_by(s0006_releases_are_marked.run(platform))
    assert not (await classes.get_class(platform, XINGTAI, running.id)).released_by_old_rule


async def test_a_class_that_was_put_off_by_an_earlier_version_knows_the_end_that_it_was_planned_with(
    platform: Platform, wechat: Simulator
) -> None:
    """And one that was not knows none."""
    held = await stage.class_in_session(platform, wechat, trainees=0)
    planned = held.training_class.ends_on
    for days in (4, 7):
        wanted = Postponement(
            ground=Ground.OTHER,
            reason="授课教师另有任务。",
            starts_on=held.training_class.starts_on,
            ends_on=planned + timedelta(days=days),
        )
        asked = await interruptions.postpone(platform, XINGTAI, held.id, wanted)
        await interruptions.approve(platform, HEBEI, asked.id, Review(seen=1))
    other = await stage.open_class(platform, XINGTAI, stage.class_draft())
    await without(platform, "classes", "planned_ends_on")
    assert await changed_by(s0019_classes_keep_their_planned_end.run(platform)) == 1
    assert await changed_by(s0019_classes_keep_their_planned_end.run(platform)) == 0
    found = await classes.classes_of(platform, [held.id, other.id])
    assert (found[held.id].planned_ends_on, found[other.id].planned_ends_on) == (planned, None)


async def test_a_plan_in_force_learns_for_which_items_nobody_has_applied(platform: Platform) -> None:
    """And one that was not approved has none."""
    plan = await planning.approved(
        platform, [planning.item(), planning.item(title="五月三级培训班", month=5)]
    )
    await planning.applied(platform, plan)
    await planning.begun(platform)
    await without(platform, "plans", "to_apply")
    assert await changed_by(s0023_plans_know_what_is_to_be_applied_for.run(platform)) == 1
    assert await changed_by(s0023_plans_know_what_is_to_be_applied_for.run(platform)) == 0
    [draft, in_force] = (await plans.plan_record(platform, XINGTAI, plan.id)).versions
    assert (draft.to_apply, in_force.to_apply) == ([], [plan.items[1].id])


async def test_an_institution_learns_how_it_was_called_before(platform: Platform) -> None:
    """Of a name that was taken back only the other one is a former name."""
    for name in ("邢台示例技师学院", "邢台技师学院"):
        wanted = InstitutionCorrection(name=name, reason="经批准更名。")
        asked = await corrections.correct_institution(platform, XINGTAI, cast.XINGTAI, wanted)
        await corrections.approve(platform, CENTRE, asked.id)
    kept = (await institutions.institution(platform, CENTRE, cast.XINGTAI)).former_names
    await without(platform, "institutions", "former_names")
    step = s0024_institutions_know_their_former_names
    assert await changed_by(step.run(platform)) == len(await institutions.list_institutions(platform, CENTRE))
    assert await changed_by(step.run(platform)) == 0
    found = await institutions.institution(platform, CENTRE, cast.XINGTAI)
    assert found.former_names == kept == ["邢台示例技师学院"]


async def test_check_ins_that_outlasted_their_session_end_with_it(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=0)
    session = await stage.teaching_session(platform, held)
    late = session.ends_at + timedelta(hours=1)
    await platform["teaching_sessions"].update_one({"_id": session.id}, {"$set": {"closes_at": late}})
    assert await changed_by(s0007_check_ins_end_with_their_session.run(platform)) == 1
    assert await changed_by(s0007_check_ins_end_with_their_session.run(platform)) == 0
    row = await platform["teaching_sessions"].find_one({"_id": session.id})
    assert row and (row["closes_at"], row["late_after"]) == (session.ends_at, session.late_after)


async def test_members_of_an_earlier_version_say_whether_their_certificate_was_looked_up(
    platform: Platform,
) -> None:
    _, new = await through(platform, [SERVED])
    await registered(platform, new)
    unlooked = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    numbered = await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    await platform["backbone_teachers"].update_one(
        {"_id": numbered}, {"$set": {"certificate_number": "32017202212G001"}}
    )
    await without(platform, "backbone_teachers", "proof", "paper_number", "paper_dated_on")
    assert await changed_by(s0008_pool_says_its_proof.run(platform)) == 3
    assert await changed_by(s0008_pool_says_its_proof.run(platform)) == 0
    proofs = {one.id: one.proof for one in await backbone.list_pool(platform, CENTRE)}
    assert proofs == {
        new.passed[0].person_id: Proof.LEDGER,
        unlooked: Proof.UNCHECKED,
        numbered: Proof.UNCHECKED,
    }


async def test_teachers_of_an_earlier_version_do_what_they_accepted_and_without_a_letter_both(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=0)
    seeded = {"person_id": "5" * 24, "name": "早先的教师"}
    teachers = [{"person_id": opened.teacher.actor.person_id, "name": "师试"}, seeded]
    await platform["classes"].update_one({"_id": opened.id}, {"$set": {"teachers": teachers}})
    assert await changed_by(s0009_teaching_and_assessing_are_two.run(platform)) == 1
    assert await changed_by(s0009_teaching_and_assessing_are_two.run(platform)) == 0
    now = await classes.get_class(platform, XINGTAI, opened.id)
    assert [one.kinds for one in now.teachers] == [(Kind.TEACHING,), (Kind.TEACHING, Kind.ASSESSMENT)]


async def test_tasks_and_classes_of_an_earlier_version_know_the_work_in_them(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=0)
    await stage.teaching_session(platform, opened)
    teacher, elsewhere = opened.teacher.actor.person_id, a_task("9" * 24, date(2025, 5, 6))
    running = a_task("9" * 24, date(2026, 3, 10))
    await keep(platform, elsewhere, running)
    released = {"results_released_at": clock.now()}
    await platform["classes"].update_one({"_id": opened.id}, {"$set": released})
    await without(platform, "invitations", "work_first", "work_last", "closed")
    await without(platform, "classes", "trained_from", "trained_to")
    clock.advance(timedelta(days=5))
    assert await changed_by(s0010_tasks_know_the_work_in_them.run(platform)) == 4
    assert await changed_by(s0010_tasks_know_the_work_in_them.run(platform)) == 0
    rows = {row["_id"]: Invitation.from_mongo(row) async for row in platform["invitations"].find({})}
    [own] = [one for one in rows.values() if one.teacher_id == teacher]
    assert (own.work_first, own.work_last, own.closed) == (date(2026, 3, 17), date(2026, 3, 17), True)
    assert rows[elsewhere.id].work_last == elsewhere.ends_on, "what was counted stays counted"
    assert rows[running.id].work_last is None
    now = await classes.get_class(platform, XINGTAI, opened.id)
    assert (now.trained_from, now.trained_to) == (date(2026, 3, 17), date(2026, 3, 17))


async def test_hours_that_were_voided_no_longer_keep_the_same_hours_from_being_counted_elsewhere(
    platform: Platform,
) -> None:
    hours = platform["added_hours"]
    name = s0012_voided_hours_count_elsewhere.NAME
    await hours.drop_index(name)
    keys = [("from_class", 1), ("person_id", 1)]
    await hours.create_index(keys, unique=True, partialFilterExpression={"from_class": {"$type": "string"}})
    for _ in range(2):
        await changed_by(s0012_voided_hours_count_elsewhere.run(platform))
        await ensure_indexes(platform.db, attendance_store.COLLECTIONS)
        assert "voided_at" in (await hours.index_information())[name]["partialFilterExpression"]


async def test_the_survey_of_a_class_is_its_first_part_and_a_second_one_finds_room(
    platform: Platform, wechat: Simulator
) -> None:
    survey = await open_survey(platform, await stage.class_in_session(platform, wechat, trainees=1))
    collection = platform["surveys"]
    await collection.drop_index("class_id_1_part_1")
    await collection.create_index([("class_id", 1)], unique=True)
    await without(platform, "surveys", "part")
    assert await changed_by(s0013_surveys_may_have_a_supplement.run(platform)) == 1
    assert await changed_by(s0013_surveys_may_have_a_supplement.run(platform)) == 0
    await ensure_indexes(platform.db, survey_store.COLLECTIONS)
    assert await survey_store.survey_of_class(platform, survey.class_id) == survey
    await survey_store.insert_survey(platform, survey.model_copy(update={"id": "f" * 24, "part": 2}))
    with pytest.raises(DuplicateKeyError):
        await survey_store.insert_survey(platform, survey.model_copy(update={"id": "e" * 24}))


async def test_phones_of_an_earlier_version_stay_what_they_were_and_what_was_only_claimed_lies_apart(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await admitting.open_class(platform, wechat)
    held = await stage.open_class(platform, XINGTAI, stage.class_draft())
    await stage.enrol(platform, cast.XINGTAI_OFFICER, held.id, cast.people(1))
    trainee = await stage.phone(platform, wechat, "openid-trainee", cast.people(1)[0])
    applicant, _ = await admitting.apply(platform, wechat, opened.id, cast.STRANGER)
    await as_before_the_proofs(platform, applicant)
    for _ in range(2):
        await changed_by(s0018_phones_say_their_proof.run(platform))
    speaks = PhoneAuthenticator(platform)
    teacher_now, trainee_now, applicant_now = [
        await speaks.actor_of(one.token) for one in (opened.teacher, trainee, applicant)
    ]
    assert teacher_now.reach.everywhere and Role.BACKBONE_TEACHER in teacher_now.roles
    assert trainee_now.reach == Reach(institutions=frozenset({cast.XINGTAI}), own=True)
    assert applicant_now.reach == Reach(own=True) and applicant_now.id == applicant.actor.id
    await stage.enrol(platform, cast.XINGTAI_OFFICER, held.id, [cast.STRANGER])  # the number is nobody's yet
    owner = await stage.phone(platform, wechat, "openid-owner", cast.STRANGER)
    assert owner.actor.id != applicant.actor.id
    # The telephone number of the roster vouches from now on.
    await stage.release(platform, CENTRE, trainee.actor.id)
    again = await stage.phone(platform, wechat, "openid-again", cast.people(1)[0])
    assert again.actor.reach.institutions == {cast.XINGTAI}


async def as_before_the_proofs(platform: Platform, applicant: stage.Phone) -> None:
    """What has only been claimed was found by its number and bound like any other; telephone numbers were encrypted at random."""
    [number] = await platform.vault.encrypt_searchable([cast.STRANGER.id_number])
    await platform["persons"].update_one({"_id": applicant.actor.id}, {"$set": {"id_number": number}})
    await platform["waiting_phones"].delete_many({})
    claimed = Binding(
        openid=applicant.openid,
        person_id=applicant.actor.id,
        active=True,
        consent_version="2026-11",
        bound_at=platform.clock.now(),
    )
    await platform["bindings"].insert_one(claimed.to_mongo())
    async for person in platform["persons"].find({"vouched": {"$ne": []}}):
        phone = await platform.vault.decrypt([person["vouched"][0]["phone"]])
        [at_random] = await platform.vault.encrypt_random(phone)
        await platform["persons"].update_one({"_id": person["_id"]}, {"$set": {"phone": at_random}})
    await without(platform, "persons", "vouched")
    await without(platform, "bindings", "proofs", "phone", "rests_until")
    await without(platform, "phone_sessions", "everywhere", "institutions", "own", "rests_until")


async def test_what_lists_find_by_is_written_into_all_that_an_earlier_version_left(
    platform: Platform, wechat: Simulator
) -> None:
    await planning.applied(platform, await planning.approved(platform, [planning.item()]))
    held = await certifying.passed_class(platform, wechat, 1)
    await certifying.issued(platform, held)
    renamed = InstitutionCorrection(name="邢台示例技师学院", reason="经批准更名。")
    await corrections.correct_institution(platform, XINGTAI, cast.XINGTAI, renamed)
    for collection in LOOKED_FOR:
        await without(platform, collection, "found_by", "last_digits", "waits_since")
    assert await gone_astray(platform) != []
    assert await changed_by(s0020_lists_find_by_index.run(platform)) > 0
    assert await gone_astray(platform) == []
    assert await changed_by(s0020_lists_find_by_index.run(platform)) == 0


async def test_days_that_were_set_for_applications_are_those_of_every_review(platform: Platform) -> None:
    today = beijing_date(platform.clock.now())
    change = PolicyChange(key="overdue_days", value=9, effective_from=today, reason="人手不足")
    await policies.change(platform, CENTRE, change)
    assert await changed_by(s0021_reviews_have_days.run(platform)) == 1
    assert await changed_by(s0021_reviews_have_days.run(platform)) == 0
    in_force = await policies.on(platform, today)
    assert (in_force.review_days, in_force.overdue_days) == (9, 9)
    [version] = [one for one in await policies.versions(platform) if one.key == "review_days"]
    assert (version.reason, version.set_by) == ("人手不足", CENTRE.name)


async def test_an_index_that_no_collection_names_any_more_is_dropped_and_those_of_today_stay(
    platform: Platform,
) -> None:
    async def names(collection: str) -> set[str]:
        return set(await platform[collection].index_information())

    today = {one: await names(one) for one in ("urgings", "classes", "fs.files")}
    await platform["urgings"].create_index([("item", 1), ("day", 1)], unique=True)
    await platform["classes"].create_index([("ends_on", 1)], partialFilterExpression={"released": False})
    assert await changed_by(s0026_indexes_are_those_of_today.run(platform)) == 2
    assert await changed_by(s0026_indexes_are_those_of_today.run(platform)) == 0
    assert {one: await names(one) for one in today} == today


async def test_certificates_of_before_the_ledger_are_entered_afterwards_and_say_so(
    platform: Platform, wechat: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = await certifying.issued(platform, await certifying.passed_class(platform, wechat, trainees=3))
    wanted = Revocation(reason="姓名登记有误", typed=issued[1].printed.number)
    await revoking.revoke(platform, XINGTAI, issued[1].id, wanted)
    written = [row async for row in platform["ledger"].find({}).sort("_id", 1)]
    await platform["ledger"].delete_many({})
    monkeypatch.setattr(s0030_ledger_knows_earlier_certificates, "AT_ONCE", 2)
    await anext(s0030_ledger_knows_earlier_certificates.run(platform))  # cut off after its first batch
    assert await changed_by(s0030_ledger_knows_earlier_certificates.run(platform)) == 1
    for one in issued:
        entries = await ledger.entries_of(platform, one.id)
        assert all(entry.late and entry.actor_name == "平台" for entry in entries)
        assert [entry.facts["by"] for entry in entries] == [XINGTAI.name] * len(entries)
    late = [row async for row in platform["ledger"].find({})]
    sealed = ("certificate_id", "kind", "at", "content", "sessions", "number", "serial", "file")
    told = [sorted([tuple(row[name] for name in sealed) for row in rows]) for rows in (written, late)]
    assert told[0] == told[1], "they seal what is sealed of one that is issued today"
    await ledger.seal(platform)
    assert (await reconcile.reconcile(platform))["不符"] == 0
    assert await changed_by(s0030_ledger_knows_earlier_certificates.run(platform)) == 0
