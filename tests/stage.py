"""Sets the stage: puts members of the cast where a test needs them, through the same services as the platform."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from server.accounts import binding, passwords, phones, second_factor, staff, totp
from server.accounts.binding import RealName
from server.accounts.documents import Account, SecondFactor
from server.accounts.fictional import roster_of
from server.accounts.phones import PhoneAuthenticator
from server.attendance import rules as attendance_rules
from server.attendance import store as attendance_store
from server.attendance import timetable
from server.attendance.documents import CheckIn, Source, TeachingSession
from server.attendance.timetable import SessionDraft
from server.backbone.rules import Proof
from server.classes import roster_import
from server.classes import service as classes
from server.classes.documents import TrainingClass
from server.classes.rules import Kind
from server.classes.service import ClassDraft
from server.institutions.rules import Level
from server.invitations import service as invitations
from server.invitations.service import InvitationDraft
from server.kernel.identity import Actor
from server.kernel.platform import Platform
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.selection import entry
from server.selection.entry import Registration
from server.wechat.simulator import Simulator
from tests import cast, opening
from tests.cast import Officer, Person
from tests.memory import memory_of, remembered

LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)


def actor(officer: Officer) -> Actor:
    """An officer as the services see one; no account is stored."""
    return staff.actor_of(
        Account(
            id=officer.username.ljust(24, "0")[:24],
            username=officer.username,
            name=officer.name,
            role=officer.role,
            province_code=officer.province_code,
            institution_code=officer.institution_code,
            password_hash="",
            must_change_password=False,
            created_at=LONG_AGO,
        )
    )


async def sign_up(platform: Platform, officer: Officer) -> None:
    """Stores the officer's account with the officer's own password, already changed once.

    Those who must have a second factor have one, with the officer's own secret: see `code_for`.
    """
    account = Account(
        username=officer.username,
        name=officer.name,
        role=officer.role,
        province_code=officer.province_code,
        institution_code=officer.institution_code,
        password_hash=await passwords.hash_password(officer.password),
        must_change_password=False,
        created_at=platform.clock.now(),
        second_factor=await _second_factor(platform, officer) if has_second_factor(officer) else None,
    )
    await platform["accounts"].insert_one(account.to_mongo())


def has_second_factor(officer: Officer) -> bool:
    return officer.role in second_factor.OVERSEERS


def secret_of(officer: Officer) -> str:
    """What the officer's authenticator app keeps: the same in every run."""
    return base64.b32encode(hashlib.sha1(officer.username.encode()).digest()).decode()


def code_for(platform: Platform, officer: Officer, *, steps: int = 0) -> str:
    """What the officer's app shows now, or `steps` of 30 seconds later. A code serves once."""
    return totp.code_at(secret_of(officer), totp.step_at(platform.machine.now()) + steps)


async def _second_factor(platform: Platform, officer: Officer) -> SecondFactor:
    [sealed] = await platform.vault.encrypt_random([secret_of(officer)])
    return SecondFactor(secret=sealed, enrolled_at=platform.clock.now(), last_step=0, recovery=[])


def class_draft(**changes: object) -> ClassDraft:
    """三级 class in 机械类, of 邢台 unless the actor says otherwise, running through March 2026."""
    draft: dict[str, object] = {
        "name": "2026年3月三级教师培训班",
        "level": Level.THREE,
        "major": "01",
        "courses": ["工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"],
        "class_hours": 80,
        "starts_on": date(2026, 3, 16),
        "ends_on": date(2026, 3, 27),
        "place": "实训楼 301",
    }
    return ClassDraft.model_validate(draft | changes)


@transactional
async def open_class(unit: UnitOfWork, draft: ClassDraft) -> TrainingClass:
    """A class of the actor's institution without the way through plan and application."""
    return await classes.make_class(unit, draft, institution_code=unit.actor.institution_code or "")


async def clear(platform: Platform) -> None:
    """Begins the stage anew between the examples of one test: annex 1 and the data key stand, and WeChat knows nobody."""
    memory_of(platform).begin_again()
    await opening.first_start(platform)


