"""Reconciling the ledger (article 18 (2): 建立专门台账，定期进行统计和核查，确保……数据准确、账实相符).

For each institution: the orders taken from its sequences against the certificates in the ledger, without gap, repetition or excess; each
certificate well-formed and of this institution; as many issued by the trail as there are in the ledger; each for a result that is
passed; each for days that span the sessions of its class that were held; each as its entries in the ledger have sealed it, and its file
as it was stored (recount.py). What does not fit is a finding: it stands on the page of the institution, its province and the centre until
a later check finds it right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from server.assessment import service as assessment
from server.attendance import work
from server.certificates import recount, rules, store
from server.certificates.documents import Certificate, CertificateStatus, LedgerCheck, LedgerFinding
from server.certificates.findings import Finding, FindingKind, finding_of
from server.institutions import service as institutions
from server.institutions.documents import Institution
from server.kernel import audit, policies, sequences
from server.kernel.clock import beijing_date
from server.kernel.identity import Actor, system
from server.kernel.mongo import Row
from server.kernel.platform import Platform
from server.kernel.schedule import Counts
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional
from server.kernel.waiting import Owed, Waiting, counted

JOB = system("certificates")
PAGE = "/admin/certificates/check"


# ---- the reckoning, without I/O


@dataclass
class Ledger:
    """What the ledger of one institution holds, gathered row by row: numbers and ids, never a person's name."""

    province_code: str
    institution_code: str
    certificates: int = 0
    orders: dict[str, list[int]] = field(default_factory=dict)
    """By sequence, the orders that are used."""
    numbers: dict[str, str] = field(default_factory=dict)
    """By certificate."""
    holders: dict[str, set[str]] = field(default_factory=dict)
    """By class, the people who have a certificate."""
    days: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """By class, the first and last days that its valid certificates state."""
    findings: list[Finding] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """A row as it stands in the database: it may say anything."""
        self.certificates += 1
        printed: dict[str, Any] = row.get("printed") or {}
        self.holders.setdefault(str(row.get("class_id")), set()).add(str(row.get("person_id")))
        if row.get("status") not in _ENDED:
            stated = (str(printed.get("training_from")), str(printed.get("training_to")))
            self.days.setdefault(str(row.get("class_id")), set()).add(stated)
        number = str(printed.get("number"))
        kept = self.numbers.get(str(row.get("replaces"))) == number  # by a 补发, which takes none
        if (
            row.get("status") == CertificateStatus.VOID
        ):  # it does not say any more in whose place it was to be
            kept = number in self.numbers.values()
        self.numbers[str(row["_id"])] = number
        for used in self._used(str(printed.get("serial")), "" if kept else number):
            sequence, order = used
            self.orders.setdefault(sequence, []).append(order)
        if wrong := _wrong_with(row):
            self._note(FindingKind.MALFORMED, str(row["_id"]), f"证书编号 {printed.get('number')}：{wrong}。")

    def _used(self, serial: str, number: str) -> Iterator[tuple[str, int]]:
        place = (self.province_code, self.institution_code)
        if rules.is_serial(serial):
            parts = rules.parse_serial(serial)
            if parts[:2] == place:
                yield rules.serial_sequence(*place), parts.order
            else:
                self._note(FindingKind.MALFORMED, serial, f"证书序列号 {serial} 不属于本机构。")
        if rules.is_number(number):
            of = rules.parse_number(number)
            if of[:2] == place:
                yield rules.number_sequence(*of[:4]), of.order
            else:
                self._note(FindingKind.MALFORMED, number, f"证书编号 {number} 不属于本机构。")

    def close(self, taken_before: dict[str, int], taken_after: dict[str, int]) -> None:
        """Compares the orders with what the sequences say.

        An order is taken in the transaction that writes its certificate: what was taken before the rows were read must be among them,
        and no row may have an order beyond what is taken after.
        """
        for sequence in sorted({*taken_before, *self.orders}):
            used = sorted(self.orders.get(sequence, []))
            for order in sorted({one for one, other in pairwise(used) if one == other}):
                code = _code(sequence, order, order)
                self._note(FindingKind.REPEATED, code, f"{code} 在台账中出现不止一次。")
            for first, last in _gaps(used, taken_before.get(sequence, 0)):
                code = _code(sequence, first, last)
                self._note(FindingKind.GAP, code, f"{code} 已取号，台账中没有对应的证书。")
            beyond = [order for order in used if order > taken_after.get(sequence, 0)]
            if beyond:
                code = _code(sequence, beyond[0], beyond[-1])
                self._note(FindingKind.BEYOND, code, f"{code} 在台账中有证书，但从未取号。")

    def _note(self, kind: FindingKind, subject: str, detail: str) -> None:
        self.findings.append(Finding(kind, subject, detail))


