"""第三条: the two kinds of 培训机构, and annex 1 on a fresh platform."""

from server.institutions import service as institutions
from server.institutions.annex1 import INSTITUTIONS
from server.institutions.rules import QualificationKind
from server.kernel.clock import beijing_date
from server.kernel.platform import Platform
from tests import cast, stage

CENTRE = stage.actor(cast.CENTRE)


async def test_a_fresh_platform_knows_the_institutions_of_annex_1(platform: Platform) -> None:
    """附件 1: 51 所院校，各有行政区划代码和培训机构号。"""
    found = await institutions.list_institutions(platform, CENTRE)
    assert [(one.id, one.name, one.province_code) for one in found] == [
        (listed.code, listed.name, listed.province_code) for listed in INSTITUTIONS
    ]


async def test_each_is_a_centre_or_a_base_by_its_qualification(platform: Platform) -> None:
    """第三条: 培训机构包括师资研修中心和教师培训基地; 附件 1 注: 标★的为师资研修中心。"""
    today = beijing_date(platform.clock.now())
    centres = set()
    for one in await institutions.list_institutions(platform, CENTRE):
        [held] = one.qualifications
        assert held.is_valid(today)
        if held.kind is QualificationKind.TRAINING_CENTRE:
            centres.add(one.id)
    assert centres == {"002", "005", "017", "033"}


async def test_entering_annex_1_again_changes_nothing(platform: Platform) -> None:
    assert await institutions.ensure_annex_1(platform) == 0
