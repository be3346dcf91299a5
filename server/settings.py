"""All that can be set, from the environment; each with its default and its unit."""

from __future__ import annotations

import base64
import os
import re
import secrets
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.kernel.addresses import Network, networks

MASTER_KEY_BYTES = 96
LOOPBACK = ("localhost", "127.0.0.1", "::1")
AES_KEY = re.compile(r"[A-Za-z0-9+/]{43}")


class Settings(BaseSettings):
    """Environment variables carry the prefix `PLATFORM_`, except `MONGODB_URI` and the WeChat ones.

    Secrets that are not set are generated once under `data_dir/secrets`, readable by the owner alone.
    """

    model_config = SettingsConfigDict(env_prefix="PLATFORM_", extra="ignore", populate_by_name=True)

    address: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """TCP port; 0 takes a free one."""
    public_url: str = ""
    """What strangers' phones open, without a trailing slash: it stands in the QR code of a certificate. Empty: http://address:port."""
    proxies: str = ""
    """Addresses and networks of the reverse proxies, as in `127.0.0.1, 10.0.0.0/8`: theirs alone are the X-Forwarded-For and
    X-Forwarded-Proto that are believed. Where there is one, browsers come over https, and cookies too. Empty: no header is believed."""
    trusts_any_proxy: bool = Field(False, validation_alias="PLATFORM_BEHIND_PROXY")
    """Of earlier versions, which believed those headers from anybody. Set, it stops the start."""
    simulator_public: bool = False
    """Let strangers reach a simulated WeChat, in which anybody can be any phone: for a public demonstration of fictional people."""
    data_dir: Path = Path(".data")
    processes: Annotated[int, Field(ge=1, le=64)] = 1
    scheduler: bool = True
    demo: bool = False

    mongodb_uri: str = Field("", validation_alias="MONGODB_URI")
    """Empty: the embedded mongod under data_dir."""
    mongodb_embedded: bool = False
    """Told by a server that started one to its workers."""
    mongodb_database: str = "gongxue"
    mongodb_cache_gb: float = 0.5
    """Cache of the embedded mongod, GiB."""

    master_key: SecretStr = SecretStr("")
    """Base64 of the 96 bytes under which MongoDB's data keys are wrapped. Losing it loses every ID number."""
    cookie_secret: SecretStr = SecretStr("")
    code_secret: SecretStr = SecretStr("")
    """Signs check-in codes and verification tokens."""
    trail_secret: SecretStr = SecretStr("")
    """Seals the audit trail. Losing it means that nobody can check what was sealed."""
    audit_anchor: str = ""
    """Where the heads of the audit trail stand outside the database: a file, or an http(s) address. Empty: a file under data_dir."""
    envelope_keys: Path | None = None
    """Folder of the keys that open anonymous answers, shared by all machines and in no backup. None: a folder under data_dir."""

    timestamp_url: str = ""
    """Where certificates get their timestamps (RFC 3161). Empty, or while it does not answer: they are signed without one."""
    seal_service_url: str = ""
    """https address of a seal service of others, which signs every certificate (server/seals/external.py). Empty: keys kept here do."""
    seal_service_token: SecretStr = SecretStr("")
    seal_service_authorities: Path | None = None
    """PEM file with the certificates of the authorities that such a service signs under: what they signed counts as ours."""
    certificate_workers: Annotated[int | None, Field(ge=0, le=64)] = None
    """Processes that draw and sign certificates; 0: a thread of the server. None: as many as there are cores, at most 4."""

    session_hours: float = 12
    """A staff session ends so many hours after its last log-in."""
    session_idle_minutes: float = 120
    """Or so many minutes after its last request."""
    phone_session_days: float = 30
    lockout_failures: int = 5
    """Wrong passwords, or wrong codes, after which no more are looked at."""
    lockout_minutes: float = 15
    """From the last wrong password until they are forgotten."""
    code_lockout_minutes: float = 60
    """From the last wrong code; there are a million, so five an hour."""
    log_level: str = "INFO"

    wechat_app_id: str = Field("", validation_alias="WECHAT_APP_ID")
    wechat_app_secret: SecretStr = Field(SecretStr(""), validation_alias="WECHAT_APP_SECRET")
    wechat_api_base: str = Field("https://api.weixin.qq.com", validation_alias="WECHAT_API_BASE")
    wechat_timeout_seconds: float = Field(4.0, validation_alias="WECHAT_TIMEOUT_SECONDS")
    wechat_threads: int = Field(16, validation_alias="WECHAT_THREADS")
    wechat_templates: dict[str, str] = Field(default_factory=dict, validation_alias="WECHAT_TEMPLATES")
    """JSON: our template name → id of the subscribe-message template. A message without one stays in the inbox only."""
    wechat_push_token: SecretStr = Field(SecretStr(""), validation_alias="WECHAT_PUSH_TOKEN")
    """The Token of 消息推送, as set up in the mini-program's console with the address …/wechat/push. Empty: no push is taken."""
    wechat_push_aes_key: SecretStr = Field(SecretStr(""), validation_alias="WECHAT_PUSH_AES_KEY")
    """Its EncodingAESKey, 43 letters and digits, of the secure mode. Empty: the plain mode."""
    wechat_push_fresh_minutes: float = Field(5, gt=0, le=60, validation_alias="WECHAT_PUSH_FRESH_MINUTES")
    """How far the moment of a push may be from ours; nonces are remembered for a day, much longer than any push is fresh."""
    wechat_face: bool = Field(False, validation_alias="WECHAT_FACE")
    """WeChat has opened 人脸核身 to this mini-program. It is offered beside other ways, never demanded."""
    wechat_pay_real_name: bool = Field(False, validation_alias="WECHAT_PAY_REAL_NAME")
    """WeChat has opened 实名信息校验 to this mini-program."""
    simulator_port: int = 0
    """Port of the simulated WeChat, on loopback; 0 takes a free one."""

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, named: str) -> str:
        try:
            networks(named)
        except ValueError as error:
            raise ValueError(f"PLATFORM_PROXIES 应为逗号隔开的 IP 地址或网段：{error}") from None
        return named

    @field_validator("trusts_any_proxy")
    @classmethod
    def _is_no_more(cls, trusts: bool) -> bool:
        if trusts:
            raise ValueError(
                "PLATFORM_BEHIND_PROXY 已取消：它让任何人都能冒充别的地址。请改设 PLATFORM_PROXIES 为反向代理的地址，如 127.0.0.1"
            )
        return trusts

    @field_validator("seal_service_url")
    @classmethod
    def _is_https(cls, url: str) -> str:
        if url and not url.startswith("https://") and urlsplit(url).hostname not in LOOPBACK:
            raise ValueError("PLATFORM_SEAL_SERVICE_URL 应为 https 地址：证书和口令不能明文传送")
        return url

    @field_validator("wechat_push_aes_key")
    @classmethod
    def _is_an_aes_key(cls, key: SecretStr) -> SecretStr:
        if key.get_secret_value() and not AES_KEY.fullmatch(key.get_secret_value()):
            raise ValueError("WECHAT_PUSH_AES_KEY 应为小程序后台所给的 43 个字母和数字")
        return key

    @property
    def trusted_proxies(self) -> tuple[Network, ...]:
        return networks(self.proxies)

    @property
    def secure(self) -> bool:
        """Browsers come over https: we speak http only, so somebody before us does that."""
        return bool(self.proxies.strip())

    @property
    def meets_strangers(self) -> bool:
        """Others than whoever sits at this machine are meant to come."""
        host = urlsplit(self.public_url).hostname if self.public_url else None
        return self.secure or host not in (None, *LOOPBACK)

    @property
    def home(self) -> str:
        """Where strangers' phones, and WeChat, find the platform; without a trailing slash."""
        return self.public_url.rstrip("/") or f"http://{self.address}:{self.port}"

    @property
    def wechat_simulated(self) -> bool:
        return not self.wechat_app_id

    @property
    def simulator_url(self) -> str:
        return f"http://127.0.0.1:{self.simulator_port}"

    def with_secrets(self) -> Settings:
        """These settings with each secret that the environment does not give read from, or generated into, `data_dir/secrets`."""
        folder = self.data_dir / "secrets"
        wanted = {"master_key": MASTER_KEY_BYTES, "cookie_secret": 48, "code_secret": 48, "trail_secret": 48}
        if self.wechat_simulated:
            wanted |= {"wechat_push_token": 24, "wechat_push_aes_key": 32}
        found = {
            name: SecretStr(_kept_secret(folder / name, size))
            for name, size in wanted.items()
            if not getattr(self, name).get_secret_value()
        }
        if "wechat_push_aes_key" in found:  # WeChat writes the 32 bytes without the padding of base64
            found["wechat_push_aes_key"] = SecretStr(
                found["wechat_push_aes_key"].get_secret_value().rstrip("=")
            )
        return self.model_copy(update=found)


def _kept_secret(path: Path, size: int) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with open(path, "x", opener=_open_private) as file:
            file.write(base64.b64encode(secrets.token_bytes(size)).decode())
    except FileExistsError:
        pass
    return path.read_text().strip()


def _open_private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
