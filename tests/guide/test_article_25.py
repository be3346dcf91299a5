"""第二十五条: who manages what on the platform."""

import re
from datetime import date

import pytest

from server.accounts import binding, people
from server.accounts.fictional import roster_of
from server.accounts.phones import PhoneAuthenticator
from server.accounts.rules import mask_id_number
from server.accounts.staff import AccountDraft
from server.admissions import roster
from server.admissions.roster import Edit, Entry, Reason
from server.admissions.roster_rules import AskForACorrection
from server.classes import roster_import
from server.classes import service as classes
from server.corrections import service as corrections
from server.corrections.service import ClassCorrection
from server.institutions import service as institutions
from server.kernel import audit, chain
from server.kernel.errors import Forbidden, Invalid, NotFound
from server.kernel.identity import Role
from server.kernel.platform import Platform
from server.kernel.reviews import NotInThisState, Review
from server.plans import service as plans
from server.plans.rules import State
from server.plans.service import PlanDraft
from server.wechat import content
from server.wechat.content import ContentRefused, Scene
from server.wechat.simulator import Simulator
from tests import admitting, cast, planning, stage
from tests.admin.browserless import Browser, sign_in
from tests.cast import Person
from tests.correcting import NEW_NUMBER, renumbered
from tests.stage import ClassInSession, Phone

CENTRE = stage.actor(cast.CENTRE)
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)


