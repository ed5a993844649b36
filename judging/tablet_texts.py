"""Every text of the judge's tablet. The page carries them in both languages, for the language can
be changed without a network. ``{name}`` stands for what the script puts in."""

from django.utils import translation
from django.utils.translation import gettext_lazy as _

TEXTS = {
    "app": _("Judging"),
    "home": _("Teams"),
    "tablet": _("This tablet"),
    # Where everything stands
    "all_saved": _("Everything is saved on the server"),
    "sending": _("Saving {n}…"),
    "offline": _("No connection: {n} kept on this tablet, sent later"),
    "offline_none": _("No connection; you can go on"),
    "signed_out": _("Signed out: {n} kept on this tablet"),
    "signed_out_none": _("Signed out"),
    "attention": _("{n} need your decision"),
    "starting": _("Opening…"),
    # State of a sheet
    "state_none": _("not begun"),
    "state_on_tablet": _("draft on this tablet"),
    "state_saved": _("draft, saved on the server"),
    "state_submitting": _("handed in, waits on this tablet"),
    "state_submitted": _("submitted"),
    "state_returned": _("returned"),
    "state_recused": _("conflict of interest"),
    "state_released": _("released"),
    "state_conflict": _("two tablets differ"),
    "state_refused": _("not accepted"),
    # Rounds and teams
    "round_open": _("open"),
    "round_closed": _("closed"),
    "round_decided": _("decided"),
    "round_published": _("published"),
    "no_teams": _("No team has been assigned to you yet."),
    "submitted_of": _("{done} of {all} sheets submitted"),
    "on_stage": _("Now on stage"),
    "next_on_stage": _("Next"),
    "open_sheet": _("Open its sheet"),
    "number": _("Number {n}"),
    "phase_presentation": _("presentation"),
    "phase_questions": _("questions"),
    "phase_idle": _("between teams"),
    "stopped": _("stopped"),
    "anonymous": _("The teams are anonymous."),
    "previous": _("Previous team"),
    "next": _("Next team"),
    "files": _("Files"),
    "repository": _("Source repository"),
    "demo": _("Demo"),
    "video": _("Video"),
    "base_model": _("Base model"),
    "licence": _("Licence"),
    "show_beside": _("Show beside"),
    "open_alone": _("Open in a tab"),
    "files_need_network": _("Files can be opened while there is a connection."),
    # The sheet
    "total": _("Weighted total"),
    "rank_among": _("Rank {rank} of your {n} sheets"),
    "incomplete": _("Missing: {n}"),
    "share": _("{n} %"),
    "up_to": _("up to {n} points"),
    "bonus": _("bonus"),
    "penalty": _("penalty"),
    "veto": _("condition"),
    "met": _("met"),
    "not_met": _("not met"),
    "lower": _("Lower: {name}"),
    "higher": _("Higher: {name}"),
    "type_mark": _("Mark: {name}"),
    "your_others": _("Your other marks here: {marks}"),
    "your_sheets": _("Your sheets so far"),
    "your_sheets_none": _("Complete sheets are compared here."),
    "this_team": _("this team"),
    "comment": _("Comment to the team"),
    "private_note": _("Private note"),
    "comment_help": _("The team reads it after the result is published."),
    "private_note_help": _("Nobody but you reads it."),
    "undo": _("Undo"),
    "undo_what": _("Undo: {name} back to {mark}"),
    "mark_on_tablet": _("on this tablet"),
    "mark_on_server": _("on the server"),
    "submit": _("Submit…"),
    "submit_title": _("Submit the sheet for {team}?"),
    "submit_help": _("Afterwards only the organizers can return it to you."),
    "submit_missing": _("Marks are missing for: {names}"),
    "submit_offline": _("There is no connection. It is handed in as soon as there is one."),
    "submit_same": _("You gave the same total to: {teams}"),
    "submit_confirm": _("Submit"),
    "back_to_marks": _("Back to the marks"),
    "take_back": _("Take back: it was not sent yet"),
    "submitted_help": _("This sheet was submitted. Ask the organizers to return it to you."),
    "returned_help": _("The organizers returned this sheet: {reason}"),
    "not_open": _("The round is not open for scoring."),
    "recused_help": _("You declared a conflict of interest. This sheet does not count."),
    "released_help": _("You were released from this team."),
    "recuse": _("Conflict of interest…"),
    "recuse_title": _("Declare a conflict of interest with {team}?"),
    "recuse_help": _("Your sheet for this team stays on record and does not count."),
    "recuse_confirm": _("Declare a conflict of interest"),
    "reason": _("Reason"),
    "cancel": _("Cancel"),
    # Decisions
    "conflict_title": _("Changed on another tablet of yours"),
    "conflict_mine": _("Here: {value}"),
    "conflict_theirs": _("On the other tablet: {value}"),
    "keep_mine": _("Keep the one from here"),
    "take_theirs": _("Take the other"),
    "submit_conflict": _(
        "Marks of this sheet were changed meanwhile, on another tablet or by a new version of the "
        "rubric. Look at them, then submit again."
    ),
    "submit_conflict_in": _(
        "This sheet was handed in on another tablet, with other marks than those you confirmed "
        "here. Look at them; if they are wrong, ask the organizers to return the sheet."
    ),
    "submit_conflict_back": _(
        "The organizers returned this sheet after you had handed it in here. See why, then submit "
        "again."
    ),
    "understood": _("Understood"),
    "refused_title": _("Not accepted by the server"),
    "try_again": _("Send again"),
    "discard": _("Discard"),
    "discard_confirm": _("Discard it for good?"),
    "cleared": _("no mark"),
    "what_mark": _("Mark"),
    "what_submit": _("Handing in"),
    "what_recuse": _("Conflict of interest"),
    "what_tie": _("Decision on a tie"),
    # Ties
    "ties": _("A tie waits for your decision as chair"),
    "tie_help": _("Put the teams in order, the best first."),
    "tie_up": _("Up: {team}"),
    "tie_down": _("Down: {team}"),
    "tie_confirm": _("Decide"),
    # Messages
    "reminder": _("The organizers ask you to complete your sheets."),
    # Signing in
    "welcome": _("Judging on this tablet"),
    "sign_in_help": _("Scan the QR code that the organizers gave you, or paste the link here."),
    "sign_in_code_help": _(
        "Are you signed in in this tablet's browser? There, “This tablet” shows a code for here."
    ),
    "sign_in_refused": _(
        "This link or code was used, revoked or has expired, or is not right. Check it, or ask for "
        "a new one."
    ),
    "sign_in_offline": _("The server does not answer. Try again when there is a connection."),
    "sign_in_field": _("Link or code"),
    "sign_in": _("Sign in"),
    "sign_in_again": _(
        "You are signed out. What you marked is kept on this tablet and is sent once you sign in "
        "again with a new link."
    ),
    "left_unsent": _("{n} changes on this tablet have not reached the server."),
    "other_unsent": _("{n} changes of another judge wait on this tablet until they sign in again."),
    "sign_out": _("Sign out"),
    "sign_out_unsent": _(
        "{n} changes have not reached the server. They stay on this tablet. Sign out all the same?"
    ),
    # The tablet
    "storage": _("Store"),
    "storage_kept": _("The browser keeps what is on this tablet."),
    "storage_may_go": _("The browser may clear this tablet's store when space runs out."),
    "storage_ask": _("Ask the browser to keep it"),
    "storage_failed": _(
        "This tablet's store takes nothing. Keep this page open until everything is saved on the "
        "server."
    ),
    "stay_title": _("{n} changes live in this page alone"),
    "stay_help": _(
        "This tablet's store does not take them: they would be gone with the page. Wait until they "
        "are saved on the server, or save them as a file first."
    ),
    "insecure": _(
        "This address is not secure (http). The app does not open without a network here, and the "
        "browser may clear what is kept. Ask the organizers for the address that begins with https."
    ),
    "storage_lost": _(
        "The browser cleared this tablet's store. {n} changes had not reached the server. Compare "
        "your sheets."
    ),
    "unsent": _("Not yet on the server"),
    "unsent_none": _("Nothing; everything is on the server."),
    "export": _("Save as a file"),
    "export_help": _(
        "As a last resort: the file can be read in on another tablet where you are signed in."
    ),
    "import": _("Read in a file"),
    "imported": _("{n} changes were read in."),
    "import_failed": _("This is not a file that a tablet saved."),
    "install": _("Install"),
    "install_help": _("Put it on the home screen: it then opens without a network."),
    "install_ios": _("In Safari: Share, then “Add to Home Screen”."),
    "installed": _("Installed on this tablet."),
    "code_help": _("The installed app asks who you are: type this code there."),
    "code_show": _("Show a code"),
    "code_lasts": _("It works once, within {n} minutes."),
    "code_failed": _("There is no code now. Are you connected and signed in?"),
    "needs_network": _(
        "This version of the app needs a connection once. What you marked is kept on this tablet."
    ),
    "outdated": _(
        "The server is newer than this app. What you mark is kept and sent; load the page again to "
        "see everything."
    ),
    "update_ready": _("A new version is ready."),
    "update": _("Use it"),
    "connection": _("Connection"),
    "live": _("Changes arrive at once."),
    "polling": _("Changes are asked for every few seconds."),
    "down": _("The server does not answer."),
    "device": _("Name of this tablet"),
    "dismiss": _("Close"),
    "judge": _("Judge"),
    "event": _("Event"),
    # The preview of a rubric
    "preview": _("Preview"),
    "preview_back": _("Back to the rubric"),
    "preview_note": _("This is the sheet as judges have it. Try it: nothing is kept or sent."),
    "preview_sends_nothing": _("In the preview nothing is sent."),
}


def texts() -> dict[str, dict[str, str]]:
    """``{"zh": {name: text}, "en": {name: text}}``."""
    both = {}
    for short, language in (("zh", "zh-hans"), ("en", "en")):
        with translation.override(language):
            both[short] = {name: str(text) for name, text in TEXTS.items()}
    both["zh"]["language"], both["en"]["language"] = "English", "中文"
    return both
