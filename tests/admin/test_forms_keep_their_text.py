"""What was typed is not lost when the log-in has run out, and no save from an old page goes over a newer one."""

from __future__ import annotations

import html
import importlib
import inspect
import re
from typing import Any

import pytest

from admin.routes import ROUTES
from server.kernel.platform import Platform
from server.kernel.web import access_of
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.admin.browserless import Browser, Shown, sign_in
from tests.stage import ClassInSession

SAVES = [route for route in ROUTES if access_of(route[1], "POST")]
BY_NAME = {f"{route[1].__module__.split('.')[-1]}.{route[1].__name__}": route[1] for route in SAVES}
MAKES = "makes something new: there is nothing that could have gone stale"
OWN = "the own account"
MOVES = "a step of a state machine with nothing typed over: from any other state it is refused"
ADDS = "adds to what is there and changes none of it"
WITHOUT: dict[str, str] = {
    **dict.fromkeys(
        (
            "account_batches.upload",
            "admissions.confirm_arrival",
            "allocation.allocate",
            "applications.apply",
            "assessment.create_task",
            "assessment.reopen",
            "attendance.Timetable",
            "attendance.add_session",
            "attendance.register_all",
            "attendance.register_late",
            "backbone.register",
            "certificates.issue_certificates",
            "certificates.try_again",
            "corrections.correct_class",
            "delegations.delegate",
            "corrections.correct_institution",
            "corrections.correct_trainee",
            "institutions.publish_centre",
            "moves.ask",
            "handing.hand_over",
            "handing.take_back",
            "stock.ask",
            "stock.assign",
            "stock.count",
            "stock.receive",
            "stock.release",
            "stock.spoil",
            "stock.take_back",
            "stock.write_off",
            "inspections.begin",
            "interruptions.call_off",
            "interruptions.make_up",
            "interruptions.postpone",
            "interruptions.suspend",
            "interruptions.terminate",
            "interruptions.transfer",
            "invitations.send",
            "plans.begin",
            "recommendations.submit",
            "certificate_batches.query_batch",
            "forgeries.ReportForgery",
            "reissues.propose",
            "reissues.reissue",
            "reissues.renew",
            "reissues.replace",
            "rosters.add",
            "rosters.ask_release",
            "rosters.confirm",
            "rosters.issue_code",
            "rosters.issue_codes",
            "rosters.upload",
            "seals.file_seal",
            "selection.begin",
            "selection.enrol",
            "selection.report",
            "surveys.open_survey",
            "venues.ask",
        ),
        MAKES,
    ),
    **dict.fromkeys(
        (
            "accounts.SignOut",
            "accounts.change_password",
            "accounts.enter_code",
            "accounts.enter_password",
            "accounts.revoke",
            "accounts.revoke_others",
            "inbox.OpenMessage",
            "inbox.read_all",
            "second_factor.confirm_second_factor",
            "second_factor.enrol",
            "second_factor.remove_second_factor",
            "second_factor.renew_recovery_codes",
        ),
        OWN,
    ),
    **dict.fromkeys(
        (
            "account_batches.allocate_all",
            "account_batches.reissue",
            "admissions.agree_to_several",
            "admissions.find_arrival",
            "admissions.refuse_several",
            "admissions.review",
            "allocation.deactivate_several",
            "corrections.approve_several",
            "delegations.end",
            "delegations.stand_in",
            "delegations.step_back",
            "admissions.undo_arrival",
            "allocation.ResetPassword",
            "allocation.deactivate",
            "allocation.reactivate",
            "allocation.reset_second_factor",
            "assessment.release",
            "assessment.withdraw_task",
            "attendance.name_teacher",
            "backbone.IdNumber",
            "backbone.confirm_phone",
            "backbone.doubt_phone",
            "backbone.release_phone",
            "backbone.resume",
            "backbone.set_phone",
            "backbone.suspend",
            "certificates.CertificateQueries",
            "certificates.CheckFile",
            "forgeries.AskAboutForgery",
            "forgeries.show_contact",
            "content.decide",
            "corrections.retract",
            "identities.retract",
            "interruptions.void_make_up",
            "invitations.cancel",
            "invitations.withdraw",
            "jobs.run",
            "messages.send_again",
            "messages.send_all_again",
            "messages.stop",
            "recommendations.retract",
            "reissues.revoke",
            "reopenings.retract",
            "rosters.come_back",
            "rosters.confirm_phone",
            "rosters.leave",
            "rosters.remove",
            "rosters.remove_several",
            "rosters.take_back",
            "seals.retire",
            "seals.withdraw",
            "selection.conclude",
            "selection.release",
            "selection.remove_paper",
            "selection.resubmit",
            "selection.submit",
            "selection.withdraw",
            "surveys.close_survey",
        ),
        MOVES,
    ),
    **dict.fromkeys(
        ("admissions.note", "home.urge", "plan_windows.urge", "schemes.remark", "selection.add_paper"), ADDS
    ),
}
"""Forms that name no version, and why they need none."""


