# SPDX-License-Identifier: Apache-2.0
"""Shell scripts parse (`bash -n`), pass shellcheck and stop at the first error (`set -e`, `set -u`)."""
import re
import shutil
import subprocess

from tree import Case, Finding, SkipCheck, Tree

# Busybox runs an initramfs' init: it is no bash script and stops by powering off.
SETS_ERREXIT = re.compile(r"^set -[a-z]*e[a-z]*u|^set -eu|^set -u", re.M)


def check_file(tree: Tree, name: str) -> list[Finding]:
    findings = []
    bash = "bash" in tree.first_line(name)
    if bash:
        parsed = subprocess.run(["bash", "-n", name], cwd=tree.root, capture_output=True, text=True, check=False)
        if parsed.returncode != 0:
            findings.append(Finding(name, 1, f"bash -n: {parsed.stderr.strip()}"))
        if not SETS_ERREXIT.search(tree.text(name)):
            findings.append(Finding(name, 1, "no `set -eu`"))
    command = ["shellcheck", "-x", "-f", "gcc", "-e", "SC1091", name]
    checked = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)
    for line in checked.stdout.splitlines():
        _, number, _, text = line.split(":", 3)
        findings.append(Finding(name, int(number), f"shellcheck:{text}"))
    return findings


def run(tree: Tree) -> list[Finding]:
    if not shutil.which("shellcheck"):
        raise SkipCheck("shellcheck is not installed")
    return [f for name in tree.shell_files() for f in check_file(tree, name)]


CASES = [
    Case("clean script", {"a.sh": '#!/usr/bin/env bash\nset -euo pipefail\necho "$1"\n'}),
    Case("syntax error", {"a.sh": "#!/usr/bin/env bash\nset -eu\nif true; then\n"}, "bash -n"),
    Case("unquoted variable", {"a": '#!/usr/bin/env bash\nset -eu\nrm $1\n'}, "SC2086"),
    Case("errors ignored", {"a.sh": '#!/usr/bin/env bash\necho "$1"\n'}, "no `set -eu`"),
]
