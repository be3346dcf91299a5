"""What earlier versions have left behind (tests/dumps) is brought up to date, and the journey's checks pass on it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from motor.motor_asyncio import AsyncIOMotorDatabase
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from server import __main__ as program
from server.accounts import passwords, staff
from server.accounts.rules import mask_id_number
from server.applications import service as applications
from server.applications.documents import ApplicationFilter
from server.backbone import service as backbone
from server.backbone.documents import PoolFilter
from server.backbone.rules import PoolStatus
from server.certificates import reconcile, verify
from server.certificates import service as certificates
from server.certificates.documents import CertificateStatus, LedgerFilter
from server.certificates.verify import CertificateQueryRequest
from server.classes import service as classes
from server.classes.documents import ClassFilter
from server.corrections import service as corrections
from server.corrections.documents import CorrectionFilter
from server.kernel import audit, chain
from server.kernel.clock import FixedClock
from server.kernel.encryption import Vault
from server.kernel.identity import Actor, Role
from server.kernel.mongo import Row, connect
from server.kernel.platform import Platform
from server.plans import service as plans
from server.plans.documents import PlanFilter
from server.progress import desk
from server.schemes import service as schemes
from server.schemes.documents import SchemeFilter
from server.schemes.rules import State as SchemeState
from server.settings import Settings
from server.upgrades.runner import steps_left
from server.upgrades.steps import STEPS
from tests.admin.browserless import Browser, enter
from tests.asking import ANYWHERE, ask
from tests.cast import Officer
from tests.finding import gone_astray
from tests.upgrades import dumps, stories
from tests.upgrades.models import MODELS, WITHOUT_MODEL

ID_NUMBER = re.compile(r"(?<!\d)[1-9]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])\d{5}[\dX](?!\d)")
PHONE = re.compile(r"(?<![0-9A-Za-z])(?<!number:)1[3-9][0-9]{9}(?![0-9A-Za-z])")
"""But for the beginning of a certificate's number, which lists find it by."""
LATER = timedelta(minutes=10)
"""After the last entry of the trail: by then it is sealed."""
_ISSUE_12 = {"s0025", "s0030"}
_ISSUE_11 = {"s0020", "s0023", "s0024", "s0026"} | _ISSUE_12
_ISSUE_10 = {"s0014", "s0015", "s0016", "s0017", "s0018"} | _ISSUE_11
CHANGES = {
    "before-issue-3": {f"s00{number:02}" for number in (1, 2, 3, 4, 5, 6, 8, 9, 10, 13)} | _ISSUE_10,
    "before-issue-8": {f"s00{number:02}" for number in (5, 6, 8, 9, 10, 11, 13)} | _ISSUE_10,
    "before-issue-10": _ISSUE_10,
    "before-issue-11": _ISSUE_11,
    "before-issue-12": _ISSUE_12,
    "before-issue-13": set(),
}
"""Which steps have anything to do."""


@dataclass(frozen=True)
class Opened:
    """A platform on the database of an earlier version, and what its start said."""

    name: str
    platform: Platform
    said: list[str]
    had: set[str]
    """Names of the steps that its version had already."""
    rows: dict[str, int]
    """By collection, as they were kept."""

    async def officer(self, username: str) -> Actor:
        return staff.actor_of(await staff.account_called(self.platform, username))


@pytest.fixture(scope="module", params=sorted(CHANGES))
async def opened(
    request: pytest.FixtureRequest,
    mongodb_uri: str,
    worker_database_name: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Opened]:
    settings = Settings(
        mongodb_uri=mongodb_uri,
        mongodb_database=f"{worker_database_name}_{request.param}",
        data_dir=tmp_path_factory.getbasetemp() / "data",
        public_url="https://platform.test",
    ).with_secrets()
    db = connect(mongodb_uri, settings.mongodb_database)
    await db.client.drop_database(db.name)
    vault = await Vault.open(db, settings.master_key.get_secret_value())
    at = await dumps.load(db, vault, request.param)
    rows = await counted(db)
    had = {row["_id"] async for row in db["upgrades"].find({}, {"_id": 1})}
    vault.close()
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "_say", said.append)
        platform = await program.open_platform(settings, FixedClock(at + LATER))
    if "s0014_trail_is_sealed_with_a_key" in had:
        await dumps.seal_anew(platform)
    if _has(had, "s0030"):
        await dumps.enter_anew(platform)
    yield Opened(request.param, platform, said, had, rows)
    await platform.db.client.drop_database(platform.db.name)
    for client in (platform.db.client, db.client, platform.limiter, platform.vault):
        client.close()


