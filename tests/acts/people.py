"""Who is in a class: applied, listed, arrived, left, and the phone that speaks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from server.accounts import binding, delegations, staff
from server.accounts.binding import LetGo
from server.accounts.delegations import DelegationDraft
from server.accounts.speakers import digits_of
from server.accounts.staff import ColleagueDraft
from server.admissions import applying, arrival, roster
from server.admissions.roster import Leaving, Reason
from server.classes import service as classes
from server.identities import service as identities
from server.identities.service import Asked, Digits
from server.kernel.clock import beijing_date
from tests import admitting, cast, stage
from tests.acts.walking import World, way_back
from tests.planning import XINGTAI

WHY = Reason(reason="本人来电说明不能参加。")
NEWCOMER = cast.TRAINEE


async def april_class(world: World) -> str:
    """A class that has not begun."""
    return (await stage.open_class(world.platform, XINGTAI, stage.class_draft(**admitting.APRIL))).id


@way_back("admissions:apply", "admissions:withdraw", keeps={"applicants"})
async def an_application_of_a_teacher(world: World) -> AsyncIterator[None]:
    opened = await admitting.open_class(world.platform, world.wechat)
    await stage.enrol(world.platform, cast.XINGTAI_OFFICER, await earlier_class(world), [NEWCOMER])
    phone = await stage.phone(world.platform, world.wechat, "openid-newcomer", NEWCOMER)
    yield
    applied, _ = await applying.apply(world.platform, phone.actor, opened.id, admitting.draft_of(NEWCOMER))
    await admitting.agree(world.platform, opened, applied)
    yield
    await applying.withdraw(world.platform, phone.actor, applied.id)


async def earlier_class(world: World) -> str:
    """A class that is over before April, so that its people are known."""
    return (await stage.open_class(world.platform, XINGTAI, stage.class_draft())).id


@way_back("classes:confirm-roster", "admissions:remove-trainee", keeps={"persons", "roster_imports"})
async def a_roster(world: World) -> AsyncIterator[None]:
    class_id = await april_class(world)
    yield
    everybody = await stage.enrol(world.platform, cast.XINGTAI_OFFICER, class_id, cast.people(2))
    yield
    for person_id in everybody:
        await roster.remove(world.platform, XINGTAI, class_id, person_id, WHY)


@way_back("admissions:add-trainee", "admissions:remove-trainee", keeps={"persons"})
async def somebody_added(world: World) -> AsyncIterator[None]:
    class_id = await april_class(world)
    yield
    added = await roster.add(world.platform, XINGTAI, class_id, entry())
    yield
    await roster.remove(world.platform, XINGTAI, class_id, added.person_id, WHY)


def entry() -> roster.Entry:
    said = {"name": NEWCOMER.name, "id_number": NEWCOMER.id_number, "phone": NEWCOMER.phone}
    return roster.Entry(**said, work_unit=NEWCOMER.unit, post="讲师")


@way_back("admissions:edit-trainee", "admissions:edit-trainee")
async def a_row_put_right(world: World) -> AsyncIterator[None]:
    class_id = await april_class(world)
    listed = await roster.add(world.platform, XINGTAI, class_id, entry())
    person_id, same = listed.person_id, entry().model_dump(exclude={"id_number", "phone"})
    yield
    wrong = roster.Edit.model_validate(same | {"name": "试改名", "work_unit": "另一所技师学院"})
    await roster.edit(world.platform, XINGTAI, class_id, person_id, wrong)
    yield
    await roster.edit(world.platform, XINGTAI, class_id, person_id, roster.Edit.model_validate(same))


@way_back("admissions:leave", "admissions:come-back")
async def somebody_who_left(world: World) -> AsyncIterator[None]:
    held = await stage.class_in_session(world.platform, world.wechat)
    person_id, today = held.trainees[0].actor.person_id, held.training_class.starts_on
    yield
    leaving = Leaving(reason=WHY.reason, left_on=today)
    await roster.leave(world.platform, XINGTAI, held.id, person_id, leaving)
    assert person_id not in {one.person_id for one in await classes.trainees(world.platform, held.id)}
    yield
    await roster.come_back(world.platform, XINGTAI, held.id, person_id, WHY)


@way_back("admissions:confirm-arrival", "admissions:undo-arrival", keeps={"arrivals"})
async def an_arrival(world: World) -> AsyncIterator[None]:
    opened = await admitting.open_class(world.platform, world.wechat)
    [phone] = await admitting.admit(world.platform, world.wechat, opened, [NEWCOMER])
    world.now_is(world.platform.clock.now() + timedelta(days=28))
    person_id = phone.actor.person_id
    yield
    await arrival.confirm_arrival(world.platform, XINGTAI, opened.id, person_id, pledge_on_paper=True)
    yield
    await arrival.undo_arrival(world.platform, XINGTAI, opened.id, person_id, "认错了人")


@way_back("accounts:bind-real-name", "accounts:let-go", keeps={"bindings"})
async def a_bound_phone(world: World) -> AsyncIterator[None]:
    class_id = await april_class(world)
    await stage.enrol(world.platform, cast.XINGTAI_OFFICER, class_id, [NEWCOMER])
    unbound = await stage.phone(world.platform, world.wechat, "openid-newcomer")
    yield
    claimed = stage.claim(world.wechat, unbound.openid, NEWCOMER)
    await binding.bind_real_name(world.platform, unbound.actor, claimed)
    yield
    await binding.let_go(world.platform, unbound.actor, LetGo(reason="换用另一个微信"))


@way_back("identities:confirm-phone", "identities:take-back", keeps={"bindings"})
async def a_phone_confirmed_by_the_card(world: World) -> AsyncIterator[None]:
    class_id = await april_class(world)
    [person_id] = await stage.enrol(world.platform, cast.XINGTAI_OFFICER, class_id, [NEWCOMER])
    phone = await stage.phone(world.platform, world.wechat, "openid-newcomer", NEWCOMER, proved=False)
    yield
    shown = Digits(phone_digits=digits_of(world.platform, phone.openid))
    await identities.confirm_phone(world.platform, XINGTAI, class_id, person_id, shown)
    yield
    wrong = identities.Reason(reason="看错了证件，不是本人")
    await identities.take_back(world.platform, XINGTAI, class_id, person_id, wrong)


@way_back("identities:ask-release", "identities:retract", keeps={"release_requests"})
async def a_release_asked_for(world: World) -> AsyncIterator[None]:
    class_id = await april_class(world)
    [person_id] = await stage.enrol(world.platform, cast.XINGTAI_OFFICER, class_id, [NEWCOMER])
    await stage.phone(world.platform, world.wechat, "openid-newcomer", NEWCOMER)
    yield
    wanted = Asked(reason="核对身份证原件，原手机遗失")
    asked = await identities.ask(world.platform, XINGTAI, class_id, person_id, wanted)
    yield
    await identities.retract(world.platform, XINGTAI, asked.id)


@way_back("accounts:delegate", "accounts:end-delegation", keeps={"delegations"})
async def a_colleague_who_stands_in(world: World) -> AsyncIterator[None]:
    await stage.sign_up(world.platform, cast.XINGTAI_OFFICER)
    mine = staff.actor_of(await staff.account_called(world.platform, cast.XINGTAI_OFFICER.username))
    to, _ = await staff.add_colleague(
        world.platform, mine, ColleagueDraft(username="xingtai-two", name="邢试二")
    )
    today = beijing_date(world.platform.clock.now())
    draft = DelegationDraft(
        to_id=to.id, from_on=today, until_on=today + timedelta(days=3), reason="外出学习。"
    )
    yield
    new = await delegations.delegate(world.platform, mine, draft)
    yield
    await delegations.end(world.platform, mine, new.id, "提前返岗。")
