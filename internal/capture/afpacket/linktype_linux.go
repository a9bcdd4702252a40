package afpacket

import (
	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/packet"
)

// Link types that only this package meets; the numbers are those of
// https://www.tcpdump.org/linktypes.html.
const (
	linkTypeExpEthernet packet.LinkType = 2
	linkTypePRONET      packet.LinkType = 4
	linkTypeChaos       packet.LinkType = 5
	linkTypeLocalTalk   packet.LinkType = 114
	linkTypeARCNETLinux packet.LinkType = 129
	linkTypeLinuxIrDA   packet.LinkType = 144
	linkTypeLinuxLAPD   packet.LinkType = 177
	linkTypeAX25KISS    packet.LinkType = 202
	linkTypeFC2         packet.LinkType = 224
	linkTypeSocketCAN   packet.LinkType = 227
	linkType802154NoFCS packet.LinkType = 230
	linkTypeVSOCK       packet.LinkType = 271
)

// arphrdIPoverFC is the hardware type of RFC 4338, which Linux has no name for.
const arphrdIPoverFC = 18

// linkTypeOf maps an interface's hardware type (ARPHRD_*, if_arp.h) to the link
// type of its packets, as libpcap's map_arphrd_to_dlt does. Cooked interfaces
// have no link header worth keeping, or none known: the kernel is asked for
// packets without one (SOCK_DGRAM) and a Linux cooked header takes its place.
func linkTypeOf(hardware uint16) (lt packet.LinkType, cooked bool) {
	switch hardware {
	case unix.ARPHRD_ETHER, unix.ARPHRD_METRICOM, unix.ARPHRD_LOOPBACK:
		return packet.LinkTypeEthernet, false
	case unix.ARPHRD_NONE,
		unix.ARPHRD_TUNNEL, unix.ARPHRD_SIT, unix.ARPHRD_SLIP, unix.ARPHRD_CSLIP,
		unix.ARPHRD_SLIP6, unix.ARPHRD_CSLIP6, unix.ARPHRD_ADAPT,
		unix.ARPHRD_RAWHDLC, unix.ARPHRD_DLCI:
		return packet.LinkTypeRaw, false
	case unix.ARPHRD_EETHER:
		return linkTypeExpEthernet, false
	case unix.ARPHRD_AX25:
		return linkTypeAX25KISS, false
	case unix.ARPHRD_PRONET:
		return linkTypePRONET, false
	case unix.ARPHRD_CHAOS:
		return linkTypeChaos, false
	case unix.ARPHRD_CAN:
		return linkTypeSocketCAN, false
	case unix.ARPHRD_IEEE802, unix.ARPHRD_IEEE802_TR:
		return packet.LinkTypeTokenRing, false
	case unix.ARPHRD_ARCNET:
		return linkTypeARCNETLinux, false
	case unix.ARPHRD_FDDI:
		return packet.LinkTypeFDDI, false
	case unix.ARPHRD_IEEE80211:
		return packet.LinkType80211, false
	case unix.ARPHRD_IEEE80211_PRISM:
		return packet.LinkTypePrism, false
	case unix.ARPHRD_IEEE80211_RADIOTAP:
		return packet.LinkTypeRadiotap, false
	case unix.ARPHRD_CISCO:
		return packet.LinkTypeCHDLC, false
	case unix.ARPHRD_FRAD:
		return packet.LinkTypeFrameRelay, false
	case unix.ARPHRD_LOCALTLK:
		return linkTypeLocalTalk, false
	case arphrdIPoverFC:
		return packet.LinkTypeIPoverFC, false
	case unix.ARPHRD_FCPP, unix.ARPHRD_FCAL, unix.ARPHRD_FCPL, unix.ARPHRD_FCFABRIC:
		return linkTypeFC2, false
	case unix.ARPHRD_IEEE802154:
		return linkType802154NoFCS, false
	case unix.ARPHRD_VSOCKMON:
		return linkTypeVSOCK, false
	// These three have link types of their own that begin with the cooked
	// header, because their packets mean nothing without the protocol in it.
	case unix.ARPHRD_IRDA:
		return linkTypeLinuxIrDA, true
	case arphrdLAPD:
		return linkTypeLinuxLAPD, true
	case unix.ARPHRD_NETLINK:
		return packet.LinkTypeNetlink, true
	}
	// PPP (some drivers give a header, some do not), ATM, GRE, raw IP modems
	// and whatever is invented next.
	return packet.LinkTypeLinuxSLL, true
}

// arphrdLAPD is ARPHRD_LAPD (LAPD of vISDN), which the kernel does not define
// and libpcap does.
const arphrdLAPD = 8445

// tagOffset is where in a packet a VLAN tag stands that the kernel keeps apart:
// behind the addresses of Ethernet, before the protocol of a cooked header, 0
// where the link type has no place for one.
func tagOffset(lt packet.LinkType) int {
	switch lt {
	case packet.LinkTypeEthernet:
		return 12
	case packet.LinkTypeLinuxSLL:
		return sllLen - 2
	}
	return 0
}
