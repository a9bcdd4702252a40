package filter

import "github.com/packetcache/packetcache/internal/packet"

// A layout says where the parts of a packet begin. Offsets are bytes from the
// beginning, net and netNoSNAP bytes from payload.
type layout struct {
	hdr       uint32 // link-layer header
	typ       uint32 // its type field, or the LLC header that holds the type
	payload   uint32
	net       uint32
	netNoSNAP uint32
	// radio says that radio information of variable length comes first.
	radio bool
	// variable says that the link-layer header has no fixed length.
	variable bool
}

// Link types that only this package knows by name.
const (
	linkSymantec       packet.LinkType = 99
	linkATMRFC1483     packet.LinkType = 100
	linkSLIPBSDOS      packet.LinkType = 102
	linkPPPBSDOS       packet.LinkType = 103
	linkATMCLIP        packet.LinkType = 106
	linkENC            packet.LinkType = 109
	linkNetBSDHDLC     packet.LinkType = 112
	linkLocalTalk      packet.LinkType = 114
	linkPFLOG          packet.LinkType = 117
	linkSunATM         packet.LinkType = 123
	linkARCNETLinux    packet.LinkType = 129
	linkJuniperMLPPP   packet.LinkType = 130
	linkJuniperMLFR    packet.LinkType = 131
	linkJuniperES      packet.LinkType = 132
	linkJuniperGGSN    packet.LinkType = 133
	linkJuniperMFR     packet.LinkType = 134
	linkJuniperATM2    packet.LinkType = 135
	linkJuniperServ    packet.LinkType = 136
	linkJuniperATM1    packet.LinkType = 137
	linkIPoverIEEE1394 packet.LinkType = 138
	linkMTP2PHdr       packet.LinkType = 139
	linkMTP2           packet.LinkType = 140
	linkJuniperMon     packet.LinkType = 164
	linkBACnetMSTP     packet.LinkType = 165
	linkPPPD           packet.LinkType = 166
	linkJuniperPPPoE   packet.LinkType = 167
	linkJuniperPPPoEA  packet.LinkType = 168
	linkJuniperEther   packet.LinkType = 178
	linkJuniperPPP     packet.LinkType = 179
	linkJuniperFRelay  packet.LinkType = 180
	linkJuniperCHDLC   packet.LinkType = 181
	linkMFR            packet.LinkType = 182
	linkJuniperVP      packet.LinkType = 183
	linkJuniperISM     packet.LinkType = 194
	linkERF            packet.LinkType = 197
	linkJuniperST      packet.LinkType = 200
	linkJuniperVS      packet.LinkType = 232
	linkJuniperSRX     packet.LinkType = 233
	linkJuniperFC      packet.LinkType = 234
	linkJuniperATMCE   packet.LinkType = 238
	linkNetAnalyzer    packet.LinkType = 240
	linkNetAnalyzerTr  packet.LinkType = 241
	linkPFSYNC         packet.LinkType = 246

	// Between these, and nowhere else, a link type without a layout still
	// takes expressions that need none, such as "len > 100" or "ether[4]=1".
	linkMin packet.LinkType = 104
	linkMax packet.LinkType = 289
)

// Most link types with LLC put SNAP's protocol number 8 bytes and other
// network-layer headers 3 bytes after its beginning.
const (
	afterSNAP = 8
	afterLLC  = 3
)

var noLayout = layout{typ: notSet, payload: notSet, net: notSet, netNoSNAP: notSet}

