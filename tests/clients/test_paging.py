"""A paged list, read item by item."""

from clients.client import every


class Pages:
    """A list in pages, which remembers the cursors it was asked for."""

    def __init__(self, **pages: tuple[list[int], str | None]) -> None:
        self._pages = pages
        self.asked: list[str | None] = []

    async def __call__(self, cursor: str | None) -> tuple[list[int], str | None]:
        self.asked.append(cursor)
        return self._pages[cursor or "first"]


async def test_every_item_comes_once_and_in_order() -> None:
    pages = Pages(first=([1, 2], "b"), b=([3], "c"), c=([4, 5], None))
    assert [item async for item in every(pages)] == [1, 2, 3, 4, 5]
    assert pages.asked == [None, "b", "c"]


async def test_a_page_is_fetched_only_when_its_first_item_is_asked_for() -> None:
    pages = Pages(first=([1, 2], "b"), b=([3], None))
    items = every(pages)
    assert pages.asked == []
    assert [await anext(items), await anext(items)] == [1, 2]
    assert pages.asked == [None]
    assert await anext(items) == 3
    assert pages.asked == [None, "b"]


async def test_an_empty_page_in_between_does_not_end_the_list() -> None:
    pages = Pages(first=([], "b"), b=([], "c"), c=([1], None))
    assert [item async for item in every(pages)] == [1]


async def test_an_empty_list_has_no_items() -> None:
    assert [item async for item in every(Pages(first=([], None)))] == []
