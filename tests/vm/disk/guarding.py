# SPDX-License-Identifier: Apache-2.0
"""How the guard of an instance stands."""
import time

from hands import expect

GUARD_UNIT = "hostward-guard.service"
LAYERS = {"connect", "egress", "tc", "lsm", "seal"}  # all that a kernel can offer; the policies here want no seal
RELOAD_LIMIT_S = 60


def state(instance):
    return instance.value("hostward guard status --json")


def guards(instance, mode, at_boot=True):
    """The guard has every layer that this kernel offers, and an agent; `at_boot`: which came up before cloud-init."""
    # A reload is a signal to the agent: systemctl does not wait for its end.
    deadline = time.monotonic() + RELOAD_LIMIT_S
    while (status := state(instance))["state"] != mode and time.monotonic() < deadline:
        time.sleep(1)
    expect(status["state"] == mode and status["agent"]["running"],
           lambda: f"the guard is {status['state']}, the agent {status['agent']}\n{_said(instance)}\n{instance.evidence()}")
    layers = {layer["name"]: layer["state"] for layer in status["layers"]}
    missing = [name for name, layer_state in layers.items() if layer_state != "on" and name != "seal"]
    expect(LAYERS <= set(layers) and not missing, lambda: f"layers: {status['layers']}\n{_said(instance)}")
    if at_boot:
        _up_before_cloud_init(instance)


def _said(instance):
    """By the agent, without the events."""
    return instance.read(f"journalctl -b --no-pager -u {GUARD_UNIT} | grep -v '{{\"time'")


def _up_before_cloud_init(instance):
    order = instance.read("systemctl show --value --property=ActiveEnterTimestampMonotonic hostward-guard.service; "
                          "systemctl show --value --property=ExecMainStartTimestampMonotonic cloud-init-local.service").split()
    expect(0 < int(order[0]) < int(order[1]), f"the guard was up at {order[0]}, cloud-init began at {order[1]}")
