"""The embedded database leaks nothing before log-in, and lets the server do no more than it needs; an old one is warned of."""

import re
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from server.kernel.embedded_mongod import EmbeddedMongod
from server.kernel.mongo import Row
from server.kernel.mongod_versions import weakness


def test_it_takes_no_compressed_message_and_no_command_of_an_administrator(tmp_path: Path) -> None:
    for _ in range(2):  # the second start changes the password of a user that is there
        mongod = EmbeddedMongod(tmp_path, cache_gb=0.25, database="served")
        try:
            with MongoClient[Row](mongod.start()) as client:
                said = client.admin.command("hello", compression=["zlib", "snappy", "zstd"])
                assert "compression" not in said
                with client.start_session() as session, session.start_transaction():
                    client["served"]["things"].insert_one({"a": 1}, session=session)
                with client["served"].watch():
                    pass
                with pytest.raises(OperationFailure, match="not authorized"):
                    client["other"]["things"].insert_one({"a": 1})
                with pytest.raises(OperationFailure, match="not authorized"):
                    client.admin.command("setParameter", 1, logLevel=1)
                with pytest.raises(OperationFailure, match="not authorized"):
                    list(client["local"]["oplog.rs"].find().limit(1))
        finally:
            mongod.stop()


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("4.2.24", "漏洞.*停止维护"),
        ("6.0.5", "漏洞.*停止维护"),
        ("6.0.27", "停止维护"),
        ("7.0.27", "漏洞"),
        ("8.1.2", "漏洞"),
        ("8.2.2-rc0", "漏洞"),
    ],
)
def test_a_version_that_leaks_or_is_not_maintained_is_named(version: str, words: str) -> None:
    assert re.search(words, weakness(version))


@pytest.mark.parametrize("version", ["7.0.28", "8.0.17", "8.2.3", "9.0.0"])
def test_a_version_that_is_mended_is_not(version: str) -> None:
    assert weakness(version) == ""
