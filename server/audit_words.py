"""The audit trail in Chinese: what each action is called, and what of its facts a reader wants to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from server import audit_subjects as subjects
from server.accounts import people
from server.audit_subjects import Subject
from server.institutions import service as institutions
from server.institutions.annex1 import PROVINCES
from server.jobs import JOBS
from server.kernel import audit, chain
from server.kernel.identity import Role
from server.kernel.permissions import CHAPTERS
from server.kernel.platform import Platform
from server.kernel.policies import Policies
from server.messages.kinds import KINDS

TITLES = {
    "accounts:allocate": "分配用户账号",
    "accounts:allocate-batch": "批量分配用户账号",
    "accounts:begin-second-factor": "开始设置两步验证",
    "accounts:bind-real-name": "绑定实名",
    "accounts:begin-face": "发起人脸核身",
    "accounts:change-password": "修改密码",
    "accounts:claim-real-name": "填写实名，待确认",
    "accounts:deactivate": "停用账号",
    "accounts:delegate": "委托同事代办",
    "accounts:end-delegation": "提前结束代办",
    "accounts:enrol-second-factor": "开通两步验证",
    "accounts:forget": "清除无用的个人信息",
    "accounts:let-go": "本人解除微信绑定",
    "accounts:password-accepted": "密码正确，等待验证码",
    "accounts:phone-log-in": "小程序登录",
    "accounts:preview-batch": "上传账号表预览",
    "accounts:prove-phone": "补充本机身份证明",
    "accounts:reactivate": "恢复账号",
    "accounts:release-binding": "解除微信绑定",
    "accounts:remove-second-factor": "停用自己的两步验证",
    "accounts:renew-recovery-codes": "重新生成恢复码",
    "accounts:reset-password": "重置密码",
    "accounts:reset-second-factor": "重置他人的两步验证",
    "accounts:revoke-other-sessions": "退出其他设备的登录",
    "accounts:revoke-session": "退出一台设备的登录",
    "accounts:sign-in": "登录",
    "accounts:sign-in-refused": "登录失败",
    "accounts:sign-out": "退出登录",
    "accounts:stand-in": "开始代人办理",
    "accounts:step-back": "回到本人",
    "accounts:try-personal-code": "试填个人码",
    "accounts:use-recovery-code": "使用恢复码",
    "accounts:verify-real-name": "实名认证通过",
    "admissions:add-trainee": "添加学员",
    "admissions:admit": "录取报名教师",
    "admissions:apply": "提交报名",
    "admissions:close": "关闭报名",
    "admissions:come-back": "撤销退训",
    "admissions:confirm-arrival": "办理报到",
    "admissions:edit-trainee": "修改名册信息",
    "admissions:forget": "清除过期报名的个人信息",
    "admissions:institution-agrees": "培训机构同意报名",
    "admissions:institution-rejects": "培训机构不同意报名",
    "admissions:leave": "登记退训",
    "admissions:note-needs": "记录需求调整说明",
    "admissions:open": "设置报名",
    "admissions:open-notice": "打开入学通知",
    "admissions:recognise": "核对证件，报名归入已有人员",
    "admissions:remove": "报名随移出名册关闭",
    "admissions:remove-trainee": "移出名册",
    "admissions:set-needs-template": "修改需求问卷",
    "admissions:sign-pledge": "签署承诺书",
    "admissions:skip": "候补未录取",
    "admissions:teacher-agrees": "授课教师同意报名",
    "admissions:teacher-rejects": "授课教师不同意报名",
    "admissions:undo-arrival": "撤销报到",
    "admissions:withdraw": "撤回报名",
    "applications:approve": "批准开班申请",
    "applications:call-off": "取消开班，计划项目可重新申请",
    "applications:resubmit": "修改后重新报送开班申请",
    "applications:redate": "改期后重新报送开班申请",
    "applications:return": "退回开班申请",
    "applications:return-for-dates": "退回开班申请改期",
    "applications:submit": "提出开班申请",
    "applications:terminate": "终止培训，计划项目可重新申请",
    "applications:withdraw": "撤回开班申请",
    "assessment:change-task": "修改考核任务",
    "assessment:create-task": "布置考核任务",
    "assessment:extend-deadline": "延长任务截止时间",
    "assessment:grade": "评分",
    "assessment:release": "公布成绩",
    "assessment:remark": "对学习成果提出意见",
    "assessment:reopen": "重新开放成绩，原成绩作废",
    "assessment:remind": "提醒批阅学习成果",
    "assessment:submit": "提交学习成果",
    "assessment:take-back-remark": "撤回对学习成果的意见",
    "assessment:withdraw-task": "撤回考核任务",
    "attendance:add-session": "安排课次",
    "attendance:add-timetable": "批量安排课次",
    "attendance:cancel-session": "取消课次",
    "attendance:change-check-in": "更正签到",
    "attendance:change-session": "修改课次",
    "attendance:credit": "计入转班学员的课时",
    "attendance:make-up": "登记补课",
    "attendance:extend-window": "延长签到时间",
    "attendance:judge-flags": "核对签到标记",
    "attendance:name-teacher": "指定课次的授课教师",
    "attendance:register-late": "补签",
    "attendance:remind": "提醒课程即将开始",
    "attendance:shorten-window": "缩短签到时间",
    "attendance:void-credit": "撤销转班计入的课时",
    "attendance:void-make-up": "撤销补课记录",
    "backbone:apply-status": "骨干教师状态变更生效",
    "backbone:change-status": "变更骨干教师状态",
    "backbone:look-at-id-number": "查看骨干教师完整身份证号",
    "backbone:register": "登记骨干教师入库",
    "certificates:issue": "核发证书",
    "certificates:issue-credential": "领取数字凭证",
    "certificates:make-credential-key": "生成数字凭证的签名密钥",
    "certificates:print": "打印证书",
    "certificates:print-class": "打印全班证书",
    "certificates:reconcile": "核查证书台账",
    "certificates:revoke": "撤销证书",
    "classes:confirm-roster": "确认导入名册",
    "classes:forget-rosters": "清除过期的名册原表",
    "classes:open": "开设培训班",
    "classes:preview-roster": "上传名册预览",
    "content:decide": "人工查看发布的内容",
    "content:flag": "标记待查看的内容",
    "content:verdict": "内容安全检查结果",
    "corrections:apply": "更正已发布的信息",
    "corrections:approve": "核准更正",
    "corrections:request": "申请更正",
    "corrections:resubmit": "修改后重新申请更正",
    "corrections:retract": "撤回更正申请",
    "corrections:return": "退回更正申请",
    "duties:confirm-guidance": "确认后续指导",
    "duties:dispute-guidance": "对后续指导提出异议",
    "duties:log-guidance": "登记后续指导",
    "duties:warn": "提醒年度授课任务",
    "exports:begin": "申请后台准备导出",
    "exports:prepare": "后台导出已准备好",
    "exports:take": "导出列表",
    "forgeries:answer": "报告证书举报的核实情况",
    "forgeries:conclude": "对证书举报作出结论",
    "forgeries:look-at-contact": "查看举报人的联系方式",
    "forgeries:refer": "登记移送司法机关",
    "forgeries:reopen": "重新核实证书举报",
    "forgeries:report": "举报证书伪造",
    "forgeries:take-up": "直接核实证书举报",
    "forgeries:unrefer": "撤销移送司法机关的登记",
    "identities:ask-release": "申请解除微信绑定",
    "identities:confirm-phone": "核对证件后确认手机",
    "identities:confirm-teacher": "核对证件后确认骨干教师的手机",
    "identities:decline": "不予解除微信绑定",
    "identities:issue-code": "发放个人码",
    "identities:issue-codes": "发放全班个人码",
    "identities:release": "同意解除微信绑定",
    "identities:release-teacher": "解除骨干教师的微信绑定",
    "identities:retract": "撤回解除微信绑定的申请",
    "identities:set-pool-phone": "登记骨干教师的手机号",
    "identities:take-back": "撤销手机确认",
    "identities:take-back-teacher": "撤销骨干教师的手机确认",
    "institutions:approve-request": "核准资格申请",
    "institutions:confirm": "核定资格",
    "institutions:decline-request": "不予核准资格申请",
    "institutions:publish": "公布教师培训基地资格",
    "institutions:publish-centre": "公布师资研修中心资格",
    "institutions:resubmit-request": "修改后重报资格申请",
    "institutions:resume": "恢复资格",
    "institutions:retract-request": "撤回资格申请",
    "institutions:submit-request": "提交资格申请",
    "institutions:suspend": "暂停资格",
    "institutions:withdraw": "取消资格",
    "institutions:enter-annex-1": "录入附件 1 的培训机构",
    "interruptions:accept": "同意接收转班学员",
    "interruptions:ask-postpone": "申请延期",
    "interruptions:ask-revoke": "申请撤销变更",
    "interruptions:ask-suspend": "申请暂停",
    "interruptions:ask-terminate": "申请终止培训",
    "interruptions:ask-transfer": "申请转班补学",
    "interruptions:call-off": "取消开班",
    "interruptions:decline": "不同意接收转班学员",
    "interruptions:postpone": "批准延期",
    "interruptions:revoke": "批准撤销变更",
    "interruptions:return": "退回培训班变更申请",
    "interruptions:suspend": "批准暂停",
    "interruptions:terminate": "批准终止培训",
    "interruptions:transfer": "批准转班补学",
    "interruptions:withdraw": "撤回培训班变更申请",
    "invitations:accept": "接受邀请",
    "invitations:cancel": "取消已接受的安排",
    "invitations:close": "邀请随培训班取消或终止而办结",
    "invitations:decline": "谢绝邀请",
    "invitations:expire": "邀请函过期失效",
    "invitations:remind": "提醒回复邀请函",
    "invitations:send": "发出邀请函",
    "invitations:withdraw": "撤回邀请函",
    "jobs:run": "手动运行定时任务",
    "messages:send-again": "再次发送消息",
    "messages:send-all-again": "再次发送一批消息",
    "messages:set-template": "设置消息模板",
    "messages:stop": "消息不再发送",
    "messages:subscribe": "订阅微信消息",
    "messages:unsubscribe": "手机退订消息",
    "moves:apply": "人员调动到期生效",
    "moves:ask": "提出人员调动",
    "moves:confirm": "确认人员调动",
    "moves:decline": "不予确认人员调动",
    "moves:withdraw": "撤回人员调动",
    "plans:amend": "修改培训计划",
    "plans:announce-window": "公布培训计划报送时间",
    "plans:approve": "批准培训计划",
    "plans:begin": "开始编制培训计划",
    "plans:change-window": "调整培训计划报送时间",
    "plans:discard": "废弃培训计划的一版",
    "plans:return": "退回培训计划",
    "plans:submit": "报送培训计划",
    "plans:supersede": "培训计划被新版代替",
    "plans:urge": "催办培训计划",
    "plans:withdraw": "撤回报送的培训计划",
    "plans:withdraw-window": "撤回培训计划报送时间",
    "policies:change": "核定平台政策",
    "plans:tell-overdue": "提示逾期未报送的培训计划",
    "progress:tell-overdue": "向上级提示逾期事项",
    "progress:urge": "催办",
    "qualification:decide": "作出动态管理决定",
    "qualification:dismiss": "终止动态管理事项",
    "qualification:file": "省级申请取消基地资格",
    "qualification:open": "动态管理立案",
    "qualification:reverse": "撤销动态管理决定",
    "qualification:state": "陈述动态管理事项",
    "qualification:take-back": "撤回取消基地资格的申请",
    "qualification:warn": "发出动态管理预警",
    "qualification:withdraw": "按动态管理事项取消基地资格",
    "reopenings:approve": "同意重新开放成绩",
    "reopenings:decline": "不同意重新开放成绩",
    "reopenings:request": "申请重新开放成绩",
    "reopenings:retract": "撤回重新开放成绩的申请",
    "schemes:approve": "审核通过培训方案",
    "schemes:discard": "废弃培训方案草稿",
    "schemes:file": "报送培训方案",
    "schemes:remark": "对培训方案提出意见",
    "schemes:return": "退回培训方案",
    "schemes:save": "保存培训方案",
    "schemes:send": "培训方案送教师签署",
    "schemes:sign": "签署培训方案",
    "schemes:withdraw": "撤回培训方案",
    "seals:approve": "通过印章",
    "seals:file": "报送印章",
    "seals:found-authority": "建立平台的证书签发机构",
    "seals:issue-certificate": "签发平台代签的证书",
    "seals:retire": "停用印章",
    "seals:return": "退回印章",
    "seals:upload-key": "上传签名密钥",
    "seals:warn-keys": "提示签名密钥到期",
    "seals:withdraw": "撤回印章",
    "seals:withdraw-key": "停用签名密钥",
    "selection:accept": "选拔推荐列为候选",
    "selection:amend": "修改选拔推荐",
    "selection:begin": "起草选拔推荐",
    "selection:drop": "移出骨干教师合格名单",
    "selection:enrol": "候选人编入骨干班",
    "selection:enrol-class": "骨干班编入候选人",
    "selection:fail": "候选人未通过选拔",
    "selection:forget": "清除已撤回推荐的个人信息",
    "selection:register": "候选人登记入库",
    "selection:register-list": "决定登记骨干教师名单",
    "selection:release": "候选人退出骨干班",
    "selection:report": "候选人列入合格名单",
    "selection:report-list": "报送骨干教师合格名单",
    "selection:resubmit-list": "重新报送骨干教师合格名单",
    "selection:return": "退回选拔推荐",
    "selection:return-list": "退回骨干教师合格名单",
    "selection:submit": "报送选拔推荐",
    "selection:withdraw": "撤回选拔推荐",
    "surveys:answer": "提交满意度评价",
    "surveys:keep-open": "满意度评价随课次顺延",
    "surveys:destroy-key": "销毁匿名答卷的密钥",
    "surveys:move-closing": "修改评价截止时间",
    "surveys:open": "发起满意度评价",
    "surveys:remind": "提醒填写满意度评价",
    "surveys:tally": "汇总满意度",
    "surveys:unseal": "开封匿名答卷",
    "venues:ask": "报请核实培训地点",
    "venues:refuse": "培训地点不予使用",
    "venues:resolve": "核实培训地点可用",
    "venues:withdraw": "撤回培训地点的核实",
    "upgrades:finish": "升级数据",
}
"""Action → title. An action that is missing here shows by its code."""

_OF_EARLIER_VERSIONS = {
    "backbone:bring-up-to-date": "补全骨干教师库的状态",
    "backbone:export": "导出骨干教师库",
    "certificates:export": "导出证书台账",
    "duties:export": "导出骨干教师履职情况",
}
"""What nobody does any more; the trail keeps it."""

_FACTS = {
    "accounts": "{} 个账号",
    "places": "名额 {} 人",
    "purpose": "{}",
    "rule": "{}",
    "grade": "{}",
    "status": "改为{}",
    "candidates": "候选教师 {} 人",
    "people": "{} 人",
    "nominees": "{} 人",
    "year": "{} 年度",
    "messages": "{} 条",
    "changes": "{}",
    "issued": "{} 张",
    "first": "编号自 {}",
    "last": "至 {}",
    "number": "编号 {}",
    "certificates": "{} 张",
    "failures": "连续失败 {} 次",
    "title": "《{}》",
    "version": "第 {} 版",
    "signatures_void": "此前 {} 个签署作废",
    "sessions_made": "新安排课次 {} 个",
    "sessions_dropped": "取消课次 {} 个",
    "tasks_made": "新布置任务 {} 项",
    "tasks_dropped": "撤回任务 {} 项",
    "sessions": "{} 个课次",
    "hours": "{} 课时",
    "points_before": "原评 {} 分",
    "points": "评 {} 分",
    "results": "{} 人",
    "passed": "合格 {} 人",
    "invited_for": "{}",
    "problems": "问题 {} 处",
    "reason": "理由：{}",
    "rows": "可导入 {} 人",
    "list": "{}",
    "taken": "{} 行",
    "trainees": "导入 {} 人",
    "left": "{} 名学员退出",
    "wanted": "{}",
    "username": "用户名 {}",
    "entered": "{} 家",
    "after": "新值 {}",
    "effective_from": "自 {} 起",
    "documents": "更新 {} 条",
    "until": "有效期至 {}",
    "keys": "{} 个密钥",
}

_PLACES = {
    "all": "各类消息",
    "messages": "站内消息",
    "nominees": "选拔推荐",
    "persons": "人员",
    "desk": "工作台",
    "plans": "培训计划",
    "pool": "骨干教师库",
    "signing-authority": "平台的证书签发机构",
    "unbound": "未绑定实名的手机",
    **{job.name: job.title for job in JOBS},
    **{kind.name: kind.title for kind in KINDS.values()},
    **{name: field.title for name, field in Policies.model_fields.items() if field.title},
}
"""Subjects that are no document of their own."""


OTHERS = "其他"


@dataclass(frozen=True)
class Told:
    """One entry of the trail in words."""

    id: str
    at: datetime
    who: str
    title: str
    detail: str
    subject: str
    """In words, where it is known; else its id."""
    sealed: bool
    subject_id: str = ""
    page: str = ""
    """Of the subject, where it has one."""
    doubtful: bool = False
    """It is not what was sealed."""
    office: str = ""
    """Of a member of staff, in words."""

    @property
    def by(self) -> str:
        return f"{self.who}，{self.office}" if self.office else self.who

    @property
    def standing(self) -> str:
        if self.doubtful:
            return "与入链时不符"
        return "已入链" if self.sealed else "等待"


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every action by its chapter, as a filter offers them."""
    found: dict[str, list[tuple[str, str]]] = {title: [] for title in (*CHAPTERS.values(), OTHERS)}
    for action, title in (TITLES | _OF_EARLIER_VERSIONS).items():
        found[CHAPTERS.get(action.partition(":")[0], OTHERS)].append((action, title))
    return [(chapter, actions) for chapter, actions in found.items() if actions]


