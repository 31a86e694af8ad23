# SPDX-License-Identifier: Apache-2.0
"""The hop limit over real forwarding: service - instance - container, three network namespaces, IPv4 and IPv6."""
import harness
from harness import V4, V6, Namespace, expect, expect_equal, ip

TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TIMED_OUT = 28
V4_URL = f"http://{V4}"
V6_URL = f"http://[{V6}]"
READ_LIMIT_S = 5
VAIN_S = 1  # long enough to be sure that nothing comes


class Net:
    """Made once, kept for all cases. The lab's own namespace is where the service lives."""

    def __init__(self, lab, name="hwtest-hop"):
        self.service = lab.namespace
        self.instance = Namespace(f"{name}-instance")
        self.container = Namespace(f"{name}-container")
        self.join(self.service, "10.77.1.1", "fd00:77:1::1", self.instance, "10.77.1.2", "fd00:77:1::2", "hop1")
        self.join(self.instance, "10.77.2.1", "fd00:77:2::1", self.container, "10.77.2.2", "fd00:77:2::2", "hop2")
        for setting in ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"):
            harness.run(*self.instance.command("sysctl", "-q", "-w", setting))
        self.instance.ip("route", "add", V4, "via", "10.77.1.1")
        self.instance.ip("-6", "route", "add", V6, "via", "fd00:77:1::1")
        self.container.ip("route", "add", "default", "via", "10.77.2.1")
        self.container.ip("-6", "route", "add", "default", "via", "fd00:77:2::1")
        self.service.ip("route", "add", "10.77.2.0/24", "via", "10.77.1.2")
        self.service.ip("-6", "route", "add", "fd00:77:2::/64", "via", "fd00:77:1::2")

    @staticmethod
    def join(left, left_v4, left_v6, right, right_v4, right_v6, name):
        ip("link", "add", f"{name}a", "netns", left.name, "type", "veth", "peer", "name", f"{name}b", "netns", right.name)
        for side, device, v4, v6 in ((left, f"{name}a", left_v4, left_v6), (right, f"{name}b", right_v4, right_v6)):
            side.ip("addr", "add", f"{v4}/24", "dev", device)
            side.ip("-6", "addr", "add", f"{v6}/64", "dev", device, "nodad")
            side.ip("link", "set", device, "up")


def net(lab):
    if not hasattr(lab, "net"):
        lab.net = Net(lab)
    return lab.net


def curl(namespace, *arguments, limit_s=READ_LIMIT_S):
    """(curl's exit code, body, seconds to connect; 0 when it did not)"""
    done = harness.run(*namespace.command("env", "-i", f"PATH={harness.CLEAN_PATH}", "curl", "-s", "-g", "-m",
                                          str(limit_s), "-w", "\n%{time_connect}", *arguments), check=False)
    body, _, connect = done.stdout.rpartition("\n")
    return done.returncode, body, float(connect)


def ask_token(namespace, base, limit_s=READ_LIMIT_S):
    return curl(namespace, "-X", "PUT", "-H", f"{TTL}: 60", f"{base}/latest/api/token", limit_s=limit_s)


def the_instance_gets_its_token_with_hop_limit_one(lab):
    instance = net(lab).instance
    with lab.simulator("--hop-limit", "1"):
        for base in (V4_URL, V6_URL):
            code, token, _ = ask_token(instance, base)
            expect_equal((code, len(token)), (0, 56), f"token over {base}")
            code, body, _ = curl(instance, "-H", f"X-aws-ec2-metadata-token: {token}", f"{base}/latest/meta-data/system")
            expect_equal((code, body), (0, "nitro"), f"item over {base}")


def a_container_connects_and_then_waits_in_vain(lab):
    container = net(lab).container
    with lab.simulator("--hop-limit", "1") as simulator:
        for base in (V4_URL, V6_URL):
            code, body, connect = ask_token(container, base, VAIN_S)
            expect_equal((code, body), (TIMED_OUT, ""), f"token over {base}")
            expect(connect > 0, "not connected: the hop limit must not stop the handshake")
            expect_equal(simulator.requests()[-1]["status"], 200, "the service did answer")


def only_the_token_answer_has_the_limit(lab):
    """Why hop limit 1 is worth nothing where version 1 is allowed."""
    container = net(lab).container
    with lab.simulator("--hop-limit", "1", "--http-tokens", "optional"):
        for base in (V4_URL, V6_URL):
            code, body, _ = curl(container, f"{base}/latest/meta-data/system")
            expect_equal((code, body), (0, "nitro"), f"v1 item over {base}")


def a_container_gets_a_token_with_hop_limit_two(lab):
    container = net(lab).container
    with lab.simulator("--hop-limit", "2"):
        for base in (V4_URL, V6_URL):
            code, token, _ = ask_token(container, base)
            expect_equal((code, len(token)), (0, 56), f"token over {base}")


def the_limit_changes_while_it_runs(lab):
    container = net(lab).container
    with lab.simulator() as simulator:
        expect_equal(ask_token(container, V4_URL, VAIN_S)[0], TIMED_OUT, "hop limit 1")
        simulator.set("hop-limit=2")
        expect_equal(ask_token(container, V4_URL)[0], 0, "hop limit 2")


if __name__ == "__main__":
    harness.require_commands("curl", "sysctl")
    harness.main([the_instance_gets_its_token_with_hop_limit_one, a_container_connects_and_then_waits_in_vain,
                  only_the_token_answer_has_the_limit, a_container_gets_a_token_with_hop_limit_two,
                  the_limit_changes_while_it_runs])
