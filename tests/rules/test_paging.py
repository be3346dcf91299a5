"""A cursor belongs to the order that it was taken in, and the last page knows how many rows there are."""

from admin.paging import LONGEST_WAY, Way
from server.kernel.mongo import by_age, new_id

FIRST, SECOND = new_id(), new_id()


def test_a_cursor_of_one_order_leads_nowhere_in_the_other() -> None:
    newest = Way.read("/list", {"q": "x"}, f"{FIRST}-{SECOND}")
    assert newest.cursor == SECOND and by_age({}, newest.cursor) == (
        {"$and": [{}, {"_id": {"$lt": SECOND}}]},
        -1,
    )
    oldest = Way.read("/list", {"q": "x", "sort": "oldest"}, f"{FIRST}-{SECOND}")
    assert oldest.previous is None and by_age({}, oldest.cursor) == ({"$and": [{}]}, 1)
    onward = oldest.next(FIRST)
    assert onward == f"/list?q=x&sort=oldest&way=%2B{FIRST}"
    again = Way.read("/list", {"q": "x", "sort": "oldest"}, f"+{FIRST}")
    assert by_age({}, again.cursor) == ({"$and": [{}, {"_id": {"$gt": FIRST}}]}, 1)
    assert Way.read("/list", {"q": "x"}, f"+{FIRST}").cursor is None
    assert oldest.sorted("") == "/list?q=x", "another order begins on its first page"


def test_the_last_page_counts_as_long_as_it_knows_its_way() -> None:
    assert Way.read("/list", {}, f"{FIRST}-{SECOND}").counted(20, 7) == 47
    assert Way.read("/list", {}, "-".join([FIRST] * LONGEST_WAY)).counted(20, 7) is None
