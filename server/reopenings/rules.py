"""When released results may be opened again (article 13: 严禁违规修改参训教师成绩): with a reason, and with the province's approval.

A certificate states a result to the whole country; once one has been issued, a result is corrected by revoking and not by grading anew.
"""

from __future__ import annotations

from server.kernel import reviews
from server.kernel.errors import Conflict
from server.kernel.identity import INSTITUTION_ROLES
from server.kernel.reviews import PROVINCE, By, Procedure, Waits
from server.kernel.titled import Titled


class State(Titled):
    SUBMITTED = "SUBMITTED", "待省级审核"
    APPROVED = "APPROVED", "已同意，成绩重新开放"
    DECLINED = "DECLINED", "不同意"
    RETRACTED = "RETRACTED", "已撤回"

    @property
    def open(self) -> bool:
        return self is State.SUBMITTED


class Action(Titled):
    REQUEST = "REQUEST", "申请重新开放成绩"
    APPROVE = "APPROVE", "同意"
    DECLINE = "DECLINE", "不同意"
    RETRACT = "RETRACT", "撤回"


STEPS: Procedure[State, Action] = Procedure(
    {
        Action.REQUEST: By(INSTITUTION_ROLES),
        Action.APPROVE: By(PROVINCE, {State.SUBMITTED: State.APPROVED}),
        Action.DECLINE: By(PROVINCE, {State.SUBMITTED: State.DECLINED}),
        Action.RETRACT: By(INSTITUTION_ROLES, {State.SUBMITTED: State.RETRACTED}),
    },
    reviews.not_yours(
        "reopening-not-yours", "重新开放成绩由培训机构申请、撤回，由省级管理部门审核（指南第十三条）。"
    ),
    reviews.not_now("reopening-settled", "申请现在不能这样办理", "这件申请“{state}”"),
    reviews.overtaken("reopening-overtaken", "申请已有变动", "这件申请"),
    waits=(Waits(PROVINCE, State.SUBMITTED, "待审核的成绩重新开放申请"),),
)


class NotReleased(Conflict):
    slug = "reopening-not-released"
    title = "成绩没有公布"
    default_detail = "本班成绩现在没有公布，不需要重新开放。"


class CertificatesIssued(Conflict):
    slug = "reopening-certificates-issued"
    title = "已经核发证书"
    default_detail = "本班已核发证书，成绩不能再重新开放。个别证书有误的，请撤销该证书（指南第十八条）。"


class AlreadyAsked(Conflict):
    slug = "reopening-already-asked"
    title = "已有待审核的申请"
    default_detail = "本班已有一件待审核的重新开放申请。请等审核办结，或先撤回原来的申请。"


def check_may_reopen(*, released: bool, certified: bool) -> None:
    """Raises NotReleased, CertificatesIssued."""
    if not released:
        raise NotReleased()
    if certified:
        raise CertificatesIssued()
