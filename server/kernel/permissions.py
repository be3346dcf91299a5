"""What may be done, and which role may do it: deny by default.

A permission says nothing about whose documents: that is the jurisdiction, inside every query.
"""

from __future__ import annotations

from enum import StrEnum

from server.kernel.errors import Forbidden, NotSignedIn
from server.kernel.identity import INSTITUTION_ROLES, Actor, Role


class Permission(StrEnum):
    """`chapter:action`, in alphabetical order. ANYONE needs no sign-in; PHONE is any phone that has logged in, bound or not."""

    ACCOUNTS_ALLOCATE = "accounts:allocate"
    ACCOUNTS_OWN = "accounts:own"
    ACCOUNTS_RELEASE_BINDING = "accounts:release-binding"
    ACCOUNTS_STAFF = "accounts:staff"
    ADMISSIONS_APPLY = "admissions:apply"
    ADMISSIONS_MANAGE = "admissions:manage"
    ADMISSIONS_READ = "admissions:read"
    ADMISSIONS_REVIEW = "admissions:review"
    ADMISSIONS_TEMPLATE = "admissions:template"
    ANYONE = "anyone"
    APPLICATIONS_MANAGE = "applications:manage"
    APPLICATIONS_READ = "applications:read"
    APPLICATIONS_REVIEW = "applications:review"
    ASSESSMENT_GRADE = "assessment:grade"
    ASSESSMENT_MANAGE = "assessment:manage"
    ASSESSMENT_READ = "assessment:read"
    ASSESSMENT_RELEASE = "assessment:release"
    ASSESSMENT_SUBMIT = "assessment:submit"
    ATTENDANCE_CHECK_IN = "attendance:check-in"
    ATTENDANCE_MANAGE = "attendance:manage"
    ATTENDANCE_READ = "attendance:read"
    ATTENDANCE_SHOW_CODE = "attendance:show-code"
    ATTENDANCE_TEACH = "attendance:teach"
    AUDIT_READ = "audit:read"
    BACKBONE_IDENTIFY = "backbone:identify"
    BACKBONE_MANAGE = "backbone:manage"
    BACKBONE_READ = "backbone:read"
    BACKBONE_REGISTER = "backbone:register"
    CERTIFICATES_FETCH = "certificates:fetch"
    CERTIFICATES_ISSUE = "certificates:issue"
    CERTIFICATES_READ = "certificates:read"
    CERTIFICATES_REVOKE = "certificates:revoke"
    CLASSES_ATTEND = "classes:attend"
    CLASSES_MANAGE = "classes:manage"
    CLASSES_READ = "classes:read"
    CLASSES_TEACH = "classes:teach"
    CONTENT_REVIEW = "content:review"
    CORRECTIONS_READ = "corrections:read"
    CORRECTIONS_REQUEST = "corrections:request"
    CORRECTIONS_REVIEW = "corrections:review"
    DUTIES_ANSWER = "duties:answer"
    DUTIES_LOG = "duties:log"
    DUTIES_OWN = "duties:own"
    DUTIES_READ = "duties:read"
    INSTITUTIONS_DECIDE = "institutions:decide"
    INSTITUTIONS_READ = "institutions:read"
    INSTITUTIONS_READ_REQUESTS = "institutions:read-requests"
    INSTITUTIONS_RECOMMEND = "institutions:recommend"
    INVITATIONS_ANSWER = "invitations:answer"
    INVITATIONS_READ = "invitations:read"
    INVITATIONS_SEND = "invitations:send"
    JOBS_RUN = "jobs:run"
    MESSAGES_MANAGE = "messages:manage"
    PHONE = "phone"
    PLANS_MANAGE = "plans:manage"
    PLANS_READ = "plans:read"
    PLANS_REVIEW = "plans:review"
    POLICIES_CHANGE = "policies:change"
    POLICIES_READ = "policies:read"
    SCHEMES_DRAFT = "schemes:draft"
    QUALIFICATION_DECIDE = "qualification:decide"
    QUALIFICATION_DISMISS = "qualification:dismiss"
    QUALIFICATION_READ = "qualification:read"
    QUALIFICATION_STATE = "qualification:state"
    SCHEMES_MANAGE = "schemes:manage"
    SCHEMES_READ = "schemes:read"
    SCHEMES_REVIEW = "schemes:review"
    SCHEMES_SIGN = "schemes:sign"
    SELECTION_DECIDE = "selection:decide"
    SELECTION_ENROL = "selection:enrol"
    SELECTION_READ = "selection:read"
    SELECTION_READ_LISTS = "selection:read-lists"
    SELECTION_RECOMMEND = "selection:recommend"
    SURVEYS_ANSWER = "surveys:answer"
    SURVEYS_MANAGE = "surveys:manage"
    SURVEYS_OWN_MEANS = "surveys:own-means"
    SURVEYS_READ = "surveys:read"

    @property
    def title(self) -> str:  # type: ignore[override]  # a permission is never title-cased; templates read the Chinese name here
        return _TITLES[self]

    @property
    def chapter(self) -> str:
        """The Chinese name of its chapter, under which the table of rights lists it."""
        return CHAPTERS[self.partition(":")[0]]


