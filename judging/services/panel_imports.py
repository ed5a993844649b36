"""Judges and assignments from tables: looked through as a whole first, then written, or not at all.

A table adds and changes; what it does not name stays. Taken in twice it changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from contest.models import Participation, Round, User
from contest.services.table_imports import (
    CHANGED,
    NEW,
    UNCHANGED,
    Change,
    Plan,
    exactly,
    key,
    name_and_email,
)
from contest.states import ParticipationStatus
from contest.tables_in import Column, Row, Table
from judging.models import Assignment, Judge, Panel, Recusal
from judging.services import panels as services

ORGANISATIONS = ("organisation_zh", "organisation_en")
PANEL = Column("panel", ("评审组", "评委组", "小组"))
JUDGES, ASSIGNMENTS = "judges", "assignments"
COLUMNS = {
    JUDGES: (
        Column("name", ("姓名", "评委", "评委姓名", "judge"), is_required=True),
        Column("email", ("邮箱", "电子邮箱", "电子邮件", "e-mail", "mail")),
        Column("organisation_zh", ("单位", "机构", "单位（中文）", "organisation (Chinese)")),
        Column(
            "organisation_en",
            ("单位英文", "单位（英文）", "机构英文", "organisation", "organization",
             "organisation (English)"),
        ),
        PANEL,
    ),
    ASSIGNMENTS: (
        Column("team", ("队伍编号", "队伍", "编号", "team code", "code"), is_required=True),
        Column("judge", ("评委", "评委姓名", "评委邮箱", "judge email"), is_required=True),
        PANEL,
        Column("reason", ("理由", "原因")),
    ),
}  # fmt: skip


def plan(kind: str, round: Round, table: Table) -> Plan:
    """What the table would do in the round. Raises BadTable with every fault it has."""
    made = (_plan_judges if kind == JUDGES else _plan_assignments)(round, table)
    table.require_none()
    return made


@transaction.atomic
def take_in(kind: str, round: Round, table: Table, by: User, seen: str) -> Plan:
    """Write what the table says, all of it; ``seen`` is the digest of the plan looked at.

    Raises BadTable, or Refused where the plan has become another one meanwhile.
    """
    Round.objects.select_for_update(of=("self",)).get(pk=round.pk)
    made = plan(kind, round, table)
    made.require(seen)
    if kind == JUDGES:
        _write_judges(round, made, by)
    else:
        _write_assignments(made, by)
    made.log(round, by)
    return made


class _Panels:
    """The round's panels by either name."""

    def __init__(self, round: Round):
        self.panels = list(round.panels.prefetch_related("judges"))
        self.by_name: dict[str, list[Panel]] = {}
        for panel in self.panels:
            for name in {key(panel.name_zh), key(panel.name_en)} - {""}:
                self.by_name.setdefault(name, []).append(panel)
        self.seats = {(p.pk, judge.pk) for p in self.panels for judge in p.judges.all()}

    def named(self, table: Table, row: Row) -> Panel | None:
        """The panel that the row names; a fault is noted where there is none or several."""
        if not row["panel"]:
            return None
        found = self.by_name.get(key(row["panel"]), [])
        if len(found) != 1:
            table.fault(
                row,
                "panel",
                _("Expected one of the round's panels (%(known)s), found “%(found)s”.")
                % {
                    "known": ", ".join(panel.name for panel in self.panels) or "–",
                    "found": row["panel"][:100],
                },
            )
            return None
        return found[0]


class _Judges:
    """The event's judges by e-mail and by name; both may belong to several."""

    def __init__(self, judges: Iterable[Judge]):
        self.by_email: dict[str, list[Judge]] = {}
        self.by_name: dict[str, list[Judge]] = {}
        for judge in judges:
            self.add(judge)

    def add(self, judge: Judge) -> None:
        self.by_name.setdefault(key(judge.name), []).append(judge)
        if judge.email:
            self.has_email(judge, judge.email)

    def has_email(self, judge: Judge, email: str) -> None:
        """From the next row on the judge is known by this address, too."""
        self.by_email.setdefault(key(email), []).append(judge)

    def of_email(self, email: str) -> list[Judge]:
        return self.by_email.get(key(email), [])

    def of_name(self, name: str) -> list[Judge]:
        return self.by_name.get(key(name), [])

    def cell(self, judge: Judge) -> str:
        """What names the judge, and nobody else, in one cell; see ``_known_judge``."""
        for text, found in ((judge.email, self.of_email), (judge.name, self.of_name)):
            if text and len(found(text)) == 1:
                return text
        return f"{judge.name} <{judge.email}>"


