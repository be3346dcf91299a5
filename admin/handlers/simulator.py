"""The page of the simulated WeChat: what each phone would have received, and how WeChat can be made to fail.

Mounted only while WeChat is simulated. As the whole simulator it is open to anybody who reaches the platform: it plays the part of people's
own phones. The simulator lives in the first server process; whichever process answers asks it over HTTP.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin.handler import NO_ERRORS, Outcome, PageHandler
from admin.steps import Done, shows, step
from server.demonstration import ACCOUNTS, moments, people
from server.kernel.permissions import Permission
from server.kernel.web import Route
from server.messages.kind import field_title
from server.messages.kinds import KINDS
from server.messages.templates import templates_on
from server.wechat import simulator
from server.wechat.faces import FACE_PASSED
from server.wechat.terms import CALLS, FAILURES

OPENID = r"(?P<openid>[A-Za-z0-9_-]{1,64})"
TEMPLATE = r"(?P<template_id>[A-Za-z0-9_-]{1,64})"
HOME = "/simulator"


async def ask(page: PageHandler, method: str, path: str, body: object = None) -> Any:
    return await simulator.ask(page.settings["wechat_simulator_url"], method, path, body)


# ---- WeChat itself


class Phones(PageHandler):
    address = HOME
    get = shows(Permission.ANYONE)

    async def show(self, outcome: Outcome = NO_ERRORS) -> None:
        state = await ask(self, "GET", "/simulator/state")
        self.render_page(
            "simulator/phones.html",
            phones=[
                (one["last"] and _moment(one["last"]), one)
                for one in sorted(state["phones"], key=lambda one: one["last"] or "", reverse=True)
            ],
            calls=[(CALLS.get(one["path"], one["path"]), one) for one in state["calls"]],
            pushes=[(_moment(one["at"]), one) for one in reversed(state["pushes"])][:20],
            holding=state["holding"],
            held=state["held"],
            demonstration=await self._demonstration(),
            failures=FAILURES,
            failure_titles=dict(FAILURES),
            **outcome,
        )

    async def _demonstration(self) -> dict[str, Any] | None:
        """Whom a visitor can be, where the clock stands, and the classes it can be moved along."""
        if self.settings["demonstration_clock"] is None:
            return None
        return {
            "accounts": ACCOUNTS,
            "companies": await people.companies(self.platform),
            "now": self.platform.clock.now(),
            "classes": [(one.id, one.name) for one in await moments.classes_ahead(self.platform)],
        }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


class FailureForm(BaseModel):
    path: Annotated[str, Field(title="接口", pattern=r"^(/[a-z0-9_]+)+$", max_length=100)]
    failure: Annotated[str, Field(title="故障", pattern=r"^-?[a-z0-9-]{1,20}$")]


@step(Phones, Permission.ANYONE)
async def fail(page: Phones) -> Done:
    form = page.form(FailureForm)
    failure = int(form.failure) if form.failure.lstrip("-").isdecimal() else form.failure
    await ask(page, "PUT", f"/simulator/failures{form.path}", failure)
    return Done(f"“{CALLS.get(form.path, form.path)}”从现在起会失败。", HOME, "warning")


@step(Phones, Permission.ANYONE)
async def heal(page: Phones) -> str:
    await ask(page, "DELETE", "/simulator/failures/all")
    return "所有接口已恢复正常。"


class QuotaForm(BaseModel):
    path: Annotated[str, Field(title="接口", pattern=r"^(/[a-z0-9_]+)+$", max_length=100)]
    a_day: Annotated[int, Field(title="每天", ge=0, le=10**9)]
    a_minute: Annotated[int, Field(title="每分钟", ge=0, le=10**9)]


@step(Phones, Permission.ANYONE)
async def set_quota(page: Phones) -> str:
    form = page.form(QuotaForm)
    await ask(page, "PUT", f"/simulator/quotas{form.path}", form.model_dump(exclude={"path"}))
    return "调用次数上限已修改。"


class PushesForm(BaseModel):
    hold: bool


@step(Phones, Permission.ANYONE)
async def hold_pushes(page: Phones) -> Done:
    hold = page.form(PushesForm).hold
    await ask(page, "PUT", "/simulator/pushes", hold)
    if hold:
        return Done("推送从现在起都压下。", HOME, "warning")
    return Done("压下的推送已迟到送出。", HOME)


# ---- one phone


class OnePhone(PageHandler):
    address = f"{HOME}/phones/{{openid}}"
    get = shows(Permission.ANYONE)

    async def show(self, openid: str, template_id: str = "", outcome: Outcome = NO_ERRORS) -> None:
        """`template_id`: the one that a step was about."""
        state = await ask(self, "GET", "/simulator/state")
        phone = next((one for one in state["phones"] if one["openid"] == openid), None)
        messages = (await ask(self, "GET", f"/simulator/phones/{openid}/messages"))["messages"]
        templates = await templates_in_use(self)
        grants = phone["grants"] if phone else {}
        self.render_page(
            "simulator/phone.html",
            openid=openid,
            messages=[as_drawn(one, templates) for one in reversed(messages)],
            grants=[
                (template_id, title, grants.get(template_id, 0))
                for template_id, (title, _) in sorted(templates.items(), key=lambda one: one[1][0])
            ],
            faces=phone["faces"] if phone else [],
            **outcome,
        )


async def templates_in_use(page: PageHandler) -> dict[str, tuple[str, dict[str, str]]]:
    """Template id → its title, and key → the words before that field, as the owner chose them in WeChat's library."""
    today = page.today
    return {
        one.template_id: (
            KINDS[name].title,
            {key: field_title(field) for key, (_, field) in zip(one.keys, KINDS[name].wechat, strict=True)},
        )
        for name, one in (await templates_on(page.platform, today)).items()
        if one.template_id
    }


