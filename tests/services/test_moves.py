"""调动 on the database: both provinces confirm, a day brings it about, what is open goes along and what was done stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.accounts.rules import last_four
from server.backbone import service as backbone
from server.classes import enrolment
from server.classes.belonging import belonging
from server.corrections import service as corrections
from server.corrections.rules import Ground
from server.corrections.service import TraineeCorrection
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.errors import Invalid, NotFound
from server.kernel.identity import Actor
from server.kernel.offices import Topic
from server.kernel.platform import Platform
from server.kernel.reviews import Return, Review, Withdrawal
from server.messages import office_inbox
from server.messages.office_inbox import InboxFilter
from server.moves import service
from server.moves.documents import MoveFilter
from server.moves.rules import AskedToday, MoveOpen, NotYourMove, State
from server.moves.service import MoveDraft
from server.persons import service as persons
from server.persons.service import Opens
from server.progress import desk, urging
from server.progress.urging import OwnStep, Urge
from server.qualification import service as qualification
from server.selection import service as selection
from server.wechat.simulator import Simulator
from tests import cast, reviewing, selecting, stage
from tests.admin.browserless import sign_in
from tests.planning import CENTRE, CHANGZHOU, HEBEI, JIANGSU, XINGTAI, YANGZHOU

SEEN = Review(seen=1)
DAY = timedelta(days=1)
NEW_UNIT = "江苏省扬州技师学院"


def draft(platform: Platform, days: int = 0, **changes: object) -> MoveDraft:
    said: dict[str, object] = {
        "to_unit": NEW_UNIT,
        "to_province": cast.JIANGSU,
        "effective_on": beijing_date(platform.clock.now()) + timedelta(days=days),
        "reason": "组织调动。",
    }
    return MoveDraft.model_validate(said | changes)


async def where(platform: Platform, person_id: str) -> tuple[str, str]:
    found = await belonging(platform, person_id)
    return found.work_unit, found.province_code


async def moved_lines(platform: Platform, actor: Actor) -> list[str]:
    found = await office_inbox.inbox(platform, actor, InboxFilter(Topic.MOVED), limit=20)
    return [one.words for one in found]


async def test_the_other_province_confirms_and_on_the_day_everything_open_goes_along(
    platform: Platform, clock: FixedClock, wechat: Simulator
) -> None:
    seen = await reviewing.teacher_case(platform, wechat)
    teacher, case = seen.teacher, seen.case
    before = await backbone.member_of_pool(platform, teacher.actor.id)
    asked = await service.ask(platform, HEBEI, before.id, draft(platform, days=3))
    assert (asked.state, asked.pending) == (State.ASKED, [cast.JIANGSU])
    key = f"moves:{asked.id}"
    theirs = next(one for one in (await desk.desk(platform, HEBEI)).elsewhere if one.key == key)
    assert (theirs.who, theirs.since) == ("江苏省级管理部门", beijing_date(clock.now()))
    mine = next(one for one in (await desk.desk(platform, JIANGSU)).mine if one.key == key)
    assert mine.due == beijing_date(clock.now()) + 5 * DAY and asked.words in mine.title
    with pytest.raises(OwnStep):
        await urging.urge(platform, JIANGSU, Urge(item=key))
    clock.advance(DAY)
    await urging.urge(platform, HEBEI, Urge(item=key))
    [said] = await office_inbox.inbox(platform, JIANGSU, InboxFilter(topic=Topic.URGED), limit=9)
    assert said.words.startswith("河北省级管理部门催办") and said.href == asked.address
    with pytest.raises(NotFound):
        await service.move(platform, CHANGZHOU, asked.id)
    with pytest.raises(NotYourMove):
        await service.confirm(platform, HEBEI, asked.id, SEEN)
    with pytest.raises(MoveOpen):
        await service.ask(platform, JIANGSU, before.id, draft(platform))
    confirmed = await service.confirm(platform, JIANGSU, asked.id, SEEN)
    assert confirmed.state is State.CONFIRMED
    with pytest.raises(NotYourMove):
        await service.withdraw(platform, JIANGSU, asked.id, Withdrawal(seen=2, reason="不再接收。"))
    assert await service.apply_due(platform) == 0
    assert await where(platform, before.id) == (before.work_unit, cast.HEBEI)
    clock.advance(timedelta(days=3))
    assert (await service.apply_due(platform), await service.apply_due(platform)) == (1, 0)
    member = await backbone.member_of_pool(platform, before.id)
    assert (member.work_unit, member.province_code) == (NEW_UNIT, cast.JIANGSU)
    assert await where(platform, before.id) == (NEW_UNIT, cast.JIANGSU)
    assert (await qualification.case(platform, JIANGSU, case.id)).unit_name == NEW_UNIT
    with pytest.raises(NotFound):
        await qualification.case(platform, HEBEI, case.id)
    assert await platform["outbox"].count_documents({"person_id": before.id, "template": "moved"}) == 1
    assert any("到期生效" in one for one in await moved_lines(platform, YANGZHOU))
    assert any("到期生效" in one for one in await moved_lines(platform, HEBEI))
    assert await moved_lines(platform, CHANGZHOU) == []
    back = await service.ask(
        platform, JIANGSU, before.id, draft(platform, to_unit=before.work_unit, to_province=cast.HEBEI)
    )
    await service.confirm(platform, HEBEI, back.id, SEEN)
    assert await backbone.member_of_pool(platform, before.id) == before, "a move back is the way back"


async def test_nobody_brings_a_teacher_to_another_provinces_institution_without_that_province(
    platform: Platform,
) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    await stage.sign_up(platform, cast.CHANGZHOU_OFFICER)
    there = draft(platform, to_unit="江苏省常州技师学院", to_province=cast.HEBEI)
    for asking in (HEBEI, CHANGZHOU):
        with pytest.raises(Invalid) as refused:
            await service.ask(platform, asking, teacher, there)
        assert [one.place for one in refused.value.fields] == ["to_province"]
    # However the name of a unit got into the pool, the province of the person answers where the unit lies elsewhere.
    written = {"$set": {"work_unit": "江苏省常州技师学院"}}
    await platform["backbone_teachers"].update_one({"_id": teacher}, written)
    keeper = (await belonging(platform, teacher)).keeper
    assert keeper.is_(HEBEI) and not keeper.is_(CHANGZHOU)
    with pytest.raises(NotYourMove):
        await service.ask(platform, CHANGZHOU, teacher, draft(platform))


async def test_who_was_refused_asks_again_the_next_day_and_holds_up_nothing_the_province_does(
    platform: Platform, clock: FixedClock, site: str
) -> None:
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    digits = (await backbone.member_of_pool(platform, teacher)).id_number_masked[-4:]
    asked = await service.ask(platform, YANGZHOU, teacher, draft(platform))
    await service.withdraw(platform, YANGZHOU, asked.id, Withdrawal(seen=1, reason="填错了日期。"))
    with pytest.raises(AskedToday):
        await service.ask(platform, YANGZHOU, teacher, draft(platform, days=1))
    clock.advance(timedelta(days=1))
    blocking = await service.ask(platform, YANGZHOU, teacher, draft(platform))
    outside = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    for page in (f"/admin/moves/new?person={teacher}", f"/admin/moves/{blocking.id}", "/admin/moves"):
        shown = await outside.get(page)
        assert shown.status == 200 and digits not in shown.text, (
            "the pool tells everybody who is in it, and no number"
        )
    assert digits in (await (await sign_in(platform, site, cast.HEBEI_OFFICER)).get("/admin/moves")).text
    own = draft(platform, to_unit="承德市高级技工学校", to_province=cast.HEBEI)
    assert (await service.ask(platform, HEBEI, teacher, own)).state is State.DONE
    gone = await service.move(platform, YANGZHOU, blocking.id)
    assert gone.state is State.DECLINED and not gone.open and "所在省已另行提出" in gone.history[-1].reason
    with pytest.raises(AskedToday):
        await service.ask(platform, YANGZHOU, teacher, draft(platform))


async def test_after_a_move_the_new_province_knows_the_person_and_nothing_of_what_was_done_elsewhere(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await stage.class_in_session(platform, wechat)
    person_id, name = held.trainees[0].actor.id, held.trainees[0].actor.name
    before = await persons.person(platform, HEBEI, person_id)
    with pytest.raises(NotFound):
        await persons.person(platform, JIANGSU, person_id)
    assert await persons.list_people(platform, JIANGSU, "") == []
    asked = await service.ask(platform, HEBEI, person_id, draft(platform))
    await service.confirm(platform, JIANGSU, asked.id, SEEN)
    for actor in (HEBEI, XINGTAI, JIANGSU, CENTRE):
        for words in ("", name):
            found = {one.person_id: one for one in await persons.list_people(platform, actor, words)}
            assert found[person_id].work_unit == NEW_UNIT, actor.name
        assert (await persons.person(platform, actor, person_id)).work_unit == NEW_UNIT
    [mine] = await persons.list_people(platform, JIANGSU, "", limit=2)
    assert await persons.list_people(platform, JIANGSU, "", before=mine.cursor) == []
    record = await persons.person(platform, JIANGSU, person_id)
    assert (record.attended, record.taught, record.certificates, record.corrections) == ([], [], [], [])
    assert mine.id_number_masked == record.id_number_masked == last_four(before.person.id_number_masked)
    assert [one.training_class.id for one in (await persons.person(platform, HEBEI, person_id)).attended] == [
        held.id
    ]
    for stranger in (YANGZHOU, CHANGZHOU):
        with pytest.raises(NotFound):
            await persons.person(platform, stranger, person_id)
        assert await persons.list_people(platform, stranger, name) == []
    wanted = TraineeCorrection(name="赵试新", ground=Ground.RENAMED, reason="已核对本人身份证原件。")
    correction = await corrections.correct_trainee(platform, XINGTAI, held.id, person_id, wanted)
    assert await persons.opens(platform, JIANGSU, correction) == Opens(the_class=False, person=True)
    assert await persons.opens(platform, XINGTAI, correction) == Opens(the_class=True, person=True)
    province = await sign_in(platform, site, cast.JIANGSU_OFFICER)
    page = await province.get(f"/admin/corrections/{correction.id}")
    assert f"/admin/people/{person_id}" in page.html and f"/admin/classes/{held.id}" not in page.html
    there = await province.get(f"/admin/people/{person_id}")
    assert NEW_UNIT in there.text and held.training_class.name in there.text, "in the correction alone"
    assert f"/admin/classes/{held.id}" not in there.html


async def test_an_open_recommendation_is_the_new_provinces_from_then_on(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat)
    person = held.trainees[0].actor.id
    nominee = await selecting.submitted(platform, cast.people(1)[0])
    with pytest.raises(NotFound):
        await service.subject(platform, JIANGSU, person)
    asked = await service.ask(platform, HEBEI, person, draft(platform))
    await service.confirm(platform, JIANGSU, asked.id, SEEN)
    found = await selection.nominee(platform, JIANGSU, nominee.id)
    assert (found.work_unit, found.province_code) == (NEW_UNIT, cast.JIANGSU)


async def test_a_trainee_moves_within_a_province_by_its_word_and_what_was_done_keeps_its_unit(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await stage.class_in_session(platform, wechat)
    trainee = held.trainees[0].actor.id
    rows = (await enrolment.whereabouts(platform, trainee)).enrolments
    with pytest.raises(NotFound):
        await service.ask(platform, JIANGSU, trainee, draft(platform))
    institution = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    assert "提出调入本单位" in (await institution.get(f"/admin/people/{trainee}")).text
    asking = await institution.get(f"/admin/moves/new?person={trainee}")
    assert "您只能提出调入或调出本单位的调动" in asking.text and 'value="邢台技师学院"' in asking.html
    with pytest.raises(NotYourMove, match="其他的请省级管理部门提出"):
        await service.ask(
            platform, XINGTAI, trainee, draft(platform, to_unit="示例县技工学校", to_province=cast.HEBEI)
        )
    mine = draft(platform, to_unit="邢台技师学院", to_province=cast.HEBEI)
    asked = await service.ask(platform, XINGTAI, trainee, mine)
    assert asked.pending == [cast.HEBEI]
    declined = await service.decline(platform, HEBEI, asked.id, Return(seen=1, reason="材料不全。"))
    assert declined.state is State.DECLINED and "材料不全" in (await moved_lines(platform, XINGTAI))[0]
    province = await sign_in(platform, site, cast.HEBEI_OFFICER)
    form = await province.get(f"/admin/moves/new?person={trainee}")
    assert held.trainees[0].actor.name in form.text
    posted = await province.post(
        f"/admin/moves/new?person={trainee}",
        {
            "to_unit": mine.to_unit,
            "to_province": cast.HEBEI,
            "effective_on": str(mine.effective_on),
            "reason": "组织调动。",
        },
    )
    assert posted.status == 303
    assert "确认，即日生效" in (await province.get(posted.location)).text, "nobody else has to confirm"
    assert await where(platform, trainee) == ("邢台技师学院", cast.HEBEI)
    assert (await enrolment.whereabouts(platform, trainee)).enrolments == rows
    assert [one.state for one in await service.list_moves(platform, XINGTAI, MoveFilter())] == [
        State.DONE,
        State.DECLINED,
    ]
    assert await service.list_moves(platform, YANGZHOU, MoveFilter()) == []
    sheet = await province.get("/admin/moves/export")
    assert sheet.status == 200 and sheet.body.startswith(b"PK")
