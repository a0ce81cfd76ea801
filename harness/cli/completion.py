"""Completion in a shell: click's protocol, for ``harness`` and, in bash, for ``python -m harness`` as well."""

from __future__ import annotations

import click

from harness.errors import BadUsage

VARIABLE = "_HARNESS_COMPLETE"
SHELLS = ("bash", "zsh", "fish")

# click's own function starts the program as one word, which ``python -m harness`` is not
BASH_MODULE = """
_harness_module_completion() {
    (( COMP_CWORD > 2 )) && [[ ${COMP_WORDS[1]} == -m && ${COMP_WORDS[2]} == harness ]] || return 0
    local words=(harness "${COMP_WORDS[@]:3}") type value
    while IFS=',' read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(
        env COMP_WORDS="${words[*]}" COMP_CWORD=$((COMP_CWORD - 2)) _HARNESS_COMPLETE=bash_complete "$1" -m harness
    )
}

complete -o nosort -o bashdefault -o default -F _harness_module_completion python python3
"""


def complete(cli: click.Command, asked: str) -> None:
    """Answer a shell: with the script that it reads once (``bash_source``), or with what can follow
    (``bash_complete``).

    Raises:
        BadUsage: ``asked`` is neither.
    """
    from click.shell_completion import shell_complete

    if shell_complete(cli, {}, "harness", VARIABLE, asked):
        choices = ", ".join(f"{shell}_source" for shell in SHELLS)
        raise BadUsage(f"{VARIABLE}={asked}: no shell that can be answered; choose from {choices}")
    if asked == "bash_source":
        click.echo(BASH_MODULE, nl=False)
