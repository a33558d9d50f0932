"""TikTok: reports of one advertiser. Every answer has status 200 and a code of its own."""
