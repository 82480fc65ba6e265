"""The demo network as a table of facts: real cities, stations and roads; fictional operators and timetables.

Coordinates are WGS 84, of the stations themselves. Running times are a coach's, with its halts and the traffic.
"""

from dataclasses import dataclass

from farebox.core.i18n import N_

VIETNAM, CHINA = "Asia/Ho_Chi_Minh", "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Station:
    """A bus station. `english` is its name in English."""

    id: str
    name: str
    lat: float
    lon: float
    english: str


@dataclass(frozen=True, slots=True)
class City:
    """A place to travel to. `english` and `chinese` are empty where the name is the same, or has none."""

    id: str
    name: str
    english: str
    stations: tuple[Station, ...]
    chinese: str = ""
    timezone: str = VIETNAM


@dataclass(frozen=True, slots=True)
class Operator:
    """A company that exists only here: its domain is reserved for examples, its phone numbers lie in no network."""

    id: str
    name: str
    domain: str
    phone: str
    address: str
    color: str


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A kind of vehicle. Its seats make the class of fares: `standard`, `limousine` or `sleeper`."""

    id: str
    operator: str
    name: str
    seat_plan: str
    fare_class: str
    amenities: str


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A line, told in the direction that leaves its first stop; the way back is its mirror.

    Attributes:
        stops: "station minutes[+dwell][flag]" for each, minutes from the first departure to arriving there. `<` marks
            a stop that only picks up on the way out (and only sets down on the way back), `>` one that only sets down
            on the way out: nobody is carried inside a city, or inside the other country.
        out, back: departure times of every day.
        weekend_out, weekend_back: further ones on Fridays, Saturdays and Sundays.
    """

    id: str
    vehicle: str
    stops: str
    out: str
    back: str
    weekend_out: str = ""
    weekend_back: str = ""


