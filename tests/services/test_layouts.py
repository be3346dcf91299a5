"""Versions of how certificates look, on a real database."""

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from server.institutions.rules import Level
from server.kernel.errors import Invalid
from server.kernel.platform import Platform
from server.kernel.seen import ChangedMeanwhile, mark
from server.layouts import rules, service
from server.layouts.documents import Layout, Style
from server.layouts.service import NewLayout, Offset
from tests import cast, stage
from tests.surveying import clock_of

CENTRE = stage.actor(cast.CENTRE)
XINGTAI = stage.actor(cast.XINGTAI_OFFICER)
TODAY = date(2026, 3, 16)


def new(day: date, **style: Any) -> NewLayout:
    return NewLayout(style=Style(**style), effective_from=day, reason="依据样证修订")


async def test_a_layout_is_used_from_its_day_on_for_its_level_alone(platform: Platform) -> None:
    first = await service.add(platform, CENTRE, Level.TWO, new(TODAY + timedelta(days=1), title_size=40))
    second = await service.add(platform, CENTRE, Level.TWO, new(TODAY + timedelta(days=9), title_size=42))

    async def used(level: Level, days: int) -> Layout | None:
        return await service.in_force(platform, level, TODAY + timedelta(days=days))

    assert [await used(Level.TWO, days) for days in (0, 1, 8, 9)] == [None, first, first, second]
    assert await used(Level.THREE, 9) is None
    assert (first.version, second.version) == (1, 2)
    assert await service.of_ids(platform, {first.id}) == {first.id: first}


async def test_a_layout_begins_tomorrow_at_the_earliest_and_nobody_overwrites_another(
    platform: Platform,
) -> None:
    with pytest.raises(Invalid) as refused:
        await service.add(platform, CENTRE, Level.ONE, new(TODAY))
    assert "明天" in refused.value.fields[0].message
    read = mark(None)
    await service.add(platform, CENTRE, Level.ONE, new(TODAY + timedelta(days=1)), read)
    with pytest.raises(ChangedMeanwhile):
        await service.add(platform, CENTRE, Level.ONE, new(TODAY + timedelta(days=2)), read)


async def test_what_has_begun_stays_for_the_certificates_that_were_issued_in_it(platform: Platform) -> None:
    kept = await service.add(platform, CENTRE, Level.ONE, new(TODAY + timedelta(days=1)))
    clock_of(platform).set(platform.clock.now() + timedelta(days=1))
    with pytest.raises(service.LayoutInForce):
        await service.take_back(platform, CENTRE, Level.ONE, kept.version)
    assert (await service.of_level(platform, Level.ONE)).in_force == kept


async def test_an_institution_has_its_own_printer(platform: Platform) -> None:
    await service.set_printer(platform, XINGTAI, Offset(right=1.5, down=-0.5))
    kept = await service.printer(platform, XINGTAI)
    assert kept is not None and (kept.right, kept.down) == (1.5, -0.5)
    assert await service.printer(platform, stage.actor(cast.YANGZHOU_OFFICER)) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("frame_colour", "#e8c9c9"),  # a title that nobody can read
        ("paper_colour", "#777777"),
        ("pattern_colour", "#404040"),
        ("frame_colour", "red"),
        ("title_size", 60),
        ("name_down", 90),  # over the body
        ("qr_size", 5),
        ("overprint_right", 30),
    ],
)
def test_a_layout_can_hide_or_pile_up_nothing(field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Style(**{field: value})


def test_contrast_is_that_of_wcag() -> None:
    assert rules.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert rules.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