def as_drawn(
    received: dict[str, Any], templates: dict[str, tuple[str, dict[str, str]]]
) -> tuple[datetime, str, list[tuple[str, str]], str]:
    """A message as WeChat draws it: when, the template's title, its lines, and the page that a tap opens."""
    title, labels = templates.get(received["template_id"], ("订阅消息", {}))
    lines = [(labels.get(key, key), str(entry["value"])) for key, entry in received["data"].items()]
    return _moment(received["received_at"]), title, lines, received["page"]


@step(OnePhone, Permission.ANYONE)
async def grant(page: OnePhone, openid: str, template_id: str) -> Done:
    await ask(page, "POST", f"/simulator/phones/{openid}/grants/{template_id}")
    said = "微信一侧已多允许一条。小程序还要向平台报告这次同意，平台才会发送。"
    return Done(said, f"{HOME}/phones/{openid}", "info")


@step(OnePhone, Permission.ANYONE)
async def refuse_messages(page: OnePhone, openid: str, template_id: str) -> Done:
    await ask(page, "DELETE", f"/simulator/phones/{openid}/grants/{template_id}")
    return Done("已拒收这类消息，微信会把这一变化推送给平台。", f"{HOME}/phones/{openid}", "info")


class FaceForm(BaseModel):
    verify_id: Annotated[str, Field(max_length=256)]
    passed: bool


@step(OnePhone, Permission.ANYONE)
async def answer_face_check(page: OnePhone, openid: str) -> Done:
    form = page.form(FaceForm)
    verdict = {"verify_id": form.verify_id, "verify_ret": FACE_PASSED if form.passed else 90004}
    await ask(page, "POST", f"/simulator/phones/{openid}/face", verdict)
    said = "已在手机上完成人脸核身。" if form.passed else "已在手机上取消人脸核身。"
    return Done(said, f"{HOME}/phones/{openid}", "info")


ROUTES: list[Route] = [
    (HOME, Phones),
    (rf"{HOME}/phones/{OPENID}", OnePhone),
    (rf"{HOME}/phones/{OPENID}/grants/{TEMPLATE}", grant),
    (rf"{HOME}/phones/{OPENID}/grants/{TEMPLATE}/refuse", refuse_messages),
    (rf"{HOME}/phones/{OPENID}/face", answer_face_check),
    (rf"{HOME}/fail", fail),
    (rf"{HOME}/heal", heal),
    (rf"{HOME}/quota", set_quota),
    (rf"{HOME}/hold-pushes", hold_pushes),
]
