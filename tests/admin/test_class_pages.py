"""The pages of training classes over HTTP."""

from server.classes import service as classes
from server.kernel.platform import Platform
from tests import cast, stage
from tests.admin.browserless import sign_in


async def test_an_institution_sees_its_own_classes_and_a_neighbour_none(
    platform: Platform, site: str
) -> None:
    opened = await classes.open_class(platform, stage.actor(cast.XINGTAI_OFFICER), stage.class_draft())
    mine = await sign_in(platform, site, cast.XINGTAI_OFFICER)
    neighbour = await sign_in(platform, site, cast.YANGZHOU_OFFICER)
    assert opened.name in (await mine.get("/admin/classes")).text
    assert opened.name not in (await neighbour.get("/admin/classes")).text
    overview = await mine.get(f"/admin/classes/{opened.id}")
    assert overview.status == 200 and "进行中" in overview.text and "机械类" in overview.text
    assert (await neighbour.get(f"/admin/classes/{opened.id}")).status == 404
