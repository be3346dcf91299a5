"""Check-in: the path that a whole country takes at nine in the morning.

Requests in flight share their queries and their write (server.kernel.batching). A check-in is its own record: one document,
no transaction; the unique index on session and person decides which of two came first.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pymongo.errors import DuplicateKeyError, PyMongoError

from server.attendance import rules, store
from server.attendance.documents import RefusedScan, Source, TeachingSession
from server.attendance.rules import (
    CheckInVoid,
    CodeInvalid,
    Flag,
    NotEnrolled,
    PhoneUnconfirmed,
    Sighting,
    Status,
)
from server.classes import service as classes
from server.classes.rules import NotArrived
from server.kernel import policies
from server.kernel.batching import Coalescer
from server.kernel.clock import beijing_date
from server.kernel.errors import Problem, Unavailable
from server.kernel.identity import Actor, Reach
from server.kernel.mongo import Row, new_id
from server.kernel.platform import Platform
from server.kernel.queries import look_up_both

REFUSALS_RATE = "30/minute"
"""So many refused scans of one person are listed and answered with their reason."""
log = logging.getLogger("platform.attendance")


class Scan(NamedTuple):
    """What a phone sends. `nonce` is made by the phone for each scan, and sent again when the scan is."""

    code: str
    nonce: str
    device: str | None = None
    seen: Sighting | None = None


class CheckedIn(NamedTuple):
    """A check-in as it is stored (documents.CheckIn), and whether this request made it: False when the person was in already."""

    row: Row
    new: bool
    session: TeachingSession | None = None
    """None where it has been cancelled since."""


class _Attempt(NamedTuple):
    key: tuple[str, str]
    """Session and person."""
    step: int
    at: datetime
    scan: Scan
    reach: Reach


class CheckInDesk:
    """Takes the scans of all phones that this process serves. Made once an application."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._key = rules.code_key(platform.settings.code_secret.get_secret_value())
        self._attempts: Coalescer[_Attempt, CheckedIn] = Coalescer(self._judge)
        self._refusals: Coalescer[RefusedScan, None] = Coalescer(self._list_refusals, lanes=1)
        self._names: Coalescer[str, str] = Coalescer(self._name_classes)

    async def check_in(self, actor: Actor, scan: Scan) -> CheckedIn:
        """Checks the actor in; when this returns, the check-in is durable. Sent again, it answers the same.

        Raises CodeInvalid, CodeExpired, SessionNotOpen, NotEnrolled, NotArrived, PhoneUnconfirmed: a refused scan leaves no attendance
        and is listed.
        """
        now = self._platform.clock.now()  # the moment of arrival counts, not of our turn
        try:
            code = rules.read_code(scan.code, self._key)
            return await self._attempts(
                _Attempt((code.session_id, actor.person_id), code.step, now, scan, actor.reach)
            )
        except Problem as problem:
            if problem.status < 500:
                await self._refuse(actor, scan, problem, now)
            raise

    async def class_name(self, session: TeachingSession) -> str:
        """What the class of a session is called, to tell whoever has checked in where they are."""
        return await self._names(session.class_id)

    async def _name_classes(self, class_ids: Sequence[str]) -> Sequence[str | Exception]:
        found = await classes.classes_of(self._platform, sorted(set(class_ids)))
        return [found[one].name for one in class_ids]

    async def _judge(self, attempts: Sequence[_Attempt]) -> Sequence[CheckedIn | Exception]:
        """What the look-up says decides, and the time when it has come back: nothing is written to a session that counts as held."""
        sessions, enrolled = await look_up_both(
            self._platform,
            store.sessions_by_id({one.key[0] for one in attempts}),
            classes.enrolled_pairs({one.key[1] for one in attempts}),
        )
        refused: dict[int, Exception] = {}
        first: dict[tuple[str, str], int] = {}
        rows: list[Row] = []
        now = self._platform.clock.now()
        lenient = await self._lenient(attempts, sessions)
        for position, attempt in enumerate(attempts):
            try:
                row = _judged(attempt, sessions.get(attempt.key[0]), enrolled, now, lenient=lenient)
            except Exception as reason:  # whatever it is, it is this one's own
                refused[position] = reason
            else:
                if first.setdefault(attempt.key, position) == position:
                    rows.append(row)
        written, failed, earlier = await self._write(rows, {attempts[position].key for position in refused})
        answers: list[CheckedIn | Exception] = []
        for position, attempt in enumerate(attempts):
            key = attempt.key
            if known := written.get(key):
                answers.append(CheckedIn(known, first[key] == position, sessions.get(key[0])))
            elif known := earlier.get(key):
                void = known["status"] == Status.VOID
                answers.append(CheckInVoid() if void else CheckedIn(known, False, sessions.get(key[0])))
            else:
                answers.append(refused.get(position) or failed.get(key) or Unavailable())
        return answers

    async def _lenient(self, attempts: Sequence[_Attempt], sessions: Mapping[str, TeachingSession]) -> bool:
        """Whether phones that wait to be confirmed may check in; asked only where there is one."""
        found = ((one.reach, sessions.get(one.key[0])) for one in attempts)
        if all(session is None or reach.opens(session.institution_code) for reach, session in found):
            return False
        in_force = await policies.on(self._platform, beijing_date(self._platform.clock.now()))
        return in_force.unconfirmed_may_check_in

    async def _write(
        self, rows: Sequence[Row], refused: set[tuple[str, str]]
    ) -> tuple[dict[tuple[str, str], Row], dict[tuple[str, str], Exception], dict[tuple[str, str], Row]]:
        """Writes the rows; returns those written, what went wrong with others, and the check-ins that were there before,
        also of those whose scan was `refused`: who is in already is told so, though the code has expired since."""
        written = {(row["session_id"], row["person_id"]): row for row in rows}
        failed: dict[tuple[str, str], Exception] = {}
        before = set(refused)
        wrong = await store.insert_check_ins(self._platform, rows) if rows else {}
        for position, error in wrong.items():
            key = rows[position]["session_id"], rows[position]["person_id"]
            del written[key]
            if isinstance(error, DuplicateKeyError):
                before.add(key)
            else:
                failed[key] = error
        there = await store.check_ins_of(self._platform, before - written.keys())
        return written, failed, {key: one.to_mongo() for key, one in there.items()}

    async def _refuse(self, actor: Actor, scan: Scan, problem: Problem, now: datetime) -> None:
        """Lists a refused scan, under its session where that is known. Raises TooManyRequests instead of the hundredth."""
        await self._platform.limiter.hit("refused-scan", REFUSALS_RATE, actor.person_id)
        try:
            await self._refusals(
                RefusedScan(
                    session_id=await self._session_of(actor, scan, problem),
                    person_id=actor.person_id,
                    name=actor.name,
                    reason=problem.slug,
                    at=now,
                )
            )
        except PyMongoError as error:  # the person is told why the scan was refused in any case
            log.warning("a refused scan could not be listed: %s", type(error).__name__)

    async def _session_of(self, actor: Actor, scan: Scan, problem: Problem) -> str | None:
        """The session of a genuine code; of a forged one only where the person is of that class: no stranger fills its list."""
        session_id = rules.claimed_session(scan.code)
        if session_id is None or not isinstance(problem, CodeInvalid):
            return session_id
        session = await store.session(self._platform, session_id)
        if session and await classes.is_enrolled(self._platform, session.class_id, actor.person_id):
            return session_id
        return None

    async def _list_refusals(self, refusals: Sequence[RefusedScan]) -> Sequence[None]:
        await store.insert_refused_scans(self._platform, refusals)
        return [None] * len(refusals)


