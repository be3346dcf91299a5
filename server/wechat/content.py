"""内容安全: what people publish from their phones is shown to WeChat's content check (article 25.4: 谁发布，谁负责；遵守网络安全法律法规).

`screen` asks before anything is written; `note` writes, in the transaction of the use case, what WeChat did not simply let pass; a job
(`check_waiting`) asks again for what could not be asked, and asks about pictures, whose verdicts come by push (`settle_media`); people
decide on what is left (`decide`). What is refused, what is only flagged and why: server/decisions/0007-content-checks.md.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, Concatenate, ParamSpec, Protocol

from pymongo.errors import DuplicateKeyError

from server.kernel import policies
from server.kernel.clock import beijing_date
from server.kernel.downloads import Download
from server.kernel.errors import Conflict, FieldError, Invalid, NotFound, Problem, TooManyRequests
from server.kernel.identity import Actor, system
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.kernel.unit_of_work import Scope, UnitOfWork, rehearse, transactional
from server.kernel.waiting import Owed, Waiting, counted
from server.wechat import content_store as store
from server.wechat import text_checks
from server.wechat.content_documents import OPEN, PENDING, ContentCheck, State
from server.wechat.text_checks import never, state_of

P = ParamSpec("P")

LARGEST_PICTURE = 10 * 2**20
PICTURES = frozenset({"image/png", "image/jpeg", "image/webp"})

GIVE_UP_AFTER = timedelta(hours=2)
"""WeChat answers only about phones that were in the mini-program within two hours."""
CLAIM = timedelta(minutes=1)
RETRY = timedelta(minutes=2)
PUSH_WITHIN = timedelta(minutes=40)
"""WeChat promises the verdict on a picture within 30 minutes; after this it is asked once more."""
LINK_LIVES = timedelta(minutes=35)
MOST_AT_ONCE = 50
COUNTED_MOST = 1000

JOB = system("check-content")


class Scene(IntEnum):
    """What WeChat wants to know of a text: 资料, 评论, 论坛, 社交日志."""

    PROFILE = 1
    COMMENT = 2
    FORUM = 3
    LOG = 4


class ContentRefused(Invalid):
    slug = "content-refused"
    title = "内容可能违规，没有提交"
    default_detail = (
        "微信内容安全检查认为所填内容可能违规，没有提交。请修改后再试；如认为有误，请联系培训机构。"
    )


class CheckSettled(Conflict):
    slug = "content-check-settled"
    title = "这项内容已经查看过"
    default_detail = "这项内容已有查看结果，请刷新后再看。"


@dataclass(frozen=True)
class Doubt:
    """A text that WeChat wants a person to look at (REVIEW), or could not be asked about (WAITING)."""

    part: str
    text: str
    state: State
    label: int | None


@dataclass(frozen=True)
class Screened:
    """What is left to note of the texts of one use case; empty when all of them passed."""

    openid: str
    scene: Scene
    doubts: tuple[Doubt, ...] = ()


UNASKED = Screened("", Scene.COMMENT)
"""For an act that is rehearsed before its texts are asked about."""


@dataclass(frozen=True)
class Subject:
    """What the texts and pictures belong to, and who is responsible for it."""

    key: str
    title: str
    class_id: str | None = None
    class_name: str = ""
    institution_code: str = ""
    province_code: str = ""


class _Class(Protocol):
    """A training class, as far as it matters here."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def institution_code(self) -> str: ...
    @property
    def province_code(self) -> str: ...


def of_class(item: _Class, key: str, title: str) -> Subject:
    return Subject(key, title, item.id, item.name, item.institution_code, item.province_code)


@dataclass(frozen=True)
class Picture:
    file_id: str
    name: str
    media_type: str
    size: int
    content_id: str = ""
    """Of the file in GridFS where that is another."""


# ---- before it is written


