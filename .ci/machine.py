"""A Debian of its own with its own systemd, in name spaces of this machine: what a package is tried on.

Needs root and `mmdebstrap`. Nothing of the host but its kernel, its network and its processors is seen in it, and nothing of
it is left when it ends.
"""

import os
import shutil
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

SUITE = "bookworm"
# What a server has; everything else comes with the package's own dependencies.
PACKAGES = "systemd,dbus,libpam-systemd,ca-certificates,man-db,groff-base,jq,sqlite3,socat,curl,python3,libstdc++6"
PATIENCE = 60
CGROUPS = Path("/sys/fs/cgroup")

# Runs in the new name spaces: lays the file systems and becomes the service manager.
BOOT = r"""
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
# The kernel's settings are the host's.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/systemd" "$root/sys/fs/cgroup/unified"
    mount -t cgroup -o none,name=systemd systemd "$root/sys/fs/cgroup/systemd"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
fi
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
    touch "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
cd "$root"
pivot_root . mnt
umount -l /mnt
# Credentials are mounted beside a service and have to be seen in it.
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --log-target=journal --show-status=no --unit=multi-user.target
"""


class Machine:
    """Boots when it is entered, and is gone when it is left."""

    def __init__(self, work):
        # Another list of packages is another archive.
        self.archive = work / f"{SUITE}-{zlib.crc32(PACKAGES.encode()):08x}.tar"
        self.work = work

    def __enter__(self):
        if not self.archive.exists():
            unfinished = self.archive.with_suffix(".new.tar")
            command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", SUITE, unfinished]
            subprocess.run(command, check=True)
            unfinished.rename(self.archive)
        self.root = Path(tempfile.mkdtemp(prefix="machine.", dir=self.work))
        self.root.chmod(0o755)
        subprocess.run(["tar", "-C", self.root, "-xf", self.archive], check=True)
        self.groups = [
            hierarchy / f"machine.{os.getpid()}"
            for hierarchy in ([CGROUPS] if (CGROUPS / "cgroup.procs").exists() else [CGROUPS / "systemd", CGROUPS / "unified"])
        ]
        for group in self.groups:
            group.mkdir()
        enter = "for group in {}; do echo $$ > $group/cgroup.procs; done; exec \"$@\"".format(
            " ".join(str(group) for group in self.groups)
        )
        line = ["sh", "-c", enter, "sh", "unshare", "-fpmuiC", "--kill-child", "bash", "-c", BOOT, "boot", self.root]
        self.unshare = subprocess.Popen(line, stdin=subprocess.DEVNULL)
        try:
            self.booted()
        except BaseException:
            self.__exit__()
            raise
        return self

    def booted(self):
        deadline = time.monotonic() + PATIENCE
        state = ""
        while state != "running":
            if time.monotonic() > deadline or self.unshare.poll() is not None:
                raise RuntimeError(f"the machine does not boot: {state}")
            time.sleep(0.2)
            if self.init():
                state = self.run("systemctl is-system-running || true").strip()
                if state == "degraded":
                    raise RuntimeError(self.run("systemctl --failed --no-pager"))

    def __exit__(self, *_):
        self.unshare.kill()
        self.unshare.wait()
        deadline = time.monotonic() + PATIENCE
        for group in self.groups:
            inner = sorted(group.glob("**/cgroup.procs"), key=lambda path: -len(path.parts))
            for path in [procs.parent for procs in inner]:
                # The processes go a moment after their init.
                while True:
                    try:
                        path.rmdir()
                        break
                    except OSError:
                        if time.monotonic() > deadline:
                            raise
                        time.sleep(0.05)
        shutil.rmtree(self.root)

    def init(self):
        """The process id, seen from here, of its service manager."""
        children = Path(f"/proc/{self.unshare.pid}/task/{self.unshare.pid}/children").read_text().split()
        if not children:
            return None
        name = Path(f"/proc/{children[0]}/comm").read_text().strip()
        return children[0] if name == "systemd" else None

    def command(self, script, user=None):
        line = ["nsenter", "--target", self.init(), "--all", "--root", "--wd"]
        line += ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        line += ["HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
        if user:
            uid = (self.root / "etc/passwd").read_text().split(f"\n{user}:x:")[1].split(":")[0]
            line += ["runuser", "-u", user, "--", "env", f"HOME=/home/{user}", f"XDG_RUNTIME_DIR=/run/user/{uid}"]
        return [*line, "bash", "-euo", "pipefail", "-c", script]

    def run(self, script, user=None, given="", status=0, patience=PATIENCE):
        """Runs a script in it; what it printed. It has to end with this status."""
        done = subprocess.run(
            self.command(script, user), input=given, capture_output=True, text=True, timeout=patience
        )
        if done.returncode != status:
            raise AssertionError(f"{script}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def until(self, script, expected, user=None):
        """Waits until a script prints this."""
        deadline = time.monotonic() + PATIENCE
        while True:
            got = self.run(f"{{ {script}; }} 2>&1 || true", user).strip()
            if got == expected:
                return
            if time.monotonic() > deadline:
                journal = self.run("journalctl --no-pager -n 40 || true")
                raise AssertionError(f"{script}\nprints {got!r}, not {expected!r}\n{journal}")
            time.sleep(0.1)
