# SPDX-License-Identifier: Apache-2.0
"""What every SDK must do, whichever language: the cases of the awscli, boto3 and JavaScript tests."""
import re

from harness import V4, V6, expect, expect_equal

ROLE_KEY = "ASIAEXAMPLEROLE00001"
ROLE_PATH = "/latest/meta-data/iam/security-credentials/"


class Sdk:
    """How one SDK is asked. `get` gives the access key it found (its end at least), or None."""

    def __init__(self, get, user_agent):
        self.ask = get
        self.user_agent = re.compile(user_agent)

    def get(self, lab, env):
        # A loaded machine may take longer than the one second that the Python SDKs wait.
        return self.ask(lab, {"AWS_METADATA_SERVICE_TIMEOUT": "5", **env})

    def check_v2(self, requests, address):
        expect(requests, "nothing was asked")
        first = requests[0]
        expect_equal((first["method"], first["path"], first["status"]), ("PUT", "/latest/api/token", 200), "first call")
        expect_equal(first["ttl"], 21600, "TTL asked for")
        gets = [r for r in requests if r["method"] == "GET"]
        expect(any(r["path"].startswith(ROLE_PATH) for r in gets), "no credentials were asked for")
        for request in gets:
            expect_equal((request["token"], request["status"]), ("v2", 200), f"GET {request['path']}")
        for request in requests:
            expect_equal(request["local"], address, "address asked")
            expect(self.user_agent.search(request["user_agent"]), f"user agent {request['user_agent']!r}")

    def check_found(self, lab, env, simulator, address):
        key = self.get(lab, env)
        expect(key and ROLE_KEY.endswith(key.lstrip("*")), f"credentials found: {key!r}")
        self.check_v2(simulator.requests(), address)

    def finds_the_role_with_v2_required(self, lab):
        with lab.simulator() as simulator:
            self.check_found(lab, {}, simulator, V4)

    def uses_v2_where_v1_is_allowed(self, lab):
        with lab.simulator("--http-tokens", "optional") as simulator:
            self.check_found(lab, {}, simulator, V4)

    def finds_the_role_over_ipv6(self, lab):
        with lab.simulator() as simulator:
            self.check_found(lab, {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}, simulator, V6)

    def finds_the_role_over_ipv6_where_v1_is_allowed(self, lab):
        with lab.simulator("--http-tokens", "optional") as simulator:
            self.check_found(lab, {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}, simulator, V6)

    def finds_nothing_without_the_simulator(self, lab):
        expect_equal(self.get(lab, {}), None, "credentials from nowhere")

    def finds_nothing_when_the_endpoint_is_off(self, lab):
        with lab.simulator("--http-endpoint", "disabled", "--http-tokens", "optional") as simulator:
            expect_equal(self.get(lab, {}), None, "credentials from an endpoint that is off")
            expect({r["status"] for r in simulator.requests()} == {403}, "answers other than 403")

    def finds_nothing_when_the_token_is_refused(self, lab):
        with lab.simulator("--fault", "status=403", "--fault", "on=token") as simulator:
            expect_equal(self.get(lab, {}), None, "credentials without a token")
            requests = simulator.requests()
            expect_equal((requests[0]["method"], requests[0]["status"]), ("PUT", 403), "first call")
            for request in requests:
                expect(request["status"] in (401, 403), f"{request['path']} answered {request['status']}")

    def finds_nothing_without_a_role(self, lab):
        with lab.simulator("--builtin", "no-role") as simulator:
            expect_equal(self.get(lab, {}), None, "credentials of an instance without a role")
            expect(any(r["path"] == ROLE_PATH and r["status"] == 404 for r in simulator.requests()), "no 404")

    def falls_back_to_v1_only_where_it_is_allowed(self, lab):
        """Why v1 should be off: whoever can break the token call gets the SDKs to ask without one."""
        with lab.simulator("--http-tokens", "optional", "--fault", "status=403", "--fault", "on=token") as simulator:
            key = self.get(lab, {})
            expect(key and ROLE_KEY.endswith(key.lstrip("*")), f"credentials found: {key!r}")
            gets = [r for r in simulator.requests() if r["method"] == "GET"]
            expect(gets and all(r["token"] == "v1" for r in gets), "the log shows no v1")

    def cases(self):
        return [self.finds_the_role_with_v2_required, self.uses_v2_where_v1_is_allowed, self.finds_the_role_over_ipv6,
                self.finds_the_role_over_ipv6_where_v1_is_allowed, self.finds_nothing_without_the_simulator,
                self.finds_nothing_when_the_endpoint_is_off, self.finds_nothing_when_the_token_is_refused,
                self.finds_nothing_without_a_role, self.falls_back_to_v1_only_where_it_is_allowed]
