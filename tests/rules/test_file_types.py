"""What an uploaded file is, by its content alone."""

from __future__ import annotations

import io
import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.uploads.file_types import (
    DOCX,
    HEAD,
    HEIC,
    JPEG,
    MP4,
    NAME_LONGEST,
    PDF,
    PNG,
    PPTX,
    TAIL,
    TEXT,
    WEBP,
    XLSX,
    ZIP,
    FileType,
    FileTypeRefused,
    Recogniser,
    safe_name,
)
from tests.assessing import zip_of


def recognise(content: bytes, step: int = 64 * 1024) -> FileType:
    recogniser = Recogniser()
    for begin in range(0, len(content), step):
        recogniser.feed(content[begin : begin + step])
    return recogniser.end()


def zip_with_a_link() -> bytes:
    """As Info-ZIP writes it with -y: the mode of a symbolic link, and where it leads as its content."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        link = zipfile.ZipInfo("report.txt")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return content.getvalue()


FILL = bytes(range(256)) * 40
ACCEPTED = {
    "pdf": (b"%PDF-1.7\n" + FILL, PDF),
    "pdf after a byte order mark": (b"\xef\xbb\xbf%PDF-1.4\n" + FILL, PDF),
    "pdf after a blank line": (b"\r\n%PDF-1.7\n" + FILL, PDF),
    "pdf after blanks of each kind": (b"\xef\xbb\xbf \t\x0c\0\r\n\n%PDF-2.0\n" + FILL, PDF),
    "pdf whose header ends with the first 1024 bytes": (b"\n" * 1019 + b"%PDF-1.7\n" + FILL, PDF),
    "short pdf after a blank line": (b"\n%PDF-1.7\n%%EOF", PDF),
    "png": (b"\x89PNG\r\n\x1a\n" + FILL, PNG),
    "jpeg": (b"\xff\xd8\xff\xe1" + FILL, JPEG),
    "webp": (b"RIFF\x10\0\0\0WEBPVP8 " + FILL, WEBP),
    "heic of an iPhone": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + FILL, HEIC),
    "mp4": (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2" + FILL, MP4),
    "zip": (zip_of("教案/第一课.txt"), ZIP),
    "docx": (zip_of("[Content_Types].xml", "_rels/.rels", "word/document.xml"), DOCX),
    "docx with its parts in another order": (
        zip_of("_rels/.rels", "word/document.xml", "[Content_Types].xml"),
        DOCX,
    ),
    "xlsx": (zip_of("[Content_Types].xml", "xl/workbook.xml"), XLSX),
    "pptx": (zip_of("[Content_Types].xml", "ppt/presentation.xml"), PPTX),
    "text": ("工学一体化\n".encode() * 2000, TEXT),
    "text with a byte order mark": (b"\xef\xbb\xbf" + "文本".encode(), TEXT),
    "text that speaks of a pdf": (b"the header is\n%PDF-1.7\n", TEXT),
    "text after more blanks than a pdf may begin with": (b"\n" * 1020 + b"%PDF-1.7\n", TEXT),
    "markdown": ("# 学习任务分析\n\n- 一\n".encode(), TEXT),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_on_the_list_is_recognised_however_it_arrives(name: str) -> None:
    content, known = ACCEPTED[name]
    for step in (1, 7, 4096, 1 << 20):
        assert recognise(content, step) == known


REFUSED = {
    "nothing": b"",
    "a Windows program": b"MZ\x90\0\3\0\0\0" + FILL,
    "a Linux program": b"\x7fELF\2\1\1\0" + FILL,
    "html": b"\n <!DOCTYPE html><html><script>1</script>",
    "html after a byte order mark": b"\xef\xbb\xbf<html>",
    "html that speaks of a pdf": b"\n<html>\n%PDF-1.7\n",
    "svg": b'<?xml version="1.0"?><svg onload="x()"/>',
    "a script": b"#!/bin/sh\nrm -rf ~\n",
    "an old Word file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "a film of QuickTime": b"\0\0\0\x14ftypqt  \0\0\2\0qt  " + FILL,
    "text in GB 18030": "工学一体化教师培训".encode("gb18030"),
    "text in UTF-16": "工学一体化".encode("utf-16"),
    "text that turns binary late": b"a" * (HEAD + 10) + b"\0" + b"a" * 10,
    "text that is no UTF-8 late": b"a" * (HEAD * 3) + b"\xff\xfe",
    "text cut within a character": "培训".encode()[:-1],
    "a Java archive": zip_of("META-INF/MANIFEST.MF", "A.class"),
    "an Android program": zip_of("AndroidManifest.xml", "classes.dex"),
    "a Word file with macros": zip_of("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
    "a zip cut short": zip_of("a.txt", "b.txt")[:-30],
    "a zip of nothing but its beginning": b"PK\x03\x04" + bytes(10),
    "a zip with a link to somewhere": zip_with_a_link(),
    "rar": b"Rar!\x1a\x07\x01\x00" + FILL,
}


@pytest.mark.parametrize("name", REFUSED)
def test_whatever_else_is_refused_however_it_arrives(name: str) -> None:
    for step in (1, 4096, 1 << 20):
        with pytest.raises(FileTypeRefused) as caught:
            recognise(REFUSED[name], step)
        assert caught.value.detail


def test_a_long_zip_is_known_by_its_end() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("big.bin", bytes(3 * TAIL))
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("ppt/presentation.xml", "x")
    assert recognise(file.getvalue()) == PPTX


@given(content=st.binary(max_size=300), step=st.integers(1, 300))
def test_any_content_is_recognised_or_refused(content: bytes, step: int) -> None:
    try:
        recognise(content, step)
    except FileTypeRefused as refused:
        assert refused.status == 415


@given(tail=st.binary(max_size=400))
def test_any_zip_is_recognised_or_refused(tail: bytes) -> None:
    try:
        recognise(b"PK\x03\x04" + tail)
    except FileTypeRefused as refused:
        assert refused.status == 415


def test_a_name_ends_as_what_the_file_is() -> None:
    assert safe_name("成果.PDF", PDF) == "成果.pdf"
    assert safe_name("index.html", TEXT) == "index.html.txt"
    assert safe_name("说明.md", TEXT) == "说明.md"
    assert safe_name("照片.jpeg", JPEG) == "照片.jpeg"
    assert safe_name(r"C:\教案\第一课.docx", DOCX) == "第一课.docx"
    assert safe_name("../../etc/passwd", TEXT) == "passwd.txt"
    assert safe_name("", PNG) == safe_name("....", PNG) == "未命名.png"


@given(name=st.text(max_size=300))
def test_any_name_becomes_a_plain_one(name: str) -> None:
    safe = safe_name(name, PDF)
    assert safe.endswith(".pdf") and len(safe) <= NAME_LONGEST
    assert safe.isprintable() and "/" not in safe and "\\" not in safe
