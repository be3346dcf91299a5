"""What may become of a certificate after it was issued (article 18 (1): 规范证书…补发…工作; (2): 谁发证、谁负责). Pure.

The guide names 补发 and leaves the rest open; what was decided is server/decisions/0043.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from server.certificates.rules import NUMBER_LAST, SERIAL_LAST
from server.kernel import reviews
from server.kernel.errors import Conflict
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.reviews import PROVINCE, By, NotInThisState, Procedure, Waits
from server.kernel.titled import Titled

HOLDER = frozenset({Role.TRAINEE})


class Kind(Titled):
    """What is asked about a certificate."""

    LOST = "LOST", "补发（遗失）"
    DAMAGED = "DAMAGED", "补发（损毁）"
    CORRECTED = "CORRECTED", "换发（信息更正）"
    REVOKED = "REVOKED", "撤销"

    @property
    def reissue(self) -> bool:
        return self in (Kind.LOST, Kind.DAMAGED)


class State(Titled):
    ASKED = "ASKED", "待发证机构办理"
    FILED = "FILED", "待省级审核"
    RETURNED = "RETURNED", "省级已退回"
    APPROVED = "APPROVED", "已同意"
    DECLINED = "DECLINED", "不予办理"
    WITHDRAWN = "WITHDRAWN", "已撤回"
    OVERTAKEN = "OVERTAKEN", "已终止（证书撤销或拟撤销）"
    HEARING = "HEARING", "听取陈述"
    REVOKED = "REVOKED", "已撤销证书"
    UNMADE = "UNMADE", "新证书没有制成，原证书有效"

    @property
    def open(self) -> bool:
        return self in (State.ASKED, State.FILED, State.RETURNED, State.HEARING)


class Action(Titled):
    ASK = "ASK", "申请"
    GRANT = "GRANT", "同意补发"
    FILE = "FILE", "报省级审核"
    APPROVE = "APPROVE", "同意换发"
    RETURN = "RETURN", "退回"
    DECLINE = "DECLINE", "不予办理"
    WITHDRAW = "WITHDRAW", "撤回"
    OVERTAKE = "OVERTAKE", "因撤销证书终止"
    FAIL = "FAIL", "新证书没有制成，号码作废"
    PROPOSE = "PROPOSE", "拟撤销，告知持证人"
    STATE = "STATE", "持证人陈述"
    DECIDE = "DECIDE", "决定撤销"


class RequestSettled(NotInThisState):
    slug = "certificate-request-settled"
    title = "现在不能这样办理"


_NOT_NOW = reviews.refused(
    RequestSettled, "这件申请目前“{state}”，不能{action}。请刷新页面，看看现在的情况。"
)
_OVERTAKEN = reviews.overtaken("certificate-request-overtaken", "申请已有变动", "这件申请")
BOTH = HOLDER | INSTITUTION_ROLES

REISSUE: Procedure[State, Action] = Procedure(
    {
        Action.ASK: By(BOTH),
        Action.GRANT: By(INSTITUTION_ROLES, {State.ASKED: State.APPROVED}),
        Action.DECLINE: By(INSTITUTION_ROLES, {State.ASKED: State.DECLINED}),
        Action.WITHDRAW: By(BOTH, {State.ASKED: State.WITHDRAWN}),
        Action.OVERTAKE: By(INSTITUTION_ROLES, {State.ASKED: State.OVERTAKEN}),
        Action.FAIL: By(INSTITUTION_ROLES, {State.APPROVED: State.UNMADE}),
    },
    reviews.not_yours(
        "reissue-not-yours", "证书补发由持证人或发证机构申请，由发证机构办理（指南第十八条）。"
    ),
    _NOT_NOW,
    _OVERTAKEN,
    waits=(Waits(INSTITUTION_ROLES, State.ASKED, "待办理的证书补发、换发申请"),),
)
"""谁发证、谁负责: the issuer decides on a copy of its own certificate."""

REPLACEMENT: Procedure[State, Action] = Procedure(
    {
        Action.ASK: By(BOTH),
        Action.FILE: By(INSTITUTION_ROLES, {State.ASKED: State.FILED, State.RETURNED: State.FILED}),
        Action.APPROVE: By(PROVINCE, {State.FILED: State.APPROVED}),
        Action.RETURN: By(PROVINCE, {State.FILED: State.RETURNED}),
        Action.DECLINE: By(INSTITUTION_ROLES, {State.ASKED: State.DECLINED, State.RETURNED: State.DECLINED}),
        Action.WITHDRAW: By(
            BOTH,
            dict.fromkeys((State.ASKED, State.FILED, State.RETURNED), State.WITHDRAWN),
        ),
        Action.OVERTAKE: By(
            INSTITUTION_ROLES,
            dict.fromkeys((State.ASKED, State.FILED, State.RETURNED), State.OVERTAKEN),
        ),
        Action.FAIL: By(INSTITUTION_ROLES, {State.APPROVED: State.UNMADE}),
    },
    reviews.not_yours(
        "replacement-not-yours",
        "证书换发由持证人或发证机构申请，由省级管理部门审核（指南第十八、二十五条）。",
    ),
    _NOT_NOW,
    _OVERTAKEN,
    waits=(
        Waits(PROVINCE, State.FILED, "待审核的证书换发申请"),
        Waits(INSTITUTION_ROLES, State.RETURNED, "被退回的证书换发申请"),
    ),
)
"""What a certificate states is published: other words need the province's approval (article 25 (2) and (4))."""