def _names(judges: Iterable[Judge]) -> str:
    return ", ".join(f"“{judge.name}”" for judge in judges)


# --- Judges --------------------------------------------------------------------------------------


@dataclass
class _Seat:
    """One step: a judge as the table wants them, the fields that change, and where they sit."""

    judge: Judge
    fields: dict[str, str]
    panel: Panel | None


def _plan_judges(round: Round, table: Table) -> Plan:
    made, seats = Plan(JUDGES, table), _Panels(round)
    known = _Judges(round.event.judges.all())
    # By id() of the judge, who may be a new one: the row that named it first, the seats given.
    said: dict[int, tuple[int, Row]] = {}
    given: set[tuple[int, int]] = set()
    for row in table.rows:
        panel = seats.named(table, row)
        judge = _judge_of_row(table, row, known)
        if judge is None:
            continue
        if id(judge) in said:
            first_number, first = said[id(judge)]
            for name in ("name", "email", *ORGANISATIONS):
                if first[name] != row[name]:
                    table.fault(
                        row,
                        name,
                        _("Row %(row)s says “%(first)s” of the same judge.")
                        % {"row": first_number, "first": first[name]},
                    )
            fields = {}
        else:
            said[id(judge)] = (row.number, row)
            fields = _changed_fields(table, row, judge)
        sits = panel is None or (panel.pk, judge.pk) in seats.seats
        if panel is not None:
            sits = sits or (panel.pk, id(judge)) in given
            given.add((panel.pk, id(judge)))
        is_new = judge.pk is None and bool(fields)
        details = _details(judge, fields)
        if not sits:
            details.append(_("sits in “%(panel)s”") % {"panel": panel.name})
        outcome = NEW if is_new else CHANGED if fields or not sits else UNCHANGED
        made.changes.append(
            Change(row.number, outcome, row["name"], " · ".join(details), exactly(fields))
        )
        if outcome != UNCHANGED:
            made.steps.append(_Seat(judge, fields, None if sits else panel))
    return made


def _details(judge: Judge, fields: dict[str, str]) -> list[str]:
    """What a row writes, field by field: what a judge has now and what they would have."""
    if judge.pk is None:
        return [value for name, value in fields.items() if name != "name"]
    labels = {name: Judge._meta.get_field(name).verbose_name for name in fields}
    return [
        _("%(field)s: “%(old)s” → “%(new)s”")
        % {"field": labels[name], "old": getattr(judge, name), "new": value}
        for name, value in fields.items()
    ]


class _Unclear(Exception):
    """A row does not say which judge it means; ``args`` are why."""


def _judge_of_row(table: Table, row: Row, known: _Judges) -> Judge | None:
    """The judge whom the row means, or a new one; a fault is noted where that is not clear.

    Nobody is renamed by a table, and nobody is taken for a namesake: an address may be that of an
    assistant, a name that of several people.
    """
    try:
        found = _of_email(row, known) if row["email"] else _of_name(row, known)
    except _Unclear as unclear:
        table.fault(row, "email", unclear)
        return None
    if found is None:
        found = Judge(**{name: row[name] for name in ("name", "email", *ORGANISATIONS)})
        known.add(found)
    return found


def _of_email(row: Row, known: _Judges) -> Judge | None:
    """The judge of the row's address and name, None for a new one. Raises _Unclear."""
    holders, namesakes = known.of_email(row["email"]), known.of_name(row["name"])
    both = [judge for judge in holders if judge in namesakes]
    if len(both) == 1:
        return both[0]
    if both:
        raise _Unclear(
            _(
                "There are %(count)s judges of this name and e-mail address. Give one of them "
                "another address under Judges first."
            )
            % {"count": len(both)}
        )
    if holders:
        raise _Unclear(
            _(
                "This address is that of %(names)s. If that is who is meant, change the name under "
                "Judges first: a table renames nobody. If this is somebody else, leave the address "
                "empty."
            )
            % {"names": _names(holders)}
        )
    without = [judge for judge in namesakes if not judge.email]
    mine = [judge for judge in without if _may_be(row, judge)]
    if len(mine) == 1:
        known.has_email(mine[0], row["email"])
        return mine[0]
    if without:
        raise _Unclear(
            _(
                "A judge of this name (%(organisations)s) has no e-mail address. If that is who is "
                "meant, write the address there under Judges first; if this is somebody else, add "
                "them there."
            )
            % {"organisations": "; ".join(judge.organisation for judge in without)}
        )
    for judge in namesakes:
        if _may_be(row, judge):
            raise _Unclear(
                _(
                    "A judge of this name and organisation has the e-mail address %(email)s. "
                    "Change it there, or correct it here."
                )
                % {"email": judge.email}
            )
    return None


