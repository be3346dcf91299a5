"""The steps, in their order, and nothing else. A step is never changed or taken out once a database may have had it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from server.kernel.platform import Platform
from server.upgrades import (
    s0001_pool_is_searched,
    s0002_schemes_are_narrowed,
    s0003_corrections_are_narrowed,
    s0004_rosters_are_forgotten,
    s0005_names_are_folded,
    s0006_releases_are_marked,
    s0007_check_ins_end_with_their_session,
    s0008_pool_says_its_proof,
    s0009_teaching_and_assessing_are_two,
    s0010_tasks_know_the_work_in_them,
    s0011_candidates_say_whence,
    s0012_voided_hours_count_elsewhere,
    s0013_surveys_may_have_a_supplement,
    s0014_trail_is_sealed_with_a_key,
    s0015_open_surveys_are_sealed,
    s0016_quotas_know_what_was_handed_in,
    s0017_tries_are_counted_apart,
    s0018_phones_say_their_proof,
    s0019_classes_keep_their_planned_end,
    s0020_lists_find_by_index,
    s0021_reviews_have_days,
    s0023_plans_know_what_is_to_be_applied_for,
    s0024_institutions_know_their_former_names,
    s0025_certificates_are_current,
    s0026_indexes_are_those_of_today,
    s0030_ledger_knows_earlier_certificates,
)


@dataclass(frozen=True)
class Step:
    """One line of the table.

    `run` yields after each batch how many documents it has changed. It may be cut off anywhere and begun again; it reads and writes
    rows as they are stored, never through a document's model, for models go on changing and a step does not.
    """

    name: str
    """By which a database knows the step: that of its module."""
    title: str
    """In Chinese, for the line of progress."""
    run: Callable[[Platform], AsyncIterator[int]]


STEPS: tuple[Step, ...] = (
    Step("s0001_pool_is_searched", "补全骨干教师库的状态和检索内容", s0001_pool_is_searched.run),
    Step("s0002_schemes_are_narrowed", "补全培训方案的等级和开班日期", s0002_schemes_are_narrowed.run),
    Step(
        "s0003_corrections_are_narrowed", "补全更正申请的机构名称和等级", s0003_corrections_are_narrowed.run
    ),
    Step("s0004_rosters_are_forgotten", "让已导入的名册原表能按期清除", s0004_rosters_are_forgotten.run),
    Step("s0005_names_are_folded", "让姓名不论写法都能查到", s0005_names_are_folded.run),
    Step("s0006_releases_are_marked", "标明按旧规则公布的成绩", s0006_releases_are_marked.run),
    Step(
        "s0007_check_ins_end_with_their_session",
        "让签到最晚到下课时结束",
        s0007_check_ins_end_with_their_session.run,
    ),
    Step("s0008_pool_says_its_proof", "标明骨干教师的登记依据", s0008_pool_says_its_proof.run),
    Step(
        "s0009_teaching_and_assessing_are_two",
        "分开各班教师的授课和考核",
        s0009_teaching_and_assessing_are_two.run,
    ),
    Step(
        "s0010_tasks_know_the_work_in_them",
        "按课次和评分标明骨干教师和基地开展的工作",
        s0010_tasks_know_the_work_in_them.run,
    ),
    Step("s0011_candidates_say_whence", "注明由选拔编入的学员", s0011_candidates_say_whence.run),
    Step(
        "s0012_voided_hours_count_elsewhere",
        "让撤销的转班课时可以另行计入",
        s0012_voided_hours_count_elsewhere.run,
    ),
    Step(
        "s0013_surveys_may_have_a_supplement",
        "让满意度评价可以补充",
        s0013_surveys_may_have_a_supplement.run,
    ),
    Step("s0014_trail_is_sealed_with_a_key", "用密钥重新封存操作留痕", s0014_trail_is_sealed_with_a_key.run),
    Step("s0015_open_surveys_are_sealed", "让还没截止的评价今后密封收卷", s0015_open_surveys_are_sealed.run),
    Step(
        "s0016_quotas_know_what_was_handed_in",
        "统计各班已提交的学习成果文件",
        s0016_quotas_know_what_was_handed_in.run,
    ),
    Step(
        "s0017_tries_are_counted_apart", "分开统计密码和验证码的输错次数", s0017_tries_are_counted_apart.run
    ),
    Step("s0018_phones_say_their_proof", "标明各微信绑定的身份证明", s0018_phones_say_their_proof.run),
    Step(
        "s0019_classes_keep_their_planned_end",
        "补记暂停、延期以前的结束日期",
        s0019_classes_keep_their_planned_end.run,
    ),
    Step("s0020_lists_find_by_index", "让各列表按索引查找", s0020_lists_find_by_index.run),
    Step("s0021_reviews_have_days", "把开班申请的超期天数作为审核的办理期限", s0021_reviews_have_days.run),
    Step(
        "s0023_plans_know_what_is_to_be_applied_for",
        "列出各年度计划中还没有申请开班的项目",
        s0023_plans_know_what_is_to_be_applied_for.run,
    ),
    Step(
        "s0024_institutions_know_their_former_names",
        "补记各培训机构的曾用名",
        s0024_institutions_know_their_former_names.run,
    ),
    Step(
        "s0025_certificates_are_current",
        "标明哪些证书是现行的",
        s0025_certificates_are_current.run,
    ),
    Step("s0026_indexes_are_those_of_today", "去掉不再使用的索引", s0026_indexes_are_those_of_today.run),
    Step(
        "s0030_ledger_knows_earlier_certificates",
        "把此前核发、撤销的证书补录进台账",
        s0030_ledger_knows_earlier_certificates.run,
    ),
)