def models_of(handler: Any) -> set[str]:
    """The fields of all models into which a save parses its form."""
    held = [cell.cell_contents for cell in (handler.post.__closure__ or ())]
    taken = next((one for one in held if inspect.isfunction(one)), handler.post)
    module = importlib.import_module(taken.__module__)
    named = re.findall(r"\.form\((\w+)\)", inspect.getsource(taken))
    return {field for name in named for field in getattr(module, name).model_fields}


@pytest.mark.parametrize("name", BY_NAME)
def test_every_save_names_the_version_that_was_seen_or_changes_nothing_that_was(name: str) -> None:
    assert bool({"seen", "version"} & models_of(BY_NAME[name])) is (name not in WITHOUT)


def test_no_form_is_excused_that_is_not_there() -> None:
    assert set(WITHOUT) <= set(BY_NAME)


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await stage.class_in_session(platform, wechat, trainees=0)


# ---- a log-in that has run out, without JavaScript

OURS: dict[str, Any] = {"Sec-Fetch-Site": "same-origin"}
NOTE = {"text": "第二周多留一次实训，请各位教师看过再签。"}


async def kept_by_the_log_in(browser: Browser, address: str) -> Shown:
    """What comes back for a form that was sent after the session's end."""
    del browser.cookies["session"]
    return await browser.post(address, NOTE, **OURS)


def hidden(shown: Shown) -> dict[str, Any]:
    pairs = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown.html)
    return {name: html.unescape(value) for name, value in pairs if name != "_xsrf"}


async def test_what_was_typed_comes_back_after_the_log_in_and_to_nobody_else(
    platform: Platform, opened: ClassInSession, site: str
) -> None:
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    await stage.sign_up(platform, cast.YANGZHOU_OFFICER)
    address = f"/admin/classes/{opened.id}/scheme/remarks"
    asked = await kept_by_the_log_in(mine, address)
    assert asked.status == 401 and "刚才填写的内容没有提交，但还在" in asked.text
    assert NOTE["text"] not in asked.html  # nobody reads it off the screen of the log-in
    neighbour = {"username": cast.YANGZHOU_OFFICER.username, "password": cast.YANGZHOU_OFFICER.password}
    told = await mine.post("/admin/login", neighbour | hidden(asked))
    assert told.status == 303 and "另一位用户的，没有保留" in (await mine.get("/admin")).text
    me = {"username": cast.XINGTAI_OFFICER.username, "password": cast.XINGTAI_OFFICER.password}
    again = Browser(site)
    await again.post("/admin/login", me)
    asked = await kept_by_the_log_in(again, address)
    back = await again.post("/admin/login", me | hidden(asked))
    assert back.status == 200 and NOTE["text"] in back.text and f'action="{address}"' in back.html
    assert hidden(back) == NOTE
    changed = hidden(asked) | {"kept": hidden(asked)["kept"].replace("1:0|", "1:1|")}
    assert NOTE["text"] not in (await again.post("/admin/login", me | changed)).html


