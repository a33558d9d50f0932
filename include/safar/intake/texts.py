"""What the unsubscribe page says, by language. ``{address}`` is the masked address."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Texts:
    """All words of the page in one language."""

    language: str
    direction: str
    this_address: str
    ask_title: str
    ask_text: str
    ask_button: str
    done_title: str
    done_text: str
    invalid_title: str
    invalid_text: str
    expired_title: str
    expired_text: str
    unavailable_title: str
    unavailable_text: str


ENGLISH = Texts(
    language="en",
    direction="ltr",
    this_address="this address",
    ask_title="Unsubscribe from our e-mail?",
    ask_text="We will stop sending offers and news to {address}. Mail about your orders will still reach you.",
    ask_button="Unsubscribe",
    done_title="You are unsubscribed",
    done_text="From now on we send no more offers and news to {address}. You can close this page.",
    invalid_title="This link does not work",
    invalid_text="A part of it is missing or damaged. Please open it from the mail again, or copy all of it.",
    expired_title="This link has expired",
    expired_text="It is more than two years old. Please use the link in a newer mail from us.",
    unavailable_title="Please try again in a moment",
    unavailable_text="We could not save your choice just now, and nothing has changed. Your link stays valid.",
)
PERSIAN = Texts(
    language="fa",
    direction="rtl",
    this_address="این نشانی",
    ask_title="اشتراک ایمیل‌های ما را لغو می‌کنید؟",
    ask_text=(
        "دیگر پیشنهادها و خبرهایمان را به {address} نمی‌فرستیم. ایمیل‌های مربوط به سفارش‌هایتان همچنان به دستتان می‌رسد."
    ),
    ask_button="لغو اشتراک",
    done_title="اشتراک شما لغو شد",
    done_text="از این پس پیشنهادها و خبرهایمان را به {address} نمی‌فرستیم. می‌توانید این صفحه را ببندید.",
    invalid_title="این پیوند کار نمی‌کند",
    invalid_text=(
        "بخشی از آن جا افتاده یا خراب شده است. لطفاً دوباره آن را از داخل ایمیل باز کنید یا همهٔ آن را رونوشت بردارید."
    ),
    expired_title="مهلت این پیوند گذشته است",
    expired_text="بیش از دو سال از این پیوند می‌گذرد. لطفاً از پیوند یکی از ایمیل‌های تازه‌تر ما استفاده کنید.",
    unavailable_title="لطفاً کمی بعد دوباره تلاش کنید",
    unavailable_text="همین حالا نتوانستیم انتخاب شما را ثبت کنیم و چیزی تغییر نکرده است. پیوند شما همچنان معتبر است.",
)
LANGUAGES = {texts.language: texts for texts in (ENGLISH, PERSIAN)}


def choose_texts(locale: str | None, accepted: str | None) -> Texts:
    """Returns the words in the language of the mail, else in the browser's, else in English.

    Args:
        locale: the message's locale, like ``fa`` or ``en-GB``.
        accepted: the Accept-Language header.
    """
    for tag in (locale or "", *order_languages(accepted or "")):
        known = LANGUAGES.get(tag.replace("_", "-").split("-", 1)[0].strip().lower())
        if known is not None:
            return known
    return ENGLISH


def order_languages(accepted: str) -> list[str]:
    """Returns the tags of an Accept-Language header, the most wanted first; what cannot be read counts last."""
    weighted: list[tuple[float, str]] = []
    for part in accepted[:500].split(","):
        tag, _, weight = part.partition(";")
        try:
            wanted = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            wanted = 0.0
        weighted.append((-wanted, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda pair: pair[0])]
