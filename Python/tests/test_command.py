"""How the command is run: its errors, its progress, and what an interrupt does."""
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time

import pytest

import headlamp


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Puts a script in the place of the command."""
    def use(script):
        path = tmp_path / "headlamp"
        path.write_text("#!/bin/sh\n" + textwrap.dedent(script))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("HEADLAMP", str(path))

    return use


@pytest.mark.parametrize("progress", [False, True])
def test_errors_are_the_commands_own_lines(progress):
    with pytest.raises(headlamp.HeadlampError, match="no task 'no-such'") as error:
        headlamp.discover("no-such", progress=progress)
    assert error.value.exit_code in (1, 2) and "\n" not in str(error.value)


def test_misuse_has_the_exit_code_2():
    with pytest.raises(headlamp.HeadlampError, match="no-such-option") as error:
        headlamp.discover("ioi", no_such_option=1, progress=False)
    assert error.value.exit_code == 2


def test_progress_is_passed_on_and_the_failure_is_not_shown_twice(stand_in, capsys):
    stand_in(r"""
        [ -t 2 ] || exit 9
        printf '\r\033[K10 of 20' >&2; sleep 0.1
        printf '\r\033[K20 of 20' >&2; sleep 0.1
        printf '\r\033[Ka note\n' >&2
        echo result
        printf 'headlamp: nothing works: try again\n' >&2
        exit 1
    """)
    with pytest.raises(headlamp.HeadlampError, match="^nothing works: try again$"):
        headlamp.run(["anything"])
    shown = capsys.readouterr().err
    assert "10 of 20" in shown and "20 of 20" in shown and "a note\n" in shown
    assert "\x1b" not in shown and "nothing works" not in shown


def test_without_progress_nothing_is_shown(stand_in, capsys):
    stand_in(r"[ -t 2 ] && exit 9; echo note >&2; echo result")
    assert headlamp.run(["anything"], progress=False) == "result\n"
    assert capsys.readouterr().err == ""


def test_much_output_on_both_sides_does_not_block(stand_in):
    stand_in(r"i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; "
             r"echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); done")
    assert len(headlamp.run(["anything"], progress=False)) == 3000 * 41


def test_a_command_ended_by_a_signal_says_so(stand_in):
    stand_in("kill -KILL $$")
    with pytest.raises(headlamp.HeadlampError, match="SIGKILL") as error:
        headlamp.run(["anything"], progress=False)
    assert error.value.exit_code == -signal.SIGKILL


def test_a_command_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADLAMP", str(tmp_path / "none"))
    with pytest.raises(headlamp.HeadlampError, match="cannot start .*none: No such file"):
        headlamp.run(["anything"])


def test_an_interrupt_ends_the_command(stand_in, tmp_path):
    # Only Python is sent the signal, as a notebook does it.
    mark = tmp_path / "process"
    stand_in(f"""
        trap 'echo "headlamp: kept what there was" >&2; exit 130' INT
        echo $$ > {mark}
        while :; do sleep 0.1; done
    """)
    # A background job of a shell ignores the signal, and so would Python there.
    program = (
        "import headlamp, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "headlamp.run(['anything'])")
    process = subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not mark.exists() or not mark.read_text():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=20)[1]
    assert "KeyboardInterrupt" in said and "kept what there was" in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


def test_options_become_words():
    from headlamp._command import words

    assert words({"least_share": 0.1, "all": True, "none": None, "no": False, "rows": [1, 2], "keep": ["a, b", 'c "d"']}) == [
        "--least-share", "0.1", "--all", "--rows", "1,2", "--keep", '"a, b","c ""d"""']
