"""SendGrid v3 as the vendor behaves: mail/send, templates, suppressions and the signed event webhook."""
