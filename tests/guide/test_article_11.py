"""第十一条: 严禁在中央办公厅、国务院办公厅规定的 21 个风景名胜区或高档宾馆开展培训。

The core area only is meant, and an address is no proof: the platform raises a flag, the province looks, and says what it found.
"""

import pytest

from server.applications import service
from server.applications.rules import SCENIC_AREAS, FlagKind, State, venue_flags
from server.applications.service import Approval
from server.kernel import audit
from server.kernel.errors import Invalid
from server.kernel.platform import Platform
from server.kernel.reviews import Return
from tests.planning import HEBEI, applied

HOTEL = {"name": "示例国际大酒店", "address": "河北省邢台市示例路 8 号", "stars": 5}
AREA = {"name": "避暑山庄示例培训楼", "address": "河北省承德市双桥区示例路 1 号", "stars": None}
SCHOOL = {"name": "实训楼 301", "address": "安徽省黄山市太湖县泰山路 1 号，白云区", "stars": None}


@pytest.mark.parametrize("area", SCENIC_AREAS)
def test_each_of_the_21_areas_is_recognised(area: str) -> None:
    for core in SCENIC_AREAS[area]:
        [flag] = venue_flags(f"{core}风景区示例宾馆", "示例地址", None, 3)
        assert flag.kind is FlagKind.SCENIC_AREA and area in flag.words
    assert len(SCENIC_AREAS) == 21


async def test_a_venue_without_anything_to_look_at_is_approved_without_words(platform: Platform) -> None:
    """黄山市, 太湖县, 泰山路 and 白云区 are ordinary addresses."""
    new = await applied(platform, venue=SCHOOL)
    assert new.venue_flags == []
    assert (await service.approve(platform, HEBEI, new.id, Approval(seen=1))).state is State.APPROVED


@pytest.mark.parametrize(("venue", "kind"), [(HOTEL, FlagKind.STARS), (AREA, FlagKind.SCENIC_AREA)])
async def test_a_flag_is_resolved_by_the_province_with_words_that_are_kept(
    platform: Platform, venue: dict[str, object], kind: FlagKind
) -> None:
    new = await applied(platform, venue=venue)
    assert ([flag.kind for flag in new.venue_flags], new.state) == ([kind], State.SUBMITTED)
    with pytest.raises(Invalid) as refused:
        await service.approve(platform, HEBEI, new.id, Approval(seen=1))
    assert "第十一条" in refused.value.fields[0].message
    words = "已实地核实，不在核心景区，属职工培训场所。"
    done = await service.approve(platform, HEBEI, new.id, Approval(seen=1, venue_note=words))
    assert (done.state, done.venue_note) == (State.APPROVED, words)
    trail = await audit.of_subject(platform, new.id)
    assert trail[0]["facts"]["reason"] == words


async def test_a_venue_that_breaks_the_rule_is_returned(platform: Platform) -> None:
    new = await applied(platform, venue=HOTEL)
    wanted = Return(seen=1, reason="属于高档宾馆，请改在本校举办。")
    assert (await service.send_back(platform, HEBEI, new.id, wanted)).state is State.RETURNED
