package dump

import (
	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/pcapio"
)

// recordRoom is more than a record's header in either format takes, with a
// link layer put before the packet.
const recordRoom = 128

// A form is a file format; its methods append to a buffer.
type form interface {
	begin(buf []byte, interfaces []described) []byte
	// more is called when interfaces have been announced since begin.
	more(buf []byte, interfaces []described) []byte
	// packets appends as many of a list, as find room in the
	// buffer's capacity and leave it no longer than most, and returns how many
	// those were. Types are the link types by interface.
	packets(buf []byte, list []packet.Packet, types []packet.LinkType, most int) ([]byte, int)
	end(buf []byte, interfaces []described) []byte
	// missed notes that so many packets are missing before the next one.
	missed(packets uint64)
}

// pcapForm is classic pcap: one link type for all.
type pcapForm struct {
	to packet.LinkType
	// waits says that packets of interfaces may be added that nobody knows of
	// when the file begins.
	waits bool
}

func (f *pcapForm) begin(buf []byte, interfaces []described) []byte {
	var held, known []packet.LinkType
	for _, i := range interfaces {
		known = append(known, i.LinkType)
		if i.holds {
			held = append(held, i.LinkType)
		}
	}
	if len(held) == 0 {
		held = known
	}
	if f.to = pcapio.Unify(held); f.waits {
		f.to = pcapio.UnifyOpen(held)
	}
	return pcapio.AppendHeader(buf, f.to)
}

func (*pcapForm) more(buf []byte, _ []described) []byte { return buf }

func (f *pcapForm) packets(buf []byte, list []packet.Packet, types []packet.LinkType, most int) ([]byte, int) {
	for i := range list {
		p, before := &list[i], len(buf)
		if before+len(p.Data)+recordRoom > cap(buf) {
			return buf, i
		}
		if lt := types[p.Interface]; lt == f.to {
			buf = pcapio.AppendRecord(buf, p)
		} else {
			buf = pcapio.AppendRecordAs(buf, p, lt, f.to)
		}
		if len(buf) > most {
			return buf[:before], i
		}
	}
	return buf, len(list)
}

func (*pcapForm) missed(uint64) {}

func (*pcapForm) end(buf []byte, _ []described) []byte { return buf }

// pcapngForm is pcapng: each interface with its own link type, ns, and the
// totals at the end.
type pcapngForm struct {
	d *Dumper
	// known of the cache's interfaces have been described; the file numbers
	// them from shift on.
	known, shift int
	// gap packets are missing before the next one.
	gap uint64
}

func (f *pcapngForm) begin(buf []byte, interfaces []described) []byte {
	section := f.d.facts.Section()
	buf = pcapio.AppendSection(buf, &section)
	if len(interfaces) == 0 {
		// tcpdump takes no file without an interface.
		buf = pcapio.AppendInterface(buf, &packet.Interface{LinkType: packet.LinkTypeEthernet}, "no interface has been captured from yet")
		f.shift = 1
	}
	return f.more(buf, interfaces)
}

func (f *pcapngForm) more(buf []byte, interfaces []described) []byte {
	for ; f.known < len(interfaces); f.known++ {
		i := interfaces[f.known].Interface
		i.SnapLen = 0 // nor one in which they differ
		buf = pcapio.AppendInterface(buf, &i)
	}
	return buf
}

func (f *pcapngForm) packets(buf []byte, list []packet.Packet, _ []packet.LinkType, most int) ([]byte, int) {
	for i := range list {
		p, before := &list[i], len(buf)
		if before+len(p.Data)+recordRoom > cap(buf) {
			return buf, i
		}
		if f.shift > 0 {
			moved := *p
			moved.Interface += packet.InterfaceID(f.shift)
			p = &moved
		}
		buf = pcapio.AppendPacket(buf, p, f.gap)
		if len(buf) > most {
			return buf[:before], i
		}
		f.gap = 0
	}
	return buf, len(list)
}

func (f *pcapngForm) missed(packets uint64) { f.gap += packets }

func (f *pcapngForm) end(buf []byte, interfaces []described) []byte {
	now, counters := f.d.now(), f.d.facts.Counters()
	for id := range interfaces[:f.known] {
		received, dropped := counters(packet.InterfaceID(id))
		buf = pcapio.AppendStatistics(buf, &pcapio.Statistics{
			Interface: packet.InterfaceID(id + f.shift), Start: f.d.started, Time: now, End: now,
			Received: received, OSDropped: dropped,
		})
	}
	return buf
}
