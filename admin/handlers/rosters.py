"""The roster of a class: template, upload, preview, confirmation, and the phones of who is on it."""

from __future__ import annotations

from admin.downloads import download, file_of
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import EXPORT_RATE
from admin.steps import Done, ReasonForm, shows, step
from server.classes import roster_import
from server.classes import service as classes
from server.classes.documents import RosterState
from server.classes.service import Trainee
from server.kernel.downloads import Download
from server.kernel.permissions import Permission
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import Route
from server.kernel.xlsx import PACKED_LARGEST


class Roster(PageHandler):
    address = "/admin/classes/{class_id}/roster"
    get = shows(Permission.CLASSES_READ)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        glance = await classes.class_at_a_glance(self.platform, training_class)
        self.render_page(
            "classes/roster.html",
            training_class=training_class,
            trainees=await classes.trainee_list(self.platform, class_id),
            waiting=glance.roster,
            largest=PACKED_LARGEST,
            **outcome,
        )


@step(Roster, Permission.CLASSES_MANAGE, rate="60/minute")
async def upload(page: Roster, class_id: str) -> Done:
    name, content = page.uploaded("file", "请先选择名册文件。")
    preview = await roster_import.preview_roster(page.platform, page.actor, class_id, name, content)
    return Done("", f"/admin/classes/{class_id}/roster/{preview.id}")


SHEET = Sheet[Trainee](
    "学员名单",
    [
        Column("姓名", 14, lambda one: one.enrolment.name),
        Column("证件号", 22, lambda one: one.enrolment.id_number_masked),
        Column("工作单位", 30, lambda one: one.enrolment.work_unit),
        Column("职务/职称", 16, lambda one: one.enrolment.post),
        Column("任教专业", 18, lambda one: one.enrolment.major_taught),
        Column("身份核对", 30, lambda one: one.evidence.label),
        Column("微信绑定", 10, lambda one: "已绑定" if one.bound else "未绑定"),
    ],
    numbered=True,
)


@download(Permission.CLASSES_READ, rate=EXPORT_RATE)
async def export(page: PageHandler, class_id: str) -> Download:
    training_class = await classes.get_class(page.platform, page.actor, class_id)
    return await SHEET.download(await classes.trainee_list(page.platform, class_id), training_class.name)


class Preview(PageHandler):
    address = Roster.address
    get = shows(Permission.CLASSES_MANAGE)

    async def show(self, class_id: str, import_id: str, outcome: Outcome = NO_ERRORS) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        preview = await roster_import.roster_preview(self.platform, self.actor, class_id, import_id)
        if preview.state is RosterState.CONFIRMED:
            self.flash(f"“{preview.file_name}”已经导入。", "info")
            return self.see_other(f"/admin/classes/{class_id}/roster")
        self.render_page(
            "classes/roster_preview.html",
            training_class=training_class,
            preview=preview,
            largest=PACKED_LARGEST,
            **outcome,
        )
        return None


@step(Preview, Permission.CLASSES_MANAGE)
async def confirm(page: Preview, class_id: str, import_id: str) -> str:
    await roster_import.roster_preview(page.platform, page.actor, class_id, import_id)
    confirmed = await roster_import.confirm_roster(page.platform, page.actor, import_id)
    return f"已导入 {len(confirmed.rows)} 名学员，并在小程序中通知本人。"


class BoundTrainee(PageHandler):
    """The dialog that releases a phone."""

    address = Roster.address
    get = shows(Permission.ACCOUNTS_RELEASE_BINDING)

    async def show(self, class_id: str, person_id: str, outcome: Outcome = NO_ERRORS) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        trainee = await classes.trainee(self.platform, class_id, person_id)
        self.render_page("classes/release.html", training_class=training_class, trainee=trainee, **outcome)


@step(BoundTrainee, Permission.ACCOUNTS_RELEASE_BINDING)
async def release(page: BoundTrainee, class_id: str, person_id: str) -> str:
    reason = page.form(ReasonForm).reason
    await classes.release_binding(page.platform, page.actor, class_id, person_id, reason)
    return "已解除绑定。请通知学员用新的微信重新绑定。"


_CLASS = r"/admin/classes/(?P<class_id>[0-9a-f]{24})/roster"
ROUTES: list[Route] = [
    (_CLASS, upload),
    (rf"{_CLASS}/template", file_of(roster_import.roster_template, Permission.CLASSES_MANAGE)),
    (rf"{_CLASS}/export", export),
    (rf"{_CLASS}/(?P<import_id>[0-9a-f]{{24}})", confirm),
    (rf"{_CLASS}/(?P<person_id>[0-9a-f]{{24}})/release", release),
]
