"""第五条: how institutions are managed: published, recommended, supervised, suspended and withdrawn."""

from datetime import date

import pytest

from server.institutions import qualifications, requests
from server.institutions import service as institutions
from server.institutions.qualifications import CentreDraft, Decision
from server.institutions.requests import Grant, RequestDraft
from server.institutions.rules import (
    Level,
    NotQualified,
    QualificationAction,
    QualificationFixed,
    QualificationStatus,
    RequestPurpose,
    qualified,
)
from server.kernel.errors import Forbidden, Invalid
from server.kernel.platform import Platform
from server.qualification import base_requests
from tests import cast, reviewing, stage
from tests.admin.browserless import sign_in

CENTRE = stage.actor(cast.CENTRE)
HEBEI = stage.actor(cast.HEBEI_OFFICER)
TODAY = date(2026, 3, 16)
DECISION = Decision(effective_on=TODAY, reason="中心〔2026〕6 号")
GRANT = Grant(
    code="052",
    majors=["01"],
    valid_from=TODAY,
    valid_to=date(2029, 3, 15),
    reason="专家组审核通过，中心〔2026〕5 号公布。",
)


async def test_a_province_supervises_the_training_of_its_own_institutions(
    platform: Platform, site: str
) -> None:
    """（三）省级管理部门应对培训机构开展的工学一体化教师培训活动进行具体指导和日常监管。"""
    opened = await stage.open_class(platform, stage.actor(cast.XINGTAI_OFFICER), stage.class_draft())
    own = await sign_in(platform, site, cast.HEBEI_OFFICER)
    other = await sign_in(platform, site, cast.JIANGSU_OFFICER)
    for path in ("", "/roster"):
        assert (await own.get(f"/admin/classes/{opened.id}{path}")).status == 200
        assert (await other.get(f"/admin/classes/{opened.id}{path}")).status == 404
    assert "邢台技师学院" in (await own.get("/admin/institutions")).text
    assert "邢台技师学院" not in (await other.get("/admin/institutions")).text


async def test_a_training_centre_is_the_ministry_s_own_affair(platform: Platform) -> None:
    """（一）师资研修中心由我部统一公布: no province recommends, suspends or withdraws one."""
    asked = RequestDraft(
        purpose=RequestPurpose.WITHDRAWAL,
        institution_code=cast.CHANGZHOU,
        qualification_number=1,
        reason="两年内没有开展工学一体化教师培训。",
    )
    with pytest.raises(Invalid):
        await base_requests.submit(platform, stage.actor(cast.JIANGSU_OFFICER), asked)
    await qualifications.decide(platform, CENTRE, cast.CHANGZHOU, 1, QualificationAction.SUSPEND, DECISION)
    found = await institutions.institution(platform, CENTRE, cast.CHANGZHOU)
    assert not found.qualifications[0].is_valid(TODAY)


async def test_the_centre_publishes_the_training_centres(platform: Platform) -> None:
    """（一）师资研修中心由我部统一公布。"""
    wanted = CentreDraft(code=cast.XINGTAI, majors=["01"], valid_from=TODAY, reason="中心〔2026〕8 号")
    with pytest.raises(Forbidden):
        await qualifications.publish_centre(platform, HEBEI, wanted)
    published = await qualifications.publish_centre(platform, CENTRE, wanted)
    assert qualified(published.qualifications, Level.BACKBONE, "01", TODAY)


async def test_a_base_is_recommended_by_its_province_then_reviewed_and_published(platform: Platform) -> None:
    """（二）教师培训基地由各省级管理部门推荐，由我部组织专家审核和公布。"""
    recommended = RequestDraft(
        purpose=RequestPurpose.NEW_BASE,
        institution_name="河北示例技师学院",
        majors=["01", "03"],
        reason="实训条件达到要求，近三年承担省级师资培训。",
    )
    with pytest.raises(Forbidden):
        await base_requests.submit(platform, stage.actor(cast.XINGTAI_OFFICER), recommended)
    asked = await base_requests.submit(platform, HEBEI, recommended)
    with pytest.raises(Forbidden):
        await requests.grant(platform, HEBEI, asked.id, GRANT)
    await requests.grant(platform, CENTRE, asked.id, GRANT)
    published = await institutions.institution(platform, HEBEI, "052")
    assert qualified(published.qualifications, Level.TWO, "01", TODAY)
    assert not qualified(published.qualifications, Level.TWO, "03", TODAY)  # not approved, though recommended
    assert published.versions[0].reason == GRANT.reason


async def test_a_base_loses_its_title_on_the_province_s_request_only(platform: Platform) -> None:
    """（三）对两年内未开展工学一体化教师培训的教师培训基地，由省级管理部门向我部提出申请取消其教师培训基地资格。"""
    with pytest.raises(QualificationFixed):
        await qualifications.decide(platform, CENTRE, cast.XINGTAI, 1, QualificationAction.WITHDRAW, DECISION)
    asked = await base_requests.submit(platform, HEBEI, about_xingtai(RequestPurpose.WITHDRAWAL))
    await reviewing.hear_xingtai(platform)
    await base_requests.carry_out(platform, CENTRE, asked.id, DECISION)
    found = await institutions.institution(platform, HEBEI, cast.XINGTAI)
    assert found.qualifications[0].status is QualificationStatus.WITHDRAWN
    with pytest.raises(NotQualified):
        await stage.open_class(platform, stage.actor(cast.XINGTAI_OFFICER), stage.class_draft())


async def test_a_province_asks_for_an_addition(platform: Platform) -> None:
    """（三）省级管理部门也可根据实际需求，向我部申请推荐符合条件的院校增补成为教师培训基地。"""
    withdrawal = await base_requests.submit(platform, HEBEI, about_xingtai(RequestPurpose.WITHDRAWAL))
    await reviewing.hear_xingtai(platform)
    await base_requests.carry_out(platform, CENTRE, withdrawal.id, DECISION)
    asked = await base_requests.submit(platform, HEBEI, about_xingtai(RequestPurpose.ADDITION))
    await requests.grant(platform, CENTRE, asked.id, GRANT)
    found = await institutions.institution(platform, HEBEI, cast.XINGTAI)
    assert qualified(found.qualifications, Level.THREE, "01", TODAY)
    assert found.id == cast.XINGTAI  # its code stays; no code is given twice


def about_xingtai(purpose: RequestPurpose) -> RequestDraft:
    addition = purpose is RequestPurpose.ADDITION
    return RequestDraft(
        purpose=purpose,
        institution_code=cast.XINGTAI,
        qualification_number=None if addition else 1,
        majors=["01"] if addition else [],
        reason="根据本省培训工作的实际需求提出申请。",
    )
