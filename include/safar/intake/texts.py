"""What the pages say, by language. ``{address}`` is the masked address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Words:
    """One page: its title, one sentence or two, and what stands on its button, if it has one."""

    title: str
    text: str
    button: str = ""


@dataclass(frozen=True)
class Texts:
    """All words of the pages in one language."""

    language: str
    direction: str
    own_name: str
    """What the language calls itself."""
    this_address: str
    language_of_mail: str
    nothing_to_choose: str
    waiting: str
    """Of a choice that waits for its confirmation; ``{channel}`` is how it would reach the person."""
    channels: Mapping[str, str]
    pages: Mapping[str, Words]


ENGLISH = Texts(
    language="en",
    direction="ltr",
    own_name="English",
    this_address="this address",
    language_of_mail="Language of our mail",
    nothing_to_choose="There is nothing to choose for this address at the moment.",
    waiting="{channel}, waiting for your confirmation",
    channels=MappingProxyType(
        {"email": "by e-mail", "sms": "by text message", "push": "as a notification", "in_app": "in the app"}
    ),
    pages=MappingProxyType(
        {
            "ask": Words(
                "Unsubscribe from our e-mail?",
                "We will stop sending offers and news to {address}. Mail about your orders will still reach you.",
                "Unsubscribe",
            ),
            "done": Words(
                "You are unsubscribed",
                "From now on we send no more offers and news to {address}. You can close this page.",
            ),
            "preferences": Words(
                "What may we send you?",
                "These are the choices for {address}. What you untick ends at once. For what you tick anew we first "
                "send you a mail in which you confirm it.",
                "Save my choices",
            ),
            "saved": Words(
                "Your choices are saved",
                "They hold for {address} from now on. You can change them here at any time.",
                "Save my choices",
            ),
            "saved_and_asked": Words(
                "Please look into your mailbox",
                "What you took away ends now. For what you added we are sending a mail to {address}; it begins once "
                "you have confirmed it there.",
                "Save my choices",
            ),
            "saved_not_asked": Words(
                "What you took away is saved",
                "It holds for {address} from now on. We have already sent as many mails that ask back as we do in a "
                "day; please add the rest tomorrow.",
                "Save my choices",
            ),
            "confirm": Words(
                "Yes, write to me",
                "With this button you confirm that we may write to {address}. You can take it back at any time.",
                "Confirm",
            ),
            "confirmed": Words(
                "Thank you, it is confirmed", "From now on we may write to {address}. You can close this page."
            ),
            "confirmation_expired": Words(
                "This link has expired", "Nothing has changed. If you still want our mail, please ask for it once more."
            ),
            "confirmation_withdrawn": Words(
                "This link does not count any more",
                "After it was sent, our mail was unsubscribed for this address. If you want it again, please ask for "
                "it once more.",
            ),
            "asked": Words(
                "Please look into your mailbox",
                "If the address is right, a mail is on its way to it. We write to you once you have confirmed it.",
            ),
            "incomplete": Words(
                "Something is missing", "Please go back, check the address that you typed, and send the form once more."
            ),
            "invalid": Words(
                "This link does not work",
                "A part of it is missing or damaged. Please open it from the mail again, or copy all of it.",
            ),
            "expired": Words(
                "This link has expired", "It is more than two years old. Please use the link in a newer mail from us."
            ),
            "too_many": Words(
                "Please wait a moment",
                "There were very many requests just now, and nothing has changed. Please try later.",
            ),
            "too_large": Words(
                "This form is too large", "Nothing has changed. Please use the form as it stands there."
            ),
            "unavailable": Words(
                "Please try again in a moment",
                "We could not save your choice just now, and nothing has changed. Your link stays valid.",
            ),
        }
    ),
)
PERSIAN = Texts(
    language="fa",
    direction="rtl",
    own_name="فارسی",
    this_address="این نشانی",
    language_of_mail="زبان نامه‌های ما",
    nothing_to_choose="اکنون برای این نشانی چیزی برای انتخاب نیست.",
    waiting="{channel}، در انتظار تأیید شما",
    channels=MappingProxyType({"email": "با ایمیل", "sms": "با پیامک", "push": "با اعلان", "in_app": "در برنامه"}),
    pages=MappingProxyType(
        {
            "ask": Words(
                "اشتراک ایمیل‌های ما را لغو می‌کنید؟",
                "دیگر پیشنهادها و خبرهایمان را به {address} نمی‌فرستیم. ایمیل‌های مربوط به سفارش‌هایتان همچنان به دستتان "
                "می‌رسد.",
                "لغو اشتراک",
            ),
            "done": Words(
                "اشتراک شما لغو شد",
                "از این پس پیشنهادها و خبرهایمان را به {address} نمی‌فرستیم. می‌توانید این صفحه را ببندید.",
            ),
            "preferences": Words(
                "چه چیزی برایتان بفرستیم؟",
                "این‌ها انتخاب‌های {address} است. هر چه را بردارید بی‌درنگ پایان می‌یابد. برای هر چه تازه برگزینید نخست "
                "نامه‌ای می‌فرستیم تا آن را تأیید کنید.",
                "ذخیرهٔ انتخاب‌ها",
            ),
            "saved": Words(
                "انتخاب‌های شما ذخیره شد",
                "از این پس برای {address} همین‌ها برقرار است. هر زمان بخواهید می‌توانید اینجا تغییرشان دهید.",
                "ذخیرهٔ انتخاب‌ها",
            ),
            "saved_and_asked": Words(
                "لطفاً صندوق نامه‌هایتان را ببینید",
                "هر چه برداشتید پایان یافت. برای آنچه افزودید نامه‌ای به {address} می‌فرستیم و پس از تأیید شما در آن "
                "آغاز می‌شود.",
                "ذخیرهٔ انتخاب‌ها",
            ),
            "saved_not_asked": Words(
                "آنچه برداشتید ذخیره شد",
                "از این پس برای {address} برقرار است. امروز به اندازهٔ یک روز نامهٔ تأیید فرستاده‌ایم؛ لطفاً بقیه را فردا "
                "بیفزایید.",
                "ذخیرهٔ انتخاب‌ها",
            ),
            "confirm": Words(
                "بله، برایم بنویسید",
                "با این دکمه تأیید می‌کنید که می‌توانیم به {address} بنویسیم. هر زمان بخواهید می‌توانید آن را پس بگیرید.",
                "تأیید می‌کنم",
            ),
            "confirmed": Words(
                "سپاس، تأیید شد", "از این پس می‌توانیم به {address} بنویسیم. می‌توانید این صفحه را ببندید."
            ),
            "confirmation_expired": Words(
                "مهلت این پیوند گذشته است",
                "چیزی تغییر نکرده است. اگر هنوز نامه‌های ما را می‌خواهید، لطفاً یک بار دیگر درخواست کنید.",
            ),
            "confirmation_withdrawn": Words(
                "این پیوند دیگر اعتبار ندارد",
                "پس از فرستادن آن، اشتراک این نشانی لغو شده است. اگر دوباره نامه‌های ما را می‌خواهید، لطفاً یک بار دیگر "
                "درخواست کنید.",
            ),
            "asked": Words(
                "لطفاً صندوق نامه‌هایتان را ببینید",
                "اگر نشانی درست باشد نامه‌ای به سوی آن در راه است. پس از تأیید شما در آن نامه برایتان می‌نویسیم.",
            ),
            "incomplete": Words(
                "چیزی کم است", "لطفاً برگردید، نشانی‌ای را که نوشته‌اید بررسی کنید و فرم را یک بار دیگر بفرستید."
            ),
            "invalid": Words(
                "این پیوند کار نمی‌کند",
                "بخشی از آن جا افتاده یا خراب شده است. لطفاً دوباره آن را از داخل ایمیل باز کنید یا همهٔ آن را رونوشت "
                "بردارید.",
            ),
            "expired": Words(
                "مهلت این پیوند گذشته است",
                "بیش از دو سال از این پیوند می‌گذرد. لطفاً از پیوند یکی از ایمیل‌های تازه‌تر ما استفاده کنید.",
            ),
            "too_many": Words(
                "لطفاً کمی درنگ کنید",
                "همین حالا درخواست‌های بسیاری رسیده و چیزی تغییر نکرده است. لطفاً دیرتر دوباره تلاش کنید.",
            ),
            "too_large": Words(
                "این فرم بیش از اندازه بزرگ است", "چیزی تغییر نکرده است. لطفاً فرم را همان‌گونه که هست به کار ببرید."
            ),
            "unavailable": Words(
                "لطفاً کمی بعد دوباره تلاش کنید",
                "همین حالا نتوانستیم انتخاب شما را ثبت کنیم و چیزی تغییر نکرده است. پیوند شما همچنان معتبر است.",
            ),
        }
    ),
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
