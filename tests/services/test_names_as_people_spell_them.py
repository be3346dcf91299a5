"""A name with a dot, a name in Latin letters, a username and a number, spelt as people spell them: found, bound and matched alike."""

from __future__ import annotations

import pytest

from server.accounts import binding, phones, sign_in
from server.accounts.binding import NotOnARoster, RealName
from server.accounts.documents import AccountFilter
from server.accounts.fictional import roster_of
from server.accounts.phones import PhoneAuthenticator
from server.accounts.sign_in import SignInRefused, Where
from server.accounts.staff import accounts
from server.backbone import service as backbone
from server.backbone.documents import PoolFilter
from server.certificates import service as certificates
from server.certificates.documents import LedgerFilter
from server.certificates.verify import CertificateMissing, CertificateQueryRequest
from server.classes import roster_import
from server.classes import service as classes
from server.classes.documents import ClassFilter
from server.institutions import service as institutions
from server.institutions.documents import InstitutionFilter
from server.kernel.folding import folded
from server.kernel.platform import Platform
from server.upgrades import s0005_names_are_folded
from server.wechat.simulator import Simulator
from tests import cast, certifying, stage
from tests.asking import ask
from tests.cast import Person

CENTRE, XINGTAI = stage.actor(cast.CENTRE), stage.actor(cast.XINGTAI_OFFICER)
GULI = cast.TRAINEE_WITH_A_DOT
ANNA = Person("Anna Müller", cast.person(77).id_number, "", "示例市技师学院")
SPELLINGS = [
    (GULI, "古丽试例"),
    (GULI, "古丽．试例"),
    (GULI, "古丽 • 试例"),
    (ANNA, "ANNA MÜLLER"),
    (ANNA, "anna　müller"),
    (ANNA, "Ａｎｎａ Ｍüller"),
]


@pytest.mark.parametrize(("person", "typed"), SPELLINGS)
async def test_a_phone_is_bound_however_the_name_is_spelt_and_speaks_under_the_one_of_the_card(
    platform: Platform, wechat: Simulator, person: Person, typed: str
) -> None:
    opened = await stage.open_class(platform, XINGTAI, stage.class_draft())
    await stage.enrol(platform, cast.XINGTAI_OFFICER, opened.id, [person])
    phone = await stage.phone(platform, wechat, "openid", Person(typed, person.id_number, "", ""))
    assert phone.actor.name == person.name
    stranger = await phones.log_in(platform, wechat.world.give_code("another"))
    unbound = await PhoneAuthenticator(platform).actor_of(stranger.token)
    claimed = RealName(name="古丽·试列", id_number=person.id_number, consent_version="2026-11")
    with pytest.raises(NotOnARoster):
        await binding.bind_real_name(platform, unbound, claimed)


@pytest.mark.parametrize(("person", "typed"), SPELLINGS)
async def test_a_second_roster_that_spells_a_name_otherwise_means_the_same_person(
    platform: Platform, person: Person, typed: str
) -> None:
    first = await stage.open_class(platform, XINGTAI, stage.class_draft())
    later = {"starts_on": "2026-05-11", "ends_on": "2026-05-22"}
    second = await stage.open_class(platform, XINGTAI, stage.class_draft(**later))
    for item, name in ((first, person.name), (second, typed)):
        preview = await imported(platform, item.id, Person(name, person.id_number, "", ""))
        assert preview == []
    [one], [again] = [await classes.trainees(platform, item.id) for item in (first, second)]
    assert (one.person_id, one.name) == (again.person_id, again.name)
    assert again.name == person.name


async def imported(platform: Platform, class_id: str, person: Person) -> list[str]:
    """Imports a roster of one; says what was wrong with it."""
    preview = await roster_import.preview_roster(
        platform, XINGTAI, class_id, "名册.xlsx", roster_of([person])
    )
    if not preview.problems:
        await roster_import.confirm_roster(platform, XINGTAI, preview.id)
    return [one.message for one in preview.problems]


