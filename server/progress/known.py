"""What is known of a class, and what a step of it says: the words that `rules` reckons with. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from server.classes.rules import Kind, Stage, stage
from server.kernel.titled import Titled
from server.schemes.rules import State as SchemeState

SOON = timedelta(days=7)
"""Before a class begins: from then on its people need their phones bound, and a class without a scheme its timetable."""


class Phase(Titled):
    """Where a class stands, from its approval to its last certificate."""

    PREPARE = "PREPARE", "筹备"
    ENROL = "ENROL", "招生"
    TEACH = "TEACH", "教学"
    ASSESS = "ASSESS", "考核"
    CLOSE = "CLOSE", "结业"


NOT_HELD = "未举办"
"""环节 of a class that died: its days are over, and it is to be called off, ended or put off."""
NOT_HELD_STEP = "not-held-at-all"
"""The key of the step that says so."""


class Owner(Titled):
    """Whose a step is."""

    INSTITUTION = "INSTITUTION", "培训机构"
    PROVINCE = "PROVINCE", "省级管理部门"
    CENTRE = "CENTRE", "部指导中心"
    TEACHERS = "TEACHERS", "骨干教师"
    TRAINEES = "TRAINEES", "参训教师"


@dataclass(frozen=True)
class Step:
    """Something that waits to be done."""

    title: str
    """What is to be done, a sentence."""
    owner: Owner
    who: str
    """The owner in words: 邢台技师学院, 河北省级管理部门, 骨干教师王老师."""
    since: date | None
    """Since when it waits."""
    due: date | None
    """From policy, or the class's own dates."""
    url: str
    """An absolute path under /admin, or "" where the viewer can open nothing."""
    phase: Phase
    blocked_by: str = ""
    """What has to come first, in words."""
    key: str = ""
    """What kind of step it is: of one kind a class has one at a time."""
    item: str = ""
    """Names the thing for 催办: the step, or the document under review that it is; empty where nobody can be asked."""
    beside: bool = False
    """The class goes on without it: it is done beside what leads."""

    def is_of(self, office: Owner) -> bool:
        """Whether it waits for this office; a change that another institution is asked to take people in for (no item) is that one's."""
        return self.owner is office and (office is not Owner.INSTITUTION or bool(self.item))

    def overdue_on(self, today: date) -> bool:
        return self.due is not None and today > self.due


@dataclass(frozen=True)
class Days:
    """How long things may take: from the policies in force."""

    review: int = 5
    revision: int = 5
    grading: int = 7
    release: int = 30
    issue: int = 15


@dataclass(frozen=True)
class Count:
    """So many things that wait, the oldest of them since `since`."""

    number: int
    since: date


@dataclass(frozen=True)
class Letters:
    """The invitations of a class for one kind of work."""

    names: tuple[str, ...] = ()
    """Who is asked and has not answered."""
    since: date | None = None
    reply_until: date | None = None
    lost: bool = False
    """Everybody who was asked has declined, or let it expire."""
    lapsed_on: date | None = None
    """Where nobody is asked and nobody has accepted any more: since when."""


@dataclass(frozen=True)
class SchemeFacts:
    """The newest version of a scheme."""

    state: SchemeState
    since: date
    id: str = ""
    by_teacher: bool = False
    unsigned: tuple[str, ...] = ()
    """The teachers of the class who have not signed it."""
    signed_on: date | None = None
    """When somebody last signed it."""


@dataclass(frozen=True)
class ChangeFacts:
    """A change of the class that is not settled."""

    id: str
    kind: str
    since: date
    waits_for: Owner
    who: str
    """Of another institution, its name."""

    @property
    def returned(self) -> bool:
        return self.waits_for is Owner.INSTITUTION and not self.who


@dataclass(frozen=True)
class SurveyFacts:
    """The survey that runs."""

    since: date
    closes_on: date
    silent: int
    """How many may answer and have not."""
    few: str = ""
    """Where it ends soon and few have answered: how it stands, in words."""


@dataclass(frozen=True)
class NotHeld:
    """What is over and nobody came to, as far as the class is short of its hours by it."""

    sessions: int
    hours: int
    since: date


@dataclass(frozen=True)
class SessionFacts:
    """A session of today that is not over."""

    id: str
    title: str
    span: str


