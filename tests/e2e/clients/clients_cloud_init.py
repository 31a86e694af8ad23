# SPDX-License-Identifier: Apache-2.0
"""The EC2 crawl of Debian's cloud-init against the simulator. The package is unpacked, never installed: an installed
cloud-init would run at this machine's next boot."""
import json
import subprocess
from pathlib import Path

import harness
from harness import V4, V6, expect, expect_equal

# cloud-init and the modules that its EC2 source and its reading of user data import; all but one are pure Python.
PACKAGES = ["cloud-init", "python3-configobj", "python3-six", "python3-requests", "python3-urllib3", "python3-certifi",
            "python3-chardet", "python3-charset-normalizer", "python3-idna", "python3-yaml", "python3-jsonpatch",
            "python3-json-pointer", "python3-jinja2", "python3-markupsafe"]
FETCH_LIMIT_S = 300
CRAWL = Path(__file__).resolve().parent / "cloud_init_crawl.py"
V4_URL = f"http://{V4}"
V6_URL = f"http://[{V6}]"
USER_DATA_LINE = "hello from user data"


def fetch(folder, *command):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_LIMIT_S)


def candidates(folder):
    """PACKAGE VERSION of each package as apt would fetch it: what the cache must hold."""
    shown = fetch(folder, "apt-cache", "show", "--no-all-versions", *PACKAGES).stdout.splitlines()
    return "\n".join(line for line in shown if line.startswith(("Package: ", "Version: ")))


def unpack():
    """The root folder of the unpacked packages, fetched once per version."""
    harness.require_commands("apt-get", "apt-cache", "dpkg")
    with harness.cache_folder("clients-cloud-init") as folder:
        root = folder / "root"
        done_mark = folder / "unpacked"
        wanted = candidates(folder)
        if wanted.count("Package: ") < len(PACKAGES):
            fetch(folder, "apt-get", "update", "-qq")  # a fresh machine has no lists; the check below tells
            wanted = candidates(folder)
        if done_mark.exists() and done_mark.read_text() == wanted:
            return root
        done_mark.unlink(missing_ok=True)
        fetch(folder, "rm", "-rf", str(root), *[str(deb) for deb in folder.glob("*.deb")])
        fetched = fetch(folder, "apt-get", "download", "-qq", *PACKAGES)
        archives = sorted(folder.glob("*.deb"))
        if fetched.returncode != 0 or len(archives) != len(PACKAGES):
            harness.skip(f"apt cannot fetch cloud-init: {fetched.stderr.strip().splitlines()[-1:]}")
        for archive in archives:
            expect_equal(fetch(folder, "dpkg", "-x", archive.name, str(root)).returncode, 0, f"unpacking {archive}")
            archive.unlink()
        done_mark.write_text(wanted)
        return root


ROOT = None  # set by main()


def crawl(lab, *urls):
    """What cloud-init found; {} when it gave up."""
    done = lab.client("/usr/bin/python3", "-S", str(CRAWL), str(lab.folder), *urls,
                      env={"PYTHONPATH": str(ROOT / "usr/lib/python3/dist-packages")})
    expect_equal(done.returncode, 0, f"the crawl's exit code ({done.stderr.strip()})")
    return json.loads(done.stdout)


def check_crawl(found, simulator, address):
    expect_equal(found["_metadata_api_version"], "2021-03-23", "version of the crawl")
    meta = found["meta-data"]
    expect_equal(meta["instance-id"], "i-0123456789abcdef0", "instance id")
    expect_equal(meta["placement"]["availability-zone"], "eu-central-1a", "zone")
    expect_equal(meta["network"]["interfaces"]["macs"]["06:1a:2b:3c:4d:5e"]["subnet-id"], "subnet-0a1b2c3d4e5f60718",
                 "subnet")
    expect(meta["public-keys"]["operations"], "the key is missing")
    expect(USER_DATA_LINE in found["user-data"], "user data")
    expect_equal(found["dynamic"]["instance-identity"]["document"]["region"], "eu-central-1", "identity document")
    requests = simulator.requests()
    expect_equal((requests[0]["method"], requests[0]["path"], requests[0]["status"]), ("PUT", "/latest/api/token", 200),
                 "first call")
    gets = requests[1:]
    expect(len(gets) > 40, f"only {len(gets)} requests: that is no crawl")
    for request in gets:
        expect_equal((request["token"], request["status"], request["local"]), ("v2", 200, address), request["path"])
        expect(request["path"].startswith("/2021-03-23/"), f"path {request['path']}")
    agents = {request["user_agent"].split("/")[0] for request in requests}
    expect_equal(agents, {"Cloud-Init", "python-requests"}, "user agents")


def crawls_with_v2_required(lab):
    with lab.simulator() as simulator:
        check_crawl(crawl(lab, V4_URL, V6_URL), simulator, V4)


def uses_v2_where_v1_is_allowed(lab):
    with lab.simulator("--http-tokens", "optional") as simulator:
        check_crawl(crawl(lab, V4_URL, V6_URL), simulator, V4)


def crawls_over_ipv6(lab):
    with lab.simulator("--listen", V6) as simulator:
        check_crawl(crawl(lab, V4_URL, V6_URL), simulator, V6)


def crawls_awkward_tags(lab):
    with lab.simulator("--builtin", "tags"):
        tags = crawl(lab, V4_URL)["meta-data"]["tags"]["instance"]
        expect_equal(tags["Name"], "web-1", "tag Name")
        expect_equal(tags["owner@team"], "ops+oncall@example.com", "tag owner@team")
        expect_equal(tags["unicode"], "Zürich – 東京", "tag unicode")


def finds_no_user_data_where_there_is_none(lab):
    with lab.simulator("--builtin", "no-role") as simulator:
        found = crawl(lab, V4_URL)
        expect_equal(found["user-data"], "", "user data")
        missing = {r["path"] for r in simulator.requests() if r["status"] == 404}
        expect_equal(missing, {"/2021-03-23/user-data"}, "items not found")


def finds_nothing_without_the_simulator(lab):
    expect_equal(crawl(lab, V4_URL, V6_URL), {}, "metadata from nowhere")


def finds_nothing_when_the_token_is_refused(lab):
    """cloud-init does not fall back to version 1 on EC2, even where that would be answered."""
    with lab.simulator("--http-tokens", "optional", "--fault", "status=403", "--fault", "on=token") as simulator:
        expect_equal(crawl(lab, V4_URL), {}, "metadata without a token")
        expect_equal({r["method"] for r in simulator.requests()}, {"PUT"}, "methods asked")


if __name__ == "__main__":
    ROOT = unpack()
    harness.main([crawls_with_v2_required, uses_v2_where_v1_is_allowed, crawls_over_ipv6, crawls_awkward_tags,
                  finds_no_user_data_where_there_is_none, finds_nothing_without_the_simulator,
                  finds_nothing_when_the_token_is_refused])
