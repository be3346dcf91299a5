"""The nginx.conf of README, run as it stands there but for its ports, its paths and its user."""

import datetime
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.websocket import WebSocketHandler, websocket_connect

from server.kernel.addresses import networks
from server.kernel.front_door import BoundedApplication, Limits
from server.kernel.platform import Platform
from server.wechat.simulator import Simulator
from tests import opening

README = Path(__file__).parents[2] / "README.md"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:{sys.prefix}/nginx/usr/sbin")
LIMITS = Limits(proxies=networks("127.0.0.1"))
NAME = "platform.example.cn"

pytestmark = pytest.mark.skipif(NGINX is None, reason="没有 nginx：scripts/test 会下载 Debian 的")


class Nothing:
    async def close(self) -> None:
        pass


class Echo(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(f"{self.request.remote_ip} {self.request.protocol} {message!r}")


def configuration() -> str:
    [found] = re.findall(r"(?s)```nginx\n(.*?)```", README.read_text())
    return textwrap.dedent(found)


def make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "platform.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "platform.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def nginx_before(site: str, folder: Path) -> Iterator[tuple[int, int]]:
    """nginx on its http and its https port."""
    make_certificate(folder)
    http, https = free_port(), free_port()
    text = configuration()
    places = "client_body_temp_path proxy_temp_path fastcgi_temp_path uwsgi_temp_path scgi_temp_path".split()
    here = "".join(f"{place} {folder}/{place};\n" for place in places)
    for wanted, put in (
        ("http {\n", f"http {{\n{here}"),
        ("/var/log/nginx/", f"{folder}/"),
        ("127.0.0.1:8000", urlsplit(site).netloc),
        ("listen 80;", f"listen 127.0.0.1:{http};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{https} ssl;"),
        ("/etc/nginx/", f"{folder}/"),
    ):
        assert wanted in text
        text = text.replace(wanted, put)
    user = "user root;\n" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(f"{user}daemon off;\npid {folder}/nginx.pid;\n{text}")
    assert NGINX is not None
    command = [NGINX, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        for port in (http, https):
            while process.poll() is None:
                with closing(socket.socket()) as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
            assert process.poll() is None, process.stderr and process.stderr.read()
        yield http, https
    finally:
        process.terminate()
        process.communicate()


@asynccontextmanager
async def behind(application: BoundedApplication, folder: Path) -> AsyncIterator[tuple[int, int]]:
    async with opening.application_served(application, LIMITS) as site:
        with nginx_before(site, folder) as ports:
            yield ports


@pytest.fixture
async def ports(platform: Platform, wechat: Simulator, tmp_path: Path) -> AsyncIterator[tuple[int, int]]:
    """Of nginx before the platform, as the README says to start both."""
    settings = platform.settings.model_copy(update={"proxies": "127.0.0.1"})
    platform.settings = settings
    async with opening.served(platform, wechat, LIMITS) as (site, _):
        with nginx_before(site, tmp_path) as ports:
            yield ports


async def fetch(
    url: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, HTTPHeaders, bytes]:
    answer = await AsyncHTTPClient().fetch(
        HTTPRequest(
            url,
            method,
            HTTPHeaders(headers),
            body,
            validate_cert=False,
            follow_redirects=False,
            request_timeout=60,
        ),
        raise_error=False,
    )
    return answer.code, answer.headers, answer.body


async def test_http_leads_to_https_and_https_stays(ports: tuple[int, int]) -> None:
    http, https = ports
    status, headers, _ = await fetch(f"http://127.0.0.1:{http}/admin/login?next=/admin", Host=NAME)
    assert (status, headers["Location"]) == (301, f"https://{NAME}/admin/login?next=/admin")
    for path in ("/admin/login", "/api/v1/openapi.json", "/static/app.css", "/static/nothing", "/nowhere"):
        _, headers, _ = await fetch(f"https://127.0.0.1:{https}{path}")
        assert headers["Strict-Transport-Security"] == "max-age=31536000", path


async def test_a_phone_that_speaks_http_is_not_led_to_https(ports: tuple[int, int]) -> None:
    for path in ("/api/v1/me", "/wechat/push"):
        status, headers, _ = await fetch(f"http://127.0.0.1:{ports[0]}{path}", Host=NAME)
        assert status == 403 and "Location" not in headers


async def test_cookies_belong_to_this_host_alone(ports: tuple[int, int]) -> None:
    _, headers, _ = await fetch(f"https://127.0.0.1:{ports[1]}/admin/login")
    [cookie] = headers.get_list("Set-Cookie")
    assert cookie.startswith("__Host-_xsrf=") and "Secure" in cookie and "Domain" not in cookie


async def test_whoever_makes_addresses_up_is_counted_by_the_own(ports: tuple[int, int]) -> None:
    url = f"https://127.0.0.1:{ports[1]}/admin/login"
    _, headers, _ = await fetch(url)
    name, _, token = headers["Set-Cookie"].partition(";")[0].partition("=")
    status = 0
    for number in range(61):
        made_up = {"X-Forwarded-For": f"198.51.100.{number}", "X-Real-Ip": f"198.51.100.{number}"}
        body = f"_xsrf={token}&username=nobody-{number}&password=wrong-2026".encode()
        status, _, _ = await fetch(url, "POST", body, Cookie=f"{name}={token}", **made_up)
    assert status == 429


async def test_an_upload_that_is_refused_early_reads_why_through_nginx_too(ports: tuple[int, int]) -> None:
    status, _, body = await fetch(
        f"https://127.0.0.1:{ports[1]}/api/v1/tasks/{'0' * 24}/submissions",
        "POST",
        b"x" * 10_000_000,
        **{"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert status == 401 and b"not-signed-in" in body


async def test_nginx_logs_no_answer_of_a_survey(ports: tuple[int, int], tmp_path: Path) -> None:
    _, https = ports
    path = f"/api/v1/surveys/{'0' * 24}/responses"
    for asked in (path, f"{path}?again", "/api/v1/me"):
        await fetch(f"https://127.0.0.1:{https}{asked}")
    logged = (tmp_path / "access.log").read_text()
    assert "/api/v1/me" in logged and "/responses" not in logged


async def test_a_live_page_comes_through(tmp_path: Path) -> None:
    application = BoundedApplication([("/live", Echo)], live_rolls=Nothing())
    async with behind(application, tmp_path) as (_, https):
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        request = HTTPRequest(f"wss://127.0.0.1:{https}/live", ssl_options=trusting)
        live = await websocket_connect(request)
        await live.write_message("hello")
        assert await live.read_message() == "127.0.0.1 https 'hello'"
        live.close()
