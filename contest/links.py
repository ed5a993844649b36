from django.conf import settings


def absolute_url(path: str) -> str:
    """``path`` on this site, for mails and QR codes, where no request is at hand."""
    return f"{settings.SITE_URL}{path}"
