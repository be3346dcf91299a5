"""What the guide leaves open: versioned, effective-dated settings of the national centre (部指导中心).

Each policy is a field of `Policies`; its default is the seed and its metadata says where it comes from. A value that is
not in the guide shows as 待核 (to be confirmed) until the centre sets one. A version is never changed: a newer one supersedes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from server.kernel.clock import beijing_date
from server.kernel.errors import FieldError, Invalid, NotFound
from server.kernel.mongo import CollectionSpec, Document, Index
from server.kernel.reasons import Reason
from server.kernel.seen import require as require_seen
from server.kernel.titled import Titled
from server.kernel.unit_of_work import Scope, UnitOfWork, transactional

COLLECTIONS = (
    CollectionSpec("policies", shard_key=None, indexes=(Index([("key", 1), ("version", 1)], unique=True),)),
)


class Group(Titled):
    """Under which heading of the centre's page a policy stands."""

    HOURS = "hours", "课时和开班"
    CHECK_IN = "check-in", "签到"
    ASSESSMENT = "assessment", "考核和学习成果"
    SATISFACTION = "satisfaction", "满意度"
    CERTIFICATES = "certificates", "证书"
    TEACHERS = "teachers", "基地和骨干教师"
    DUE = "due", "期限和提醒"
    ACCOUNTS = "accounts", "账号与安全"
    MESSAGES = "messages", "消息"
    QUERIES = "queries", "公开查询"
    KEEPING = "keeping", "资料保存"


