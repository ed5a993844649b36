"""Teams with their projects and people from a table: looked through as a whole first, then written.

A table adds and changes; what it does not name stays. Taken in twice it changes nothing. It is the
organizers', so it may come when registration is closed; every other rule of registering holds.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django_countries import countries
from django_countries.data import COUNTRIES

from contest.models import Entry, Event, LogEntry, Membership, Team, Track, User
from contest.services import teams as services
from contest.services.accounts import make_people, of_emails, take_passwords_of_unconfirmed
from contest.services.entries import RANKED_BY
from contest.services.rounds import COMPETING, tell_rankings
from contest.services.table_imports import (
    CHANGED,
    NEW,
    UNCHANGED,
    Change,
    Plan,
    address_key,
    exactly,
    key,
    name_and_email,
    plan_changed,
)
from contest.states import TeamStatus
from contest.tables_in import BadTable, Column, Fault, Row, Table

TEAM_FIELDS = ("name_zh", "name_en", "organisation_zh", "organisation_en", "country")
ENTRY_FIELDS = (
    "title_zh", "title_en", "abstract_zh", "abstract_en", "repository", "licence", "base_model",
    "demo_url", "video_url",
)  # fmt: skip
COLUMNS = (
    Column("track", ("赛道", "参赛赛道", "赛题")),
    Column("code", ("队伍编号", "team code")),
    Column("name_zh", ("队名", "队伍名称", "团队名称", "队伍", "团队", "team name (Chinese)")),
    Column("name_en", ("英文队名", "队名（英文）", "队伍英文名称", "team name",
                       "team name (English)", "team", "name")),
    Column("organisation_zh", ("单位", "机构", "学校", "单位（中文）", "organisation (Chinese)")),
    Column("organisation_en", ("单位英文", "单位（英文）", "英文单位", "机构英文", "organisation",
                               "organization", "organisation (English)")),
    Column("country", ("国家或地区", "国家", "国家/地区", "地区", "country or region")),
    Column("title_zh", ("项目名称", "作品名称", "项目", "项目名称（中文）", "title (Chinese)")),
    Column("title_en", ("项目英文名称", "项目名称（英文）", "title", "project", "project title",
                        "title (English)")),
    Column("abstract_zh", ("摘要", "项目简介", "简介", "摘要（中文）", "abstract (Chinese)"),
           most=Entry._meta.get_field("abstract_zh").max_length),
    Column("abstract_en", ("英文摘要", "摘要（英文）", "abstract", "abstract (English)"),
           most=Entry._meta.get_field("abstract_en").max_length),
    Column("repository", ("代码仓库", "源代码仓库", "仓库", "source repository", "repo")),
    Column("licence", ("许可证", "开源许可证", "开源协议", "license", "SPDX")),
    Column("base_model", ("基座模型", "基础模型")),
    Column("demo_url", ("演示地址", "演示", "demo")),
    Column("video_url", ("视频地址", "视频", "video")),
    Column("captain_name", ("队长", "队长姓名", "captain")),
    Column("captain_email", ("队长邮箱", "队长电子邮箱", "captain e-mail")),
    Column("members", ("队员", "成员", "队员邮箱", "成员邮箱", "member e-mails")),
)  # fmt: skip
KIND = "teams"

# People in one cell stand between these; Chinese input methods have marks of their own.
BETWEEN = re.compile(r"[;；,，、\r\n]+")
NAME_LENGTH = User._meta.get_field("name").max_length
EMAIL_LENGTH = User._meta.get_field("email").max_length
SHOWN = 80  # characters of a value in what a row comes to
# Names of places that django-countries does not have, and tables do.
MORE_NAMES = {"中国香港": "HK", "中国澳门": "MO", "中国台湾": "TW", "UK": "GB"}


def plan(event: Event, table: Table) -> Plan:
    """What the table would do in the event. Raises BadTable with every fault it has."""
    return _plan(event, table, event.teams.all(), Entry.objects.filter(team__event=event))


def take_in(event: Event, table: Table, by: User, seen: str) -> Plan:
    """Write what the table says, all of it; ``seen`` is the digest of the plan looked at.

    Raises BadTable, or Refused where the plan has become another one meanwhile.
    """
    try:
        with transaction.atomic():
            # Rows that refer to these may be written meanwhile: who does so holds locks we need.
            event = Event.objects.select_for_update(no_key=True).get(pk=event.pk)
            lock = {"of": ("self",), "no_key": True}
            teams = event.teams.select_for_update(**lock).order_by("pk")
            entries = Entry.objects.filter(team__event=event)
            entries = entries.select_for_update(**lock).order_by("pk")
            made = _plan(event, table, teams, entries)
            made.require(seen)
            _write(event, made, by)
            made.log(event, by)
            return made
    except IntegrityError as error:  # somebody signed up, or was taken in, in this very moment
        raise plan_changed() from error


# --- What is there -------------------------------------------------------------------------------


@dataclass
class _Person:
    """Whoever an address belongs to; without ``user``, one whose account is still to be made."""

    email: str
    name: str
    user: User | None = None

    @property
    def who(self) -> tuple:
        """The same for two addresses of one account."""
        return ("account", self.user.pk) if self.user is not None else ("address", self.email)


@dataclass
class _People:
    """The people of one row, as it names them."""

    captain: _Person | None
    members: list[_Person]
    said: dict[str, str] = field(default_factory=dict)  # names by address, as the row has them


class _Known:
    """Everything that rows are compared with: asked for once, however many rows there are."""

    def __init__(self, event: Event, table: Table, teams, entries):
        self.event = event
        tracks = list(event.tracks.all())
        above = {track.parent_id for track in tracks}
        self.leaves = [track for track in tracks if track.pk not in above]
        self.tracks: dict[str, list[Track]] = {}
        for track in tracks:
            for name in {key(track.slug), key(track.name_zh), key(track.name_en)} - {""}:
                self.tracks.setdefault(name, []).append(track)
        by_pk = {track.pk: track for track in tracks}

        self.teams: dict[str, Team] = {}
        self.captains: dict[int, User] = {}
        self.members: dict[int, set[int]] = {}
        self.captained: dict[tuple[int, int], list[Team]] = {}
        of_pk = {team.pk: team for team in teams if team.status != TeamStatus.BASELINE}
        for team in of_pk.values():
            team.event, team.track = event, by_pk[team.track_id]
            self.teams[key(team.code)] = team
        for entry in entries:
            if entry.team_id in of_pk:
                of_pk[entry.team_id].entry = entry
        for membership in Membership.objects.filter(team__event=event).select_related("user"):
            if (team := of_pk.get(membership.team_id)) is None:
                continue
            self.members.setdefault(team.pk, set()).add(membership.user_id)
            if membership.role == Membership.Role.CAPTAIN:
                self.captains[team.pk] = membership.user
                self.captained.setdefault((team.track_id, membership.user_id), []).append(team)

        read = {row.number: _read_people(table, row) for row in table.rows}
        emails = {email for captain, members in read.values() for _n, email in captain + members}
        users = of_emails(emails)
        self.people: dict[str, _Person] = {
            email: _Person(email, user.name, user) for email, user in users.items()
        }
        self.of_rows = {
            number: self._people(captain, members) for number, (captain, members) in read.items()
        }
        self.organizers = set(event.roles.values_list("user_id", flat=True))
        self.kept_out = services.kept_out(event)
        judges = User.objects.filter(judge__isnull=False)
        self.judges = set(judges.values_list("pk", flat=True))

    def _people(self, captain, members) -> _People:
        """Who is named, each once, and the captain not among the members."""
        said: dict[str, str] = {}
        found: tuple[list[_Person], list[_Person]] = ([], [])
        seen: set[tuple] = set()
        for people, named in zip(found, (captain, members), strict=True):
            for name, email in named:
                person = self.people.setdefault(email, _Person(email, ""))
                if name:
                    said.setdefault(email, name)
                    person.name = person.name or name
                if person.who not in seen:
                    seen.add(person.who)
                    people.append(person)
        return _People(found[0][0] if found[0] else None, found[1], said)

    def why_not(self, person: _Person) -> str:
        """Why the person may be in no team of the event; empty if they may."""
        user = person.user
        if why := self.kept_out.get(person.email):
            return str(why)
        if user is None:
            return ""
        if not user.is_active:
            return _("This account is closed.")
        if user.pk in self.judges:
            return " ".join(services.judge_cannot_join().messages)
        if user.pk in self.organizers:
            return " ".join(services.organizer_cannot_compete().messages)
        return ""


@cache
def _countries() -> dict[str, str]:
    """Codes of countries and regions by code, and by name in each of the site's languages."""
    found = {key(name): code for name, code in MORE_NAMES.items()}
    for language, _label in settings.LANGUAGES:
        with translation.override(language):
            for code, name in [*countries, *COUNTRIES.items()]:
                found.setdefault(key(str(name)), code)
    for code, _name in countries:
        for known in (code, countries.alpha3(code)):
            if known:
                found[key(known)] = code
    return found


