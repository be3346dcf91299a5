"""The roster of a class: template, upload, preview, confirmation, and the phones of who is on it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, PageHandler
from admin.spreadsheet import send_file, send_workbook
from server.classes import service as classes
from server.classes.documents import RosterState
from server.classes.roster import RosterUnreadable
from server.kernel.errors import FieldError, Invalid, Problem
from server.kernel.permissions import Permission, holds
from server.kernel.web import Route, allow
from server.kernel.xlsx import PACKED_LARGEST


class Roster(PageHandler):
    @allow(Permission.CLASSES_READ)
    async def get(self, class_id: str) -> None:
        await self._show(class_id, NO_ERRORS)

    @allow(Permission.CLASSES_MANAGE, rate="60/minute")
    async def post(self, class_id: str) -> None:
        try:
            uploads = self.request.files.get("file")
            if not uploads:
                raise Invalid(fields=[FieldError("file", "请先选择名册文件。")])
            preview = await classes.preview_roster(
                self.platform, self.actor, class_id, uploads[0].filename, uploads[0].body
            )
        except RosterUnreadable as problem:
            placed = RosterUnreadable(problem.detail, fields=[FieldError("file", problem.detail)])
            return await self._show(class_id, self.refuse(placed))
        except Problem as problem:
            return await self._show(class_id, self.refuse(problem))
        return self.see_other(f"/admin/classes/{class_id}/roster/{preview.id}")

    async def _show(self, class_id: str, outcome: dict[str, Any]) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        glance = await classes.class_at_a_glance(self.platform, training_class)
        self.render_page(
            "classes/roster.html",
            training_class=training_class,
            tab="roster",
            trainees=await classes.trainee_list(self.platform, class_id),
            waiting=glance.roster,
            largest=PACKED_LARGEST,
            may_manage=holds(self.actor, Permission.CLASSES_MANAGE),
            may_release=holds(self.actor, Permission.ACCOUNTS_RELEASE_BINDING),
            **outcome,
        )


class Template(PageHandler):
    @allow(Permission.CLASSES_MANAGE)
    async def get(self, class_id: str) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        send_file(self, f"名册模板-{training_class.name}.xlsx", await classes.roster_template(self.platform))


class Export(PageHandler):
    @allow(Permission.CLASSES_READ, rate="30/minute")
    async def get(self, class_id: str) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        trainees = await classes.trainee_list(self.platform, class_id)
        await send_workbook(
            self,
            f"学员名单-{training_class.name}.xlsx",
            "学员名单",
            [
                ("序号", 6),
                ("姓名", 14),
                ("证件号", 22),
                ("工作单位", 30),
                ("职务/职称", 16),
                ("任教专业", 18),
                ("身份核对", 30),
                ("微信绑定", 10),
            ],
            [
                (
                    number,
                    one.enrolment.name,
                    one.enrolment.id_number_masked,
                    one.enrolment.work_unit,
                    one.enrolment.post,
                    one.enrolment.major_taught,
                    one.evidence.label,
                    "已绑定" if one.bound else "未绑定",
                )
                for number, one in enumerate(trainees, start=1)
            ],
        )


class Preview(PageHandler):
    @allow(Permission.CLASSES_MANAGE)
    async def get(self, class_id: str, import_id: str) -> None:
        await self._show(class_id, import_id, NO_ERRORS)

    @allow(Permission.CLASSES_MANAGE)
    async def post(self, class_id: str, import_id: str) -> None:
        await classes.roster_preview(self.platform, self.actor, class_id, import_id)
        try:
            confirmed = await classes.confirm_roster(self.platform, self.actor, import_id)
        except Problem as problem:
            return await self._show(class_id, import_id, self.refuse(problem))
        self.flash(f"已导入 {len(confirmed.rows)} 名学员，并在小程序中通知本人。")
        return self.see_other(f"/admin/classes/{class_id}/roster")

    async def _show(self, class_id: str, import_id: str, outcome: dict[str, Any]) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        preview = await classes.roster_preview(self.platform, self.actor, class_id, import_id)
        if preview.state is RosterState.CONFIRMED:
            self.flash(f"“{preview.file_name}”已经导入。", "info")
            return self.see_other(f"/admin/classes/{class_id}/roster")
        self.render_page(
            "classes/roster_preview.html",
            training_class=training_class,
            tab="roster",
            preview=preview,
            largest=PACKED_LARGEST,
            **outcome,
        )
        return None


class ReleaseForm(BaseModel):
    reason: Annotated[str, Field(title="理由", min_length=2, max_length=500)]


class ReleaseBinding(PageHandler):
    @allow(Permission.ACCOUNTS_RELEASE_BINDING)
    async def get(self, class_id: str, person_id: str) -> None:
        await self._show(class_id, person_id, NO_ERRORS)

    @allow(Permission.ACCOUNTS_RELEASE_BINDING)
    async def post(self, class_id: str, person_id: str) -> None:
        try:
            reason = self.form(ReleaseForm).reason
            await classes.release_binding(self.platform, self.actor, class_id, person_id, reason)
        except Invalid as problem:
            return await self._show(class_id, person_id, self.refuse(problem))
        self.flash("已解除绑定。请通知学员用新的微信重新绑定。")
        return self.see_other(f"/admin/classes/{class_id}/roster")

    async def _show(self, class_id: str, person_id: str, outcome: dict[str, Any]) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        trainee = await classes.trainee(self.platform, class_id, person_id)
        self.render_page(
            "classes/release.html", training_class=training_class, tab="roster", trainee=trainee, **outcome
        )


_CLASS = r"/admin/classes/(?P<class_id>[0-9a-f]{24})/roster"
ROUTES: list[Route] = [
    (_CLASS, Roster),
    (rf"{_CLASS}/template", Template),
    (rf"{_CLASS}/export", Export),
    (rf"{_CLASS}/(?P<import_id>[0-9a-f]{{24}})", Preview),
    (rf"{_CLASS}/(?P<person_id>[0-9a-f]{{24}})/release", ReleaseBinding),
]
