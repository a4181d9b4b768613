"""Tab completion: the scripts for bash, zsh and fish, and the answers that they ask for.

A script runs `archdsl` with the variable `_ARCHDSL_COMPLETE`; `COMP_WORDS` is then the line up to the cursor, and
`COMP_LINE` all of it. The answer is a line for each completion: `plain,VALUE`; `file,PATH` for one that may need
quotes; or `files,ENDING` where the shell lists files itself. Whatever is wrong with the line or with the specs on it,
the answer is what can be known, perhaps nothing.
"""

from __future__ import annotations

import os
import shlex
from typing import ClassVar

import click
from click.shell_completion import CompletionItem, ShellComplete

from archdsl.cli import output

VARIABLE = "_ARCHDSL_COMPLETE"
PROGRAM = "archdsl"
END = "\0"  # what no line has in it


class Shell(ShellComplete):
    """What is the same for every shell."""

    lists_files: ClassVar[bool] = False  # by itself, so that it is told of the kind of files only

    def get_completion_args(self) -> tuple[list[str], str]:
        *args, incomplete = split(os.environ.get("COMP_WORDS", "") + END)
        return args[1:], incomplete.removesuffix(END)

    def complete(self) -> str:
        args, incomplete = self.get_completion_args()
        option, equals, _ = incomplete.partition("=")
        before = option + equals if incomplete.startswith("--") and equals else ""
        found = self.get_completions(args, incomplete)
        if self.lists_files and any(item.type == "file" for item in found):
            return "".join(f"files,{item.suffix}\n" for item in found)
        found = [whole for item in found for whole in _whole(item)]
        return "".join(f"{item.type},{self.shown(before + item.value, item)}\n" for item in found)

    def shown(self, value: str, item: CompletionItem) -> str:
        """What the shell puts in place of the word that is being written."""
        return value


class Bash(Shell):
    name = "bash"
    source_template = """\
_archdsl_completion() {
    local type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        if [[ $type == file ]]; then
            compopt -o filenames 2>/dev/null
            value=${value%/}
        elif [[ $value == *[=:] ]]; then
            compopt -o nospace 2>/dev/null
        fi
        COMPREPLY+=("$value")
    done < <(COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_LINE="$COMP_LINE" COMP_BREAKS="$COMP_WORDBREAKS" \\
        _ARCHDSL_COMPLETE=bash_complete "${1/#\\~\\//$HOME/}" 2>/dev/null </dev/null)
}
complete -F _archdsl_completion archdsl
"""

    def shown(self, value: str, item: CompletionItem) -> str:
        """Without what stands before the last `=` or `:`, which bash takes for words of their own."""
        breaks = set("=:") & set(os.environ.get("COMP_BREAKS", "=:"))
        incomplete = self.get_completion_args()[1]
        kept = max((incomplete.rfind(mark) + 1 for mark in breaks), default=0)
        return value[kept:]


class Zsh(Shell):
    name = "zsh"
    lists_files = True
    source_template = """\
#compdef archdsl
_archdsl() {
    local type value
    local -a plain open
    while IFS=, read -r type value; do
        if [[ $type == files ]]; then
            [[ $PREFIX == --*=* ]] && compset -P 1 '*='
            _path_files -g "*$value(-.)"
            _path_files -/
        elif [[ $value == *[=:] ]]; then
            open+=("$value")
        else
            plain+=("$value")
        fi
    done < <(COMP_WORDS="${(j: :)words[1,CURRENT-1]} $PREFIX" COMP_LINE="${(j: :)words}" \\
        _ARCHDSL_COMPLETE=zsh_complete "${words[1]/#\\~\\//$HOME/}" 2>/dev/null </dev/null)
    (( $#plain )) && compadd -a plain
    (( $#open )) && compadd -S '' -a open
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _archdsl "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _archdsl archdsl
fi
"""


class Fish(Shell):
    name = "fish"
    source_template = """\
function __archdsl_complete
    set -l program (string replace -r '^~/' $HOME/ -- (commandline -opc)[1])
    env COMP_WORDS=(commandline -cp | string collect) COMP_LINE=(commandline -p | string collect) \\
        _ARCHDSL_COMPLETE=fish_complete $program 2>/dev/null </dev/null | string replace -r '^[^,]*,' ''
end
complete --command archdsl --no-files --arguments '(__archdsl_complete)'
"""


SHELLS: dict[str, type[Shell]] = {each.name: each for each in (Bash, Zsh, Fish)}


def script(shell: str) -> str:
    """What switches completion on in a shell that reads it."""
    return SHELLS[shell].source_template


def answer(app: click.Command, instruction: str) -> int:
    """Prints the completions that `instruction` asks for, such as `bash_complete`, and returns the exit status."""
    name, _, asked = instruction.partition("_")
    shell = SHELLS.get(name)
    if shell is None or asked != "complete":
        return 2
    try:
        words = split(os.environ.get("COMP_LINE", ""))
        output.write_utf8(shell(app, {"obj": words}, PROGRAM, VARIABLE).complete())
    except (click.ClickException, click.exceptions.Exit, OSError, UnicodeError):
        pass  # a command that does not exist, a name that is no text: there is nothing to offer
    return 0


def split(line: str) -> list[str]:
    """The words of a line as a shell has them; where a quote is not closed yet, as if it ended there."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:
        words.append(lexer.token)
    return words


def _whole(item: CompletionItem) -> list[CompletionItem]:
    """A completion, or where it stands for files (`type="file"`), those that there are, folders with a slash."""
    if item.type != "file":
        return [item]
    folder, name = os.path.split(item.value)
    try:
        entries = sorted(os.scandir(os.path.expanduser(folder) or "."), key=lambda entry: entry.name)
    except OSError:
        return []
    found = []
    for entry in entries:
        hidden = entry.name.startswith(".") and not name.startswith(".")
        offered = entry.name.startswith(name) and not hidden and entry.name.isprintable()
        if offered and (entry.is_dir() or entry.name.endswith(item.suffix)):
            found.append(CompletionItem(os.path.join(folder, entry.name) + "/" * entry.is_dir(), type="file"))
    return found
