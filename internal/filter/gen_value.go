package filter

import (
	"net/netip"
	"strconv"
	"strings"
)

// nameValue is a name with qualifiers: "port http", "ip proto ospf".
func (g *generator) nameValue(name string, q qual) *pred {
	switch q.typ {
	case typeAny, typeHost:
		if addr, err := netip.ParseAddr(name); err == nil && addr.Zone() == "" && q.proto != protoLink && q.proto != protoDECnet {
			if addr.Is4() {
				return g.host(ipv4Number(addr), 0xffffffff, q)
			}
			return g.host6(addr, 128, q)
		}
		return g.failHint("write the address instead", "host names such as '%s' are not looked up", clip(name))
	case typeNet:
		return g.failHint("write the network as in 10.0.0.0/8", "network names such as '%s' are not looked up", clip(name))
	case typePort:
		return g.portName(name, q)
	case typePortrange:
		return g.portrangeName(name, q)
	case typeProto, typeProtochain:
		v, ok := g.protocolNumber(name, q.proto)
		if !ok {
			return g.fail("no protocol is named '%s' here", clip(name))
		}
		if q.typ == typeProto {
			return g.proto(v, q.proto)
		}
		return g.protochain(v, q.proto)
	case typeGateway:
		return g.noGateway()
	}
	return g.noQualifier(name)
}

func (g *generator) noGateway() *pred {
	return g.failHint("write 'ether host' with the gateway's hardware address, and 'not host' with its IP address",
		"'gateway' needs names to be looked up, which is not done")
}

// noQualifier is the error for a bare value that has no other value before it
// to take qualifiers from.
func (g *generator) noQualifier(text string) *pred {
	return g.failHint("write 'host', 'net' or 'port' before it",
		"nothing says what '%s' is", clip(text))
}

// protocolNumber looks up the name of a protocol that pr can carry.
func (g *generator) protocolNumber(name string, pr proto) (v uint32, ok bool) {
	switch pr {
	case protoAny, protoIP, protoIPv6:
		v, ok = ipProtocols[name]
	case protoLink:
		v, ok = etherProtos[name]
	case protoISO:
		v, ok = isoProtos[name]
	}
	return v, ok
}

// numberValue is a number with qualifiers: "port 80", "ip proto 6", "net 10".
func (g *generator) numberValue(v uint32, q qual) *pred {
	switch q.typ {
	case typeAny, typeHost, typeNet:
		switch q.proto {
		case protoDECnet:
			return g.host(v, 0, q)
		case protoLink:
			return g.fail("%d is no hardware address", v)
		}
		mask := uint32(0xffffffff)
		if q.typ == typeNet {
			// "net 10" is 10.0.0.0/8: leading zero bytes are left out.
			for v != 0 && v&0xff000000 == 0 {
				v, mask = v<<8, mask<<8
			}
		}
		return g.host(v, mask, q)
	case typePort, typePortrange:
		ports, ok := g.portProtocols(q)
		if !ok {
			return g.constant(false)
		}
		if v > 65535 {
			return g.fail("%d is no port: ports are 0 to 65535", v)
		}
		return g.ports(portRange{v, v, q.typ == typePortrange}, ports, q.dir)
	case typeProto:
		return g.proto(v, q.proto)
	case typeProtochain:
		return g.protochain(v, q.proto)
	case typeGateway:
		return g.noGateway()
	}
	return g.noQualifier(strconv.FormatUint(uint64(v), 10))
}

// ipv4Value is an IPv4 address of two to four parts with qualifiers. Fewer
// than four stand for a network: "host 10.1" is "net 10.1.0.0/16".
func (g *generator) ipv4Value(text string, q qual) *pred {
	switch q.typ {
	case typePort, typePortrange, typeProto, typeProtochain:
		return g.fail("'%s' must be followed by no address such as %s", q.typ, clip(text))
	case typeGateway:
		return g.noGateway()
	case typeUnset:
		return g.noQualifier(text)
	}
	if q.proto == protoDECnet {
		v, ok := decnetAddr(text)
		if !ok {
			return g.fail("'%s' is no DECnet address: write area.node", clip(text))
		}
		return g.host(v, 0, q)
	}
	v, bits, ok := ipv4Prefix(text)
	if !ok {
		return g.fail("'%s' is no IPv4 address", clip(text))
	}
	if q.proto == protoLink {
		return g.fail("%s is no hardware address", text)
	}
	return g.host(v, ^uint32(0)<<(32-bits), q)
}