# --- Reading -------------------------------------------------------------------------------------


def _read_people(table: Table, row: Row) -> tuple[list, list]:
    """``(name, e-mail)`` of the captain, at most one, and of the members; faults are noted."""
    captain = []
    if row["captain_email"]:
        email = _email(row["captain_email"])
        if email is None:
            _expected_email(table, row, "captain_email", row["captain_email"])
        else:
            captain = [(" ".join(row["captain_name"].split()), email)]
    members = []
    for part in BETWEEN.split(row["members"]):
        if not (part := part.strip()):
            continue
        name, address = name_and_email(part) or ("", part)
        if (email := _email(address)) is None:
            _expected_email(table, row, "members", part)
        else:
            members.append((name, email))
    for column, named in (("captain_name", captain), ("members", members)):
        if any(len(name) > NAME_LENGTH for name, _mail in named):
            said = _("A name has more than %(most)s characters.") % {"most": NAME_LENGTH}
            table.fault(row, column, said)
    return captain, members


def _email(text: str) -> str | None:
    """The address as accounts have it, None for what is none."""
    email = address_key(text)
    try:
        validate_email(email)
    except ValidationError:
        return None
    return email if len(email) <= EMAIL_LENGTH else None


def _expected_email(table: Table, row: Row, column: str, found: str) -> None:
    if column == "members":
        said = _(
            "Expected e-mail addresses, each alone or as “Lin Yi <lin@example.org>”, with "
            "semicolons between them; found “%(found)s”."
        )
    else:
        said = _("Expected an e-mail address, found “%(found)s”.")
    table.fault(row, column, said % {"found": found[:100]})


