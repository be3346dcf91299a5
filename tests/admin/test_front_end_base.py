"""The Jinja environment, and what holds for every template of the admin."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from jinja2 import UndefinedError

from admin.navigation import navigation
from admin.rendering import STATIC, TEMPLATES, known_icons, make_environment
from server.kernel.identity import Actor, Jurisdiction, Role
from server.kernel.permissions import Permission
from tests.admin.front_end import layout_context, render

ENVIRONMENT = make_environment()
ALL_TEMPLATES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))


def rendered(source: str, **context: object) -> str:
    return ENVIRONMENT.from_string(source).render(context)


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("moment|beijing", "2026-11-24 00:30"),
        ("moment|beijing('second')", "2026-11-24 00:30:05"),
        ("moment|beijing('date')", "2026-11-24"),
        ("moment|beijing('time')", "00:30"),
        ("none|beijing", "—"),
        ("day|date_cn", "2026年1月4日"),
        ("0.9333|percent", "93.3%"),
        ("1.0|percent", "100%"),
        ("0.966|percent(0)", "97%"),
        ("none|percent", "—"),
        ("1023|filesize", "1023 字节"),
        ("1024|filesize", "1 KB"),
        ("(50 * 1024 * 1024)|filesize", "50 MB"),
        ("80|hours", "80 课时"),
        ("1.5|hours", "1.5 课时"),
    ],
)
def test_a_value_is_shown_as_people_write_it(expression: str, shown: str) -> None:
    moment = datetime(2026, 11, 23, 16, 30, 5, tzinfo=UTC)
    assert rendered(f"{{{{ {expression} }}}}", moment=moment, day=date(2026, 1, 4)) == shown


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        rendered("{{ moment|beijing }}", moment=datetime(2026, 11, 24))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0", "Windows 电脑，Edge"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/120.0 Mobile MicroMessenger/8.0", "安卓设备，微信"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1",
            "苹果手机，Safari",
        ),
        ("", "未知设备，未知浏览器"),
    ],
)
def test_a_browser_is_named_in_words_that_a_person_recognises(user_agent: str, words: str) -> None:
    assert rendered("{{ it|device }}", it=user_agent) == words


def test_what_a_person_typed_is_escaped() -> None:
    assert rendered("{{ it }}", it='<b a="1">') == "&lt;b a=&#34;1&#34;&gt;"


def test_a_name_that_the_handler_did_not_give_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        rendered("{{ nothing }}")


def test_an_asset_is_addressed_by_its_content() -> None:
    assert re.fullmatch(r"/static/app\.css\?v=[0-9a-f]{12}", rendered("{{ static('app.css') }}"))
    with pytest.raises(FileNotFoundError):
        rendered("{{ static('no-such.css') }}")


def test_an_icon_that_the_sprite_lacks_is_an_error() -> None:
    with pytest.raises(KeyError):
        rendered("{{ icon('no-such-icon') }}")


def test_the_sprite_has_every_icon_of_the_list() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "vendor" / "icons.svg").read_text("utf-8")))
    assert drawn == known_icons()


@pytest.mark.parametrize("template", ALL_TEMPLATES)
def test_a_template_compiles_and_obeys_the_content_security_policy(template: str) -> None:
    source, _, _ = ENVIRONMENT.loader.get_source(ENVIRONMENT, template)  # type: ignore[union-attr]
    ENVIRONMENT.compile(source)
    assert not re.search(r"\sstyle\s*=", source), "an inline style"
    assert not re.search(r"<style\b", source), "a style element"
    assert not re.search(r"<script(?![^>]*\ssrc=)", source), "an inline script"
    assert not re.search(r"\s(on[a-z]+|hx-on[a-z:-]*)\s*=\s*[\"']", source), "an inline handler"
    assert not re.search(r"(src|href)=[\"'](https?:)?//", source), "something from another site"


@pytest.mark.parametrize("template", ALL_TEMPLATES)
def test_the_icons_that_a_template_names_are_in_the_list(template: str) -> None:
    source = (TEMPLATES / template).read_text("utf-8")
    named = set(re.findall(r"\bicon\(\"([\w-]+)\"\)|\bicon=\"([\w-]+)\"", source))
    assert {name for pair in named for name in pair if name} <= known_icons()


@pytest.mark.parametrize("template", ALL_TEMPLATES)
def test_the_permissions_that_a_template_asks_for_exist(template: str) -> None:
    source = (TEMPLATES / template).read_text("utf-8")
    assert set(re.findall(r"\bmay\(\"([^\"]*)\"\)", source)) <= set(Permission)
    assert len(re.findall(r"\bmay\(", source)) == len(re.findall(r"\bmay\(\"", source)), (
        "a permission that is not written out"
    )


def test_an_error_is_tied_to_its_field() -> None:
    html = rendered(
        '{% import "macros/forms.html" as forms %}'
        '{{ forms.text("name", "姓名", "林", hint="与身份证一致", error="太短", required=true) }}'
    )
    assert 'aria-describedby="field-name-hint field-name-error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="field-name-error"' in html
    assert 'for="field-name"' in html


def test_a_select_keeps_what_was_chosen() -> None:
    html = rendered(
        '{% import "macros/forms.html" as forms %}'
        '{{ forms.select("level", "级别", [(1, "一级"), (3, "三级")], "3") }}'
    )
    assert re.search(r'<option value="3" selected>三级', html)


def test_a_form_carries_the_xsrf_token() -> None:
    html = rendered('{% import "macros/forms.html" as forms %}{% call forms.form("/x", "t") %}{% endcall %}')
    assert '<input type="hidden" name="_xsrf" value="t">' in html


def test_the_navigation_marks_the_page_one_is_on() -> None:
    html = render("styleguide.html", layout_context())
    assert len(re.findall(r'<a href="/admin/classes" aria-current="page">', html)) == 1


def test_the_navigation_is_by_work_and_shows_no_section_without_an_entry() -> None:
    centre = Actor("a", "甲", "account", frozenset({Role.NATIONAL_CENTRE}), Jurisdiction.everything())
    base = Actor("b", "乙", "account", frozenset({Role.TRAINING_BASE}), Jurisdiction.of_institution("13009"))
    trainee = Actor("c", "丙", "person", frozenset({Role.TRAINEE}), Jurisdiction.nothing())
    shown = [item.title for item in navigation(centre, "/admin").sections]
    assert shown == ["工作台", "培训班", "人员", "证书", "机构", "系统"]
    assert navigation(trainee, "/admin").sections == []
    training_centre = replace(base, roles=frozenset({Role.TRAINING_CENTRE}))
    for actor in (centre, base, training_centre):
        items = navigation(actor, "/admin/classes/1/roster").sections
        assert [item.title for item in items if item.active] == ["培训班"]
        assert len({item.icon for item in items}) == len(items), "two entries look alike"


def test_a_section_shows_its_views_on_each_of_them_and_on_no_other_page() -> None:
    base = Actor("b", "乙", "account", frozenset({Role.TRAINING_BASE}), Jurisdiction.of_institution("13009"))
    training_centre = replace(base, roles=frozenset({Role.TRAINING_CENTRE}))
    people = navigation(training_centre, "/admin/selection/lists")
    assert [item.title for item in people.sections if item.active] == ["人员"]
    assert [item.title for item in people.views if item.active] == ["合格名单"]
    plans = navigation(base, "/admin/plans")
    assert plans.title == "培训班" and [item.title for item in plans.views[:2]] == ["一览", "计划"]
    assert navigation(base, "/admin/plans/1").views == []
    assert navigation(base, "/admin/selection/lists").views == [], "a view that is not theirs"