class Policies(BaseModel):
    """The policies in force on one day. Titles and units are what the centre's page shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    class_hours_backbone: Annotated[
        int, Group.HOURS, Field(ge=1, le=2000, title="骨干教师培训课时下限（课时）")
    ] = 80
    class_hours_one: Annotated[
        int, Group.HOURS, Field(ge=1, le=2000, title="一级教师培训课时下限（课时）")
    ] = 80
    class_hours_two: Annotated[
        int, Group.HOURS, Field(ge=1, le=2000, title="二级教师培训课时下限（课时）")
    ] = 80
    class_hours_three: Annotated[
        int, Group.HOURS, Field(ge=1, le=2000, title="三级教师培训课时下限（课时）")
    ] = 80
    class_hour_minutes: Annotated[int, Group.HOURS, Field(ge=20, le=60, title="一课时的最短时长（分钟）")] = (
        45
    )
    """What a session's class hours must fit into its length by; the guide counts 课时 and does not say how long one is."""
    base_validity_years: Annotated[
        int, Group.TEACHERS, Field(ge=1, le=20, title="教师培训基地资格有效期（年）")
    ] = 3
    """As in the 2013 list of bases (人社厅函〔2013〕247号)."""
    formative_weight: Annotated[int, Group.ASSESSMENT, Field(ge=0, le=100, title="过程性考核权重（%）")] = 40
    """Percent; the summative assessment has the rest."""
    pass_mark: Annotated[int, Group.ASSESSMENT, Field(ge=1, le=100, title="合格分数线（满分 100）")] = 60
    venue_stars_most: Annotated[
        int, Group.HOURS, Field(ge=0, le=5, title="培训场地不必核实的最高星级（星）")
    ] = 3
    """A declared rating above it is looked at by the province (article 11, 高档宾馆)."""
    attendance_needed: Annotated[
        int, Group.CHECK_IN, Field(ge=0, le=100, title="参加考核所需出勤率（%）")
    ] = 90
    satisfaction_bad_years: Annotated[
        int, Group.TEACHERS, Field(ge=1, le=5, title="满意度连续未达标几年提出取消骨干教师资格（年）")
    ] = 2
    """Article 9.1 leaves it open; fewer years in a row only warn."""
    statement_days: Annotated[int, Group.DUE, Field(ge=1, le=90, title="动态管理事项的陈述期限（天）")] = 15
    application_lead_days: Annotated[
        int, Group.DUE, Field(ge=0, le=60, title="开班申请最迟提前几天提出（天）")
    ] = 3
    """Before the first day of the class: invitations, scheme and admission come after the approval."""
    review_days: Annotated[int, Group.DUE, Field(ge=1, le=60, title="审核的办理期限（天）")] = 5
    """Of the province and the centre, for whatever is submitted to them; the guide names no days."""
    revision_days: Annotated[int, Group.DUE, Field(ge=1, le=60, title="被退回事项的修改期限（天）")] = 5
    certificate_days: Annotated[
        int, Group.DUE, Field(ge=1, le=180, title="公布成绩后核发证书的期限（天）")
    ] = 15
    forgery_days: Annotated[
        int, Group.DUE, Field(ge=1, le=90, title="证书伪造举报：核实、作出结论各自的期限（天）")
    ] = 10
    overdue_days: Annotated[
        int, Group.DUE, Field(ge=1, le=60, title="超过办理期限几天后列入上级的逾期清单（天）")
    ] = 5
    urge_after_days: Annotated[int, Group.DUE, Field(ge=0, le=30, title="事项等待几天后可以催办（天）")] = 1
    seal_key_names_institution: Annotated[
        bool, Group.CERTIFICATES, Field(title="机构自有签名证书的主体须写明机构名称")
    ] = True
    """Its present name or a former one: a key of another institution would sign in its place."""
    seal_key_warning_days: Annotated[
        int, Group.DUE, Field(ge=7, le=365, title="签名密钥到期前几天提醒培训机构（天）")
    ] = 60
    """An authority takes weeks to issue the next one."""
    survey_required: Annotated[bool, Group.CERTIFICATES, Field(title="领取证书前须完成满意度评价")] = True
    reissue_keeps_number: Annotated[bool, Group.CERTIFICATES, Field(title="补发证书沿用原证书编号")] = True
    """The guide names 补发 (article 18) and not its number; the serial is another in any case, for it counts sheets."""
    revocation_statement_days: Annotated[
        int, Group.DUE, Field(ge=1, le=60, title="撤销证书前持证人的陈述期限（天）")
    ] = 7
    """Who answers sooner, is heard sooner."""
    survey_days: Annotated[
        int, Group.SATISFACTION, Field(ge=1, le=30, title="满意度评价最短开放天数（天）")
    ] = 3
    """Not closed earlier, unless everybody has answered."""
    release_days: Annotated[
        int, Group.ASSESSMENT, Field(ge=0, le=180, title="结业后等待公布成绩、仍视为在开展培训的天数（天）")
    ] = 30
    """Two years without training or tasks do not run on while a class awaits its release (articles 5.3 and 9.1)."""
    suspension_days_most: Annotated[
        int, Group.HOURS, Field(ge=1, le=365, title="培训班一次暂停的最长天数（天）")
    ] = 180
    """What takes longer is terminated, and its people finish elsewhere."""
    check_in_opens_before: Annotated[
        int, Group.CHECK_IN, Field(ge=5, le=240, title="签到最早在上课前多久开始（分钟）")
    ] = 60
    """So that no phone checks in to the afternoon in the morning."""
    make_up_hours_a_day: Annotated[
        int, Group.HOURS, Field(ge=1, le=24, title="补课当天一人最多的课时（含当天上的课）")
    ] = 12
    """Of who makes hours up, and of who teaches them: only the day is recorded, and more does not fit into one."""
    smallest_group: Annotated[
        int, Group.SATISFACTION, Field(ge=1, le=100, title="满意度结果公布的最少份数")
    ] = 5
    invitation_days: Annotated[int, Group.DUE, Field(ge=1, le=60, title="邀请函回复期限（天）")] = 7
    code_step_seconds: Annotated[int, Group.CHECK_IN, Field(ge=2, le=60, title="签到码更换间隔（秒）")] = 5
    code_grace_seconds: Annotated[int, Group.CHECK_IN, Field(ge=0, le=30, title="签到码过期宽限（秒）")] = 2
    upload_mebibytes: Annotated[
        int, Group.ASSESSMENT, Field(ge=1, le=500, title="单个学习成果文件上限（MiB）")
    ] = 50
    upload_files: Annotated[int, Group.ASSESSMENT, Field(ge=1, le=50, title="每次提交的文件数上限")] = 10
    upload_versions: Annotated[
        int, Group.ASSESSMENT, Field(ge=1, le=1000, title="每项任务每人最多提交的版本数（次）")
    ] = 30
    upload_person_mebibytes: Annotated[
        int, Group.ASSESSMENT, Field(ge=50, le=100_000, title="每人每班学习成果文件总量上限（MiB）")
    ] = 2000
    upload_class_gibibytes: Annotated[
        int, Group.ASSESSMENT, Field(ge=1, le=10_000, title="每班学习成果文件总量上限（GiB）")
    ] = 100
    """What is full stops everybody's work: one person must not fill a class, nor one class the disk."""
    quiet_from_hour: Annotated[int, Group.MESSAGES, Field(ge=0, le=23, title="微信消息免打扰开始（时）")] = 22
    """From this hour in Beijing messages wait; the inbox has them at once."""
    quiet_until_hour: Annotated[int, Group.MESSAGES, Field(ge=0, le=23, title="微信消息免打扰结束（时）")] = 7
    """The same hour as the beginning: no quiet hours."""
    selection_years_least: Annotated[
        int, Group.TEACHERS, Field(ge=0, le=40, title="骨干教师选拔推荐的最低教龄（年）")
    ] = 5
    """符合条件 (article 7) is not spelt out in the guide; so for the two below."""
    selection_age_most: Annotated[
        int, Group.TEACHERS, Field(ge=30, le=70, title="骨干教师选拔推荐的年龄上限（周岁）")
    ] = 55
    selection_certificate: Annotated[
        int,
        Group.TEACHERS,
        Field(ge=0, le=3, title="骨干教师选拔推荐须持有的培训证书级别（0 不要求，3、2、1 为该级及以上）"),
    ] = 0
    second_factor_required: Annotated[
        bool, Group.ACCOUNTS, Field(title="部指导中心、省级管理部门登录须两步验证")
    ] = True
    first_password_days: Annotated[int, Group.ACCOUNTS, Field(ge=1, le=90, title="初始密码有效期（天）")] = 14
    """Until it is changed it lies in a mail or on a paper."""
    survey_reminder_days: Annotated[
        int, Group.DUE, Field(ge=1, le=30, title="满意度评价截止前几天提醒未填写的人（天）")
    ] = 2
    grading_days: Annotated[
        int, Group.DUE, Field(ge=1, le=90, title="学习成果截止后多少天未批阅提醒骨干教师（天）")
    ] = 7
    applicant_months: Annotated[
        int, Group.KEEPING, Field(ge=1, le=60, title="未录取报名的个人信息保存期限（月）")
    ] = 6
    """个人信息保护法 article 47: when the purpose is gone, the data goes; 档案 rules may ask for longer."""
    roster_months: Annotated[
        int, Group.KEEPING, Field(ge=1, le=120, title="导入后的名册原表保存期限（月）")
    ] = 12
    forgery_months: Annotated[
        int, Group.KEEPING, Field(ge=1, le=120, title="证书举报办结后，图片和联系方式的保存期限（月）")
    ] = 24
    message_months: Annotated[int, Group.KEEPING, Field(ge=1, le=120, title="站内消息保存期限（月）")] = 24
    person_months: Annotated[
        int, Group.KEEPING, Field(ge=1, le=120, title="从未参加培训的个人信息保存期限（月）")
    ] = 12
    export_days: Annotated[
        int, Group.KEEPING, Field(ge=1, le=90, title="后台准备的导出文件保存期限（天）")
    ] = 7
    """A whole list is personal data of many: who needs it again has it prepared again."""
    unconfirmed_may_check_in: Annotated[bool, Group.CHECK_IN, Field(title="身份待确认的手机可以签到")] = True
    """Such a check-in carries a flag. With no, staff mark the attendance by the card until the phone is confirmed."""
    personal_code_days: Annotated[int, Group.ACCOUNTS, Field(ge=1, le=90, title="个人码有效期（天）")] = 30
    personal_code_tries: Annotated[int, Group.ACCOUNTS, Field(ge=3, le=20, title="个人码可以试填的次数")] = 10
    new_phone_rest_hours: Annotated[
        int, Group.ACCOUNTS, Field(ge=0, le=168, title="更换微信后多久才能评分、签署、接受邀请（小时）")
    ] = 24
    """Machine time: whoever takes a phone over has to be found out within it."""
    roster_rows: Annotated[int, Group.HOURS, Field(ge=1, le=5000, title="名册一次导入的人数上限")] = 500
    public_misses_of_address: Annotated[
        int,
        Group.QUERIES,
        Field(ge=5, le=1000, title="公开查询：一个网络地址每小时查不到多少次后须等待（次）"),
    ] = 20
    public_misses_doubling: Annotated[
        int,
        Group.QUERIES,
        Field(ge=1, le=20, title="公开查询：同一姓名或号码每查不到几次，验证的计算量加倍（次）"),
    ] = 2
    """It never locks: whoever has the right words gets in, only later."""
    public_doublings_most: Annotated[
        int, Group.QUERIES, Field(ge=0, le=12, title="公开查询：验证的计算量最多加倍几次（次）")
    ] = 8
    public_miss_hours: Annotated[
        int,
        Group.QUERIES,
        Field(ge=1, le=720, title="公开查询：查不到的次数保留多久，从最后一次算起（小时）"),
    ] = 24
    batch_query_rows: Annotated[
        int, Group.QUERIES, Field(ge=1, le=100_000, title="证书批量查询：一个单位每天最多几行（行）")
    ] = 2_000
    batch_query_misses: Annotated[
        int, Group.QUERIES, Field(ge=1, le=10_000, title="证书批量查询：一个单位每天查不到多少行后停止（行）")
    ] = 100
    """Whoever knows the last four digits of a number has some three hundred left to try."""
    public_wait_seconds: Annotated[
        int,
        Group.QUERIES,
        Field(ge=1, le=60, title="公开查询：不运行脚本的浏览器起始等待时间，随计算量加倍（秒）"),
    ] = 5