@dataclass(frozen=True)
class ClassFacts:
    """What the chapters know of a class. Everything that may be missing has a default: a class of which nothing else is known."""

    class_id: str
    institution_name: str
    province_name: str
    opened_on: date
    starts_on: date
    ends_on: date
    days: Days = Days()
    ended: bool = False
    """Called off or terminated."""
    released_on: date | None = None
    applied: bool = False
    """Made by a 开班申请: it needs a scheme."""
    kinds: frozenset[Kind] = frozenset()
    """What backbone teachers have accepted to do."""
    letters: dict[Kind, Letters] = field(default_factory=dict)
    unanswered: Count | None = None
    """Letters for what nobody has accepted yet that were not answered in time, beside others that stand."""
    governed: bool = False
    """A version of its scheme is approved."""
    scheme: SchemeFacts | None = None
    trainees: int = 0
    roster_since: date | None = None
    """Since when an upload waits to be confirmed."""
    enrolment_opens: date | None = None
    enrolment_closes: date | None = None
    applicants: Count | None = None
    """Wait for the institution's word."""
    applicants_of_teachers: Count | None = None
    """Wait for a teacher's."""
    teachers_unbound: tuple[str, ...] = ()
    trainees_unbound: int = 0
    not_arrived: int = 0
    sessions: int = 0
    sessions_today: tuple[SessionFacts, ...] = ()
    nobodys: Count | None = None
    """Sessions that name somebody who teaches the class no more, the first on `since`."""
    unscheduled: int = 0
    """Hours of the scheme that no session gives."""
    held: int = 0
    """Hours of sessions to which somebody came."""
    missing: int = 0
    """Hours that are owed, and neither held nor yet to come: those that are unscheduled, and those of the next."""
    not_held: NotHeld | None = None
    tasks: bool = True
    """There is something to be assessed by."""
    releasable_since: date | None = None
    """Within the days of the class: all was held and graded, and since then its results may be released."""
    change: ChangeFacts | None = None
    place: tuple[str, date] | None = None
    """Id of a place of it that waits for the province, and since when."""
    ungraded: Count | None = None
    """Submissions whose day has come (`since` is the first deadline)."""
    ungraded_early: int = 0
    """Submissions whose day has not."""
    teaching_names: tuple[str, ...] = ()
    assessing_names: tuple[str, ...] = ()
    reopened: tuple[str, date] | None = None
    """Why the released results are open again, and since when."""
    reopening: tuple[str, date] | None = None
    """Id of a request for it that waits, and since when."""
    survey: SurveyFacts | None = None
    surveyed: bool = False
    """There is or was a survey."""
    survey_closed_on: date | None = None
    """Where no certificate comes without one: the day on which it was over, and let those pass who have not answered."""
    certificates_due: int = 0
    certificates_failed: int = 0
    """That have their numbers, and could not be made."""

    @property
    def ready_by(self) -> date:
        """Until when what comes before the class should be done: the province needs its days before the first one."""
        return max(self.opened_on, self.starts_on - timedelta(days=self.days.review))

    @property
    def near_from(self) -> date:
        """From when on it begins soon."""
        return max(self.opened_on, self.starts_on - SOON)

    def due_of(self, since: date) -> date:
        """The same of what came up on that day: what came up later than it should have been done has the days of a revision."""
        return self.ready_by if since <= self.ready_by else since + timedelta(days=self.days.revision)

    def died_by(self, today: date) -> bool:
        """Whether its days are over and nothing came of it, nor can: nobody is in it, or no session was planned that anybody came to."""
        over = self.released_on is None and not self.ended and self.stage_on(today) is Stage.FINISHED
        return over and not (self.trainees and (self.sessions or self.held))

    def stage_on(self, today: date) -> Stage:
        return Stage.FINISHED if self.ended else stage(self.starts_on, self.ends_on, today)


def phase_of(facts: ClassFacts, today: date) -> Phase:
    """Where the class stands: what is released is closing, and before it begins a class is prepared until its teachers and its scheme
    are there."""
    if facts.ended or facts.released_on is not None:
        return Phase.CLOSE
    match facts.stage_on(today):
        case Stage.FINISHED:
            return Phase.ASSESS
        case Stage.ONGOING:
            return Phase.TEACH
    prepared = facts.kinds >= set(Kind) and (facts.governed or not facts.applied)
    return Phase.ENROL if prepared else Phase.PREPARE


def stands(facts: ClassFacts, today: date) -> str:
    """The same in a word (环节); of a class that died, that it was not held."""
    return NOT_HELD if facts.died_by(today) else phase_of(facts, today).label


def province_office(province: str) -> str:
    """Of a province by its name."""
    return f"{province}{Owner.PROVINCE.label}"
