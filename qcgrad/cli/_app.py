"""The application: its commands, and what happens to errors."""

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from . import _advise as advise
from . import _circuits as circuits
from . import _grad as grad
from . import _info as info
from . import _methods as methods
from . import _ntk as ntk
from . import _reproduce as reproduce
from . import _scaling as scaling
from . import _study as study
from . import _study_output as study_output
from .errors import EXIT_INTERRUPTED, EXIT_NO_READER, EXIT_REFUSED, explain, one_line


class OneLineErrors(TyperGroup):
    """A group of commands whose errors are one line on stderr and exit code 2, with a traceback on --debug."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command and exit with one of the codes that `main` documents."""
        arguments = sys.argv[1:] if args is None else list(args)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # formulas on a terminal that has no such letters
                stream.reconfigure(errors="replace")
        try:
            with _warnings_as_notes(is_wanted=not is_debug(arguments)):
                code = super().main(arguments, prog_name, complete_var, standalone_mode=False, **extra)
            sys.stdout.flush()  # here, where it can be said that there is no room
        except KeyboardInterrupt:
            code = EXIT_INTERRUPTED
        except (BrokenPipeError, SystemExit) as error:
            # Typer makes an exit of its own of a pipe that broke while a command printed.
            if not isinstance(error, BrokenPipeError) and not isinstance(error.__context__, BrokenPipeError):
                raise
            _write_nowhere()
            code = EXIT_NO_READER
        except Exception as error:
            if type(error).__name__ == "Abort":  # how older versions of typer report Ctrl-C
                raise SystemExit(EXIT_INTERRUPTED) from None
            if is_debug(arguments):
                raise
            print(f"qcgrad: {explain(error)}", file=sys.stderr)
            raise SystemExit(EXIT_REFUSED) from None
        raise SystemExit(code if isinstance(code, int) else 0)


@contextlib.contextmanager
def _warnings_as_notes(*, is_wanted: bool) -> Iterator[None]:
    """One line on stderr for each warning, without the line of source that gave it."""

    def note(message: object, *_: object, **__: object) -> None:
        print(f"note: {one_line(message)}", file=sys.stderr)

    with warnings.catch_warnings():
        if is_wanted:
            warnings.showwarning = note
        yield


def _write_nowhere() -> None:
    """Whoever read stdout has gone; what the interpreter still flushes at its end is no error."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


application = typer.Typer(
    cls=OneLineErrors,
    name="qcgrad",
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: qcgrad grad tfim_hva_n4_p2 --shots 1000, or qcgrad scaling --quick",
)
application.command("scaling", epilog=scaling.EXAMPLE)(scaling.scaling)
study_output.add_to(study.application)
application.add_typer(study.application, name="study")
application.command("reproduce", epilog=reproduce.EXAMPLE)(reproduce.reproduce)
application.command("grad", epilog=grad.EXAMPLE)(grad.grad)
application.command("advise", epilog=advise.EXAMPLE)(advise.advise)
application.command("methods", epilog=methods.EXAMPLE)(methods.methods)
application.command("circuits", epilog=circuits.EXAMPLE)(circuits.circuits)
application.command("ntk", epilog=ntk.EXAMPLE)(ntk.ntk)
application.command("info", epilog=info.EXAMPLE)(info.info)


def _print_version(wanted: bool):
    if wanted:
        from ..version import __version__

        print(f"qcgrad {__version__}")
        raise typer.Exit


@application.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (or set QCGRAD_DEBUG=1).")
    ] = False,
):
    """Gradients of quantum circuits and networks: every estimator, and exactly what it costs.

    Results go to stdout, progress and notes to stderr; with --json, stdout is one JSON document.

    Exit codes:

    0: done

    1: done but for a part: cells of a study that failed, a claim that does not hold, a gradient that is not "ok"

    2: refused, with one line on stderr and nothing on stdout, with --json too

    130: interrupted by Ctrl-C; what was finished is kept

    141: whoever read stdout stopped reading, as head does

    qcgrad --install-completion lets the shell complete names of methods, circuits, studies and activations.
    """
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit
    import jax

    # Only the command line may choose the precision of the whole process.
    jax.config.update("jax_enable_x64", True)
    context.obj = {"debug": debug or is_debug([])}


def is_debug(arguments: list[str]) -> bool:
    """Whether tracebacks are wanted."""
    return os.environ.get("QCGRAD_DEBUG", "") not in ("", "0") or "--debug" in arguments


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the `qcgrad` command.

    Args:
        arguments: of the command line; those of the process by default.

    Raises:
        SystemExit: always. 0: done. 1: done but for a part, as cells of a study that failed, a claim that does not
            hold, a gradient that is not "ok"; results are on stdout as ever. 2: refused; one line on stderr says why,
            with --json too, and stdout is empty. 130: after Ctrl-C; what was finished is kept. 141: nobody reads
            stdout.
    """
    application(arguments, prog_name="qcgrad")
