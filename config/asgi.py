"""The site as one ASGI application: streams in the event loop, everything else in threads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_wsgi_application()  # before anything reads the settings

from config.site import Site  # noqa: E402

application = Site(django)
