"""Whose row of a roster it is: the institution's alone, or a person's who has come, is bound, or is known elsewhere. Pure."""

from __future__ import annotations

from server.kernel.errors import Conflict


class AlreadyListed(Conflict):
    slug = "already-listed"
    title = "已在本班名册中"


class AskForACorrection(Conflict):
    slug = "ask-for-a-correction"
    title = "姓名、身份证号和手机号须申请更正"


class HasCome(Conflict):
    slug = "has-come"
    title = "学员已经报到"
    default_detail = "该学员已经报到或参加培训，不能移出名册。不再参加的，请办理退训，记录保留，不核发证书。"


class NotCome(Conflict):
    slug = "not-come"
    title = "学员还没有报到"
    default_detail = "该学员还没有报到，无需退训。不来参加的，请移出名册。"


class OfTheSelection(Conflict):
    slug = "of-the-selection"
    title = "由选拔编入"
    default_detail = "该学员由骨干教师选拔编入本班，请在本班的选拔页办理退出，候选人身份随之恢复。"


def require_own(*, come: bool, bound: bool, elsewhere: bool) -> None:
    """Raises AskForACorrection unless a row's name, number and phone are the institution's to edit."""
    why = (
        "该学员已经报到"
        if come
        else "该学员已绑定过微信"
        if bound
        else "该学员在平台上另有登记（其他培训班、报名、选拔或骨干教师库）"
        if elsewhere
        else ""
    )
    if why:
        away = (
            "办理退训后添加本人" if come else "移出名册后重新添加"
        )  # who has come is not taken off any more
        raise AskForACorrection(
            f"{why}，姓名、身份证号和手机号不能直接修改。写错的请申请更正，由省级管理部门核准；整行写成了别人的，请{away}。"
        )


def require_not_come(come: bool) -> None:
    if come:
        raise HasCome()


def require_come(come: bool) -> None:
    if not come:
        raise NotCome()
