"""People looked for and looked at: each office finds and sees who is or was in its classes, with these classes and no others."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.classes import service as classes
from server.classes.documents import ClassFilter
from server.corrections import service as corrections
from server.corrections.rules import Ground
from server.corrections.service import InstitutionCorrection, TraineeCorrection
from server.institutions import service as institutions
from server.institutions.documents import InstitutionFilter
from server.kernel.errors import NotFound
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.persons import search, service
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.assessing import clock_of
from tests.correcting import NEW_NUMBER
from tests.finding import gone_astray
from tests.planning import CENTRE, HEBEI, JIANGSU, XINGTAI, YANGZHOU
from tests.scheming import approved

GULI = cast.TRAINEE_WITH_A_DOT
CHANGZHOU = stage.actor(cast.CHANGZHOU_OFFICER)


async def names(platform: Platform, actor: Actor, words: str) -> list[str]:
    return [one.name for one in await service.list_people(platform, actor, words)]


async def enrolled(platform: Platform, officer: cast.Officer, **changes: str) -> tuple[str, str]:
    """古丽·试例 on a roster of this institution: the class and the person."""
    opened = await stage.open_class(platform, stage.actor(officer), stage.class_draft(**changes))
    [person_id] = await stage.enrol(platform, officer, opened.id, [GULI])
    return opened.id, person_id


@pytest.mark.parametrize("typed", ["古丽·试例", "古丽试例", "古丽．试例", "丽试", "试例 {}", "{}", "古丽{}"])
async def test_a_person_is_found_by_each_spelling_and_by_the_last_digits_in_the_reach_that_knows_them_alone(
    platform: Platform, typed: str
) -> None:
    await enrolled(platform, cast.XINGTAI_OFFICER)
    words = typed.format(GULI.id_number[-4:])
    for actor in (XINGTAI, HEBEI, CENTRE):
        assert await names(platform, actor, words) == [GULI.name], actor.name
    for neighbour in (YANGZHOU, JIANGSU):
        assert await names(platform, neighbour, words) == []
        assert await search.find(platform, neighbour, words) == []


async def test_words_of_signs_another_name_or_other_digits_find_nobody(platform: Platform) -> None:
    await enrolled(platform, cast.XINGTAI_OFFICER)
    wrong = f"{(int(GULI.id_number[-4:-1]) + 1) % 1000:03}{GULI.id_number[-1]}"
    for words in (".*", "···", "古试", wrong, f"古丽 {wrong}", f"{GULI.id_number[-4:]} {wrong}"):
        assert await names(platform, XINGTAI, words) == await names(platform, CENTRE, words) == []


async def test_who_is_on_two_rosters_is_listed_once_and_page_by_page_nobody_is_lost(
    platform: Platform,
) -> None:
    first = await stage.open_class(platform, XINGTAI, stage.class_draft())
    later = stage.class_draft(starts_on="2026-05-11", ends_on="2026-05-22")
    second = await stage.open_class(platform, XINGTAI, later)
    await stage.enrol(platform, cast.XINGTAI_OFFICER, first.id, cast.people(5))
    await stage.enrol(platform, cast.XINGTAI_OFFICER, second.id, cast.people(3))
    for actor in (XINGTAI, HEBEI, CENTRE):
        seen: list[str] = []
        before = None
        while page := await service.list_people(platform, actor, "", before=before, limit=2):
            seen += [one.name for one in page]
            before = page[-1].cursor
        assert sorted(seen) == sorted(one.name for one in cast.people(5)), actor.name


async def test_a_new_name_and_number_find_and_the_old_ones_do_not_any_more(platform: Platform) -> None:
    class_id, person_id = await enrolled(platform, cast.XINGTAI_OFFICER)
    wanted = TraineeCorrection(
        name="赵试新", id_number=NEW_NUMBER, ground=Ground.MISSPELT, reason="已核对本人身份证原件。"
    )
    asked = await corrections.correct_trainee(platform, XINGTAI, class_id, person_id, wanted)
    await corrections.approve(platform, HEBEI, asked.id)
    for actor in (XINGTAI, CENTRE):
        assert await names(platform, actor, f"赵试新 {NEW_NUMBER[-4:]}") == ["赵试新"]
        assert await names(platform, actor, "古丽") == await names(platform, actor, GULI.id_number[-4:]) == []
    renamed = InstitutionCorrection(name="邢台示例技师学院", reason="经批准更名。")
    asked = await corrections.correct_institution(platform, XINGTAI, cast.XINGTAI, renamed)
    await corrections.approve(platform, CENTRE, asked.id)
    assert len(await classes.list_classes(platform, CENTRE, ClassFilter(words="邢台示例"))) == 1
    found = await institutions.list_institutions(platform, CENTRE, InstitutionFilter(words="示例技师"))
    assert [one.id for one in found] == [cast.XINGTAI]
    assert await gone_astray(platform) == []


async def test_an_office_sees_of_a_person_the_classes_of_its_reach_and_no_others(
    platform: Platform, wechat: Simulator
) -> None:
    held = await certifying.passed_class(platform, wechat, 1)
    [paper] = await certifying.issued(platform, held)
    [person_id] = [one.actor.id for one in held.trainees]
    later = stage.class_draft(starts_on="2026-05-11", ends_on="2026-05-22")
    elsewhere = await stage.open_class(platform, YANGZHOU, later)
    await stage.enrol(platform, cast.YANGZHOU_OFFICER, elsewhere.id, cast.people(1))
    for actor, there in ((XINGTAI, {held.id}), (JIANGSU, {elsewhere.id}), (CENTRE, {held.id, elsewhere.id})):
        record = await service.person(platform, actor, person_id)
        assert {one.training_class.id for one in record.attended} == there
        papers = [paper.id] if held.id in there else []
        assert [one.id for one in record.certificates] == papers
        assert (record.messages is not None) == (actor is CENTRE)
    with pytest.raises(NotFound):
        await service.person(platform, CHANGZHOU, person_id)
    [mine] = (await service.person(platform, XINGTAI, person_id)).attended
    assert mine.result is not None and mine.result.passed and mine.certificate is not None
    assert mine.came == len([one for one in mine.sessions if one.check_in]) > 0


async def test_what_is_still_to_come_is_neither_missed_nor_marked(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    await approved(platform, held)
    await stage.come(platform, held.id)
    actor = held.trainees[0].actor

    async def now() -> tuple[int, int, set[str]]:
        [mine] = (await service.person(platform, XINGTAI, actor.person_id)).attended
        at = platform.clock.now()
        return len(mine.sessions), mine.held_at(at), {one.said_at(at) for one in mine.work}

    planned, begun, words = await now()
    assert begun < planned and words == {"未定"}
    clock_of(platform).set(platform.clock.now() + timedelta(days=60))
    assert await now() == (planned, planned, {"未交"})


async def test_a_teacher_shows_with_the_classes_taught_and_the_last_digits_alone(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    teacher_id = held.teacher.actor.id
    record = await service.person(platform, XINGTAI, teacher_id)
    assert [one.id for one, _ in record.taught] == [held.id] and record.attended == []
    assert record.id_number_masked.strip("*") == cast.BACKBONE_TEACHER.id_number[-4:]
    with pytest.raises(NotFound):
        await service.person(platform, YANGZHOU, teacher_id)


async def test_the_search_box_asks_everything_that_has_a_name(platform: Platform, wechat: Simulator) -> None:
    held = await certifying.passed_class(platform, wechat, 1)
    [paper] = await certifying.issued(platform, held)

    async def kinds(words: str) -> list[str]:
        return [one.kind for one in await search.find(platform, XINGTAI, words)]

    assert await kinds(paper.printed.name) == ["people", "certificates"]
    assert await kinds(paper.printed.number) == await kinds(paper.printed.number[:11]) == ["certificates"]
    assert "classes" in await kinds(held.training_class.name)
    assert await kinds(cast.BACKBONE_TEACHER.name) == ["teachers"]
    assert "institutions" in await kinds("邢台技师")
    assert await kinds("") == []
