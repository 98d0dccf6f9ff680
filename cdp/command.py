"""The command line ``cdp``: nouns, then verbs. Assembles the commands and turns errors into exit codes."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from cdp.commands import customer, demo, doctor, feeds, init, plan, quality, quarantine, run, schema, status, tables, ui
from warehouse.errors import CdpError

app = typer.Typer(
    name="cdp",
    help="A customer data platform that a company runs itself: feeds become customer profiles in DuckDB.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("init")(init.init)
app.command("run")(run.run)
app.command("plan")(plan.plan)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.command("schema")(schema.schema)
app.command("ui")(ui.ui)
app.add_typer(demo.app, name="demo")
app.add_typer(feeds.app, name="feeds")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(customer.app, name="customer")
app.add_typer(tables.app, name="tables")
app.add_typer(quality.app, name="quality")

BUG = 1
INTERRUPTED = 130


def main() -> None:
    """Run one command; exit with the code of what went wrong."""
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


def run_command(arguments: list[str]) -> int:
    """Run one command and return its exit code: ours end in two lines, bugs in a traceback."""
    try:
        app(args=arguments, prog_name="cdp")
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # the library that reads the arguments made a failure of it
            _let_go_of_output()
            return 0
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\nfix: run the same command again; nothing is half done\n")
        return INTERRUPTED
    except CdpError as error:
        sys.stderr.write(f"error: {error.reason}\n")
        if error.fix:
            sys.stderr.write(f"fix: {error.fix}\n")
        return error.exit_code
    except BrokenPipeError:
        _let_go_of_output()
        return 0
    except Exception:  # noqa: BLE001 - the outermost frame: a bug is shown whole and has its own exit code
        traceback.print_exc()
        return BUG
    return 0