@dataclass(frozen=True)
class Bounds:
    """What values a policy may take: yes or no, or whole numbers from `lowest` to `highest`."""

    lowest: int | None = None
    highest: int | None = None

    @property
    def words(self) -> str:
        return "是或否" if self.lowest is None else f" {self.lowest} 至 {self.highest} 的整数"


def bounds(key: str) -> Bounds:
    limits = {
        name: getattr(limit, name)
        for limit in Policies.model_fields[key].metadata
        for name in ("ge", "le")
        if hasattr(limit, name)
    }
    return Bounds(limits.get("ge"), limits.get("le"))


def group_of(key: str) -> Group:
    """Raises StopIteration for a policy that declares none."""
    return next(one for one in Policies.model_fields[key].metadata if isinstance(one, Group))


class PolicyVersion(Document):
    key: str
    version: int
    value: JsonValue
    effective_from: date
    reason: str
    set_by: str
    set_at: datetime


class PolicyChange(BaseModel):
    key: str
    value: Annotated[JsonValue, Field(title="数值")]
    effective_from: Annotated[date, Field(title="生效日期")]
    reason: Reason


async def on(scope: Scope, day: date) -> Policies:
    """The policies in force on `day`."""
    rows = scope["policies"].find({"effective_from": {"$lte": day.isoformat()}}, session=scope.session)
    values: dict[str, Any] = {}
    async for row in rows.sort([("effective_from", 1), ("version", 1)]):
        values[row["key"]] = row["value"]
    return Policies.model_validate(values)