async def test_the_public_query_and_the_ledger_find_a_certificate_however_name_and_number_are_spelt(
    platform: Platform, wechat: Simulator
) -> None:
    opened = await certifying.passed_class(platform, wechat, 1)
    [one] = await certifying.issued(platform, opened)
    name, number = one.printed.name, one.printed.number
    dotted = f"{name[0]}·{name[1:]}"
    await platform["certificates"].update_one({"_id": one.id}, {"$set": {"printed.name": dotted}})
    await platform["certificates"].update_one({"_id": one.id}, {"$unset": {"folded_name": ""}})
    changed = [count async for count in s0005_names_are_folded.run(platform)]
    assert sum(changed) == 1 and [count async for count in s0005_names_are_folded.run(platform)] == []
    for typed_name in (dotted, name, f"{name[0]} ．{name[1:]}"):
        for typed in (
            number,
            f"证书编号：{number}",
            f"{number[:5]}-{number[5:11]}-{number[11:]}",
            number.lower(),
        ):
            asked = CertificateQueryRequest(name=typed_name, certificate_number=typed)
            [paper] = await ask(platform, asked)
            assert (paper.name, paper.number) == (dotted, number)  # printed as it was
            for words in (typed_name, typed):
                assert len(await certificates.ledger(platform, CENTRE, LedgerFilter(words=words))) == 1
    with pytest.raises(CertificateMissing):
        await ask(platform, CertificateQueryRequest(name=dotted + "某", certificate_number=number))


async def test_every_search_finds_words_however_they_are_spelt(platform: Platform) -> None:
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    opened = await stage.open_class(
        platform, XINGTAI, stage.class_draft(name="古丽·试例工作室（第1期）Plc班")
    )
    teacher = Person("古丽·试例", cast.BACKBONE_TEACHER.id_number, "", "示例技师学院（南校区）")
    await stage.register_backbone(platform, teacher)
    for words in ("古丽试例", "古丽．试", "丽•试例", "(第1期)", "PLC班", "ｐｌｃ 班"):
        found = await classes.list_classes(platform, XINGTAI, ClassFilter(words=words))
        assert [one.item.id for one in found] == [opened.id], words
    for words in ("古丽试例", "古丽．试例", "(南校区)", "（南校区）", "古丽 南校区"):
        assert len(await backbone.list_pool(platform, CENTRE, PoolFilter(words=words))) == 1, words
    named = await institutions.list_institutions(platform, CENTRE, InstitutionFilter(words="邢台 技师学院"))
    assert [one.id for one in named] == ["009"]
    called = await accounts(platform, CENTRE, AccountFilter(words="XINGTAI"), limit=9)
    assert [one.username for one in called] == [cast.XINGTAI_OFFICER.username]
    assert await classes.list_classes(platform, XINGTAI, ClassFilter(words=".*")) == []


async def test_members_of_the_pool_from_before_are_found_without_their_dot(platform: Platform) -> None:
    person_id = await stage.register_backbone(platform, Person("古丽·试例", GULI.id_number, "", "示例院"))
    old = ["古", "古丽", "丽", "丽·", "·", "·试", "试", "试例", "例", "示", "示例", "例院", "院"]
    await platform["backbone_teachers"].update_one({"_id": person_id}, {"$set": {"grams": old}})
    assert await backbone.list_pool(platform, CENTRE, PoolFilter(words="古丽试例")) == []
    assert [count async for count in s0005_names_are_folded.run(platform)] == [1]
    assert len(await backbone.list_pool(platform, CENTRE, PoolFilter(words="古丽试例"))) == 1
    assert folded("古丽·试例") == "古丽试例"


@pytest.mark.parametrize("typed", [str.upper, str.title, lambda name: f" {name} "])
async def test_staff_sign_in_with_their_username_in_any_case(platform: Platform, typed: object) -> None:
    officer = cast.XINGTAI_OFFICER
    await stage.sign_up(platform, officer)
    assert callable(typed)
    entered = await sign_in.sign_in(platform, typed(officer.username), officer.password, Where("", ""))
    assert entered.token
    with pytest.raises(SignInRefused):
        await sign_in.sign_in(platform, typed(officer.username), officer.password.swapcase(), Where("", ""))
