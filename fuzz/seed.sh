#!/bin/sh
# Fills fuzz/corpus with the fixtures and with what was kept, as inputs for the targets to start from.
set -eu
here=$(dirname "$0")
fixtures=$here/../fixtures
corpus=$here/corpus
mkdir -p "$corpus/image_load" "$corpus/emulate" "$corpus/inspect_module" \
    "$corpus/locks" "$corpus/pyproject" "$corpus/python" "$corpus/requirements_txt" "$corpus/sdist" "$corpus/tracker_import" \
    "$corpus/uv_lock" "$corpus/wheel_filename" "$corpus/source" "$corpus/archive" "$corpus/core_metadata" \
    "$corpus/distribution_filename" "$corpus/settings" "$corpus/simple_page"

# What long runs found to lead elsewhere, without what is large.
for kept in "$here"/kept/*.tar.gz; do
    tar -C "$corpus" -xzf "$kept"
done

# The first byte picks the interpreter, on whatever the file is for.
for module in "$fixtures"/modules/built/*/*.so "$fixtures"/modules/built/*/*.pyd; do
    name=$(basename "$(dirname "$module")")-$(basename "$module")
    cp "$module" "$corpus/image_load/$name"
    for target in 0 1 2; do
        { printf "\\00$target"; cat "$module"; } > "$corpus/inspect_module/$name-$target"
    done
done

# A module, the interpreter, and by way of a patch the first bytes of a hook: nothing, as it is;
# returns, calls itself.
for module in 0 1 2 3 4 5 6 7 10 11 12 13 14 15 16 17 20 21 22 23 24 25 26 27; do
    for target in 0 1 2; do
        seed=$corpus/emulate/$module-$target
        { printf "\\0$module\\00$target"; } > "$seed"
        { cat "$seed"; printf '\200\000\003\061\300\303'; } > "$seed-x86_64-returns"
        { cat "$seed"; printf '\200\000\005\350\373\377\377\377'; } > "$seed-x86_64-calls"
        { cat "$seed"; printf '\200\000\004\300\003\137\326'; } > "$seed-aarch64-returns"
        { cat "$seed"; printf '\200\000\004\000\000\000\224'; } > "$seed-aarch64-calls"
    done
done

for project in "$fixtures"/pyproject/*/pyproject.toml; do
    cp "$project" "$corpus/pyproject/$(basename "$(dirname "$project")")"
done
find "$fixtures" -name 'requirements*.txt' -exec cp {} "$corpus/requirements_txt/" \;
printf 'spam[a,b] >= 1.0, != 1.5 ; python_version < "3.14" --hash=sha256:00 # note\n' \
    > "$corpus/requirements_txt/marker"
printf -- '-r other.txt\n-e .\n./spam\nspam @ https://x.org/spam-1-py3-none-any.whl\nham\\\n==1\n' \
    > "$corpus/requirements_txt/options"

# Two releases called spam 1.0, one static and one that its pyproject.toml speaks for.
folder=$(mktemp -d)
mkdir "$folder/spam-1.0"
printf 'Metadata-Version: 2.2\nName: spam\nVersion: 1.0\nRequires-Dist: ham>1\n\nText\n' \
    > "$folder/spam-1.0/PKG-INFO"
tar -C "$folder" -cf "$corpus/sdist/static" spam-1.0
printf 'Metadata-Version: 2.1\nName: spam\nVersion: 1.0\n' > "$folder/spam-1.0/PKG-INFO"
printf '[project]\nname = "spam"\nversion = "1.0"\ndependencies = ["ham"]\n[project.optional-dependencies]\na = ["eggs; os_name == '"'nt'"'"]\n' \
    > "$folder/spam-1.0/pyproject.toml"
tar -C "$folder" -cf "$corpus/sdist/table" spam-1.0
rm -r "$folder"

