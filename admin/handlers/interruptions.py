"""Classes that do not run as they were planned (变更): the list, the forms of the institution, the review, and hours made up (补课)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import ByAge, Filter, Listing, ProvinceCode, Words, fetched_by, named
from admin.moments import BeijingMoment
from admin.steps import Done, shows, step
from server.attendance import added
from server.attendance import service as attendance
from server.attendance.added import MakeUp, Voiding
from server.classes import service as classes
from server.interruptions import facts, service
from server.interruptions.documents import ChangeFilter, ClassChange
from server.interruptions.requests import (
    CallOff,
    Postponement,
    Revocation,
    Suspension,
    Termination,
    Transfer,
)
from server.interruptions.rules import Ground, Kind, State
from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Invalid
from server.kernel.permissions import Permission, holds
from server.kernel.reasons import Reason
from server.kernel.reviews import Return, Review
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route

MOVE = "move-"
"""What the field of a session's new time begins with."""
_MOMENT: TypeAdapter[datetime] = TypeAdapter(BeijingMoment)
W = TypeVar("W", Suspension, Postponement)


class ChangeQuery(ByAge):
    q: Annotated[Words, Filter("培训班或培训机构")] = ""
    kind: Annotated[Kind | None, Filter("事项")] = None
    state: Annotated[State | None, Filter("状态")] = None
    ground: Annotated[Ground | None, Filter("原因")] = None
    province: ProvinceCode = ""


SHEET = Sheet[ClassChange](
    "培训班变更",
    [
        Column("培训班", 36, lambda row: row.class_name),
        Column("培训机构", 30, lambda row: row.institution_name),
        Column("事项", 10, lambda row: row.kind.label),
        Column("内容", 40, lambda row: row.words),
        Column("原因", 24, lambda row: row.ground.label),
        Column("说明", 40, lambda row: row.reason),
        Column("申请", 14, lambda row: row.history[0].actor_name),
        Column("申请日期", 12, lambda row: beijing_date(row.filed_at)),
        Column("状态", 14, lambda row: row.state.label),
    ],
    file="培训班变更",
)
CHANGES = Listing(
    "/admin/changes",
    "interruptions/list.html",
    Permission.INTERRUPTIONS_READ,
    ChangeQuery,
    fetched_by(service.list_changes, ChangeFilter),
    sheet=SHEET,
)


# ---- the forms


class HostQuery(BaseModel):
    institution: Annotated[str, Field(max_length=20)] = ""
    """Whose later classes are offered."""


class FormOfChange(PageHandler):
    """What an institution asks for, of one kind; `kind` is the page's own."""

    kind: Kind
    get = shows(Permission.INTERRUPTIONS_REQUEST)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        seen = await service.changes_of_class(self.platform, self.actor, class_id)
        returned = next((one for one in seen.changes if one.state is State.RETURNED), None)
        self.render_page(
            "interruptions/form.html",
            training_class=seen.training_class,
            kind=self.kind,
            offered=seen.offered,
            waits=any(one.open for one in seen.changes),
            returned=returned,
            grounds=named(Ground),
            **await self._more(class_id),
            **outcome,
        )

    async def _more(self, class_id: str) -> dict[str, Any]:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        if self.kind in (Kind.SUSPEND, Kind.POSTPONE):
            sessions = await service.sessions_to_place(self.platform, self.actor, class_id)
            return {"sessions": sessions, "move": MOVE}
        if self.kind is Kind.TRANSFER:
            return {
                "later": await facts.later_classes(
                    self.platform, training_class, self.query(HostQuery).institution
                ),
                "trainees": await classes.trainees(self.platform, class_id),
                "chosen": self.get_body_arguments("person_ids"),
            }
        return {"trainees": await classes.trainees(self.platform, class_id)}

    def wanted(self, model: type[W]) -> W:
        """The form with the new times of its sessions. Raises Invalid."""
        return self.form(model).model_copy(update={"moves": self._moves()})

    def _moves(self) -> dict[str, datetime]:
        moves = {}
        for name in self.request.body_arguments:
            typed = self.get_body_argument(name)
            if name.startswith(MOVE) and typed:
                try:
                    moves[name.removeprefix(MOVE)] = _MOMENT.validate_python(typed)
                except ValidationError:
                    raise Invalid(
                        fields=[FieldError("moves", "课次的新时间不是有效的日期和时间。")]
                    ) from None
        return moves


