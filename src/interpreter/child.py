# What ftcheck has a free-threaded interpreter run, once in a fresh process for each answer.
#
# One line of JSON comes on the standard input: what to do, and a word that the answer begins with,
# since what is loaded may write to the standard output too. The answer is one line of JSON: facts
# alone, which ftcheck judges.
import importlib.machinery
import importlib.util
import json
import os
import re
import sys
import sysconfig
import warnings

told = os.fdopen(os.dup(1), "w", encoding="utf-8")
# Whatever is loaded writes beside the answer.
os.dup2(2, 1)
job = json.loads(sys.stdin.readline())
shown = []


def gil():
    # Interpreters without it have no free-threaded build.
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def blamed():
    for message in shown:
        found = re.search(r"enabled to load module '([^']*)'", message)
        if found:
            return found[1]
    return None


def tell(**facts):
    told.write("\n" + job["token"] + json.dumps(facts) + "\n")
    told.flush()
    # What loading left running may keep an interpreter from ending.
    os._exit(0)


def load(name, path):
    loader = importlib.machinery.ExtensionFileLoader(name, path)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    # Without executing it: the interpreter decides as soon as the module is made, and what a module
    # imports when it is executed is not what it declares.
    return loader.create_module(spec)


def platform():
    """As in the tags of wheels."""
    name = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    if name.endswith("_universal2"):
        name = name.replace("universal2", os.uname().machine)
    # sysconfig does not tell one C library from another.
    is_musl = "-musl" in importlib.machinery.EXTENSION_SUFFIXES[0]
    return name.replace("linux_", "musllinux_1_2_") if is_musl else name


def probe():
    tell(
        implementation=sys.implementation.name,
        version=list(sys.version_info[:3]),
        free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        gil=gil(),
        prefix=sys.prefix,
        platform=platform(),
    )


def module(before):
    name, path = job["name"], job["path"]
    try:
        made = load(name, path)
    except ImportError as problem:
        parent = name.rpartition(".")[0]
        if not parent:
            raise
        # Packages make libraries known that their modules need.
        try:
            importlib.import_module(parent)
        except Exception:
            raise problem from None
        if gil():
            tell(before=before, after=True, by=blamed(), parent=parent)
        made = load(name, path)
    # The interpreter itself sets it in modules of single-phase init alone, `import_run_extension`.
    single = "__file__" in getattr(made, "__dict__", {})
    init = "single-phase" if single else "multi-phase"
    tell(before=before, after=gil(), by=blamed(), init=init)


def main():
    before = gil()
    warnings.simplefilter("always")
    warnings.showwarning = lambda message, *rest, **others: shown.append(str(message))
    try:
        if job["mode"] == "probe":
            probe()
        elif job["mode"] == "module":
            module(before)
        else:
            importlib.import_module(job["name"])
            tell(before=before, after=gil(), by=blamed())
    except BaseException as problem:
        error = type(problem).__name__ + ": " + str(problem)
        tell(before=before, after=gil(), by=blamed(), error=error)


main()
