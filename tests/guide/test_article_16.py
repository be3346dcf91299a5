"""第十六条: what a certificate is called, and who issues which."""

from datetime import date

import pytest

from server.certificates.render import TITLE
from server.certificates.rules import asked, obstacles
from server.institutions.annex1 import INSTITUTIONS
from server.institutions.rules import (
    Level,
    NotQualified,
    Qualification,
    QualificationKind,
    kind_for,
    levels_of,
    qualified,
    require_qualified,
)

ON = date(2024, 6, 3)


def holding(kind: QualificationKind, *majors: str) -> list[Qualification]:
    return [Qualification(kind=kind, majors=majors, valid_from=date(2022, 1, 1))]


def test_all_certificates_go_by_one_name() -> None:
    """第十六条: 统称为《工学一体化教师培训合格证书》。"""
    assert TITLE == "工学一体化教师培训合格证书"


@pytest.mark.parametrize(
    ("level", "issuer"),
    [
        # 由师资研修中心核发骨干教师培训合格证书; 由师资研修中心核发一级教师培训合格证书
        (Level.BACKBONE, QualificationKind.TRAINING_CENTRE),
        (Level.ONE, QualificationKind.TRAINING_CENTRE),
        # 由教师培训基地核发二级教师培训合格证书; 由教师培训基地核发三级教师培训合格证书
        (Level.TWO, QualificationKind.TRAINING_BASE),
        (Level.THREE, QualificationKind.TRAINING_BASE),
    ],
)
def test_each_level_is_issued_by_its_kind_of_institution_only(
    level: Level, issuer: QualificationKind
) -> None:
    """第十六条: 由师资研修中心核发骨干、一级; 由教师培训基地核发二级、三级。"""
    other = next(kind for kind in QualificationKind if kind is not issuer)
    assert kind_for(level) is issuer
    assert level in levels_of(issuer)
    assert qualified(holding(issuer, "03"), level, "03", ON)
    with pytest.raises(NotQualified, match="第十六条"):
        require_qualified(holding(other, "03"), level, "03", ON)


def test_an_institution_serves_only_the_categories_it_is_approved_for() -> None:
    """第四条: 获批专业大类的一级教师培训; 获批专业大类的二、三级教师培训。"""
    base = holding(QualificationKind.TRAINING_BASE, "01", "03")
    assert qualified(base, Level.TWO, "01", ON)
    with pytest.raises(NotQualified, match="未获批“服务类”专业大类"):
        require_qualified(base, Level.TWO, "05", ON)


def test_a_school_may_hold_both_qualifications() -> None:
    """第三条、附件1: the star says 研修中心; nothing says that such a school can't be a 基地 too."""
    both = holding(QualificationKind.TRAINING_CENTRE, "03") + holding(QualificationKind.TRAINING_BASE, "03")
    assert all(qualified(both, level, "03", ON) for level in Level)


def test_the_four_schools_with_a_star_are_training_centres() -> None:
    """附件1备注: 加星号的院校为全国技工院校师资研修中心。"""
    starred = {institution.code for institution in INSTITUTIONS if institution.star}
    assert starred == {"002", "005", "017", "033"}


@pytest.mark.parametrize("passed", [None, False])
def test_nobody_gets_a_certificate_without_passing(passed: bool | None) -> None:
    """第十六条: 对参加……培训并考核合格的教师，核发……培训合格证书。"""
    assert obstacles(asked(passed=passed, attended_enough=True, survey_done=True, survey_required=False))
    assert not obstacles(asked(passed=True, attended_enough=True, survey_done=True, survey_required=False))