async def trail(
    platform: Platform,
    *,
    who: str = "",
    action: str = "",
    since: date | None = None,
    until: date | None = None,
    about: str = "",
    before: str | None = None,
    limit: int,
) -> list[Told]:
    """The trail in words, newest first, with what does not fit its seal. `who` and `about`: words, see audit_subjects."""
    narrowed = audit.TrailFilter(
        who=who,
        actor_ids=await subjects.meant(platform, who, ("accounts", "persons")) if who else (),
        action=action,
        since=since,
        until=until,
        about=await subjects.meant(platform, about) if about else None,
    )
    entries = await audit.recent(platform, narrowed, before=before, limit=limit)
    doubtful = await chain.doubtful(platform, entries)
    return [replace(one, doubtful=one.id in doubtful) for one in await tell(platform, entries)]


async def tell(platform: Platform, entries: Sequence[Mapping[str, Any]]) -> list[Told]:
    """Entries in words; a person named by id, as what it was done to or among the facts, is shown by name."""
    ids = {str(one) for entry in entries for one in _persons_in(entry)}
    persons = await people.persons(platform, sorted(ids))
    called = await people.called(
        platform,
        {person.id: person.name for person in persons.values()}
        | {
            entry["actor_id"]: entry["actor_name"]
            for entry in entries
            if entry["actor_name"] and not entry["facts"].get("on_behalf_of")
        },
    )
    found = await subjects.named(platform, sorted({entry["subject"] for entry in entries} - persons.keys()))
    units = {entry["institution_code"] for entry in entries if entry["institution_code"]}
    names = {code: one.name for code, one in (await institutions.by_codes(platform, units)).items()}
    known = found | {one: Subject(f"人员：{called[one]}", "") for one in persons}
    return [
        Told(
            id=entry["_id"],
            at=entry["at"],
            who=_who(entry, called),
            title=(TITLES | _OF_EARLIER_VERSIONS).get(entry["action"], entry["action"]),
            detail=_detail(entry, {one: called[one] for one in persons}, called.get(entry["actor_id"], "")),
            subject=_PLACES.get(entry["subject"])
            or (known[entry["subject"]].words if entry["subject"] in known else entry["subject"]),
            sealed=entry.get("sealed") is True,
            subject_id=entry["subject"],
            page=known[entry["subject"]].page if entry["subject"] in known else "",
            office=_office(entry, names),
        )
        for entry in entries
    ]


