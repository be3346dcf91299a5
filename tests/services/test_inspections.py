"""The yearly check of certificates (article 18): the province asks, the institution mends, the figures stay as they were."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.certificates.issue import Revocation
from server.inspections import rules, service
from server.inspections.documents import Inspection, InspectionFilter
from server.inspections.rules import Answer, Duty, Item, State
from server.inspections.service import (
    Beginning,
    CheckedAlready,
    Found,
    Ordering,
    Passing,
    Record,
    Reply,
    SentBack,
)
from server.kernel.clock import beijing_date
from server.kernel.errors import Invalid, NotFound
from server.kernel.platform import Platform
from server.kernel.reviews import NotInThisState, NotYours, Overtaken, Return, Review
from server.messages import office_inbox
from server.messages.office_inbox import InboxFilter
from server.progress import desk
from server.reissues import revoking
from server.wechat.simulator import Simulator
from tests import cast, certifying
from tests.admin.browserless import sign_in
from tests.planning import CENTRE, HEBEI, JIANGSU, XINGTAI

SHORT = "三张空白证书没有登记去向，盘点少三张。"


def of_all(answer: Answer, *, wrong: Duty | None = None) -> list[Found]:
    return [
        Found(duty=one, answer=Answer.BAD, note=SHORT) if one is wrong else Found(duty=one, answer=answer)
        for one in Duty
    ]


async def begun(platform: Platform) -> Inspection:
    year = beijing_date(platform.clock.now()).year
    return await service.begin(platform, HEBEI, Beginning(institution=cast.XINGTAI, year=year))


async def recorded(platform: Platform, found: Inspection, items: list[Found]) -> Inspection:
    wanted = Record(seen=len(found.history), items=items)
    return await service.record(platform, HEBEI, found.id, wanted)


async def test_what_falls_short_is_mended_by_its_day_and_looked_at_again(platform: Platform) -> None:
    today = beijing_date(platform.clock.now())
    found = await begun(platform)
    with pytest.raises(CheckedAlready):
        await begun(platform)
    with pytest.raises(NotFound):
        await service.begin(platform, JIANGSU, Beginning(institution=cast.XINGTAI, year=today.year))
    with pytest.raises(Invalid):
        await service.begin(platform, HEBEI, Beginning(institution="010", year=today.year + 1))
    with pytest.raises(Invalid, match="invalid"):
        await recorded(platform, found, [Found(duty=Duty.KEEPING, answer=Answer.BAD)])
    found = await recorded(platform, found, of_all(Answer.GOOD, wrong=Duty.KEEPING))
    with pytest.raises(Overtaken):
        await service.record(platform, HEBEI, found.id, Record(seen=1, items=[]))
    hidden = await service.inspection(platform, XINGTAI, found.id)
    assert all(one.answer is None and not one.note for one in hidden.items), (
        "it is the province's own until it is concluded"
    )
    with pytest.raises(Invalid):
        await service.pass_(platform, HEBEI, found.id, Passing(seen=2))
    with pytest.raises(Invalid):
        await service.order(platform, HEBEI, found.id, Ordering(seen=2, mend_by=today, reason=SHORT))
    until = today + timedelta(days=10)
    ordered = await service.order(platform, HEBEI, found.id, Ordering(seen=2, mend_by=until, reason=SHORT))
    assert (ordered.state, ordered.counted_on, ordered.open) == (State.TO_MEND, today, True)
    [line] = [one for one in (await desk.desk(platform, XINGTAI)).mine if "年度检查" in one.title]
    assert (line.url, line.due) == (ordered.address, until)
    [told] = await office_inbox.inbox(platform, XINGTAI, InboxFilter(), limit=9)
    assert str(until) in told.words and told.href == ordered.address

    with pytest.raises(NotYours):
        await service.answer(platform, HEBEI, found.id, Reply(seen=3, reason="已补登记。"))
    done = await service.answer(
        platform, XINGTAI, found.id, Reply(seen=3, reason="已补登记，三张为打坏作废。")
    )
    [waits] = [one for one in (await desk.desk(platform, HEBEI)).mine if "年度检查" in one.title]
    assert waits.url == done.address
    later = until + timedelta(days=5)
    back = SentBack(seen=4, reason="没有附作废登记。", mend_by=later)
    assert (await service.send_back(platform, HEBEI, found.id, back)).mend_by == later
    await service.answer(platform, XINGTAI, found.id, Reply(seen=5, reason="作废登记已补。"))
    mended = await service.accept(platform, HEBEI, found.id, Review(seen=6))
    assert (mended.state, mended.open) == (State.MENDED, False)
    with pytest.raises(NotInThisState):
        await service.answer(platform, XINGTAI, found.id, Reply(seen=7, reason="再报一次。"))
    [seen] = await service.list_inspections(platform, CENTRE, InspectionFilter(state=State.MENDED))
    assert seen.id == found.id and await service.list_inspections(platform, JIANGSU, InspectionFilter()) == []
    of_hebei = next(
        one for one in await service.progress(platform, CENTRE, today.year) if one.province_code == "13"
    )
    assert (of_hebei.begun, of_hebei.states[State.MENDED]) == (1, 1) and of_hebei.institutions > 1


async def test_the_figures_stay_as_they_were_when_it_was_concluded(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await certifying.passed_class(platform, wechat)
    paper, _ = await certifying.issued(platform, opened)
    found = await recorded(platform, await begun(platform), of_all(Answer.GOOD))
    passed = await service.pass_(platform, HEBEI, found.id, Passing(seen=2))
    then = {one.title: one.count for one in passed.figures}
    assert (then["核发"], then["有效"], then["已撤销"]) == (2, 2, 0)
    wanted = Revocation(reason="印错一字", typed=paper.printed.number)
    await revoking.revoke(platform, opened.officer, paper.id, wanted)
    kept = await service.inspection(platform, XINGTAI, found.id)
    now = {one.title: one.count for one in await service.figures_of(platform, XINGTAI, kept)}
    assert (kept.figures, now["有效"], now["已撤销"]) == (passed.figures, 1, 1)
    opened_again = await service.reopen(platform, HEBEI, found.id, Return(seen=3, reason="撤销了一张证书。"))
    assert (opened_again.state, opened_again.figures, opened_again.counted_on) == (State.CHECKING, [], None)
    dropped = await service.drop(platform, HEBEI, found.id, Return(seen=4, reason="另开一次检查。"))
    assert not dropped.counts and (await begun(platform)).id != dropped.id


async def test_the_pages_lead_through_a_check(platform: Platform, site: str) -> None:
    browser = await sign_in(platform, site, cast.HEBEI_OFFICER)
    assert "还没有年度检查" in (await browser.get("/admin/inspections")).text
    assert "009 邢台技师学院" in (await browser.get("/admin/inspections/new")).text
    year = str(beijing_date(platform.clock.now()).year)
    form = {"institution": cast.XINGTAI, "year": year}
    assert (await browser.post("/admin/inspections/new", form)).status == 303
    again = await browser.post("/admin/inspections/new", form)
    assert again.status == 409 and "一年一次检查" in again.text
    [found] = await service.list_inspections(platform, HEBEI, InspectionFilter())
    assert "印制" in (await browser.get(found.address)).text
    rows = {"item_duty": [one.value for one in Duty], "item_note": ["", SHORT, *[""] * 7]}
    kept = await browser.post(f"{found.address}/record", {"seen": "1", **rows, "item_answer": ["GOOD"] * 9})
    assert kept.status == 303 and SHORT in (await browser.get(found.address)).html
    unsaid = await browser.post(f"{found.address}/record", {"seen": "2", **rows, "item_answer": ["BAD"] * 9})
    assert unsaid.status == 422 and "请写明问题" in unsaid.text and SHORT in unsaid.html
    listed = await browser.get("/admin/inspections")
    assert "邢台技师学院" in listed.text and "河北" in listed.text


DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@given(st.lists(st.sampled_from([None, *Answer]), min_size=9, max_size=9), DAYS, DAYS)
def test_a_check_is_concluded_one_way_or_the_other_and_only_when_all_was_looked_at(
    answers: list[Answer | None], mend_by: date, today: date
) -> None:
    items = [Item(duty=duty, answer=answer, note=SHORT) for duty, answer in zip(Duty, answers, strict=True)]

    def lets(check: object, *arguments: object) -> bool:
        try:
            check(items, *arguments)  # type: ignore[operator]
        except Invalid:
            return False
        return True

    whole, bad = None not in answers, Answer.BAD in answers
    assert lets(rules.require_passed) is (whole and not bad)
    in_time = today < mend_by <= today + rules.LONGEST
    assert lets(rules.require_ordered, mend_by, today) is (whole and bad and in_time)
