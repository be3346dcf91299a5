"""The class lists and the inbox of the phones."""

from datetime import date
from typing import Any

from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.api.client import call
from tests.assessing import hand_in, set_task


async def test_a_trainee_sees_the_own_class_with_all_it_says(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    [mine] = opened.trainees
    listed = await call(site, "GET", "/classes", token=mine.token)
    one = await call(site, "GET", f"/classes/{opened.id}", token=mine.token)
    told = {name: value for name, value in one.json.items() if name != "mine"}
    assert listed.json == {"items": [told], "next": None}
    assert told == {
        "id": opened.id,
        "name": "2026年3月三级教师培训班",
        "institution_name": "邢台技师学院",
        "level": "3",
        "level_title": "三级",
        "major": "01",
        "major_name": "机械类",
        "courses": ["工学一体化课程教学实施", "工学一体化课程考核实施", "教学场所使用管理"],
        "class_hours": 80,
        "starts_on": "2026-03-16",
        "ends_on": "2026-03-27",
        "place": "实训楼 301",
        "stage": "ONGOING",
        "stage_title": "进行中",
        "condition": "RUNNING",
        "condition_title": "正常",
        "condition_reason": "",
        "my_part": [],
        "teachers": [cast.BACKBONE_TEACHER.name],
    }


async def test_a_stranger_to_the_class_gets_not_found_and_an_unbound_phone_is_refused(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    unbound = await stage.phone(platform, wechat, "openid-unbound")
    teacher_elsewhere = await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    other = await stage.phone(platform, wechat, "openid-other", cast.SECOND_BACKBONE_TEACHER)
    assert other.actor.id == teacher_elsewhere
    for path in (f"/classes/{opened.id}", f"/teaching/classes/{opened.id}"):
        assert (await call(site, "GET", path, token=other.token)).problem == "not-found"
        assert (await call(site, "GET", path, token=unbound.token)).problem == "real-name-needed"
        assert (await call(site, "GET", path)).problem == "not-signed-in"
    for path in ("/classes", "/teaching/classes"):
        assert (await call(site, "GET", path, token=other.token)).json == {"items": [], "next": None}
    trainee = await call(site, "GET", "/teaching/classes", token=opened.trainees[0].token)
    assert trainee.problem == "forbidden"


async def test_a_teacher_sees_the_trainees_masked_and_who_is_not_bound(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [cast.TRAINEE])
    listed = await call(site, "GET", "/teaching/classes", token=opened.teacher.token)
    assert [one["id"] for one in listed.json["items"]] == [opened.id]
    answer = await call(site, "GET", f"/teaching/classes/{opened.id}", token=opened.teacher.token)
    assert [one["bound"] for one in answer.json["trainees"]] == [True, True, False]
    last = answer.json["trainees"][-1]
    assert last["name"] == cast.TRAINEE.name
    number = cast.TRAINEE.id_number
    assert last["id_number_masked"] == f"{number[:3]}***********{number[-4:]}"
    assert number not in answer.body.decode()


async def test_lists_page_by_cursor_without_a_gap(platform: Platform, wechat: Simulator, site: str) -> None:
    await stage.register_backbone(platform, cast.BACKBONE_TEACHER)
    teacher = await stage.phone(platform, wechat, "openid-teacher", cast.BACKBONE_TEACHER)
    officer = stage.actor(cast.XINGTAI_OFFICER)
    opened = []
    for number in range(5):
        day = date(2026, 4, 1 + number)  # each on a day of its own
        draft = stage.class_draft(name=f"第 {number} 个三级班", starts_on=day, ends_on=day)
        one = await stage.open_class(platform, officer, draft)
        await stage.teach(platform, officer, one.id, teacher)
        await stage.enrol(platform, cast.XINGTAI_OFFICER, one.id, [cast.TRAINEE])
        opened.append(one.id)
    trainee = await stage.phone(platform, wechat, "openid-trainee", cast.TRAINEE)
    for path, token in (("/teaching/classes", teacher.token), ("/classes", trainee.token)):
        seen: list[str] = []
        cursor = ""
        while cursor is not None:
            tail = f"&cursor={cursor}" if cursor else ""
            page = (await call(site, "GET", f"{path}?limit=2{tail}", token=token)).json
            seen += [one["id"] for one in page["items"]]
            cursor = page["next"]
        assert seen == opened[::-1]
    wrong = await call(site, "GET", "/classes?cursor=nonsense", token=trainee.token)
    assert (wrong.status, wrong.problem) == (422, "invalid")


async def test_the_inbox_holds_the_news_of_a_class_for_whom_it_concerns(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    mine = (await call(site, "GET", "/inbox", token=opened.trainees[0].token)).json
    teachers = (await call(site, "GET", "/inbox", token=opened.teacher.token)).json
    assert [one["kind"] for one in mine["items"]] == ["enrolled"]
    assert [one["kind"] for one in teachers["items"]] == ["invitation-sent", "pool-registered"]
    assert mine["items"][0]["data"]["class_id"] == opened.id
    unbound = await stage.phone(platform, wechat, "openid-unbound")
    assert (await call(site, "GET", "/inbox", token=unbound.token)).json == {"items": [], "next": None}


async def test_a_class_says_what_i_have_done_and_what_is_left(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    held = await stage.class_in_session(platform, wechat, trainees=1)
    task = await set_task(platform, held)
    [phone] = held.trainees

    async def mine() -> Any:
        return (await call(site, "GET", f"/classes/{held.id}", token=phone.token)).json["mine"]

    first = await mine()
    assert (first["notice_opened_at"], first["pledged_at"], first["hours_attended"]) == (None, None, 0)
    assert (first["tasks"], first["handed_in"], first["passed"]) == (1, 0, None)
    assert first["hours_needed"] > 0 and f"提交“{task.title}”" in first["missing"]
    path = f"/classes/{held.id}/admission-notice"
    read = await call(site, "GET", path, token=phone.token)
    assert read.json["opened_at"] is None and (await mine())["notice_opened_at"] is None
    await call(site, "POST", f"{path}/pledge", token=phone.token, body={"text_version": 1})
    await hand_in(platform, phone, task)
    then = await mine()
    assert then["pledged_at"] == then["notice_opened_at"] is not None  # who signs has read
    assert then["handed_in"] == 1 and [one[:2] for one in then["missing"]] == ["还差"]
