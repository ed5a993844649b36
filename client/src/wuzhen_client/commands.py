"""click's commands with texts in two languages, and the options that every command has.

click speaks English only. Here ``help`` is the key of a message, help pages are laid out again,
and faults of the command line become sentences of our own.
"""

import click

from wuzhen_client import texts
from wuzhen_client.session import Session
from wuzhen_client.texts import text

CONTEXT = {"help_option_names": ["-h", "--help"]}


def shared_options() -> list[click.Option]:
    """Taken before and after the name of the command: people try either."""

    def set_server(ctx, param, value):
        if value:
            ctx.ensure_object(Session).server_option = value

    def set_json(ctx, param, value):
        if value:
            ctx.ensure_object(Session).as_json = True

    def check_language(ctx, param, value):
        if value and texts.supported(value) is None:
            raise click.BadParameter(text("bad_language"), ctx, param)

    return [
        click.Option(["--server"], metavar="URL", help="help_server", expose_value=False,
                     callback=set_server),
        click.Option(["--lang"], metavar="LANG", help="help_lang", expose_value=False,
                     callback=check_language),
        click.Option(["--json"], is_flag=True, help="help_json", expose_value=False,
                     callback=set_json),
    ]  # fmt: skip


class _Bilingual(click.Command):
    def __init__(self, *args, **kwargs):
        kwargs.setdefault("context_settings", CONTEXT)
        super().__init__(*args, **kwargs)
        self.params.extend(shared_options())

    def get_short_help_str(self, limit: int = 45) -> str:
        return text(self.help).partition("\n")[0]

    def format_help(self, ctx, formatter) -> None:
        self.format_usage(ctx, formatter)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(text(self.help))
        rows = []
        for option in self.get_params(ctx):
            if isinstance(option, click.Option):
                names, _help = option.get_help_record(ctx)
                of_click = option.opts == ctx.help_option_names
                rows.append((names, text("help_help" if of_click else option.help)))
        with formatter.section(text("options")):
            formatter.write_dl(rows)

    def format_usage(self, ctx, formatter) -> None:
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=text("usage"))


class Command(_Bilingual):
    pass


class Group(_Bilingual, click.Group):
    command_class = Command

    def format_help(self, ctx, formatter) -> None:
        super().format_help(ctx, formatter)
        with formatter.section(text("commands")):
            formatter.write_dl(
                [(name, command.get_short_help_str()) for name, command in self.commands.items()]
            )

    def list_commands(self, ctx) -> list[str]:
        return list(self.commands)

    def resolve_command(self, ctx, args):
        if args[0] not in self.commands:
            raise click.UsageError(text("no_such_command", name=args[0]), ctx)
        return super().resolve_command(ctx, args)


def usage_sentence(error: click.UsageError) -> str:
    """What is wrong with the command line, in the user's language."""
    if isinstance(error, click.MissingParameter):
        said = text("missing", name=_name(error))
    elif isinstance(error, click.NoSuchOption):
        said = text("no_such_option", name=error.option_name)
    elif isinstance(error, click.BadOptionUsage):
        said = text("option_value", name=error.option_name)
    elif isinstance(error, click.BadParameter):
        said = text("bad_value", name=_name(error), reason=error.message)
    elif error.ctx is not None and isinstance(error.ctx.command, Group):
        said = error.message
    else:
        said = text("too_many_arguments")
    command = error.ctx.command_path if error.ctx else "wuzhen"
    return text("see_help", said=said, command=command)


def _name(error: click.BadParameter) -> str:
    """``--event`` or ``FILE``, as the help names it."""
    param = error.param
    if isinstance(param, click.Option):
        return max(param.opts, key=len)
    return param.metavar.strip("[]") if param else ""
