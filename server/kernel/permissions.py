"""What may be done, and which role may do it: deny by default.

A permission says nothing about whose documents: that is the jurisdiction, inside every query.
"""

from __future__ import annotations

from server.kernel.errors import Forbidden, NotSignedIn, RealNameFirst
from server.kernel.identity import INSTITUTION_ROLES, Actor, Role
from server.kernel.titled import Titled


class Permission(Titled):
    """`chapter:action`, in alphabetical order. ANYONE needs no sign-in; PHONE is any phone that has logged in, bound or not."""

    ACCOUNTS_ALLOCATE = "accounts:allocate", "分配用户账号、恢复账号、重置两步验证"
    ACCOUNTS_OWN = "accounts:own", "登录，管理自己的密码和登录"
    ACCOUNTS_STAFF = "accounts:staff", "管理本单位人员的账号：增加、重置密码、停用"
    ADMISSIONS_APPLY = "admissions:apply", "查看和撤回自己的报名、签署承诺书"
    ADMISSIONS_MANAGE = "admissions:manage", "开放报名、审核报名、办理报到"
    ADMISSIONS_READ = "admissions:read", "查看报名、需求分析和报到"
    ADMISSIONS_REVIEW = "admissions:review", "审核自己授课班的报名、说明需求调整"
    ADMISSIONS_TEMPLATE = "admissions:template", "修改需求调查问卷"
    ANYONE = "anyone", "无需登录"
    APPLICATIONS_MANAGE = "applications:manage", "提出开班申请"
    APPLICATIONS_READ = "applications:read", "查看开班申请"
    APPLICATIONS_REVIEW = "applications:review", "审核开班申请"
    ASSESSMENT_GRADE = "assessment:grade", "批阅学习成果、评定成绩"
    ASSESSMENT_MANAGE = "assessment:manage", "布置学习任务"
    ASSESSMENT_READ = "assessment:read", "查看学习成果和成绩"
    ASSESSMENT_RELEASE = "assessment:release", "公布成绩"
    ASSESSMENT_REMARK = "assessment:remark", "对学习成果提出意见"
    ASSESSMENT_SUBMIT = "assessment:submit", "提交学习成果"
    ATTENDANCE_CHECK_IN = "attendance:check-in", "签到"
    ATTENDANCE_MANAGE = "attendance:manage", "安排课次、补签"
    ATTENDANCE_READ = "attendance:read", "查看考勤"
    ATTENDANCE_SHOW_CODE = "attendance:show-code", "在教室屏幕显示签到码"
    ATTENDANCE_TEACH = "attendance:teach", "用手机显示签到码、查看到课情况"
    AUDIT_READ = "audit:read", "查看操作留痕"
    BACKBONE_IDENTIFY = "backbone:identify", "查看骨干教师的完整身份证号"
    BACKBONE_MANAGE = "backbone:manage", "暂停、恢复骨干教师"
    BACKBONE_READ = "backbone:read", "查看骨干教师库"
    BACKBONE_REGISTER = "backbone:register", "登记骨干教师入库"
    CERTIFICATES_FETCH = "certificates:fetch", "领取自己的证书"
    CERTIFICATES_ISSUE = "certificates:issue", "核发证书"
    CERTIFICATES_QUERY = "certificates:query", "批量查询证书"
    CERTIFICATES_READ = "certificates:read", "查看证书台账"
    CERTIFICATES_REVOKE = "certificates:revoke", "撤销证书"
    CLASSES_ATTEND = "classes:attend", "查看自己参加的培训班"
    CLASSES_MANAGE = "classes:manage", "开设培训班、导入名册"
    CLASSES_READ = "classes:read", "查看培训班"
    CLASSES_TEACH = "classes:teach", "查看自己授课的培训班"
    CONTENT_REVIEW = "content:review", "查看内容检查的提示，给出结论"
    CORRECTIONS_READ = "corrections:read", "查看更正申请和各版本"
    CORRECTIONS_REQUEST = "corrections:request", "申请更正已发布的信息"
    CORRECTIONS_REVIEW = "corrections:review", "审核更正申请"
    DUTIES_ANSWER = "duties:answer", "确认自己接受的后续指导"
    DUTIES_LOG = "duties:log", "登记后续指导"
    DUTIES_OWN = "duties:own", "查看自己的年度履职和登记过的后续指导"
    DUTIES_READ = "duties:read", "查看骨干教师履职情况"
    FORGERIES_ANSWER = "forgeries:answer", "报告伪造举报的核实情况"
    FORGERIES_CONCLUDE = "forgeries:conclude", "对伪造举报作出结论、登记移送，查看举报人的联系方式"
    FORGERIES_READ = "forgeries:read", "查看证书伪造的举报"

    INSPECTIONS_ANSWER = "inspections:answer", "报告证书年度检查的整改情况"
    INSPECTIONS_CONDUCT = "inspections:conduct", "进行证书年度检查，作出结论"
    INSPECTIONS_READ = "inspections:read", "查看证书年度检查"
    IDENTITIES_CONFIRM = "identities:confirm", "核对证件后确认本班人员的手机，发放个人码，申请解除微信绑定"
    IDENTITIES_DECIDE = "identities:decide", "办理本单位、本省人员微信绑定的解除"
    IDENTITIES_OVERSEE = "identities:oversee", "确认骨干教师的手机，登记其手机号"
    INSTITUTIONS_DECIDE = "institutions:decide", "审核基地推荐，核定、暂停、恢复、取消资格"
    INSTITUTIONS_READ = "institutions:read", "查看培训机构和资格"
    INSTITUTIONS_READ_REQUESTS = "institutions:read-requests", "查看基地推荐和资格申请"
    INSTITUTIONS_RECOMMEND = "institutions:recommend", "推荐教师培训基地，申请增补、暂停、恢复、取消资格"
    INTERRUPTIONS_READ = "interruptions:read", "查看培训班的暂停、延期、转班、终止和取消"
    INTERRUPTIONS_REQUEST = "interruptions:request", "申请暂停、延期、转班补学、终止，取消开班"
    INTERRUPTIONS_REVIEW = "interruptions:review", "审核培训班的暂停、延期、转班和终止"
    INVITATIONS_ANSWER = "invitations:answer", "接受或谢绝授课、考核邀请"
    INVITATIONS_READ = "invitations:read", "查看邀请函"
    INVITATIONS_SEND = "invitations:send", "邀请骨干教师"
    JOBS_RUN = "jobs:run", "查看和运行定时任务"
    MESSAGES_MANAGE = "messages:manage", "查看消息发送情况，处理发送失败的消息，设置微信模板"
    LAYOUTS_SET = "layouts:set", "核定证书样式"
    MOVES_ASK = "moves:ask", "提出人员调动"
    MOVES_CONFIRM = "moves:confirm", "确认人员调动"
    MOVES_READ = "moves:read", "查看人员调动"
    PHONE = "phone", "小程序登录"
    PLANS_ANNOUNCE = "plans:announce", "公布培训计划的报送时间、催办"
    PLANS_MANAGE = "plans:manage", "编制和报送培训计划"
    PLANS_READ = "plans:read", "查看培训计划"
    PLANS_REVIEW = "plans:review", "审核培训计划"
    POLICIES_CHANGE = "policies:change", "核定平台政策"
    POLICIES_READ = "policies:read", "查看平台政策"
    PROGRESS_URGE = "progress:urge", "催办等别人办理的事"
    REISSUES_APPLY = "reissues:apply", "为自己的证书申请补发、换发，陈述拟撤销的意见"
    REISSUES_MANAGE = "reissues:manage", "办理本机构证书的补发，申请换发"
    REISSUES_READ = "reissues:read", "查看证书的补发、换发和撤销"
    REISSUES_REVIEW = "reissues:review", "审核证书换发"
    REOPENINGS_READ = "reopenings:read", "查看重新开放成绩的申请"
    REOPENINGS_REQUEST = "reopenings:request", "申请重新开放已公布的成绩"
    REOPENINGS_REVIEW = "reopenings:review", "审核重新开放成绩的申请"
    SCHEMES_DRAFT = "schemes:draft", "与培训机构共同起草自己授课班的培训方案"
    QUALIFICATION_DECIDE = "qualification:decide", "作出、撤销动态管理决定"
    QUALIFICATION_DISMISS = "qualification:dismiss", "终止动态管理事项"
    QUALIFICATION_READ = "qualification:read", "查看动态管理事项和预警"
    QUALIFICATION_STATE = "qualification:state", "为本机构陈述动态管理事项"
    SCHEMES_MANAGE = "schemes:manage", "起草、送签和报送培训方案"
    SCHEMES_READ = "schemes:read", "查看培训方案"
    SCHEMES_REVIEW = "schemes:review", "审核培训方案"
    SCHEMES_SIGN = "schemes:sign", "讨论、签署自己授课班的培训方案"
    SELECTION_DECIDE = "selection:decide", "审核骨干教师选拔推荐、登记合格名单"
    SELECTION_ENROL = "selection:enrol", "查看选拔候选人、编入骨干班、报送合格名单"
    SELECTION_READ = "selection:read", "查看骨干教师选拔推荐"
    SELECTION_READ_LISTS = "selection:read-lists", "查看合格教师名单和登记决定"
    SELECTION_RECOMMEND = "selection:recommend", "推荐教师参加骨干教师选拔"
    SEALS_MANAGE = "seals:manage", "报送、停用印章，上传、停用签名密钥"
    SEALS_READ = "seals:read", "查看培训机构的印章和签名密钥"
    SEALS_REVIEW = "seals:review", "审核培训机构的印章"
    STOCK_ASK = "stock:ask", "申领空白证书"
    STOCK_GIVE = "stock:give", "发放空白证书"
    STOCK_KEEP = "stock:keep", "登记空白证书的入库、作废、遗失和盘点"
    STOCK_READ = "stock:read", "查看空白证书的账"
    SURVEYS_ANSWER = "surveys:answer", "填写满意度评价"
    SURVEYS_MANAGE = "surveys:manage", "发起和结束满意度评价"
    SURVEYS_OWN_MEANS = "surveys:own-means", "查看自己的满意度结果"
    SURVEYS_READ = "surveys:read", "查看满意度结果"

    UPLOADS_SEND = "uploads:send", "上传要提交的文件"

    VENUES_ASK = "venues:ask", "报请核实培训地点"
    VENUES_READ = "venues:read", "查看培训地点的核实"
    VENUES_REVIEW = "venues:review", "核实培训地点"

    @property
    def chapter(self) -> str:
        """The Chinese name of its chapter, under which the table of rights lists it."""
        return CHAPTERS[self.partition(":")[0]]