CHAPTERS = {
    "accounts": "账号",
    "institutions": "培训机构",
    "backbone": "骨干教师库",
    "selection": "骨干教师选拔",
    "duties": "骨干教师履职",
    "qualification": "动态管理",
    "plans": "培训计划",
    "applications": "开班申请",
    "classes": "培训班",
    "invitations": "邀请函",
    "schemes": "培训方案",
    "admissions": "招生与报到",
    "attendance": "签到考勤",
    "assessment": "考核",
    "surveys": "满意度评价",
    "certificates": "培训证书",
    "content": "内容检查",
    "corrections": "信息更正",
    "policies": "平台政策",
    "messages": "消息",
    "wechat": "微信",
    "jobs": "定时任务",
    "audit": "操作留痕",
}
"""The first word of a permission → the chapter's Chinese name, in the order of the table of rights."""

_TITLES = {
    Permission.ACCOUNTS_ALLOCATE: "分配用户账号、恢复账号、重置两步验证",
    Permission.ACCOUNTS_OWN: "登录，管理自己的密码和登录",
    Permission.ACCOUNTS_RELEASE_BINDING: "解除本班学员的微信绑定",
    Permission.ACCOUNTS_STAFF: "管理本单位人员的账号：增加、重置密码、停用",
    Permission.ADMISSIONS_APPLY: "查看和撤回自己的报名、签署承诺书",
    Permission.ADMISSIONS_MANAGE: "开放报名、审核报名、办理报到",
    Permission.ADMISSIONS_READ: "查看报名、需求分析和报到",
    Permission.ADMISSIONS_REVIEW: "审核自己授课班的报名、说明需求调整",
    Permission.ADMISSIONS_TEMPLATE: "修改需求调查问卷",
    Permission.ANYONE: "无需登录",
    Permission.APPLICATIONS_MANAGE: "提出开班申请",
    Permission.APPLICATIONS_READ: "查看开班申请",
    Permission.APPLICATIONS_REVIEW: "审核开班申请",
    Permission.ASSESSMENT_GRADE: "批阅学习成果、评定成绩",
    Permission.ASSESSMENT_MANAGE: "布置学习任务",
    Permission.ASSESSMENT_READ: "查看学习成果和成绩",
    Permission.ASSESSMENT_RELEASE: "公布成绩",
    Permission.ASSESSMENT_SUBMIT: "提交学习成果",
    Permission.ATTENDANCE_CHECK_IN: "签到",
    Permission.ATTENDANCE_MANAGE: "安排课次、补签",
    Permission.ATTENDANCE_READ: "查看考勤",
    Permission.ATTENDANCE_SHOW_CODE: "在教室屏幕显示签到码",
    Permission.ATTENDANCE_TEACH: "用手机显示签到码、查看到课情况",
    Permission.AUDIT_READ: "查看操作留痕",
    Permission.BACKBONE_IDENTIFY: "查看骨干教师的完整身份证号",
    Permission.BACKBONE_MANAGE: "暂停、恢复骨干教师",
    Permission.BACKBONE_READ: "查看骨干教师库",
    Permission.BACKBONE_REGISTER: "登记骨干教师入库",
    Permission.CERTIFICATES_FETCH: "领取自己的证书",
    Permission.CERTIFICATES_ISSUE: "核发证书",
    Permission.CERTIFICATES_READ: "查看证书台账",
    Permission.CERTIFICATES_REVOKE: "撤销证书",
    Permission.CLASSES_ATTEND: "查看自己参加的培训班",
    Permission.CLASSES_MANAGE: "开设培训班、导入名册",
    Permission.CLASSES_READ: "查看培训班",
    Permission.CLASSES_TEACH: "查看自己授课的培训班",
    Permission.CONTENT_REVIEW: "查看内容检查的提示，给出结论",
    Permission.CORRECTIONS_READ: "查看更正申请和各版本",
    Permission.CORRECTIONS_REQUEST: "申请更正已发布的信息",
    Permission.CORRECTIONS_REVIEW: "审核更正申请",
    Permission.DUTIES_ANSWER: "确认自己接受的后续指导",
    Permission.DUTIES_LOG: "登记后续指导",
    Permission.DUTIES_OWN: "查看自己的年度履职和登记过的后续指导",
    Permission.DUTIES_READ: "查看骨干教师履职情况",
    Permission.INSTITUTIONS_DECIDE: "审核基地推荐，核定、暂停、恢复、取消资格",
    Permission.INSTITUTIONS_READ: "查看培训机构和资格",
    Permission.INSTITUTIONS_READ_REQUESTS: "查看基地推荐和资格申请",
    Permission.INSTITUTIONS_RECOMMEND: "推荐教师培训基地，申请增补、暂停、恢复、取消资格",
    Permission.INVITATIONS_ANSWER: "接受或谢绝授课、考核邀请",
    Permission.INVITATIONS_READ: "查看邀请函",
    Permission.INVITATIONS_SEND: "邀请骨干教师",
    Permission.JOBS_RUN: "查看和运行定时任务",
    Permission.MESSAGES_MANAGE: "查看消息发送情况，处理发送失败的消息，设置微信模板",
    Permission.PHONE: "小程序登录",
    Permission.PLANS_MANAGE: "编制和报送培训计划",
    Permission.PLANS_READ: "查看培训计划",
    Permission.PLANS_REVIEW: "审核培训计划",
    Permission.POLICIES_CHANGE: "核定平台政策",
    Permission.POLICIES_READ: "查看平台政策",
    Permission.SCHEMES_DRAFT: "与培训机构共同起草自己授课班的培训方案",
    Permission.QUALIFICATION_DECIDE: "作出、撤销骨干教师动态管理决定",
    Permission.QUALIFICATION_DISMISS: "终止动态管理事项",
    Permission.QUALIFICATION_READ: "查看动态管理事项和预警",
    Permission.QUALIFICATION_STATE: "为本基地陈述动态管理事项",
    Permission.SCHEMES_MANAGE: "起草、送签和报送培训方案",
    Permission.SCHEMES_READ: "查看培训方案",
    Permission.SCHEMES_REVIEW: "审核培训方案",
    Permission.SCHEMES_SIGN: "讨论、签署自己授课班的培训方案",
    Permission.SELECTION_DECIDE: "审核骨干教师选拔推荐、登记合格名单",
    Permission.SELECTION_ENROL: "查看选拔候选人、编入骨干班、报送合格名单",
    Permission.SELECTION_READ: "查看骨干教师选拔推荐",
    Permission.SELECTION_READ_LISTS: "查看合格教师名单和登记决定",
    Permission.SELECTION_RECOMMEND: "推荐教师参加骨干教师选拔",
    Permission.SURVEYS_ANSWER: "填写满意度评价",
    Permission.SURVEYS_MANAGE: "发起和结束满意度评价",
    Permission.SURVEYS_OWN_MEANS: "查看自己的满意度结果",
    Permission.SURVEYS_READ: "查看满意度结果",
}
assert _TITLES.keys() == set(Permission), "each permission has a title"


