"""第二十五条（一）: 部指导中心……统一分配用户账号（含初始密码）, to each unit and as many as there are, and kept to who they are for."""

import pytest

from server.accounts import sign_in, staff, store
from server.accounts.sign_in import Where
from server.accounts.staff import ColleagueDraft
from server.institutions import allocation
from server.institutions.account_sheet import Column
from server.institutions.annex1 import INSTITUTIONS, PROVINCES
from server.kernel import audit
from server.kernel.errors import NotFound
from server.kernel.identity import ANYBODY, Role
from server.kernel.permissions import ROLE_PERMISSIONS, Permission
from server.kernel.platform import Platform
from server.kernel.spreadsheets import workbook
from tests import cast, stage

CENTRE = stage.actor(cast.CENTRE)
HERE = Where("127.0.0.1", "a browser")


async def test_the_whole_country_gets_its_accounts_in_one_file(platform: Platform) -> None:
    """统一分配用户账号（含初始密码）: the 30 provinces and 51 institutions of annex 1, each with one first password."""
    rows = [(f"sheng-{one.code}", "省试甲", Role.PROVINCE.label, one.name, "") for one in PROVINCES]
    rows += [
        (f"base-{one.code}", "校试甲", Role(one.kind.value).label, "", f"{one.code} {one.name}")
        for one in INSTITUTIONS
    ]
    sheet = workbook("账号", [(column.title, 20) for column in Column], rows)
    preview = await allocation.preview(platform, CENTRE, "全国.xlsx", sheet)
    given = await allocation.confirm(platform, CENTRE, preview.id)
    assert len({password for _, password in given}) == len(given) == len(PROVINCES) + len(INSTITUTIONS)
    one, first = given[-1]
    entered = await sign_in.sign_in(platform, one.username, first, HERE)
    actor = await sign_in.actor_of_token(platform, entered.token)
    assert actor.must_change_password and actor.institution_code == INSTITUTIONS[-1].code


def test_only_the_centre_allocates_and_every_unit_looks_after_its_own() -> None:
    allocating = {role for role in Role if Permission.ACCOUNTS_ALLOCATE in ROLE_PERMISSIONS[role]}
    assert allocating == {Role.NATIONAL_CENTRE}
    caring = {role for role in Role if Permission.ACCOUNTS_STAFF in ROLE_PERMISSIONS[role]}
    assert caring == {Role.NATIONAL_CENTRE, Role.PROVINCE, Role.TRAINING_CENTRE, Role.TRAINING_BASE}


async def test_staff_come_and_go_within_their_unit_and_everything_is_traced(platform: Platform) -> None:
    """A colleague has the rights of the unit and no more; who leaves is out at once and stays in history."""
    await stage.sign_up(platform, cast.XINGTAI_OFFICER)
    account = await store.account_by_username(platform, cast.XINGTAI_OFFICER.username)
    assert account is not None
    officer = staff.actor_of(account)
    draft = ColleagueDraft(username="xingtai-two", name="邢试又")
    colleague, first = await staff.add_colleague(platform, officer, draft)
    assert colleague.unit == account.unit
    token = (await sign_in.sign_in(platform, "xingtai-two", first, HERE)).token
    with pytest.raises(NotFound):
        await staff.deactivate(platform, stage.actor(cast.YANGZHOU_OFFICER), colleague.id, "不归我管")
    await staff.deactivate(platform, officer, colleague.id, "调离")
    assert await sign_in.actor_of_token(platform, token) is ANYBODY
    trail = await audit.of_subject(platform, colleague.id)
    assert {entry["action"] for entry in trail} >= {
        "accounts:allocate",
        "accounts:sign-in",
        "accounts:deactivate",
    }
    assert colleague.name in {entry["actor_name"] for entry in trail}


@pytest.mark.parametrize(
    ("officer", "bound"),
    [
        (cast.CENTRE, True),
        (cast.HEBEI_OFFICER, True),
        (cast.XINGTAI_OFFICER, False),
        (cast.CHANGZHOU_OFFICER, False),
    ],
)
async def test_who_oversees_others_signs_in_with_a_code_beside_the_password(
    platform: Platform, officer: cast.Officer, bound: bool
) -> None:
    """（四）不得……泄露权限之外的数据信息: a password alone opens nothing of a province or of the country."""
    await stage.sign_up(platform, officer)
    entered = await sign_in.sign_in(platform, officer.username, officer.password, HERE)
    assert entered.half is bound
    assert (await sign_in.actor_of_token(platform, entered.token) is ANYBODY) is bound