CHAPTERS = {
    "progress": "工作台",
    "accounts": "账号",
    "identities": "微信与身份",
    "moves": "人员调动",
    "institutions": "培训机构",
    "backbone": "骨干教师库",
    "selection": "骨干教师选拔",
    "duties": "骨干教师履职",
    "qualification": "动态管理",
    "plans": "培训计划",
    "applications": "开班申请",
    "venues": "地点核实",
    "classes": "培训班",
    "invitations": "邀请函",
    "interruptions": "培训班变更",
    "schemes": "培训方案",
    "admissions": "招生与报到",
    "attendance": "签到考勤",
    "assessment": "考核",
    "uploads": "文件上传",
    "reopenings": "成绩重新开放",
    "surveys": "满意度评价",
    "seals": "印章与签名",
    "certificates": "培训证书",
    "layouts": "证书样式",
    "reissues": "证书补发和换发",
    "forgeries": "伪造举报",
    "inspections": "证书年度检查",
    "stock": "空白证书",
    "content": "内容检查",
    "corrections": "信息更正",
    "policies": "平台政策",
    "messages": "消息",
    "wechat": "微信",
    "jobs": "定时任务",
    "audit": "操作留痕",
}
"""The first word of a permission → the chapter's Chinese name, in the order of the table of rights."""


