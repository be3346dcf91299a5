"""The audit trail in Chinese: what each action is called, and what of its facts a reader wants to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.accounts import people
from server.kernel.platform import Platform

TITLES = {
    "accounts:allocate": "分配用户账号",
    "accounts:bind-real-name": "绑定实名",
    "accounts:change-password": "修改密码",
    "accounts:phone-log-in": "小程序登录",
    "accounts:release-binding": "解除微信绑定",
    "accounts:reset-password": "重置密码",
    "accounts:revoke-session": "退出一台设备的登录",
    "accounts:sign-in": "登录",
    "accounts:sign-in-refused": "登录失败",
    "accounts:sign-out": "退出登录",
    "assessment:change-task": "修改考核任务",
    "assessment:create-task": "布置考核任务",
    "assessment:extend-deadline": "延长任务截止时间",
    "assessment:grade": "评分",
    "assessment:release": "公布成绩",
    "assessment:submit": "提交学习成果",
    "assessment:withdraw-task": "撤回考核任务",
    "attendance:add-session": "安排课次",
    "attendance:add-timetable": "批量安排课次",
    "attendance:cancel-session": "取消课次",
    "attendance:change-session": "修改课次",
    "attendance:register-late": "补签",
    "backbone:register": "登记骨干教师入库",
    "certificates:export": "导出证书台账",
    "certificates:issue": "核发证书",
    "certificates:print": "打印证书",
    "certificates:print-class": "打印全班证书",
    "certificates:revoke": "撤销证书",
    "classes:assign-teacher": "安排骨干教师",
    "classes:confirm-roster": "确认导入名册",
    "classes:open": "开设培训班",
    "classes:preview-roster": "上传名册预览",
    "classes:release-binding": "解除学员微信绑定",
    "classes:unassign-teacher": "取消教师安排",
    "institutions:enter-annex-1": "录入附件 1 的培训机构",
    "policies:change": "核定平台政策",
    "surveys:answer": "提交满意度评价",
    "surveys:move-closing": "修改评价截止时间",
    "surveys:open": "发起满意度评价",
}
"""Action → title. An action that is missing here shows by its code."""

_FACTS = {
    "issued": "{} 张",
    "first": "编号自 {}",
    "last": "至 {}",
    "number": "编号 {}",
    "certificates": "{} 张",
    "failures": "连续失败 {} 次",
    "title": "《{}》",
    "version": "第 {} 版",
    "sessions": "{} 个课次",
    "hours": "{} 课时",
    "points_before": "原评 {} 分",
    "points": "评 {} 分",
    "results": "{} 人",
    "passed": "合格 {} 人",
    "problems": "问题 {} 处",
    "reason": "理由：{}",
    "rows": "可导入 {} 人",
    "trainees": "导入 {} 人",
    "username": "用户名 {}",
    "entered": "{} 家",
    "after": "新值 {}",
    "effective_from": "自 {} 起",
}


@dataclass(frozen=True)
class Told:
    """One entry of the trail in words."""

    id: str
    at: datetime
    who: str
    title: str
    detail: str
    subject: str
    sealed: bool


async def tell(platform: Platform, entries: Sequence[Mapping[str, Any]]) -> list[Told]:
    """Entries in words; a person named by id among the facts is shown by name."""
    ids = {entry["facts"]["person_id"] for entry in entries if "person_id" in entry["facts"]}
    persons = await people.persons(platform, sorted(ids))
    return [
        Told(
            id=entry["_id"],
            at=entry["at"],
            who=entry["actor_name"] or "未实名的手机",
            title=TITLES.get(entry["action"], entry["action"]),
            detail=_detail(entry["facts"], {person.id: person.name for person in persons.values()}),
            subject=entry["subject"],
            sealed=entry["sealed"],
        )
        for entry in entries
    ]


def _detail(facts: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """What is absent, zero or not one plain value is left out."""
    named = [names[facts["person_id"]]] if facts.get("person_id") in names else []
    plain = {name: value for name, value in facts.items() if value and isinstance(value, str | int)}
    return "，".join(named + [words.format(plain[name]) for name, words in _FACTS.items() if name in plain])
