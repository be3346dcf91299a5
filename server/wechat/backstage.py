"""The side of the simulator that WeChat has not, under `/simulator/` on its own port: what people do with their phones, what the
phones received, and the switches that make a call fail. The platform passes some of it on (see admin/handlers/simulator.py).
"""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Any

import orjson
from tornado.web import HTTPError, RequestHandler

from server.wechat.faces import FACE_PASSED
from server.wechat.terms import FACE_FAILURES, OPENID, TEMPLATE_ID, Json, Quota
from server.wechat.world import TROUBLES, Phone, Purpose, Use, World

logger = logging.getLogger(__name__)

PHONE_PATH = rf"/simulator/phones/({OPENID.pattern})"
CALL_PATH = r"((?:/[a-z0-9_]+)+)"


class SimulatorHandler(RequestHandler):
    def initialize(self, world: World, **given: Any) -> None:
        self.world = world

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Without the address, as Tornado would log it: there the secret of the app stands."""
        logger.warning("the simulator failed at %s: %s", self.request.path, typ and typ.__name__)

    def body(self) -> Any:
        try:
            return orjson.loads(self.request.body)
        except orjson.JSONDecodeError:
            raise HTTPError(400) from None


class PhoneCode(SimulatorHandler):
    """`POST …/{openid}/code`, `…/real-name-code` → `{"code"}`: `wx.login`, or the person agrees."""

    def initialize(self, world: World, **given: Any) -> None:
        super().initialize(world)
        self.purpose: Purpose = given["purpose"]

    def post(self, openid: str) -> None:
        self.write({"code": self.world.give_code(openid, self.purpose)})


class PhoneNumberCode(SimulatorHandler):
    """`POST …/{openid}/phone-number-code` with `{"number"?}` → `{"code"}`: the person lets the mini-program know the number of the SIM."""

    def post(self, openid: str) -> None:
        said = self.body() if self.request.body else {}
        number = said.get("number") if isinstance(said, dict) else None
        if isinstance(number, str):
            self.world.phone(openid).sim = number
        self.write({"code": self.world.give_code(openid, "phone-number")})


class PhoneGrants(SimulatorHandler):
    """`POST …/{openid}/grants/{template_id}` → `{"grants"}`: one message more is agreed to; `DELETE`: no more of them."""

    def post(self, openid: str, template_id: str) -> None:
        self.world.grant(openid, template_id)
        self.write({"grants": self.world.phone(openid).grants[template_id]})

    def delete(self, openid: str, template_id: str) -> None:
        self.world.refuse(openid, template_id)
        self.write({"grants": 0})


class PhoneMessages(SimulatorHandler):
    """`GET …/{openid}/messages` → `{"messages"}`: what the phone received, oldest first."""

    def get(self, openid: str) -> None:
        self.write({"messages": list(self.world.phone(openid).messages)})


class PhoneFace(SimulatorHandler):
    """`POST …/{openid}/face` with `{"verify_id", "verify_ret"?}`: the person goes through `wx.requestFacialVerify`."""

    def post(self, openid: str) -> None:
        body = self.body()
        if not isinstance(body, dict) or not isinstance(body.get("verify_id"), str):
            raise HTTPError(400)
        verify_ret = body.get("verify_ret", FACE_PASSED)
        if verify_ret != FACE_PASSED and verify_ret not in FACE_FAILURES:
            raise HTTPError(400)
        if not self.world.show_face(openid, body["verify_id"], verify_ret):
            raise HTTPError(404)
        self.set_status(204)


class PhoneState(SimulatorHandler):
    """`PUT …/{openid}` with `{"blocked"?: bool, "real_name"?: [name, number]}`."""

    def put(self, openid: str) -> None:
        body = self.body()
        if not isinstance(body, dict):
            raise HTTPError(400)
        phone = self.world.phone(openid)
        phone.blocked = body.get("blocked", phone.blocked) is True
        match body.get("real_name"):
            case [str(name), str(number)]:
                phone.real_name = (name, number)
        self.set_status(204)


class Overview(SimulatorHandler):
    """`GET /simulator/state`: all phones, all calls with what is left of the day, all pushes."""

    def get(self) -> None:
        world = self.world
        self.write(
            {
                "phones": [_phone(world, phone) for phone in world.phones.values()],
                "calls": [_call(world, path) for path in world.quotas],
                "pushes": list(world.pushes),
                "holding": world.holding,
                "held": len(world.held),
            }
        )


def _phone(world: World, phone: Phone) -> Json:
    return {
        "openid": phone.openid,
        "messages": len(phone.messages),
        "last": phone.messages[-1]["received_at"] if phone.messages else None,
        "grants": {template: left for template, left in phone.grants.items() if left},
        "blocked": phone.blocked,
        "faces": [face.verify_id for face in world.faces.values() if face.openid == phone.openid],
    }


def _call(world: World, path: str) -> Json:
    quota, use = world.quotas[path], world.uses.get(path, Use())
    return {
        "path": path,
        "calls": world.calls[path],
        "today": use.today,
        "a_day": quota.a_day,
        "a_minute": quota.a_minute,
        "failure": world.failures.get(path),
    }


class Failures(SimulatorHandler):
    """`PUT /simulator/failures/{path}` with a `Failure` as JSON makes that call fail; `DELETE` heals all."""

    def put(self, path: str) -> None:
        failure = self.body()
        if type(failure) is not int and failure not in TROUBLES:  # `true` is no errcode
            raise HTTPError(400)
        self.world.fail(path, failure)
        self.set_status(204)

    def delete(self, path: str) -> None:
        self.world.heal()
        self.set_status(204)


class Quotas(SimulatorHandler):
    """`PUT /simulator/quotas/{path}` with `{"a_day", "a_minute"}`: how often that call is served."""

    def put(self, path: str) -> None:
        body = self.body()
        if path not in self.world.quotas or not isinstance(body, dict):
            raise HTTPError(400)
        match body.get("a_day"), body.get("a_minute"):
            case int(a_day), int(a_minute) if a_day >= 0 and a_minute >= 0:
                self.world.quotas[path] = Quota(a_day, a_minute)
            case _:
                raise HTTPError(400)
        self.set_status(204)


class Pushes(SimulatorHandler):
    """`PUT /simulator/pushes` with `true`: pushes wait from now on; with `false`: those that waited leave, late."""

    def put(self) -> None:
        match self.body():
            case True:
                self.world.hold()
            case False:
                self.world.release()
            case _:
                raise HTTPError(400)
        self.set_status(204)


def routes(world: World) -> list[tuple[str, type[RequestHandler], dict[str, Any]]]:
    shared = {"world": world}
    return [
        (rf"{PHONE_PATH}/code", PhoneCode, {**shared, "purpose": "login"}),
        (rf"{PHONE_PATH}/phone-number-code", PhoneNumberCode, shared),
        (rf"{PHONE_PATH}/real-name-code", PhoneCode, {**shared, "purpose": "real-name"}),
        (rf"{PHONE_PATH}/grants/({TEMPLATE_ID.pattern})", PhoneGrants, shared),
        (rf"{PHONE_PATH}/messages", PhoneMessages, shared),
        (rf"{PHONE_PATH}/face", PhoneFace, shared),
        (PHONE_PATH, PhoneState, shared),
        (r"/simulator/state", Overview, shared),
        (r"/simulator/failures(/.*)", Failures, shared),
        (rf"/simulator/quotas{CALL_PATH}", Quotas, shared),
        (r"/simulator/pushes", Pushes, shared),
    ]