def _of_name(row: Row, known: _Judges) -> Judge | None:
    """The only judge of the row's name, None for a new one. Raises _Unclear."""
    namesakes = known.of_name(row["name"])
    if len(namesakes) > 1:
        raise _Unclear(
            _("Expected an e-mail address: there are %(count)s judges of this name.")
            % {"count": len(namesakes)}
        )
    return namesakes[0] if namesakes else None


def _may_be(row: Row, judge: Judge) -> bool:
    """Whether what the row says of organisations, if anything, fits the judge."""
    said = [name for name in ORGANISATIONS if row[name]]
    return not said or any(key(row[name]) == key(getattr(judge, name)) for name in said)


def _changed_fields(table: Table, row: Row, judge: Judge) -> dict[str, str]:
    """The fields that the row changes; an empty cell changes nothing. Bad ones are noted."""
    names = ("name", "email", *ORGANISATIONS)
    if judge.pk is None:
        fields = {name: row[name] for name in names if row[name]}
    else:
        fields = {n: row[n] for n in names if row[n] and row[n] != getattr(judge, n)}
    try:
        tried = Judge(**{name: fields.get(name, getattr(judge, name)) for name in names})
        tried.full_clean(exclude=["event", "user"], validate_constraints=False)
    except ValidationError as error:
        table.refuse(row, error)
    return fields


def _write_judges(round: Round, made: Plan, by: User) -> None:
    stored: dict[int, Judge] = {}
    for step in made.steps:
        judge = stored.get(id(step.judge), step.judge)
        if judge.pk is None:
            judge = services.add_judge(round.event, by, **step.fields)
        elif step.fields:
            judge = services.edit_judge(judge, by, **step.fields)
        stored[id(step.judge)] = judge
        if step.panel is not None:
            services.seat(step.panel, judge, by)


# --- Assignments ---------------------------------------------------------------------------------


@dataclass
class _Pair:
    panel: Panel
    judge: Judge
    participation: Participation
    reason: str


def _plan_assignments(round: Round, table: Table) -> Plan:
    made, seats = Plan(ASSIGNMENTS, table), _Panels(round)
    judges = _Judges(round.event.judges.all())
    teams = {key(p.team.code): p for p in round.participations.select_related("team")}
    there = {
        (a.judge_id, a.participation_id): a
        for a in Assignment.objects.filter(participation__round=round)
    }
    recused = set(
        Recusal.objects.filter(judge__event=round.event_id).values_list("judge_id", "team_id")
    )
    first_rows: dict[tuple[int, int], int] = {}
    for row in table.rows:
        participation = _team_of_row(table, row, teams)
        judge = _known_judge(table, row, judges)
        panel = seats.named(table, row)
        if participation is None or judge is None or (row["panel"] and panel is None):
            continue
        pair = (judge.pk, participation.pk)
        what = f"{participation.team} → {judge.name}"
        if pair in first_rows:
            table.fault(row, "judge", _("Row %(row)s says the same.") % {"row": first_rows[pair]})
            continue
        first_rows[pair] = row.number
        if (existing := there.get(pair)) is not None:
            if existing.released_at is not None:
                table.fault(
                    row,
                    "judge",
                    _("The judge was released from this team. To have them go on, readmit them in "
                      "the panel's matrix."),
                )  # fmt: skip
            elif panel is not None and existing.panel_id != panel.pk:
                table.fault(row, "panel", _("The judge has this team in another panel."))
            made.changes.append(Change(row.number, UNCHANGED, what))
            continue
        panel = panel or _only_panel(table, row, judge, seats)
        if panel is None:
            continue
        if (panel.pk, judge.pk) not in seats.seats:
            table.fault(
                row,
                "judge",
                _("%(judge)s does not sit in “%(panel)s”.")
                % {"judge": judge.name, "panel": panel.name},
            )
        elif (judge.pk, participation.team_id) in recused:
            table.fault(row, "judge", _("The judge has a conflict of interest with this team."))
        elif services.same_organisation(judge, participation.team) and not row["reason"]:
            table.fault(
                row,
                "reason",
                _("Judge and team belong to the same organisation: expected a reason to assign "
                  "them all the same."),
            )  # fmt: skip
        made.changes.append(Change(row.number, NEW, what, panel.name, row["reason"]))
        made.steps.append(_Pair(panel, judge, participation, row["reason"]))
    return made