def _same(old: str, new: str) -> bool:
    """Whether two texts are the same but for how lines end: browsers and tables differ in that."""
    return _lines(old).strip() == _lines(new)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


# --- Planning ------------------------------------------------------------------------------------


@dataclass
class _New:
    """One step: a team that the table brings."""

    track: Track
    fields: dict[str, str]
    captain: _Person
    members: list[_Person]


@dataclass
class _Edit:
    """One step: what changes of a team that is there, and who joins it."""

    team: Team
    fields: dict[str, str]
    joining: list[_Person]


def _plan(event: Event, table: Table, teams, entries) -> Plan:
    _require_something_to_go_by(table)
    made, known = Plan(KIND, table), _Known(event, table, teams, entries)
    # The row that named each team first, by the team or by the track and captain of a new one.
    said: dict[tuple, int] = {}
    for row in table.rows:
        track, team = _team_of_row(table, row, known)
        people = known.of_rows[row.number]
        if team is not None:
            who = ("team", team.pk)
        elif track is not None and people.captain is not None:
            who = ("new", track.pk, people.captain.who)
        else:
            fields = _fields(table, row, (*TEAM_FIELDS, *ENTRY_FIELDS))
            _require_valid(table, row, _unsaved(None, fields), fields, is_whole=False)
            continue
        if who in said:
            column = "code" if row["code"] else "captain_email"
            table.fault(row, column, _("Row %(row)s is the same team.") % {"row": said[who]})
            continue
        said[who] = row.number
        if team is not None:
            _plan_edit(made, row, team, people, known)
        else:
            _plan_new(made, row, track, people, known)
    table.require_none()
    return made


def _require_something_to_go_by(table: Table) -> None:
    """A table by which no team could be told from another is refused as a whole."""
    columns = {column.name: column for column in COLUMNS}
    needed = [columns["code"], columns["captain_email"]]
    if not any(column.name in table.headings for column in needed):
        said = _("Expected at least one of these columns: %(columns)s.") % {
            "columns": ", ".join(column.described for column in needed)
        }
        raise BadTable([Fault(table.file, 0, "", said)], table.found)


