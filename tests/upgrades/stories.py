"""What neither the demonstration nor the journey has, told to a database before it is kept for the tests (scripts/dump-for-tests):

    MONGODB_URI=… python -m tests.upgrades.stories DATA_DIR

A selection that ends in the pool, corrections in three states, a base that a province recommends, a batch of accounts, and what the
centre sets. It is of March, on a database whose demonstration is of any other time. Everybody is fictional.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path

from server.__main__ import open_platform
from server.admissions import needs
from server.admissions.needs import TemplateDraft
from server.classes.documents import TrainingClass
from server.corrections import service as corrections
from server.corrections.service import ClassCorrection, InstitutionCorrection
from server.institutions import allocation
from server.institutions.account_sheet import Column
from server.institutions.requests import RequestDraft
from server.institutions.rules import RequestPurpose
from server.kernel.clock import BEIJING, FixedClock
from server.kernel.platform import Platform
from server.kernel.spreadsheets import workbook
from server.messages import templates
from server.messages.kinds import KINDS
from server.messages.templates import TemplateChange
from server.qualification import base_requests
from server.settings import Settings
from tests import cast, selecting
from tests.selecting import CENTRE, CHANGZHOU, HEBEI, JIANGSU, XINGTAI, YANGZHOU

BEGIN = datetime(2026, 3, 16, 12, tzinfo=BEIJING)
TEACHERS = [one for one in map(cast.person, range(900, 920)) if one.id_number[6:10] >= "1980"][:4]
"""Young enough to be recommended, and of nobody else's story."""


async def tell(platform: Platform) -> None:
    """Everything, in its order. The clock of the platform must be fixed, at `BEGIN`."""
    await _set(platform)
    held = await selecting.backbone_class(platform, CHANGZHOU)
    await _correct(platform, held)
    await _request_a_base(platform)
    await _allocate(platform)
    nominees = [await selecting.accepted(platform, one) for one in TEACHERS]
    await selecting.enrolled(platform, held, nominees)
    await selecting.certified(platform, held)
    await selecting.registered(platform, await selecting.reported(platform, held))


async def _set(platform: Platform) -> None:
    questions = "您最希望提高哪方面的能力？\n您任教几年了？｜三年以内｜三至十年｜十年以上"
    await needs.set_template(platform, CENTRE, TemplateDraft(questions=questions, reason="专家建议"))
    change = TemplateChange(
        template_id="a-template-of-enrolment",
        keys=list(KINDS["enrolled"].usual_keys),
        effective_from=BEGIN.date(),
        reason="模板已在小程序后台选用",
    )
    await templates.set_template(platform, CENTRE, "enrolled", change)


async def _correct(platform: Platform, held: TrainingClass) -> None:
    """One approved that moves a class by a day, one returned, one that waits."""
    moved = ClassCorrection(
        name=held.name,
        place=held.place,
        starts_on=held.starts_on + timedelta(days=1),
        ends_on=held.ends_on,
        reason="报到日顺延一天。",
    )
    asked = await corrections.correct_class(platform, CHANGZHOU, held.id, moved)
    await corrections.approve(platform, JIANGSU, asked.id, "同意。")
    renamed = InstitutionCorrection(name="邢台示例技师学院", reason="经批准更名。")
    asked = await corrections.correct_institution(platform, XINGTAI, cast.XINGTAI, renamed)
    await corrections.return_(platform, CENTRE, asked.id, "请附上批复文号。")
    renamed = InstitutionCorrection(name="江苏省扬州示例技师学院", reason="经批准更名。")
    await corrections.correct_institution(platform, YANGZHOU, cast.YANGZHOU, renamed)


async def _request_a_base(platform: Platform) -> None:
    draft = RequestDraft(
        purpose=RequestPurpose.NEW_BASE,
        institution_name="河北示例技师学院",
        majors=["01"],
        reason="实训条件良好，已开展工学一体化教学三年。",
    )
    await base_requests.submit(platform, HEBEI, draft)


async def _allocate(platform: Platform) -> None:
    rows = [
        ("hebei-two", "冀试二", "省级管理部门", "河北", ""),
        ("xingtai-two", "邢试二", "教师培训基地", "", "009"),
    ]
    sheet = workbook("账号", [(column.title, 20) for column in Column], rows)
    batch = await allocation.preview(platform, CENTRE, "账号.xlsx", sheet)
    await allocation.confirm(platform, CENTRE, batch.id)


async def _main(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir).with_secrets()
    platform = await open_platform(settings, FixedClock(BEGIN))
    try:
        await tell(platform)
    finally:
        platform.limiter.close()
        platform.vault.close()
        platform.db.client.close()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
