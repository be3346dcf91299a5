"""What becomes of a request to release the phone of a person (server/decisions/0027). Pure.

An institution that runs a class which the person is on asks, with the card seen; who answers for the person decides the same day
(classes.belonging).
"""

from __future__ import annotations

from server.kernel import reviews
from server.kernel.errors import Conflict, Forbidden
from server.kernel.identity import INSTITUTION_ROLES
from server.kernel.reviews import CENTRE, PROVINCE, By, Procedure
from server.kernel.titled import Titled


class State(Titled):
    ASKED = "ASKED", "待办理"
    RELEASED = "RELEASED", "已解除"
    DECLINED = "DECLINED", "不予解除"
    RETRACTED = "RETRACTED", "已撤回"

    @property
    def open(self) -> bool:
        return self is State.ASKED


class Action(Titled):
    ASK = "ASK", "申请解除微信绑定"
    RELEASE = "RELEASE", "解除绑定"
    DECLINE = "DECLINE", "不予解除"
    RETRACT = "RETRACT", "撤回"


_ANSWERS = INSTITUTION_ROLES | PROVINCE | CENTRE
STEPS: Procedure[State, Action] = Procedure(
    {
        Action.ASK: By(INSTITUTION_ROLES),
        Action.RELEASE: By(_ANSWERS, {State.ASKED: State.RELEASED}),
        Action.DECLINE: By(_ANSWERS, {State.ASKED: State.DECLINED}),
        Action.RETRACT: By(INSTITUTION_ROLES, {State.ASKED: State.RETRACTED}),
    },
    reviews.not_yours(
        "release-not-yours", "解除微信绑定由开班的培训机构申请，由本人单位、省级管理部门或部指导中心办理。"
    ),
    reviews.not_now("release-settled", "申请现在不能这样办理", "这件申请“{state}”"),
    reviews.overtaken("release-overtaken", "申请已有变动", "这件申请"),
)


class AlreadyAsked(Conflict):
    slug = "release-already-asked"
    title = "已有待办理的申请"
    default_detail = "这位教师已有一件待办理的解除申请，请等办结；急用的先核对证件登记考勤。"


class NotCheckedYet(Conflict):
    slug = "not-checked-yet"
    title = "身份还没有核对"
    default_detail = "这位报名教师的身份还没有核对。请先核对身份证、办理报到，办理时一并确认手机。"


class NobodyNeedsACode(Conflict):
    slug = "nobody-needs-a-code"
    title = "没有需要个人码的学员"
    default_detail = "本班学员的手机都已确认，或报名的身份还没有核对，不需要发放个人码。"


class NotTheirKeeper(Forbidden):
    slug = "not-their-keeper"
    title = "这件事不由您办理"
    default_detail = (
        "解除微信绑定由本人所在单位办理；单位没有平台账号，或正开办本人所在培训班的，由省级管理部门办理；"
        "部指导中心也可以办理。"
    )
