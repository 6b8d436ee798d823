"""Makes the archives of a release from its wheels, and the list of their digests.

    python3 .ci/archives.py WHEELS OUTPUT

The program in an archive is the one in the wheel for the same system, with the licences and the
documentation of this repository beside it. On Linux the static one for musl is taken, which runs
everywhere. `action/install.sh` knows how the archives are called.
"""

import gzip
import hashlib
import io
import pathlib
import re
import sys
import tarfile
import zipfile

ROOT = pathlib.Path(__file__).parent.parent
BESIDE = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"]
# A fixed time, so that the same wheels give the same archives.
TIME = (1980, 1, 1, 0, 0, 0)
TRIPLES = [
    (r"musllinux_\d+_\d+_x86_64", "x86_64-unknown-linux-musl"),
    (r"musllinux_\d+_\d+_aarch64", "aarch64-unknown-linux-musl"),
    (r"macosx_\d+_\d+_x86_64", "x86_64-apple-darwin"),
    (r"macosx_\d+_\d+_arm64", "aarch64-apple-darwin"),
    (r"win_amd64", "x86_64-pc-windows-msvc"),
]


def program(wheel: pathlib.Path) -> tuple[str, bytes]:
    """The name of the program in a wheel, and its content."""
    with zipfile.ZipFile(wheel) as archive:
        scripts = [name for name in archive.namelist() if ".data/scripts/ftcheck" in name]
        if len(scripts) != 1:
            sys.exit(f"{wheel}: expected one program, found {scripts}")
        return scripts[0].rsplit("/", 1)[1], archive.read(scripts[0])


def pack(wheel: pathlib.Path, version: str, triple: str, output: pathlib.Path) -> list[pathlib.Path]:
    name = f"ftcheck-{version}-{triple}"
    script, content = program(wheel)
    members = [(f"{name}/{script}", content, 0o755)]
    members += [(f"{name}/{file}", (ROOT / file).read_bytes(), 0o644) for file in BESIDE]
    made = [output / f"{name}.tar.gz"]
    packed = gzip.GzipFile(made[0], "wb", mtime=0)
    with packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for path, data, mode in members:
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(data), mode
            archive.addfile(member, io.BytesIO(data))
    if "windows" in triple:
        made.append(output / f"{name}.zip")
        with zipfile.ZipFile(made[1], "w", zipfile.ZIP_DEFLATED) as archive:
            for path, data, _ in members:
                archive.writestr(zipfile.ZipInfo(path, TIME), data, zipfile.ZIP_DEFLATED)
    return made


def main() -> None:
    wheels, output = map(pathlib.Path, sys.argv[1:])
    output.mkdir(parents=True, exist_ok=True)
    made: list[pathlib.Path] = []
    missing = dict(reversed(pair) for pair in TRIPLES)
    for wheel in sorted(wheels.glob("ftcheck_scan-*.whl")):
        _, version, _, _, platform = wheel.stem.split("-")
        for pattern, triple in TRIPLES:
            if any(re.fullmatch(pattern, tag) for tag in platform.split(".")):
                made += pack(wheel, version, triple, output)
                missing.pop(triple, None)
    if missing:
        sys.exit(f"no wheel for {', '.join(missing)}")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made]
    (output / "SHA256SUMS").write_text("".join(lines), newline="\n")


main()
