"""An institution that was renamed: what it has in hand follows, what is settled does not, and its teachers stay its own."""

from __future__ import annotations

import pytest

from server.applications import service as applications
from server.corrections import service as corrections
from server.corrections.service import ClassCorrection, InstitutionCorrection
from server.institutions import service as institutions
from server.kernel.errors import Invalid
from server.kernel.platform import Platform
from server.kernel.reviews import Withdrawal
from server.moves import service as moves
from server.persons import service as persons
from server.plans import service as plans
from server.plans.documents import PlanFilter
from server.wechat.simulator import Simulator
from tests import cast, planning, scheming, stage
from tests.finding import gone_astray
from tests.planning import CENTRE, HEBEI, XINGTAI, YANGZHOU
from tests.services.test_moves import SEEN, draft, where

OLD, NEW = "邢台技师学院", "邢台示例技师学院"


async def test_what_is_in_hand_follows_a_renamed_institution_and_what_is_settled_does_not(
    platform: Platform, wechat: Simulator
) -> None:
    """Plans, applications, letters, schemes and requests; its own teachers stay its own, under either name."""
    plan = await planning.approved(platform)
    withdrawn = await planning.applied(platform, plan)
    await applications.withdraw(platform, XINGTAI, withdrawn.id, Withdrawal(seen=1, reason="改期再报。"))
    again = planning.application_draft()
    application = await applications.apply(platform, XINGTAI, plan.id, plan.items[0].id, again)
    held = await stage.class_in_session(platform, wechat)
    await scheming.draft(platform, held)
    corrected = await corrections.correct_class(
        platform,
        XINGTAI,
        held.id,
        ClassCorrection(
            name=held.training_class.name,
            place="图书馆 201",
            starts_on=held.training_class.starts_on,
            ends_on=held.training_class.ends_on,
            reason="实训楼检修，改到图书馆上课。",
        ),
    )
    wanted = InstitutionCorrection(name=NEW, reason="省政府批复更名。")
    asked = await corrections.correct_institution(platform, XINGTAI, "009", wanted)
    await corrections.approve(platform, CENTRE, asked.id)

    async def said(collection: str, condition: dict[str, str]) -> set[str]:
        return {*await platform[collection].distinct("institution_name", condition)}

    in_hand = {"plans": plan.id, "applications": application.id, "corrections": corrected.id}
    for collection, one in in_hand.items():
        assert await said(collection, {"_id": one}) == {NEW}, collection
    for collection, one in {"applications": withdrawn.id, "corrections": asked.id}.items():
        assert await said(collection, {"_id": one}) == {OLD}, "settled"
    for collection in ("invitations", "scheme_versions"):
        assert await said(collection, {"class_id": held.id}) == {NEW}, collection
    assert [one.id for one in await plans.list_plans(platform, CENTRE, PlanFilter(words="示例技师"))] == [
        plan.id
    ]
    assert await gone_astray(platform) == []
    for name in (OLD, NEW):
        unit = await institutions.called(platform, name)
        assert unit is not None and unit.id == "009"
    taken = InstitutionCorrection(name=OLD, reason="省政府批复更名。")
    with pytest.raises(Invalid):
        await corrections.correct_institution(platform, YANGZHOU, "019", taken)


async def test_the_teachers_of_a_renamed_institution_stay_its_own(
    platform: Platform, wechat: Simulator
) -> None:
    held = await stage.class_in_session(platform, wechat)
    here = draft(platform, to_unit=OLD, to_province=cast.HEBEI)
    asked = await moves.ask(platform, XINGTAI, held.trainees[0].actor.id, here)
    await moves.confirm(platform, HEBEI, asked.id, SEEN)
    renamed = InstitutionCorrection(name=NEW, reason="经批准更名。")
    waiting = await corrections.correct_institution(platform, XINGTAI, cast.XINGTAI, renamed)
    await corrections.approve(platform, CENTRE, waiting.id)
    person_id = held.trainees[0].actor.id
    assert await where(platform, person_id) == (NEW, cast.HEBEI)
    [row] = [one for one in await persons.list_people(platform, XINGTAI, "") if one.person_id == person_id]
    assert row.work_unit == NEW
    with pytest.raises(Invalid):
        await moves.ask(platform, XINGTAI, person_id, here)
    away = await moves.ask(platform, XINGTAI, person_id, draft(platform))
    assert (away.from_unit, away.institution_code) == (NEW, [cast.XINGTAI, cast.YANGZHOU])
