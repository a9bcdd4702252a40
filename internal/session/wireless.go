package session

import (
	"encoding/binary"

	"github.com/packetcache/packetcache/internal/packet"
)

// wireless skips what the capturing driver put before the 802.11 header.
func (d *Decoder) wireless(lt packet.LinkType, p []byte, f *Flow) {
	skip := 0
	switch lt {
	case packet.LinkTypeRadiotap, packet.LinkTypePPI:
		if len(p) < 4 {
			return
		}
		skip = int(binary.LittleEndian.Uint16(p[2:]))
		if lt == packet.LinkTypePPI {
			if len(p) < 8 || skip > len(p) {
				return
			}
			if dlt := binary.LittleEndian.Uint32(p[4:]); dlt != uint32(packet.LinkType80211) {
				if dlt == uint32(packet.LinkTypeEthernet) {
					d.ethernet(p[skip:], f, 0)
				}
				return
			}
		}
	case packet.LinkTypeAVS:
		if len(p) < 8 {
			return
		}
		skip = int(binary.BigEndian.Uint32(p[4:]) & 0xffff)
	case packet.LinkTypePrism:
		skip = 144
		if len(p) >= 8 && binary.BigEndian.Uint32(p)&0xfffff000 == 0x80211000 {
			skip = int(binary.BigEndian.Uint32(p[4:]) & 0xffff) // AVS under Prism's name
		}
	}
	if skip <= len(p) {
		d.ieee80211(p[skip:], f)
	}
}

// ieee80211 reads an 802.11 frame (IEEE 802.11-2020, section 9.2) and, of an
// unprotected data frame, what it carries in LLC and SNAP.
func (d *Decoder) ieee80211(p []byte, f *Flow) {
	if len(p) < 24 { // control frames: receiver, mostly without transmitter
		if len(p) >= 10 {
			f.setMAC(macAddr(p[4:]), addr{}, uint16(p[0]))
		}
		return
	}
	const toDS, fromDS, protected, order = 1, 2, 0x40, 0x80
	src, dst := macAddr(p[10:]), macAddr(p[4:])
	header := 24
	switch p[1] & (toDS | fromDS) {
	case toDS:
		dst = macAddr(p[16:])
	case fromDS:
		src = macAddr(p[16:])
	case toDS | fromDS:
		dst = macAddr(p[16:])
		if len(p) < 30 {
			break
		}
		src = macAddr(p[24:])
		header = 30
	}
	f.setMAC(src, dst, uint16(p[0]))
	isData, isNull, isQoS := p[0]&0x0c == 0x08, p[0]&0x40 != 0, p[0]&0x80 != 0
	if !isData || isNull || p[1]&protected != 0 {
		return
	}
	if isQoS {
		header += 2
		if p[1]&order != 0 {
			header += 4
		}
	}
	if len(p) < header+8 || p[header] != 0xaa || p[header+1] != 0xaa {
		return
	}
	etherType := binary.BigEndian.Uint16(p[header+6:])
	f.setMAC(src, dst, etherType)
	d.network(etherType, p[header+8:], f, 0)
}
