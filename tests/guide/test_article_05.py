"""第五条: how institutions are managed; what the platform serves so far is the province's supervision (五.三)."""

from server.kernel.platform import Platform
from tests import cast, stage
from tests.admin.browserless import sign_in


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