async def register_backbone(platform: Platform, person: Person, majors: Sequence[str] = ("01",)) -> str:
    """Enters a teacher into the pool; returns the person's id."""
    wanted = Registration(
        name=person.name,
        id_number=person.id_number,
        province_code=cast.HEBEI,
        work_unit=person.unit,
        majors=list(majors),
        proof=Proof.PAPER,
        paper_number="人社培试〔2022〕7 号",
        paper_dated_on=date(2022, 12, 20),
        phone=person.phone,
    )
    return (await entry.register(platform, actor(cast.CENTRE), wanted)).id


async def enrol(platform: Platform, officer: Officer, class_id: str, people: Sequence[Person]) -> list[str]:
    """Imports a roster; returns the person ids in its order."""
    preview = await roster_import.preview_roster(
        platform, actor(officer), class_id, "名册.xlsx", roster_of(people)
    )
    await roster_import.confirm_roster(platform, actor(officer), preview.id)
    by_masked_name = {one.name: one.person_id for one in await classes.trainees(platform, class_id)}
    return [by_masked_name[one.name] for one in people]


@dataclass(frozen=True)
class Phone:
    """A phone that has logged in: its openid, its bearer token and who speaks through it."""

    openid: str
    token: str
    actor: Actor

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def claim(wechat: Simulator, openid: str, person: Person) -> RealName:
    """What the phone says of its owner, and shows: the number of the SIM, which the simulated WeChat knows."""
    wechat.world.phone(openid).sim = person.phone
    return RealName(
        name=person.name,
        id_number=person.id_number,
        consent_version="2026-11",
        phone_code=wechat.world.give_code(openid, "phone-number"),
    )


async def phone(
    platform: Platform, wechat: Simulator, openid: str, person: Person | None = None, *, proved: bool = True
) -> Phone:
    """Logs a phone in through the simulated WeChat and, given a person of some roster, binds it to them with the number of its SIM, or
    says only who they are."""
    session = await phones.log_in(platform, wechat.world.give_code(openid))
    authenticator = PhoneAuthenticator(platform)
    if person:
        claimed = claim(wechat, openid, person)
        if not proved:
            claimed = claimed.model_copy(update={"phone_code": None})
        await binding.bind_real_name(platform, await authenticator.actor_of(session.token), claimed)
    return Phone(openid, session.token, await authenticator.actor_of(session.token))


@transactional
async def release(unit: UnitOfWork, person_id: str, reason: str = "更换手机") -> None:
    """Whoever answers for the person has released their phone."""
    await binding.release(unit, person_id, reason)


async def teach(
    platform: Platform, officer: Actor, class_id: str, teacher: Phone, kind: Kind = Kind.TEACHING
) -> str:
    """The institution invites a backbone teacher, who accepts on the phone; returns the invitation's id."""
    draft = InvitationDraft(kinds=[kind], teacher_ids=[teacher.actor.id])
    [sent] = await invitations.send(platform, officer, class_id, draft)
    await invitations.accept(platform, teacher.actor, sent.id)
    return sent.id


async def assess(platform: Platform, opened: ClassInSession) -> None:
    """The class's teacher assesses it too: from now on they may grade (article 6)."""
    now = await classes.get_class(platform, opened.officer, opened.id)
    if Kind.ASSESSMENT not in now.kinds_of(opened.teacher.actor.person_id):
        await teach(platform, opened.officer, opened.id, opened.teacher, Kind.ASSESSMENT)


@dataclass(frozen=True)
class ClassInSession:
    """A class of 邢台 with its teacher and trainees on their phones."""

    training_class: TrainingClass
    officer: Actor
    teacher: Phone
    trainees: list[Phone]

    @property
    def id(self) -> str:
        return self.training_class.id


@remembered
async def class_in_session(
    platform: Platform, wechat: Simulator, trainees: int = 2, **changes: object
) -> ClassInSession:
    """A class of 邢台技师学院 with one backbone teacher and `trainees` bound trainees; `changes` are those of class_draft."""
    officer = actor(cast.XINGTAI_OFFICER)
    new = await open_class(platform, officer, class_draft(**changes))
    await register_backbone(platform, cast.BACKBONE_TEACHER)
    teacher = await phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    await teach(platform, officer, new.id, teacher)
    people = cast.people(trainees)
    if people:
        await enrol(platform, cast.XINGTAI_OFFICER, new.id, people)
    return ClassInSession(
        await classes.get_class(platform, officer, new.id),
        officer,
        teacher,
        [await phone(platform, wechat, f"openid-trainee-{n}", one) for n, one in enumerate(people)],
    )