_ENDED = (CertificateStatus.REVOKED, CertificateStatus.VOID)
_PLACES = {
    "name": "姓名",
    "id_number": "身份证号",
    "id_number_masked": "身份证号",
    "training_from": "培训时间",
    "training_to": "培训时间",
    "level": "培训级别",
    "major": "专业大类",
    "courses": "课程内容",
    "class_hours": "培训课时",
    "result": "考核结果",
    "issuer": "发证机构",
    "issued_on": "发证日期",
    "status": "状态",
}
"""Of a certificate (article 17), as a person calls them."""


def _wrong_with(row: Row) -> str:
    """What of a certificate breaks the rules of article 17, in Chinese; empty when nothing does."""
    try:
        certificate = Certificate.from_mongo(row)
    except ValidationError as error:
        places = [one["loc"][-1] if one["loc"] else "" for one in error.errors(include_input=False)]
        named = dict.fromkeys(_PLACES.get(str(place), "编码与机构、级别、日期是否一致") for place in places)
        return f"内容不合规则，请核对{'、'.join(named)}"
    ended = certificate.status in _ENDED
    if ended and not (certificate.revoked_at and certificate.revoked_by and certificate.revoke_reason):
        return f"{certificate.status.label}，但没有记下时间、经办人或理由"
    return ""


def _gaps(used: Sequence[int], taken: int) -> Iterator[tuple[int, int]]:
    """The runs of orders from 1 to `taken` that are not used. `used` is sorted."""
    expected = 1
    for order in [*(one for one in used if one <= taken), taken + 1]:
        if order > expected:
            yield expected, order - 1
        expected = max(expected, order + 1)


def _code(sequence: str, first: int, last: int) -> str:
    """The serial or number that a sequence and an order make, or the run of them."""
    name, _, prefix = sequence.partition(":")
    digits = 5 if name == "certificate-serial" else 3
    one, other = f"{prefix}{first:0{digits}}", f"{prefix}{last:0{digits}}"
    return one if first == last else f"{one} 至 {other}"


# ---- the job


async def reconcile(platform: Platform) -> Counts:
    """Checks the ledger of every institution, one after the other; what was found stays until a later check finds it right."""
    checked = found = 0
    for institution in await institutions.list_institutions(platform, JOB):
        ledger = await _read(platform, institution)
        if ledger.certificates or ledger.findings:
            await _compare(platform, ledger)
        ledger.findings += await recount.differences(platform, institution.id)
        await _settle(platform, JOB, institution, _distinct(ledger.findings))
        await store.note_check(
            platform,
            LedgerCheck(
                id=institution.id,
                institution_code=institution.id,
                province_code=institution.province_code,
                institution_name=institution.name,
                checked_at=platform.clock.now(),
                certificates=ledger.certificates,
                findings=len(_distinct(ledger.findings)),
            ),
        )
        checked, found = checked + ledger.certificates, found + len(_distinct(ledger.findings))
    return {"核查证书": checked, "不符": found}


async def _read(platform: Platform, institution: Institution) -> Ledger:
    place = (institution.province_code, institution.id)
    names = (rules.serial_sequence(*place), rules.number_prefix(*place))
    before = await sequences.taken(platform, names)
    ledger = Ledger(*place)
    async for row in store.rows_of_institution(platform, institution.id):
        ledger.add(row)
    ledger.close(before, await sequences.taken(platform, names))
    return ledger