def _team_of_row(table: Table, row: Row, known: _Known) -> tuple[Track | None, Team | None]:
    """The track and the team that the row means; no team for a new one. Neither, with a fault
    noted, where that is not clear."""
    people = known.of_rows[row.number]
    if row["code"]:
        team = known.teams.get(key(row["code"]))
        if team is None:
            said = _(
                "Expected the code of a team of this event, found “%(found)s”. Leave it empty for "
                "a new team: the platform gives the code."
            )
            table.fault(row, "code", said % {"found": row["code"][:100]})
            return None, None
        _require_same_track(table, row, team, known)
        _require_same_captain(table, row, team, people, known)
        return team.track, team
    track = _track_of_row(table, row, known)
    if people.captain is None:
        if not row["captain_email"]:  # else it is no address, and told already
            said = _("Expected the captain's e-mail address, or the code of a team that is there.")
            table.fault(row, "captain_email", said)
        return track, None
    if track is None or people.captain.user is None:
        return track, None
    mine = known.captained.get((track.pk, people.captain.user.pk), [])
    # A team that left is not made anew by a table that was written before.
    mine = [team for team in mine if team.status in COMPETING] or mine
    if len(mine) > 1:
        said = _("This person captains several teams of the track (%(codes)s); expected the code.")
        codes = ", ".join(team.code for team in mine)
        table.fault(row, "captain_email", said % {"codes": codes})
        return None, None
    return track, mine[0] if mine else None


def _track_of_row(table: Table, row: Row, known: _Known) -> Track | None:
    """The track that a row names, or the event's only one. A fault is noted where it is not one
    that teams enter."""
    leaves = known.leaves
    slugs = ", ".join(track.slug for track in leaves) or "–"
    if not row["track"]:
        if len(leaves) == 1:
            return leaves[0]
        table.fault(row, "track", _("Expected a track (%(known)s).") % {"known": slugs})
        return None
    named = known.tracks.get(key(row["track"]), [])
    found = [track for track in named if track in leaves]
    if len(found) == 1:
        return found[0]
    if named and not found:
        said = _("Choose one of the sub-tracks of “%(track)s”.") % {"track": named[0].name}
    else:
        said = _("Expected one of the tracks that teams enter (%(known)s), found “%(found)s”.")
        said %= {"known": slugs, "found": row["track"][:100]}
    table.fault(row, "track", said)
    return None


def _require_same_track(table: Table, row: Row, team: Team, known: _Known) -> None:
    if row["track"] and team.track not in known.tracks.get(key(row["track"]), []):
        table.fault(
            row,
            "track",
            _("%(team)s competes in “%(track)s”; a table moves no team to another track.")
            % {"team": team.code, "track": team.track.name},
        )


def _require_same_captain(table: Table, row: Row, team: Team, people: _People, known) -> None:
    captain = known.captains.get(team.pk)
    if people.captain is not None and (captain is None or people.captain.user != captain):
        table.fault(
            row,
            "captain_email",
            _("The captain of %(team)s is %(captain)s; a table gives no team another captain.")
            % {"team": team.code, "captain": (captain and captain.email) or captain or "–"},
        )


def _fields(table: Table, row: Row, names: Iterable[str]) -> dict[str, str]:
    """The row's texts of these columns, those that are not empty; a country as its code."""
    fields = {name: _lines(row[name]) for name in names if row[name]}
    if "country" in fields:
        code = _countries().get(key(fields["country"]))
        if code is None:
            said = _(
                "Expected a country or region by its name or its code of two letters, found "
                "“%(found)s”."
            )
            table.fault(row, "country", said % {"found": fields.pop("country")[:100]})
        else:
            fields["country"] = code
    return fields


def _require_valid(
    table: Table, row: Row, things: Iterable, fields: dict[str, str], *, is_whole: bool = True
) -> None:
    """Note what is wrong with the fields that a row writes, each sentence once. Where it is not
    clear of which team, nothing is said of what else the team must have."""
    for thing in things:
        # Countries are known to be some, and slow to be looked for among all of them.
        others = {f.name for f in thing._meta.fields if f.name not in fields} | {"country"}
        try:
            thing.clean_fields(exclude=others)
            if is_whole:
                thing.clean()
        except ValidationError as error:
            table.refuse(row, error)