class SuspendForm(FormOfChange):
    kind = Kind.SUSPEND


class PostponeForm(FormOfChange):
    kind = Kind.POSTPONE


class TransferForm(FormOfChange):
    kind = Kind.TRANSFER


class TerminateForm(FormOfChange):
    kind = Kind.TERMINATE


class CallOffForm(FormOfChange):
    kind = Kind.CALL_OFF


def filed(change: ClassChange) -> Done:
    whom = "接收机构征求意见" if change.state is State.ASKED else "省级管理部门审核"
    return Done(f"{change.kind.label}申请已报{whom}，批准前一切照旧。", f"/admin/changes/{change.id}")


@step(SuspendForm, Permission.INTERRUPTIONS_REQUEST)
async def suspend(page: SuspendForm, class_id: str) -> Done:
    return filed(await service.suspend(page.platform, page.actor, class_id, page.wanted(Suspension)))


@step(PostponeForm, Permission.INTERRUPTIONS_REQUEST)
async def postpone(page: PostponeForm, class_id: str) -> Done:
    return filed(await service.postpone(page.platform, page.actor, class_id, page.wanted(Postponement)))


@step(TransferForm, Permission.INTERRUPTIONS_REQUEST)
async def transfer(page: TransferForm, class_id: str) -> Done:
    if not page.get_body_argument("class_id", ""):
        raise Invalid(fields=[FieldError("class_id", "请选择转入的培训班。")])
    return filed(await service.transfer(page.platform, page.actor, class_id, page.form(Transfer)))


@step(TerminateForm, Permission.INTERRUPTIONS_REQUEST)
async def terminate(page: TerminateForm, class_id: str) -> Done:
    wanted = page.form(Termination)
    return filed(await service.terminate(page.platform, page.actor, class_id, wanted))


@step(CallOffForm, Permission.INTERRUPTIONS_REQUEST)
async def call_off(page: CallOffForm, class_id: str) -> Done:
    done = await service.call_off(page.platform, page.actor, class_id, page.form(CallOff))
    return Done(
        f"已取消开班，{len(done.person_ids)} 名学员和授课教师已通知；计划项目可以重新申请。",
        f"/admin/classes/{class_id}",
    )


# ---- one request


class OneChange(PageHandler):
    address = "/admin/changes/{change_id}"
    get = shows(Permission.INTERRUPTIONS_READ)

    async def show(self, change_id: str, outcome: Outcome = NO_ERRORS) -> None:
        found = await service.change(self.platform, self.actor, change_id)
        own = self.actor.institution_code in (None, found.institution_code)
        asks_me = found.later is not None and found.later.institution_code == self.actor.institution_code
        may_request = holds(self.actor, Permission.INTERRUPTIONS_REQUEST)
        known = {one.person_id: one for one in await classes.trainees(self.platform, found.class_id)}
        self.render_page(
            "interruptions/one.html",
            change=found,
            own=own,
            people=[known[one] for one in found.person_ids if one in known],
            may_review=found.state is State.SUBMITTED and holds(self.actor, Permission.INTERRUPTIONS_REVIEW),
            may_answer=found.state is State.ASKED and asks_me and may_request,
            may_withdraw=own and may_request and (found.open or found.state is State.RETURNED),
            may_revoke=may_request and await facts.may_be_revoked(self.platform, self.actor, found),
            revocable=found.kind in (Kind.SUSPEND, Kind.POSTPONE),
            **outcome,
        )


@step(OneChange, Permission.INTERRUPTIONS_REVIEW)
async def approve(page: OneChange, change_id: str) -> str:
    done = await service.approve(page.platform, page.actor, change_id, page.form(Review))
    return f"已批准“{done.class_name}”{done.kind.label}，有关人员已通知。"


@step(OneChange, Permission.INTERRUPTIONS_REVIEW)
async def send_back(page: OneChange, change_id: str) -> str:
    await service.send_back(page.platform, page.actor, change_id, page.form(Return))
    return "已退回培训机构，对方可以重新申请。"


