#!/usr/bin/env python3
"""Makes the Debian package and lives with it.

    .ci/package.py           builds the programs and the package, and tries it
    .ci/package.py --build   builds the programs and the package, no more
    .ci/package.py --try     tries the package that is there
    .ci/package.py --again   builds the last commit in another folder, and compares with the package that is there

It is installed, upgraded, removed and purged on a Debian of its own (`machine.py`) with the commands of docs/operations.md, and
serves there against the sandbox.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from machine import Machine
from trial import Trial

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "target"
MADE = TARGET / "package"
MIB = 1 << 20
# How large a program may be, and libraries that its list has to name.
PROGRAMS = {"agentchatd": (8_000_000, ("rusqlite", "rustls", "agentchatd-engine")), "agentchatctl": (4_000_000, ("clap",))}
# Everything that the package has, and how it may be used. Folders are 0755, all is root's.
FILES = {
    "usr/bin/agentchatctl": 0o755,
    "usr/bin/agentchatd": 0o755,
    "usr/lib/systemd/system/agentchatd@.service": 0o644,
    "usr/lib/systemd/system/agentchatd@.socket": 0o644,
    "usr/lib/systemd/user/agentchatd.service": 0o644,
    "usr/lib/systemd/user/agentchatd.socket": 0o644,
    "usr/lib/sysusers.d/agentchatd.conf": 0o644,
    "usr/lib/tmpfiles.d/agentchatd.conf": 0o644,
    "usr/share/bash-completion/completions/agentchatctl": 0o644,
    "usr/share/doc/agentchatd/changelog.Debian.gz": 0o644,
    "usr/share/doc/agentchatd/changelog.gz": 0o644,
    "usr/share/doc/agentchatd/copyright": 0o644,
    "usr/share/doc/agentchatd/examples/agentchatd.toml": 0o644,
    "usr/share/doc/agentchatd/operations.md": 0o644,
    "usr/share/doc/agentchatd/third-party.gz": 0o644,
    "usr/share/fish/vendor_completions.d/agentchatctl.fish": 0o644,
    "usr/share/man/man1/agentchatctl.1.gz": 0o644,
    "usr/share/man/man5/agentchatd.toml.5.gz": 0o644,
    "usr/share/man/man7/agentchatd-protocol.7.gz": 0o644,
    "usr/share/man/man8/agentchatd.8.gz": 0o644,
    "usr/share/zsh/vendor-completions/_agentchatctl": 0o644,
}
SCRIPTS = ("postinst", "prerm", "postrm")


def output(*line, **more):
    return subprocess.run(line, check=True, capture_output=True, text=True, cwd=ROOT, **more).stdout


def build(version, epoch):
    """The programs with their list of libraries, and all that is made of them. Paths of this machine do not get into the
    programs, so that a build elsewhere can be the same. Relative relocations take a thirtieth of their room in the packed
    form, which needs glibc 2.36: the package says so."""
    home = os.environ.get("CARGO_HOME", str(Path.home() / ".cargo"))
    flags = f"--remap-path-prefix={ROOT}=. --remap-path-prefix={home}=cargo -Clink-arg=-Wl,-z,pack-relative-relocs"
    env = {**os.environ, "RUSTFLAGS": flags, "SOURCE_DATE_EPOCH": str(epoch)}
    line = "cargo auditable build --release --locked --package agentchatd --package agentchatd-client"
    line += " --features agentchatd-client/cli --bin agentchatd --bin agentchatctl"
    subprocess.run(line.split(), check=True, cwd=ROOT, env=env)
    shutil.rmtree(MADE, ignore_errors=True)
    (MADE / "completions").mkdir(parents=True)
    ctl = str(TARGET / "release/agentchatctl")
    for shell, name in (("bash", "agentchatctl"), ("zsh", "_agentchatctl"), ("fish", "agentchatctl.fish")):
        (MADE / "completions" / name).write_text(output(ctl, "completions", shell))
    date = output("date", "-u", "-d", f"@{epoch}", "+%Y-%m-%d").strip()
    output("docs/man/pages.py", str(MADE / "man"), version, date)
    (MADE / "man/agentchatctl.1").write_text(output(ctl, "man"))
    for name, text in (
        ("changelog", (ROOT / "CHANGELOG.md").read_text()),
        ("third-party", output("packaging/third-party.py")),
    ):
        (MADE / f"{name}.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    maintainer = re.search(r'^maintainer = "(.*)"', (ROOT / "daemon/Cargo.toml").read_text(), re.M).group(1)
    stamp = output("date", "-u", "-R", "-d", f"@{epoch}", env={**os.environ, "LC_ALL": "C"}).strip()
    (MADE / "changelog.Debian").write_text(
        f"agentchatd ({version}-1) unstable; urgency=medium\n\n  * What changed is in changelog.gz.\n\n"
        f" -- {maintainer}  {stamp}\n"
    )
    line = "cargo deb --quiet --no-build --no-strip --package agentchatd"
    subprocess.run(line.split(), check=True, cwd=ROOT, env=env)


def libraries(program):
    """The list that cargo-auditable wrote: a section of compressed JSON."""
    section = MADE / "section"
    subprocess.run(["objcopy", f"--dump-section=.dep-v0={section}", program, "/dev/null"], check=True)
    packages = json.loads(zlib.decompress(section.read_bytes()))["packages"]
    section.unlink()
    return {package["name"]: package["version"] for package in packages}


def programs():
    """Small, and saying what they hold; no path of this machine is in them."""
    for name, (limit, needed) in PROGRAMS.items():
        path = TARGET / "release" / name
        size, listed = path.stat().st_size, libraries(path)
        print(f"    {name}: {size:,} bytes, {len(listed)} libraries listed")
        assert size < limit, f"{name} has {size} bytes"
        assert all(library in listed for library in needed), listed
        assert str(ROOT).encode() not in path.read_bytes(), f"{name} names {ROOT}"


def contents(package):
    """Exactly the files above, with their modes, root's."""
    found = {}
    for line in output("dpkg-deb", "--contents", str(package)).splitlines():
        mode, owner, _, _, _, name = line.split(None, 5)
        assert owner in ("root/root", "0/0"), line
        assert not set(mode[1:]) & set("sStT"), line
        bits = sum(1 << (8 - at) for at, char in enumerate(mode[1:]) if char != "-")
        name = name.removeprefix("./").rstrip("/")
        if mode.startswith("d"):
            assert bits == 0o755, line
        else:
            found[name] = bits
    assert found == FILES, {key: (found.get(key), FILES.get(key)) for key in found.keys() ^ FILES.keys()}
    text = subprocess.run(["sh", "-c", f"dpkg-deb --fsys-tarfile {package} | tar -xO ./usr/share/doc/agentchatd/copyright"],
                          check=True, capture_output=True).stdout
    assert text == (ROOT / "packaging/debian/copyright").read_bytes(), "another copyright than ours"
    print(f"    {package.name}: {package.stat().st_size / MIB:.2f} MiB, {len(found)} files")


