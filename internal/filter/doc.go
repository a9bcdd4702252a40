// Package filter compiles the language of pcap-filter(7) to classic BPF and
// runs it, without libpcap. It is what a user writes after "--filter", what a
// client of the dump endpoint sends, and the capture filter of the settings.
//
// # Supported
//
// All of the language that tcpdump 4.99 with libpcap 1.10 accepts when it
// reads a file, on every link type: host, net, port, portrange, proto and
// protochain with the qualifiers src, dst, addr1 to addr4, ra and ta; all
// protocol words, also on their own; ether, wlan and ARCNET addresses;
// broadcast and multicast; less, greater, len and arithmetic on
// proto[offset:size] with all operators and named constants; vlan, mpls,
// pppoed, pppoes and geneve with their effect on what follows; llc, the types
// and directions of 802.11, inbound, outbound and ifindex; conditions on PF
// logs, ATM and SS7. Precedence, abbreviations ("port 53 or 5353") and which
// link types are refused are libpcap's. The code is, too, instruction by
// instruction, except as listed below: a load past the end of a truncated
// packet rejects the packet, so it matters which loads are made and when.
//
// # Not supported, on purpose
//
// Nothing is looked up, neither on the network nor in files of the machine,
// so that an expression means the same everywhere and its evaluation cannot
// be observed:
//
//   - Host and network names are refused; addresses must be written out. The
//     names in /etc/ethers, and with them "gateway", are refused likewise.
//   - Names of ports and IP protocols are those of a built-in table, which has
//     what Debian has in /etc/services and /etc/protocols.
//
// "ip broadcast" compares with 0.0.0.0 and 255.255.255.255 only, as tcpdump
// does with a file, because the network's mask is not known.
//
// # Different from tcpdump
//
//   - The address family of NULL packets is taken in either byte order. In a
//     file, tcpdump takes the order of the file.
//   - Errors of libpcap 1.10 are not repeated: it takes ARCNET address $12 for
//     another; forgets to load the byte in "byte 0 & 1"; takes "!=" for "=" in
//     ATM and SS7 fields; refuses "len / ip[0]" as a division by zero; with
//     "protochain" loses its way, or never comes back, after an authentication
//     header; and for "pppoes" and "geneve" inside 802.11 looks for headers at
//     places that it never computed.
//   - Expressions of more than 64 KiB, with more than 200 levels of
//     parentheses, or of more than 32,768 blocks of code (about 2,700 addresses
//     or 1,400 ports) are refused. Programs of more than 3,000 blocks are not
//     optimized: they match the same packets, except that a condition on bytes
//     beyond the end of a truncated packet rejects it even where the optimizer
//     would have found that it makes no difference.
//
// # Use
//
// Parse an expression once, then either Compile it for each link type or make
// a Set, which does so as link types turn up. Match neither allocates nor
// locks.
package filter
