"""The judging record's guard in the database, against SQL that does not come through the models.

Made after every ``migrate`` rather than by a migration: where SQLite has to make a table anew to
alter it, its triggers are lost with the old one. SQLite refuses changes alone, because emptying a
database (as tests do) deletes row by row there; PostgreSQL refuses removals as well.
"""

from django.db import connections

TABLE = "judging_recordentry"
TRIGGER = "judging_record_is_kept"

SQLITE = f"""
CREATE TRIGGER {TRIGGER} BEFORE UPDATE ON {TABLE}
BEGIN
    SELECT RAISE(ABORT, 'entries of a judging record are only ever added');
END
"""

POSTGRESQL = f"""
CREATE OR REPLACE FUNCTION {TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of a judging record are only ever added';
END
$$;
CREATE TRIGGER {TRIGGER} BEFORE UPDATE OR DELETE ON {TABLE}
FOR EACH ROW EXECUTE FUNCTION {TRIGGER}()
"""

FIND = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = %s",
    "postgresql": "SELECT 1 FROM pg_trigger WHERE tgname = %s",
}
MAKE = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def keep_record(sender, using: str, **kwargs) -> None:
    """Receiver of ``post_migrate``: make the trigger where it is missing."""
    connection = connections[using]
    if connection.vendor not in MAKE:
        return
    with connection.cursor() as cursor:
        if TABLE not in connection.introspection.table_names(cursor):
            return
        cursor.execute(FIND[connection.vendor], [TRIGGER])
        if cursor.fetchone() is None:
            cursor.execute(MAKE[connection.vendor])