# Large ones slow every step down.
find "$fixtures" -name '*uv.lock' -size -64k | while read -r lock; do
    cp "$lock" "$corpus/uv_lock/$(basename "$(dirname "$lock")")"
done
printf 'version = 1\n[[package]]\nname = "a"\nversion = "1"\nsource = { virtual = "." }\ndependencies = [{ name = "b", extra = ["c"], marker = "os_name == '"'nt'"'" }]\n[[package]]\nname = "b"\nversion = "2"\nsource = { registry = "https://pypi.org/simple" }\nwheels = [{ url = "https://x.org/b-2-py3-none-any.whl", hash = "sha256:00", size = 1 }]\n[package.optional-dependencies]\nc = [{ name = "a" }]\n' \
    > "$corpus/uv_lock/small"

# Locks that do not say what is installed, beside fuzz/project: the byte before tells which.
{
    printf '\006[[package]]\nname = "a"\nversion = "1"\nfiles = []\n[package.dependencies]\n'
    printf 'b = [{version = "<2 || >3", markers = "os_name == '"'nt'"'", extras = ["c"]}]\n'
    printf 'd = {version = "*", optional = true}\n[package.extras]\ne = ["d (>1)"]\n'
    printf '[[package]]\nname = "b"\nversion = "1"\nfiles = []\n[[package]]\nname = "b"\n'
    printf 'version = "2.1"\nfiles = [{hash = "md5:0"}]\n[metadata]\nlock-version = "2.0"\n'
} > "$corpus/locks/poetry"
{
    printf '\007[metadata]\nlock_version = "4.4"\ngroups = ["default", "test"]\n'
    printf '[[package]]\nname = "a"\nversion = "1"\ndependencies = ["b[c,d]>1; os_name == '"'nt'"'"]\n'
    printf '[[package]]\nname = "b"\nversion = "1"\n[[package]]\nname = "b"\nversion = "1"\n'
    printf 'extras = ["c", "d"]\ndependencies = ["b==1", "lost"]\n'
} > "$corpus/locks/pdm"

{
    printf '|Project|Upstream issue|Tested in CI|PyPI release|First version with support|Nightly wheels|Nightly link|\n'
    printf '|-|-|-|-|-|-|-|\n|NumPy[^1]|[:a:](https://x.org/1)|:material-check-bold:|\342\234\205 [^2]|2.1.0|'
    printf ':simple-linux: :simple-apple:|[b](https://x.org)|\n|spam|||||||\n|a \\| b|\n\n| lost |\n\n[^1]: One.\n\n[^2]: Two\n    lines.\n'
} > "$corpus/tracker_import/small"

for name in \
    spam-1.0-py3-none-any \
    spam_eggs-1.0+local-2a-cp314-cp314t-manylinux_2_17_x86_64.manylinux2014_x86_64 \
    spam-1.0-cp315-abi3.abi3t-win_amd64-label; do
    printf '%s.whl' "$name" > "$corpus/wheel_filename/$name"
done

# Files of a source: the first byte is the kind, by its place among the target's paths.
printf '\002setup(ext_modules=[Extension("a", ["a.c"])])\000\007PyMODINIT_FUNC PyInit_a(void) {\n#ifdef X\nPyUnstable_Module_SetGIL(m, Py_MOD_GIL_NOT_USED);\n#endif\n}' \
    > "$corpus/source/c"
printf '\003args = ["-Xfreethreading_compatible=True"]\ngen = generator(cython, arguments: args, output: "@BASENAME@.c")\n\012# cython: language_level=3\n' \
    > "$corpus/source/meson"
