package pcapio

import "github.com/packetcache/packetcache/internal/packet"

// RecordRoom is more than a record's header in either format takes, with a
// link layer put before the packet.
const RecordRoom = 128

// A Form is a file format for packets of several interfaces; its methods append to
// a buffer.
type Form interface {
	// Begin makes the file's header.
	Begin(buf []byte, interfaces []Described) []byte
	// More is called when interfaces have been announced since Begin.
	More(buf []byte, interfaces []Described) []byte
	// Packets appends as many of a list, as find room in the buffer's capacity and
	// leave it no longer than most, and returns how many those were. RecordRoom
	// bytes and its data are room enough for a packet. Types are the link types by
	// interface.
	Packets(buf []byte, list []packet.Packet, types []packet.LinkType, most int) ([]byte, int)
	// End makes what stands behind the packets.
	End(buf []byte, interfaces []Described) []byte
	// Missed notes that so many packets are missing before the next one.
	Missed(packets uint64)
}

// Described is an interface, and whether there are packets of it.
type Described struct {
	packet.Interface
	Holds bool
}

// PCAPForm is classic pcap: one link type for all.
type PCAPForm struct {
	// Open says that packets of interfaces may be added that nobody knows of when
	// the file begins.
	Open bool
	to   packet.LinkType
}

// Begin implements Form.
func (f *PCAPForm) Begin(buf []byte, interfaces []Described) []byte {
	var held, known []packet.LinkType
	for _, i := range interfaces {
		known = append(known, i.LinkType)
		if i.Holds {
			held = append(held, i.LinkType)
		}
	}
	if len(held) == 0 {
		held = known
	}
	if f.to = Unify(held); f.Open {
		f.to = UnifyOpen(held)
	}
	return AppendHeader(buf, f.to)
}

// More implements Form.
func (*PCAPForm) More(buf []byte, _ []Described) []byte { return buf }

// Packets implements Form.
func (f *PCAPForm) Packets(buf []byte, list []packet.Packet, types []packet.LinkType, most int) ([]byte, int) {
	for i := range list {
		p, before := &list[i], len(buf)
		if before+len(p.Data)+RecordRoom > cap(buf) {
			return buf, i
		}
		if lt := types[p.Interface]; lt == f.to {
			buf = AppendRecord(buf, p)
		} else {
			buf = AppendRecordAs(buf, p, lt, f.to)
		}
		if len(buf) > most {
			return buf[:before], i
		}
	}
	return buf, len(list)
}

// Missed implements Form.
func (*PCAPForm) Missed(uint64) {}

// End implements Form.
func (*PCAPForm) End(buf []byte, _ []Described) []byte { return buf }

// PCAPNGForm is pcapng: each interface with its own link type, ns, and the
// totals at the end.
type PCAPNGForm struct {
	// Section says what the file says of itself.
	Section func() Section
	// Totals, unless nil, returns what tells those of an interface, whose number and
	// those of all others are the caller's.
	Totals func() func(packet.InterfaceID) Statistics
	// known of the interfaces have been described; the file numbers them from
	// shift on.
	known, shift int
	// gap packets are missing before the next one.
	gap uint64
}

// Begin implements Form.
func (f *PCAPNGForm) Begin(buf []byte, interfaces []Described) []byte {
	section := f.Section()
	buf = AppendSection(buf, &section)
	if len(interfaces) == 0 {
		// tcpdump takes no file without an interface.
		buf = AppendInterface(buf, &packet.Interface{LinkType: packet.LinkTypeEthernet}, "no interface has been captured from yet")
		f.shift = 1
	}
	return f.More(buf, interfaces)
}

// More implements Form.
func (f *PCAPNGForm) More(buf []byte, interfaces []Described) []byte {
	for ; f.known < len(interfaces); f.known++ {
		i := interfaces[f.known].Interface
		i.SnapLen = 0 // nor one in which they differ
		buf = AppendInterface(buf, &i)
	}
	return buf
}

// Packets implements Form.
func (f *PCAPNGForm) Packets(buf []byte, list []packet.Packet, _ []packet.LinkType, most int) ([]byte, int) {
	for i := range list {
		p, before := &list[i], len(buf)
		if before+len(p.Data)+RecordRoom > cap(buf) {
			return buf, i
		}
		if f.shift > 0 {
			moved := *p
			moved.Interface += packet.InterfaceID(f.shift)
			p = &moved
		}
		buf = AppendPacket(buf, p, f.gap)
		if len(buf) > most {
			return buf[:before], i
		}
		f.gap = 0
	}
	return buf, len(list)
}

// Missed implements Form.
func (f *PCAPNGForm) Missed(packets uint64) { f.gap += packets }

// End implements Form.
func (f *PCAPNGForm) End(buf []byte, interfaces []Described) []byte {
	if f.Totals == nil {
		return buf
	}
	totals := f.Totals()
	for id := range interfaces[:f.known] {
		total := totals(packet.InterfaceID(id))
		total.Interface = packet.InterfaceID(id + f.shift)
		buf = AppendStatistics(buf, &total)
	}
	return buf
}