_STAFF = frozenset(
    {
        Permission.ACCOUNTS_OWN,
        Permission.ACCOUNTS_STAFF,
        Permission.ADMISSIONS_READ,
        Permission.APPLICATIONS_READ,
        Permission.ASSESSMENT_READ,
        Permission.ATTENDANCE_READ,
        Permission.BACKBONE_READ,
        Permission.CERTIFICATES_QUERY,
        Permission.CERTIFICATES_READ,
        Permission.CLASSES_READ,
        Permission.CORRECTIONS_READ,
        Permission.FORGERIES_READ,
        Permission.INSPECTIONS_READ,
        Permission.IDENTITIES_DECIDE,
        Permission.INSTITUTIONS_READ,
        Permission.INTERRUPTIONS_READ,
        Permission.INVITATIONS_READ,
        Permission.MOVES_READ,
        Permission.PLANS_READ,
        Permission.POLICIES_READ,
        Permission.PROGRESS_URGE,
        Permission.QUALIFICATION_READ,
        Permission.REISSUES_READ,
        Permission.REOPENINGS_READ,
        Permission.SCHEMES_READ,
        Permission.SEALS_READ,
        Permission.SURVEYS_READ,
        Permission.VENUES_READ,
        Permission.STOCK_KEEP,
        Permission.STOCK_READ,
    }
)
_INSTITUTION = _STAFF | {
    Permission.ADMISSIONS_MANAGE,
    Permission.APPLICATIONS_MANAGE,
    Permission.ASSESSMENT_MANAGE,
    Permission.ASSESSMENT_RELEASE,
    Permission.ATTENDANCE_MANAGE,
    Permission.ATTENDANCE_SHOW_CODE,
    Permission.CERTIFICATES_ISSUE,
    Permission.CERTIFICATES_REVOKE,
    Permission.CLASSES_MANAGE,
    Permission.CONTENT_REVIEW,
    Permission.CORRECTIONS_REQUEST,
    Permission.FORGERIES_ANSWER,
    Permission.INSPECTIONS_ANSWER,
    Permission.IDENTITIES_CONFIRM,
    Permission.INTERRUPTIONS_REQUEST,
    Permission.INVITATIONS_SEND,
    Permission.MOVES_ASK,
    Permission.PLANS_MANAGE,
    Permission.QUALIFICATION_STATE,
    Permission.REISSUES_MANAGE,
    Permission.STOCK_ASK,
    Permission.REOPENINGS_REQUEST,
    Permission.SCHEMES_MANAGE,
    Permission.SEALS_MANAGE,
    Permission.SURVEYS_MANAGE,
    Permission.VENUES_ASK,
}
_TRAINEE = frozenset(
    {
        Permission.ADMISSIONS_APPLY,
        Permission.ASSESSMENT_SUBMIT,
        Permission.ATTENDANCE_CHECK_IN,
        Permission.CERTIFICATES_FETCH,
        Permission.CLASSES_ATTEND,
        Permission.DUTIES_ANSWER,
        Permission.REISSUES_APPLY,
        Permission.DUTIES_OWN,  # also of a teacher who is suspended, or has lost the title
        Permission.SURVEYS_ANSWER,
        Permission.UPLOADS_SEND,
    }
)

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.NATIONAL_CENTRE: _STAFF
    | {
        Permission.ACCOUNTS_ALLOCATE,
        Permission.ADMISSIONS_TEMPLATE,
        Permission.AUDIT_READ,
        Permission.BACKBONE_IDENTIFY,
        Permission.BACKBONE_MANAGE,
        Permission.BACKBONE_REGISTER,
        Permission.CONTENT_REVIEW,
        Permission.CORRECTIONS_REVIEW,
        Permission.DUTIES_READ,
        Permission.FORGERIES_CONCLUDE,
        Permission.IDENTITIES_OVERSEE,
        Permission.INSTITUTIONS_DECIDE,
        Permission.INSTITUTIONS_READ_REQUESTS,
        Permission.JOBS_RUN,
        Permission.LAYOUTS_SET,
        Permission.MESSAGES_MANAGE,
        Permission.PLANS_ANNOUNCE,
        Permission.POLICIES_CHANGE,
        Permission.QUALIFICATION_DECIDE,
        Permission.QUALIFICATION_DISMISS,
        Permission.SELECTION_DECIDE,
        Permission.SELECTION_READ,
        Permission.SELECTION_READ_LISTS,
    },
    Role.PROVINCE: _STAFF
    | {
        Permission.APPLICATIONS_REVIEW,
        Permission.CORRECTIONS_REVIEW,
        Permission.DUTIES_READ,
        Permission.FORGERIES_CONCLUDE,
        Permission.IDENTITIES_OVERSEE,
        Permission.INSTITUTIONS_READ_REQUESTS,
        Permission.INSPECTIONS_CONDUCT,
        Permission.INSTITUTIONS_RECOMMEND,
        Permission.INTERRUPTIONS_REVIEW,
        Permission.MOVES_ASK,
        Permission.MOVES_CONFIRM,
        Permission.QUALIFICATION_DISMISS,
        Permission.STOCK_GIVE,
        Permission.REISSUES_REVIEW,
        Permission.REOPENINGS_REVIEW,
        Permission.SCHEMES_REVIEW,
        Permission.SEALS_REVIEW,
        Permission.PLANS_ANNOUNCE,
        Permission.PLANS_REVIEW,
        Permission.SELECTION_READ,
        Permission.SELECTION_RECOMMEND,
        Permission.VENUES_REVIEW,
    },
    Role.TRAINING_CENTRE: _INSTITUTION | {Permission.SELECTION_ENROL, Permission.SELECTION_READ_LISTS},
    Role.TRAINING_BASE: _INSTITUTION,
    Role.BACKBONE_TEACHER: frozenset(
        {
            Permission.ADMISSIONS_REVIEW,
            Permission.ASSESSMENT_GRADE,
            Permission.ASSESSMENT_REMARK,
            Permission.ATTENDANCE_TEACH,
            Permission.CLASSES_TEACH,
            Permission.DUTIES_LOG,
            Permission.INVITATIONS_ANSWER,
            Permission.SCHEMES_DRAFT,
            Permission.SCHEMES_SIGN,
            Permission.SURVEYS_OWN_MEANS,
        }
    ),
    Role.TRAINEE: _TRAINEE,
}

