"""A simulated WeChat, in which anybody is any phone, never meets strangers unless the operator says so."""

from pathlib import Path

import pytest

from server.__main__ import main
from server.settings import Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLATFORM_PUBLIC_URL", "https://platform.example.cn"),
        ("PLATFORM_PUBLIC_URL", "http://203.0.113.9:8000"),
        ("PLATFORM_PROXIES", "127.0.0.1"),
    ],
)
def test_where_strangers_come_the_server_does_not_start_without_an_app_id(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.delenv("WECHAT_APP_ID", raising=False)
    assert main(["--data-dir", str(tmp_path), "--demo"]) == 1
    said = capsys.readouterr().err
    assert "任何人都能冒充任何人的手机" in said and "PLATFORM_SIMULATOR_PUBLIC=true" in said
    assert not list(tmp_path.iterdir())


def test_who_sits_at_the_machine_and_who_says_so_may(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Settings().meets_strangers
    assert not Settings(public_url="http://127.0.0.1:8000").meets_strangers
    assert Settings(public_url="https://platform.example.cn").meets_strangers


def test_proxies_that_are_none_are_named_in_the_refusal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLATFORM_PROXIES", "nginx")
    assert main([]) == 1
    assert "PLATFORM_PROXIES 应为" in capsys.readouterr().err