def _judged(
    attempt: _Attempt,
    session: TeachingSession | None,
    awaited: Mapping[tuple[str, str], bool],
    now: datetime,
    *,
    lenient: bool,
) -> Row:
    """The row that an attempt earns. `awaited`: who is enrolled, and whether their arrival is awaited. `lenient`: a phone that nothing
    proves to be theirs here checks in with a flag. Raises the refusal.
    """
    session_id, person_id = attempt.key
    if session is None:
        raise CodeInvalid("这个课次已取消。请向授课教师确认。")
    awaits_arrival = awaited.get((session.class_id, person_id))
    if awaits_arrival is None:
        raise NotEnrolled()
    if awaits_arrival:
        raise NotArrived()
    proved = attempt.reach.opens(session.institution_code)
    if not (proved or lenient):
        raise PhoneUnconfirmed()
    rules.check_fresh(attempt.step, session.code_step_seconds, session.code_grace_seconds, attempt.at)
    rules.require_open(session.opens_at, session.closes_at, attempt.at)
    if now >= session.ends_at + rules.LAST_WRITE_AFTER:
        raise rules.SessionNotOpen("本课次已经结束，签到没有记上。如已到课，请联系授课教师或班务人员补签。")
    fence = session.geofence
    where = rules.whereabouts(fence.centre, fence.radius_m, attempt.scan.seen) if fence else rules.NOT_ASKED
    return {
        "_id": new_id(),
        "session_id": session_id,
        "class_id": session.class_id,
        "person_id": person_id,
        "status": rules.status_at(session.late_after, attempt.at),
        "source": Source.CODE,
        "checked_in_at": attempt.at,
        "flags": [*where.flags, *([] if proved else [Flag.UNCONFIRMED_PHONE])],
        "nonce": attempt.scan.nonce,
        "device": attempt.scan.device,
        "distance_m": where.distance_m,
        "accuracy_m": where.accuracy_m,
        "registered_by": None,
        "reason": None,
        "changes": [],
        "verdicts": [],
    }