// ipv4NetValue is a network with prefix length or mask.
func (g *generator) ipv4NetValue(n *value) *pred {
	v, _, ok := ipv4Prefix(n.text)
	if !ok {
		return g.fail("'%s' is no IPv4 address", clip(n.text))
	}
	var mask uint32
	if n.mask != "" {
		if mask, _, ok = ipv4Prefix(n.mask); !ok {
			return g.fail("'%s' is no IPv4 mask", clip(n.mask))
		}
	} else {
		if n.prefix > 32 {
			return g.fail("/%d is no prefix length: IPv4 has 0 to 32", n.prefix)
		}
		mask = uint32(uint64(0xffffffff) << (32 - n.prefix))
	}
	if v&^mask != 0 {
		return g.failHint("the network is "+ipv4Addr(v&mask).String(),
			"%s has bits set beyond the mask", n.text)
	}
	if n.q.typ != typeNet {
		return g.failHint("write 'net'", "only a network has a mask")
	}
	return g.host(v, mask, n.q)
}

// ipv6Value is an IPv6 address or network with qualifiers.
func (g *generator) ipv6Value(n *value) *pred {
	addr, err := netip.ParseAddr(n.text)
	if err != nil {
		return g.fail("'%s' is no IPv6 address", clip(n.text))
	}
	prefix := uint32(128)
	if n.hasPrefix {
		prefix = n.prefix
	}
	if prefix > 128 {
		return g.fail("/%d is no prefix length: IPv6 has 0 to 128", prefix)
	}
	// An IPv4-mapped address is compared in full, as it stands in the packet.
	whole := netip.AddrFrom16(addr.As16())
	if masked := maskIPv6(whole, int(prefix)); masked != whole {
		return g.failHint("the network is "+masked.String(), "%s has bits set beyond the mask", n.text)
	}
	switch n.q.typ {
	case typeAny, typeHost:
		if prefix != 128 {
			return g.failHint("write 'net'", "only a network has a prefix length")
		}
	case typeNet:
	case typeUnset:
		return g.noQualifier(n.text)
	case typeGateway:
		return g.noGateway()
	default:
		return g.fail("'%s' must be followed by no address such as %s", n.q.typ, n.text)
	}
	return g.host6(whole, int(prefix), n.q)
}

// ipv4Prefix reads one to four decimal parts, each a byte; bits says how many
// bits they give, and v has them on the left.
func ipv4Prefix(s string) (v uint32, bits uint, ok bool) {
	for part := range strings.SplitSeq(s, ".") {
		n := uint32(0)
		for i := 0; i < len(part); i++ {
			if n = n*10 + uint32(part[i]-'0'); !isDigit(part[i]) || n > 255 {
				return 0, 0, false
			}
		}
		v, bits = v<<8|n, bits+8
	}
	return v << (32 - bits), bits, true
}

func ipv4Addr(v uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

func ipv4Number(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// maskIPv6 clears the bits after the prefix.
func maskIPv6(a netip.Addr, prefix int) netip.Addr {
	b := a.As16()
	for i := range b {
		keep := min(max(prefix-8*i, 0), 8)
		b[i] &= ^byte(0xff >> keep)
	}
	return netip.AddrFrom16(b)
}

// decnetAddr reads area.node, of 6 and 10 bits.
func decnetAddr(s string) (uint32, bool) {
	area, node, _ := strings.Cut(s, ".")
	if i := strings.IndexByte(node, '.'); i >= 0 {
		node = node[:i]
	}
	a, err1 := strconv.ParseUint(area, 10, 32)
	n, err2 := strconv.ParseUint(node, 10, 32)
	return uint32(a&0x3f)<<10 | uint32(n&0x3ff), err1 == nil && err2 == nil
}