_STAFF = frozenset(
    {
        Permission.ACCOUNTS_OWN,
        Permission.ACCOUNTS_STAFF,
        Permission.ADMISSIONS_READ,
        Permission.APPLICATIONS_READ,
        Permission.ASSESSMENT_READ,
        Permission.ATTENDANCE_READ,
        Permission.BACKBONE_READ,
        Permission.CERTIFICATES_READ,
        Permission.CLASSES_READ,
        Permission.CORRECTIONS_READ,
        Permission.INSTITUTIONS_READ,
        Permission.INVITATIONS_READ,
        Permission.PLANS_READ,
        Permission.POLICIES_READ,
        Permission.QUALIFICATION_READ,
        Permission.SCHEMES_READ,
        Permission.SURVEYS_READ,
    }
)
_INSTITUTION = _STAFF | {
    Permission.ACCOUNTS_RELEASE_BINDING,
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
    Permission.INVITATIONS_SEND,
    Permission.PLANS_MANAGE,
    Permission.QUALIFICATION_STATE,
    Permission.SCHEMES_MANAGE,
    Permission.SURVEYS_MANAGE,
}
_TRAINEE = frozenset(
    {
        Permission.ADMISSIONS_APPLY,
        Permission.ASSESSMENT_SUBMIT,
        Permission.ATTENDANCE_CHECK_IN,
        Permission.CERTIFICATES_FETCH,
        Permission.CLASSES_ATTEND,
        Permission.DUTIES_ANSWER,
        Permission.DUTIES_OWN,  # also of a teacher who is suspended, or has lost the title
        Permission.SURVEYS_ANSWER,
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
        Permission.INSTITUTIONS_DECIDE,
        Permission.INSTITUTIONS_READ_REQUESTS,
        Permission.JOBS_RUN,
        Permission.MESSAGES_MANAGE,
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
        Permission.INSTITUTIONS_READ_REQUESTS,
        Permission.INSTITUTIONS_RECOMMEND,
        Permission.QUALIFICATION_DISMISS,
        Permission.SCHEMES_REVIEW,
        Permission.PLANS_REVIEW,
        Permission.SELECTION_READ,
        Permission.SELECTION_RECOMMEND,
    },
    Role.TRAINING_CENTRE: _INSTITUTION | {Permission.SELECTION_ENROL, Permission.SELECTION_READ_LISTS},
    Role.TRAINING_BASE: _INSTITUTION,
    Role.BACKBONE_TEACHER: frozenset(
        {
            Permission.ADMISSIONS_REVIEW,
            Permission.ASSESSMENT_GRADE,
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


def holds(actor: Actor, permission: Permission) -> bool:
    if permission is Permission.ANYONE:
        return True
    if permission is Permission.PHONE:
        return actor.kind == "person"
    return any(permission in ROLE_PERMISSIONS[role] for role in actor.roles)


def require(actor: Actor, permission: Permission) -> None:
    """Raises NotSignedIn for somebody unknown, Forbidden for somebody known whose roles lack the permission."""
    if holds(actor, permission):
        return
    raise NotSignedIn() if actor.kind == "anybody" else Forbidden()