async def versions(scope: Scope) -> list[PolicyVersion]:
    """Every version ever set, newest first."""
    rows = scope["policies"].find({}, session=scope.session).sort([("set_at", -1), ("_id", -1)])
    return [PolicyVersion.from_mongo(row) async for row in rows]


@dataclass(frozen=True)
class PolicyState:
    """One policy as the centre's page shows it."""

    key: str
    title: str
    group: Group
    value: JsonValue
    """In force on the day that was asked for."""
    seed: JsonValue
    bounds: Bounds
    versions: list[PolicyVersion]
    """All that were ever set, newest first, also those that take effect later."""

    day: date

    @property
    def in_force(self) -> PolicyVersion | None:
        """The version that the value comes from; None while the seed holds."""
        set_before = [one for one in self.versions if one.effective_from <= self.day]
        return max(set_before, key=lambda one: (one.effective_from, one.version), default=None)

    @property
    def coming(self) -> list[PolicyVersion]:
        """What takes effect later, the next first."""
        later = [one for one in self.versions if one.effective_from > self.day]
        return sorted(later, key=lambda one: (one.effective_from, one.version))

    @property
    def to_confirm(self) -> bool:
        """待核: the guide leaves it open and the centre has never set it."""
        return not self.versions


async def overview(scope: Scope, day: date) -> list[PolicyState]:
    """Every policy with its value on `day` and its history."""
    in_force = await on(scope, day)
    ever_set = await versions(scope)
    return [
        PolicyState(
            key=key,
            title=field.title or key,
            group=group_of(key),
            value=getattr(in_force, key),
            seed=field.default,
            bounds=bounds(key),
            versions=[version for version in ever_set if version.key == key],
            day=day,
        )
        for key, field in Policies.model_fields.items()
    ]


