"""The command line: one command per module, loaded when asked for, so that ``--help`` starts at once."""

from __future__ import annotations

import importlib
import logging
import os
import shlex
import sys
from collections import Counter
from typing import NoReturn

import click

from harness.cli.completion import VARIABLE, complete
from harness.cli.console import FILE_ONLY, Console, failed_output
from harness.cli.group import Group, accept_everywhere, no_such_option
from harness.errors import EXIT_ENGINE_LOST, BadUsage, EngineLost, one_line
from harness.system.home import check_home
from harness.system.names import check_names

log = logging.getLogger(__name__)

COMMANDS = {
    "run-all": ("run_all", "Plan, run and report: from nothing to a leaderboard."),
    "plan": ("plan", "List cells and jobs (done, missing, failed) without starting anything."),
    "run": ("run", "Run what the plan lacks."),
    "report": ("report", "Write the pages from the ledger."),
    "predict": ("predict", "Predict the gestures in videos of your own with the network of a run."),
    "figure": ("figure", "Write curves, confusion matrix and strips of runs as PDF, PNG and SVG."),
    "publish": ("publish", "Commit the pages on a branch for a static host."),
    "status": ("status", "What is done, missing, stale, failed or running, and why."),
    "verify": ("verify", "Check the ledger: metrics, test sets, splits, parents, keys."),
    "adopt": ("adopt", "Declare a stale run equivalent, with a reason that the pages show."),
    "doctor": ("doctor", "Check the installation, and print the fix of what fails."),
    "data": ("data", "Synthesize, segment, verify, cache and describe data sets."),
    "bench": ("bench", "Measure the harness on this machine."),
    "models": ("models", "List, show, make and check models, choose their rates, pretrain them."),
}


class LazyGroup(Group):
    """A group that imports a command's module only when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"harness.cli.{COMMANDS[name][0]}")
        command = accept_everywhere(module.command)
        flags = Counter(flag for p in command.params for flag in (*p.opts, *p.secondary_opts))
        if twice := [flag for flag, times in flags.items() if times > 1]:
            raise ValueError(
                f"{twice[0]} is an option of `{name}`, and an installed executor's too; uninstall that one"
            )
        return command

    def about(self, ctx: click.Context, name: str) -> str:
        return COMMANDS[name][1]


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="mgr-dark-benchmark")
def cli() -> None:
    """Benchmark of gesture recognition in the dark: MGR-Dark, NvGesture, MTCD and its rivals."""
    check_home()


accept_everywhere(cli)


def main(argv: list[str] | None = None) -> None:
    """Run one command line. Bad usage exits with 2, a lost engine with 75, failure with 1, each with one line."""
    args = sys.argv[1:] if argv is None else argv
    with Console() as console:
        try:
            check_names(args)
            log.debug("command: harness %s", shlex.join(args), extra=FILE_ONLY)
            if asked := os.environ.get(VARIABLE):
                complete(cli, asked)
                sys.exit(0)
            code = cli.main(args=args, prog_name="python -m harness", standalone_mode=False, obj=console)
        except click.exceptions.NoArgsIsHelpError as e:
            click.echo(e.format_message(), err=True)
            sys.exit(2)
        except click.NoSuchOption as e:
            _fail(console, no_such_option(e), 2)
        except click.UsageError as e:
            _fail(console, e.format_message(), 2)
        except click.exceptions.Abort as e:
            _fail(console, f"interrupted; {e.__cause__}" if str(e.__cause__ or "") else "interrupted", 130)
        except click.ClickException as e:
            _fail(console, e.format_message(), e.exit_code)
        except BadUsage as e:
            _fail(console, one_line(e), 2)
        except EngineLost as e:
            _fail(console, one_line(e), EXIT_ENGINE_LOST)
        except (ValueError, OSError) as e:
            log.debug("", exc_info=True, extra=FILE_ONLY)
            if console.debug:
                raise
            _fail(console, failed_output(e) or one_line(e), 1)
        except Exception:
            log.exception("", extra=FILE_ONLY)
            raise
        code = code if isinstance(code, int) else 0
        log.debug("exit code %d", code, extra=FILE_ONLY)
    sys.exit(code)


def _fail(console: Console, message: str, code: int) -> NoReturn:
    log.error("%s", message, extra=FILE_ONLY)
    where = f" (log: {console.file})" if console.file else ""
    click.echo(f"error: {message}{where}", err=True)
    sys.exit(code)
