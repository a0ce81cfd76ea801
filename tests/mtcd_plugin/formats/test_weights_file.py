"""Files of starting weights: downloaded whole or not at all, and only once."""

import hashlib
import http.server
import threading

import pytest

from mtcd_plugin.formats.weights_file import fetch, known_sha256, weights_file

CONTENT = b"weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self):
        self.asked.append(self.path)
        if self.path.startswith("/gone"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) * (2 if self.path.startswith("/cut") else 1)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_):
        pass


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    Server.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_an_address_is_downloaded_once_into_the_cache(site, tmp_path):
    file = weights_file(f"{site}/a/net.pth#sha256={SHA256}")
    assert known_sha256(file) == SHA256 and not Server.asked  # given, so nothing is downloaded for it
    for _ in range(2):
        assert fetch(file) == tmp_path / "torch" / "hub" / "checkpoints" / "net.pth"
    assert file.path.read_bytes() == CONTENT and Server.asked == ["/a/net.pth"]
    assert file.name == f"{site}/a/net.pth"


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("gone.pth", ConnectionError, "cannot be downloaded .*404.*; put the file at .*gone.pth"),
        ("cut.pth", ConnectionError, r"7000 of 14000 bytes came|cut.pth cannot be downloaded"),
        (
            "net.pth#sha256=" + "0" * 64,
            ValueError,
            f"{SHA256[:12]}... instead of 000000000000...: cut short or another file",
        ),
        ("net-00000000.pth", ValueError, "instead of 00000000"),
    ],
)
def test_what_cannot_be_had_is_said_and_leaves_nothing_half_done(site, tmp_path, path, error, words):
    file = weights_file(f"{site}/{path}")
    with pytest.raises(error, match=words):
        fetch(file)
    left = [p for p in file.path.parent.iterdir() if p != file.path]
    assert not left and (error is ValueError or not file.path.exists())


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_the_sha256_of_a_file_on_this_machine_is_checked(tmp_path, form):
    path = tmp_path / "run#1" / "net.pth"  # other # are part of a name
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    source = form.format(path)
    for given in (source, f"{source}#sha256={SHA256}"):
        file = weights_file(given)
        assert (file.path, file.name, file.url) == (path, "net.pth", "") and fetch(file) == path
        assert known_sha256(file) == SHA256
    with pytest.raises(
        ValueError, match=r"net\.pth: sha256 .* instead of 000000000000.*; copy it again, or fix the sha256"
    ):
        fetch(weights_file(f"{source}#sha256={'0' * 64}"))
    with pytest.raises(ValueError, match="goes sha256=<64 hexadecimal digits>"):
        weights_file(f"{source}#sha256=abc")
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"net\.pth do not exist"):  # nothing will bring it
        known_sha256(weights_file(f"{source}#sha256={SHA256}"))


def test_a_published_name_holds_the_beginning_of_the_sha256_but_a_date_does_not(site):
    assert weights_file(f"{site}/net-{SHA256[:8]}.pth").sha256 == SHA256[:8]
    assert fetch(weights_file(f"{site}/net-{SHA256[:8]}.pth")).is_file()
    assert weights_file(f"{site}/net_20220812-e213c223.pth").sha256 == "e213c223"
    assert weights_file(f"{site}/net-20220812.pth").sha256 == ""
    assert weights_file("net-e213c223.pth").sha256 == ""  # a file of one's own may be called anything