def _team_of_row(table: Table, row: Row, teams: dict[str, Participation]) -> Participation | None:
    participation = teams.get(key(row["team"]))
    if participation is None:
        table.fault(
            row,
            "team",
            _("Expected the code of a team in this round, found “%(found)s”.")
            % {"found": row["team"][:100]},
        )
    elif participation.status != ParticipationStatus.ACTIVE:
        table.fault(row, "team", _("The team no longer takes part in this round."))
        return None
    return participation


def _known_judge(table: Table, row: Row, judges: _Judges) -> Judge | None:
    """The judge of an address, of a name, or of both: ``Lin Yi <lin@example.org>``."""
    text = row["judge"]
    if both := name_and_email(text):  # either alone may be that of others, too
        name, email = both
        found = [judge for judge in judges.of_email(email) if judge in judges.of_name(name)]
    else:
        found = judges.of_email(text) or judges.of_name(text)
    if len(found) == 1:
        return found[0]
    if not found:
        said = _(
            "Expected the name or e-mail address of one of the event's judges, found “%(found)s”."
        ) % {"found": text[:100]}
    elif judges.of_email(text):
        said = _("This address is that of %(names)s; expected the name.") % {"names": _names(found)}
    else:
        said = _("There are %(count)s judges of this name; expected the e-mail address.") % {
            "count": len(found)
        }
    table.fault(row, "judge", said)
    return None


def _only_panel(table: Table, row: Row, judge: Judge, seats: _Panels) -> Panel | None:
    """The panel that the judge sits in, where that leaves no doubt."""
    found = [panel for panel in seats.panels if (panel.pk, judge.pk) in seats.seats]
    if len(found) == 1:
        return found[0]
    table.fault(
        row,
        "panel" if found else "judge",
        _("%(judge)s sits in several panels of the round; expected the panel's name.")
        % {"judge": judge.name}
        if found
        else _("%(judge)s sits in no panel of the round.") % {"judge": judge.name},
    )
    return None


def _write_assignments(made: Plan, by: User) -> None:
    usual: dict[int, list] = {}
    panels: dict[int, Panel] = {}
    for step in made.steps:
        panels[step.panel.pk] = step.panel
        if services.same_organisation(step.judge, step.participation.team):
            services.assign(step.panel, step.judge, step.participation, by, in_spite=step.reason)
        else:
            usual.setdefault(step.panel.pk, []).append((step.judge.pk, step.participation.pk))
    for pk, pairs in usual.items():
        services.add_assignments(panels[pk], pairs)


# --- Templates -----------------------------------------------------------------------------------


def template_rows(kind: str, round: Round) -> tuple[list[str], list[list[str]]]:
    """Headings and what is there now, as a table that could be taken in again unchanged."""
    headings = [column.name for column in COLUMNS[kind]]
    if kind == JUDGES:
        return headings, [
            [judge.name, judge.email, judge.organisation_zh, judge.organisation_en,
             panel.name if panel else ""]
            for judge in round.event.judges.prefetch_related("panels")
            for panel in [p for p in judge.panels.all() if p.round_id == round.pk] or [None]
        ]  # fmt: skip
    known = _Judges(round.event.judges.all())
    return headings, [
        [a.participation.team.code, known.cell(a.judge), a.panel.name, ""]
        for a in Assignment.objects.filter(
            participation__round=round,
            participation__status=ParticipationStatus.ACTIVE,
            released_at=None,
        ).select_related("participation__team", "judge", "panel")
    ]
