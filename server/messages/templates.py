"""The templates of WeChat that the kinds of message use: policy of the centre, versioned and effective-dated.

The setting WECHAT_TEMPLATES is the seed: it holds for a kind until the centre sets a version of its own. WeChat numbers the fields of
a template as it likes (`thing1`, `thing6`), so a version says the keys too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Invalid, NotFound
from server.kernel.platform import Platform
from server.kernel.reasons import Reason
from server.kernel.seen import require as require_seen
from server.kernel.unit_of_work import UnitOfWork, transactional
from server.messages import store
from server.messages.kind import Kind
from server.messages.kinds import KINDS
from server.messages.store import TemplateVersion
from server.settings import Settings


@dataclass(frozen=True)
class Template:
    """The template of WeChat that a kind of message uses: its id (empty: none) and its keys, in the order of the kind's fields."""

    template_id: str
    keys: tuple[str, ...]


def seed(settings: Settings, kind: Kind) -> Template:
    """What holds until the centre sets a version: the setting WECHAT_TEMPLATES; while WeChat is simulated, any id serves."""
    simulated = f"simulated-{kind.name}" if settings.wechat_simulated else ""
    return Template(settings.wechat_templates.get(kind.name, simulated), kind.usual_keys)


async def templates_on(platform: Platform, day: date) -> dict[str, Template]:
    """Kind → the template that it uses on `day`."""
    versions = await store.templates_on(platform, day)
    return {
        name: Template(versions[name].template_id, tuple(versions[name].keys))
        if name in versions
        else seed(platform.settings, kind)
        for name, kind in KINDS.items()
    }


class TemplateChange(BaseModel):
    template_id: Annotated[str, Field(title="模板编号", pattern=r"^[A-Za-z0-9_-]{0,64}$")] = ""
    keys: Annotated[list[str], Field(title="模板字段", max_length=10)]
    effective_from: Annotated[date, Field(title="生效日期")]
    reason: Reason


@dataclass(frozen=True)
class KindState:
    """A kind of message as the centre's page shows it."""

    kind: Kind
    template: Template
    """In force on the day that was asked for."""
    versions: list[TemplateVersion]
    """All that were ever set, newest first, also those that take effect later."""


async def kind_states(platform: Platform, day: date) -> list[KindState]:
    """Every kind with its template on `day` and the history of it."""
    templates = await templates_on(platform, day)
    versions = await store.template_versions(platform)
    return [
        KindState(kind, templates[name], [one for one in versions if one.kind == name])
        for name, kind in KINDS.items()
    ]


async def kind_state(platform: Platform, name: str, day: date) -> KindState:
    """One of them. Raises NotFound."""
    for state in await kind_states(platform, day):
        if state.kind.name == name:
            return state
    raise NotFound("没有这类消息。")


@transactional
async def set_template(
    unit: UnitOfWork, name: str, wanted: TemplateChange, seen: str = ""
) -> TemplateVersion:
    """Sets which template of WeChat a kind uses from today or a later day on. Raises NotFound, Invalid."""
    if name not in KINDS:
        raise NotFound("没有这类消息。")
    if wanted.effective_from < beijing_date(unit.now):
        raise Invalid(fields=[FieldError("effective_from", "生效日期不能早于今天，已经发出的消息不受影响。")])
    _check_keys(KINDS[name], wanted.keys)
    earlier = await store.template_versions(unit, name)
    await require_seen(
        unit, max(earlier, key=lambda one: one.version, default=None), seen, wanted, subject=name, what="模板"
    )
    version = TemplateVersion(
        kind=name,
        version=1 + max((one.version for one in earlier), default=0),
        template_id=wanted.template_id,
        keys=wanted.keys,
        effective_from=wanted.effective_from,
        reason=wanted.reason,
        set_by=unit.actor.name,
        set_at=unit.now,
    )
    await store.insert_template(unit, version)
    unit.audit(
        "messages:set-template",
        name,
        title=KINDS[name].title,
        after=version.template_id or "不发送微信",
        effective_from=version.effective_from.isoformat(),
        reason=wanted.reason,
    )
    return version


def _check_keys(kind: Kind, keys: Sequence[str]) -> None:
    """Raises Invalid unless there is one key a field, each of the field's kind, none twice."""
    fitting = len(keys) == len(kind.wechat) and len(set(keys)) == len(keys)
    if not fitting or not all(_is_key(key, field) for key, (field, _) in zip(keys, kind.wechat, strict=True)):
        expected = "、".join(kind.usual_keys)
        raise Invalid(
            fields=[FieldError("keys", f"应依次填写 {len(kind.wechat)} 个字段，类型与 {expected} 相同。")]
        )


def _is_key(key: str, field: str) -> bool:
    number = key.removeprefix(field)
    return number != key and number.isascii() and number.isdigit() and len(number) <= 3
