// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tc egress of every interface but loopback: what never passes the cgroup hooks.
 *
 * AF_PACKET frames and forwarded traffic to a guarded address are dropped and counted, a tagged
 * socket's packets go on. The frame's own bytes decide what it is: skb->protocol is whatever the
 * sender of an AF_PACKET frame claims. Frames that are not IP go on (fail open for them alone: no
 * guarded address speaks anything else). PACKET_QDISC_BYPASS and AF_XDP never come here.
 */
#include "ebpf/packet.bpf.h"

#define TC_GO_ON (-1) /* TC_ACT_UNSPEC: other filters decide */
#define TC_DROP 2     /* TC_ACT_SHOT */
#define ETHERNET_HEADER 14
#define VLAN_TAG 4
#define VLAN_TAGS_MAX 2

/* Interfaces with Ethernet framing. */
SEC("tc")
int guard_tc_ether(struct __sk_buff *skb)
{
	struct hw_packet packet = {.hook = HW_HOOK_TC, .offset = ETHERNET_HEADER};
	struct hw_destination to = {.reason = HW_REASON_RULE};
	__be16 type;

	for (int i = 0; i <= VLAN_TAGS_MAX; i++) {
		if (read_header(skb, packet.offset - sizeof(type), &type, sizeof(type)))
			return TC_GO_ON;
		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		packet.offset += VLAN_TAG;
	}
	packet.protocol = type;
	return judge_packet(skb, &packet, &to) ? TC_GO_ON : TC_DROP;
}

/* Interfaces without link-layer header: the first nibble is the IP version. */
SEC("tc")
int guard_tc_ip(struct __sk_buff *skb)
{
	struct hw_packet packet = {.hook = HW_HOOK_TC};
	struct hw_destination to = {.reason = HW_REASON_RULE};
	__u8 version;

	if (read_header(skb, 0, &version, sizeof(version)))
		return TC_GO_ON;
	packet.protocol = version >> 4 == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	return judge_packet(skb, &packet, &to) ? TC_GO_ON : TC_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
