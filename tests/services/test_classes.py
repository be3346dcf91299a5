"""Opening a class, its teachers and the import of its roster, on a real database."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest

from server.accounts.fictional import roster_of
from server.accounts.people import NameDiffers
from server.accounts.rules import Evidence
from server.classes import roster_import, rules, service, store
from server.classes.documents import ClassFilter, RosterImport, TrainingClass
from server.classes.roster_import import RosterClosed, RosterHasProblems
from server.classes.rules import Stage
from server.identities import service as identities
from server.identities.service import Asked
from server.institutions.rules import Level, NotQualified
from server.kernel import audit, policies
from server.kernel.errors import Invalid, NotFound
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.kernel.reviews import Review
from server.messages import inbox
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.cast import Person

XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
YANGZHOU = stage.actor(cast.YANGZHOU_OFFICER)
CHANGZHOU = stage.actor(cast.CHANGZHOU_OFFICER)
CENTRE = stage.actor(cast.CENTRE)
HEBEI = stage.actor(cast.HEBEI_OFFICER)


@pytest.fixture
async def opened(platform: Platform) -> TrainingClass:
    return await stage.open_class(platform, XINGTAI, stage.class_draft())


async def upload(platform: Platform, class_id: str, people: list[Person]) -> RosterImport:
    content = roster_of(people)
    return await roster_import.preview_roster(platform, XINGTAI, class_id, "名册.xlsx", content)


async def on_the_roster(platform: Platform, class_id: str) -> list[str]:
    return [one.name for one in await service.trainees(platform, class_id)]


# ---- Opening


@pytest.mark.parametrize(
    ("who", "level", "article"),
    [(XINGTAI, Level.ONE, "第四条"), (XINGTAI, Level.BACKBONE, "第四条"), (CHANGZHOU, Level.THREE, "第四条")],
)
async def test_an_institution_opens_only_what_it_is_qualified_for(
    platform: Platform, who: object, level: Level, article: str
) -> None:
    officer = CHANGZHOU if who is CHANGZHOU else XINGTAI
    with pytest.raises(NotQualified) as refusal:
        await stage.open_class(platform, officer, stage.class_draft(level=level))
    assert article in refusal.value.detail and "第十六条" in refusal.value.detail
    assert await service.list_classes(platform, CENTRE, ClassFilter()) == []


async def test_the_hours_have_a_floor_that_the_centre_may_raise(platform: Platform) -> None:
    with pytest.raises(Invalid) as refusal:
        await stage.open_class(platform, XINGTAI, stage.class_draft(class_hours=79))
    assert [field.place for field in refusal.value.fields] == ["class_hours"]
    await stage.open_class(platform, XINGTAI, stage.class_draft(class_hours=80))
    raised = PolicyChange(
        key="class_hours_three", value=96, effective_from=date(2026, 3, 16), reason="按新培训标准"
    )
    await policies.change(platform, CENTRE, raised)
    with pytest.raises(Invalid):
        await stage.open_class(platform, XINGTAI, stage.class_draft(class_hours=80))


async def test_a_class_ends_after_it_begins_and_names_each_course_once(platform: Platform) -> None:
    for changes, place in (
        ({"ends_on": date(2026, 3, 15)}, "ends_on"),
        ({"ends_on": date(2027, 4, 1)}, "ends_on"),
        ({"courses": ["教学场所使用管理", "教学场所使用管理"]}, "courses"),
    ):
        with pytest.raises(Invalid) as refusal:
            await stage.open_class(platform, XINGTAI, stage.class_draft(**changes))
        assert [field.place for field in refusal.value.fields] == [place]


async def test_a_neighbour_finds_nothing_of_the_class(platform: Platform, opened: TrainingClass) -> None:
    preview = await upload(platform, opened.id, [cast.TRAINEE])
    teacher = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    for attempt in (
        service.get_class(platform, YANGZHOU, opened.id),
        roster_import.preview_roster(platform, YANGZHOU, opened.id, "x.xlsx", roster_of([cast.TRAINEE])),
        roster_import.roster_preview(platform, YANGZHOU, opened.id, preview.id),
        roster_import.confirm_roster(platform, YANGZHOU, preview.id),
        identities.ask(platform, YANGZHOU, opened.id, teacher, Asked(reason="与本班不相干")),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await service.list_classes(platform, YANGZHOU, ClassFilter()) == []
    assert await service.current_classes(platform, YANGZHOU) == []


async def test_a_list_is_narrowed_by_words_level_major_and_province(platform: Platform) -> None:
    await stage.open_class(platform, XINGTAI, stage.class_draft(name="春季三级班"))
    await stage.open_class(platform, XINGTAI, stage.class_draft(name="春季二级班", level=Level.TWO))
    await stage.open_class(platform, CHANGZHOU, stage.class_draft(name="常州一级班", level=Level.ONE))

    async def names(**narrowed: Any) -> list[str]:
        found = await service.list_classes(platform, CENTRE, ClassFilter(**narrowed))
        return [row.item.name for row in found]

    assert await names() == ["常州一级班", "春季二级班", "春季三级班"]
    assert await names(words="春季") == ["春季二级班", "春季三级班"]
    assert await names(words="邢台技师") == ["春季二级班", "春季三级班"]
    assert await names(words="$name") == []  # words, not an expression of the database
    assert await names(year="2026", stage=Stage.NOT_STARTED) == await names(stage=Stage.NOT_STARTED)
    assert await names(year="2025") == []
    assert await names(level="2") == ["春季二级班"]
    assert await names(major="02") == []
    assert await names(province_code="32") == ["常州一级班"]


# ---- The roster


async def test_a_preview_imports_nobody_until_it_is_confirmed(
    platform: Platform, opened: TrainingClass
) -> None:
    preview = await upload(platform, opened.id, [cast.TRAINEE, cast.SECOND_TRAINEE])
    assert await on_the_roster(platform, opened.id) == []
    await roster_import.confirm_roster(platform, XINGTAI, preview.id)
    assert await on_the_roster(platform, opened.id) == [cast.TRAINEE.name, cast.SECOND_TRAINEE.name]
    [first, _] = await service.trainee_list(platform, opened.id)
    assert first.evidence is Evidence.ROSTER_MATCHED and not first.bound
    [message], _ = await inbox.inbox(platform, first.enrolment.person_id)
    assert (message.kind, message.title, message.read) == ("enrolled", "录取通知", False)


async def test_confirmed_again_it_answers_the_same_and_adds_nobody(
    platform: Platform, opened: TrainingClass
) -> None:
    preview = await upload(platform, opened.id, [cast.TRAINEE])
    await roster_import.confirm_roster(platform, XINGTAI, preview.id)
    entries = len(await audit.of_subject(platform, opened.id))
    again = await roster_import.confirm_roster(platform, XINGTAI, preview.id)
    assert again.id == preview.id
    assert await on_the_roster(platform, opened.id) == [cast.TRAINEE.name]
    assert len(await audit.of_subject(platform, opened.id)) == entries


async def test_ten_confirmations_at_once_import_once(platform: Platform, opened: TrainingClass) -> None:
    people = cast.people(5)
    preview = await upload(platform, opened.id, people)
    await asyncio.gather(*(roster_import.confirm_roster(platform, XINGTAI, preview.id) for _ in range(10)))
    assert await on_the_roster(platform, opened.id) == [one.name for one in people]


async def test_of_two_rosters_with_the_same_people_one_is_imported(
    platform: Platform, opened: TrainingClass
) -> None:
    people = cast.people(3)
    first, second = await upload(platform, opened.id, people), await upload(platform, opened.id, people)
    done = await asyncio.gather(
        *(roster_import.confirm_roster(platform, XINGTAI, one.id) for one in (first, second)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in done) == ["RosterHasProblems", "RosterImport"]
    assert await on_the_roster(platform, opened.id) == [one.name for one in people]


async def test_two_classes_may_import_the_same_new_people_at_once(
    platform: Platform, opened: TrainingClass
) -> None:
    later = stage.class_draft(name="另一个三级班", starts_on=date(2026, 4, 13), ends_on=date(2026, 4, 24))
    other = await stage.open_class(platform, XINGTAI, later)
    people = cast.people(8)
    previews = [await upload(platform, one.id, people) for one in (opened, other)]
    await asyncio.gather(*(roster_import.confirm_roster(platform, XINGTAI, one.id) for one in previews))
    for one in (opened, other):
        assert await on_the_roster(platform, one.id) == [person.name for person in people]
    assert await platform["persons"].count_documents({}) == len(people)


async def test_of_two_rosters_that_overlap_in_dates_only_one_gets_a_person(
    platform: Platform, opened: TrainingClass
) -> None:
    other = await stage.open_class(platform, XINGTAI, stage.class_draft(name="同时的三级班"))
    previews = [await upload(platform, one.id, cast.people(3)) for one in (opened, other)]
    done = await asyncio.gather(
        *(roster_import.confirm_roster(platform, XINGTAI, one.id) for one in previews), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in done) == ["DatesClash", "RosterImport"]
    rosters = [await on_the_roster(platform, one.id) for one in (opened, other)]
    assert sorted(len(one) for one in rosters) == [0, 3]
    late = await upload(platform, other.id if rosters[0] else opened.id, cast.people(3))
    assert len(late.problems) == 3 and "时间重叠" in late.problems[0].message


async def test_a_preview_tells_nothing_of_people_in_classes_of_other_institutions(
    platform: Platform, opened: TrainingClass
) -> None:
    neighbour = stage.actor(cast.YANGZHOU_OFFICER)
    theirs = await stage.open_class(platform, neighbour, stage.class_draft(name="扬州的三级班"))
    preview = await roster_import.preview_roster(
        platform, neighbour, theirs.id, "名册.xlsx", roster_of(cast.people(2))
    )
    await roster_import.confirm_roster(platform, neighbour, preview.id)
    mine = await upload(platform, opened.id, cast.people(2))
    assert ["其他培训机构" in one.message for one in mine.problems] == [True, True]
    assert not any(word in str(mine.problems) for word in (theirs.name, str(theirs.starts_on), "扬州"))


async def test_one_wrong_row_keeps_the_whole_roster_out(platform: Platform, opened: TrainingClass) -> None:
    wrong = Person("虚构人", cast.STRANGER.id_number[:17] + "*", "", "示例市技师学院")
    preview = await upload(platform, opened.id, [cast.TRAINEE, wrong])
    assert [(one.row, one.letters) for one in preview.problems] == [(3, "B")]
    with pytest.raises(RosterHasProblems):
        await roster_import.confirm_roster(platform, XINGTAI, preview.id)
    assert await on_the_roster(platform, opened.id) == []
    assert await platform["persons"].count_documents({}) == 0


async def test_somebody_in_the_class_already_is_named_with_the_row(
    platform: Platform, opened: TrainingClass
) -> None:
    await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE])
    preview = await upload(platform, opened.id, [cast.SECOND_TRAINEE, cast.TRAINEE])
    [problem] = preview.problems
    assert (problem.row, problem.name) == (3, cast.TRAINEE.name) and "已在本班名册中" in problem.message
    assert cast.TRAINEE.id_number not in problem.message


async def test_a_number_known_under_another_name_is_refused_in_the_preview_and_at_the_confirmation(
    platform: Platform, opened: TrainingClass
) -> None:
    misspelt = Person("虚构甲", cast.TRAINEE.id_number, cast.TRAINEE.phone, cast.TRAINEE.unit)
    before = await upload(platform, opened.id, [misspelt])
    assert before.problems == []
    other = await stage.open_class(platform, XINGTAI, stage.class_draft(name="另一个三级班"))
    await stage.enrol(platform, cast.XINGTAI_OFFICER, other.id, [cast.TRAINEE])
    with pytest.raises(NameDiffers) as refusal:
        await roster_import.confirm_roster(platform, XINGTAI, before.id)
    assert cast.TRAINEE.id_number not in refusal.value.detail
    [problem] = (await upload(platform, opened.id, [misspelt])).problems
    assert problem.letters == "A" and "其他姓名" in problem.message


async def test_a_preview_belongs_to_its_class(platform: Platform, opened: TrainingClass) -> None:
    other = await stage.open_class(platform, XINGTAI, stage.class_draft(name="另一个三级班"))
    preview = await upload(platform, opened.id, [cast.TRAINEE])
    assert (await roster_import.roster_preview(platform, XINGTAI, opened.id, preview.id)).id == preview.id
    with pytest.raises(NotFound):
        await roster_import.roster_preview(platform, XINGTAI, other.id, preview.id)


async def test_the_roster_is_closed_once_the_results_are_released(
    platform: Platform, opened: TrainingClass
) -> None:
    waiting = await upload(platform, opened.id, [cast.TRAINEE])
    await store.set_results_released(platform, opened.id, platform.clock.now())
    with pytest.raises(RosterClosed):
        await roster_import.confirm_roster(platform, XINGTAI, waiting.id)
    with pytest.raises(RosterClosed):
        await upload(platform, opened.id, [cast.TRAINEE])


async def test_a_roster_holds_no_number_in_clear(platform: Platform, opened: TrainingClass) -> None:
    await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE])
    for name in await platform.db.list_collection_names():
        async for row in platform[name].find({}):
            assert cast.TRAINEE.id_number not in repr(row), name


# ---- What waits


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 3, 15), Stage.NOT_STARTED),
        (date(2026, 3, 16), Stage.ONGOING),
        (date(2026, 3, 27), Stage.ONGOING),
        (date(2026, 3, 28), Stage.FINISHED),
    ],
)
def test_the_first_and_the_last_day_belong_to_the_class(today: date, expected: Stage) -> None:
    assert rules.stage(date(2026, 3, 16), date(2026, 3, 27), today) is expected


async def test_the_work_list_names_what_waits_and_the_latest_upload_only(
    platform: Platform, opened: TrainingClass
) -> None:
    await upload(platform, opened.id, [cast.TRAINEE])
    latest = await upload(platform, opened.id, [cast.SECOND_TRAINEE])
    [current] = await service.current_classes(platform, XINGTAI)
    assert current.roster is not None and (current.roster.id, current.roster.rows) == (latest.id, 1)
    await roster_import.confirm_roster(platform, XINGTAI, latest.id)
    [current] = await service.current_classes(platform, XINGTAI)
    assert (current.roster, current.trainees, current.stage) == (None, 1, Stage.ONGOING)
    for stage_asked in Stage:
        found = await service.list_classes(platform, CENTRE, ClassFilter(stage=stage_asked))
        assert len(found) == (stage_asked is Stage.ONGOING)


# ---- Phones


async def test_a_released_phone_can_be_bound_anew_and_the_class_remembers_why(
    platform: Platform, wechat: Simulator, opened: TrainingClass
) -> None:
    [person_id] = await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE])
    await stage.phone(platform, wechat, "openid-lost", cast.TRAINEE)
    assert [one.bound for one in await service.trainee_list(platform, opened.id)] == [True]
    wanted = Asked(reason="核对身份证原件，学员更换手机")
    asked = await identities.ask(platform, XINGTAI, opened.id, person_id, wanted)
    await identities.release(platform, HEBEI, asked.id, Review(seen=1))
    assert [one.bound for one in await service.trainee_list(platform, opened.id)] == [False]
    actions = [
        (one["action"], one["facts"].get("reason")) for one in await audit.of_subject(platform, person_id)
    ]
    assert ("accounts:release-binding", wanted.reason) in actions
    await stage.phone(platform, wechat, "openid-new", cast.TRAINEE)
    with pytest.raises(NotFound):
        await identities.ask(platform, XINGTAI, opened.id, "0" * 24, wanted)
