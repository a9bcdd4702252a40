// Package npcap captures the packets of one Windows network interface through
// Npcap, where that is installed: its driver keeps packets in a buffer in the
// kernel, and its wpcap.dll, a build of libpcap, reads them from there.
//
// The package calls wpcap.dll itself, the few functions that it needs, and
// not through gopacket's pcap package: see docs/adr/0001-npcap-binding.md.
//
// Sources: pcap(3PCAP) and the pages of its functions; pcap-npf.c in libpcap;
// the Npcap API documentation (https://npcap.com/guide/npcap-api.html).
package npcap