def _has(had: set[str], step: str) -> bool:
    return any(name.startswith(step) for name in had)


async def counted(db: AsyncIOMotorDatabase[Row]) -> dict[str, int]:
    return {name: await db[name].count_documents({}) for name in await db.list_collection_names()}


def test_a_dump_holds_nothing_that_could_be_a_number_of_anybody() -> None:
    assert {path.name.removesuffix(".json.gz") for path in dumps.FOLDER.iterdir()} == CHANGES.keys()
    for name in CHANGES:
        text = dumps.text_of(name)
        assert ID_NUMBER.search(text) is None and PHONE.search(text) is None
        assert "$binary" not in text and "$argon2" not in text
        assert '"$idNumber"' in text


async def test_the_steps_run_at_the_start_with_progress_and_at_the_next_start_none_does(
    opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    left = [step for step in STEPS if step.name not in opened.had]
    for number, step in enumerate(left, start=1):
        [done] = [line for line in opened.said if f"{step.title}，完成" in line]
        assert done.startswith(f"升级数据 {number}/{len(left)}：")
        assert ("更新 0 条" not in done) is (step.name[:5] in CHANGES[opened.name])
    trail = await audit.of_subject(opened.platform, STEPS[0].name)
    assert [entry["action"] for entry in trail] == ["upgrades:finish"] * (STEPS[0] in left)
    assert await steps_left(opened.platform.db) == []
    again = await program.open_platform(opened.platform.settings, opened.platform.clock)
    assert capsys.readouterr().out == ""
    for client in (again.db.client, again.limiter, again.vault):
        client.close()


async def test_every_document_is_read_by_the_model_of_today_and_none_is_lost(opened: Opened) -> None:
    assert {spec.name for spec in program.COLLECTIONS} == MODELS.keys() | WITHOUT_MODEL
    now = await counted(opened.platform.db)
    growing = {"audit", "upgrades"} | (dumps.MADE_ANEW if _has(opened.had, "s0030") else set())
    assert {name: now[name] for name in opened.rows.keys() - growing} == {
        name: count for name, count in opened.rows.items() if name not in growing
    }
    assert opened.rows.keys() - MODELS.keys() - WITHOUT_MODEL == {"encryption_keys"}
    for name, model in MODELS.items():
        async for row in opened.platform[name].find({}):
            model.from_mongo(row)
    assert await gone_astray(opened.platform) == []


async def test_every_index_of_today_is_there(opened: Opened) -> None:
    for spec in program.COLLECTIONS:
        there = await opened.platform[spec.name].index_information()
        assert {index.model().document["name"] for index in spec.indexes} <= there.keys()


async def test_lists_show_what_there_is_and_filters_find_it(opened: Opened) -> None:
    platform = opened.platform
    there = {
        name: await platform[name].count_documents({"level": "3"}) for name in ("classes", "applications")
    }
    assert min(there.values()) >= 3
    for username in ("centre", "hebei", "xingtai"):
        actor = await opened.officer(username)
        found = await classes.list_classes(platform, actor, ClassFilter(level="3"))
        assert len(found) == there["classes"]
        assert await plans.list_plans(platform, actor, PlanFilter(level="3"))
        applied = await applications.list_applications(platform, actor, ApplicationFilter(level="3"))
        assert len(applied) == there["applications"]
        month = found[0].item.starts_on.month
        for narrowed in (
            SchemeFilter(list(SchemeState), level="3"),
            SchemeFilter(list(SchemeState), month=month),
        ):
            assert await schemes.list_schemes(platform, actor, narrowed)
        assert await corrections.list_corrections(platform, actor, CorrectionFilter(words="邢台"))
        assert await certificates.ledger(platform, actor, LedgerFilter(level="3"))
        for narrowed_pool in (PoolFilter(status=PoolStatus.ACTIVE), PoolFilter(words="邢台")):
            assert await backbone.list_pool(platform, actor, narrowed_pool)
        await desk.desk(platform, actor)


async def test_the_pages_of_each_class_open(opened: Opened) -> None:
    """Everything that a page of the class leads to within the class, for the institution that holds it."""
    held = await classes.list_classes(opened.platform, await opened.officer("xingtai"), ClassFilter())
    password = Officer("xingtai", "", Role.TRAINING_BASE).password
    await opened.platform["accounts"].update_one(
        {"username": "xingtai"}, {"$set": {"password_hash": await passwords.hash_password(password)}}
    )
    server = HTTPServer(program.make_application(opened.platform))
    [socket] = sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    browser = Browser(f"http://127.0.0.1:{socket.getsockname()[1]}")
    await enter(opened.platform, browser, Officer("xingtai", "", Role.TRAINING_BASE))
    for one in held:
        page = await browser.get(f"/admin/classes/{one.item.id}")
        led_to = set(re.findall(rf'href="(/admin/classes/{one.item.id}/[a-z/-]+)"', page.html))
        assert len(led_to) > 5
        for path in sorted(led_to):
            assert (await browser.get(path)).status == 200, path
    server.stop()
    await server.close_all_connections()


async def test_the_ledger_fits_and_the_trail_is_whole(opened: Opened) -> None:
    platform = opened.platform
    assert (await reconcile.reconcile(platform))["不符"] == 0
    await chain.seal(platform)
    assert (await chain.follow(platform))[1] == ""
    assert (await chain.check(platform))["校验"] > 0


async def test_certificates_are_real_to_whoever_asks_by_code_by_number_or_by_id_number(
    opened: Opened,
) -> None:
    platform, centre = opened.platform, await opened.officer("centre")
    found = await certificates.ledger(platform, centre, LedgerFilter(level="3"))
    assert len({one.class_id for one in found}) > 1
    for one in found:
        paper = await verify.verify(platform, one.token, ANYWHERE)
        assert paper is not None and paper.number == one.printed.number
        assert paper.status is CertificateStatus.VALID
        by_number = CertificateQueryRequest(name=one.printed.name, certificate_number=one.printed.number)
        assert [one.printed.number] == [paper.number for paper in await ask(platform, by_number)]
    numbers = await platform.vault.decrypt([one.printed.id_number for one in found])
    for one, id_number in zip(found, numbers, strict=True):
        assert mask_id_number(id_number) == one.printed.id_number_masked
        by_id_number = CertificateQueryRequest(id_number=id_number, certificate_number=one.printed.number)
        assert [one.printed.number] == [paper.number for paper in await ask(platform, by_id_number)]
    sheet = await certificates.staff_pdf(platform, centre, found[0].id)
    kept = _has(opened.had, "s0030") and not any(sheet.content)  # a dump keeps the length of a stored file
    assert kept or sheet.content.startswith(b"%PDF")


def test_people_with_one_mask_get_numbers_of_their_own() -> None:
    numbers: list[str] = []
    for _ in range(9):
        numbers.append(dumps.id_number("139***********1234", numbers))
    assert len(set(numbers)) == 9
    assert {mask_id_number(number) for number in numbers} == {"139***********1234"}


async def test_the_stories_of_the_next_dump_can_be_told(platform: Platform, clock: FixedClock) -> None:
    assert clock.now() == stories.BEGIN
    await stories.tell(platform)
    told = {
        "corrections": 3,
        "pool_decisions": 1,
        "base_requests": 1,
        "account_batches": 1,
        "message_templates": 1,
    }
    assert {name: await platform[name].count_documents({}) for name in told} == told
