"""Who appears in the tests. Plain data, the same in every run; nobody here exists (server/accounts/fictional.py says why).

The cast reads like a small drama: the class belongs to 邢台技师学院 in 河北. 江苏省扬州技师学院 is the neighbour, of another province,
and must see nothing of it. 江苏省常州技师学院 carries the star.
"""

from dataclasses import dataclass

from server.accounts.fictional import make_person
from server.kernel.identity import Role

HEBEI, JIANGSU = "13", "32"
XINGTAI, CHANGZHOU, YANGZHOU = "009", "017", "019"


@dataclass(frozen=True)
class Person:
    """A teacher as a roster lists them."""

    name: str
    id_number: str
    phone: str
    unit: str


@dataclass(frozen=True)
class Officer:
    """Staff with an account. An institution's officer has both codes, a province's one, the centre's none."""

    username: str
    name: str
    role: Role
    province_code: str | None = None
    institution_code: str | None = None

    @property
    def password(self) -> str:
        """Made from the username backwards, so that it satisfies `check_password`."""
        return f"{self.username[::-1]}-2026"


def person(seed: int, unit: str = "示例市技师学院", province_code: str = HEBEI) -> Person:
    """Somebody: the same seed gives the same person, and seeds below `fictional.NAMES` give different names."""
    made = make_person(seed, province_code)
    return Person(made.name, made.id_number, made.phone, unit)


def people(count: int, first_seed: int = 100) -> list[Person]:
    """A class full of people, none of whom is one of the named ones below."""
    return [person(seed) for seed in range(first_seed, first_seed + count)]


CENTRE = Officer("centre", "部试甲", Role.NATIONAL_CENTRE)
HEBEI_OFFICER = Officer("hebei-sheng", "冀试乙", Role.PROVINCE, HEBEI)
JIANGSU_OFFICER = Officer("jiangsu-sheng", "苏试丙", Role.PROVINCE, JIANGSU)
XINGTAI_OFFICER = Officer("xingtai-009", "邢试丁", Role.TRAINING_BASE, HEBEI, XINGTAI)
YANGZHOU_OFFICER = Officer("yangzhou-019", "扬试戊", Role.TRAINING_BASE, JIANGSU, YANGZHOU)
CHANGZHOU_OFFICER = Officer("changzhou-017", "常试己", Role.TRAINING_CENTRE, JIANGSU, CHANGZHOU)
OFFICERS = (CENTRE, HEBEI_OFFICER, JIANGSU_OFFICER, XINGTAI_OFFICER, YANGZHOU_OFFICER, CHANGZHOU_OFFICER)

BACKBONE_TEACHER = person(1, "邢台技师学院")
SECOND_BACKBONE_TEACHER = person(2, "江苏省常州技师学院", JIANGSU)
TRAINEE = person(11)
SECOND_TRAINEE = person(12)
TRAINEE_WITH_A_DOT = Person("古丽·试例", person(13).id_number, person(13).phone, "示例市技师学院")
STRANGER = person(14, "示例县职业中学", JIANGSU)
"""Well-formed, and on no roster."""