def _require_people(table: Table, row: Row, column: str, people: Iterable[_Person], known) -> None:
    for person in people:
        if why := known.why_not(person):
            table.fault(row, column, f"{person.email}: {why}")


def _plan_new(made: Plan, row: Row, track: Track, people: _People, known: _Known) -> None:
    table, captain = made.table, people.captain
    fields = _fields(table, row, (*TEAM_FIELDS, *ENTRY_FIELDS))
    team, entry = _unsaved(track, fields)
    _require_valid(table, row, (team, entry), fields)
    if not row["country"]:
        table.fault(row, "country", _("Expected the country or region of a new team."))
    if captain.user is None and not captain.name:
        said = _("Expected the captain's name: nobody has an account with this address yet.")
        table.fault(row, "captain_name", said)
    _require_people(table, row, "captain_email", [captain], known)
    _require_people(table, row, "members", people.members, known)
    if 1 + len(people.members) > known.event.max_members:
        table.fault(row, "members", " ".join(services.team_full(known.event).messages))
    details = [
        track.name if len(known.leaves) > 1 else "",
        entry.title,
        team.organisation,
        str(team.country.name),
        ", ".join(_who(person, people) for person in (captain, *people.members)),
        *_notes(people),
    ]
    made.changes.append(
        Change(
            row.number,
            NEW,
            team.name,
            " · ".join(filter(None, details)),
            exactly({**fields, "track": track.slug}),
        )
    )
    made.steps.append(_New(track, fields, captain, people.members))


def _unsaved(track: Track | None, fields: dict[str, str]) -> tuple[Team, Entry]:
    return (
        Team(track=track, **{name: fields[name] for name in TEAM_FIELDS if name in fields}),
        Entry(**{name: fields[name] for name in ENTRY_FIELDS if name in fields}),
    )


def _plan_edit(made: Plan, row: Row, team: Team, people: _People, known: _Known) -> None:
    table = made.table
    fields, details = {}, []
    for thing, names in ((team, TEAM_FIELDS), (team.entry, ENTRY_FIELDS)):
        for name, new in _fields(table, row, names).items():
            old = str(getattr(thing, name))
            if not _same(old, new):
                fields[name] = new
                label = thing._meta.get_field(name).verbose_name
                words = {"field": label, "old": _shown(name, old), "new": _shown(name, new)}
                details.append(_("%(field)s: “%(old)s” → “%(new)s”") % words)
    _require_valid(table, row, _edited(team, fields), fields)
    there = known.members.get(team.pk, set())
    joining = [p for p in people.members if p.user is None or p.user.pk not in there]
    if joining:
        _require_people(table, row, "members", joining, known)
        if len(there) + len(joining) > known.event.max_members:
            table.fault(row, "members", " ".join(services.team_full(known.event).messages))
        details.append(_("joins: %(who)s") % {"who": ", ".join(_who(p, people) for p in joining)})
    is_changed = bool(fields or joining)
    if is_changed and team.status not in COMPETING:
        table.fault(
            row,
            "code" if row["code"] else "captain_email",
            _("%(team)s is “%(status)s”; a table changes only teams that compete.")
            % {"team": team.code, "status": team.get_status_display()},
        )
    details += _notes(people)
    outcome = CHANGED if is_changed else UNCHANGED
    made.changes.append(
        Change(row.number, outcome, str(team), " · ".join(details), exactly(fields))
    )
    if is_changed:
        made.steps.append(_Edit(team, fields, joining))


def _edited(team: Team, fields: dict[str, str]) -> list:
    """Copies with these fields of what they change: the team, its project, or both."""
    return [
        type(thing)(**{name: fields.get(name, getattr(thing, name)) for name in names})
        for thing, names in ((team, TEAM_FIELDS), (team.entry, ENTRY_FIELDS))
        if not fields.keys().isdisjoint(names)
    ]