def session_draft(**changes: object) -> SessionDraft:
    """A morning of the class, 2026-03-17 from 09:00 to 12:00 in Beijing: check-in from 08:40 to 09:30, late after 09:05."""
    nine = datetime(2026, 3, 17, 1, 0, tzinfo=UTC)
    draft: dict[str, object] = {
        "title": "第 2 天上午",
        "place": "实训楼 301",
        "starts_at": nine,
        "ends_at": nine + timedelta(hours=3),
    } | changes
    length: timedelta = draft["ends_at"] - draft["starts_at"]  # type: ignore[operator]  # two moments
    return SessionDraft.model_validate({"hours": length // timedelta(minutes=45)} | draft)


@remembered
async def teaching_session(platform: Platform, opened: ClassInSession, **changes: object) -> TeachingSession:
    """A session of the class, added by its institution."""
    return await timetable.add_session(platform, opened.officer, opened.id, session_draft(**changes))


HELD_HOURS = (12, 12, 12, 12, 12, 12, 8)
"""The 80 class hours of the stage's class, in long days."""


async def hold(
    platform: Platform, training_class: TrainingClass, person_ids: Sequence[str], first_day: date
) -> datetime:
    """Writes what stands after the whole class has been held from `first_day` on and these people were there; returns when it was over."""
    mornings = [attendance_rules.at(first_day + timedelta(days=n), time(8)) for n in range(len(HELD_HOURS))]
    sessions = [
        TeachingSession(
            class_id=training_class.id,
            institution_code=training_class.institution_code,
            province_code=training_class.province_code,
            title=f"第 {number} 天",
            course=training_class.courses[0],
            place=training_class.place,
            hours=hours,
            code_step_seconds=5,
            code_grace_seconds=2,
            created_at=platform.clock.now(),
            **vars(attendance_rules.usual_times(starts_at, starts_at + timedelta(minutes=45 * hours))),
        )
        for number, (hours, starts_at) in enumerate(zip(HELD_HOURS, mornings, strict=True), start=1)
    ]
    await attendance_store.insert_sessions(platform, sessions)
    check_ins = [
        CheckIn(
            session_id=session.id,
            class_id=training_class.id,
            person_id=person_id,
            status=attendance_rules.Status.PRESENT,
            source=Source.CODE,
            checked_in_at=session.starts_at,
        ).to_mongo()
        for session in sessions
        for person_id in person_ids
    ]
    if check_ins:
        await attendance_store.insert_check_ins(platform, check_ins)
    return sessions[-1].ends_at + attendance_rules.SETTLES_AFTER


async def come(platform: Platform, class_id: str, *phones: Phone) -> None:
    """Everybody of the class, or whoever has these phones, stands as present in each session that has ended and that nobody came to; of a
    class without people somebody does who has left it since. Without them no session was held (attendance.hours.held)."""
    sessions = await attendance_store.sessions_of_class(platform, class_id)
    over = [one for one in sessions if one.ends_at <= platform.clock.now()]
    there = await attendance_store.with_check_ins(platform, [one.id for one in over])
    people = [one.actor.person_id for one in phones] or [
        one.person_id for one in await classes.trainees(platform, class_id)
    ]
    check_ins = [
        CheckIn(
            session_id=one.id,
            class_id=class_id,
            person_id=person_id,
            status=attendance_rules.Status.PRESENT,
            source=Source.CODE,
            checked_in_at=one.starts_at,
        ).to_mongo()
        for one in over
        if one.id not in there
        for person_id in people or ["9" * 24]
    ]
    if check_ins:
        await attendance_store.insert_check_ins(platform, check_ins)


def code_of(platform: Platform, session: TeachingSession, *, steps: int = 0) -> str:
    """The text on the screen at this moment, or `steps` later."""
    step = attendance_rules.step_at(platform.clock.now(), session.code_step_seconds) + steps
    key = attendance_rules.code_key(platform.settings.code_secret.get_secret_value())
    return attendance_rules.write_code(attendance_rules.Code(session.id, step), key)
