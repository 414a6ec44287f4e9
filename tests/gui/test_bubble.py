"""How a message is laid out: what a person would see, measured."""

import msgspec
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import FailReason, Message, MessageState, Reaction
from messenger.gui.bubble import PADDING, Bubble, Choice, Fonts, Span
from messenger.gui.theme import Theme

WIDTH = 400


def message(text: str, state: MessageState = MessageState.DELIVERED) -> Message:
    return Message(
        id=MessageId(bytes(16)),
        conversation=ConversationId(1),
        position=1,
        outgoing=True,
        state=state,
        reason=FailReason.BLOCKED if state is MessageState.FAILED else FailReason.NONE,
        text=text,
        sent_ms=0,
        stored_ms=0,
    )


@pytest.fixture
def fonts(theme: Theme) -> Fonts:
    small = theme.font("small"), theme.font("small", bold=True)
    return Fonts(theme.font("message"), theme.font("emoji"), *small)


def ink(bubble: Bubble, chosen: Choice | None = None) -> tuple[float, float]:
    """The leftmost and the rightmost column in which something of the text is painted."""
    image = QImage(WIDTH + 40, int(bubble.size.height()) + 10, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    bubble.draw(painter, QPointF(20, 0), QColor("black"), QColor("blue"), chosen)
    painter.end()
    white = QColor("white").rgb()
    columns = [
        x for x in range(image.width()) if any(image.pixel(x, y) != white for y in range(image.height()))
    ]
    return columns[0] - 20, columns[-1] - 20


def test_short_text_is_narrow_and_has_its_time_beside_it(fonts: Fonts) -> None:
    bubble = Bubble(message("Hi"), WIDTH, fonts)
    assert bubble.size.width() < WIDTH / 2
    assert bubble.meta.left() > PADDING
    left, right = ink(bubble)
    assert left >= PADDING - 1
    assert right < bubble.meta.left()


def test_what_was_done_to_a_message_stands_at_its_time(fonts: Fonts) -> None:
    done = msgspec.structs.replace(
        message("Hi"), edited_ms=5, reactions=(Reaction(outgoing=False, emoji="👍"),)
    )
    plain, marked = Bubble(message("Hi"), WIDTH, fonts), Bubble(done, WIDTH, fonts)
    assert marked.time == f"edited · {plain.time}", "reactions stand below"
    assert marked.meta.width() > plain.meta.width()
    assert marked.meta.left() >= PADDING
    assert marked.meta.right() <= marked.size.width() - PADDING + 1


def test_a_deleted_message_leaves_words_in_italics(fonts: Fonts) -> None:
    gone = msgspec.structs.replace(message("", MessageState.FAILED), deleted=True)
    bubble, plain = Bubble(gone, WIDTH, fonts), Bubble(message("You deleted this message"), WIDTH, fonts)
    assert bubble.text == plain.text
    assert ink(bubble) != ink(plain), "it leans"
    theirs = msgspec.structs.replace(gone, outgoing=False)
    assert Bubble(theirs, WIDTH, fonts).text == "This message was deleted"


def test_what_is_answered_stands_above_and_is_no_part_of_the_text(fonts: Fonts) -> None:
    plain = Bubble(message("yes"), WIDTH, fonts)
    bubble = Bubble(message("yes"), WIDTH, fonts, "Bob: are you there? " + "x" * 500)
    assert bubble.text == plain.text
    assert bubble.size.height() > plain.size.height()
    assert bubble.size.width() <= WIDTH
    assert ink(bubble)[1] > ink(plain)[1]
    top = bubble.size.height() - plain.size.height()
    assert not bubble.over_text(QPointF(PADDING + 1, top / 2))
    assert bubble.hit(QPointF(PADDING, bubble.size.height() - 5)) == 0
    assert not Bubble(message("👍"), WIDTH, fonts, "Bob: well?").large


def test_who_is_answered_stands_in_a_line_above(fonts: Fonts) -> None:
    words, named = "are you there? " + "x" * 500, "Bob " + "y" * 500
    plain, bubble = (Bubble(message("yes"), WIDTH, fonts, quote) for quote in (words, f"{named}\n{words}"))
    assert bubble.quote == plain.quote == words
    assert bubble.quote_rect.height() > plain.quote_rect.height()
    assert bubble.quote_rect.right() <= bubble.size.width() - PADDING + 1
    assert bubble.quote_rect.bottom() < bubble._paragraphs[0].top, "it covers no words"
    assert Bubble(message("yes"), WIDTH, fonts).quote_rect.isEmpty()
    assert ink(Bubble(message("yes"), WIDTH, fonts, "אדם\nשלום"))[1] <= WIDTH - PADDING + 1


def test_lines_of_code_stand_apart(fonts: Fonts) -> None:
    plain = Bubble(message("one\ntwo\n\nthree\nfour"), WIDTH, fonts)
    coded = Bubble(message("one\n```\ntwo\n\nthree\n```\nfour"), WIDTH, fonts)
    assert coded.text == plain.text
    (block,) = coded._blocks
    assert [paragraph.block for paragraph in coded._paragraphs] == [False, True, True, True, False]
    before, *within, after = coded._paragraphs
    assert before.top + before.height <= block.top() < within[0].top
    assert within[-1].top + within[-1].height <= block.bottom() + 2 < after.top + 2
    assert block.right() <= coded.size.width()
    assert plain._blocks == []


def test_long_text_takes_several_lines_within_the_width(fonts: Fonts) -> None:
    short, long = Bubble(message("word"), WIDTH, fonts), Bubble(message("word " * 60), WIDTH, fonts)
    assert long.size.height() > 4 * short.size.height()
    assert long.size.width() <= WIDTH
    assert Bubble(message("x" * 500), WIDTH, fonts).size.width() <= WIDTH
    assert ink(long)[1] <= WIDTH - PADDING + 1


@pytest.mark.parametrize("text", ["שלום", "مرحبا بالعالم"])
def test_right_to_left_stands_at_the_right_of_its_bubble(fonts: Fonts, text: str) -> None:
    bubble = Bubble(message(f"{text}\nand a much longer English line"), WIDTH, fonts)
    alone = Bubble(message(text), WIDTH, fonts)
    left, right = ink(alone)
    assert left >= PADDING - 2
    assert right <= alone.size.width() - PADDING + 2
    first, last = bubble._paragraphs
    assert first.mirrored
    assert not last.mirrored
    assert first.left + WIDTH - 2 * PADDING == pytest.approx(bubble.size.width() - 2 * PADDING)


def test_emoji_alone_are_large(fonts: Fonts) -> None:
    small, large = Bubble(message("a"), WIDTH, fonts), Bubble(message("👍"), WIDTH, fonts)
    assert large.large
    assert not small.large
    assert large.size.height() > 1.4 * small.size.height()


def test_a_link_is_found_under_the_mouse_even_behind_emoji(fonts: Fonts) -> None:
    bubble = Bubble(message("👍👍 https://example.org end"), 2 * WIDTH, fonts)
    middle = bubble.size.height() / 2
    links = [bubble.link_at(QPointF(x, middle)) for x in range(int(bubble.size.width()))]
    assert set(links) == {"", "https://example.org"}
    first, last = links.index("https://example.org"), len(links) - links[::-1].index("https://example.org")
    assert bubble.hit(QPointF(first + 1, middle)) in {3, 4}
    assert bubble.text[bubble.hit(QPointF(last, middle)) :].strip() == "end"
    assert bubble.link_at(QPointF(first + 5, -5)) == ""


def test_a_place_is_found_in_every_line(fonts: Fonts) -> None:
    bubble = Bubble(message("one\ntwo\nthree"), WIDTH, fonts)
    tops = [paragraph.top + 3 for paragraph in bubble._paragraphs]
    assert [bubble.hit(QPointF(PADDING, top)) for top in tops] == [0, 4, 8]
    assert bubble.hit(QPointF(WIDTH, tops[2])) == len("one\ntwo\nthree")
    assert bubble.hit(QPointF(WIDTH, 10_000)) == len("one\ntwo\nthree")
    assert bubble.word_at(5) == Span(4, 7)
    assert bubble.word_at(3) == Span(0, 3)


def test_a_selection_is_painted(fonts: Fonts) -> None:
    bubble = Bubble(message("one two"), WIDTH, fonts)
    assert ink(bubble, Choice(Span(0, 7), QColor("yellow")))[0] <= ink(bubble)[0]


def test_a_huge_message_is_cut_and_says_so(fonts: Fonts) -> None:
    bubble = Bubble(message("\n" * 60_000), WIDTH, fonts)
    assert bubble.cut
    assert bubble.more
    assert bubble.size.height() < 2_000
    assert bubble.more_rect.height() > 0


@pytest.mark.parametrize(
    "text", ["\u202eevil\u202c", "a\u2028b\u2029c", "\t\x00\x07", "e" + "\u0301" * 500, "🏽"]
)
def test_strange_text_is_laid_out(fonts: Fonts, text: str, qapp: QApplication) -> None:  # noqa: ARG001
    bubble = Bubble(message(text), WIDTH, fonts)
    assert 0 < bubble.size.width() <= WIDTH
    bubble.hit(QPointF(20, 20))


def test_code_has_characters_of_one_width_and_no_links(theme: Theme) -> None:
    small = theme.font("small"), theme.font("small", bold=True)
    fonts = Fonts(theme.font("message"), theme.font("emoji"), *small, theme.font("code"))
    narrow, wide = (Bubble(message(f"`{c * 40}`"), WIDTH * 2, fonts) for c in "iM")
    assert narrow.size.width() == wide.size.width()
    bubble = Bubble(message("`https://example.org`"), WIDTH, fonts)
    assert bubble.text == "https://example.org"
    assert bubble.link_at(QPointF(PADDING + 10, bubble.size.height() / 2)) == ""
    assert all(p.block for p in Bubble(message("```\na\nb\n```"), WIDTH, fonts)._paragraphs)
