// Package afpacket captures the packets of one Linux network interface through
// an AF_PACKET socket with a TPACKET_V3 ring, without cgo: the kernel writes
// packets into blocks of memory shared with it, and whole blocks are handed to
// the sink where they lie. It also lists the machine's interfaces and watches
// them come and go, over rtnetlink(7).
//
// Sources: packet(7), Documentation/networking/packet_mmap.rst and
// net/packet/af_packet.c in the kernel; the link type of each kind of interface
// is the one that libpcap's pcap-linux.c gives it.
//
// On other systems the package is empty.
package afpacket