def _who(entry: Mapping[str, Any], called: Mapping[str, str]) -> str:
    """Who stood in for somebody is called by both names, as it was noted."""
    if entry["facts"].get("on_behalf_of"):
        return str(entry["actor_name"])
    return called.get(entry["actor_id"], "未实名的手机")


_PROVINCE_NAMES = {one.code: one.name for one in PROVINCES}


def _office(entry: Mapping[str, Any], names: Mapping[str, str]) -> str:
    if entry["actor_kind"] != "account":
        return ""
    if code := entry["institution_code"]:
        return names.get(code, "")
    place = entry["province_code"]
    return f"{_PROVINCE_NAMES[place]}{Role.PROVINCE.label}" if place else Role.NATIONAL_CENTRE.label


def _persons_in(entry: Mapping[str, Any]) -> list[Any]:
    """The ids that may be a person's."""
    facts = entry["facts"]
    return [one for one in (entry["subject"], facts.get("about"), facts.get("person_id")) if one]


def _detail(entry: Mapping[str, Any], names: Mapping[str, str], who: str) -> str:
    """What is absent, zero or not one plain value is left out; so is the name of who did it."""
    facts = entry["facts"]
    named = list(dict.fromkeys(names[one] for one in _persons_in(entry) if one in names))
    named = [name for name in named if name != who]
    plain = {name: value for name, value in facts.items() if value and isinstance(value, str | int)}
    return "，".join(named + [words.format(plain[name]) for name, words in _FACTS.items() if name in plain])
