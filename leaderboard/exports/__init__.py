"""The documents that organizers take out of a round. One module a document; same rows for all
formats; docs/organizers.md says what each holds."""
