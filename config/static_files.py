from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Digests in the names of all files, those that scripts import from each other included."""

    support_js_module_import_aggregation = True
