package filter

// A tokenKind is a terminal of the grammar. Words with the same meaning to
// the grammar ("ether" and "wlan", "dir" and "direction") are one kind.
type tokenKind uint8

const (
	tokEOF tokenKind = iota

	tokNumber // value in token.num
	tokWord   // a name that is no keyword, or an escaped one
	tokIPv4   // two to four numbers with dots
	tokIPv6
	tokMAC
	tokARCNET // $ and one or two hex digits

	tokAnd
	tokOr
	tokNot
	tokLParen
	tokRParen
	tokLBracket
	tokRBracket
	tokColon
	tokPlus
	tokMinus
	tokStar
	tokSlash
	tokPercent
	tokAmp
	tokPipe
	tokHat
	tokShl
	tokShr
	tokGt
	tokGe
	tokEq
	tokLe
	tokLt
	tokNe

	tokProtocol // a protocol word; which one in token.num
	tokSrc
	tokDst
	tokAddr1
	tokAddr2
	tokAddr3
	tokAddr4
	tokRA
	tokTA
	tokHost
	tokNet
	tokMask
	tokPort
	tokPortrange
	tokProto
	tokProtochain
	tokGateway
	tokBroadcast
	tokMulticast
	tokLess
	tokGreater
	tokByte
	tokLen
	tokInbound
	tokOutbound
	tokIfindex
	tokVLAN
	tokMPLS
	tokPPPoED
	tokPPPoES
	tokGeneve
	tokLLC
	tokType
	tokSubtype
	tokDir

	tokPFIfname
	tokPFRuleset
	tokPFRule
	tokPFSubrule
	tokPFReason
	tokPFAction

	tokATMType  // lane, metac, oam ...; which one in token.num
	tokATMField // vpi, vci
	tokMTP2Type // fisu, lssu ...
	tokMTP3     // sio, opc ...
)

// A token is a terminal with its place in the expression.
type token struct {
	kind     tokenKind
	num      uint32 // value of a number, or which of several words
	pos, end int    // bytes from the beginning of the expression
	text     string // as written; for an escaped word without the backslash
}

// keywords maps every reserved word to its kind and number. A word that is
// not here is a name; a reserved word is made a name by a backslash.
var keywords = func() map[string]token {
	m := make(map[string]token, 320)
	for word, kind := range map[string]tokenKind{
		"and": tokAnd, "or": tokOr, "not": tokNot,
		"src": tokSrc, "dst": tokDst,
		"addr1": tokAddr1, "address1": tokAddr1, "addr2": tokAddr2, "address2": tokAddr2,
		"addr3": tokAddr3, "address3": tokAddr3, "addr4": tokAddr4, "address4": tokAddr4,
		"ra": tokRA, "ta": tokTA,
		"host": tokHost, "net": tokNet, "mask": tokMask, "port": tokPort, "portrange": tokPortrange,
		"proto": tokProto, "protochain": tokProtochain, "gateway": tokGateway,
		"broadcast": tokBroadcast, "multicast": tokMulticast,
		"less": tokLess, "greater": tokGreater, "byte": tokByte, "len": tokLen, "length": tokLen,
		"inbound": tokInbound, "outbound": tokOutbound, "ifindex": tokIfindex,
		"vlan": tokVLAN, "mpls": tokMPLS, "pppoed": tokPPPoED, "pppoes": tokPPPoES, "geneve": tokGeneve,
		"llc": tokLLC, "type": tokType, "subtype": tokSubtype, "dir": tokDir, "direction": tokDir,
		"on": tokPFIfname, "ifname": tokPFIfname, "rset": tokPFRuleset, "ruleset": tokPFRuleset,
		"rnr": tokPFRule, "rulenum": tokPFRule, "srnr": tokPFSubrule, "subrulenum": tokPFSubrule,
		"reason": tokPFReason, "action": tokPFAction,
	} {
		m[word] = token{kind: kind}
	}
	add := func(kind tokenKind, words map[string]uint32) {
		for word, n := range words {
			m[word] = token{kind: kind, num: n}
		}
	}
	add(tokNumber, constants)
	for word, p := range protocolWords {
		m[word] = token{kind: tokProtocol, num: uint32(p)}
	}
	add(tokATMType, atmTypes)
	add(tokATMField, map[string]uint32{"vpi": atmVPI, "vci": atmVCI})
	add(tokMTP2Type, mtp2Types)
	add(tokMTP3, mtp3Fields)
	return m
}()

// constants are the numbers that have names, from pcap-filter(7).
var constants = map[string]uint32{
	"icmptype": 0, "icmpcode": 1,
	"icmp-echoreply": 0, "icmp-unreach": 3, "icmp-sourcequench": 4, "icmp-redirect": 5,
	"icmp-echo": 8, "icmp-routeradvert": 9, "icmp-routersolicit": 10, "icmp-timxceed": 11,
	"icmp-paramprob": 12, "icmp-tstamp": 13, "icmp-tstampreply": 14, "icmp-ireq": 15,
	"icmp-ireqreply": 16, "icmp-maskreq": 17, "icmp-maskreply": 18,

	"icmp6type": 0, "icmp6code": 1,
	"icmp6-destinationunreach": 1, "icmp6-packettoobig": 2, "icmp6-timeexceeded": 3,
	"icmp6-parameterproblem": 4, "icmp6-echo": 128, "icmp6-echoreply": 129,
	"icmp6-multicastlistenerquery": 130, "icmp6-multicastlistenerreportv1": 131,
	"icmp6-multicastlistenerdone": 132, "icmp6-routersolicit": 133, "icmp6-routeradvert": 134,
	"icmp6-neighborsolicit": 135, "icmp6-neighboradvert": 136, "icmp6-redirect": 137,
	"icmp6-routerrenum": 138, "icmp6-nodeinformationquery": 139,
	"icmp6-nodeinformationresponse": 140, "icmp6-ineighbordiscoverysolicit": 141,
	"icmp6-ineighbordiscoveryadvert": 142, "icmp6-multicastlistenerreportv2": 143,
	"icmp6-homeagentdiscoveryrequest": 144, "icmp6-homeagentdiscoveryreply": 145,
	"icmp6-mobileprefixsolicit": 146, "icmp6-mobileprefixadvert": 147,
	"icmp6-certpathsolicit": 148, "icmp6-certpathadvert": 149,
	"icmp6-multicastrouteradvert": 151, "icmp6-multicastroutersolicit": 152,
	"icmp6-multicastrouterterm": 153,

	"tcpflags": 13, "tcp-fin": 0x01, "tcp-syn": 0x02, "tcp-rst": 0x04, "tcp-push": 0x08,
	"tcp-ack": 0x10, "tcp-urg": 0x20, "tcp-ece": 0x40, "tcp-cwr": 0x80,
}
