"""The roster of a class: template, upload, preview, confirmation, and the phones of who is on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from admin.downloads import download, file_of
from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.lists import EXPORT_RATE
from admin.steps import Done, batch, shows, step
from server.admissions import roster
from server.admissions.roster import Edit, Entry, Leaving, Reason
from server.classes import enrolment, roster_import
from server.classes import service as classes
from server.classes.documents import Enrolment, RosterState
from server.classes.service import Trainee
from server.identities import service as identities
from server.identities.service import Asked, Digits, Issued
from server.kernel.downloads import Download
from server.kernel.permissions import Permission
from server.kernel.seen import Saving
from server.kernel.spreadsheets import Column, Sheet
from server.kernel.web import UPLOAD_BODY, Route
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
            left=await enrolment.left_trainees(self.platform, class_id),
            waiting=glance.roster,
            largest=PACKED_LARGEST,
            **outcome,
        )


@step(Roster, Permission.CLASSES_MANAGE, rate="60/minute", body=UPLOAD_BODY)
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
        Column("微信绑定", 10, lambda one: "已绑定" if one.bound else "待确认" if one.waits else "未绑定"),
    ],
    numbered=True,
)
LEFT_ON = Column[Trainee](
    "退训", 12, lambda one: one.enrolment.left_on.isoformat() if one.enrolment.left_on else ""
)
"""In the workbook of a class that somebody has left."""


@download(Permission.CLASSES_READ, rate=EXPORT_RATE)
async def export(page: PageHandler, class_id: str) -> Download:
    training_class = await classes.get_class(page.platform, page.actor, class_id)
    trainees = await classes.trainee_list(page.platform, class_id, left_too=True)
    some_left = any(one.enrolment.left_on for one in trainees)
    sheet = replace(SHEET, columns=[*SHEET.columns, LEFT_ON]) if some_left else SHEET
    return await sheet.download(trainees, training_class.name)


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


class PhoneDialog(PageHandler):
    """What is done about the phone of a trainee whose card was seen: confirmed, that taken back, a code given, its release asked for."""

    address = Roster.address
    get = shows(Permission.IDENTITIES_CONFIRM)
    act: ClassVar[str]

    async def show(
        self, class_id: str, person_id: str, outcome: Outcome = NO_ERRORS, *, code: str = ""
    ) -> None:
        """`code`: a personal code that was just made, shown this once."""
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        self.render_page(
            "classes/phone.html",
            training_class=training_class,
            act=self.act,
            code=code,
            trainee=await classes.trainee(self.platform, class_id, person_id),
            **outcome,
        )


class ConfirmDialog(PhoneDialog):
    act = "confirm"


class TakeBackDialog(PhoneDialog):
    act = "take-back"


class CodeDialog(PhoneDialog):
    act = "code"


class ReleaseDialog(PhoneDialog):
    act = "release"


@step(ConfirmDialog, Permission.IDENTITIES_CONFIRM, rate="60/minute")
async def confirm_phone(page: ConfirmDialog, class_id: str, person_id: str) -> str:
    await identities.confirm_phone(page.platform, page.actor, class_id, person_id, page.form(Digits))
    return "已确认本机，并通知本人。"


@step(TakeBackDialog, Permission.IDENTITIES_CONFIRM)
async def take_back(page: TakeBackDialog, class_id: str, person_id: str) -> str:
    wanted = page.form(identities.Reason)
    await identities.take_back(page.platform, page.actor, class_id, person_id, wanted)
    return "已撤销手机确认，并通知本人。"


@step(CodeDialog, Permission.IDENTITIES_CONFIRM, rate="60/minute")
async def issue_code(page: CodeDialog, class_id: str, person_id: str) -> None:
    code = await identities.issue_code(page.platform, page.actor, class_id, person_id)
    page.set_header("Cache-Control", "no-store")
    await page.show(class_id, person_id, code=code)


class ClassCodes(PageHandler):
    """Codes for everybody whose phone is not proved yet: asked for first, then shown this once, to be written on the admission notices."""

    address = Roster.address
    get = shows(Permission.IDENTITIES_CONFIRM)

    async def show(
        self, class_id: str, outcome: Outcome = NO_ERRORS, *, issued: Sequence[Issued] = ()
    ) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        self.render_page("classes/codes.html", training_class=training_class, issued=issued, **outcome)


@step(ClassCodes, Permission.IDENTITIES_CONFIRM, rate="20/minute")
async def issue_codes(page: ClassCodes, class_id: str) -> None:
    issued = await identities.issue_codes(page.platform, page.actor, class_id)
    page.set_header("Cache-Control", "no-store")
    await page.show(class_id, issued=issued)


@step(ReleaseDialog, Permission.IDENTITIES_CONFIRM)
async def ask_release(page: ReleaseDialog, class_id: str, person_id: str) -> Done:
    asked = await identities.ask(page.platform, page.actor, class_id, person_id, page.form(Asked))
    words = "申请已交办，当天办结；办结前请核对身份证登记考勤。"
    return Done(words, f"{identities.PAGE}/{asked.id}")


# ---- one person on the roster


class NewTrainee(PageHandler):
    """The form of one person."""

    address = Roster.address
    get = shows(Permission.CLASSES_MANAGE)

    async def show(self, class_id: str, outcome: Outcome = NO_ERRORS) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        self.render_page(
            "classes/roster_person.html", training_class=training_class, trainee=None, fixed="", **outcome
        )


@step(NewTrainee, Permission.CLASSES_MANAGE)
async def add(page: NewTrainee, class_id: str) -> str:
    new = await roster.add(page.platform, page.actor, class_id, page.form(Entry))
    return f"已添加{new.name}（{new.id_number_masked}），并在小程序中通知本人。"


class OneTrainee(PageHandler):
    """The same form for somebody who is on the roster."""

    address = Roster.address
    get = shows(Permission.CLASSES_MANAGE)

    async def show(self, class_id: str, person_id: str, outcome: Outcome = NO_ERRORS) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        trainee = await classes.trainee(self.platform, class_id, person_id)
        present = trainee.model_dump(include={"name", "work_unit", "post", "major_taught"})
        self.render_page(
            "classes/roster_person.html",
            training_class=training_class,
            trainee=trainee,
            fixed=await roster.why_not_own(self.platform, self.actor, class_id, person_id),
            **outcome | {"values": present | outcome["values"]},
        )


@step(OneTrainee, Permission.CLASSES_MANAGE)
async def edit(page: OneTrainee, class_id: str, person_id: str) -> str:
    typed, seen = page.form(Edit), page.form(Saving).seen
    changed = await roster.edit(page.platform, page.actor, class_id, person_id, typed, seen)
    return f"{changed.name}（{changed.id_number_masked}）的名册信息已保存。"


class TraineeDialog(PageHandler):
    """The dialogs that take somebody off the roster, note that they left, and take that back."""

    address = Roster.address
    get = shows(Permission.CLASSES_MANAGE)
    act: ClassVar[str]

    async def show(self, class_id: str, person_id: str, outcome: Outcome = NO_ERRORS) -> None:
        training_class = await classes.get_class(self.platform, self.actor, class_id)
        self.render_page(
            "classes/roster_act.html",
            training_class=training_class,
            act=self.act,
            trainee=await self.whom(class_id, person_id),
            **outcome,
        )

    async def whom(self, class_id: str, person_id: str) -> Enrolment:
        return await classes.trainee(self.platform, class_id, person_id)


class RemovalDialog(TraineeDialog):
    act = "remove"


class LeavingDialog(TraineeDialog):
    act = "leave"


class ReturnDialog(TraineeDialog):
    act = "return"

    async def whom(self, class_id: str, person_id: str) -> Enrolment:
        return await enrolment.on_record(self.platform, class_id, person_id)


@step(RemovalDialog, Permission.CLASSES_MANAGE)
async def remove(page: RemovalDialog, class_id: str, person_id: str) -> str:
    removed = await roster.remove(page.platform, page.actor, class_id, person_id, page.form(Reason))
    return f"已将{removed.name}（{removed.id_number_masked}）移出名册，并通知本人。"


async def called(page: PageHandler, person_id: str, class_id: str) -> str:
    await classes.get_class(page.platform, page.actor, class_id)
    return (await classes.trainee(page.platform, class_id, person_id)).name


@batch(Roster, Permission.CLASSES_MANAGE, "已将 {} 人移出名册，并通知本人。", called, Reason)
async def remove_several(page: Roster, person_id: str, form: Reason, class_id: str) -> None:
    await roster.remove(page.platform, page.actor, class_id, person_id, form)


@step(LeavingDialog, Permission.CLASSES_MANAGE)
async def leave(page: LeavingDialog, class_id: str, person_id: str) -> str:
    await roster.leave(page.platform, page.actor, class_id, person_id, page.form(Leaving))
    return "已登记退训，并通知本人。记录保留在名册下方。"


@step(ReturnDialog, Permission.CLASSES_MANAGE)
async def come_back(page: ReturnDialog, class_id: str, person_id: str) -> str:
    await roster.come_back(page.platform, page.actor, class_id, person_id, page.form(Reason))
    return "已撤销退训，并通知本人。"


_CLASS = r"/admin/classes/(?P<class_id>[0-9a-f]{24})/roster"
_PERSON = rf"{_CLASS}/(?P<person_id>[0-9a-f]{{24}})"
ROUTES: list[Route] = [
    (_CLASS, upload),
    (rf"{_CLASS}/template", file_of(roster_import.roster_template, Permission.CLASSES_MANAGE)),
    (rf"{_CLASS}/export", export),
    (rf"{_CLASS}/(?P<import_id>[0-9a-f]{{24}})", confirm),
    (rf"{_CLASS}/add", add),
    (rf"{_CLASS}/remove", remove_several),
    (rf"{_CLASS}/codes", issue_codes),
    (rf"{_PERSON}/phone", confirm_phone),
    (rf"{_PERSON}/phone/take-back", take_back),
    (rf"{_PERSON}/phone/code", issue_code),
    (rf"{_PERSON}/phone/release", ask_release),
    (rf"{_PERSON}/edit", edit),
    (rf"{_PERSON}/remove", remove),
    (rf"{_PERSON}/leave", leave),
    (rf"{_PERSON}/return", come_back),
]
