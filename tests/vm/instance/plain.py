# SPDX-License-Identifier: Apache-2.0
"""Without an image of one's own: user data installs the package in the first boot; later the SSM agent runs its documents."""
import json
from pathlib import Path

import root
import steps
from chapters import is_refused, run_steps
from cloud import came_up
from guarding import guards, state
from hands import expect

HERE = Path(__file__).resolve().parent


def tree_with(package, target):
    """What the metadata service serves: the cloud-config as it is in packaging/, with its lines edited as its comment says."""
    url, digest = root.address_of(package)
    tree = json.loads((HERE / "instance.json").read_text())
    tree["tree"]["user-data"] = steps.cloud_config(package_url=url, package_sha256=digest).splitlines() + [""]
    target.write_text(json.dumps(tree))
    return target


def user_data_boot(instance, remote, packages):
    came_up(instance, remote.who.instance)
    installed = instance.run("dpkg-query --show --showformat '${Version} ${db:Status-Abbrev}' hostward")
    expect("-1 ii" in installed, lambda: f"user data did not install the package\n{instance.evidence()}")
    expect(state(instance)["state"] == "enforce", "the guard does not enforce")
    is_refused(instance, user="nobody")
    ssm_documents(instance, packages)


def ssm_documents(instance, packages):
    """On a host that runs: installed in audit mode, looked at, reported, enforced; then upgraded by the same document."""
    instance.run("DEBIAN_FRONTEND=noninteractive apt-get purge -y -q hostward")
    url, digest = root.address_of(packages["1"])
    run_steps(instance, steps.document("install", PackageUrl=url, PackageSha256=digest))
    guards(instance, "audit", at_boot=False)
    run_steps(instance, steps.document("check", Profile="ec2"))
    run_steps(instance, steps.document("report"))
    expect(instance.read("ls /var/lib/hostward/reports"), "no report was kept")
    run_steps(instance, steps.document("guard-mode", Mode="enforce"))
    is_refused(instance, user="nobody")
    url, digest = root.address_of(packages["2"])
    run_steps(instance, steps.document("install", PackageUrl=url, PackageSha256=digest, Mode="enforce"))
    run_steps(instance, steps.document("guard-mode"))
    is_refused(instance, user="nobody")
    expect("-2" in instance.read("dpkg-query --show --showformat '${Version}' hostward"), "the document did not upgrade")
