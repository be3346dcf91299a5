"""Who may speak for a person (server/decisions/0027): attacks that went through before, and ways that have to stay open to the owner."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.accounts import binding, phones
from server.accounts.binding import AlreadyBound, NoSuchPhone, PhoneRests
from server.accounts.codes import PersonalCodeWrong
from server.accounts.people import NameDiffers
from server.accounts.phones import PhoneAuthenticator, State
from server.accounts.proofs import Authority
from server.accounts.rules import Evidence
from server.accounts.speakers import digits_of
from server.admissions import applying, arrival
from server.assessment import service as assessment
from server.attendance import service as attendance
from server.attendance.check_in import CheckInDesk, Scan
from server.attendance.documents import TeachingSession
from server.attendance.rules import Flag, PhoneUnconfirmed
from server.certificates import service as certificates
from server.classes import service as classes
from server.classes.belonging import Keeper, keeper
from server.classes.rules import Kind
from server.corrections import service as corrections
from server.corrections.rules import Ground
from server.corrections.service import TraineeCorrection
from server.identities import service as identities
from server.identities.rules import NotTheirKeeper
from server.identities.service import Asked, Digits, PoolPhone
from server.invitations import service as invitations
from server.invitations.service import InvitationDraft
from server.kernel import policies
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.errors import NotFound
from server.kernel.identity import Role
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.kernel.reviews import Review
from server.messages import inbox
from server.qualification import service as qualification
from server.surveys import service as surveys
from server.wechat.simulator import Simulator
from tests import admitting, cast, certifying, stage
from tests.cast import Person
from tests.stage import ClassInSession, Phone

XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
YANGZHOU = stage.actor(cast.YANGZHOU_OFFICER)
HEBEI = stage.actor(cast.HEBEI_OFFICER)
JIANGSU = stage.actor(cast.JIANGSU_OFFICER)
CENTRE = stage.actor(cast.CENTRE)
ASKED = Asked(reason="核对身份证原件，原手机遗失")
TEACHER = cast.BACKBONE_TEACHER
ATTACKERS_PHONE = cast.person(66).phone


def with_phone_of_attacker(person: Person) -> Person:
    """Somebody's name and number, with a telephone number that is not theirs."""
    return Person(person.name, person.id_number, ATTACKERS_PHONE, person.unit)


async def anew(platform: Platform, phone: Phone) -> Phone:
    """The same phone with what it may by now."""
    return Phone(phone.openid, phone.token, await PhoneAuthenticator(platform).actor_of(phone.token))


async def may_check_in(platform: Platform, value: bool) -> None:
    today = beijing_date(platform.clock.now())
    change = PolicyChange(
        key="unconfirmed_may_check_in", value=value, effective_from=today, reason="试行中的规定"
    )
    await policies.change(platform, CENTRE, change)


async def listed(platform: Platform, person: Person, officer: cast.Officer, **dates: object) -> str:
    """A class of this officer's institution with this person on its roster: its id."""
    opened = await stage.open_class(platform, stage.actor(officer), stage.class_draft(**dates))
    await stage.enrol(platform, officer, opened.id, [person])
    return opened.id


@pytest.fixture
async def held(platform: Platform, wechat: Simulator) -> ClassInSession:
    opened = await stage.class_in_session(platform, wechat, trainees=0)
    await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE])
    return opened


@pytest.fixture
async def session(platform: Platform, held: ClassInSession, clock: FixedClock) -> TeachingSession:
    made = await stage.teaching_session(platform, held)
    clock.set(made.starts_at)
    return made


# ---- name and number alone


