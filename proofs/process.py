"""Programs that are asked and answer, and are ended where that takes too long."""

import os
import signal
import subprocess
from pathlib import Path


def answer(
    command: list[str],
    text: str,
    seconds: float,
    folder: Path | None = None,
    stderr: int = subprocess.PIPE,
) -> "subprocess.CompletedProcess[str]":
    """What the program says to the text; TimeoutError if that takes more than so many seconds."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(text, seconds)
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise TimeoutError(f"more than {seconds:.0f} s") from error
    return subprocess.CompletedProcess(command, process.returncode, out, err)
