"""The printed ticket: accessible, readable by machines, harmless whatever people are called."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import UUID

import pikepdf
import pytest
import zxingcpp
from tests.ticketing.paper import pages_of, structure_of, text_of

from farebox.core.crypto import Secrets
from farebox.core.i18n import language
from farebox.ticketing import CardStop, Fact, TicketCard, TicketClaims, TicketStatus, press, qr_svg, readable_on
from farebox.ticketing.pdf import document_of, print_now
from farebox.ticketing.tokens import sign_token

STARTS = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
TOKEN = sign_token(
    TicketClaims(UUID(int=1), UUID(int=2), 0, 5, STARTS, STARTS + timedelta(hours=6), "5C"),
    Secrets(b"s" * 32, b"k" * 32),
)


def stop(place: str, name: str, time: str) -> CardStop:
    return CardStop(place=place, name=name, time=time, day="Wed 25 Nov 2026", iso="", platform="12")


def card(passenger: str = "Nguyễn Thị Ánh", **others: object) -> TicketCard:
    facts: dict[str, object] = {
        "ticket_id": UUID(int=1),
        "booking_id": UUID(int=2),
        "passenger_id": UUID(int=3),
        "status": TicketStatus.ISSUED,
        "reference": "BUS20261125K7QM2X",
        "operator": "Trường Sơn Lines",
        "brand": "#0b5d4b",
        "on_brand": "#ffffff",
        "heading": "Hà Nội to Vinh",
        "subheading": "Wednesday 25 November 2026",
        "board": stop("Hà Nội", "Bến xe Giáp Bát", "06:30"),
        "alight": stop("Vinh", "Bến xe Bắc Vinh", "13:10"),
        "duration": "6 h 40",
        "zone_note": "Times are local: Indochina Time, GMT+7.",
        "passenger": passenger,
        "passenger_type": "Adult",
        "document": "Passport •••••678",
        "seat": "5C",
        "seat_kind": "Limousine armchair",
        "line": "Thống Nhất Express · Vinh",
        "vehicle": "Limousine, 9 seats",
        "counted": "Ticket 1 of 2",
        "lines": (Fact(label="Seat 5C", value="₫320,000"),),
        "total": Fact(label="This ticket", value="₫320,000"),
        "beside": (Fact(label="Tax included", value="₫23,704"),),
        "booking": (Fact(label="Reference", value="BUS20261125K7QM2X"), Fact(label="Status", value="Confirmed")),
        "terms": ("Be at the stop 15 minutes before departure.",),
        "contacts": ("Trường Sơn Lines", "+84 24 3864 1234"),
        "token": TOKEN,
    }
    return TicketCard(**(facts | others))  # type: ignore[arg-type]


def printed(*cards: TicketCard) -> bytes:
    return print_now(document_of(cards or [card()]))


def test_the_page_is_a4_portrait_and_its_code_reads_from_the_picture() -> None:
    pdf = printed()
    with pikepdf.open(BytesIO(pdf)) as document:
        [page] = document.pages
        assert [round(float(edge)) for edge in page.mediabox] == [0, 0, 595, 842]
    for dpi in (72, 100, 300):
        [code] = zxingcpp.read_barcodes(pages_of(pdf, dpi=dpi)[0])
        assert code.text == TOKEN


def test_all_sections_can_be_read_as_text() -> None:
    text = text_of(printed())
    for expected in (
        "Trường Sơn Lines", "E-ticket", "BUS20261125K7QM2X", "Hà Nội to Vinh", "Wednesday 25 November 2026",
        "06:30", "13:10", "Bến xe Giáp Bát", "6 h 40", "Indochina Time, GMT+7", "Nguyễn Thị Ánh", "Passport •••••678",
        "Adult", "5C", "Platform", "12", "Thống Nhất Express", "Limousine, 9 seats", "Ticket 1 of 2", "₫320,000",
        "Tax included", "Confirmed", "Be at the stop 15 minutes before departure.", "+84 24 3864 1234",
    ):  # fmt: skip
        assert expected in text


def test_it_declares_itself_accessible_and_is_tagged() -> None:
    with language("vi"):
        pdf = printed(card(), card())
    with pikepdf.open(BytesIO(pdf)) as document:
        assert bool(document.Root.MarkInfo.Marked)
        assert str(document.Root.Lang) == "vi"
        assert bool(document.Root.ViewerPreferences.DisplayDocTitle)
        with document.open_metadata() as metadata:
            assert metadata["{http://www.aiim.org/pdfua/ns/id/}part"] == "1"
            assert metadata["dc:title"].endswith("BUS20261125K7QM2X")
    kinds = [kind for kind, _ in structure_of(pdf)]
    assert kinds.count("H1") == 2
    assert kinds.count("Figure") == 2
    assert kinds.count("Table") == 2
    assert {"TH", "TD", "L", "LI"} <= set(kinds)
    for kind, attributes in structure_of(pdf):
        if kind == "Figure":
            assert "Nguyễn Thị Ánh" in attributes["Alt"]
            assert "5C" in attributes["Alt"]


def test_fonts_are_embedded() -> None:
    fonts = 0
    with pikepdf.open(BytesIO(printed())) as document:
        for thing in document.objects:
            if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/FontDescriptor":
                fonts += 1
                assert "/FontFile2" in thing or "/FontFile3" in thing
                assert "Inter" in str(thing.FontName)
    assert fonts


@pytest.mark.parametrize(
    "name",
    [
        "Nguyễn Thị Ánh Tuyết Phượng Đặng Ữ",
        "Łukasz Żółć-Gęślą",
        "Jürgen Weißmüller",
        "Þórður Ægisson",
        "Γιώργος Παπαδόπουλος",
        "Дмитрий Щёкин",
        '#panic("no") *bold* _it_ $x^2$ @ref <label> [a] {b} // c /* d */ \\ `raw` ~ = - + 1.',
        '"); #read("/etc/passwd") // \' " </script>',
        "A" * 255,
    ],
)
def test_any_name_is_printed_as_it_is(name: str) -> None:
    assert name.replace(" ", "") in "".join(text_of(printed(card(name))).replace("\u200b", "").split())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Nguye\u0302\u0303n", "Nguyễn"),
        ("An\u200bna\x00 \u202eB\x07", "Anna B"),
    ],
)
def test_names_are_composed_and_have_nothing_invisible(name: str, expected: str) -> None:
    assert expected in text_of(printed(card(name)))


def test_a_script_that_no_font_has_is_spelt_in_latin_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    without_system_fonts = press._compiler(press.TICKET, with_system_fonts=False)
    monkeypatch.setattr(press, "_compiler", lambda template, with_system_fonts: without_system_fonts)
    text = text_of(printed(card("李小龙 Ánh", alight=stop("南宁", "埌东", "05:40"))))
    assert "Li Xiao Long Ánh" in text
    assert "Nan Ning" in text


@pytest.mark.parametrize("name", ["李小龙", "สมชาย", "محمد", "שלום", "🚌 bus", "\U000e0001\ue000", "\u0378"])
def test_no_name_stops_the_press(name: str) -> None:
    assert zxingcpp.read_barcodes(pages_of(printed(card(name)))[0])[0].text == TOKEN


def test_the_fonts_have_every_character_that_is_said_to_be_printable() -> None:
    characters = "".join(
        chr(code) for code in range(0x20, 0x2300) if not press._OTHERS.match(chr(code)) and chr(code).isprintable()
    )
    assert len(characters) > 900
    page = document_of([card()])
    page["cards"][0]["qr"] = qr_svg(TOKEN)
    page["cards"][0]["terms"] = [characters[start : start + 60] for start in range(0, len(characters), 60)]
    assert press._compile(page, with_system_fonts=False)  # PDF/UA refuses a character without a glyph


def test_sixty_passengers_are_sixty_pages() -> None:
    pdf = printed(*(card(f"Passenger {number}") for number in range(60)))
    with pikepdf.open(BytesIO(pdf)) as document:
        assert len(document.pages) == 60
    assert "Passenger 59" in text_of(pdf)


def test_equal_tickets_print_the_same_text_and_the_press_keeps_no_copy() -> None:
    assert text_of(printed()) == text_of(printed())
    assert json.dumps(document_of([card()])) == json.dumps(document_of([card()]))


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ("#0b5d4b", ("#0b5d4b", "#ffffff")),
        ("#FFB81C", ("#ffb81c", "#15171a")),
        ("#ffffff", ("#ffffff", "#15171a")),
        ("", ("#121316", "#ffc247")),
        ("red", ("#121316", "#ffc247")),
        ("#12345", ("#121316", "#ffc247")),
        ('#123456"); evil', ("#121316", "#ffc247")),
        ("#gggggg", ("#121316", "#ffc247")),
        ("#+1+1+1", ("#121316", "#ffc247")),
    ],
)
def test_text_is_readable_on_any_brand(color: str, expected: tuple[str, str]) -> None:
    assert readable_on(color) == expected