async def _compare(platform: Platform, ledger: Ledger) -> None:
    """With what the trail says was issued, with the results, and with the sessions that were held."""
    for class_id, holders in ledger.holders.items():
        issued = await audit.total(platform, class_id, "certificates:issue", "issued")
        present = await store.count_of_class(
            platform, class_id
        )  # counted after: only more can have been issued since
        if present < issued or len(holders) > issued:
            detail = f"一期培训班按留痕核发 {issued} 张，台账中有 {max(present, len(holders))} 张。"
            ledger.findings.append(Finding(FindingKind.COUNT, class_id, detail))
        results = await assessment.released_results(platform, class_id)
        passed = {person for person, result in results.items() if result.passed}
        for person_id in sorted(holders - passed):
            detail = "持证人在该培训班没有合格的考核结果。"
            ledger.findings.append(Finding(FindingKind.NOT_PASSED, f"{class_id}:{person_id}", detail))
    for class_id, stated in ledger.days.items():
        held = await work.trained_days(platform, class_id)
        first, last = (one.isoformat() for one in held) if held else ("", "")
        wrong = sorted(one for one in stated if held and not one[0] <= first <= last <= one[1])
        if wrong:
            said = "、".join(" 至 ".join(one) for one in wrong)
            detail = f"证书写明的培训时间为 {said}，该培训班实际上课是 {first} 至 {last}。"
            ledger.findings.append(Finding(FindingKind.DAYS, class_id, detail))


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """One a kind and subject: what the unique index keeps."""
    return list({(one.kind, one.subject): one for one in findings}.values())


@transactional
async def _settle(unit: UnitOfWork, institution: Institution, findings: Sequence[Finding]) -> None:
    """Notes what is new and what has come right; the rest stays as it was found."""
    known = {(one.kind, one.subject): one for one in await store.open_findings_of(unit, institution.id)}
    new = [one for one in findings if (one.kind, one.subject) not in known]
    still = {(one.kind.value, one.subject) for one in findings}
    right = [one for key, one in known.items() if key not in still]
    if not new and not right:
        unit.nothing_written()
        return
    await store.insert_findings(unit, [finding_of(institution, one, unit.now) for one in new])
    await store.close_findings(unit, [one.id for one in right], unit.now)
    unit.audit("certificates:reconcile", institution.id, found=len(new), resolved=len(right))


def kind_title(kind: str) -> str:
    return FindingKind(kind).label


# ---- what is shown


async def findings(
    platform: Platform, actor: Actor, *, before: str | None = None, limit: int = 50
) -> list[LedgerFinding]:
    """What does not fit in the actor's jurisdiction and has not come right, newest first."""
    return await store.open_findings(platform, actor.jurisdiction, before=before, limit=limit)


async def checks(platform: Platform, actor: Actor) -> list[LedgerCheck]:
    """When each institution of the actor's jurisdiction was checked last, by its code: a row an institution."""
    return await store.checks(platform, actor.jurisdiction)


async def waiting(platform: Platform, actor: Actor) -> list[Waiting]:
    """For an institution: what the last check found in its ledger."""
    if actor.institution_code is None:
        return []
    count, at = await store.count_open_findings(platform, actor.jurisdiction)
    today = beijing_date(platform.clock.now())
    days = (await policies.on(platform, today)).review_days
    return counted("台账核查发现不符", PAGE, count, at and beijing_date(at), days, today)


async def open_of(scope: Scope, institution_code: str) -> int:
    """How much does not fit in the ledger of an institution, of which the caller has established that its reader may see it."""
    return len(await store.open_findings_of(scope, institution_code))


async def owed(scope: Scope, actor: Actor) -> list[Owed]:
    """For whoever oversees institutions: in which ledgers."""
    return [] if actor.institution_code else await store.owed_findings(scope, actor.jurisdiction)