printf '\005[dependencies]\npyo3 = "0.26"\n\000\013#[pymodule(gil_used = false)]\nmod a { r#"x"# }\n' > "$corpus/source/rust"
# Texts with Python in them, and a few files.
for test in "$here"/../tests/suite/imports/*.rs; do
    cp "$test" "$corpus/python/$(basename "$test" .rs)"
done
printf 'try:\n    from . import a\nexcept ImportError:\n    a = None\nif a: import b\n' > "$corpus/python/try"
printf 'class A(B):\n    def f(self, x=1, *y, **z):\n        yield [i for i in x if i]\n' > "$corpus/python/class"
printf 'match x:\n    case {"a": [b, *c]} if d: pass\n    case _: lazy import e\n' > "$corpus/python/match"

# Pages of an index, HTML (0) and JSON (1).
printf '\000<!DOCTYPE html><html><head><base href="../x/"><meta name="pypi:repository-version" content="1.4"></head><body><a href="spam-1.0-py3-none-any.whl#sha256=00" data-requires-python="&gt;=3.9" data-yanked="" data-core-metadata="sha256=00">spam-1.0-py3-none-any.whl</a></body></html>' \
    > "$corpus/simple_page/html"
printf '\001{"meta":{"api-version":"1.4","project-status":"archived"},"name":"spam","files":[{"filename":"spam-1.0.tar.gz","url":"spam-1.0.tar.gz","hashes":{"sha256":"00"},"requires-python":">=3.9","yanked":"why","size":9,"core-metadata":{"sha256":"00"}}]}' \
    > "$corpus/simple_page/json"
printf 'Metadata-Version: 2.4\nName: spam\nVersion: 1.0\nRequires-Dist: ham[a]>1; extra == "b"\nProvides-Extra: b\nRequires-Python: >=3.9\nClassifier: Programming Language :: Python :: Free Threading :: 3 - Stable\nDynamic: Requires-Dist\n\nText\n' \
    > "$corpus/core_metadata/metadata"
printf 'Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp314-cp314t-win_amd64\n' > "$corpus/core_metadata/wheel"
for name in spam-1.0.tar.gz spam-eggs-2.0rc1.zip spam_eggs-1.0-1-cp314-cp314t-win_amd64.whl spam-1-2.tgz; do
    printf '%s' "$name" > "$corpus/distribution_filename/$name"
done
# Zips: stored and deflated, with data descriptors, empty, with a comment, and with 64-bit fields.
python3 - "$corpus/archive" <<'PYTHON'
import io, pathlib, sys, zipfile

folder = pathlib.Path(sys.argv[1])

class Unseekable(io.BytesIO):
    """What is written without going back gets data descriptors."""
    def seekable(self):
        return False

for name, buffer, method in [
    ("stored", io.BytesIO(), zipfile.ZIP_STORED),
    ("deflated", io.BytesIO(), zipfile.ZIP_DEFLATED),
    ("descriptors", Unseekable(), zipfile.ZIP_DEFLATED),
]:
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("spam/__init__.py", "import ham\n" * 9)
        with archive.open("spam/a.so", "w", force_zip64=True) as member:
            member.write(b"\x7fELF" * 9)
        archive.comment = b"a comment"
    (folder / name).write_bytes(buffer.getvalue())
with zipfile.ZipFile(folder / "empty", "w"):
    pass
PYTHON
# Files of settings: ftcheck.toml, pyproject.toml, uv.toml, pip.conf.
printf '\000targets = ["3.14t"]\nfail-on = ["enables-gil"]\nextras = ["a"]\n[rules]\n"GIL001" = "warning"\n[[ignore]]\npackage = "spam*"\nreason = "why"\nexpires = 2027-01-01\n' \
    > "$corpus/settings/ftcheck"
printf '\001[tool.ftcheck]\nplatforms = ["linux"]\n' > "$corpus/settings/project"
printf '\002index-url = "https://a.example/simple"\n[[index]]\nname = "b"\nurl = "https://b.example"\nexplicit = true\nignore-error-codes = [403]\n' \
    > "$corpus/settings/uv"
printf '\003[global]\nindex-url = https://a.example/simple\nextra-index-url =\n    https://b.example\n    https://c.example\n[install]\nno-index = yes\n' \
    > "$corpus/settings/pip"