# fmt: off
CITIES = (
    City("hanoi", "Hà Nội", "Hanoi", (
        Station("giap-bat", "Bến xe Giáp Bát", 20.9806, 105.8414, "Giap Bat bus station"),
        Station("my-dinh", "Bến xe Mỹ Đình", 21.0284, 105.7783, "My Dinh bus station"),
        Station("nuoc-ngam", "Bến xe Nước Ngầm", 20.9646, 105.8422, "Nuoc Ngam bus station"),
        Station("gia-lam", "Bến xe Gia Lâm", 21.0484, 105.8783, "Gia Lam bus station"))),
    City("hai-phong", "Hải Phòng", "Hai Phong", (
        Station("vinh-niem", "Bến xe Vĩnh Niệm", 20.8215, 106.6690, "Vinh Niem bus station"),)),
    City("ha-long", "Hạ Long", "Ha Long", (
        Station("bai-chay", "Bến xe Bãi Cháy", 20.9690, 107.0150, "Bai Chay bus station"),)),
    City("cam-pha", "Cẩm Phả", "Cam Pha", (
        Station("cam-pha-bus", "Bến xe Cẩm Phả", 21.0090, 107.2730, "Cam Pha bus station"),)),
    City("mong-cai", "Móng Cái", "Mong Cai", (
        Station("mong-cai-bus", "Bến xe Móng Cái", 21.5290, 107.9620, "Mong Cai bus station"),)),
    City("lang-son", "Lạng Sơn", "Lang Son", (
        Station("lang-son-north", "Bến xe Phía Bắc Lạng Sơn", 21.8640, 106.7590, "Lang Son northern bus station"),)),
    City("pingxiang", "Bằng Tường", "Pingxiang", (
        Station("pingxiang-bus", "Bến xe Bằng Tường", 22.0970, 106.7570, "Pingxiang bus station"),), "凭祥", CHINA),
    City("nanning", "Nam Ninh", "Nanning", (
        Station("langdong", "Bến xe Lãng Đông", 22.8150, 108.3940, "Langdong bus station"),), "南宁", CHINA),
    City("lao-cai", "Lào Cai", "Lao Cai", (
        Station("lao-cai-central", "Bến xe Trung tâm Lào Cai", 22.4250, 103.9910, "Lao Cai central bus station"),)),
    City("sa-pa", "Sa Pa", "", (
        Station("sa-pa-bus", "Bến xe Sa Pa", 22.3450, 103.8450, "Sa Pa bus station"),)),
    City("ninh-binh", "Ninh Bình", "Ninh Binh", (
        Station("ninh-binh-bus", "Bến xe Ninh Bình", 20.2470, 105.9760, "Ninh Binh bus station"),)),
    City("thanh-hoa", "Thanh Hóa", "Thanh Hoa", (
        Station("thanh-hoa-north", "Bến xe Phía Bắc Thanh Hóa", 19.8360, 105.7760, "Thanh Hoa northern bus station"),)),
    City("vinh", "Vinh", "", (
        Station("bac-vinh", "Bến xe Bắc Vinh", 18.7190, 105.6710, "Bac Vinh bus station"),)),
    City("ha-tinh", "Hà Tĩnh", "Ha Tinh", (
        Station("ha-tinh-bus", "Bến xe Hà Tĩnh", 18.3570, 105.8960, "Ha Tinh bus station"),)),
    City("dong-hoi", "Đồng Hới", "Dong Hoi", (
        Station("dong-hoi-bus", "Bến xe Đồng Hới", 17.4740, 106.6070, "Dong Hoi bus station"),)),
    City("dong-ha", "Đông Hà", "Dong Ha", (
        Station("dong-ha-bus", "Bến xe Đông Hà", 16.8060, 107.1050, "Dong Ha bus station"),)),
    City("hue", "Huế", "Hue", (
        Station("hue-south", "Bến xe Phía Nam Huế", 16.4466, 107.6099, "Hue southern bus station"),)),
    City("da-nang", "Đà Nẵng", "Da Nang", (
        Station("da-nang-central", "Bến xe Trung tâm Đà Nẵng", 16.0560, 108.1720, "Da Nang central bus station"),)),
    City("hoi-an", "Hội An", "Hoi An", (
        Station("hoi-an-bus", "Bến xe Hội An", 15.8860, 108.3180, "Hoi An bus station"),)),
    City("quang-ngai", "Quảng Ngãi", "Quang Ngai", (
        Station("quang-ngai-bus", "Bến xe Quảng Ngãi", 15.1050, 108.8060, "Quang Ngai bus station"),)),
    City("quy-nhon", "Quy Nhơn", "Quy Nhon", (
        Station("quy-nhon-central", "Bến xe Trung tâm Quy Nhơn", 13.7555, 109.2090, "Quy Nhon central bus station"),)),
    City("tuy-hoa", "Tuy Hòa", "Tuy Hoa", (
        Station("tuy-hoa-bus", "Bến xe Liên tỉnh Phú Yên", 13.1000, 109.2990, "Phu Yen bus station"),)),
    City("nha-trang", "Nha Trang", "", (
        Station("nha-trang-south", "Bến xe Phía Nam Nha Trang", 12.2560, 109.1260, "Nha Trang southern bus station"),)),
    City("phan-rang", "Phan Rang", "", (
        Station("phan-rang-bus", "Bến xe Phan Rang", 11.5810, 108.9920, "Phan Rang bus station"),)),
    City("phan-thiet", "Phan Thiết", "Phan Thiet", (
        Station("phan-thiet-bus", "Bến xe Phan Thiết", 10.9440, 108.1140, "Phan Thiet bus station"),)),
    City("da-lat", "Đà Lạt", "Da Lat", (
        Station("da-lat-bus", "Bến xe Liên tỉnh Đà Lạt", 11.9265, 108.4455, "Da Lat bus station"),)),
    City("bao-loc", "Bảo Lộc", "Bao Loc", (
        Station("bao-loc-bus", "Bến xe Bảo Lộc", 11.5430, 107.8030, "Bao Loc bus station"),)),
    City("buon-ma-thuot", "Buôn Ma Thuột", "Buon Ma Thuot", (
        Station("bmt-north", "Bến xe Phía Bắc Buôn Ma Thuột", 12.7010, 108.0660, "Buon Ma Thuot northern station"),)),
    City("pleiku", "Pleiku", "", (
        Station("pleiku-bus", "Bến xe Đức Long", 13.9700, 108.0150, "Duc Long bus station"),)),
    City("ho-chi-minh-city", "TP. Hồ Chí Minh", "Ho Chi Minh City (Saigon)", (
        Station("mien-dong", "Bến xe Miền Đông", 10.8149, 106.7113, "Mien Dong bus station"),
        Station("mien-tay", "Bến xe Miền Tây", 10.7405, 106.6185, "Mien Tay bus station"))),
    City("vung-tau", "Vũng Tàu", "Vung Tau", (
        Station("vung-tau-bus", "Bến xe Vũng Tàu", 10.3505, 107.0848, "Vung Tau bus station"),)),
    City("my-tho", "Mỹ Tho", "My Tho", (
        Station("my-tho-bus", "Bến xe Tiền Giang", 10.3668, 106.3430, "Tien Giang bus station"),)),
    City("can-tho", "Cần Thơ", "Can Tho", (
        Station("can-tho-central", "Bến xe Trung tâm Cần Thơ", 10.0030, 105.7710, "Can Tho central bus station"),)),
    City("soc-trang", "Sóc Trăng", "Soc Trang", (
        Station("soc-trang-bus", "Bến xe Sóc Trăng", 9.6030, 105.9650, "Soc Trang bus station"),)),
    City("ca-mau", "Cà Mau", "Ca Mau", (
        Station("ca-mau-bus", "Bến xe Cà Mau", 9.1660, 105.1680, "Ca Mau bus station"),)),
    City("rach-gia", "Rạch Giá", "Rach Gia", (
        Station("rach-gia-bus", "Bến xe Rạch Giá", 9.9535, 105.1190, "Rach Gia bus station"),)),
    City("long-xuyen", "Long Xuyên", "Long Xuyen", (
        Station("long-xuyen-bus", "Bến xe Long Xuyên", 10.3650, 105.4520, "Long Xuyen bus station"),)),
    City("chau-doc", "Châu Đốc", "Chau Doc", (
        Station("chau-doc-bus", "Bến xe Châu Đốc", 10.6870, 105.1340, "Chau Doc bus station"),)),
)

