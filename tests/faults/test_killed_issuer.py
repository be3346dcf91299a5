"""SIGKILL at any step of issuing: one certificate a person, no number missing or twice, ledger and files agree.

PLATFORM_KILLS says how often (scripts/faults: 200 times), PLATFORM_KILLS_SEED from which seed.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from bson.binary import UUID_SUBTYPE, Binary

from server.certificates import issue, reconcile, rules, signing
from server.certificates.documents import Certificate
from server.certificates.workshop import Workshop, workshop
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests.certifying import passed_class
from tests.stage import ClassInSession
from tests.surveying import clock_of

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("PLATFORM_KILLS", "12"))
SEED = int(os.environ.get("PLATFORM_KILLS_SEED", "16"))
TRAINEES = 3
MOST_IN_A_ROW = 3
WRITTEN = ("certificates", "files.files", "files.chunks", "ledger", "sequences", "outbox")


class Issuer:
    """A process that issues, and dies of it when told to."""

    def __init__(self, platform: Platform, process: Process) -> None:
        self._platform = platform
        self._process = process

    @classmethod
    async def start(cls, platform: Platform, opened: ClassInSession) -> Issuer:
        settings, where = platform.settings, opened.training_class
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.issuer", clock_of(platform).now().isoformat()),
            *(where.institution_code, where.province_code),
            cwd=ROOT,
            env=os.environ
            | {
                "MONGODB_URI": settings.mongodb_uri,
                "PLATFORM_MONGODB_DATABASE": settings.mongodb_database,
                "PLATFORM_DATA_DIR": str(settings.data_dir),
                "PLATFORM_PUBLIC_URL": settings.public_url,
            },
            stdin=PIPE,
            stdout=PIPE,
        )
        issuer = cls(platform, process)
        assert await issuer._said() == "ready"
        return issuer

    async def issue(self, class_id: str, let_through: int, when: str = "sent") -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{class_id} {let_through} {when}\n".encode())
        said, *sessions = (await self._said()).split()
        if said == "sessions":  # MongoDB keeps what a dead process has begun for a minute
            said = await self._said()
            ids = [{"id": Binary(bytes.fromhex(one), UUID_SUBTYPE)} for one in sessions]
            await self._platform.db.client.admin.command("killSessions", ids)
        return said

    async def _said(self) -> str:
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()

    async def end(self) -> None:
        self._process.kill()
        await self._process.wait()


async def forget_all(platform: Platform) -> None:
    for name in WRITTEN:
        await platform[name].delete_many({})
    await platform["audit"].delete_many({"action": {"$regex": "^certificates:"}})


async def kept(platform: Platform) -> list[Certificate]:
    """The certificates, after a look at what must hold at every moment."""
    rows = await platform["certificates"].find({}).sort("printed.serial", 1).to_list(None)
    found = [Certificate.from_mongo(row) for row in rows]
    assert len({one.person_id for one in found}) == len(found)
    orders = list(range(1, len(found) + 1))
    assert [rules.parse_serial(one.printed.serial).order for one in found] == orders
    assert sorted(rules.parse_number(one.printed.number).order for one in found) == orders
    entered = {row["certificate_id"]: row async for row in platform["ledger"].find({})}
    assert entered.keys() == {one.id for one in found if one.valid}
    assert await platform["outbox"].count_documents({"template": "certificate-issued"}) == len(entered)
    for one in found:
        if one.valid:
            assert one.file is not None and one.file.sha256 == entered[one.id]["file"]
            await signing.issued_pdf(platform, one)  # or it is not as issued
    return found


async def test_whoever_is_killed_while_issuing_leaves_it_to_the_next_without_gap_or_pair(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, TRAINEES)
    chance = random.Random(SEED)
    issuer = await Issuer.start(platform, opened)
    try:
        await issuer.issue(opened.id, 10_000)  # makes what is made once: the platform's key
        await forget_all(platform)
        commands = int(await issuer.issue(opened.id, 10_000))
        kills = 0
        while kills < KILLS:
            await forget_all(platform)
            for _ in range(chance.randint(1, MOST_IN_A_ROW)):
                at, when = chance.randrange(commands), chance.choice(("sent", "answered"))
                said = await issuer.issue(opened.id, at, when)
                assert said == "killed" or said.isdigit(), (at, when)
                kills += said == "killed"
                await kept(platform)
            assert (await issuer.issue(opened.id, 10_000)).isdigit()
            found = await kept(platform)
            assert len(found) == TRAINEES and all(one.valid for one in found)
            named = {one.file.file_id for one in found if one.file}
            for collection, name in (("files.files", "_id"), ("files.chunks", "files_id")):
                assert set(await platform[collection].distinct(name)) == named, "nothing is left behind"
        await reconcile.reconcile(platform)
        assert await platform["ledger_findings"].count_documents({}) == 0
    finally:
        await issuer.end()


async def test_a_worker_that_is_killed_is_replaced_and_its_certificate_made_by_the_next(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await passed_class(platform, wechat, 2 * TRAINEES)
    platform.settings.certificate_workers = 1
    shop: Workshop = workshop(platform)
    try:
        await issue.issue_certificates(platform, opened.officer, opened.id)
        run = asyncio.ensure_future(signing.sign_waiting(platform))
        while not await platform["certificates"].count_documents({"status": "VALID"}):  # noqa: ASYNC110 - made elsewhere
            await asyncio.sleep(0)
        [worker] = shop.processes
        os.kill(worker, signal.SIGKILL)
        await run
        assert shop.processes and worker not in shop.processes
    finally:
        shop.end()
    found = await kept(platform)
    assert len(found) == 2 * TRAINEES and all(one.valid and not one.attempts for one in found)
