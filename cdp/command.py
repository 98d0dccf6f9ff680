"""The command line ``cdp``: nouns, then verbs. Assembles the commands and turns errors into exit codes."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from importlib.abc import MetaPathFinder

import typer
from typer._click.exceptions import ClickException, NoArgsIsHelpError, UsageError

from warehouse.bug import told_bug
from warehouse.errors import CdpError

_COMMANDS = ("init", "run", "receive", "plan", "status", "doctor", "schema", "ui")
_NOUNS = ("demo", "feeds", "quarantine", "customer", "identity", "tables", "quality")


def build_app(only: str | None = None) -> typer.Typer:
    """All commands, or one only: starting it need not import what the others need."""
    app = typer.Typer(
        name="cdp",
        help="A customer data platform that a company runs itself: feeds become customer profiles in DuckDB.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    chosen = {only} if only in (*_COMMANDS, *_NOUNS) else {*_COMMANDS, *_NOUNS}
    for name in _COMMANDS:
        if name in chosen:
            app.command(name)(getattr(import_module(f"cdp.commands.{name}"), name))
    for name in _NOUNS:
        if name in chosen:
            app.add_typer(import_module(f"cdp.commands.{name}").app, name=name)
    app.callback()(_whole)
    return app


def _whole() -> None:
    """A customer data platform that a company runs itself: feeds become customer profiles in DuckDB."""


BUG = 1
INTERRUPTED = 130
_COLLECT_AFTER = (100_000, 50, 100)
"""New objects until Python looks for garbage, and how often it then looks at older ones too.

What a command imports and reads are a million objects that stay: to look through them ever again, as Python does when
not told otherwise, takes a seventh of its start.
"""


class _WithoutPandas(MetaPathFinder):
    """Arrow looks for pandas when it makes an array: importing that costs more than linking some thousand records."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """Pandas is not here; everything else may be elsewhere."""
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is not used by this command", name=fullname)


def main() -> None:
    """Run one command; exit with the code of what went wrong."""
    gc.set_threshold(*_COLLECT_AFTER)
    if sys.argv[1:2] == ["identity"]:
        sys.meta_path.insert(0, _WithoutPandas())
    code = run_command(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_output()
    sys.exit(code)


def _let_go_of_output() -> None:
    """Whoever read along has seen enough (`| head`): what is still to be written, also at exit, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _interrupted() -> int:
    sys.stderr.write("interrupted: run the same command again; nothing is half done\n")
    return INTERRUPTED


def run_command(arguments: list[str]) -> int:
    """Run one command and return its exit code: ours and wrong usage end in two lines, bugs in a traceback."""
    try:
        app = build_app(arguments[0] if arguments else None)
        code = app(args=arguments, prog_name="cdp", standalone_mode=False)
        if code == INTERRUPTED:  # the library that reads the arguments made a failure of it
            return _interrupted()
        return code if isinstance(code, int) else 0
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # likewise
            _let_go_of_output()
            return 0
        return end.code if isinstance(end.code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except ClickException as error:
        called = error.ctx.command_path if isinstance(error, UsageError) and error.ctx is not None else "cdp"
        sys.stderr.write(f"error: {error.format_message()}\nfix: See `{called} --help`.\n")
        return error.exit_code
    except CdpError as error:
        sys.stderr.write(f"error: {error.reason}\n")
        if error.fix:
            sys.stderr.write(f"fix: {error.fix}\n")
        return error.exit_code
    except BrokenPipeError:
        _let_go_of_output()
        return 0
    except Exception as error:  # noqa: BLE001 - the outermost frame: a bug is shown whole and has its own exit code
        sys.stderr.write(told_bug(error))
        return BUG
    return 0
