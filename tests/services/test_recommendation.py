"""Whom the platform recommends for a class: the order, the reasons, and what it costs the database."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from server.backbone.documents import PoolMember
from server.backbone.rules import Proof
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.institutions.rules import MAJORS, Level
from server.invitations import recommendation, store
from server.invitations import service as invitations
from server.invitations.documents import Invitation
from server.invitations.recommendation import Candidate
from server.invitations.rules import State
from server.invitations.service import InvitationDraft, Refusal
from server.kernel.grams import grams
from server.kernel.mongo import CODEC, new_id
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage

XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
LONG_AGO = datetime(2025, 1, 6, tzinfo=UTC)
TEACHERS, TASKS = 2_000, 20_000


@pytest.fixture
async def opened(platform: Platform) -> TrainingClass:
    april = {"starts_on": date(2026, 4, 13), "ends_on": date(2026, 4, 24)}
    return await stage.open_class(platform, XINGTAI, stage.class_draft(**april))


def member(name: str, province_code: str = cast.HEBEI, majors: tuple[str, ...] = ("01",)) -> PoolMember:
    return PoolMember(
        proof=Proof.PAPER,
        name=name,
        id_number_masked="110***********1234",
        province_code=province_code,
        work_unit="示例市技师学院",
        majors=list(majors),
        registered_at=LONG_AGO,
        registered_by="部试甲",
        grams=grams(name, "示例市技师学院"),
    )


def accepted(
    teacher: PoolMember, first: date, days: int = 5, kind: Kind = Kind.TEACHING, state: State = State.ACCEPTED
) -> Invitation:
    """A task in a class of somewhere else."""
    sent = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=30)
    return Invitation(
        class_id=new_id(),
        class_name=f"{first:%m月}培训班",
        institution_code=cast.CHANGZHOU,
        institution_name="江苏省常州技师学院",
        province_code=cast.JIANGSU,
        level=Level.THREE,
        major="01",
        starts_on=first,
        ends_on=first + timedelta(days=days),
        class_hours=80,
        place="实训楼",
        teacher_id=teacher.id,
        teacher_name=teacher.name,
        teacher_unit=teacher.work_unit,
        kind=kind,
        message="",
        state=state,
        sent_at=sent,
        reply_by=sent + timedelta(days=7),
        remind_at=None,
        history=[],
        work_first=first,
        work_last=first + timedelta(days=days),
    )


async def keep(platform: Platform, pool: list[PoolMember], tasks: list[Invitation]) -> None:
    await platform["backbone_teachers"].insert_many([one.to_mongo() for one in pool])
    if tasks:
        await platform["invitations"].insert_many([one.to_mongo() for one in tasks])


async def recommended(platform: Platform, opened: TrainingClass, **narrowed: str) -> list[Candidate]:
    seen = await invitations.invitations_of_class(platform, XINGTAI, opened.id)
    return await recommendation.recommend(platform, XINGTAI, seen, **narrowed)


def words(candidate: Candidate) -> list[str]:
    return [reason.text for reason in candidate.reasons]


async def test_the_free_come_first_and_among_them_who_has_taught_least_this_year(
    platform: Platform, opened: TrainingClass
) -> None:
    busy, twice, once, _, elsewhere, last_year, declined = pool = [
        member("忙试甲"),
        member("两次试"),
        member("一次试"),
        member("零次试"),
        member("外省试", cast.JIANGSU),
        member("去年试", cast.JIANGSU),
        member("谢绝试", cast.JIANGSU),
    ]
    outside = member("别类试", majors=("03",))
    clash = accepted(busy, opened.ends_on, 3)
    tasks = [
        clash,
        accepted(twice, date(2026, 1, 5)),
        accepted(twice, date(2026, 9, 7)),
        accepted(once, date(2026, 2, 2)),
        accepted(once, date(2026, 3, 2), kind=Kind.ASSESSMENT),
        accepted(elsewhere, date(2026, 3, 2), kind=Kind.ASSESSMENT),
        accepted(last_year, date(2025, 12, 29)),  # ends in 2026, and counts for the year in which it began
        accepted(declined, opened.starts_on, state=State.DECLINED),
    ]
    await keep(platform, [*pool, outside], tasks)
    found = await recommended(platform, opened)
    assert [one.name for one in found] == [
        "零次试",
        "去年试",
        "谢绝试",
        "外省试",
        "一次试",
        "两次试",
        "忙试甲",
    ]
    by_name = {one.name: one for one in found}
    assert words(by_name["零次试"]) == [
        "2026 年授课 0 次，不足 2 次",
        "考核 0 次",
        "同省",
        "专业对口：机械类",
    ]
    assert words(by_name["一次试"])[:2] == ["2026 年授课 1 次，不足 2 次", "考核 1 次"]
    assert words(by_name["两次试"])[0] == "2026 年授课 1 次，已安排 1 次" and "外省" in words(
        by_name["外省试"]
    )
    assert words(by_name["忙试甲"])[0] == "与已接受的“04月培训班”（4月24日至4月27日）时间冲突"
    assert [one.name for one in found if not one.selectable] == ["忙试甲"]
    assert (by_name["去年试"].teaching, by_name["外省试"].assessment) == (0, 1)


async def test_it_is_narrowed_by_words_and_province_and_ends_at_thirty(
    platform: Platform, opened: TrainingClass
) -> None:
    pool = [member(f"众试{n:02}", cast.JIANGSU if n % 2 else cast.HEBEI) for n in range(40)]
    await keep(platform, pool, [])
    assert len(await recommended(platform, opened)) == 30
    assert [one.name for one in await recommended(platform, opened, words="众试39")] == ["众试39"]
    assert await recommended(platform, opened, words="$name") == []
    of_jiangsu = await recommended(platform, opened, province_code=cast.JIANGSU)
    assert {one.province_code for one in of_jiangsu} == {cast.JIANGSU} and len(of_jiangsu) == 20


async def test_it_says_whom_the_class_has_invited_already(platform: Platform, opened: TrainingClass) -> None:
    teacher_id = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    draft = InvitationDraft(kinds=[Kind.TEACHING], teacher_ids=[teacher_id])
    [sent] = await invitations.send(platform, XINGTAI, opened.id, draft)
    [one] = await recommended(platform, opened)
    assert one.invited == [Kind.TEACHING] and one.selectable
    await invitations.withdraw(platform, XINGTAI, opened.id, sent.id, Refusal(reason="日期有变"))
    [one] = await recommended(platform, opened)
    assert one.invited == []


async def test_whose_task_in_this_class_was_cancelled_stands_last_and_is_marked_until_asked_again(
    platform: Platform, wechat: Simulator, opened: TrainingClass
) -> None:
    await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    teacher = await stage.phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    other = member("另试甲", cast.JIANGSU)
    busy = member("忙试甲")
    await keep(platform, [other, busy], [accepted(busy, opened.starts_on)])
    letter = await stage.teach(platform, XINGTAI, opened.id, teacher)
    await invitations.cancel(platform, XINGTAI, opened.id, letter, Refusal(reason="本人生病，不能授课"))
    found = await recommended(platform, opened)
    assert [one.name for one in found] == ["另试甲", "忙试甲", cast.BACKBONE_TEACHER.name]
    assert words(found[-1])[0] == "本班已取消安排" and found[-1].selectable
    await stage.teach(platform, XINGTAI, opened.id, teacher)
    assert "本班已取消安排" not in [
        word for one in await recommended(platform, opened) for word in words(one)
    ]


# ---- what it costs


def a_country(chance: random.Random) -> tuple[list[PoolMember], list[Invitation]]:
    """2,000 teachers of two 专业大类 each, and 20,000 accepted tasks from 2022 to 2026."""
    codes = list(MAJORS)
    pool = [
        member(
            f"师试{n:04}", chance.choice((cast.HEBEI, cast.JIANGSU)), tuple(sorted(chance.sample(codes, 2)))
        )
        for n in range(TEACHERS)
    ]
    tasks = [
        accepted(
            chance.choice(pool),
            date(2022, 1, 3) + timedelta(days=chance.randrange(5 * 365 - 10)),
            kind=chance.choice(list(Kind)),
        )
        for _ in range(TASKS)
    ]
    return pool, tasks


def stages(plan: Any) -> Iterator[str]:
    """The names of all stages in the plan, however deep."""
    if isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield plan["stage"]
        for value in plan.values():
            yield from stages(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from stages(value)


async def test_with_2000_teachers_and_20000_tasks_it_stands_on_indexes(
    platform: Platform, opened: TrainingClass
) -> None:
    """One query plan: the pool by 专业大类, each one's accepted tasks of this year and no older ones."""
    pool, tasks = a_country(random.Random(8))
    await keep(platform, pool, tasks)
    fitting = {one.id for one in pool if opened.major in one.majors}
    of_year = [one for one in tasks if one.teacher_id in fitting and one.ends_on >= date(2026, 1, 1)]
    pipeline = store.recommendation(
        class_id=opened.id,
        major=opened.major,
        province_code=opened.province_code,
        starts_on=opened.starts_on,
        ends_on=opened.ends_on,
        today=date(2026, 3, 16),
        limit=recommendation.RECOMMENDED_MOST,
    )
    plan = await platform["backbone_teachers"].database.command(
        "explain",
        {"aggregate": "backbone_teachers", "pipeline": pipeline, "cursor": {}},
        verbosity="executionStats",
        codec_options=CODEC,
    )
    cursor, lookup, *_ = plan["stages"]
    found = list(stages(plan))
    assert "IXSCAN" in found and "COLLSCAN" not in found
    assert cursor["$cursor"]["executionStats"]["totalDocsExamined"] == len(fitting) < TEACHERS / 5
    assert lookup["collectionScans"] == 0 and [name[:30] for name in lookup["indexesUsed"]] == [
        "teacher_id_1_state_1_ends_on_1"
    ]
    assert lookup["totalDocsExamined"] == 0  # the index says it all
    assert lookup["totalKeysExamined"] <= len(of_year) + 2 * len(fitting)

    listed = await recommended(platform, opened)
    assert len(listed) == 30 and {one.person_id for one in listed} <= fitting
    order = [(bool(one.clashing), one.teaching, one.assessment) for one in listed]
    assert order == sorted(order)
