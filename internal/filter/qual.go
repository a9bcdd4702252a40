package filter

// A proto is a protocol word of the language. The same words stand alone
// ("tcp"), before a qualifier ("tcp port 80") and before an index ("tcp[13]").
type proto uint8

const (
	protoAny proto = iota // none was given
	protoLink
	protoIP
	protoARP
	protoRARP
	protoSCTP
	protoTCP
	protoUDP
	protoICMP
	protoIGMP
	protoIGRP
	protoATalk
	protoDECnet
	protoLAT
	protoSCA
	protoMOPRC
	protoMOPDL
	protoIPv6
	protoICMPv6
	protoAH
	protoESP
	protoPIM
	protoVRRP
	protoAARP
	protoISO
	protoESIS
	protoISIS
	protoCLNP
	protoSTP
	protoIPX
	protoNetBEUI
	protoISISL1
	protoISISL2
	protoISISIIH
	protoISISSNP
	protoISISCSNP
	protoISISPSNP
	protoISISLSP
	protoRadio
	protoCARP
)

var protocolWords = map[string]proto{
	"link": protoLink, "ether": protoLink, "ppp": protoLink, "slip": protoLink,
	"fddi": protoLink, "tr": protoLink, "wlan": protoLink,
	"ip": protoIP, "arp": protoARP, "rarp": protoRARP, "sctp": protoSCTP, "tcp": protoTCP,
	"udp": protoUDP, "icmp": protoICMP, "igmp": protoIGMP, "igrp": protoIGRP, "pim": protoPIM,
	"vrrp": protoVRRP, "carp": protoCARP, "radio": protoRadio,
	"ip6": protoIPv6, "icmp6": protoICMPv6, "ah": protoAH, "esp": protoESP,
	"atalk": protoATalk, "aarp": protoAARP, "decnet": protoDECnet, "lat": protoLAT,
	"sca": protoSCA, "moprc": protoMOPRC, "mopdl": protoMOPDL,
	"iso": protoISO, "esis": protoESIS, "es-is": protoESIS, "isis": protoISIS, "is-is": protoISIS,
	"l1": protoISISL1, "l2": protoISISL2, "iih": protoISISIIH, "lsp": protoISISLSP,
	"snp": protoISISSNP, "csnp": protoISISCSNP, "psnp": protoISISPSNP, "clnp": protoCLNP,
	"stp": protoSTP, "ipx": protoIPX, "netbeui": protoNetBEUI,
}

// String is the word that tcpdump's users know the protocol by.
func (p proto) String() string {
	switch p {
	case protoLink:
		return "ether"
	case protoESIS:
		return "esis"
	case protoISIS:
		return "isis"
	}
	for word, q := range protocolWords {
		if p == q {
			return word
		}
	}
	return "any protocol"
}

// A direction says which of a packet's two addresses or ports is meant.
type direction uint8

const (
	dirAny direction = iota // none was given: either
	dirSrc
	dirDst
	dirOr
	dirAnd
	dirAddr1 // 802.11 only, as are those below
	dirAddr2
	dirAddr3
	dirAddr4
	dirRA
	dirTA
)

// String is the qualifier as it is written.
func (d direction) String() string {
	return [...]string{"any direction", "src", "dst", "src or dst", "src and dst",
		"addr1", "addr2", "addr3", "addr4", "ra", "ta"}[d]
}

// An addrType says what a value is to be taken for.
type addrType uint8

const (
	typeAny addrType = iota // none was given: a host
	typeHost
	typeNet
	typePort
	typeGateway
	typeProto
	typeProtochain
	typePortrange
	// typeUnset marks that no qualifier is in force that a bare value could
	// take over, as after "tcp and".
	typeUnset
)

// String is the qualifier as it is written.
func (t addrType) String() string {
	return [...]string{"host", "host", "net", "port", "gateway", "proto",
		"protochain", "portrange", "no qualifier"}[t]
}

// A qual is the set of qualifiers in force for a value.
type qual struct {
	proto proto
	dir   direction
	typ   addrType
}

var unset = qual{typ: typeUnset}