var layouts = map[packet.LinkType]layout{
	packet.LinkTypeEthernet: {typ: 12, payload: 14, netNoSNAP: afterLLC},
	linkNetAnalyzer:         {hdr: 4, typ: 16, payload: 18, netNoSNAP: afterLLC},
	linkNetAnalyzerTr:       {hdr: 12, typ: 24, payload: 26, netNoSNAP: afterLLC},

	packet.LinkTypeFDDI:      {typ: 13, payload: 13, net: afterSNAP, netNoSNAP: afterLLC},
	packet.LinkTypeTokenRing: {typ: 14, payload: 14, net: afterSNAP, netNoSNAP: afterLLC},
	packet.LinkTypeIPoverFC:  {typ: 16, payload: 16, net: afterSNAP, netNoSNAP: afterLLC},
	linkATMRFC1483:           {net: afterSNAP, netNoSNAP: afterLLC},
	linkATMCLIP:              {net: afterSNAP, netNoSNAP: afterLLC},
	linkSunATM:               {typ: sunATMPayload, payload: sunATMPayload, net: afterSNAP, netNoSNAP: afterLLC},

	packet.LinkType80211:    {typ: 24, net: afterSNAP, netNoSNAP: afterLLC, variable: true},
	packet.LinkTypePrism:    {typ: 24, net: afterSNAP, netNoSNAP: afterLLC, variable: true, radio: true},
	packet.LinkTypeAVS:      {typ: 24, net: afterSNAP, netNoSNAP: afterLLC, variable: true, radio: true},
	packet.LinkTypeRadiotap: {typ: 24, net: afterSNAP, netNoSNAP: afterLLC, variable: true, radio: true},
	packet.LinkTypePPI:      {typ: 24, net: afterSNAP, netNoSNAP: afterLLC, variable: true, radio: true},

	packet.LinkTypeARCNET: {typ: 2, payload: 6},
	linkARCNETLinux:       {typ: 4, payload: 8},
	linkLocalTalk:         {typ: notSet},

	packet.LinkTypeRaw:  {typ: notSet},
	packet.LinkTypeIPv4: {typ: notSet},
	packet.LinkTypeIPv6: {typ: notSet},
	packet.LinkTypeNull: {payload: 4},
	packet.LinkTypeLoop: {payload: 4},
	linkENC:             {payload: 12},
	packet.LinkTypeSLIP: {typ: notSet, payload: 16},
	linkSLIPBSDOS:       {typ: notSet, payload: 24},

	packet.LinkTypePPP:      {typ: 2, payload: 4},
	linkPPPD:                {typ: 2, payload: 4},
	packet.LinkTypePPPHDLC:  {typ: 2, payload: 4},
	packet.LinkTypeCHDLC:    {typ: 2, payload: 4},
	linkNetBSDHDLC:          {typ: 2, payload: 4},
	packet.LinkTypePPPEther: {typ: 6, payload: 8},
	linkPPPBSDOS:            {typ: 5, payload: 24},

	packet.LinkTypeLinuxSLL:  {typ: 14, payload: 16},
	packet.LinkTypeLinuxSLL2: {typ: 0, payload: 20},

	packet.LinkTypeFrameRelay: {typ: notSet},
	linkMFR:                   {typ: notSet, net: 4},
	linkIPoverIEEE1394:        {typ: 16, payload: 18},
	linkSymantec:              {typ: 6, payload: 44},
	linkPFLOG:                 {variable: true},
	linkPFSYNC:                {typ: notSet, payload: 4},
	packet.LinkTypeIPNET:      {typ: 1, payload: 24, netNoSNAP: notSet},

	linkJuniperMFR:    {typ: 4, payload: 4, netNoSNAP: notSet},
	linkJuniperMLFR:   {typ: 4, payload: 4, netNoSNAP: notSet},
	linkJuniperMLPPP:  {typ: 4, payload: 4, netNoSNAP: notSet},
	linkJuniperPPP:    {typ: 4, payload: 4, netNoSNAP: notSet},
	linkJuniperCHDLC:  {typ: 4, payload: 4, netNoSNAP: notSet},
	linkJuniperFRelay: {typ: 4, payload: 4, netNoSNAP: notSet},
	linkJuniperATM1:   {typ: 4, payload: 4, netNoSNAP: 10},
	linkJuniperATM2:   {typ: 8, payload: 8, netNoSNAP: 10},
	linkJuniperPPPoE:  {typ: 16, payload: 14, net: 18, netNoSNAP: 21},
	linkJuniperEther:  {typ: 16, payload: 14, net: 18, netNoSNAP: 21},
	linkJuniperPPPoEA: {typ: 4, payload: 6, netNoSNAP: notSet},
	linkJuniperGGSN:   {typ: 6, payload: 12, netNoSNAP: notSet},
	linkJuniperES:     {typ: 6, payload: notSet, net: notSet, netNoSNAP: notSet},
	linkJuniperMon:    {typ: 12, payload: 12, netNoSNAP: notSet},
	linkJuniperServ:   {typ: 12, payload: notSet, net: notSet, netNoSNAP: notSet},
	linkJuniperVP:     {typ: 18, payload: notSet, net: notSet, netNoSNAP: notSet},
	linkJuniperST:     {typ: 18, payload: notSet, net: notSet, netNoSNAP: notSet},
	linkJuniperISM:    {typ: 8, payload: notSet, net: notSet, netNoSNAP: notSet},
	linkJuniperVS:     {typ: 8, payload: notSet, net: notSet, netNoSNAP: notSet},
	linkJuniperSRX:    {typ: 8, payload: notSet, net: notSet, netNoSNAP: notSet},
	linkJuniperFC:     {typ: 8, payload: notSet, net: notSet, netNoSNAP: notSet},
	linkJuniperATMCE:  {typ: 8, payload: notSet, net: notSet, netNoSNAP: notSet},
}

// fromDLT maps the DLT_ numbers of Linux that some programs write to files
// where the LINKTYPE_ number belongs; they stand for nothing else there.
func fromDLT(lt packet.LinkType) packet.LinkType {
	switch lt {
	case 11:
		return linkATMRFC1483
	case 12:
		return packet.LinkTypeRaw
	case 15:
		return linkSLIPBSDOS
	case 16:
		return linkPPPBSDOS
	case 18:
		return linkPFSYNC
	case 19:
		return linkATMCLIP
	}
	return lt
}

func layoutOf(lt packet.LinkType) (layout, bool) {
	if l, ok := layouts[lt]; ok {
		return l, true
	}
	return noLayout, lt >= linkMin && lt <= linkMax
}

func isEthernet(lt packet.LinkType) bool {
	return lt == packet.LinkTypeEthernet || lt == linkNetAnalyzer || lt == linkNetAnalyzerTr
}

// isWLAN says whether the link-layer header is that of 802.11. PPI can hold
// other things, too; a program for PPI begins by asking.
func isWLAN(lt packet.LinkType) bool {
	switch lt {
	case packet.LinkType80211, packet.LinkTypePrism, packet.LinkTypeAVS,
		packet.LinkTypeRadiotap, packet.LinkTypePPI:
		return true
	}
	return false
}

func isARCNET(lt packet.LinkType) bool {
	return lt == packet.LinkTypeARCNET || lt == linkARCNETLinux
}

func isJuniper(lt packet.LinkType) bool {
	switch lt {
	case linkJuniperMFR, linkJuniperMLFR, linkJuniperMLPPP, linkJuniperATM1, linkJuniperATM2,
		linkJuniperPPPoE, linkJuniperPPPoEA, linkJuniperGGSN, linkJuniperES, linkJuniperMon,
		linkJuniperServ, linkJuniperEther, linkJuniperPPP, linkJuniperFRelay, linkJuniperCHDLC,
		linkJuniperVP, linkJuniperST, linkJuniperISM, linkJuniperVS, linkJuniperSRX,
		linkJuniperFC, linkJuniperATMCE:
		return true
	}
	return false
}
