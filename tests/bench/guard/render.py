# SPDX-License-Identifier: Apache-2.0
"""The tables of what run.py measured."""
import machine

KINDS = {"udp-connect": "UDP connect()", "udp-send": "UDP sendto(), 32 bytes", "tcp": "TCP connection made and reset", "stream": "TCP stream, per MiB"}
GOALS = {"pss_mib": 6, "enforcing_ms": 150, "swap_ms": 10}


def duration(ns: float) -> str:
    for limit, scale, unit in ((1e3, 1, "ns"), (1e6, 1e3, "µs"), (1e9, 1e6, "ms")):
        if abs(ns) < limit:
            return f"{ns / scale:.3g} {unit}"
    return f"{ns / 1e9:.3g} s"


def ms(value: float) -> str:
    return duration(value * 1e6)


def spread(found: dict, text=duration) -> str:
    return f"{text(found['median'])} ({text(found['low'])} to {text(found['high'])})"


def ratio(found: dict) -> str:
    return f"{found['median']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def table(*rows: tuple) -> list[str]:
    """The first row is the heading."""
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:], ""]


def everybody(rows: list[dict], group: str) -> list[str]:
    chosen = [row for row in rows if group in row["group"].split()]
    names = list(dict.fromkeys(row["subject"] for row in chosen))
    of = {(row["subject"], row["kind"]): row for row in chosen}
    ratios = [(name, *(ratio(of[name, kind]["ratio"]) for kind in KINDS)) for name in names if name != "nothing"]
    base = ("nothing", *(f"1: {spread(of['nothing', kind]['ns'])}" for kind in KINDS))
    return table(("attached", *KINDS.values()), base, *ratios)


def packets(rows: list[dict]) -> list[str]:
    """The same runs in absolute numbers, on the sender's side."""
    chosen = [row for row in rows if "layers" in row["group"].split() and row["kind"] in ("udp-send", "stream")]
    names = list(dict.fromkeys(row["subject"] for row in chosen))
    of = {(row["subject"], row["kind"]): row for row in chosen}
    made = [(name, f"{1e9 / of[name, 'udp-send']['ns']['median']:,.0f}", duration(of[name, "udp-send"]["cpu_ns"]["median"]),
             f"{duration(of[name, 'udp-send']['more_ns']['median'])}", f"{8 * 1.048576e6 / of[name, 'stream']['ns']['median']:.1f}",
             duration(of[name, "stream"]["cpu_ns"]["median"])) for name in names]
    return table(("attached", "UDP packets/s", "CPU per packet", "more per packet", "TCP Gbit/s", "CPU per MiB"), *made)


def programs(found: list[dict]) -> list[str]:
    return table(("program, for a packet that is not guarded", "fastest", "median"),
                 *((row["program"], f"{row['fastest_ns']:.0f} ns", f"{row['median_ns']:.0f} ns") for row in found))


def decision(found: dict) -> list[str]:
    """A row for each kind of caller, a column for each number of rules."""
    by = {(r["identity"], r["verdict"], r["threads"], r["rules"]): r for r in found["rows"]}
    inside = {(r["identity"], r["verdict"], r["rules"]): duration(r["ns"]) for r in found["program"]}
    sizes = sorted({rules for *_, rules in by if rules})

    def both(one: dict) -> str:
        return f"{duration(one['p50']['median'])} / {duration(one['p99']['median'])}"
    rows = [("rules by", "answer", "threads", *(f"{size:,} rule{'s' * (size > 1)}" for size in sizes), "p99 added, most", "max", "in the program")]
    for identity, verdict, threads in dict.fromkeys(key[:3] for key in by):
        these = [by[identity, verdict, threads, size] for size in sizes if (identity, verdict, threads, size) in by]
        if these:
            rows.append((identity, verdict, threads, *(both(one) for one in these), duration(max(one["added"]["p99"]["median"] for one in these)),
                         duration(max(one["max"] for one in these)), inside[identity, verdict, sizes[-1]] if threads == 1 else ""))
        else:
            base = by[identity, verdict, threads, 0]
            rows.append(("no guard", "", threads, both(base), *[""] * (len(sizes) - 1), "", duration(base["max"]), ""))
    return table(*rows)


def requests(rows: list[dict]) -> list[str]:
    return table(("client", "attached", "one fetch", "ratio", "more"),
                 *((row["client"], row["subject"], spread(row["ms"], ms), ratio(row["ratio"]), ms(row["more_ms"]["median"])) for row in rows))


