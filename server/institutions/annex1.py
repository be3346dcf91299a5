"""附件 1 全国技工院校工学一体化教师培训机构号: the 51 institutions and 30 provinces, exactly as the guide lists them."""

from dataclasses import dataclass

from server.institutions.rules import QualificationKind


@dataclass(frozen=True)
class Province:
    """`code`: the two digits of GB/T 2260; `name`: the short name that annex 1 prints."""

    code: str
    name: str


@dataclass(frozen=True)
class ListedInstitution:
    """`code`: 培训机构号, three digits, unique in the whole country; `star`: the ★ of annex 1."""

    code: str
    name: str
    province_code: str
    star: bool

    @property
    def kind(self) -> QualificationKind:
        """The first qualification to enter for it, by the remark under annex 1 and article 3.

        Only the seed asks this: from then on a qualification is data that the centre keeps.
        """
        return QualificationKind.TRAINING_CENTRE if self.star else QualificationKind.TRAINING_BASE


_LIST = """
11 北京
001 北京市工贸技师学院
002 ★北京市工业技师学院
003 北京市新媒体技师学院
004 北京轻工技师学院
12 天津
005 ★天津职业技术师范大学
006 天津市电子信息技师学院
007 天津市机电工艺技师学院
13 河北
008 承德市高级技工学校
009 邢台技师学院
14 山西
010 山西交通技师学院
011 晋城技师学院
15 内蒙古
012 呼伦贝尔技师学院
21 辽宁
013 辽宁煤炭技师学院
22 吉林
014 吉林省工业技师学院
23 黑龙江
015 黑龙江技师学院
016 中国一重技师学院
32 江苏
017 ★江苏省常州技师学院
018 江苏省盐城技师学院
019 江苏省扬州技师学院
33 浙江
020 杭州技师学院
021 宁波技师学院
022 浙江商业技师学院
34 安徽
023 安徽芜湖技师学院
35 福建
024 厦门技师学院
36 江西
025 宁都技师学院
37 山东
026 淄博市技师学院
027 山东技师学院
41 河南
028 郑州商业技师学院
029 开封技师学院
030 河南医药健康技师学院
42 湖北
031 襄阳技师学院
43 湖南
032 湖南工贸技师学院
44 广东
033 ★广州市工贸技师学院
034 江门市技师学院
035 广州市机电技师学院
036 广东省城市技师学院
45 广西
037 广西工业技师学院
038 广西机电技师学院
46 海南
039 海南省技师学院
50 重庆
040 重庆机械技师学院
51 四川
041 成都市技师学院
042 四川理工技师学院
52 贵州
043 贵州省电子信息技师学院
53 云南
044 云南技师学院
54 西藏
045 林芝市高级技工学校
61 陕西
046 西安技师学院
047 陕西航空技师学院
62 甘肃
048 兰州铁路技师学院
63 青海
049 青海水电技师学院
64 宁夏
050 宁夏交通技师学院
65 新疆
051 新疆经济贸易技师学院
"""


def _read(text: str) -> tuple[tuple[Province, ...], tuple[ListedInstitution, ...]]:
    """A line with two digits opens a province; the three-digit lines below it are its institutions."""
    provinces: list[Province] = []
    institutions: list[ListedInstitution] = []
    for line in text.strip().splitlines():
        code, name = line.split()
        if len(code) == 2:
            provinces.append(Province(code, name))
        else:
            star = name.startswith("★")
            institutions.append(ListedInstitution(code, name.removeprefix("★"), provinces[-1].code, star))
    return tuple(provinces), tuple(institutions)


PROVINCES, INSTITUTIONS = _read(_LIST)
