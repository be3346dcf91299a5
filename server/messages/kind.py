"""What a kind of message is: its sentences for the inbox of the mini-program, and the fields of its WeChat subscribe message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from string import Formatter

from server.messages.fields import FieldKind, fitted


class MissingField(LookupError):
    """A message without a field that its kind shows: a mistake of the chapter that sent it."""


@dataclass(frozen=True)
class Kind:
    """A row. `sentences` make the text of the inbox: `{field}` is filled in, and a sentence whose field is empty is left out.

    `wechat`: the fields of the subscribe message, in their order. `wakes`: the field with the day that the message is about, if it may be
    sent in quiet hours when that day is today or tomorrow, because in the morning it could be too late.
    """

    name: str
    title: str
    sentences: tuple[str, ...]
    wechat: tuple[tuple[FieldKind, str], ...]
    wakes: str = ""

    @cached_property
    def fields(self) -> frozenset[str]:
        """What a chapter must give. It may give more: ids, for the mini-program to open the right page."""
        shown = {name for sentence in self.sentences for name in _fields_of(sentence)}
        return frozenset(shown | {name for _, name in self.wechat})

    @property
    def usual_keys(self) -> tuple[str, ...]:
        """The keys of a template whose fields are numbered from 1; WeChat may have given others (see `messages.Template`)."""
        return tuple(f"{kind}{number}" for number, (kind, _) in enumerate(self.wechat, start=1))

    def check(self, data: Mapping[str, str]) -> None:
        """Raises MissingField."""
        if missing := self.fields - data.keys():
            raise MissingField(f"{self.name}: {', '.join(sorted(missing))}")

    def text(self, data: Mapping[str, str]) -> str:
        """What the inbox says. Raises MissingField."""
        self.check(data)
        said = [one for one in self.sentences if all(data[name] for name in _fields_of(one))]
        return "".join(one.format_map(data) for one in said)

    def may_wake(self, data: Mapping[str, str], today: date) -> bool:
        """Whether it may be sent in quiet hours of the night that `today` begins or ends."""
        day = data.get(self.wakes, "")[:10]
        return today.isoformat() <= day <= (today + timedelta(days=1)).isoformat()

    @property
    def sample(self) -> str:
        """The text with the fields' names in place of their values."""
        return self.text({name: f"〔{field_title(name)}〕" for name in self.fields})

    @property
    def wechat_titles(self) -> list[str]:
        """What the fields of the subscribe message are called, in their order."""
        return [field_title(name) for _, name in self.wechat]

    def wechat_data(self, keys: tuple[str, ...], data: Mapping[str, str]) -> dict[str, str]:
        """Key of the template → value that fits its kind. Raises MissingField."""
        self.check(data)
        pairs = zip(keys, self.wechat, strict=True)
        return {key: fitted(kind, data[name]) for key, (kind, name) in pairs}


FIELD_TITLES = {
    "advice": "建议",
    "after": "现为",
    "author": "起草人",
    "before": "原来",
    "by": "办理",
    "changes": "调整",
    "class_name": "培训班",
    "closes_at": "截止时间",
    "count": "份数",
    "effective_on": "生效日期",
    "ends_on": "结束日期",
    "given_on": "指导日期",
    "ground": "事由",
    "hours": "课时",
    "how": "方式",
    "institution": "培训机构",
    "issuer": "发证机构",
    "kind": "任务",
    "number": "证书编号",
    "opens_at": "开始时间",
    "outcome": "结果",
    "owed": "尚缺",
    "place": "地点",
    "reason": "理由",
    "reply_until": "答复期限",
    "starts_at": "开始时间",
    "starts_on": "开始日期",
    "status": "状态",
    "task_title": "学习成果",
    "teacher_name": "授课教师",
    "title": "课次",
    "trainee_name": "参训教师",
    "until": "期限",
    "version": "版次",
    "year": "年度",
}


def field_title(name: str) -> str:
    return FIELD_TITLES.get(name, name)


def _fields_of(sentence: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(sentence) if name]
