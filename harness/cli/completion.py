"""Completion in a shell: click's protocol, for ``harness`` and for ``python -m harness``."""

from __future__ import annotations

import click

from harness.errors import BadUsage

VARIABLE = "_HARNESS_COMPLETE"
SHELLS = ("bash", "zsh", "fish")

# click's own functions start the program as one word, which ``python -m harness`` is not
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

ZSH_MODULE = """
_harness_module_completion() {
    if (( CURRENT < 4 )) || [[ ${words[2]} != -m || ${words[3]} != harness ]]; then
        if (( $+functions[_python] )); then _python "$@"; else _default "$@"; fi
        return
    fi
    local -a plain described response
    local type key descr
    response=("${(@f)$(env COMP_WORDS="harness ${words[4,-1]}" COMP_CWORD=$((CURRENT - 3)) \
_HARNESS_COMPLETE=zsh_complete ${(Q)words[1]} -m harness)}")
    for type key descr in ${response}; do
        case $type in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            plain) if [[ $descr == _ ]]; then plain+=("$key"); else described+=("$key:$descr"); fi ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described -U
    (( $#plain )) && compadd -U -V unsorted -a plain
}

compdef _harness_module_completion python python3
"""

FISH_MODULE = """
function _harness_module_asked
    set -l words (commandline -opc)
    test (count $words) -ge 3; and test "$words[2]" = -m; and test "$words[3]" = harness
end

function _harness_module_completion
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l python $words[1]
    set -e words[1..3]
    set -l asked (string join " " -- harness $words $current)
    for line in (env _HARNESS_COMPLETE=fish_complete COMP_WORDS="$asked" COMP_CWORD="$current" $python -m harness)
        set -l found (string split --max 1 "," -- $line)
        switch $found[1]
            case dir
                __fish_complete_directories $found[2]
            case file
                __fish_complete_path $found[2]
            case plain
                echo $found[2]
        end
    end
end

for python in python python3
    complete --command $python --no-files --condition _harness_module_asked --arguments "(_harness_module_completion)"
end
"""

OF_MODULE = {"bash_source": BASH_MODULE, "zsh_source": ZSH_MODULE, "fish_source": FISH_MODULE}


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
    click.echo(OF_MODULE.get(asked, ""), nl=False)
