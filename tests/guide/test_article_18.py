"""第十八条: how certificates are kept, issued, registered and queried."""

import pytest

from server.certificates import issue, reconcile, verify
from server.certificates import service as certificates
from server.certificates.documents import Certificate, LedgerFilter
from server.certificates.issue import Revocation
from server.certificates.verify import CertificateQueryRequest
from server.jobs import JOBS
from server.kernel.errors import Invalid, NotFound
from server.kernel.permissions import Permission, holds
from server.kernel.platform import Platform
from server.progress import desk
from server.wechat.simulator import Simulator
from tests import cast, stage
from tests.asking import ANYWHERE, ask
from tests.certifying import issued, passed_class
from tests.stage import ClassInSession


@pytest.fixture
async def opened(platform: Platform, wechat: Simulator) -> ClassInSession:
    return await passed_class(platform, wechat, 2)


@pytest.fixture
async def found(platform: Platform, opened: ClassInSession) -> list[Certificate]:
    return await issued(platform, opened)


@pytest.mark.parametrize(
    "two", [("name", "id_number"), ("name", "certificate_number"), ("id_number", "certificate_number")]
)
async def test_2_the_three_ways_of_asking(
    platform: Platform, found: list[Certificate], two: tuple[str, str]
) -> None:
    """第十八条（二）: 查询方式可设置为“姓名+身份证号”“姓名+证书编号”“身份证号+证书编号”等。"""
    person = cast.people(2)[0]
    known = {
        "name": person.name,
        "id_number": person.id_number,
        "certificate_number": found[0].printed.number,
    }
    asked = CertificateQueryRequest.model_validate({field: known[field] for field in two})
    assert [one.number for one in await ask(platform, asked)] == [found[0].printed.number]
    for alone in two:
        with pytest.raises(Invalid):
            await ask(platform, CertificateQueryRequest.model_validate({alone: known[alone]}))


async def test_2_who_issues_is_responsible(platform: Platform, found: list[Certificate]) -> None:
    """第十八条（二）: 本着“谁发证、谁负责”的原则: only the issuing institution issues, revokes and prints."""
    province, neighbour = stage.actor(cast.HEBEI_OFFICER), stage.actor(cast.YANGZHOU_OFFICER)
    assert not holds(province, Permission.CERTIFICATES_ISSUE)
    assert not holds(province, Permission.CERTIFICATES_REVOKE)
    with pytest.raises(NotFound):
        await issue.revoke_certificate(
            platform, neighbour, found[0].id, Revocation(reason="不是我的证书", typed=found[0].printed.number)
        )
    entry = await platform["audit"].find_one({"action": "certificates:issue"})
    assert entry is not None and entry["institution_code"] == cast.XINGTAI


async def test_2_the_ledger_has_every_certificate_and_loses_none(
    platform: Platform, opened: ClassInSession, found: list[Certificate]
) -> None:
    """第十八条（二）: 要建立专门台账…流向清晰、数据准确、账实相符; a revoked one stays with its reason."""
    await issue.revoke_certificate(
        platform,
        opened.officer,
        found[0].id,
        Revocation(reason="姓名登记有误", typed=found[0].printed.number),
    )
    listed = await certificates.ledger(platform, opened.officer, LedgerFilter())
    assert [one.printed.serial for one in listed] == ["1300900002", "1300900001"]
    assert [(one.status.label, one.revoke_reason) for one in listed] == [
        ("有效", None),
        ("已撤销", "姓名登记有误"),
    ]


async def test_2_the_ledger_is_checked_regularly_and_what_does_not_fit_is_told(
    platform: Platform, opened: ClassInSession, found: list[Certificate]
) -> None:
    """第十八条（二）: 要建立专门台账，定期进行统计和核查…账实相符: each night, by itself; a certificate that is gone is found."""
    [job] = [job for job in JOBS if job.name == "reconcile-ledger"]
    assert job.frequency == "每天 03:00"
    assert await reconcile.reconcile(platform) == {"核查证书": len(found), "不符": 0}
    await platform["certificates"].delete_one({"_id": found[0].id})
    await reconcile.reconcile(platform)
    for officer in (opened.officer, stage.actor(cast.HEBEI_OFFICER), stage.actor(cast.CENTRE)):
        told = await reconcile.findings(platform, officer)
        assert any(found[0].printed.serial in one.detail for one in told)
        seen = await desk.desk(platform, officer)
        assert any("台账核查" in one.title for one in (*seen.mine, *seen.elsewhere))
    assert await reconcile.findings(platform, stage.actor(cast.YANGZHOU_OFFICER)) == []


async def test_1_the_province_oversees_the_ledger_of_its_institutions(
    platform: Platform, found: list[Certificate]
) -> None:
    """第十八条（一）: 省级管理部门应对培训机构的培训证书制作和发放情况进行监督。"""
    mine = await certificates.ledger(platform, stage.actor(cast.HEBEI_OFFICER), LedgerFilter())
    others = await certificates.ledger(platform, stage.actor(cast.JIANGSU_OFFICER), LedgerFilter())
    assert len(mine) == len(found) and others == []


async def test_2_a_forged_paper_is_caught_by_what_verification_shows(
    platform: Platform, found: list[Certificate]
) -> None:
    """第十八条（二）: 应采用防伪技术…涂改、转让、冒领、翻印、伪造: the QR code opens all that the genuine paper shows."""
    shown = await verify.verify(platform, found[0].token, ANYWHERE)
    printed = found[0].printed
    assert shown is not None
    assert (shown.name, shown.number, shown.serial, shown.class_hours, shown.courses, shown.issuer) == (
        printed.name,
        printed.number,
        printed.serial,
        printed.class_hours,
        list(printed.courses),
        printed.issuer,
    )
    assert await verify.verify(platform, found[0].printed.number, ANYWHERE) is None