def footprint(found: dict) -> list[str]:
    first, *_ = rows = found["rows"]
    lines = [("", *(f"{row['rules']:,} rule{'s' * (row['rules'] > 1)}" for row in rows), "goal"),
             ("PSS of the agent", *(f"{row['memory']['pss_mib']:.1f} MiB" for row in rows), f"≤ {GOALS['pss_mib']} MiB"),
             ("of it memory of its own, not file pages", *(f"{row['memory']['private_mib']:.1f} MiB" for row in rows), ""),
             ("RSS of the agent", *(f"{row['memory']['rss_mib']:.1f} MiB" for row in rows), ""),
             ("PSS after changes of policy", *(f"{row['memory_after_swaps']['pss_mib']:.1f} MiB" for row in rows), ""),
             (f"kernel memory, {first['kernel']['maps']} maps", *(f"{row['kernel']['maps_kib']:,.0f} KiB" for row in rows), ""),
             (f"kernel memory, {first['kernel']['programs']} programs", *(f"{row['kernel']['programs_kib']:,.0f} KiB" for row in rows), ""),
             ("exec to the first denial", *(spread(row["enforcing_ms"], ms) for row in rows), f"≤ {GOALS['enforcing_ms']} ms"),
             ("exec to \"ready\"", *(spread(row["ready_ms"], ms) for row in rows), ""),
             ("change of policy, SIGHUP until in force", *(spread(row["swap"]["in_force_ms"], ms) for row in rows), f"≤ {GOALS['swap_ms']} ms"),
             ("change of policy, until done", *(spread(row["swap"]["complete_ms"], ms) for row in rows), ""),
             ("wake-ups, idle", *(f"{row['idle']['wakeups_per_s']:.1f}/s" for row in rows), "0"),
             ("CPU, idle", *(f"{row['idle']['cpu_percent']:.2f} %" for row in rows), "0")]
    floods = [(f"{flood['users']}", f"{flood['denials_per_s']:,.0f}", f"{flood['cpu_percent']:.1f} %", f"{flood['memory']['pss_mib']:.1f} MiB")
              for flood in found.get("floods", [])]
    return [*table(*lines), *table(("flood of denials: users", "denials/s", "CPU of the agent", "PSS"), *floods)]


def growth(found: dict) -> list[str]:
    rows = [("what grows", "at 1: config check, CPU and peak memory of guard load", "at 1,024", "exponent, config check", "exponent, CPU",
             "exponent, memory")]
    for one in found["policies"]:
        first, last, fits = one["rows"][0], one["rows"][-1], one["exponent"]
        shown = [f"{ms(row['check_ms']['median'])}, {ms(row['cpu_ms']['median'])}, {row['peak_mib']:.1f} MiB" for row in (first, last)]
        rows.append((one["kind"], *shown, *(f"{fits[name]:.2f}" for name in ("check_ms", "load_cpu_ms", "peak_mib"))))
    tour = found["containers"]
    cgroups = [("cgroups that callers are in", "first decision in one", "second decision")]
    cgroups += [(f"{row['size']:,}", duration(row["first"]), duration(row["again"])) for row in tour["rows"]]
    cgroups.append(("exponent", *(f"{tour['exponent'][name]:.2f}" for name in ("first", "again"))))
    return [*table(*rows), *table(*cgroups)]


def tables(data: dict) -> str:
    """Only of what was measured."""
    peers = ", ".join(f"{name} {version}" for name, version in data["versions"].items())
    lines = [f"Machine: {machine.described(data['machine'])}. {peers}. {data['rounds']} rounds.", ""]
    if found := data.get("everybody"):
        lines += ["### Everybody else: ratio to nothing attached", "", *everybody(found["rows"], "peers"),
                  "### Packets: which layer costs what", "", *everybody(found["rows"], "layers"), *packets(found["rows"]),
                  *programs(found["programs"]), *(f"Not measured: {text}" for text in found["skipped"])]
    if found := data.get("decision"):
        fits = found["exponent"]
        lines += ["### A decision", "", "![Decision time by rules](benchmarks/decision.svg)", "", *decision(found),
                  f"p99 grows with the number of rules by an exponent of {fits['allowed']:.2f} (allowed) and {fits['denied']:.2f} (denied): 0 is flat.", ""]
    if found := data.get("request"):
        lines += ["### A whole request", "", *requests(found["rows"])]
    if found := data.get("footprint"):
        lines += ["### What it takes itself", "", *footprint(found)]
    if found := data.get("growth"):
        lines += ["### Growth", "", *growth(found)]
    return "\n".join(lines).rstrip()
