"""Every way by which a phone publishes words, in a class where nothing but the words decides."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import NamedTuple

from server.assessment import tasks
from server.assessment.rules import TaskKind
from server.assessment.tasks import CriterionDraft, TaskDraft
from server.invitations.rules import State
from server.kernel.clock import FixedClock, beijing_date
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.api.client import Answer, call
from tests.security.world import NONCE, World, build_world

CHECK = "/wxa/msg_sec_check"


class Place(NamedTuple):
    method: str
    path: str
    who: str
    field: str


REMARK = Place("POST", "/teaching/classes/{class_id}/scheme/remarks", "teacher", "text")
GUIDANCE = Place("POST", "/teaching/guidance", "teacher", "about")
"""Given when the class is over."""
CALLS = [
    REMARK,
    Place("PUT", "/teaching/classes/{class_id}/scheme", "teacher", "objectives"),
    Place("POST", "/teaching/classes/{class_id}/needs", "teacher", "text"),
    Place("POST", "/teaching/invitations/{invitation_id}/decline", "teacher", "reason"),
    Place("PUT", "/teaching/submissions/{submission_id}/grade", "teacher", "comment"),
    Place("POST", "/teaching/submissions/{submission_id}/remarks", "teacher", "text"),
    Place("PUT", "/teaching/tasks/{task_id}/trainees/{person_id}/grade", "teacher", "comment"),
    Place("POST", "/guidance/{guidance_id}/dispute", "trainee", "reason"),
    Place("POST", "/open-classes/{class_id}/applications", "other-trainee", "work_unit"),
    GUIDANCE,
]


async def publishing_world(platform: Platform, wechat: Simulator) -> World:
    """The world before its results are out, for afterwards nobody publishes anything in a class; each of CALLS may be made in it."""
    built = await build_world(platform, wechat)
    await platform["classes"].update_many({}, {"$set": {"results_released_at": None}})
    built.bodies["/scheme"] = {"based_on": 1}
    await platform["invitations"].update_one(
        {"_id": built.ids["invitation_id"]}, {"$set": {"state": State.SENT}}
    )
    on_site = TaskDraft(
        title="现场说课",
        kind=TaskKind.SUMMATIVE,
        deadline=platform.clock.now() + timedelta(hours=1),
        criteria=[CriterionDraft(title="任务分析", points=100)],
    )
    officer, class_id = stage.actor(cast.XINGTAI_OFFICER), built.ids["class_id"]
    built.ids["task_id"] = (await tasks.create_task(platform, officer, class_id, on_site)).id
    # The other class of who applies begins when this one is over.
    await platform["classes"].update_one(
        {"name": "扬州三级教师培训班"}, [{"$set": {"starts_on": "$ends_on"}}]
    )
    tomorrow = beijing_date(platform.clock.now()) + timedelta(days=1)
    built.bodies["/teaching/guidance"]["given_on"] = tomorrow.isoformat()
    return built


def let_it_be_time(platform: Platform, place: Place) -> None:
    if place is GUIDANCE:
        assert isinstance(platform.clock, FixedClock)
        platform.clock.advance(timedelta(days=1))


async def publish(site: str, world: World, place: Place, words: str, *, by: str = "") -> Answer:
    address = place.path.format_map(world.ids)
    [*_, well_formed] = [body for end, body in world.bodies.items() if address.endswith(end)]
    if well_formed.get("nonce") == NONCE:
        well_formed = well_formed | {"nonce": secrets.token_hex(8)}  # another text, another nonce
    token = world.phones[by or place.who].token
    return await call(site, place.method, address, token=token, body={**well_formed, place.field: words})
