"""What somebody begins with on a platform, or at an institution, that has nothing yet: the first block of the home page."""

from __future__ import annotations

from dataclasses import dataclass

from server.accounts import staff
from server.applications import service as applications
from server.applications.documents import Application, ApplicationFilter
from server.applications.rules import State as ApplicationState
from server.backbone import service as backbone
from server.classes import service as classes
from server.kernel import policies
from server.kernel.identity import Actor, Role
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.plans import service as plans
from server.plans.documents import Plan, PlanFilter
from server.plans.rules import State as PlanState


@dataclass(frozen=True)
class FirstStep:
    """`href` is empty while there is nothing to do about it."""

    title: str
    detail: str
    href: str = ""
    action: str = ""
    done: bool = False


async def of(platform: Platform, actor: Actor) -> list[FirstStep]:
    """Those of this actor; empty once there is anything else to do."""
    if Role.NATIONAL_CENTRE in actor.roles:
        return await of_centre(platform, actor)
    if not holds(actor, Permission.CLASSES_MANAGE) or await classes.any_class(platform, actor):
        return []
    return await of_institution(platform, actor)


async def of_centre(platform: Platform, actor: Actor) -> list[FirstStep]:
    """Accounts, pool and policies of a platform that nobody has used yet; empty once all is done."""
    steps = [
        FirstStep(
            "分配用户账号",
            "为省级管理部门和培训机构分配账号，把用户名和初始密码交给使用人。",
            "/admin/accounts",
            "去分配",
            await staff.any_beside_the_centre(platform),
        ),
        FirstStep(
            "登记骨干教师",
            "把培训合格的骨干教师登记入库，培训机构才能邀请他们授课和考核。",
            "/admin/backbone",
            "去登记",
            bool(await backbone.list_pool(platform, actor, limit=1)),
        ),
        FirstStep(
            "核定平台政策",
            "课时下限、考核权重、出勤要求等指南没有规定的数值，目前按待核的初始值执行。",
            "/admin/policies",
            "去核定",
            bool(await policies.versions(platform)),
        ),
    ]
    return [] if all(one.done for one in steps) else steps


async def of_institution(platform: Platform, actor: Actor) -> list[FirstStep]:
    """From the plan to the first class (articles 4.1 and 4.2), as far as the institution, which has no class yet, has come."""
    newest = await plans.list_plans(platform, actor, PlanFilter(), limit=1)
    in_force = await plans.list_plans(platform, actor, PlanFilter(state=PlanState.APPROVED), limit=1)
    filed = [
        one
        for state in (ApplicationState.RETURNED, ApplicationState.SUBMITTED)
        for one in await applications.list_applications(
            platform, actor, ApplicationFilter(state=state), limit=1
        )
    ]
    return [
        _plan(newest[0] if newest else None, in_force[0] if in_force else None),
        _application(in_force[0] if in_force else None, filed[0] if filed else None),
        FirstStep("邀请骨干教师、招收学员", "批准开班后，邀请骨干教师授课和考核，与教师共同制订培训方案。"),
    ]


def _plan(newest: Plan | None, in_force: Plan | None) -> FirstStep:
    title = "编制年度培训计划"
    if in_force:
        return FirstStep(title, f"{in_force.year} 年培训计划第 {in_force.version} 版已批准。", done=True)
    if newest is None:
        return FirstStep(title, "编制年度计划，报省级管理部门审核。", "/admin/plans", "编制培训计划")
    href = f"/admin/plans/{newest.id}"
    match newest.state:
        case PlanState.SUBMITTED:
            return FirstStep(title, "计划已报送，等待省级管理部门审核。", href, "查看计划")
        case PlanState.RETURNED:
            return FirstStep(title, "计划被退回，请按理由修改后重新报送。", href, "去修改")
        case _:
            return FirstStep(title, "计划正在编制，核对后请报送省级管理部门审核。", href, "去报送")


def _application(in_force: Plan | None, filed: Application | None) -> FirstStep:
    title = "申请开班"
    if filed:
        href = f"/admin/applications/{filed.id}"
        if filed.state is ApplicationState.RETURNED:
            return FirstStep(title, f"“{filed.name}”被退回，请按理由修改后重新报送。", href, "去修改")
        return FirstStep(title, f"“{filed.name}”已报送，等待省级管理部门审核。", href, "查看申请")
    if in_force is None:
        return FirstStep(title, "计划批准后，从计划的项目申请开班。")
    return FirstStep(
        title, "从已批准计划的项目申请开班，批准后即成为培训班。", f"/admin/plans/{in_force.id}", "申请开班"
    )