REVOCATION: Procedure[State, Action] = Procedure(
    {
        Action.PROPOSE: By(INSTITUTION_ROLES),
        Action.STATE: By(HOLDER, {State.HEARING: State.HEARING}),
        Action.WITHDRAW: By(INSTITUTION_ROLES, {State.HEARING: State.WITHDRAWN}),
        Action.DECIDE: By(INSTITUTION_ROLES, {State.HEARING: State.REVOKED}),
    },
    reviews.not_yours("revocation-not-yours", "证书由发证机构撤销，由持证人陈述（指南第十八条）。"),
    _NOT_NOW,
    _OVERTAKEN,
)


BEGINS = {Action.ASK: State.ASKED, Action.FILE: State.FILED, Action.PROPOSE: State.HEARING}
"""What a matter is in once it was made by this."""


def steps_of(kind: Kind) -> Procedure[State, Action]:
    if kind is Kind.REVOKED:
        return REVOCATION
    return REISSUE if kind.reissue else REPLACEMENT


def may_step(kind: Kind, state: State, action: Action, roles: Collection[Role]) -> Procedure[State, Action]:
    """The procedure, once it is sure that it has this step here and that it is theirs. Raises what it says of the others; an action of
    another kind is one that cannot be taken now."""
    steps = steps_of(kind)
    if action not in steps.steps:
        raise steps.not_now(state, action)
    steps.after(state, action, roles)
    return steps


# ---- when something may begin


class CertificateNotValid(Conflict):
    slug = "certificate-not-valid"
    title = "证书不是有效状态"


class MatterOpen(Conflict):
    slug = "certificate-request-open"
    title = "这张证书已有在办的事项"


class BeingSigned(Conflict):
    slug = "certificate-being-signed"
    title = "新证书正在签发"
    default_detail = (
        "代替这张证书的新证书正在签发，通常几分钟内完成。请稍后刷新，再对新证书办理；"
        "没有制成的，由发证机构在培训班的证书页上处理。"
    )


class HearingFirst(Conflict):
    slug = "revocation-unheard"
    title = "须先听取持证人陈述"
    default_detail = (
        "只有核发当天发现的差错可以立即撤销；补发、换发和重新核发的，从第一张证书核发之日算起。"
        "请改用“拟撤销”：持证人收到通知后陈述，期满或陈述以后再决定。"
    )


class NothingToReplace(Conflict):
    slug = "nothing-to-replace"
    title = "证书内容没有变化"
    default_detail = (
        "证书上的姓名、身份证号与现在登记的一样，课程和专业大类也没有改动，不需要换发。"
        "姓名、身份证号有误的，请先在名册中申请信息更正，核准后再换发；证书遗失、损毁的，请申请补发。"
    )


class ChangedMeanwhile(Conflict):
    slug = "replacement-outdated"
    title = "登记的内容又有变化"
    default_detail = "申请报送以后，持证人登记的姓名或身份证号又有变化。请退回，由发证机构核对后重新报送。"


class NotWithdrawnByYou(Conflict):
    slug = "not-your-request"
    title = "这件申请不是您提出的"
    default_detail = "这件申请是持证人提出的，只能由本人撤回；不能办理的，请选择“不予办理”并写明理由。"


class NumbersUsedUp(Conflict):
    slug = "certificate-orders-used-up"
    title = "证书顺序号已用完"


class NotRevoked(Conflict):
    slug = "certificate-not-revoked"
    title = "证书没有撤销"
    default_detail = "只有已撤销、并且还没有重新核发的证书可以重新核发。"


