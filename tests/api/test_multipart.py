"""The multipart reader: the same parts however the bytes arrive, and nothing but a problem for a body that is no form."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniprogram_api.multipart import Event, MultipartReader, PartBegins, PartEnds
from server.kernel.errors import BadRequest, UnsupportedMediaType

KIND = "multipart/form-data; boundary=edge"
BODY = (
    '--edge\r\nContent-Disposition: form-data; name="text"\r\n\r\n第一行\r\n--edg\r\n'
    '--edge\r\nContent-Disposition: form-data; name="files"; filename="教案 \\"终稿\\".pdf"\r\n'
    "Content-Type: application/pdf\r\n\r\n%PDF-\r\n\r\n--edge--\r\n"
).encode()
PARTS = [
    (PartBegins("text", None), "第一行\r\n--edg".encode()),
    (PartBegins("files", '教案 "终稿".pdf'), b"%PDF-\r\n"),
]


def parts_of(events: list[Event]) -> list[tuple[PartBegins, bytes]]:
    parts: list[tuple[PartBegins, bytes]] = []
    for event in events:
        match event:
            case PartBegins():
                parts.append((event, b""))
            case bytes():
                parts[-1] = (parts[-1][0], parts[-1][1] + event)
            case PartEnds():
                pass
    return parts


@given(cuts=st.lists(st.integers(0, len(BODY)), max_size=8))
def test_the_parts_are_the_same_however_the_bytes_arrive(cuts: list[int]) -> None:
    reader = MultipartReader(KIND)
    edges = [0, *sorted(cuts), len(BODY)]
    events = [event for begin, end in pairwise(edges) for event in reader.feed(BODY[begin:end])]
    assert parts_of(events) == PARTS
    assert sum(isinstance(event, PartEnds) for event in events) == 2 and reader.complete


def test_a_body_that_was_cut_off_is_not_complete() -> None:
    reader = MultipartReader(KIND)
    reader.feed(BODY[:-6])
    assert not reader.complete


@given(body=st.binary(max_size=400), mixed=st.integers(0, len(BODY)))
def test_any_bytes_are_read_or_refused(body: bytes, mixed: int) -> None:
    reader = MultipartReader(KIND)
    try:
        reader.feed(BODY[:mixed] + body)
    except BadRequest as refused:
        assert refused.detail


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/json", "multipart/mixed; boundary=x", "\xff"]
)
def test_another_type_of_content_is_refused(kind: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        MultipartReader(kind)


@given(kind=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255), max_size=100))
def test_any_content_type_is_read_or_refused(kind: str) -> None:
    for given_kind in (kind, f"multipart/form-data; boundary={kind}"):
        try:
            MultipartReader(given_kind)
        except (BadRequest, UnsupportedMediaType) as refused:
            assert refused.detail
