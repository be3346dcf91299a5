"""The code of this moment, on the classroom's screen and on the teacher's phone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from server.attendance import rules, service
from server.attendance.documents import TeachingSession
from server.attendance.rules import Code, Window
from server.kernel.identity import Actor
from server.kernel.platform import Platform


@dataclass(frozen=True)
class CodeOnScreen:
    """The code of this moment: accepted until `expires_at`; the next one comes in `next_in` seconds."""

    code: str
    expires_at: datetime
    next_in: float


async def code_for_screen(
    platform: Platform, actor: Actor, class_id: str, session_id: str
) -> tuple[TeachingSession, Window, CodeOnScreen | None]:
    """The code of this moment for the classroom's screen; None outside of the session's window."""
    session = await service.session_in_reach(platform, actor, class_id, session_id)
    now = platform.clock.now()
    state = session.window(now)
    return session, state, _code(platform, session, now) if state is Window.OPEN else None


async def code_for_phone(platform: Platform, actor: Actor, session_id: str) -> CodeOnScreen:
    """The code of this moment for a teacher's phone. Raises SessionNotOpen outside of the session's window."""
    session = await service.taught_session(platform, actor, session_id)
    now = platform.clock.now()
    rules.require_open(session.opens_at, session.closes_at, now)
    return _code(platform, session, now)


def _code(platform: Platform, session: TeachingSession, now: datetime) -> CodeOnScreen:
    key = rules.code_key(platform.settings.code_secret.get_secret_value())
    step = rules.step_at(now, session.code_step_seconds)
    ends = rules.step_starts(step + 1, session.code_step_seconds)
    return CodeOnScreen(
        rules.write_code(Code(session.id, step), key),
        rules.expires_at(step, session.code_step_seconds, session.code_grace_seconds),
        (ends - now).total_seconds(),
    )
