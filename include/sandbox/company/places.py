"""Where people live and what they are called there; all names are common ones, none belongs to anybody."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A country as far as the company needs it."""

    locale: str
    country_code: str
    country: str
    time_zone: str
    utc_offset_hours: float
    provinces: tuple[str, ...]
    dialling_code: str
    weight: float
    """Share of the company's people."""


PLACES = (
    Place("en", "US", "United States", "America/New_York", -5, ("New York", "Ohio", "Florida"), "+1", 0.18),
    Place("en", "US", "United States", "America/Los_Angeles", -8, ("California", "Oregon"), "+1", 0.10),
    Place("en", "GB", "United Kingdom", "Europe/London", 0, ("England", "Scotland", "Wales"), "+44", 0.12),
    Place("en", "CA", "Canada", "America/Toronto", -5, ("Ontario", "Nova Scotia"), "+1", 0.05),
    Place("de", "DE", "Germany", "Europe/Berlin", 1, ("Berlin", "Bayern", "Hessen", "Sachsen"), "+49", 0.15),
    Place("de", "AT", "Austria", "Europe/Vienna", 1, ("Wien", "Tirol"), "+43", 0.04),
    Place("de", "CH", "Switzerland", "Europe/Zurich", 1, ("Zürich", "Bern"), "+41", 0.03),
    Place("fa", "IR", "Iran", "Asia/Tehran", 3.5, ("تهران", "اصفهان", "فارس"), "+98", 0.12),
    Place("fa", "AF", "Afghanistan", "Asia/Kabul", 4.5, ("کابل", "هرات"), "+93", 0.02),
    Place("ar", "AE", "United Arab Emirates", "Asia/Dubai", 4, ("دبي", "أبوظبي"), "+971", 0.04),
    Place("ar", "EG", "Egypt", "Africa/Cairo", 2, ("القاهرة", "الإسكندرية"), "+20", 0.05),
    Place("ar", "SA", "Saudi Arabia", "Asia/Riyadh", 3, ("الرياض", "جدة"), "+966", 0.03),
    Place("fr", "FR", "France", "Europe/Paris", 1, ("Île-de-France", "Bretagne", "Occitanie"), "+33", 0.05),
    Place("fr", "BE", "Belgium", "Europe/Brussels", 1, ("Bruxelles", "Liège"), "+32", 0.02),
)

# Where some people live by now whatever their country is: the ends of the world's clocks, and a quarter of an hour.
FAR_AWAY = ("Pacific/Pago_Pago", "Pacific/Kiritimati", "Asia/Kathmandu")

# Per locale: (as written, in Latin letters for addresses); women first, then men, then family names.
WOMEN: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (
        ("Anna", "anna"),
        ("Emily", "emily"),
        ("Grace", "grace"),
        ("Laura", "laura"),
        ("Ruth", "ruth"),
        ("Zoë", "zoe"),
    ),
    "de": (("Anja", "anja"), ("Birgit", "birgit"), ("Jörina", "joerina"), ("Katrin", "katrin"), ("Sabine", "sabine")),
    "fa": (("مریم", "maryam"), ("زهرا", "zahra"), ("نیلوفر", "niloufar"), ("سارا", "sara"), ("شیرین", "shirin")),
    "ar": (("فاطمة", "fatima"), ("ليلى", "layla"), ("مريم", "mariam"), ("نور", "nour"), ("هدى", "huda")),
    "fr": (("Amélie", "amelie"), ("Camille", "camille"), ("Élise", "elise"), ("Manon", "manon")),
}
MEN: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (
        ("Adam", "adam"),
        ("Brian", "brian"),
        ("James", "james"),
        ("Oscar", "oscar"),
        ("Sean", "sean"),
        ("Tom", "tom"),
    ),
    "de": (("Bernd", "bernd"), ("Jürgen", "juergen"), ("Lukas", "lukas"), ("Matthias", "matthias"), ("Uwe", "uwe")),
    "fa": (("علی", "ali"), ("رضا", "reza"), ("امیر", "amir"), ("کاوه", "kaveh"), ("بهرام", "bahram")),
    "ar": (("أحمد", "ahmed"), ("خالد", "khaled"), ("عمر", "omar"), ("يوسف", "youssef"), ("سامي", "sami")),
    "fr": (("Benoît", "benoit"), ("Hugo", "hugo"), ("Léo", "leo"), ("Théo", "theo")),
}
FAMILIES: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (
        ("Baker", "baker"),
        ("Carter", "carter"),
        ("Hill", "hill"),
        ("O'Neil", "oneil"),
        ("Smith", "smith"),
        ("Wood", "wood"),
    ),
    "de": (
        ("Groß", "gross"),
        ("Krämer", "kraemer"),
        ("Schulze", "schulze"),
        ("Weber", "weber"),
        ("von Arnim", "vonarnim"),
    ),
    "fa": (("احمدی", "ahmadi"), ("کریمی", "karimi"), ("رستمی", "rostami"), ("موسوی", "mousavi"), ("یوسفی", "yousefi")),
    "ar": (("الخطيب", "alkhatib"), ("حسن", "hassan"), ("منصور", "mansour"), ("النجار", "alnajjar")),
    "fr": (("Bernard", "bernard"), ("Dubois", "dubois"), ("Lefèvre", "lefevre"), ("Moreau", "moreau")),
}
JOBS = ("Accountant", "Architect", "Buyer", "Designer", "Engineer", "Nurse", "Office Manager", "Teacher", None, None)
SOURCES = ("ORGANIC_SEARCH", "PAID_SOCIAL", "EMAIL_MARKETING", "REFERRALS", "DIRECT_TRAFFIC", "PAID_SEARCH", "OFFLINE")
DOMAINS = ("example.com", "example.org", "example.net")
