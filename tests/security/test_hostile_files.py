"""Files of strangers harm nobody but themselves, and nobody fills the disk."""

import asyncio
import dataclasses
import io
import os
import zipfile
from datetime import timedelta

import pytest
from openpyxl import Workbook

from server.assessment import submissions
from server.assessment.documents import Task
from server.assessment.submissions import SubmissionDraft
from server.assessment.uploads import QuotaReached, Upload
from server.classes import roster_import
from server.kernel import hostile, leases, policies, xlsx
from server.kernel.clock import beijing_date
from server.kernel.errors import FileUnreadable, Unavailable
from server.kernel.hostile import OneFileAtATime, read_apart
from server.kernel.platform import Platform
from server.kernel.policies import PolicyChange
from server.upgrades import s0016_quotas_know_what_was_handed_in
from server.wechat.simulator import Simulator
from tests import assessing, cast, stage
from tests.assessing import clock_of
from tests.security import hostile_readers as readers


async def test_a_file_is_read_in_another_process(platform: Platform) -> None:
    one, other = [await read_apart(platform, "somebody", readers.where) for _ in range(2)]
    assert len({one, other, os.getpid()}) == 3


async def test_a_file_that_takes_for_ever_is_given_up_and_the_person_may_try_another(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostile, "SECONDS", 0.3)
    with pytest.raises(FileUnreadable, match="没有读完"):
        await read_apart(platform, "somebody", readers.never_ends)
    monkeypatch.undo()
    assert await read_apart(platform, "somebody", readers.where)


async def test_a_file_that_takes_all_memory_takes_its_own(platform: Platform) -> None:
    with pytest.raises(FileUnreadable, match="内存"):
        await read_apart(platform, "somebody", readers.eats_memory)
    with pytest.raises(FileUnreadable):
        await read_apart(platform, "somebody", readers.ends_its_process)


async def test_what_the_reader_says_comes_back_and_what_is_our_fault_stays_one(platform: Platform) -> None:
    with pytest.raises(FileUnreadable) as refused:
        await read_apart(platform, "somebody", readers.is_refused)
    assert [(one.place, one.message) for one in refused.value.fields] == [("file", "第三行看不懂。")]
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await read_apart(platform, "somebody", readers.is_broken)


async def test_everybody_has_one_file_read_at_a_time_also_by_another_machine(platform: Platform) -> None:
    await leases.hold(platform, "reading:somebody", hostile.HELD_FOR, "another machine")
    with pytest.raises(OneFileAtATime) as refused:
        await read_apart(platform, "somebody", readers.where)
    assert refused.value.extra["retry_after"] == hostile.SECONDS
    assert await read_apart(platform, "somebody else", readers.where)


async def test_the_staff_of_a_unit_have_one_file_read_between_them(
    platform: Platform, wechat: Simulator
) -> None:
    """A unit adds accounts as it likes: each of them counted by itself, one institution would keep every reader busy."""
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    colleague = dataclasses.replace(opened.officer, id="a colleague")
    assert hostile.whose(colleague) == hostile.whose(opened.officer)
    assert hostile.whose(opened.trainees[0].actor) == opened.trainees[0].actor.person_id
    others = (stage.actor(cast.HEBEI_OFFICER), stage.actor(cast.CENTRE), stage.actor(cast.YANGZHOU_OFFICER))
    assert len({hostile.whose(one) for one in (opened.officer, *others)}) == 4
    name = f"reading:{opened.training_class.institution_code}"
    await leases.hold(platform, name, hostile.HELD_FOR, "another machine")
    with pytest.raises(OneFileAtATime, match="本单位同事"):
        await roster_import.preview_roster(platform, colleague, opened.id, "名册.xlsx", b"")


async def test_so_many_files_wait_and_whoever_comes_then_reads_why(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostile, "SECONDS", 0.1)
    monkeypatch.setattr(hostile, "IN_LINE", 3)
    monkeypatch.setattr(hostile, "STRANGERS_IN_LINE", 2)
    strangers = [hostile.stranger(f"192.0.2.{n}") for n in range(4)]
    names = [*strangers, *(f"person {n}" for n in range(5))]
    files = [read_apart(platform, name, readers.never_ends) for name in names]
    ended = await asyncio.gather(*files, return_exceptions=True)
    of_strangers, of_people = ended[:4], ended[4:]
    assert [type(one) for one in of_strangers] == [FileUnreadable] * 2 + [Unavailable] * 2
    assert [type(one) for one in of_people] == [FileUnreadable] * 3 + [Unavailable] * 2, (
        "strangers are in nobody's way"
    )
    assert "等待读取的文件太多" in str(getattr(ended[-1], "detail", ""))
    monkeypatch.undo()
    assert await read_apart(platform, "somebody", readers.where)


