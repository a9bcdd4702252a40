package filter

// Frame control bits of IEEE 802.11-2020, section 9.2.4.1.
const (
	fcTypeMask    = 0x0c
	fcSubtypeMask = 0xf0
	fcTypeControl = 0x04
	fcSubtypeCTS  = 0xc0
	fcSubtypeACK  = 0xd0
	fcDirMask     = 0x03
	fcToDS        = 0x01
	fcFromDS      = 0x02
)

var wlanTypes = map[string]uint32{
	"data": 0x08, "mgt": 0x00, "management": 0x00, "ctl": 0x04, "control": 0x04,
}

// wlanSubtypes holds the names of subtypes by type, in the order in which a
// subtype without a type is looked up.
var wlanSubtypes = []struct {
	typ   uint32
	names map[string]uint32
}{
	{0x00, map[string]uint32{
		"assocreq": 0x00, "assoc-req": 0x00, "assocresp": 0x10, "assoc-resp": 0x10,
		"reassocreq": 0x20, "reassoc-req": 0x20, "reassocresp": 0x30, "reassoc-resp": 0x30,
		"probereq": 0x40, "probe-req": 0x40, "proberesp": 0x50, "probe-resp": 0x50,
		"beacon": 0x80, "atim": 0x90, "disassoc": 0xa0, "disassociation": 0xa0,
		"auth": 0xb0, "authentication": 0xb0, "deauth": 0xc0, "deauthentication": 0xc0,
	}},
	{0x04, map[string]uint32{
		"ps-poll": 0xa0, "rts": 0xb0, "cts": 0xc0, "ack": 0xd0, "cf-end": 0xe0, "cf-end-ack": 0xf0,
	}},
	{0x08, map[string]uint32{
		"data": 0x00, "data-cf-ack": 0x10, "data-cf-poll": 0x20, "data-cf-ack-poll": 0x30,
		"null": 0x40, "cf-ack": 0x50, "cf-poll": 0x60, "cf-ack-poll": 0x70,
		"qos-data": 0x80, "qos-data-cf-ack": 0x90, "qos-data-cf-poll": 0xa0,
		"qos-data-cf-ack-poll": 0xb0, "qos": 0xc0, "qos-cf-poll": 0xe0, "qos-cf-ack-poll": 0xf0,
	}},
}

var wlanDirs = map[string]uint32{"nods": 0, "tods": 1, "fromds": 2, "dstods": 3}

// The formats of the 802.2 LLC control field, and the masks that leave the
// poll/final bit out of the comparison.
const (
	llcFormatS = 0x01
	llcFormatU = 0x03
	llcMaskS   = 0x0f
	llcMaskU   = 0xef
)

var llcSubtypesS = map[string]uint32{"rr": 0x01, "rnr": 0x05, "rej": 0x09}

var llcSubtypesU = map[string]uint32{
	"ui": 0x03, "ua": 0x63, "disc": 0x43, "dm": 0x0f, "sabme": 0x6f,
	"test": 0xe3, "xid": 0xaf, "frmr": 0x87,
}

// Reasons and actions of the PF packet filter, from net/pfvar.h.
var pfReasons = map[string]uint32{
	"match": 0, "bad-offset": 1, "fragment": 2, "short": 3, "normalize": 4, "memory": 5,
	"bad-timestamp": 6, "congestion": 7, "ip-option": 8, "proto-cksum": 9,
	"state-mismatch": 10, "state-insert": 11, "state-limit": 12, "src-limit": 13, "synproxy": 14,
}

var pfActions = map[string]uint32{
	"pass": 0, "accept": 0, "drop": 1, "block": 1, "scrub": 2, "noscrub": 3, "nat": 4,
	"nonat": 5, "binat": 6, "nobinat": 7, "rdr": 8, "nordr": 9, "synproxy-drop": 10,
}

// Kinds of ATM traffic and fields that the language has words for.
const (
	atmMetac uint32 = iota
	atmBCC
	atmOAMF4SC
	atmOAMF4EC
	atmSC
	atmILMIC
	atmOAM
	atmOAMF4
	atmLANE
	atmConnectMsg
	atmMetaConnect
	atmVPI
	atmVCI
)

var atmTypes = map[string]uint32{
	"lane": atmLANE, "metac": atmMetac, "bcc": atmBCC, "oamf4ec": atmOAMF4EC,
	"oamf4sc": atmOAMF4SC, "sc": atmSC, "ilmic": atmILMIC, "oam": atmOAM, "oamf4": atmOAMF4,
	"connectmsg": atmConnectMsg, "metaconnect": atmMetaConnect,
}

// Signal units and fields of SS7; those that begin with h are for high-speed
// links, whose header is longer.
const (
	mtp2FISU uint32 = iota
	mtp2LSSU
	mtp2MSU
	mtp2HighSpeed // added to one of the above
)

var mtp2Types = map[string]uint32{
	"fisu": mtp2FISU, "lssu": mtp2LSSU, "lsu": mtp2LSSU, "msu": mtp2MSU,
	"hfisu": mtp2HighSpeed + mtp2FISU, "hlssu": mtp2HighSpeed + mtp2LSSU, "hmsu": mtp2HighSpeed + mtp2MSU,
}

const (
	mtp3SIO uint32 = iota
	mtp3OPC
	mtp3DPC
	mtp3SLS
	mtp3HighSpeed // added to one of the above
)

var mtp3Fields = map[string]uint32{
	"sio": mtp3SIO, "opc": mtp3OPC, "dpc": mtp3DPC, "sls": mtp3SLS,
	"hsio": mtp3HighSpeed + mtp3SIO, "hopc": mtp3HighSpeed + mtp3OPC,
	"hdpc": mtp3HighSpeed + mtp3DPC, "hsls": mtp3HighSpeed + mtp3SLS,
}

// etherProtos are the names that "ether proto" takes: EtherTypes, and the
// SAPs of 802.2, which are below the EtherTypes.
var etherProtos = map[string]uint32{
	"aarp": etherAARP, "arp": etherARP, "atalk": etherATalk, "decnet": etherDECnet,
	"ip": etherIP, "ip6": etherIPv6, "lat": etherLAT, "loopback": etherLoopback,
	"mopdl": etherMOPDL, "moprc": etherMOPRC, "rarp": etherRARP, "sca": etherSCA,
	"iso": sapISO, "stp": sapSTP, "ipx": sapIPX, "netbeui": sapNetBEUI,
}

// isoProtos are the names that "iso proto" takes: NLPIDs of ISO/IEC TR 9577.
var isoProtos = map[string]uint32{"esis": nlpidESIS, "isis": nlpidISIS, "clnp": nlpidCLNP}
