"""The life of a class on its own page: every step from the plan to the certificate, in its order."""

from server.applications import service as applications
from server.applications.service import Approval
from server.kernel.platform import Platform
from tests import cast, stage
from tests.admin.browserless import sign_in
from tests.planning import HEBEI, applied

STEPS = "培训计划 开班申请 邀请 培训方案 报名 名册 报到 开课 考核 成绩 满意度 证书".split()


async def test_a_class_from_an_application_shows_its_whole_life(platform: Platform, site: str) -> None:
    new = await applied(platform)
    done = await applications.approve(platform, HEBEI, new.id, Approval(seen=1))
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    page = await browser.get(f"/admin/classes/{done.class_id}")
    line = page.text.partition("办理进度")[2].partition("基本信息")[0]
    places = [line.find(step) for step in STEPS]
    assert -1 not in places and places == sorted(places), line
    assert cast.HEBEI_OFFICER.name in line


async def test_a_class_that_a_roster_fills_has_no_step_of_enrolment(platform: Platform, site: str) -> None:
    new = await applied(platform)
    done = await applications.approve(platform, HEBEI, new.id, Approval(seen=1))
    assert done.class_id is not None
    browser = await sign_in(platform, site, cast.XINGTAI_OFFICER)

    async def line() -> str:
        page = await browser.get(f"/admin/classes/{done.class_id}")
        return page.text.partition("办理进度")[2].partition("基本信息")[0]

    assert "报名" in await line()
    await stage.enrol(platform, cast.XINGTAI_OFFICER, done.class_id, [cast.TRAINEE])
    assert "报名" not in await line() and "名册" in await line()