@pytest.mark.parametrize(
    "around",
    [b"</sheetData>%s", b'<row r="2"><c r="A2" t="inlineStr">%s</c></row></sheetData>'],
    ids=["behind the rows", "in a cell"],
)
def test_elements_within_elements_end_long_before_they_cost_anything(
    around: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused by counting: no reader that would build a tree sees them."""

    def workbook(depth: int) -> bytes:
        book, saved, made = Workbook(), io.BytesIO(), io.BytesIO()
        book.worksheets[0]["A1"] = "姓名"
        book.save(saved)
        with zipfile.ZipFile(saved) as before, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after:
            for part in before.infolist():
                content = before.read(part)
                if part.filename == "xl/worksheets/sheet1.xml":
                    content = content.replace(b"</sheetData>", around % (b"<a>" * depth + b"</a>" * depth))
                after.writestr(part.filename, content)
        return made.getvalue()

    assert xlsx.read_sheets(workbook(50))[0].rows[1][1].text == "姓名"
    monkeypatch.setattr(xlsx, "load_workbook", None)
    for depth in (xlsx.DEPTH_MOST, 300_000):
        with pytest.raises(xlsx.XlsxUnreadable) as refused:
            xlsx.read_sheets(workbook(depth))
        assert refused.value.reason is xlsx.Reason.DAMAGED
        assert refused.value.__cause__ is None  # said so, not stumbled into


async def test_the_loop_goes_on_while_files_are_read(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And other work has threads: a dozen files that never end wait for one another, not the platform for them."""
    monkeypatch.setattr(hostile, "SECONDS", 0.1)
    files = [asyncio.create_task(read_apart(platform, f"person {n}", readers.never_ends)) for n in range(12)]
    [sealed] = await platform.vault.encrypt_random(["a phone"])
    assert await platform.vault.decrypt([sealed]) == ["a phone"]
    assert not all(file.done() for file in files)
    assert all(
        isinstance(one, FileUnreadable) for one in await asyncio.gather(*files, return_exceptions=True)
    )


# ---- quotas


async def set_policy(platform: Platform, key: str, value: int) -> None:
    today = beijing_date(platform.clock.now())
    change = PolicyChange(key=key, value=value, effective_from=today, reason="先行试点")
    await policies.change(platform, stage.actor(cast.CENTRE), change)


async def test_versions_of_a_task_end_at_the_policy_and_a_repeated_request_still_answers(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await assessing.set_task(platform, opened)
    await set_policy(platform, "upload_versions", 2)
    [phone] = opened.trainees
    await assessing.hand_in(platform, phone, task, "一")
    second = await assessing.hand_in(platform, phone, task, "二", nonce="the-second")
    with pytest.raises(QuotaReached, match="最多 2 次"):
        await assessing.hand_in(platform, phone, task, "三", nonce="the-third")
    assert await assessing.hand_in(platform, phone, task, "二", nonce="the-second") == second


async def test_bytes_end_at_the_policy_of_the_person_and_of_the_class_and_nothing_stays_of_what_is_refused(
    platform: Platform, wechat: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    task = await assessing.set_task(platform, opened)
    one, other = opened.trainees
    of_one, of_class = f"{opened.id}:{one.actor.person_id}", opened.id
    file = ("a.pdf", assessing.PDF)
    await assessing.hand_in(platform, one, task, files=[file])
    sizes = {row["_id"]: row["bytes"] async for row in platform["submitted_bytes"].find({})}
    assert sizes == {of_one: len(assessing.PDF), of_class: len(assessing.PDF)}
    kept = await platform["files.files"].count_documents({})
    await platform["submitted_bytes"].update_one({"_id": of_one}, {"$set": {"bytes": 2000 * 2**20}})
    with pytest.raises(QuotaReached, match="2000 MiB"):
        await assessing.hand_in(platform, one, task, files=[file])
    await assessing.hand_in(platform, one, task, "只有文字")
    await assessing.hand_in(platform, other, task, files=[file])
    await platform["submitted_bytes"].update_one({"_id": of_class}, {"$set": {"bytes": 100 * 2**30}})
    with pytest.raises(QuotaReached, match="联系培训机构"):
        await assessing.hand_in(platform, other, task, files=[file])
    assert await platform["files.files"].count_documents({}) == kept + 1


async def test_two_uploads_at_the_same_moment_are_both_counted(platform: Platform, wechat: Simulator) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await assessing.set_task(platform, opened)
    [phone] = opened.trainees
    await platform["submitted_bytes"].insert_one(
        {"_id": f"{opened.id}:{phone.actor.person_id}", "bytes": 2000 * 2**20 - len(assessing.PDF)}
    )

    async def hand_in() -> object:
        upload = await submissions.begin_upload(platform, phone.actor, task.id)
        await upload.begin("a.pdf")
        await upload.write(assessing.PDF)
        await upload.end()
        draft = SubmissionDraft(own_work=True, text="")
        return await submissions.hand_in(platform, phone.actor, task.id, draft, upload)

    results = await asyncio.gather(hand_in(), hand_in(), return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["QuotaReached", "tuple"]


async def kept(platform: Platform) -> tuple[int, int]:
    """Chunks of files, and uploads under way."""
    return await platform.db["files.chunks"].count_documents({}), await platform["uploads"].count_documents(
        {}
    )


async def arriving(platform: Platform, phone: stage.Phone, task: Task, size: int, announced: int) -> Upload:
    """An upload whose file has brought so much of what was announced."""
    upload = await submissions.begin_upload(platform, phone.actor, task.id, announced)
    await upload.begin("a.pdf")
    await upload.write(assessing.PDF + bytes(size - len(assessing.PDF)))
    return upload


def declared(nonce: str | None = None) -> SubmissionDraft:
    return SubmissionDraft(own_work=True, text="", nonce=nonce)


@pytest.mark.parametrize(
    ("same", "quota"), [(True, 2000 * 2**20), (False, 100 * 2**30)], ids=["own", "class"]
)
async def test_what_is_still_arriving_counts_for_all_it_has_announced(
    platform: Platform, wechat: Simulator, same: bool, quota: int
) -> None:
    """Also that of a dead server, until it is removed."""
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    task = await assessing.set_task(platform, opened)
    one, other = opened.trainees
    key = f"{opened.id}:{one.actor.person_id}" if same else opened.id
    await platform["submitted_bytes"].insert_one({"_id": key, "bytes": quota - 10_000})
    second = one if same else other
    await arriving(platform, one, task, 2_000, announced=8_000)
    within = await arriving(platform, second, task, 2_000, announced=2_000)
    assert within.refused is None
    await within.give_up()
    over = await arriving(platform, second, task, 2_001, announced=2_001)
    with pytest.raises(QuotaReached, match="正在上传"):
        await submissions.hand_in(platform, second.actor, task.id, declared(), over)
    assert (await kept(platform))[1] == 1
    clock_of(platform).advance(submissions.ABANDONED_AFTER + timedelta(seconds=1))
    assert await submissions.remove_abandoned(platform) == 1
    again = await arriving(platform, second, task, 10_000, announced=10_000)
    await again.end()
    assert await submissions.hand_in(platform, second.actor, task.id, declared(), again)
    assert (await kept(platform))[1] == 0


async def test_over_a_quota_nothing_is_kept_while_it_arrives_and_a_repeated_request_still_answers(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=1)
    task = await assessing.set_task(platform, opened)
    [phone] = opened.trainees
    file = ("a.pdf", assessing.PDF)
    first = await assessing.hand_in(platform, phone, task, files=[file], nonce="the-first")
    full = await kept(platform)
    bytes_of_one = {"_id": f"{opened.id}:{phone.actor.person_id}"}
    await platform["submitted_bytes"].update_one(bytes_of_one, {"$set": {"bytes": 2000 * 2**20}})
    for limit in ("bytes", "versions"):
        upload = await arriving(platform, phone, task, 1_000_000, announced=50_000_000)
        assert await kept(platform) == full, limit
        await upload.write(b"more")
        await upload.end()
        await upload.begin("b.pdf")
        await upload.write(assessing.PDF)
        await upload.end()
        assert await kept(platform) == full, limit
        with pytest.raises(QuotaReached):
            await submissions.hand_in(platform, phone.actor, task.id, declared("the-second"), upload)
        assert await assessing.hand_in(platform, phone, task, files=[file], nonce="the-first") == first
        await platform["submitted_bytes"].delete_one(bytes_of_one)
        await set_policy(platform, "upload_versions", 1)


async def test_what_was_handed_in_before_there_was_a_quota_counts(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await stage.class_in_session(platform, wechat, trainees=2)
    task = await assessing.set_task(platform, opened)
    for phone in opened.trainees:
        for _ in range(2):
            await assessing.hand_in(platform, phone, task, files=[("a.pdf", assessing.PDF)])
    counted = await platform["submitted_bytes"].find({}).sort("_id", 1).to_list(None)
    await platform["submitted_bytes"].delete_many({})
    for changed in (3, 0):
        assert sum([n async for n in s0016_quotas_know_what_was_handed_in.run(platform)]) == changed
        assert await platform["submitted_bytes"].find({}).sort("_id", 1).to_list(None) == counted
