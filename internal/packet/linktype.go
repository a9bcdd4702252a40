package packet

import "strconv"

// A LinkType says how the first bytes of a packet are to be read. The values
// are the LINKTYPE_ numbers of pcap and pcapng files
// (https://www.tcpdump.org/linktypes.html), not the DLT_ numbers, which
// differ between operating systems for raw IP and a few others.
type LinkType uint16

// The link types that the project knows by name; all others are stored too.
const (
	LinkTypeNull        LinkType = 0
	LinkTypeEthernet    LinkType = 1
	LinkTypeTokenRing   LinkType = 6
	LinkTypeARCNET      LinkType = 7
	LinkTypeSLIP        LinkType = 8
	LinkTypePPP         LinkType = 9
	LinkTypeFDDI        LinkType = 10
	LinkTypePPPHDLC     LinkType = 50
	LinkTypePPPEther    LinkType = 51
	LinkTypeRaw         LinkType = 101
	LinkTypeCHDLC       LinkType = 104
	LinkType80211       LinkType = 105
	LinkTypeFrameRelay  LinkType = 107
	LinkTypeLoop        LinkType = 108
	LinkTypeLinuxSLL    LinkType = 113
	LinkTypePrism       LinkType = 119
	LinkTypeIPoverFC    LinkType = 122
	LinkTypeRadiotap    LinkType = 127
	LinkTypeAVS         LinkType = 163
	LinkTypePPI         LinkType = 192
	LinkTypeIPv4        LinkType = 228
	LinkTypeIPv6        LinkType = 229
	LinkTypeNFLOG       LinkType = 239
	LinkTypeNetlink     LinkType = 253
	LinkTypeLinuxSLL2   LinkType = 276
	LinkTypeIPNET       LinkType = 226
	LinkTypeInfiniBand  LinkType = 247
	LinkTypeIEEE802154  LinkType = 195
	LinkTypeExportedPDU LinkType = 252
)

var linkTypeNames = map[LinkType]string{
	LinkTypeNull:        "NULL",
	LinkTypeEthernet:    "Ethernet",
	LinkTypeTokenRing:   "Token Ring",
	LinkTypeARCNET:      "ARCNET",
	LinkTypeSLIP:        "SLIP",
	LinkTypePPP:         "PPP",
	LinkTypeFDDI:        "FDDI",
	LinkTypePPPHDLC:     "PPP in HDLC",
	LinkTypePPPEther:    "PPPoE session",
	LinkTypeRaw:         "raw IP",
	LinkTypeCHDLC:       "Cisco HDLC",
	LinkType80211:       "802.11",
	LinkTypeFrameRelay:  "Frame Relay",
	LinkTypeLoop:        "OpenBSD loopback",
	LinkTypeLinuxSLL:    "Linux cooked v1",
	LinkTypePrism:       "802.11 with Prism header",
	LinkTypeIPoverFC:    "IP over Fibre Channel",
	LinkTypeRadiotap:    "802.11 with radiotap",
	LinkTypeAVS:         "802.11 with AVS header",
	LinkTypePPI:         "PPI",
	LinkTypeIPv4:        "raw IPv4",
	LinkTypeIPv6:        "raw IPv6",
	LinkTypeNFLOG:       "NFLOG",
	LinkTypeNetlink:     "Linux netlink",
	LinkTypeLinuxSLL2:   "Linux cooked v2",
	LinkTypeIPNET:       "Solaris ipnet",
	LinkTypeInfiniBand:  "InfiniBand",
	LinkTypeIEEE802154:  "IEEE 802.15.4",
	LinkTypeExportedPDU: "Wireshark exported PDU",
}

// String names the link type as status and messages show it.
func (t LinkType) String() string {
	if name, ok := linkTypeNames[t]; ok {
		return name
	}
	return "link type " + strconv.Itoa(int(t))
}
