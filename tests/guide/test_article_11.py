"""第十一条: 严禁在中央办公厅、国务院办公厅规定的 21 个风景名胜区或高档宾馆开展培训。

The core area only is meant, and an address is no proof: the platform raises a flag, the province looks, and says what it found.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.applications import service
from server.applications.rules import State
from server.applications.service import Approval
from server.attendance import timetable
from server.attendance.timetable import TimetableDraft
from server.classes import service as classes
from server.corrections import service as corrections
from server.corrections.service import ClassCorrection
from server.kernel import audit
from server.kernel.errors import Invalid
from server.kernel.platform import Platform
from server.kernel.reviews import NotYours, Return, Withdrawal
from server.schemes import service as schemes
from server.schemes.documents import SchemeFilter
from server.schemes.rules import State as SchemeState
from server.venues import service as venues
from server.venues.documents import PlaceCheck, PlaceFilter
from server.venues.rules import SCENIC_AREAS, FlagKind, place_flags, venue_flags
from server.venues.rules import State as VenueState
from server.venues.service import Finding, NothingToResolve, PlaceDraft, PlaceUnresolved
from server.wechat.simulator import Simulator
from tests import scheming, stage
from tests.planning import HEBEI, JIANGSU, applied
from tests.progressing import waits
from tests.stage import ClassInSession

HOTEL = {"name": "示例国际大酒店", "address": "河北省邢台市示例路 8 号", "stars": 5}
AREA = {"name": "避暑山庄示例培训楼", "address": "河北省承德市双桥区示例路 1 号", "stars": None}
SCHOOL = {"name": "实训楼 301", "address": "安徽省黄山市太湖县泰山路 1 号，白云区", "stars": None}


@pytest.mark.parametrize("area", SCENIC_AREAS)
def test_each_of_the_21_areas_is_recognised(area: str) -> None:
    for core in SCENIC_AREAS[area]:
        [flag] = venue_flags(f"{core}风景区示例宾馆", "示例地址", None, 3)
        assert flag.kind is FlagKind.SCENIC_AREA and area in flag.words
    assert len(SCENIC_AREAS) == 21


async def test_a_venue_without_anything_to_look_at_is_approved_without_words(platform: Platform) -> None:
    """黄山市, 太湖县, 泰山路 and 白云区 are ordinary addresses."""
    new = await applied(platform, venue=SCHOOL)
    assert new.venue_flags == []
    assert (await service.approve(platform, HEBEI, new.id, Approval(seen=1))).state is State.APPROVED


@pytest.mark.parametrize(("venue", "kind"), [(HOTEL, FlagKind.STARS), (AREA, FlagKind.SCENIC_AREA)])
async def test_a_flag_is_resolved_by_the_province_with_words_that_are_kept(
    platform: Platform, venue: dict[str, object], kind: FlagKind
) -> None:
    new = await applied(platform, venue=venue)
    assert ([flag.kind for flag in new.venue_flags], new.state) == ([kind], State.SUBMITTED)
    with pytest.raises(Invalid) as refused:
        await service.approve(platform, HEBEI, new.id, Approval(seen=1))
    assert "第十一条" in refused.value.fields[0].message
    words = "已实地核实，不在核心景区，属职工培训场所。"
    done = await service.approve(platform, HEBEI, new.id, Approval(seen=1, venue_note=words))
    assert (done.state, done.venue_note) == (State.APPROVED, words)
    trail = await audit.of_subject(platform, new.id)
    assert trail[0]["facts"]["reason"] == words


async def test_a_venue_that_breaks_the_rule_is_returned(platform: Platform) -> None:
    new = await applied(platform, venue=HOTEL)
    wanted = Return(seen=1, reason="属于高档宾馆，请改在本校举办。")
    assert (await service.send_back(platform, HEBEI, new.id, wanted)).state is State.RETURNED


# ---- every place that is typed after the approval

MOUNTAIN = "泰山风景区南天门宾馆"
FOUND = "已实地核实，是职工学校，不在核心景区。"


async def worded(platform: Platform, held: ClassInSession, place: str) -> PlaceCheck:
    """The institution asks for the place, the province says that it may be used."""
    asked = await venues.ask(
        platform, held.officer, held.id, PlaceDraft(place=place, reason="到企业现场教学一天。")
    )
    return await venues.allow(platform, HEBEI, asked.id, Finding(seen=1, note=FOUND))


@pytest.mark.parametrize("place", ["泰山索道站", "示例国际大酒店三楼", "九寨沟度假村", "黄 龙 示例会所"])
async def test_a_session_is_neither_made_at_nor_moved_to_such_a_place_before_the_province_has_spoken(
    platform: Platform, wechat: Simulator, place: str
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=0)
    session = await stage.teaching_session(platform, held)
    there = stage.session_draft(place=place)
    other_day = stage.session_draft(
        place=place,
        starts_at=session.starts_at + timedelta(days=1),
        ends_at=session.ends_at + timedelta(days=1),
    )
    half_days = [{"title": "上午", "starts": time(8, 30), "ends": time(12, 0), "hours": 4}]
    whole = TimetableDraft.model_validate(
        {
            "first_day": date(2026, 3, 18),
            "last_day": date(2026, 3, 18),
            "weekdays": [2],
            "half_days": half_days,
            "courses": [],
            "place": place,
        }
    )
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: timetable.change_session(platform, held.officer, held.id, session.id, there),
        lambda: timetable.add_session(platform, held.officer, held.id, other_day),
        lambda: timetable.preview_timetable(platform, held.officer, held.id, whole),
        lambda: timetable.add_timetable(platform, held.officer, held.id, whole),
    ]
    for act in acts:
        with pytest.raises(PlaceUnresolved) as refused:
            await act()
        assert refused.value.fields[0].place == "place" and "第十一条" in refused.value.fields[0].message
    assert [one.place for one, _ in await timetable.timetable_of_class(platform, held.id)] == [session.place]
    await worded(platform, held, place)
    changed = await timetable.change_session(platform, held.officer, held.id, session.id, there)
    assert changed.place == place
    room = stage.session_draft(place=f"{place} 201 室")
    assert (
        await timetable.change_session(platform, held.officer, held.id, session.id, room)
    ).place == room.place


async def test_a_place_waits_on_the_list_of_the_province_and_its_words_are_kept(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=0)
    wanted = PlaceDraft(place=MOUNTAIN, reason="到企业现场教学一天。")
    both = await asyncio.gather(*(venues.ask(platform, held.officer, held.id, wanted) for _ in range(2)))
    assert both[0].id == both[1].id and await platform["place_checks"].count_documents({}) == 1
    [line] = await waits(platform, HEBEI, PlaceCheck)
    assert (line.title, line.count) == ("待核实的培训地点", 1)
    assert await venues.list_checks(platform, JIANGSU, PlaceFilter()) == []
    [listed] = await venues.list_checks(platform, HEBEI, PlaceFilter(state=VenueState.WAITING))
    assert {flag.kind for flag in listed.flags} == {FlagKind.SCENIC_AREA, FlagKind.HOTEL}
    with pytest.raises(NotYours):
        await venues.allow(platform, held.officer, listed.id, Finding(seen=1, note=FOUND))
    done = await venues.allow(platform, HEBEI, listed.id, Finding(seen=1, note=FOUND))
    assert (done.state, done.note) == (VenueState.RESOLVED, FOUND)
    trail = await audit.of_subject(platform, listed.id)
    assert (trail[0]["action"], trail[0]["facts"]["reason"]) == ("venues:resolve", FOUND)
    back = await venues.refuse(platform, HEBEI, listed.id, Finding(seen=2, note="复查后属于核心景区。"))
    assert back.state is VenueState.REFUSED
    with pytest.raises(PlaceUnresolved):
        await stage.teaching_session(platform, held, place=MOUNTAIN)


async def test_a_request_for_a_place_is_taken_back_and_may_be_made_again(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=0)
    wanted = PlaceDraft(place=MOUNTAIN, reason="到企业现场教学一天。")
    asked = await venues.ask(platform, held.officer, held.id, wanted)
    await venues.withdraw(platform, held.officer, asked.id, Withdrawal(seen=1, reason="改在校内"))
    assert await waits(platform, HEBEI, PlaceCheck) == []
    assert (await venues.ask(platform, held.officer, held.id, wanted)).id != asked.id
    plain = PlaceDraft(place="泰山路 12 号实训楼", reason="到企业现场教学一天。")
    with pytest.raises(NothingToResolve):
        await venues.ask(platform, held.officer, held.id, plain)


async def test_a_scheme_with_such_a_place_is_approved_only_with_words_and_clears_it_for_the_class(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=0)
    whole = scheming.content(held.teacher.actor.id)
    [first, *rest] = whole.sessions
    sessions = (first.model_copy(update={"place": MOUNTAIN}), *rest)
    version = await scheming.filed(platform, held, sessions=sessions)
    [listed] = await schemes.list_schemes(platform, HEBEI, SchemeFilter([SchemeState.SUBMITTED]))
    assert {flag.kind for flag in listed.venue_flags} == {FlagKind.SCENIC_AREA, FlagKind.HOTEL}
    for note in ("", "可以"):
        with pytest.raises(Invalid) as refused:
            await schemes.approve(platform, HEBEI, held.id, version, note)
        assert [field.place for field in refused.value.fields] == ["venue_note"]
    assert await platform["teaching_sessions"].count_documents({}) == 0
    await schemes.approve(platform, HEBEI, held.id, version, FOUND)
    newest = (await schemes.scheme_of_class(platform, HEBEI, held.id)).newest
    assert newest is not None and (newest.venue_note, newest.history[-1].reason) == (FOUND, FOUND)
    [cleared] = await venues.list_checks(platform, HEBEI, PlaceFilter())
    assert (cleared.place, cleared.state, cleared.note) == (MOUNTAIN, VenueState.RESOLVED, FOUND)


async def test_the_place_of_the_class_itself_is_the_provinces_already(
    platform: Platform, wechat: Simulator
) -> None:
    place = "泰山示例培训宾馆（山东省泰安市泰山区示例路 1 号）"
    held = await stage.class_in_session(platform, wechat, trainees=0, place=place)
    session = await stage.teaching_session(platform, held, place="泰山示例培训宾馆 3 楼")
    assert session.place == "泰山示例培训宾馆 3 楼"
    elsewhere = stage.session_draft(place="泰山索道站")
    with pytest.raises(PlaceUnresolved):
        await timetable.change_session(platform, held.officer, held.id, session.id, elsewhere)


async def test_a_correction_to_a_hotel_is_made_only_with_words(platform: Platform, wechat: Simulator) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=0)
    wanted = ClassCorrection(
        name=held.training_class.name,
        place="示例国际大酒店",
        starts_on=held.training_class.starts_on,
        ends_on=held.training_class.ends_on,
        reason="实训楼检修",
    )
    asked = await corrections.correct_class(platform, held.officer, held.id, wanted)
    assert [flag.kind for flag in asked.venue_flags] == [FlagKind.HOTEL]
    for words in ("", "可以"):
        with pytest.raises(Invalid):
            await corrections.approve(platform, HEBEI, asked.id, words)
    await corrections.approve(platform, HEBEI, asked.id, "已核实，为三星级培训酒店。")
    assert (await classes.get_class(platform, HEBEI, held.id)).place == "示例国际大酒店"


@given(st.sampled_from(["泰山", "酒店", "宾馆"]), st.text("示例楼号 室", max_size=8))
def test_what_the_province_has_spoken_about_raises_nothing_again_and_nothing_else_is_cleared(
    word: str, room: str
) -> None:
    venue = f"示例{word}培训楼"
    assert place_flags(venue) and place_flags(f"{venue}{room}")
    assert place_flags(f"{venue}{room}", [f"{venue}（示例路 1 号）"]) == []
    assert place_flags(f"另一家{word}", [venue]) != []
    assert place_flags(f"{word}示例山顶", [word]) != []