async def test_name_and_number_alone_open_nothing_but_a_check_in_with_a_flag(
    platform: Platform, wechat: Simulator, held: ClassInSession, session: TeachingSession
) -> None:
    stranger = await stage.phone(platform, wechat, "openid-stranger", cast.TRAINEE, proved=False)
    seen = await phones.standing(platform, stranger.actor)
    assert seen.state is State.WAITING and seen.digits in phones.advice(seen)
    assert await classes.my_classes(platform, stranger.actor) == ([], None)
    assert await surveys.my_surveys(platform, stranger.actor) == ([], None)
    assert await inbox.my_inbox(platform, stranger.actor) == ([], None)
    assert await applying.my_applications(platform, stranger.actor) == ([], None)
    for attempt in (
        classes.attended_class(platform, stranger.actor, held.id),
        arrival.my_notice(platform, stranger.actor, held.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    done = await CheckInDesk(platform).check_in(
        stranger.actor, Scan(stage.code_of(platform, session), "nonce-1")
    )
    assert done.row["flags"] == [Flag.UNCONFIRMED_PHONE]


async def test_where_the_policy_says_no_it_does_not_even_check_in(
    platform: Platform, wechat: Simulator, held: ClassInSession, session: TeachingSession
) -> None:
    await may_check_in(platform, False)
    stranger = await stage.phone(platform, wechat, "openid-stranger", cast.TRAINEE, proved=False)
    scan = Scan(stage.code_of(platform, session), "nonce-1")
    with pytest.raises(PhoneUnconfirmed):
        await CheckInDesk(platform).check_in(stranger.actor, scan)
    owner = await stage.phone(platform, wechat, "openid-owner", cast.TRAINEE)
    done = await CheckInDesk(platform).check_in(owner.actor, scan)
    assert done.new and done.row["flags"] == []


async def test_who_only_says_so_keeps_nobody_out_and_is_told_to_go(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    stranger = await stage.phone(platform, wechat, "openid-stranger", cast.TRAINEE, proved=False)
    another = await stage.phone(platform, wechat, "openid-another", cast.TRAINEE, proved=False)
    owner = await stage.phone(platform, wechat, "openid-owner", cast.TRAINEE)
    assert await classes.attended_class(platform, owner.actor, held.id)
    for one in (stranger, another):
        assert not (await anew(platform, one)).actor.roles
    with pytest.raises(AlreadyBound, match="解除绑定"):  # with the ways to change
        await stage.phone(platform, wechat, "openid-third", cast.TRAINEE)
    assert await platform["waiting_phones"].count_documents({}) == 0


async def test_of_two_phones_that_say_the_same_staff_confirm_the_one_in_the_room(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    stranger = await stage.phone(platform, wechat, "openid-stranger", cast.TRAINEE, proved=False)
    owner = await stage.phone(platform, wechat, "openid-owner", cast.TRAINEE, proved=False)
    person_id = owner.actor.person_id
    wrong = f"{(int(digits_of(platform, owner.openid)) + 1) % 10**6:06d}"
    with pytest.raises(NoSuchPhone):
        await identities.confirm_phone(platform, XINGTAI, held.id, person_id, Digits(phone_digits=wrong))
    shown = Digits(phone_digits=digits_of(platform, owner.openid))
    with pytest.raises(NotFound):
        await identities.confirm_phone(platform, YANGZHOU, held.id, person_id, shown)
    for _ in range(2):
        await identities.confirm_phone(platform, XINGTAI, held.id, person_id, shown)
    assert await classes.attended_class(platform, (await anew(platform, owner)).actor, held.id)
    assert not (await anew(platform, stranger)).actor.roles
    wrong_card = identities.Reason(reason="看错了证件，不是本人")
    await identities.take_back(platform, XINGTAI, held.id, person_id, wrong_card)
    assert (await phones.standing(platform, owner.actor)).state is State.WAITING


# ---- a roster makes nobody somebody else


async def test_an_institution_that_lists_a_teacher_with_a_phone_of_its_own_gets_its_own_class_and_no_role(
    platform: Platform, wechat: Simulator
) -> None:
    await stage.register_backbone(platform, TEACHER)
    home = await listed(platform, cast.TRAINEE, cast.XINGTAI_OFFICER)
    fake = await listed(platform, with_phone_of_attacker(TEACHER), cast.YANGZHOU_OFFICER)
    thief = await stage.phone(platform, wechat, "openid-thief", with_phone_of_attacker(TEACHER))
    assert thief.actor.roles == {Role.TRAINEE} and thief.actor.reach.institutions == {cast.YANGZHOU}
    assert await classes.attended_class(platform, thief.actor, fake)
    with pytest.raises(NotFound):
        await classes.attended_class(platform, thief.actor, home)
    with pytest.raises(NotFound):
        await qualification.my_standing(platform, thief.actor)
    # The owner needs nobody's leave, and the phone that was there is told.
    owner = await stage.phone(platform, wechat, "openid-owner", TEACHER)
    assert Role.BACKBONE_TEACHER in owner.actor.roles
    after = await anew(platform, thief)
    assert not after.actor.roles
    released = (await phones.standing(platform, after.actor)).released
    assert released is not None and "骨干教师库" in released.reason
    told = await platform["outbox"].find_one({"template": "phone-released"})
    assert told is not None and told["to_phone"] == thief.openid


async def test_a_phone_that_one_institution_vouched_for_sees_nothing_of_another(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await certifying.passed_class(platform, wechat, 1)
    await certifying.issued(platform, opened)
    [owner] = opened.trainees
    [one] = cast.people(1)
    await stage.release(platform, CENTRE, owner.actor.person_id)
    april = {"starts_on": admitting.APRIL["starts_on"], "ends_on": admitting.APRIL["ends_on"]}
    await listed(platform, with_phone_of_attacker(one), cast.YANGZHOU_OFFICER, **april)
    thief = await stage.phone(platform, wechat, "openid-thief", with_phone_of_attacker(one))
    assert thief.actor.person_id == owner.actor.person_id
    assert await certificates.my_certificates(platform, thief.actor) == []
    assert opened.id not in {item.id for item in (await classes.my_classes(platform, thief.actor))[0]}
    for attempt in (
        classes.attended_class(platform, thief.actor, opened.id),
        attendance.my_sessions(platform, thief.actor, opened.id),
        assessment.my_result(platform, thief.actor, opened.id),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_a_roster_that_lists_the_proved_number_opens_its_classes_too(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    owner = await stage.phone(platform, wechat, "openid-owner", cast.TRAINEE)
    april = {"starts_on": admitting.APRIL["starts_on"], "ends_on": admitting.APRIL["ends_on"]}
    same = await listed(platform, cast.TRAINEE, cast.YANGZHOU_OFFICER, **april)
    assert await classes.attended_class(platform, (await anew(platform, owner)).actor, same)


# ---- a claim that nobody checked


async def test_a_false_claim_to_a_number_is_in_nobodys_way(platform: Platform, wechat: Simulator) -> None:
    opened = await admitting.open_class(platform, wechat)
    liar, _ = await admitting.apply(
        platform, wechat, opened.id, Person("虚构人", cast.TRAINEE.id_number, "", "示例市技师学院")
    )
    class_id = await listed(platform, cast.TRAINEE, cast.XINGTAI_OFFICER)
    owner = await stage.phone(platform, wechat, "openid-owner", cast.TRAINEE)
    assert await classes.attended_class(platform, owner.actor, class_id)
    assert owner.actor.person_id != liar.actor.person_id
    member = await stage.register_backbone(platform, cast.TRAINEE)
    assert member == owner.actor.person_id


async def test_the_card_at_the_desk_makes_a_claim_somebody_or_gives_it_to_who_is_known(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await admitting.open_class(platform, wechat, places=3)
    known = await listed(platform, cast.person(41), cast.YANGZHOU_OFFICER)
    [person_id] = [one.person_id for one in await classes.trainees(platform, known)]
    liar = Person("虚构人", cast.person(41).id_number, "", "示例市技师学院")
    claims = [cast.person(41), cast.person(42), liar]
    first = await admitting.admit(platform, wechat, opened, claims[:2])
    clock.set(clock.now() + timedelta(days=28))

    async def confirm(phone: Phone, digits: str = "") -> None:
        await arrival.confirm_arrival(
            platform, XINGTAI, opened.id, phone.actor.person_id, pledge_on_paper=True, phone_digits=digits
        )

    for phone in first:
        await confirm(phone, digits_of(platform, phone.openid))
    known_now, new_now = [(await anew(platform, one)).actor for one in first]
    assert known_now.person_id == person_id and new_now.person_id == first[1].actor.person_id
    for actor in (known_now, new_now):
        assert await classes.attended_class(platform, actor, opened.id)
    people = [one async for one in platform["persons"].find({"_id": {"$in": [person_id, new_now.person_id]}})]
    assert {one["evidence"] for one in people} == {Evidence.STAFF_CONFIRMED}


async def test_a_claim_under_a_false_name_is_refused_at_the_desk(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    opened = await admitting.open_class(platform, wechat)
    await listed(platform, cast.TRAINEE, cast.YANGZHOU_OFFICER)
    liar = Person("虚构人", cast.TRAINEE.id_number, "", "示例市技师学院")
    [phone] = await admitting.admit(platform, wechat, opened, [liar])
    clock.set(clock.now() + timedelta(days=28))
    with pytest.raises(NameDiffers):
        await arrival.confirm_arrival(
            platform, XINGTAI, opened.id, phone.actor.person_id, pledge_on_paper=True
        )


# ---- personal codes


async def test_a_personal_code_opens_the_classes_of_its_institution_once(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    april = {"starts_on": admitting.APRIL["starts_on"], "ends_on": admitting.APRIL["ends_on"]}
    elsewhere = await listed(platform, cast.TRAINEE, cast.YANGZHOU_OFFICER, **april)
    [person_id] = [one.person_id for one in await classes.trainees(platform, held.id)]
    code = await identities.issue_code(platform, XINGTAI, held.id, person_id)
    phone = await stage.phone(platform, wechat, "openid-owner")
    claimed = stage.claim(wechat, phone.openid, cast.TRAINEE).model_copy(
        update={"phone_code": None, "personal_code": code.lower()}
    )
    await binding.bind_real_name(platform, phone.actor, claimed)
    owner = (await anew(platform, phone)).actor
    assert await classes.attended_class(platform, owner, held.id)
    with pytest.raises(NotFound):
        await classes.attended_class(platform, owner, elsewhere)
    await binding.bind_real_name(platform, owner, claimed)  # on a bad network it comes twice
    await binding.let_go(platform, owner, binding.LetGo(reason="换用另一个微信"))
    another = await stage.phone(platform, wechat, "openid-another")
    for one in (owner, another.actor):
        with pytest.raises(PersonalCodeWrong):
            await binding.bind_real_name(platform, one, claimed)


async def test_a_binding_that_comes_twice_is_answered_twice(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    phone = await stage.phone(platform, wechat, "openid-owner")
    claimed = stage.claim(wechat, phone.openid, cast.TRAINEE)
    first = await binding.bind_real_name(platform, phone.actor, claimed)
    assert (await binding.bind_real_name(platform, phone.actor, claimed)).id == first.id
    noted = await platform["audit"].count_documents({"action": "accounts:bind-real-name"})
    assert noted == 2  # the teacher's and this one


async def test_a_personal_code_may_be_guessed_ten_times_and_ends_after_thirty_days(
    platform: Platform, wechat: Simulator, held: ClassInSession, clock: FixedClock
) -> None:
    [person_id] = [one.person_id for one in await classes.trainees(platform, held.id)]
    phone = await stage.phone(platform, wechat, "openid-guesser")

    async def bind_with(code: str) -> None:
        claimed = stage.claim(wechat, phone.openid, cast.TRAINEE)
        shown = claimed.model_copy(update={"phone_code": None, "personal_code": code})
        await binding.bind_real_name(platform, phone.actor, shown)

    right = await identities.issue_code(platform, XINGTAI, held.id, person_id)
    for _ in range(10):
        with pytest.raises(PersonalCodeWrong):
            await bind_with("2222-2222")
    with pytest.raises(PersonalCodeWrong):
        await bind_with(right)
    right = await identities.issue_code(platform, XINGTAI, held.id, person_id)
    clock.advance(timedelta(days=30))
    with pytest.raises(PersonalCodeWrong):
        await bind_with(right)
    await bind_with_none(platform, wechat, phone)
    tried = await platform["audit"].count_documents({"action": "accounts:try-personal-code"})
    assert tried == 10


async def bind_with_none(platform: Platform, wechat: Simulator, phone: Phone) -> None:
    """Without the code the phone waits as any other."""
    claimed = stage.claim(wechat, phone.openid, cast.TRAINEE).model_copy(update={"phone_code": None})
    await binding.bind_real_name(platform, phone.actor, claimed)
    assert (await phones.standing(platform, phone.actor)).state is State.WAITING


# ---- whose acts on a person are


async def test_no_institution_releases_the_phone_of_anybody_on_its_classes(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    owner = await stage.phone(platform, wechat, "openid-owner", cast.TRAINEE)
    asked = await identities.ask(platform, XINGTAI, held.id, owner.actor.person_id, ASKED)
    told, _ = await inbox.my_inbox(platform, owner.actor)
    assert told[0].kind == "release-asked"
    with pytest.raises(NotTheirKeeper):
        await identities.release(platform, XINGTAI, asked.id, Review(seen=1))
    for outsider in (YANGZHOU, JIANGSU):
        with pytest.raises(NotFound):
            await identities.release(platform, outsider, asked.id, Review(seen=1))
    assert (await anew(platform, owner)).actor.roles
    assert [one.count for one in await identities.waiting(platform, HEBEI)] == [1]
    assert await identities.waiting(platform, stage.actor(cast.CENTRE)) == [], "it may decide, and need not"
    await identities.release(platform, HEBEI, asked.id, Review(seen=1))
    assert not (await anew(platform, owner)).actor.roles


async def test_the_province_of_a_teacher_decides_and_not_that_of_whoever_lists_them(
    platform: Platform, wechat: Simulator
) -> None:
    await stage.register_backbone(platform, TEACHER)
    owner = await stage.phone(platform, wechat, "openid-owner", TEACHER)
    class_id = await listed(platform, with_phone_of_attacker(TEACHER), cast.YANGZHOU_OFFICER)
    asked = await identities.ask(platform, YANGZHOU, class_id, owner.actor.person_id, ASKED)
    with pytest.raises(NotFound):
        await identities.release(platform, JIANGSU, asked.id, Review(seen=1))
    wanted = TraineeCorrection(name="试改名", ground=Ground.MISSPELT, reason="核对了身份证原件")
    correction = await corrections.correct_trainee(
        platform, YANGZHOU, class_id, owner.actor.person_id, wanted
    )
    with pytest.raises(NotFound):
        await corrections.approve(platform, JIANGSU, correction.id)
    await corrections.approve(platform, HEBEI, correction.id)
    # What was proved was the name before: a teacher's rights rest until they are proved anew.
    renamed = await anew(platform, owner)
    assert renamed.actor.roles == {Role.TRAINEE} and renamed.actor.name == "试改名"
    claimed = stage.claim(wechat, owner.openid, Person("试改名", TEACHER.id_number, TEACHER.phone, ""))
    await binding.bind_real_name(platform, renamed.actor, claimed)
    assert Role.BACKBONE_TEACHER in (await anew(platform, owner)).actor.roles


def test_the_own_unit_answers_for_a_person_unless_it_runs_a_class_they_are_on() -> None:
    own, province = Keeper(Authority.INSTITUTION, "009"), Keeper(Authority.PROVINCE, "13")
    here = {"unit_province": "13", "province": "13"}
    assert keeper(unit="009", **here, runs_a_class={"019"}) == own
    assert keeper(unit="009", **here, runs_a_class={"009", "019"}) == province
    assert keeper(unit="", unit_province="", province="13", runs_a_class=set()) == province
    assert keeper(unit="017", unit_province="32", province="13", runs_a_class=set()) == province
    assert own.is_(XINGTAI) and not own.is_(YANGZHOU) and not own.is_(HEBEI) and own.is_(CENTRE)
    assert province.is_(HEBEI) and not province.is_(JIANGSU) and not province.is_(XINGTAI)


async def test_the_own_unit_of_a_teacher_releases_their_phone(platform: Platform, wechat: Simulator) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    teacher_id = await stage.register_backbone(platform, TEACHER)  # of 邢台技师学院
    why = identities.Reason(reason="核对身份证原件，原手机遗失")
    owner = await stage.phone(platform, wechat, "openid-owner", TEACHER)
    for outsider in (YANGZHOU, HEBEI):
        with pytest.raises(NotTheirKeeper):
            await identities.release_teacher(platform, outsider, teacher_id, why)
    await identities.release_teacher(platform, XINGTAI, teacher_id, why)
    assert not (await anew(platform, owner)).actor.roles


async def test_without_the_pools_phone_the_province_or_the_centre_opens_the_role(
    platform: Platform, wechat: Simulator
) -> None:
    teacher_id = await stage.register_backbone(
        platform, Person(TEACHER.name, TEACHER.id_number, "", TEACHER.unit)
    )
    phone = await stage.phone(platform, wechat, "openid-owner", TEACHER)
    assert not phone.actor.reach.own
    shown = Digits(phone_digits=digits_of(platform, phone.openid))
    for nobody in (JIANGSU, XINGTAI):
        with pytest.raises(NotTheirKeeper):
            await identities.confirm_teacher(platform, nobody, teacher_id, shown)
    await identities.confirm_teacher(platform, HEBEI, teacher_id, shown)
    assert Role.BACKBONE_TEACHER in (await anew(platform, phone)).actor.roles
    doubt = identities.Reason(reason="看错了证件，不是本人")
    await identities.take_back_teacher(platform, HEBEI, teacher_id, doubt)
    assert Role.BACKBONE_TEACHER not in (await anew(platform, phone)).actor.roles
    with pytest.raises(NotTheirKeeper):
        await identities.set_pool_phone(platform, JIANGSU, teacher_id, PoolPhone(phone=ATTACKERS_PHONE))
    await identities.set_pool_phone(platform, CENTRE, teacher_id, PoolPhone(phone=TEACHER.phone))
    proved = await stage.phone(platform, wechat, "openid-owner", TEACHER)
    assert Role.BACKBONE_TEACHER in proved.actor.roles


# ---- a new phone rests


async def test_a_new_phone_rests_before_it_grades_signs_or_accepts_unless_the_card_is_seen_in_class(
    platform: Platform, wechat: Simulator, held: ClassInSession, session: TeachingSession, clock: FixedClock
) -> None:
    teacher_id = held.teacher.actor.person_id
    april = await stage.open_class(platform, XINGTAI, stage.class_draft(**admitting.APRIL))
    draft = InvitationDraft(kinds=[Kind.TEACHING], teacher_ids=[teacher_id])
    [letter] = await invitations.send(platform, XINGTAI, april.id, draft)
    await stage.release(platform, CENTRE, teacher_id)
    new = await stage.phone(platform, wechat, "openid-new", TEACHER)
    assert Role.BACKBONE_TEACHER in new.actor.roles  # it may look, not act
    with pytest.raises(PhoneRests):
        await invitations.accept(platform, new.actor, letter.id)
    told, _ = await inbox.my_inbox(platform, new.actor)
    assert {"phone-changed", "phone-released"} <= {one.kind for one in told}
    shown = Digits(phone_digits=digits_of(platform, new.openid))
    await identities.confirm_phone(platform, XINGTAI, held.id, teacher_id, shown)
    at_once = await anew(platform, new)
    assert at_once.actor.rests_until is None
    await invitations.accept(platform, at_once.actor, letter.id)


async def test_after_a_day_a_new_phone_is_as_any_other(
    platform: Platform, wechat: Simulator, clock: FixedClock
) -> None:
    await stage.register_backbone(platform, TEACHER)
    old = await stage.phone(platform, wechat, "openid-old", TEACHER)
    assert old.actor.rests_until is None  # the first
    await binding.let_go(platform, old.actor, binding.LetGo(reason="换用另一个微信"))
    new = await stage.phone(platform, wechat, "openid-new", TEACHER)
    april = await stage.open_class(platform, XINGTAI, stage.class_draft(**admitting.APRIL))
    draft = InvitationDraft(kinds=[Kind.TEACHING], teacher_ids=[new.actor.person_id])
    [letter] = await invitations.send(platform, XINGTAI, april.id, draft)
    clock.advance(timedelta(hours=23))
    with pytest.raises(PhoneRests):
        await invitations.accept(platform, new.actor, letter.id)
    clock.advance(timedelta(hours=1))
    await invitations.accept(platform, new.actor, letter.id)


# ---- codes for a class, and a teacher who sees the card


async def test_a_class_gets_codes_for_those_whose_phones_are_not_proved(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    await stage.enrol(platform, cast.XINGTAI_OFFICER, held.id, [cast.SECOND_TRAINEE])
    await stage.phone(platform, wechat, "openid-proved", cast.TRAINEE)
    with pytest.raises(NotFound):
        await identities.issue_codes(platform, YANGZHOU, held.id)
    [issued] = await identities.issue_codes(platform, XINGTAI, held.id)
    assert issued.trainee.name == cast.SECOND_TRAINEE.name
    assert issued.code not in str([row async for row in platform["personal_codes"].find({})])


async def test_a_teacher_confirms_the_phone_of_a_trainee_of_the_own_class_only(
    platform: Platform, wechat: Simulator, held: ClassInSession
) -> None:
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    other = await stage.phone(platform, wechat, "openid-t2", cast.SECOND_BACKBONE_TEACHER)
    phone = await stage.phone(platform, wechat, "openid-owner", cast.TRAINEE, proved=False)
    shown = Digits(phone_digits=digits_of(platform, phone.openid))
    person_id = phone.actor.person_id
    with pytest.raises(NotFound):
        await identities.confirm_phone_as_teacher(platform, other.actor, held.id, person_id, shown)
    await identities.confirm_phone_as_teacher(platform, held.teacher.actor, held.id, person_id, shown)
    assert await classes.attended_class(platform, (await anew(platform, phone)).actor, held.id)
