"""What the name of an account may say: whose it is, and no other office, in no spelling and with nothing that nobody sees."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from server.accounts.account_names import AccountNameInvalid, check_office
from server.accounts.staff import ColleagueDraft
from server.demonstration import ACCOUNTS
from server.institutions.annex1 import INSTITUTIONS, PROVINCES
from server.kernel.identity import Role

UNITS = {one.code: one.name for one in INSTITUTIONS}
PLACES = {one.code: one.name for one in PROVINCES}


def check(name: str, role: Role, own: str) -> None:
    check_office(name, role, own, PLACES.values(), UNITS.values())


@pytest.mark.parametrize(
    "name",
    [
        "李四（代王五）",
        "李四(代王五)",
        "李四【河北】",
        "王五代李四",
        "李四\u202e丁",
        "李\u200b四",
        "李四\n河北",
        "李\u3164四",
        "李四/河北",
        "李四：河北",
    ],
)
def test_a_name_has_no_brackets_and_nothing_that_nobody_sees(name: str) -> None:
    with pytest.raises(ValidationError, match="姓名"):
        ColleagueDraft(username="somebody", name=name)


@pytest.mark.parametrize(
    "name", ["李四", "欧阳代华", "古丽·代尔", "Anne-Marie O'Neil Jr.", "示例管理员", "李四2"]
)
def test_a_name_of_a_person_is_taken(name: str) -> None:
    ColleagueDraft(username="somebody", name=name)
    check(name, Role.TRAINING_BASE, UNITS["009"])


@pytest.mark.parametrize(
    ("name", "role", "own"),
    [
        ("河北省 示例管理员", Role.TRAINING_BASE, UNITS["009"]),
        ("河 北 省管理员", Role.TRAINING_BASE, UNITS["009"]),
        ("部指导中心", Role.TRAINING_BASE, UNITS["009"]),
        ("省级管理部门李四", Role.TRAINING_CENTRE, UNITS["017"]),
        ("邢台技师学院 李四", Role.TRAINING_CENTRE, UNITS["017"]),
        ("邢台技师学院 李四", Role.PROVINCE, PLACES["13"]),
        ("江苏省 李四", Role.PROVINCE, PLACES["13"]),
        ("部指导中心 李四", Role.PROVINCE, PLACES["13"]),
        ("内蒙古自治区 李四", Role.NATIONAL_CENTRE, ""),
    ],
)
def test_no_name_says_another_office(name: str, role: Role, own: str) -> None:
    with pytest.raises(AccountNameInvalid):
        check(name, role, own)


def test_the_own_office_may_stand_before_the_name_and_provinces_are_names_of_people_too() -> None:
    for one in ACCOUNTS:
        own = UNITS.get(one.institution_code or "") or PLACES.get(one.province_code or "", "")
        check(one.name, one.role, own)
    check("宁夏", Role.TRAINING_BASE, UNITS["009"])
    check("江苏", Role.PROVINCE, PLACES["13"])
