"""Enrolment over HTTP, as phones walk it: search, apply, review, notice, pledge."""

from __future__ import annotations

from typing import Any

from server.accounts.documents import Person as StoredPerson
from server.admissions import service as admissions
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admitting import AGREE, ANSWERS, admit, apply, open_class
from tests.api.client import call
from tests.cast import Person


def body_of(person: Person, **changes: Any) -> dict[str, Any]:
    return {
        "work_unit": person.unit,
        "post": "讲师",
        "years_of_teaching": 8,
        "major_taught": "数控加工",
        "answers": ANSWERS,
        "real_name": {"name": person.name, "id_number": person.id_number, "consent_version": "2026-11"},
    } | changes


async def test_a_stranger_finds_a_class_applies_and_withdraws(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await open_class(platform, wechat)
    token = (await stage.phone(platform, wechat, "openid-new")).token
    listed = await call(site, "GET", "/open-classes?province=13&level=3&major=01&month=2026-04", token=token)
    [item] = listed.json["items"]
    assert (item["id"], item["places"], item["admitted"], item["waiting"]) == (opened.id, 2, 0, 0)
    one = (await call(site, "GET", f"/open-classes/{opened.id}", token=token)).json
    assert [question["key"] for question in one["questions"]] == ["t1", "t2", "t3", "t4"]
    path = f"/open-classes/{opened.id}/applications"
    nameless = await call(site, "POST", path, token=token, body=body_of(cast.STRANGER, real_name=None))
    assert (nameless.status, nameless.problem) == (409, "real-name-needed")
    unanswered = await call(site, "POST", path, token=token, body=body_of(cast.STRANGER, answers={}))
    assert unanswered.status == 422
    assert [error["place"] for error in unanswered.json["errors"]] == [f"answers.t{n}" for n in (1, 2, 3)]
    first = await call(site, "POST", path, token=token, body=body_of(cast.STRANGER))
    again = await call(site, "POST", path, token=token, body=body_of(cast.STRANGER))
    assert (first.status, again.status) == (201, 200) and first.json == again.json
    me = (await call(site, "GET", "/me", token=token)).json
    assert me["person"]["evidence"]["level"] == "format_ok" and cast.STRANGER.id_number not in str(me)
    [mine] = (await call(site, "GET", "/my-applications", token=token)).json["items"]
    assert (mine["state_title"], mine["class_name"]) == ("待审核", opened.training_class.name)
    gone = await call(site, "POST", f"/my-applications/{mine['id']}/withdraw", token=token, body={})
    assert (gone.status, gone.json["state"]) == (200, "WITHDRAWN")


async def test_a_class_teacher_reviews_with_what_should_be_known(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await open_class(platform, wechat)
    _, applied = await apply(platform, wechat, opened.id, cast.STRANGER)
    await admissions.review(platform, opened.officer, opened.id, applied.id, AGREE)
    path = f"/teaching/classes/{opened.id}/applications"
    token = opened.teacher.token
    [item] = (await call(site, "GET", f"{path}?state=INSTITUTION_AGREED", token=token)).json["items"]
    assert item["name"] == cast.STRANGER.name and item["warnings"] == []
    assert [step["title"] for step in item["history"]] == ["提交报名", "培训机构同意"]
    review = f"{path}/{applied.id}/review"
    no_reason = await call(site, "POST", review, token=token, body={"agree": False})
    assert [one["place"] for one in no_reason.json["errors"]] == ["reason"]
    done = await call(site, "POST", review, token=token, body={"agree": True})
    assert (done.status, done.json["state"]) == (200, "ADMITTED")
    needs = (await call(site, "GET", f"/teaching/classes/{opened.id}/needs", token=token)).json
    assert needs["applicants"] == 1
    assert {"option": "听过介绍", "count": 1} in needs["questions"][0]["counts"]
    note = {"text": "第一周增加学习任务分析。", "nonce": "note-0001"}
    kept = await call(site, "POST", f"/teaching/classes/{opened.id}/needs", token=token, body=note)
    assert (kept.status, kept.json["author_name"]) == (201, cast.BACKBONE_TEACHER.name)
    path = f"/teaching/classes/{opened.id}/needs"
    assert (await call(site, "POST", path, token=token, body=note)).json == kept.json
    assert len((await call(site, "GET", path, token=token)).json["notes"]) == 1
    other = await call(site, "POST", path, token=token, body=note | {"text": "改为第二周增加。"})
    assert (other.status, other.problem) == (409, "nonce-reused")
    unnamed = await call(site, "POST", path, token=token, body={"text": note["text"]})
    assert [one["place"] for one in unnamed.json["errors"]] == ["nonce"]


async def test_an_admitted_teacher_opens_the_notice_and_signs(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await open_class(platform, wechat)
    [phone] = await admit(platform, wechat, opened, [cast.STRANGER])
    path = f"/classes/{opened.id}/admission-notice"
    notice = (await call(site, "GET", path, token=phone.token)).json
    assert notice["reporting"].startswith("4月13日") and "身份证" in notice["to_bring"]
    assert notice["arrival_required"] and notice["opened_at"] is None and notice["pledged_at"] is None
    opened_at = (await call(site, "POST", f"{path}/open", token=phone.token, body={})).json["opened_at"]
    assert (await call(site, "GET", path, token=phone.token)).json["opened_at"] == opened_at is not None
    assert notice["discipline"][0]["article"] == "第十条"
    pdf = await call(site, "GET", f"{path}/pdf", token=phone.token)
    assert pdf.headers["Content-Type"] == "application/pdf" and pdf.body.startswith(b"%PDF")
    old = await call(site, "POST", f"{path}/pledge", token=phone.token, body={"text_version": 99})
    assert (old.status, old.problem) == (409, "pledge-outdated")
    version = {"text_version": notice["text_version"]}
    signed = await call(site, "POST", f"{path}/pledge", token=phone.token, body=version)
    again = await call(site, "POST", f"{path}/pledge", token=phone.token, body=version)
    assert (signed.status, signed.json) == (200, again.json)


async def test_a_number_known_under_another_name_lies_apart_without_saying_whose(
    platform: Platform, wechat: Simulator, site: str
) -> None:
    opened = await open_class(platform, wechat)
    await apply(platform, wechat, opened.id, cast.STRANGER)
    token = (await stage.phone(platform, wechat, "openid-liar")).token
    liar = Person("虚构人", cast.STRANGER.id_number, "", "示例市技师学院")
    taken = await call(
        site, "POST", f"/open-classes/{opened.id}/applications", token=token, body=body_of(liar)
    )
    assert taken.status == 201
    assert (
        cast.STRANGER.name not in taken.body.decode() and cast.STRANGER.id_number not in taken.body.decode()
    )
    me = (await call(site, "GET", "/me", token=token)).json
    assert me["identity"]["state"] == "CLAIMED" and me["roles"] == ["TRAINEE"]
    rows = [StoredPerson.from_mongo(row) async for row in platform["persons"].find({"name": liar.name})]
    assert [one.claimed for one in rows] == [True]


async def test_who_is_not_concerned_is_refused(platform: Platform, wechat: Simulator, site: str) -> None:
    opened = await open_class(platform, wechat)
    phone, applied = await apply(platform, wechat, opened.id, cast.STRANGER)
    other, _ = await apply(platform, wechat, opened.id, cast.person(41))
    await stage.register_backbone(platform, cast.SECOND_BACKBONE_TEACHER)
    stranger = await stage.phone(platform, wechat, "openid-t2", cast.SECOND_BACKBONE_TEACHER)
    review = f"/teaching/classes/{opened.id}/applications/{applied.id}/review"
    assert (
        await call(site, "POST", review, token=stranger.token, body={"agree": True})
    ).problem == "not-found"
    assert (await call(site, "POST", review, token=phone.token, body={"agree": True})).problem == "forbidden"
    mine = f"/my-applications/{applied.id}/withdraw"
    assert (await call(site, "POST", mine, token=other.token, body={})).problem == "not-found"
    notice = f"/classes/{opened.id}/admission-notice"
    assert (await call(site, "GET", notice, token=phone.token)).problem == "not-found"
    assert (await call(site, "GET", "/open-classes")).problem == "not-signed-in"