async def screen(
    platform: Platform,
    actor: Actor,
    scene: Scene,
    texts: Mapping[str, str],
    *,
    refuse: bool = True,
    counted: bool = True,
) -> Screened:
    """Asks WeChat about the texts (field → words) that a phone wants to publish. Raises ContentRefused, naming the fields, TooManyRequests.

    They are texts that will be kept (`kept_by`, or a read before): WeChat's quota is everybody's.
    `refuse=False`: even a risky text is only flagged, where somebody has a right to be heard. Never fails because WeChat does:
    what could not be asked is noted as waiting. Staff have no openid, which WeChat insists on: their texts are not asked about.
    `counted=False`: where the count of a phone's questions would say too much; the route then has its own limit.
    """
    given = [(part, text) for part, text in texts.items() if text.strip()]
    if actor.openid is None or not given:
        return Screened(actor.openid or "", scene)
    try:
        answers = await text_checks.ask_about_all(
            platform, actor.openid, scene, [text for _, text in given], counted=counted
        )
    except TooManyRequests:
        if refuse:
            raise
        answers = [(State.WAITING, None)] * len(given)
    verdicts = [(part, text, *answer) for (part, text), answer in zip(given, answers, strict=True)]
    refused = [part for part, _, state, _ in verdicts if state is State.RISKY]
    if refused and refuse:
        raise ContentRefused(fields=[FieldError(part, "内容可能违规，请修改。") for part in refused])
    doubts = [
        Doubt(part, text, state, label) for part, text, state, label in verdicts if state is not State.PASSED
    ]
    return Screened(actor.openid, scene, tuple(doubts))


