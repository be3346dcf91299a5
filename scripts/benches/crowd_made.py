"""Of what a crowd (crowd.py) is made: names, days, institutions."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from server.institutions.rules import Level
from server.kernel.found import FOUND_BY, words_of
from server.kernel.grams import grams
from server.kernel.history import Step
from server.kernel.mongo import Row

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆"
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华文建国志红玉兰海燕春梅雪晶晨浩宇轩子涵雨欣思琪俊峰鹏飞"
)
MAJORS = ("01", "02", "03", "04", "05", "06")
LEVELS = (Level.THREE, Level.THREE, Level.TWO, Level.ONE, Level.BACKBONE)
YEARS = 6
"""Over which the classes lie; a twentieth is still to begin."""


@dataclass(frozen=True)
class Size:
    people: int
    classes: int
    papers: int
    """Of each kind that is asked for and decided: changes, corrections, requests."""


@dataclass(frozen=True)
class Crowd:
    """What the rows are made of."""

    size: Size
    today: date
    institutions: list[tuple[str, str, str]]
    """Code, province and name."""

    def ids(self, kind: int, number: int) -> str:
        return f"{kind:04x}{number:020x}"

    def at(self, number: int) -> dict[str, str]:
        code, province, name = self.institutions[number % len(self.institutions)]
        return {"institution_code": code, "province_code": province, "institution_name": name}

    def first_day(self, number: int) -> date:
        days = 365 * YEARS
        return (
            self.today - timedelta(days=int(days * 0.95)) + timedelta(days=days * number // self.size.classes)
        )

    def level(self, number: int) -> Level:
        return LEVELS[number % len(LEVELS)]

    def class_name(self, number: int) -> str:
        return f"{self.first_day(number).year}年{self.level(number).label}教师培训班（第{number % 97}期）"

    def class_id(self, number: int) -> str:
        return self.ids(3, number)

    def moment(self, number: int) -> datetime:
        return datetime.combine(self.first_day(number), datetime.min.time(), UTC)

    def step(self, number: int, action: str) -> Step:
        return Step(at=self.moment(number), actor_id="x", actor_name="测试员", action=action)


@cache
def _name_of(seed: int) -> str:
    dice = random.Random(seed)
    return dice.choice(SURNAMES) + "".join(dice.choices(GIVEN, k=dice.choice((1, 2, 2))))


def name_of(number: int) -> str:
    return _name_of(number * 7919 % 30_011)


@cache
def _grams(text: str) -> list[str]:
    return grams(text)


def masked(number: int) -> str:
    return f"130***********{number * 37 % 10_000:04}"


def found(row: Row, names: tuple[str, ...], facets: list[tuple[str, object]]) -> Row:
    return row | {FOUND_BY: sorted({*words_of(facets)}.union(*map(_grams, names)))}