def _shown(name: str, value: str) -> str:
    """A field's value in one line that is not too long; a country by its name."""
    text = str(countries.name(value)) if name == "country" else " ".join(value.split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _who(person: _Person, people: _People) -> str:
    """As the table says it: what an account is called is nobody's to learn from a look."""
    name = people.said.get(person.email) or _name_from(person.email)
    return f"{name} <{person.email}>"


def _name_from(email: str) -> str:
    """What a person is called of whom only the address is known."""
    return email.partition("@")[0][:NAME_LENGTH]


def _notes(people: _People) -> list[str]:
    """Where the table calls somebody who has an account otherwise than the account does."""
    return [
        _("%(email)s has an account under another name, which stays") % {"email": person.email}
        for person in (people.captain, *people.members)
        if person is not None
        and person.user is not None
        and person.email in people.said
        and key(people.said[person.email]) != key(person.name)
    ]


# --- Writing -------------------------------------------------------------------------------------


def _write(event: Event, made: Plan, by: User) -> None:
    new = [step for step in made.steps if isinstance(step, _New)]
    edits = [step for step in made.steps if isinstance(step, _Edit)]
    users = _users([p for step in new for p in (step.captain, *step.members)]
                   + [p for step in edits for p in step.joining], by)  # fmt: skip
    registrations = [
        services.Registration(
            *_unsaved(step.track, step.fields),
            captain=users[step.captain.email],
            members=[users[person.email] for person in step.members],
        )
        for step in new
    ]
    if registrations:
        services.store(event, registrations, by)
    if edits:
        _write_fields(edits, by)
        tell_rankings([step.team for step in edits if RANKED_BY & step.fields.keys()])
        joining = [(step.team, users[p.email]) for step in edits for p in step.joining]
        services.add_members(event, joining, by)


def _users(people: Iterable[_Person], by: User) -> dict[str, User]:
    """The accounts of these people by address, with those made that there were not."""
    people = {person.email: person for person in people}.values()
    take_passwords_of_unconfirmed([p.user for p in people if p.user is not None])
    missing = [(p.email, p.name or _name_from(p.email)) for p in people if p.user is None]
    made = make_people(missing, by.language)
    return {p.email: p.user if p.user is not None else made[p.email] for p in people}


def _write_fields(edits: list[_Edit], by: User) -> None:
    """Change teams and their projects as editing them one by one would, in few queries."""
    now, log = timezone.now(), []
    for names, action in ((TEAM_FIELDS, "edited"), (ENTRY_FIELDS, "entry_edited")):
        things, written = [], set()
        for step in edits:
            changed = [name for name in names if name in step.fields]
            if not changed:
                continue
            thing = step.team if names is TEAM_FIELDS else step.team.entry
            for name in changed:
                setattr(thing, name, step.fields[name])
            if names is ENTRY_FIELDS:
                thing.updated_at = now  # which bulk_update leaves as it is
                written.add("updated_at")
            things.append(thing)
            written.update(changed)
            log.append(LogEntry.about(step.team, action, by=by, after=", ".join(changed)))
        if things:
            type(things[0]).objects.bulk_update(things, sorted(written), batch_size=200)
    LogEntry.objects.bulk_create(log)


# --- Template ------------------------------------------------------------------------------------


def template_rows(event: Event) -> tuple[list[str], list[list[str]]]:
    """Headings and the teams that compete, as a table that could be taken in again unchanged."""
    people: dict[int, list[Membership]] = {}
    for membership in Membership.objects.filter(team__event=event).select_related("user"):
        people.setdefault(membership.team_id, []).append(membership)
    teams = event.teams.filter(status__in=COMPETING).select_related("track", "entry")
    rows = [_template_row(team, people.get(team.pk, [])) for team in teams]
    return [column.name for column in COLUMNS], rows


def _template_row(team: Team, people: Iterable[Membership]) -> list[str]:
    captain = next((m.user for m in people if m.role == Membership.Role.CAPTAIN), None)
    members = [m.user for m in people if m.role != Membership.Role.CAPTAIN and m.user.email]
    return [
        team.track.slug,
        team.code,
        *(str(getattr(team, name)) for name in TEAM_FIELDS),
        *(_lines(getattr(team.entry, name)) for name in ENTRY_FIELDS),
        captain.name if captain else "",
        (captain.email or "") if captain else "",
        "\n".join(_cell(user) for user in members),
    ]


def _cell(user: User) -> str:
    """Name and address; the address alone where the name would not be read back."""
    cell = f"{user.name} <{user.email}>"
    is_plain = user.name and not BETWEEN.search(user.name)
    return cell if is_plain and name_and_email(cell) == (user.name, user.email) else user.email