async def test_the_centre_allocates_the_accounts_with_their_first_passwords(
    platform: Platform, site: str
) -> None:
    """（一）部指导中心……统一分配用户账号（含初始密码）。"""
    centre = await sign_in(platform, site, cast.CENTRE)
    form = {"username": "hebei-new", "name": "冀试新", "role": "PROVINCE", "province_code": "13"}
    shown = await centre.post("/admin/accounts/new", form)
    password = re.search(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", shown.html)
    assert password is not None
    newcomer = Browser(site)
    await newcomer.post("/admin/login", {"username": "hebei-new", "password": password[0]})
    assert (await newcomer.get("/admin")).location == "/admin/password"


@pytest.mark.parametrize("officer", [one for one in cast.OFFICERS if one is not cast.CENTRE])
async def test_nobody_else_allocates_accounts_beyond_the_own_office(
    platform: Platform, site: str, officer: cast.Officer
) -> None:
    """Whatever the form says: a colleague gets the role and the place of who adds them."""
    browser = await sign_in(platform, site, officer)
    form = {"username": "one-more", "name": "多一个", "role": "NATIONAL_CENTRE", "province_code": "11"}
    assert (await browser.get("/admin/accounts/batches")).status == 403
    assert (await browser.post("/admin/accounts/new", form)).status == 200
    added = await platform["accounts"].find_one({"username": "one-more"})
    assert added is not None
    assert (added["role"], added["province_code"], added["institution_code"]) == (
        officer.role,
        officer.province_code,
        officer.institution_code,
    )


async def test_an_account_reaches_no_further_than_its_office(platform: Platform) -> None:
    """（二）省级管理部门……本地区; （三）培训机构……培训班: a reach is the account's, whatever the form said."""
    province, _ = await institutions.allocate_account(
        platform,
        CENTRE,
        AccountDraft(
            username="hebei-new",
            name="冀试新",
            role=Role.PROVINCE,
            province_code="13",
            institution_code="017",
        ),
    )
    assert (province.province_code, province.institution_code) == ("13", None)
    base, _ = await institutions.allocate_account(
        platform,
        CENTRE,
        AccountDraft(
            username="base-new",
            name="邢试新",
            role=Role.TRAINING_BASE,
            province_code="32",
            institution_code="009",
        ),
    )
    assert (base.province_code, base.institution_code) == ("13", "009")
    with pytest.raises(Invalid):
        await institutions.allocate_account(
            platform, CENTRE, AccountDraft(username="nowhere", name="无处", role=Role.PROVINCE)
        )


async def test_an_institution_manages_the_data_of_its_own_trainees_only(platform: Platform) -> None:
    """（三）培训机构负责审核、管理培训班参训教师数据信息。"""
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    preview = await roster_import.preview_roster(
        platform, XINGTAI, opened.id, "名册.xlsx", roster_of([cast.TRAINEE])
    )
    for stranger in (cast.YANGZHOU_OFFICER, cast.CHANGZHOU_OFFICER, cast.JIANGSU_OFFICER):
        with pytest.raises(NotFound):
            await roster_import.confirm_roster(platform, stage.actor(stranger), preview.id)
    await roster_import.confirm_roster(platform, XINGTAI, preview.id)
    assert [one.name for one in await classes.trainees(platform, opened.id)] == [cast.TRAINEE.name]


async def test_what_is_done_leaves_a_trace(platform: Platform) -> None:
    """（四）谁发布，谁负责: every act is kept with who did it, in a chain that shows tampering."""
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    [entry] = await audit.of_subject(platform, opened.id)
    assert (entry["action"], entry["actor_name"]) == ("classes:open", cast.XINGTAI_OFFICER.name)
    await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    await chain.seal(platform)
    assert (await chain.follow(platform))[1] == ""
    await platform["audit"].delete_one({"_id": entry["_id"]})
    assert "断开" in (await chain.follow(platform))[1]


async def test_an_approved_plan_changes_only_through_a_new_version_that_is_reviewed_again(
    platform: Platform,
) -> None:
    """（四）如修改已发布的数据信息，按照服务平台及数据信息审核管理要求进行操作."""
    first = await planning.approved(platform)
    larger = PlanDraft(items=[planning.draft_of(first)[0].model_copy(update={"places": 60})])
    with pytest.raises(NotInThisState, match="plan-state: "):
        await plans.amend(platform, XINGTAI, first.id, larger, len(first.history))
    second = await planning.begun(platform, first.year)
    second = await plans.amend(platform, XINGTAI, second.id, larger, len(second.history))
    second = await plans.submit(platform, XINGTAI, second.id, len(second.history))
    assert await plans.plan_in_force(platform, cast.XINGTAI, first.year) == first
    second = await plans.approve(platform, planning.HEBEI, second.id, Review(seen=len(second.history)))
    record = await plans.plan_record(platform, CENTRE, second.id)
    assert [(one.version, one.state) for one in record.versions] == [
        (2, State.APPROVED),
        (1, State.SUPERSEDED),
    ]
    assert record.versions[1].items == first.items, "the old version can be read as it was"
    assert [(one.before, one.after) for one in record.changes] == [({"人数": "40 人"}, {"人数": "60 人"})]


async def test_what_was_published_changes_only_by_a_request_that_somebody_else_approves(
    platform: Platform,
) -> None:
    """（四）如修改已发布的数据信息，按照服务平台及数据信息审核管理要求进行操作: before, after, reason and approver stay readable."""
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    wanted = ClassCorrection(
        name=opened.name,
        place="图书馆 201",
        starts_on=opened.starts_on,
        ends_on=opened.ends_on,
        reason="实训楼检修，改到图书馆。",
    )
    asked = await corrections.correct_class(platform, XINGTAI, opened.id, wanted)
    with pytest.raises(Forbidden):
        await corrections.approve(platform, XINGTAI, asked.id)
    assert (await classes.get_class(platform, XINGTAI, opened.id)).place == opened.place
    await corrections.approve(platform, stage.actor(cast.HEBEI_OFFICER), asked.id)
    assert (await classes.get_class(platform, XINGTAI, opened.id)).place == "图书馆 201"
    [version] = await corrections.made_in_class(platform, CENTRE, opened.id)
    assert (version.before, version.wanted) == ({"place": opened.place}, {"place": "图书馆 201"})
    assert version.reason == wanted.reason
    assert version.decision is not None and version.decision.actor_name == cast.HEBEI_OFFICER.name


async def test_what_people_publish_from_their_phones_keeps_the_laws_on_the_network(
    platform: Platform, wechat: Simulator
) -> None:
    """（四）应遵守国家网络安全、数据信息管理等相关法律法规: risky words are refused, doubtful ones are looked at by the institution."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    writer = held.trainees[0].actor
    with pytest.raises(ContentRefused):
        await content.screen(platform, writer, Scene.COMMENT, {"text": "含违规内容"})
    doubtful = await content.screen(platform, writer, Scene.COMMENT, {"text": "含存疑内容"})
    await content.note_alone(
        platform, writer, doubtful, content.of_class(held.training_class, "remark:1", "意见")
    )
    [flagged] = await content.listed(platform, held.officer, flagged=True, limit=2)
    done = await content.decide(platform, held.officer, flagged.id, harmless=False, note="已要求删除")
    assert (done.decided_by, done.note) == (held.officer.name, "已要求删除")


async def test_an_institution_manages_who_is_on_its_roster_until_it_is_the_persons_own(
    platform: Platform, wechat: Simulator
) -> None:
    """（三）培训机构……负责审核、管理培训班参训教师数据信息；（四）如修改已发布的数据信息，按照审核管理要求进行操作。"""
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft(**admitting.APRIL))
    one = cast.TRAINEE
    typed = {"name": one.name, "work_unit": one.unit}
    wrong = Entry(**typed | {"name": "王试误", "id_number": one.id_number, "phone": one.phone})
    row = await roster.add(platform, XINGTAI, opened.id, wrong)
    await roster.edit(platform, XINGTAI, opened.id, row.person_id, Edit(**typed))
    [listed] = await classes.trainees(platform, opened.id)
    assert listed.name == one.name
    await stage.phone(platform, wechat, "openid", one)
    with pytest.raises(AskForACorrection):
        await roster.edit(platform, XINGTAI, opened.id, row.person_id, Edit(**typed | {"name": "王试误"}))
    await roster.remove(platform, XINGTAI, opened.id, row.person_id, Reason(reason="本人不来"))
    assert await classes.trainees(platform, opened.id) == []
    trail = [entry["action"] for entry in await audit.of_subject(platform, opened.id)]
    assert trail[:3] == ["admissions:remove-trainee", "admissions:edit-trainee", "admissions:add-trainee"]


async def test_a_person_known_elsewhere_is_never_renamed_by_the_row_of_one_roster(
    platform: Platform,
) -> None:
    """（三）own trainees: a row of one roster never changes a person whom others have too."""
    april = await stage.open_class(platform, XINGTAI, stage.class_draft(**admitting.APRIL))
    one = await roster.add(platform, XINGTAI, april.id, entry(cast.TRAINEE))
    may = {"starts_on": date(2026, 5, 11), "ends_on": date(2026, 5, 22)}
    later = await stage.open_class(platform, XINGTAI, stage.class_draft(name="五月三级教师培训班", **may))
    await roster.add(platform, XINGTAI, later.id, entry(cast.TRAINEE))
    pooled = await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    await roster.add(platform, XINGTAI, april.id, entry(cast.BACKBONE_TEACHER))
    for person_id in (one.person_id, pooled):
        with pytest.raises(AskForACorrection, match="另有登记"):
            await roster.edit(platform, XINGTAI, april.id, person_id, edited(cast.STRANGER))
    known = await people.persons(platform, [one.person_id, pooled])
    assert [known[one.person_id].name, known[pooled].name] == [cast.TRAINEE.name, cast.BACKBONE_TEACHER.name]


def entry(person: Person) -> Entry:
    return Entry(name=person.name, id_number=person.id_number, work_unit=person.unit, phone=person.phone)


def edited(person: Person) -> Edit:
    """What the form of a row says that is to be this person's."""
    return Edit(name=person.name, work_unit=person.unit)


async def test_a_number_that_was_wrong_is_put_right_and_binding_and_roster_follow(
    platform: Platform, wechat: Simulator
) -> None:
    """（四）如修改已发布的数据信息: the number of somebody known is corrected by a request, and all that names it follows."""
    held = await stage.class_in_session(platform, wechat, trainees=1)
    [trainee], [one] = held.trainees, cast.people(1)
    wanted = renumbered(one, NEW_NUMBER)
    asked = await corrections.correct_trainee(platform, held.officer, held.id, trainee.actor.id, wanted)
    [change] = asked.changes
    assert change.title == "身份证号" and one.id_number not in str(asked.changes)
    apart = [place for place in range(18) if one.id_number[place] != NEW_NUMBER[place]]
    assert all(change.after[place] == NEW_NUMBER[place] for place in apart)  # what the reviewer compares
    with pytest.raises(binding.NotOnARoster):
        await bind(platform, wechat, Person(one.name, NEW_NUMBER, "", ""))
    await corrections.approve(platform, planning.HEBEI, asked.id)
    [enrolled] = await classes.trainees(platform, held.id)
    assert enrolled.id_number_masked == mask_id_number(NEW_NUMBER) and enrolled.name == one.name
    assert (await PhoneAuthenticator(platform).actor_of(trainee.token)).id == trainee.actor.id
    await phones_released(platform, held, trainee.actor.id)
    with pytest.raises(binding.NotOnARoster):
        await bind(platform, wechat, one)
    again = await bind(platform, wechat, Person(one.name, NEW_NUMBER, one.phone, ""))
    assert again.actor.id == trainee.actor.id
    kept = await corrections.correction(platform, planning.HEBEI, asked.id)
    assert kept.number_before is not None
    assert await platform.vault.decrypt([kept.number_before]) == [one.id_number]  # the history, encrypted
    stored = await platform["corrections"].find_one({"_id": asked.id})
    assert one.id_number not in str(stored) and NEW_NUMBER not in str(stored)


async def bind(platform: Platform, wechat: Simulator, person: Person) -> Phone:
    return await stage.phone(platform, wechat, f"openid-{person.id_number[-6:]}", person)


async def phones_released(platform: Platform, held: ClassInSession, person_id: str) -> None:
    await stage.release(platform, held.officer, person_id)
