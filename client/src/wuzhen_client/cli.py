"""The command ``wuzhen``: its parts put together, and the one place where errors end."""

import contextlib
import sys

import click

from wuzhen_client import __version__, show, texts
from wuzhen_client.account import login, logout, whoami
from wuzhen_client.browse import leaderboard, list_events, rules, sample
from wuzhen_client.commands import Group, usage_sentence
from wuzhen_client.errors import FAILED, INTERRUPTED, Problem
from wuzhen_client.session import Session
from wuzhen_client.submitting import log, status, submit
from wuzhen_client.texts import text


class Program(Group):
    def main(self, args=None, prog_name=None, complete_var=None, standalone_mode=True, **extra):
        """Run, and exit with a status: no error leaves as a traceback."""
        arguments = list(sys.argv[1:] if args is None else args)
        texts.choose(texts.from_arguments(arguments) or texts.from_environment())
        try:
            code = super().main(arguments, "wuzhen", complete_var, standalone_mode=False, **extra)
        except click.UsageError as error:
            code = _fail(usage_sentence(error), error.exit_code)
        except click.Abort as abort:
            # click says so of Ctrl-C and of a prompt whose input has ended alike.
            ended = isinstance(abort.__context__, EOFError)
            code = _fail(text("no_input"), FAILED) if ended else INTERRUPTED
        except Problem as problem:
            code = _fail(str(problem), problem.exit_code)
        except OSError as error:
            code = _fail(_os_sentence(error), FAILED)
        except Exception as error:
            code = _fail(text("unexpected", what=f"{type(error).__name__}: {error}"), FAILED)
        sys.exit(code or 0)


def _fail(message: str, code: int) -> int:
    show.tell(text("error", message=message))
    return code


def _os_sentence(error: OSError) -> str:
    path = error.filename or ""
    known = {
        FileNotFoundError: "no_such_file",
        PermissionError: "not_allowed",
        IsADirectoryError: "is_folder",
    }
    if path and (key := known.get(type(error))):
        return text(key, path=path)
    return text("os_error", path=path, reason=error.strerror or str(error))


@click.group(cls=Program, invoke_without_command=True, help="help_wuzhen")
@click.option("--version", is_flag=True, help="help_version")
@click.pass_context
def cli(ctx, version):
    ctx.ensure_object(Session)
    if version:
        show.say(f"wuzhen-client {__version__}")
        ctx.exit()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


for command in (
    login, logout, whoami, list_events, rules, submit, status, log, leaderboard, sample,
):  # fmt: skip
    cli.add_command(command)


def run() -> None:
    """The installed command."""
    for stream in (sys.stdout, sys.stderr):
        # A console that lacks a character shows a stand-in for it instead of failing.
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")
    cli()
