"""The Jinja environment of the admin pages: escaping on, undefined names refused, and the few filters that templates need."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from admin.options import LEVELS, MAJOR_OPTIONS, MONTHS, NEVER_KEPT, PROVINCE_OPTIONS, WEEKDAYS
from server.accounts.rules import last_four
from server.classes.documents import TrainingClass
from server.institutions.annex1 import PROVINCES
from server.institutions.rules import MAJORS
from server.kernel.clock import BEIJING, span
from server.kernel.history import Step
from server.kernel.identity import Role
from server.kernel.money import yuan
from server.kernel.mongo import Document
from server.kernel.namesakes import namesakes
from server.kernel.numbers import NO_WHOLE_NUMBER
from server.kernel.reviewed import Reviewed
from server.kernel.seen import mark
from server.progress import facts, known
from server.progress.known import Phase

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
STATIC = HERE / "static"
ABSENT = "—"

Style = Literal["minute", "second", "date", "time"]
_STYLES: dict[Style, str] = {
    "minute": "%Y-%m-%d %H:%M",
    "second": "%Y-%m-%d %H:%M:%S",
    "date": "%Y-%m-%d",
    "time": "%H:%M",
}


def make_environment(*, static_prefix: str = "/static/", development: bool = False) -> Environment:
    """The environment of all pages. `static_prefix` is where the application serves `STATIC`; `development` re-reads
    templates and assets that changed."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=development,
    )
    static = partial(static_url, static_prefix, content_hash if development else cache(content_hash))
    environment.globals.update(
        static=static,
        icon=partial(icon, static),
        moved_to=None,
        unread=0,
        never_kept=NEVER_KEPT,
        no_whole_number=NO_WHOLE_NUMBER,
    )
    environment.globals.update(
        phases=list(Phase),
        levels=LEVELS,
        majors=MAJOR_OPTIONS,
        provinces=PROVINCE_OPTIONS,
        months=MONTHS,
        weekdays=WEEKDAYS,
    )
    environment.filters.update(
        {
            it.__name__: it
            for it in (
                beijing,
                span,
                date_cn,
                percent,
                filesize,
                hours,
                device,
                major_name,
                province_name,
                yuan,
                namesakes,
                last_four,
                phase,
                stands,
                by,
                seen,
            )
        }
    )
    return environment


def static_url(prefix: str, digest: Callable[[str], str], path: str) -> str:
    """The URL of a file under `STATIC` with a hash of its content, so that it may be cached for ever.

    Raises FileNotFoundError for a file that is not there (the assets were not built)."""
    return f"{prefix}{path}?v={digest(path)}"


BUNDLES = {"site.css": ("app.css", "pages.css", "narrow.css"), "site.js": ("app.js", "tables.js")}
"""What every page needs, asked for once where it would be once a file; sheets in the order in which they have the word."""


def content_of(path: str) -> bytes:
    """Of a file under `STATIC`, or of the files of a bundle. Raises FileNotFoundError.

    A script of a bundle is a block of its own: in a module its names stay its own."""
    parts = [(STATIC / name).read_bytes() for name in BUNDLES.get(path, (path,))]
    return b"\n".join(b"{\n%s\n}" % part for part in parts) if path == "site.js" else b"\n".join(parts)


def content_hash(path: str) -> str:
    return sha256(content_of(path)).hexdigest()[:12]


def icon(static: Callable[[str], str], name: str) -> Markup:
    """An icon of the sprite, by its Tabler name; decoration only, so the words beside it must say it all.

    Raises KeyError for a name that is not in icons.json."""
    if name not in known_icons():
        raise KeyError(f"{name} is not in icons.json")
    reference = f"{static('vendor/icons.svg')}#{name}"
    return Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"/></svg>').format(
        reference
    )


@cache
def known_icons() -> frozenset[str]:
    return frozenset(json.loads((HERE / "icons.json").read_text("utf-8")))


def seen(document: Document | None) -> int | str:
    """What a form says about the version that it shows: of what is reviewed the length of its history, of anything else its mark."""
    return len(document.history) if isinstance(document, Reviewed) else mark(document)


def beijing(moment: datetime | None, style: Style = "minute") -> str:
    """An aware moment as Beijing time, "2026-11-24 15:30". Raises ValueError for a naive one."""
    if moment is None:
        return ABSENT
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be shown")
    return moment.astimezone(BEIJING).strftime(_STYLES[style])


def date_cn(day: date | None) -> str:
    """A calendar date as documents write it: 2026年11月24日."""
    return ABSENT if day is None else f"{day.year}年{day.month}月{day.day}日"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of one as "93.3%"; a whole number of per cent has no decimals."""
    return ABSENT if share is None else f"{_short(share * 100, digits)}%"


def filesize(size: int) -> str:
    """Bytes as an office computer shows them: 1024 bytes a KB."""
    if size < 1024:
        return f"{size} 字节"
    amount, unit = size / 1024, "KB"
    for larger in ("MB", "GB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{_short(amount, 1)} {unit}"


def hours(amount: float | None) -> str:
    """Class hours (课时): "80 课时", "1.5 课时"."""
    return ABSENT if amount is None else f"{_short(amount, 2)} 课时"


def phase(training_class: TrainingClass, today: date) -> Phase:
    """Where a class stands on its way."""
    return known.phase_of(facts.itself(training_class), today)


def stands(training_class: TrainingClass, today: date) -> str:
    """The same in a word, as far as the class itself says it."""
    return known.stands(facts.itself(training_class), today)


def by(step: Step, of: Any = None) -> str:
    """Who took a step of a document, and in which office, as far as the document `of` names it."""
    kind, _, code = step.office.partition(":")
    units = (one for one in (of, getattr(of, "later", None)) if one is not None)
    coded = ((getattr(one, "institution_code", ""), getattr(one, "institution_name", "")) for one in units)
    names = {unit: name for unit, name in coded if isinstance(unit, str)}  # a 调动 has several
    office = {
        "centre": Role.NATIONAL_CENTRE.label,
        "province": f"{_PROVINCE_NAMES.get(code, '')}{Role.PROVINCE.label}",
        "institution": names.get(code, ""),
    }.get(kind)
    return f"{step.actor_name}，{office}" if office else step.actor_name


def major_name(code: str) -> str:
    """The 专业大类 of a code: "01" → 机械类."""
    return MAJORS[code].name


def province_name(code: str | None) -> str:
    return ABSENT if code is None else _PROVINCE_NAMES[code]


_PROVINCE_NAMES = {province.code: province.name for province in PROVINCES}

_SYSTEMS = {
    "Windows": "Windows 电脑",
    "iPhone": "苹果手机",
    "iPad": "苹果平板",
    "Mac OS": "苹果电脑",
    "Harmony": "鸿蒙设备",
    "Android": "安卓设备",
    "Linux": "Linux 电脑",
}
_BROWSERS = {
    "MicroMessenger": "微信",
    "Edg": "Edge",
    "Firefox": "Firefox",
    "Chrome": "Chrome 内核浏览器",
    "Safari": "Safari",
}


def device(user_agent: str) -> str:
    """A browser in words a person recognises: "Windows 电脑，Edge". The first sign found decides, since browsers
    also carry the names of those they descend from."""
    system = next((words for sign, words in _SYSTEMS.items() if sign in user_agent), "未知设备")
    browser = next((words for sign, words in _BROWSERS.items() if sign in user_agent), "未知浏览器")
    return f"{system}，{browser}"


def _short(number: float, digits: int) -> str:
    text = f"{number:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