async def kept_by(
    texts: Mapping[str, str],
    act: Callable[Concatenate[Platform, Actor, P], Coroutine[Any, Any, object]],
    platform: Platform,
    actor: Actor,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Mapping[str, str]:
    """These texts as far as an act would keep them: none when it was done before. Raises what it raises, for it is rehearsed."""
    if actor.openid is None or not any(text.strip() for text in texts.values()):
        return {}
    return texts if await rehearse(act, platform, actor, *args, **kwargs) else {}


async def note(unit: UnitOfWork, screened: Screened, subject: Subject) -> None:
    """Part of the use case whose texts were screened: what did not simply pass is flagged, or waits to be asked about."""
    await store.insert(
        unit,
        [
            _new(unit, screened.openid, screened.scene, subject, doubt.part, doubt.state).model_copy(
                update={"text": doubt.text, "label": doubt.label}
            )
            for doubt in screened.doubts
        ],
    )


@transactional
async def note_alone(unit: UnitOfWork, screened: Screened, subject: Subject) -> None:
    """The same in a transaction of its own, for a use case that cannot take it along."""
    if not screened.doubts:
        return unit.nothing_written()
    await note(unit, screened, subject)
    unit.audit("content:flag", subject.key, parts=len(screened.doubts))
    return None


async def note_pictures(
    unit: UnitOfWork, scene: Scene, subject: Subject, pictures: Sequence[Picture]
) -> None:
    """Part of the use case that keeps files: the job asks about the pictures. WeChat cannot judge other files, nor larger ones."""
    openid = unit.actor.openid
    judged = [one for one in pictures if one.media_type in PICTURES and one.size <= LARGEST_PICTURE]
    if openid is None:
        return
    reachable = unit.platform.settings.wechat_simulated or unit.platform.settings.public_url
    state = State.WAITING if reachable else State.UNCHECKED
    await store.insert(
        unit,
        [
            _new(unit, openid, scene, subject, one.file_id, state).model_copy(
                update={
                    "file_id": one.content_id or one.file_id,
                    "file_name": one.name,
                    "media_type": one.media_type,
                }
            )
            for one in judged
        ],
    )


def _new(
    unit: UnitOfWork, openid: str, scene: Scene, subject: Subject, part: str, state: State
) -> ContentCheck:
    now = unit.platform.machine.now()
    return ContentCheck(
        subject=subject.key,
        part=part,
        title=subject.title,
        class_id=subject.class_id,
        class_name=subject.class_name,
        institution_code=subject.institution_code,
        province_code=subject.province_code,
        person_id=unit.actor.id,
        person_name=unit.actor.name,
        openid=openid,
        scene=scene,
        state=state,
        pending=state.pending,
        open=state.open,
        next_attempt_at=now,
        created_at=now,
    )


# ---- what could not be asked at once, and pictures


async def check_waiting(platform: Platform) -> dict[str, int]:
    """Asks about what is due, at most 50; returns how many became what. Any number may run at once."""
    counts: dict[str, int] = {}
    for _ in range(MOST_AT_ONCE):
        check = await store.claim(platform, platform.machine.now(), CLAIM)
        if check is None:
            break
        state = await _check_one(platform, check)
        counts[state.label] = counts.get(state.label, 0) + 1
        if state is State.WAITING:
            break  # WeChat is in trouble: the rest waits for the next run
    return counts


async def _check_one(platform: Platform, check: ContentCheck) -> State:
    now = platform.machine.now()
    if now - check.created_at >= GIVE_UP_AFTER:
        return await _settle(platform, JOB, check.id, State.UNCHECKED, None)
    if check.file_id is not None:
        return await _ask_about_picture(platform, check)
    state, label = await text_checks.ask_about(platform, check.openid, check.scene, check.text or "")
    if state is State.WAITING:
        await store.postpone(platform, check.id, now + RETRY)
        return state
    return await _settle(platform, JOB, check.id, state, label)


async def _ask_about_picture(platform: Platform, check: ContentCheck) -> State:
    assert check.file_id is not None
    url = media_link(platform, check.file_id)
    try:
        trace_id = await platform.wechat.check_media(check.openid, check.scene, url)
    except Problem as problem:
        if never(problem):
            return await _settle(platform, JOB, check.id, State.UNCHECKED, None)
        await store.postpone(platform, check.id, platform.machine.now() + RETRY)
        return State.WAITING
    try:
        return await _asked(platform, JOB, check.id, trace_id)
    except DuplicateKeyError:  # the verdict came in this very moment
        return await _asked(platform, JOB, check.id, trace_id)


@transactional
async def _asked(unit: UnitOfWork, check_id: str, trace_id: str) -> State:
    now = unit.platform.machine.now()
    row = await store.meet_asked(unit, trace_id, check_id, now)
    if "suggest" in row:
        return await _become(unit, check_id, state_of(row["suggest"]), row["label"])
    await store.change_state(unit, check_id, State.ASKED, PENDING, now, next_attempt_at=now + PUSH_WITHIN)
    unit.nothing_written()
    return State.ASKED


@transactional
async def _settle(unit: UnitOfWork, check_id: str, state: State, label: int | None) -> State:
    return await _become(unit, check_id, state, label)


async def _become(unit: UnitOfWork, check_id: str, state: State, label: int | None) -> State:
    """A verdict counts unless a person has decided, or one has come before: UNCHECKED alone gives way to a late one."""
    before = (*PENDING, State.UNCHECKED)
    facts = {"label": label, "decided_at": unit.now}
    if await store.change_state(unit, check_id, state, before, unit.platform.machine.now(), **facts) is None:
        unit.nothing_written()
    else:
        unit.audit("content:verdict", check_id, state=state.label, label=label)
    return state


async def settle_media(unit: UnitOfWork, event: Mapping[str, Any]) -> None:
    """Part of receiving a push `wxa_media_check`: the verdict on a picture. Twice, late or unasked for, it does no harm."""
    trace_id, result = event.get("trace_id"), event.get("result")
    if not isinstance(trace_id, str) or not trace_id or len(trace_id) > 200:
        return unit.nothing_written()
    suggest, label = "", 0
    if _number(event.get("errcode")) == 0 and isinstance(result, Mapping):
        suggest, label = str(result.get("suggest"))[:20], _number(result.get("label"))
    row = await store.meet_told(unit, trace_id, suggest, label, unit.platform.machine.now())
    if "check_id" not in row:
        return unit.nothing_written()
    await _become(unit, row["check_id"], state_of(suggest) if suggest else State.UNCHECKED, label)
    return None


def _number(value: object) -> int:
    """A number in JSON or in XML; -1 for anything else."""
    text = str(value) if isinstance(value, int | str) else ""
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else -1


# ---- the picture, for WeChat to fetch


def media_link(platform: Platform, file_id: str) -> str:
    """An address that opens this file without a log-in, for 35 minutes."""
    expires = int((platform.machine.now() + LINK_LIVES).timestamp())
    return f"{platform.settings.home}/media/{file_id}-{expires}-{_seal(platform, file_id, expires)}"


def _seal(platform: Platform, file_id: str, expires: int) -> str:
    key = platform.settings.code_secret.get_secret_value().encode()
    return hmac.new(key, f"media {file_id} {expires}".encode(), hashlib.sha256).hexdigest()


async def open_media(platform: Platform, file_id: str, expires: int, seal: str) -> Download:
    """The picture behind a link. Raises NotFound for a link that is forged or too old, in the same words."""
    genuine = hmac.compare_digest(_seal(platform, file_id, expires), seal)
    if not genuine or datetime.fromtimestamp(expires, UTC) <= platform.machine.now():
        raise NotFound()
    check = await store.of_file(platform, file_id)
    if check is None:
        raise NotFound()
    return Download(check.file_name, check.media_type, None, platform.files.read(file_id))


# ---- people look


@dataclass(frozen=True)
class Mark:
    """What is shown beside a text or a file: `tone` success, warning or danger."""

    title: str
    tone: str


_TONES = {State.PASSED: "success", State.CLEARED: "success", State.RISKY: "danger", State.CONFIRMED: "danger"}


async def marks(scope: Scope, subjects: Sequence[str]) -> dict[str, dict[str, Mark]]:
    """Subject → part → mark, of what did not pass at once."""
    found: dict[str, dict[str, Mark]] = {}
    for one in await store.of_subjects(scope, subjects):
        found.setdefault(one.subject, {})[one.part] = mark_of(one.state)
    return found


def mark_of(state: State) -> Mark:
    return Mark(state.label, _TONES.get(state, "warning"))


async def listed(
    platform: Platform, actor: Actor, *, flagged: bool, before: str | None = None, limit: int
) -> list[ContentCheck]:
    """Checks in the actor's reach, newest first: those that a person should look at, or the others."""
    return await store.listed(platform, actor.jurisdiction, flagged=flagged, before=before, limit=limit)


async def get_check(platform: Platform, actor: Actor, check_id: str) -> ContentCheck:
    """Raises NotFound outside the actor's jurisdiction."""
    check = await store.in_reach(platform, actor.jurisdiction, check_id)
    if check is None:
        raise NotFound()
    return check


async def picture_in_reach(platform: Platform, actor: Actor, check_id: str) -> Download:
    """The picture of a check. Raises NotFound outside the actor's jurisdiction, and for a text."""
    check = await get_check(platform, actor, check_id)
    if check.file_id is None:
        raise NotFound()
    return Download(check.file_name, check.media_type, None, platform.files.read(check.file_id))


@transactional
async def decide(unit: UnitOfWork, check_id: str, *, harmless: bool, note: str) -> ContentCheck:
    """A person's word on what is flagged. Raises NotFound, CheckSettled, Invalid without a note on what is wrong."""
    if await store.in_reach(unit, unit.actor.jurisdiction, check_id) is None:
        raise NotFound()
    if not harmless and len(note.strip()) < 2:
        raise Invalid(fields=[FieldError("reason", "请写明哪里违规、怎样处理。")])
    state = State.CLEARED if harmless else State.CONFIRMED
    done = await store.change_state(
        unit,
        check_id,
        state,
        OPEN,
        unit.platform.machine.now(),
        note=note.strip(),
        decided_at=unit.now,
        decided_by=unit.actor.name,
    )
    if done is None:
        raise CheckSettled()
    unit.audit("content:decide", check_id, state=state.label, note=note.strip())
    return done


async def waiting(platform: Platform, actor: Actor) -> list[Waiting]:
    """What is flagged waits for the institution it belongs to; what belongs to none, for the centre."""
    if not holds(actor, Permission.CONTENT_REVIEW):
        return []
    count, at = await store.count_open(platform, actor.institution_code or "", COUNTED_MOST)
    today = beijing_date(platform.clock.now())
    days = (await policies.on(platform, today)).review_days
    return counted("需人工查看的内容", "/admin/content-checks", count, at and beijing_date(at), days, today)


async def owed(scope: Scope, actor: Actor) -> list[Owed]:
    """What is flagged in the institutions below the actor's office."""
    return [] if actor.institution_code else await store.owed(scope, actor.jurisdiction)