def older(package, version):
    """The same package under a lower version, and in it a file that the newer one has not."""
    folder, lower = MADE / "older", MADE / f"agentchatd_{version}_older.deb"
    shutil.rmtree(folder, ignore_errors=True)
    output("dpkg-deb", "--raw-extract", str(package), str(folder))
    control = folder / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", control.read_text(), flags=re.M))
    (folder / "usr/share/doc/agentchatd/only-in-the-older-one").write_text("gone after the upgrade\n")
    output("dpkg-deb", "--root-owner-group", "--build", str(folder), str(lower))
    shutil.rmtree(folder)
    return lower


def again(package):
    """The last commit, built in another folder, is the same package to the byte."""
    assert not output("git", "status", "--porcelain"), "what is not committed would not be built again"
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as name:
        tree = Path(name) / "tree"
        output("git", "clone", "--quiet", str(ROOT), str(tree))
        subprocess.run([sys.executable, ".ci/package.py", "--build"], check=True, cwd=tree)
        other = tree / package.relative_to(ROOT)
        digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in (package, other)}
        assert digests[package] == digests[other], f"differs: {digests}"
    print(f"    the same in another folder: sha256 {digests[package]}")


def scripts():
    for name in SCRIPTS:
        subprocess.run(["sh", "-n", ROOT / "packaging/debian" / name], check=True)


def main():
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M).group(1)
    epoch = int(output("git", "log", "-1", "--format=%ct"))
    architecture = output("dpkg", "--print-architecture").strip()
    package = TARGET / f"debian/agentchatd_{version}-1_{architecture}.deb"
    scripts()
    if "--again" in sys.argv:
        return again(package)
    if "--try" not in sys.argv:
        build(version, epoch)
    if "--build" in sys.argv:
        return
    programs()
    contents(package)
    line = "cargo build --quiet --locked --package agentchatd-tests --bin agentchat-sandbox"
    subprocess.run(line.split(), check=True, cwd=ROOT)
    lower = older(package, "0.0.1-1")
    with Machine(TARGET) as machine:
        Trial(machine, package, lower, version, list(FILES)).run()
    print("    installed, served, upgraded, removed and purged")


main()
