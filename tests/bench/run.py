"""Measures stackctl: calls, depth, wall time, CPU and memory.

Run it with a Python that has moto (see CONTRIBUTING.md):
    python tests/bench/run.py --binary target/release/stackctl [--only websocket|local|registry|start]

The figures of one run are comparable with each other; machines are noisy, so compare two
binaries within one run (--binary may be given twice). mixed.py has the stack of registry types.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

import mixed

ROOT = pathlib.Path(__file__).resolve().parents[2]
DELAY = 0.050


def serve():
    """moto behind a wrapper that adds the delay to each call and notes it, in a process of
    its own: the port comes out on stdout, the calls so far at /bench-calls."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    inner = DomainDispatcherApplication(create_backend_app)
    calls = []

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/bench-calls":
            body = json.dumps(calls).encode()
            calls.clear()
            start_response("200 OK", [("Content-Length", str(len(body)))])
            return [body]
        start = time.perf_counter()
        time.sleep(DELAY)
        try:
            return inner(environ, start_response)
        finally:
            calls.append((name(environ), start, time.perf_counter()))

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *_):
            pass

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    print(server.server_port, flush=True)
    server.serve_forever()


class Cloud:
    """That process."""

    def __init__(self):
        command = [sys.executable, __file__, "--serve"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def calls(self):
        """The calls since the last time: name, start, end."""
        with urllib.request.urlopen(self.url + "/bench-calls") as reply:
            return json.load(reply)

    def close(self):
        self.process.kill()
        self.process.wait()


def name(environ):
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return target.split(".")[-1]
    return f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"


def is_poll(call, seen):
    """A repeated look at a function or a mapping that is not ready yet."""
    looks = call.startswith("GET /2015-03-31/")
    return looks and call in seen


def depth(calls):
    """The longest row of calls in which each began after the one before had ended."""
    ordered = sorted(calls, key=lambda call: call[1])
    depths = []
    for _, start, _ in ordered:
        before = [d for (_, _, end), d in zip(ordered, depths) if end <= start]
        depths.append(1 + max(before, default=0))
    return max(depths, default=0)


def steps_deep(cwd):
    """The longest row of steps that wait for one another, as `--json` tells it."""
    for line in (cwd / "out.txt").read_text().splitlines():
        if line.startswith("{") and json.loads(line).get("type") == "started":
            return json.loads(line)["depth"]
    return 0


def run(binary, args, cwd, env=None):
    """Runs to the end; wall seconds, CPU seconds, peak memory in MB."""
    out = open(cwd / "out.txt", "wb")
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), **(env or {})}
    start = time.perf_counter()
    pid = os.posix_spawn(
        binary,
        [binary, *args],
        environment,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, out.fileno(), 1),
            (os.POSIX_SPAWN_DUP2, out.fileno(), 2),
        ],
    )
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        raise SystemExit(f"{args} ended with {code}:\n{(cwd / 'out.txt').read_text()}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def websocket(binary, trace=False):
    cloud = Cloud()
    env = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    flags = ["--endpoint-url", cloud.url]
    rows = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            cwd = pathlib.Path(folder)
            shutil.copytree(ROOT / "stacks", cwd / "stacks")
            for what, args in [
                ("apply", ["apply", "--yes"]),
                ("plan", ["plan", "--detailed-exitcode"]),
                ("destroy", ["destroy", "--yes", "--json"]),
            ]:
                cloud.calls()
                wall, cpu, memory = run(binary, ["-C", folder, *args, *flags], cwd, env)
                seen, counted, calls = set(), [], cloud.calls()
                if trace:
                    begin = min(call[1] for call in calls)
                    for call in sorted(calls, key=lambda call: call[1]):
                        times = [f"{(at - begin) * 1000:6.0f}" for at in call[1:]]
                        print(what, *times, call[0])
                for call in calls:
                    if what == "apply" and call[0].startswith("GET /2015-03-31/"):
                        continue
                    if is_poll(call[0], seen):
                        continue
                    seen.add(call[0])
                    counted.append(call)
                if what == "destroy":
                    # The reads of the plan come first, all at once.
                    writes = [c for c in counted if not is_read(c[0])]
                    first = min(c[1] for c in writes)
                    counted = [c for c in counted if c[1] >= first and not c[0].startswith("GET ")]
                deep = str(depth(counted))
                if what == "destroy":
                    deep = f"{steps_deep(cwd)} ({deep})"
                rows.append((what, len(counted), deep, wall, cpu, memory))
    cloud.close()
    print("\nThe websocket stack, 50 ms added to every call (moto); best of 3")
    print("depth: calls that begin after another has ended; for destroy the steps that wait for")
    print("one another, and in brackets by the clock, where unrelated calls line up by chance")
    print(f"{'command':<10}{'calls':>7}{'depth':>7}{'wall s':>9}{'CPU s':>8}{'MB':>7}   limits")
    limits = {
        "apply": "calls 24, depth 6, wall 0.40, CPU 0.1",
        "plan": "calls 21, depth 2, wall 0.20",
        "destroy": "calls 18, depth 4, wall 0.45 (calls after the plan's reads)",
    }
    for what in limits:
        best = min((row for row in rows if row[0] == what), key=lambda row: row[3])
        _, calls, deep, wall, cpu, memory = best
        print(f"{what:<10}{calls:>7}{deep:>7}{wall:>9.3f}{cpu:>8.3f}{memory:>7.0f}   {limits[what]}")


def is_read(call):
    return call.startswith(("GET ", "HEAD ", "Get", "List", "Describe")) or call == "POST /"


def layered(count):
    """A stack of local resources in 10 layers, each referring to two of the layer before."""
    resources = {}
    width = count // 10
    for index in range(count):
        layer, place = divmod(index, width)
        keepers = {"index": str(index)}
        if layer:
            for which in (place, (place * 7 + 1) % width):
                keepers[f"k{which}"] = f"${{r{(layer - 1) * width + which}.result}}"
        resources[f"r{index}"] = {
            "type": "random:RandomString",
            "properties": {"length": 8, "special": False, "keepers": keepers},
        }
    return resources


def local(binary):
    print("\nLocal resources (random:RandomString) in a layered graph")
    print(f"{'resources':>9} {'command':<12}{'wall s':>9}{'CPU s':>8}{'MB':>7}   limits")
    for count in (2500, 5000, 10000):
        with tempfile.TemporaryDirectory() as folder:
            cwd = pathlib.Path(folder)
            (cwd / "stacks").mkdir()
            lines = ["name: many", "resources:"]
            for address, resource in layered(count).items():
                lines.append(f"  {address}: {json.dumps(resource)}")
            (cwd / "stacks/many.yaml").write_text("\n".join(lines) + "\n")
            for what, args in [
                ("plan", ["plan"]),
                ("apply", ["apply", "--yes"]),
                ("no-op plan", ["plan", "--detailed-exitcode"]),
            ]:
                wall, cpu, memory = run(binary, ["-C", folder, *args], cwd)
                limit = "CPU 1, 200 MB" if count == 10000 and what != "apply" else ""
                print(f"{count:>9} {what:<12}{wall:>9.2f}{cpu:>8.2f}{memory:>7.0f}   {limit}")


def registry(binary):
    """A stack of 60 types of the registry, on the local cloud."""
    print(f"\n1,000 resources of {len(mixed.TYPES)} types of the registry, on the local cloud")
    print(f"{'command':<12}{'wall s':>9}{'CPU s':>8}{'MB':>7}   limits")
    with tempfile.TemporaryDirectory() as folder:
        cwd = pathlib.Path(folder)
        (cwd / "stacks").mkdir()
        lines = ["name: mixed", "providers: {aws: {region: us-west-2}}", "resources:"]
        for address, resource in mixed.resources(1000).items():
            lines.append(f"  {address}: {json.dumps(resource)}")
        (cwd / "stacks/mixed.yaml").write_text("\n".join(lines) + "\n")
        environment = {"STACKCTL_LOCAL_SPEED": "1000", "STACKCTL_UNPACED": "1"}
        for what, args, limit in [
            ("validate", ["validate"], "wall 0.3"),
            ("apply", ["apply", "--local", "--yes"], ""),
            ("no-op plan", ["plan", "--local", "--detailed-exitcode"], "CPU 0.5"),
            ("destroy", ["destroy", "--local", "--yes"], ""),
        ]:
            wall, cpu, memory = run(binary, ["-C", folder, *args], cwd, environment)
            print(f"{what:<12}{wall:>9.2f}{cpu:>8.2f}{memory:>7.0f}   {limit}")


def start(binary):
    with tempfile.TemporaryDirectory() as folder:
        cwd = pathlib.Path(folder)
        shutil.copytree(ROOT / "stacks", cwd / "stacks")
        print("\nStart; best of 20, in ms")
        for what, args, limit in [
            ("--version", ["--version"], 10),
            ("validate", ["-C", folder, "validate"], 30),
            ("types TYPE", ["types", "AWS::Lambda::Function"], 30),
        ]:
            best = min(run(binary, args, cwd)[0] for _ in range(20))
            print(f"{what:<12}{best * 1000:>7.1f}   limit {limit}")
    print(f"binary: {os.path.getsize(binary) / 1e6:.1f} MB, limit 45")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", action="append", default=[])
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--trace", action="store_true", help="print every call's start and end")
    parser.add_argument("--only", choices=["websocket", "local", "registry", "start"])
    options = parser.parse_args()
    if options.serve:
        serve()
    if not options.binary:
        parser.error("--binary is needed")
    parts = {"start": start, "websocket": websocket, "local": local, "registry": registry}
    for binary in options.binary:
        binary = os.path.abspath(binary)
        print(f"\n# {binary}")
        for part, measure in parts.items():
            if options.only in (None, part):
                if part == "websocket":
                    measure(binary, options.trace)
                else:
                    measure(binary)


if __name__ == "__main__":
    main()
