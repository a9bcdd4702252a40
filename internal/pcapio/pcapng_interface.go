package pcapio

import (
	"bytes"
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/packetcache/packetcache/internal/packet"
)

// Options of the Interface Description Block.
const (
	optName        = 2
	optDescription = 3
	optIPv4        = 4
	optIPv6        = 5
	optMAC         = 6
	optEUI         = 7
	optTSResol     = 9
	optFilter      = 11
	optOS          = 12
	optTSOffset    = 14
)

// What is kept of an interface's description at most: bytes of each text, and
// the number of addresses.
const (
	maxName        = 256
	maxDescription = 512
	maxFilter      = 1024
	maxAddrs       = 32
)

// interfaceBlock reads the body of an Interface Description Block.
func (r *Reader) interfaceBlock(body []byte) error {
	if len(body) < 8 {
		return badf(r.win.offset, "the Interface Description Block has %d bytes, but needs 8 at least", len(body))
	}
	order, ng := r.ng.order, r.ng
	snapLen := order.u32(body[4:])
	iface := packet.Interface{
		LinkType: knownLinkType(order.u16(body)),
		SnapLen:  knownSnapLen(snapLen),
	}
	tsresol, tsoffset := byte(6), int64(0)
	for options := body[8:]; len(options) > 0; {
		code, value, rest, err := nextOption(order, options)
		if err != nil {
			return badf(r.win.offset, "the Interface Description Block has a bad option: %v", err)
		}
		switch code {
		case optEnd:
			rest = nil
		case optTSResol:
			if len(value) != 1 {
				return badf(r.win.offset, "the interface's if_tsresol has %d bytes, not 1", len(value))
			}
			tsresol = value[0]
		case optTSOffset:
			if len(value) != 8 {
				return badf(r.win.offset, "the interface's if_tsoffset has %d bytes, not 8", len(value))
			}
			tsoffset = int64(order.u64(value))
		default:
			describe(&iface, code, value)
		}
		options = rest
	}
	if len(ng.interfaces) >= MaxInterfaces {
		return badf(r.win.offset, "the section describes more than %d interfaces", MaxInterfaces)
	}
	id, err := r.interfaceID(iface, body)
	if err != nil {
		return err
	}
	ng.interfaces = append(ng.interfaces, sectionInterface{
		id: id, snapLen: snapLen, time: newResolution(tsresol, tsoffset),
	})
	return nil
}

// interfaceID numbers an interface: anew, unless an earlier section described
// the same one in the same place, as in files of one capture put end to end.
func (r *Reader) interfaceID(iface packet.Interface, body []byte) (packet.InterfaceID, error) {
	ng := r.ng
	var h maphash.Hash
	h.SetSeed(ng.seed)
	h.Write(body)
	maphash.WriteComparable(&h, len(ng.interfaces))
	maphash.WriteComparable(&h, ng.order)
	key := h.Sum64()
	if id, ok := ng.known[key]; ok {
		return id, nil
	}
	if len(r.ifaces) >= MaxInterfaces {
		return 0, badf(r.win.offset, "the file describes more than %d interfaces", MaxInterfaces)
	}
	id := packet.InterfaceID(len(r.ifaces))
	r.ifaces = append(r.ifaces, iface)
	ng.known[key] = id
	return id, nil
}

// describe enters an option into iface. What has the wrong length is left out:
// the packets do not depend on it.
func describe(iface *packet.Interface, code uint16, value []byte) {
	switch {
	case code == optName:
		iface.Name = text(value, maxName)
	case code == optDescription:
		iface.Description = text(value, maxDescription)
	case code == optOS:
		iface.OS = text(value, maxName)
	case code == optFilter && len(value) > 1 && value[0] == 0: // 0: a string, not BPF code
		iface.Filter = text(value[1:], maxFilter)
	case code == optMAC && len(value) == 6, code == optEUI && len(value) == 8 && iface.MAC == nil:
		iface.MAC = slices.Clone(value)
	case code == optIPv4 && len(value) == 8:
		addr := netip.AddrFrom4([4]byte(value))
		addAddr(iface, addr, prefixLen(value[4:]))
	case code == optIPv6 && len(value) == 17:
		addAddr(iface, netip.AddrFrom16([16]byte(value)), int(value[16]))
	}
}

func addAddr(iface *packet.Interface, addr netip.Addr, bits int) {
	prefix := netip.PrefixFrom(addr, bits)
	if prefix.IsValid() && len(iface.Addrs) < maxAddrs {
		iface.Addrs = append(iface.Addrs, prefix)
	}
}

// prefixLen counts the leading ones of a netmask, -1 if others follow.
func prefixLen(mask []byte) int {
	v := bigEndian.u32(mask)
	n := 0
	for v&(1<<31) != 0 {
		v <<= 1
		n++
	}
	if v != 0 {
		return -1
	}
	return n
}

// text returns a file's text, at most n bytes of it, as it can be shown on a
// terminal: valid UTF-8 without control characters, which a hostile file could
// use to drive the terminal.
func text(b []byte, n int) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	b = b[:min(len(b), n)]
	s := strings.ToValidUTF8(string(b), "")
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, s)
}