OPERATORS = (
    Operator("truong-son-lines", "Trường Sơn Lines", "truongson.example", "+84 24 0000 0101",
             "1 Phố Ví Dụ, Hà Nội", "#0b7a75"),
    Operator("sao-dem-sleeper", "Sao Đêm Sleeper", "saodem.example", "+84 28 0000 0202",
             "22 Đường Mẫu, TP. Hồ Chí Minh", "#6a5acd"),
    Operator("may-trang-limousine", "Mây Trắng Limousine", "maytrang.example", "+84 236 0000 303",
             "333 Đại lộ Minh Họa, Đà Nẵng", "#b4491c"),
)

VEHICLES = (
    Vehicle("coach-45", "truong-son-lines", N_("Coach 45"), "standard-45", "standard",
            "air-conditioning;wifi;usb;reclining"),
    Vehicle("sleeper-34", "sao-dem-sleeper", N_("Sleeper 34"), "sleeper-34", "sleeper",
            "air-conditioning;wifi;usb;blanket;water;toilet"),
    Vehicle("limousine-9", "may-trang-limousine", N_("Limousine 9"), "limousine-9", "limousine",
            "air-conditioning;wifi;usb;water;snack;reclining"),
)

LINES = (
    LineFacts("TS1", "coach-45",
        "giap-bat 0; ninh-binh-bus 110; thanh-hoa-north 185; bac-vinh 400+20; ha-tinh-bus 470; "
        "dong-hoi-bus 630+20; dong-ha-bus 745; hue-south 830+10; da-nang-central 960",
        out="05:30 06:30 13:30 18:00", back="05:00 07:30 14:00 17:30", weekend_out="20:30", weekend_back="19:30"),
    LineFacts("TS2", "coach-45", "giap-bat 0; gia-lam 30<; vinh-niem 135",
        out="05:30 07:00 08:00 09:00 10:30 12:00 13:30 15:00 16:30 18:00",
        back="05:00 06:30 07:30 09:00 10:30 12:00 13:30 15:00 16:30 18:30",
        weekend_out="19:30", weekend_back="20:00"),
    LineFacts("TS3", "coach-45", "my-dinh 0; gia-lam 35<; bai-chay 195+5; cam-pha-bus 240; mong-cai-bus 395",
        out="06:00 08:00 10:30 13:00 16:00", back="05:30 07:30 10:00 13:00 15:30",
        weekend_out="07:00", weekend_back="17:00"),
    LineFacts("TS4", "coach-45", "my-dinh 0; gia-lam 30<; lang-son-north 205",
        out="06:15 09:00 12:30 16:30", back="05:45 09:30 13:00 16:00"),
    LineFacts("TS5", "coach-45", "my-dinh 0; gia-lam 30<; lang-son-north 205+15; pingxiang-bus 330+10>; langdong 525>",
        out="07:15 20:30", back="08:00 19:00", weekend_out="10:00", weekend_back="13:00"),
    LineFacts("TS6", "coach-45",
        "mien-tay 0; my-tho-bus 80; can-tho-central 205+15; soc-trang-bus 290; ca-mau-bus 430",
        out="05:00 07:00 09:30 13:00 16:00 21:30", back="05:30 07:30 10:00 13:00 16:30 22:00",
        weekend_out="18:30", weekend_back="18:00"),
    LineFacts("TS7", "coach-45", "mien-tay 0; my-tho-bus 80; long-xuyen-bus 255+10; chau-doc-bus 335",
        out="06:00 09:00 12:00 15:00 22:30", back="05:30 08:30 12:00 15:30 22:00"),
    LineFacts("TS8", "coach-45",
        "da-nang-central 0; hoi-an-bus 50; quang-ngai-bus 175+10; quy-nhon-central 385+20; tuy-hoa-bus 505; "
        "nha-trang-south 640",
        out="06:00 08:30 12:00", back="06:30 09:00 12:30"),
    LineFacts("SD1", "sleeper-34",
        "giap-bat 0; nuoc-ngam 15<; ninh-binh-bus 105; thanh-hoa-north 175; bac-vinh 375+20; ha-tinh-bus 440; "
        "dong-hoi-bus 595+10; dong-ha-bus 700; hue-south 780+20; da-nang-central 900+20; quang-ngai-bus 1060; "
        "quy-nhon-central 1255+20; tuy-hoa-bus 1370; nha-trang-south 1505+20; phan-rang-bus 1640; phan-thiet-bus 1795; "
        "mien-dong 2010",
        out="06:00 10:00 15:00 19:30", back="06:30 10:30 15:00 20:00"),
    LineFacts("SD2", "sleeper-34", "giap-bat 0; my-dinh 40<; lao-cai-central 320+10; sa-pa-bus 385",
        out="06:30 13:00 21:00 22:00", back="07:30 13:30 20:30 22:00",
        weekend_out="22:45", weekend_back="22:30"),
    LineFacts("SD3", "sleeper-34", "mien-dong 0; bao-loc-bus 255+10; da-lat-bus 405",
        out="07:00 11:00 15:00 22:00 23:15", back="07:30 11:00 15:30 22:00 23:00",
        weekend_out="23:45", weekend_back="23:30"),
    LineFacts("SD4", "sleeper-34", "mien-dong 0; bmt-north 465+15; pleiku-bus 680",
        out="07:30 17:00 20:00", back="06:30 16:30 19:30"),
    LineFacts("SD5", "sleeper-34",
        "da-nang-central 0; quang-ngai-bus 155; quy-nhon-central 360+15; nha-trang-south 615+15; da-lat-bus 810",
        out="16:30 19:00", back="16:00 18:30"),
    LineFacts("ML1", "limousine-9", "my-dinh 0; giap-bat 35<; ninh-binh-bus 120; thanh-hoa-north 190",
        out="06:00 09:00 12:30 15:30 18:30", back="05:30 08:30 12:00 15:00 18:00"),
    LineFacts("ML2", "limousine-9", "my-dinh 0; gia-lam 30<; vinh-niem 125; bai-chay 170",
        out="06:30 08:30 11:00 14:00 17:00", back="06:30 09:00 12:00 15:00 17:30",
        weekend_out="19:00", weekend_back="19:30"),
    LineFacts("ML3", "limousine-9", "mien-dong 0; vung-tau-bus 125",
        out="06:00 08:00 10:00 12:00 14:30 17:00 19:00", back="05:30 07:30 10:00 12:00 14:30 17:00 19:00",
        weekend_out="20:30", weekend_back="20:30"),
    LineFacts("ML4", "limousine-9", "hue-south 0; da-nang-central 120; hoi-an-bus 165",
        out="07:00 10:00 13:30 17:00", back="07:30 11:00 14:30 17:30"),
    LineFacts("ML5", "limousine-9", "mien-tay 0; my-tho-bus 75; can-tho-central 190+10; rach-gia-bus 310",
        out="06:30 10:00 14:00", back="06:00 10:30 14:30"),
)
# fmt: on