async def test_a_form_whose_token_is_stale_comes_back_unless_another_site_sent_it(
    platform: Platform, opened: ClassInSession, site: str
) -> None:
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    address = f"/admin/classes/{opened.id}/scheme/remarks"
    back = await mine.post(address, NOTE, xsrf=False, **OURS)
    assert back.status == 403 and NOTE["text"] in back.text and hidden(back) == NOTE
    others: list[dict[str, Any]] = [
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://elsewhere.test"},
        {},
    ]
    for foreign in others:
        refused = await mine.post(address, NOTE, xsrf=False, **foreign)
        assert refused.status == 403 and NOTE["text"] not in refused.html
    secret = await mine.post(
        "/admin/password", {"current": "x", "new": "y", "again": "y"}, xsrf=False, **OURS
    )
    assert secret.status == 403 and "<form" not in secret.html.partition("<main")[2]
    code = await mine.post(
        f"/admin/classes/{opened.id}/arrivals", {"sought": "2222-3333"}, xsrf=False, **OURS
    )
    assert code.status == 403 and "2222" not in code.html, "a personal code may be typed at the desk"
    numbered = {"text": f"请核对 {cast.person(1).id_number} 的名册。"}
    personal = await mine.post(address, numbered, xsrf=False, **OURS)
    assert personal.status == 403 and "<form" not in personal.html.partition("<main")[2]


async def test_a_form_that_somebody_else_left_open_is_not_sent_in_ones_own_name(
    platform: Platform, opened: ClassInSession, site: str
) -> None:
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    await stage.sign_up(platform, cast.YANGZHOU_OFFICER)
    address, left_open = f"/admin/classes/{opened.id}/scheme/remarks", browser.cookies["_xsrf"]
    me = {"username": cast.XINGTAI_OFFICER.username, "password": cast.XINGTAI_OFFICER.password}
    assert (await browser.post("/admin/login", me)).status == 303
    assert browser.cookies["_xsrf"] == left_open, "the own forms in other tabs go on"
    other = {"username": cast.YANGZHOU_OFFICER.username, "password": cast.YANGZHOU_OFFICER.password}
    assert (await browser.post("/admin/login", other)).status == 303
    refused = await browser.post(address, NOTE | {"_xsrf": left_open}, **OURS)
    assert refused.status == 403 and "换了人登录" in refused.text and NOTE["text"] not in refused.html
    theirs = browser.cookies["_xsrf"]
    assert (await browser.post("/admin/logout")).status == 303
    assert browser.cookies["_xsrf"] not in (left_open, theirs)


async def test_a_second_save_from_an_older_page_is_refused_with_what_is_there_now(
    platform: Platform, site: str
) -> None:
    centre = await sign_in(platform, site, cast.CENTRE)
    page = (await centre.get("/admin/policies/pass_mark")).html
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen is not None
    first = {"value": "65", "effective_from": "2026-03-16", "reason": "部里核定", "seen": seen[1]}
    assert (await centre.post("/admin/policies/pass_mark", first)).status == 303
    second = await centre.post("/admin/policies/pass_mark", first | {"value": "70"})
    assert second.status == 409 and "在您打开页面之后" in second.text and "改动了这项政策" in second.text
    assert f"{cast.CENTRE.name}于" in second.text and "现在是“65”" in second.text
    assert 'value="70"' in second.html  # what was typed stands there still
    fresh = re.search(r'name="seen" value="(\w+)"', second.html)
    assert fresh is not None and fresh[1] != seen[1]
    again = await centre.post("/admin/policies/pass_mark", first | {"value": "70", "seen": fresh[1]})
    assert again.status == 303