@step(OneChange, Permission.INTERRUPTIONS_REQUEST)
async def accept(page: OneChange, change_id: str) -> str:
    await service.accept(page.platform, page.actor, change_id, page.form(Review))
    return "已同意接收，转报省级管理部门审核。"


@step(OneChange, Permission.INTERRUPTIONS_REQUEST)
async def decline(page: OneChange, change_id: str) -> str:
    await service.decline(page.platform, page.actor, change_id, page.form(Return))
    return "已答复不同意接收，申请退回对方机构。"


@step(OneChange, Permission.INTERRUPTIONS_REQUEST)
async def withdraw(page: OneChange, change_id: str) -> str:
    await service.withdraw(page.platform, page.actor, change_id, page.form(Review))
    return "已撤回变更申请，一切照旧。"


@step(OneChange, Permission.INTERRUPTIONS_REQUEST)
async def revoke(page: OneChange, change_id: str) -> Done:
    return filed(await service.revoke(page.platform, page.actor, change_id, page.form(Revocation)))


# ---- 补课


class MakeUps(PageHandler):
    address = "/admin/classes/{class_id}/make-ups"
    get = shows(Permission.ATTENDANCE_READ)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        hours = await attendance.hours_of_class(self.platform, training_class)
        trainees = await classes.trainees(self.platform, class_id)
        missed = [
            (one, hours.held - hours.attended.get(one.person_id, 0))
            for one in trainees
            if hours.attended.get(one.person_id, 0) < hours.held
        ]
        open_to = not training_class.frozen
        self.render_page(
            "interruptions/make_ups.html",
            training_class=training_class,
            added=await added.of_class(self.platform, self.actor, class_id),
            people={one.person_id: one for one in trainees},
            missed=missed,
            teachers=list((await classes.teachers_called(self.platform, training_class)).values()),
            held=hours.held,
            may_manage=open_to and holds(self.actor, Permission.ATTENDANCE_MANAGE),
            **outcome,
        )


class VoidForm(BaseModel):
    reason: Reason


@step(MakeUps, Permission.ATTENDANCE_MANAGE)
async def make_up(page: MakeUps, class_id: str) -> str:
    made = await added.make_up(page.platform, page.actor, class_id, page.form(MakeUp))
    return f"已登记补课 {made.hours} 课时，学员已通知。"


class OneMakeUp(PageHandler):
    """The question before hours beside the check-ins are voided."""

    address = "/admin/classes/{class_id}/make-ups"
    get = shows(Permission.ATTENDANCE_MANAGE)

    async def show(self, class_id: str, added_id: str, outcome: Outcome = NO_ERRORS) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        there = await added.of_class(self.platform, self.actor, class_id)
        found = next((one for one in there if one.id == added_id), None)
        self.render_page(
            "interruptions/void_make_up.html",
            training_class=training_class,
            one=found,
            **outcome,
        )


@step(OneMakeUp, Permission.ATTENDANCE_MANAGE)
async def void_make_up(page: OneMakeUp, class_id: str, added_id: str) -> str:
    wanted = Voiding(reason=page.form(VoidForm).reason)
    await added.void(page.platform, page.actor, class_id, added_id, wanted)
    return "已撤销课时记录，学员已通知；记录和理由保留在这里。"


_ID = "[0-9a-f]{24}"
_CLASS = rf"/admin/classes/(?P<class_id>{_ID})"
_ONE = rf"/admin/changes/(?P<change_id>{_ID})"
ROUTES: list[Route] = [
    *CHANGES.routes,
    (rf"{_CLASS}/changes/suspend", suspend),
    (rf"{_CLASS}/changes/postpone", postpone),
    (rf"{_CLASS}/changes/transfer", transfer),
    (rf"{_CLASS}/changes/terminate", terminate),
    (rf"{_CLASS}/changes/call-off", call_off),
    (_ONE, OneChange),
    (rf"{_ONE}/approve", approve),
    (rf"{_ONE}/return", send_back),
    (rf"{_ONE}/accept", accept),
    (rf"{_ONE}/decline", decline),
    (rf"{_ONE}/withdraw", withdraw),
    (rf"{_ONE}/revoke", revoke),
    (rf"{_CLASS}/make-ups", make_up),
    (rf"{_CLASS}/make-ups/(?P<added_id>{_ID})/void", void_make_up),
]