class HoldsOne(Conflict):
    slug = "certificate-held"
    title = "持证人现有证书"
    default_detail = (
        "持证人在本班现有有效的、或正在制作的证书，不能重新核发。请从那一张办理；遗失、损毁的申请补发。"
    )


class MayNotHaveOne(Conflict):
    slug = "certificate-not-due"
    title = "现在不符合核发条件"


def require_valid(*, valid: bool, called: str) -> None:
    """Only a valid certificate is lost, wrong or taken away; `called` is the state of this one. Raises CertificateNotValid."""
    if not valid:
        raise CertificateNotValid(f"这张证书“{called}”，只有有效的证书才能办理补发、换发或撤销。")


def require_no_other(open_kind: Kind | None) -> None:
    """One matter a certificate at a time. Raises MatterOpen, which says what to do about the one that is open."""
    if open_kind is Kind.REVOKED:
        raise MatterOpen("这张证书拟撤销，正在听取持证人陈述。请等作出决定以后再办理。")
    if open_kind is not None:
        raise MatterOpen(f"这张证书已有一件在办的“{open_kind.label}”。请等办结，或先撤回原来的申请。")


def require_own(*, asked_by_holder: bool, by_holder: bool) -> None:
    """Whoever asked takes it back. Raises NotWithdrawnByYou."""
    if asked_by_holder and not by_holder:
        raise NotWithdrawnByYou()
    if by_holder and not asked_by_holder:
        raise NotWithdrawnByYou("这件申请是发证机构提出的，如有异议请联系发证机构。")


def may_revoke_at_once(first_issued_on: date, today: date) -> bool:
    """An obvious error that is found on the day of issue: the paper has gone nowhere yet. Everything else is heard (0043), also where
    another paper has taken its place today: what somebody was given before is not taken away by way of a copy."""
    return first_issued_on == today


def require_at_once(first_issued_on: date, today: date) -> None:
    """Raises HearingFirst."""
    if not may_revoke_at_once(first_issued_on, today):
        raise HearingFirst()


class StatementOver(Conflict):
    slug = "revocation-statement-over"
    title = "陈述期限已过"


def require_none_held(*, held: bool) -> None:
    """After a revocation there is one anew for who has none. Raises HoldsOne."""
    if held:
        raise HoldsOne()


def require_in_time(until: date, today: date) -> None:
    """Raises StatementOver after the last day."""
    if today > until:
        raise StatementOver(f"陈述期限到 {until} 为止，已经届满。如有异议，请联系发证机构。")


# ---- orders that run out


def left(serials_taken: int, numbers_taken: int) -> tuple[int, int]:
    """How many serials of the institution and how many numbers of the month and level may still be given (article 17)."""
    return max(0, SERIAL_LAST - serials_taken), max(0, NUMBER_LAST - numbers_taken)


def require_left(serials: int, numbers: int, *, keeps_number: bool) -> None:
    """Said before anything is asked for or decided. Raises NumbersUsedUp."""
    if not serials:
        raise NumbersUsedUp(
            f"发证机构的证书序列号共 {SERIAL_LAST} 个，已经用完（指南第十七条），不能再签发新证书。请联系部指导中心。"
        )
    if not numbers and not keeps_number:
        raise NumbersUsedUp(
            f"该培训年月、级别的证书编号共 {NUMBER_LAST} 个，已经用完（指南第十七条），不能再签发新编号。请联系部指导中心。"
        )


# ---- what a 换发 prints

PRINTED_TITLES = {"name": "姓名", "id_number": "身份证号", "major": "专业大类", "courses": "课程内容"}


def differing(printed: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """The fields in which the new paper says something else, in the order of the paper. Raises NothingToReplace where there is none."""
    found = [field for field in PRINTED_TITLES if field in wanted and printed[field] != wanted[field]]
    if not found:
        raise NothingToReplace()
    return found


def require_unchanged(filed: Mapping[str, str], now: Mapping[str, str]) -> None:
    """What the province read is what is printed. Raises ChangedMeanwhile."""
    if any(now[field] != value for field, value in filed.items()):
        raise ChangedMeanwhile()


def require_due(hindrance: str, obstacles: Sequence[str]) -> None:
    """A certificate anew, after a revocation, is issued as any other (articles 4.6 and 16). Raises MayNotHaveOne."""
    if hindrance or obstacles:
        raise MayNotHaveOne(hindrance or f"持证人{'、'.join(obstacles)}，不能重新核发。")