assert INSTITUTION_ROLES <= ROLE_PERMISSIONS.keys()


def rights_by_chapter() -> dict[str, list[tuple[Permission, set[Role]]]]:
    """Which roles hold what, in the order of the chapters; what needs no role is left out."""
    found: dict[str, list[tuple[Permission, set[Role]]]] = {title: [] for title in CHAPTERS.values()}
    for one in Permission:
        if one not in (Permission.ANYONE, Permission.PHONE):
            found[one.chapter].append((one, {role for role in Role if one in ROLE_PERMISSIONS[role]}))
    return found


NOT_IN_ANOTHERS_PLACE = frozenset({Permission.ACCOUNTS_ALLOCATE, Permission.ACCOUNTS_STAFF})
"""What nobody does while standing in for a colleague: accounts, passwords and second factors of others. What is one's own the services of
accounts refuse then."""


def holds(actor: Actor, permission: Permission) -> bool:
    if actor.stands_for and permission in NOT_IN_ANOTHERS_PLACE:
        return False
    if permission is Permission.ANYONE:
        return True
    if permission is Permission.PHONE:
        return actor.kind == "person"
    return any(permission in ROLE_PERMISSIONS[role] for role in actor.roles)


def require(actor: Actor, permission: Permission) -> None:
    """Raises NotSignedIn for somebody unknown, Forbidden for somebody known whose roles lack the permission, RealNameFirst
    for a phone that is bound to nobody."""
    if holds(actor, permission):
        return
    if actor.kind == "anybody":
        raise NotSignedIn()
    raise RealNameFirst() if actor.kind == "person" and not actor.roles else Forbidden()
