"""Files written whole or not at all; what is no regular file is written through, never replaced."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from pathlib import Path

PRIVATE = 0o600
SHARED = 0o666
"""Before the umask, as other programs create files."""

_MOST_LINKS = 40
_OPEN_FILES = r"/proc/\d+(/task/\d+)?/fd"


def write_whole(path: Path, text: str, *, private: bool = False) -> None:
    """Write UTF-8 text in one piece, its folders too: the old file stays whole until the new one is on the disk.

    Links are followed. A file that is there keeps its mode and owner; a new one gets those of the umask, or is the
    user's alone where `private`. Devices, pipes and open files such as `/dev/stdout` are written to as they are.
    Raises OSError, or ValueError for a path that cannot be one.
    """
    data = text.encode("utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    target = _followed(path)
    if target is None or not (target.is_file() or _is_free(target)):
        _write_through(path, data)
    else:
        _replace(target, data, private)


def _followed(path: Path) -> Path | None:
    """The file at the end of all links; None where that is an open file of a process."""
    for _ in range(_MOST_LINKS):
        folder = os.path.realpath(path.parent)
        if re.fullmatch(_OPEN_FILES, folder):
            return None
        place = Path(folder, path.name)
        if not place.is_symlink():
            return place
        path = place.parent / place.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _is_free(path: Path) -> bool:
    return not os.path.lexists(path)


def _write_through(path: Path, data: bytes) -> None:
    # Opening a pipe that nobody reads would wait for ever; appending keeps what an open file holds already.
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "nobody reads this pipe", str(path)) from None
        raise
    os.set_blocking(descriptor, True)
    with open(descriptor, "wb") as file:
        file.write(data)


def _replace(path: Path, data: bytes, private: bool) -> None:
    try:
        old: os.stat_result | None = path.stat()
    except FileNotFoundError:
        old = None
    temporary = path.with_name(f".infratui-{os.urandom(8).hex()}")
    descriptor = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE if private or old else SHARED
    )
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            if old is not None:
                _keep_rights(descriptor, old)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _keep_rights(descriptor: int, old: os.stat_result) -> None:
    # Only root can give a file to another; who cannot still keeps the mode.
    with contextlib.suppress(OSError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _sync_folder(folder: Path) -> None:
    """Make the new name outlast a power cut, where the file system can; the content is on the disk already."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
