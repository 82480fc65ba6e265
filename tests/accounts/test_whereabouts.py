"""What a sign-in tells of its device and place."""

import pytest

from farebox.accounts import describe_device, describe_place

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "told"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0", "Firefox, Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/129.0 Safari/537.36 Edg/129.0", "Edge, Windows"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/129.0 Mobile Safari/537.36", "Chrome, Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
            " Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari, iPhone",
        ),
        ("curl/8.5.0", "curl"),
        ("", ""),
        ("<script>alert(1)</script>", ""),
        ("nonsense\x00\n" * 10_000, ""),
    ],
)
def test_a_device_is_told_by_browser_and_system(user_agent, told):
    assert describe_device(user_agent) == told


@pytest.mark.parametrize(
    ("address", "country", "told"),
    [
        ("203.0.113.77", "", "203.0.113.0/24"),
        ("2001:db8:aaaa:bbbb::1", "", "2001:db8:aaaa::/48"),
        ("::ffff:203.0.113.77", "", "203.0.113.0/24"),
        ("fe80::1%eth0", "", "fe80::/48"),
        ("203.0.113.77", "VN", "VN, 203.0.113.0/24"),
        ("203.0.113.77", "vn", "VN, 203.0.113.0/24"),
        ("203.0.113.77", "XX", "203.0.113.0/24"),
        ("203.0.113.77", "T1", "203.0.113.0/24"),
        ("203.0.113.77", "<b>", "203.0.113.0/24"),
        ("", "", ""),
        ("testclient", "DE", "DE"),
    ],
)
def test_a_place_is_a_network_and_the_country_that_a_proxy_tells(address, country, told):
    assert describe_place(address, country) == told