async def by_group(scope: Scope, day: date, words: str = "") -> list[tuple[Group, list[PolicyState]]]:
    """Every policy under its heading, in the order of the headings; with `words` those that have them in title or heading."""
    found = [one for one in await overview(scope, day) if words in one.title or words in one.group.label]
    grouped = [(group, [one for one in found if one.group is group]) for group in Group]
    return [(group, held) for group, held in grouped if held]


async def state_of(scope: Scope, key: str, day: date) -> PolicyState:
    """One of them. Raises NotFound."""
    for policy in await overview(scope, day):
        if policy.key == key:
            return policy
    raise NotFound("没有这项政策。")


@transactional
async def change(unit: UnitOfWork, wanted: PolicyChange, seen: str = "") -> PolicyVersion:
    """Sets a policy from today or a later day on: what was decided under the old value stays as it was decided.

    Raises Invalid for an unknown key, a value outside its bounds or a day that has passed.
    """
    if wanted.key not in Policies.model_fields:
        raise Invalid(fields=[FieldError("key", "没有这项政策。")])
    if wanted.effective_from < beijing_date(unit.now):
        raise Invalid(fields=[FieldError("effective_from", "生效日期不能早于今天，已经办结的事项不受影响。")])
    try:
        checked = Policies.model_validate({wanted.key: wanted.value})
    except ValidationError as error:
        raise Invalid(fields=[FieldError("value", f"应为{bounds(wanted.key).words}。")]) from error
    last = await unit["policies"].find_one({"key": wanted.key}, sort=[("version", -1)], session=unit.session)
    newest = PolicyVersion.from_mongo(last) if last else None
    await require_seen(unit, newest, seen, wanted, subject=wanted.key, what="这项政策")
    version = PolicyVersion(
        key=wanted.key,
        version=1 if last is None else last["version"] + 1,
        value=getattr(checked, wanted.key),
        effective_from=wanted.effective_from,
        reason=wanted.reason,
        set_by=unit.actor.name,
        set_at=unit.now,
    )
    await unit["policies"].insert_one(version.to_mongo(), session=unit.session)
    unit.audit(
        "policies:change",
        wanted.key,
        before=None if last is None else last["value"],
        after=version.value,
        effective_from=wanted.effective_from.isoformat(),
        reason=wanted.reason,
    )
    return version
