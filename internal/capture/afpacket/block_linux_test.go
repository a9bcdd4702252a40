package afpacket

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/packetcache/packetcache/internal/packet"
)

// A rawFrame is what a test has the "kernel" write into a block.
type rawFrame struct {
	data     []byte
	origLen  uint32 // 0: len(data)
	status   uint32
	tci      uint16
	tpid     uint16
	pkttype  uint8
	protocol uint16 // host order
	hatype   uint16
	addr     []byte
}

// blockOf lays frames out as tpacket_rcv and prb_fill_curr_block do, with
// len(data) bytes behind macAt bytes of headers.
func blockOf(size, macAt int, frames ...rawFrame) []byte {
	// Whole words, so that the block is aligned as a page is.
	words := make([]uint64, size/8)
	b := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), size)
	binary.NativeEndian.PutUint32(b[atBlockStatus:], unix.TP_STATUS_USER)
	binary.NativeEndian.PutUint32(b[atBlockPackets:], uint32(len(frames)))
	binary.NativeEndian.PutUint32(b[atBlockFirst:], blockHeaderLen)
	at := blockHeaderLen
	for i, f := range frames {
		h := (*frame)(unsafe.Pointer(&b[at]))
		h.Sec, h.Nsec = 1_700_000_000, uint32(i)
		h.Snaplen, h.Len = uint32(len(f.data)), max(f.origLen, uint32(len(f.data)))
		h.Status, h.Mac, h.Net = f.status, uint16(macAt), uint16(macAt)
		h.Hv1.Vlan_tci, h.Hv1.Vlan_tpid = uint32(f.tci), f.tpid
		h.from.Pkttype, h.from.Hatype, h.from.Protocol = f.pkttype, f.hatype, networkOrder(f.protocol)
		h.from.Halen = uint8(copy(h.from.Addr[:], f.addr))
		copy(b[at+macAt:], f.data)
		next := (macAt + len(f.data) + 7) &^ 7
		if i < len(frames)-1 {
			h.Next_offset = uint32(next)
		}
		at += next
	}
	return b
}

// A collector is a sink that keeps copies.
type collector struct{ got []packet.Packet }

func (*collector) Interface(packet.Interface) (packet.InterfaceID, error) { return 0, nil }
func (c *collector) Packets(batch []packet.Packet) {
	for _, p := range batch {
		p.Data = bytes.Clone(p.Data)
		c.got = append(c.got, p)
	}
}

// A counter is a sink that looks at every byte and keeps nothing.
type counter struct {
	packets, bytes int
	sum            byte
}

func (*counter) Interface(packet.Interface) (packet.InterfaceID, error) { return 0, nil }
func (c *counter) Packets(batch []packet.Packet) {
	c.packets += len(batch)
	for i := range batch {
		c.bytes += len(batch[i].Data)
		for _, b := range batch[i].Data {
			c.sum += b
		}
	}
}

func ethernetWalker() *walker {
	return &walker{iface: 3, snapLen: packet.MaxLen, tagAt: 12}
}

func TestFrameLayout(t *testing.T) {
	if n := unsafe.Sizeof(frame{}); n != frameLen {
		t.Errorf("frame has %d bytes, the kernel's TPACKET3_HDRLEN is %d", n, frameLen)
	}
	if n := unsafe.Sizeof(unix.TpacketBlockDesc{}); n != blockHeaderLen {
		t.Errorf("a block header has %d bytes, not %d", n, blockHeaderLen)
	}
}

func TestWalkRewrites(t *testing.T) {
	const mac = 100 // as af_packet.c gives with PACKET_RESERVE of 4, roughly
	payload := bytes.Repeat([]byte{0xd0, 0xd1}, 30)
	addresses := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	untagged := append(append(bytes.Clone(addresses), 0x08, 0x00), payload...)
	tagged := func(tpid, tci uint16) []byte {
		b := binary.BigEndian.AppendUint16(bytes.Clone(addresses), tpid)
		b = binary.BigEndian.AppendUint16(b, tci)
		return append(append(b, 0x08, 0x00), payload...)
	}
	sll := []byte{0, 4, 2, 0, 0, 2, 0xaa, 0xbb, 0, 0, 0, 0, 0, 0, 0x08, 0x00}
	swap := func(b []byte) []byte { // the first word between host and network order
		b = bytes.Clone(b)
		binary.NativeEndian.PutUint32(b, binary.BigEndian.Uint32(b))
		return b
	}
	can := []byte{0x80, 0x00, 0x01, 0x23, 8, 0x04, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}
	for _, c := range []struct {
		name   string
		walker walker
		frame  rawFrame
		want   []byte // nil: not delivered
		orig   int    // 0: len(want)
		out    bool
	}{
		{"plain", walker{tagAt: 12}, rawFrame{data: untagged}, untagged, 0, false},
		{"outgoing", walker{tagAt: 12}, rawFrame{data: untagged, pkttype: unix.PACKET_OUTGOING}, untagged, 0, true},
		{"cut by the kernel", walker{tagAt: 12}, rawFrame{data: untagged, origLen: 9000}, untagged, 9000, false},
		{"cut here", walker{tagAt: 12, snapLen: 20}, rawFrame{data: untagged}, untagged[:20], len(untagged), false},
		{"empty", walker{tagAt: 12}, rawFrame{}, []byte{}, 0, false},
		{"VLAN tag", walker{tagAt: 12}, rawFrame{data: untagged, status: unix.TP_STATUS_VLAN_VALID | unix.TP_STATUS_VLAN_TPID_VALID, tci: 0x6007, tpid: 0x8100},
			tagged(0x8100, 0x6007), 0, false},
		{"service tag", walker{tagAt: 12}, rawFrame{data: untagged, status: unix.TP_STATUS_VLAN_VALID | unix.TP_STATUS_VLAN_TPID_VALID, tci: 9, tpid: 0x88a8},
			tagged(0x88a8, 9), 0, false},
		{"tag without TPID", walker{tagAt: 12}, rawFrame{data: untagged, status: unix.TP_STATUS_VLAN_VALID, tci: 9},
			tagged(0x8100, 9), 0, false},
		{"tag 0", walker{tagAt: 12}, rawFrame{data: untagged, status: unix.TP_STATUS_VLAN_VALID},
			tagged(0x8100, 0), 0, false},
		{"tag and cut by the kernel", walker{tagAt: 12}, rawFrame{data: untagged, status: unix.TP_STATUS_VLAN_VALID, tci: 9, origLen: 1500},
			tagged(0x8100, 9), 1504, false},
		{"tag and cut here", walker{tagAt: 12, snapLen: 20}, rawFrame{data: untagged, status: unix.TP_STATUS_VLAN_VALID, tci: 9},
			tagged(0x8100, 9)[:20], len(untagged) + 4, false},
		{"tag on a runt", walker{tagAt: 12}, rawFrame{data: addresses[:11], status: unix.TP_STATUS_VLAN_VALID, tci: 9},
			addresses[:11], 0, false},
		{"tag on raw IP", walker{}, rawFrame{data: payload, status: unix.TP_STATUS_VLAN_VALID, tci: 9},
			payload, 0, false},
		{"cooked", walker{special: true, cooked: true, tagAt: 14},
			rawFrame{data: payload, pkttype: unix.PACKET_OUTGOING, hatype: 512, protocol: 0x0800, addr: []byte{0xaa, 0xbb}},
			append(bytes.Clone(sll), payload...), 0, true},
		{"cooked with tag", walker{special: true, cooked: true, tagAt: 14},
			rawFrame{data: payload, pkttype: unix.PACKET_OUTGOING, hatype: 512, protocol: 0x0800, addr: []byte{0xaa, 0xbb}, status: unix.TP_STATUS_VLAN_VALID, tci: 9},
			append(append(bytes.Clone(sll[:14]), 0x81, 0x00, 0, 9, 0x08, 0x00), payload...), 0, true},
		{"sent on loopback", walker{special: true, loopback: true, tagAt: 12}, rawFrame{data: untagged, pkttype: unix.PACKET_OUTGOING}, nil, 0, false},
		{"received on loopback", walker{special: true, loopback: true, tagAt: 12}, rawFrame{data: untagged}, untagged, 0, false},
		{"CAN", walker{special: true, can: true}, rawFrame{data: swap(can), protocol: unix.ETH_P_CAN},
			append([]byte{0x80, 0, 1, 0x23, 8, 0}, can[6:]...), 0, false},
		{"CAN FD", walker{special: true, can: true}, rawFrame{data: swap(can), protocol: unix.ETH_P_CANFD}, can, 0, false},
		{"CAN XL", walker{special: true, can: true}, rawFrame{data: swap(can), protocol: unix.ETH_P_CANXL},
			append([]byte{0x80, 0, 1, 0x23, 0x88, 4}, can[6:]...), 0, false},
		{"CAN runt", walker{special: true, can: true}, rawFrame{data: can[:7], protocol: unix.ETH_P_CAN}, can[:7], 0, false},
		{"refused by the filter", walker{special: true, matchAll: true, match: func([]byte, uint32) bool { return false }},
			rawFrame{data: untagged}, nil, 0, false},
		{"filter sees the tag", walker{tagAt: 12, match: func(b []byte, n uint32) bool { return b[12] == 0x81 && n == uint32(len(b)) }},
			rawFrame{data: untagged, status: unix.TP_STATUS_VLAN_VALID}, tagged(0x8100, 0), 0, false},
		{"filter is the kernel's affair", walker{tagAt: 12, match: func([]byte, uint32) bool { return false }},
			rawFrame{data: untagged}, untagged, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := c.walker
			w.iface = 3
			if w.snapLen == 0 {
				w.snapLen = packet.MaxLen
			}
			// A neighbour on each side must come through unharmed.
			neighbour := rawFrame{data: []byte("a neighbour that stands beside"), protocol: unix.ETH_P_CANFD}
			var sink collector
			block := blockOf(4096, mac, neighbour, c.frame, neighbour)
			delivered, lost := w.walk(block, &sink)
			if lost != 0 || delivered != uint64(len(sink.got)) {
				t.Errorf("delivered %d, lost %d, the sink got %d", delivered, lost, len(sink.got))
			}
			var got []packet.Packet
			for _, p := range sink.got {
				if p.Time%1e9 == 1 { // the frame in the middle
					got = append(got, p)
				}
			}
			if c.want == nil {
				if len(got) > 0 {
					t.Fatalf("delivered %x", got[0].Data)
				}
				return
			}
			if len(got) != 1 {
				t.Fatalf("%d packets, want 1", len(got))
			}
			p := got[0]
			want := packet.Packet{Time: 1_700_000_000e9 + 1, Data: c.want, OrigLen: uint32(max(c.orig, len(c.want))), Interface: 3, Direction: packet.Inbound}
			if c.out {
				want.Direction = packet.Outbound
			}
			if fmt.Sprint(p) != fmt.Sprint(want) {
				t.Errorf("got  %+v\nwant %+v", p, want)
			}
		})
	}
}

func TestWalkBatches(t *testing.T) {
	for _, n := range []int{0, 1, batchLen - 1, batchLen, batchLen + 1, 3 * batchLen} {
		frames := make([]rawFrame, n)
		for i := range frames {
			frames[i].data = []byte(fmt.Sprint(i))
		}
		var sink collector
		delivered, lost := ethernetWalker().walk(blockOf(256<<10, 88, frames...), &sink)
		if delivered != uint64(n) || lost != 0 || len(sink.got) != n {
			t.Fatalf("of %d packets %d delivered, %d lost, %d at the sink", n, delivered, lost, len(sink.got))
		}
		for i, p := range sink.got {
			if string(p.Data) != fmt.Sprint(i) || p.Time != 1_700_000_000e9+int64(i) {
				t.Fatalf("packet %d is %q at %d", i, p.Data, p.Time)
			}
		}
	}
}

// What does not fit in the block is counted as lost, and what came before kept.
func TestWalkStopsAtNonsense(t *testing.T) {
	three := []rawFrame{{data: []byte("one")}, {data: []byte("two")}, {data: []byte("three")}}
	second := blockHeaderLen + (88+3+7)&^7
	for name, spoil := range map[string]func(b []byte, h *frame){
		"snap length":    func(_ []byte, h *frame) { h.Snaplen = 1 << 31 },
		"offset of data": func(_ []byte, h *frame) { h.Mac = 65535 },
		"data in header": func(_ []byte, h *frame) { h.Mac = 10 },
		"just too long":  func(b []byte, h *frame) { h.Snaplen = uint32(len(b) - second - 88 + 1) },
		"first unaligned": func(b []byte, _ *frame) {
			binary.NativeEndian.PutUint32(b[blockHeaderLen:], uint32(second-blockHeaderLen+1))
		},
		"first beyond": func(b []byte, _ *frame) { binary.NativeEndian.PutUint32(b[blockHeaderLen:], 0xfffffff8) },
		"chain ends":   func(b []byte, _ *frame) { binary.NativeEndian.PutUint32(b[blockHeaderLen:], 0) },
	} {
		t.Run(name, func(t *testing.T) {
			b := blockOf(1024, 88, three...)
			spoil(b, (*frame)(unsafe.Pointer(&b[second])))
			var sink collector
			delivered, lost := ethernetWalker().walk(b, &sink)
			if delivered != 1 || lost != 2 || len(sink.got) != 1 || string(sink.got[0].Data) != "one" {
				t.Errorf("delivered %d, lost %d: %v", delivered, lost, sink.got)
			}
		})
	}
}

func TestWalkAllocatesNothing(t *testing.T) {
	var frames []rawFrame
	for i := range 1000 {
		f := rawFrame{data: make([]byte, 60+i%100)}
		if i%3 == 0 {
			f.status, f.tci = unix.TP_STATUS_VLAN_VALID, 7
		}
		frames = append(frames, f)
	}
	for name, w := range map[string]*walker{
		"Ethernet": ethernetWalker(),
		"filtered": {snapLen: packet.MaxLen, tagAt: 12, special: true, matchAll: true, match: func(b []byte, _ uint32) bool { return len(b) > 100 }},
		"cooked":   {snapLen: packet.MaxLen, tagAt: 14, special: true, cooked: true},
	} {
		sink := &counter{}
		block := blockOf(512<<10, 104, frames...)
		if n := testing.AllocsPerRun(10, func() { w.walk(block, sink) }); n != 0 {
			t.Errorf("%s: %v allocations a block", name, n)
		}
		if sink.packets == 0 {
			t.Errorf("%s: nothing came", name)
		}
	}
}

// FuzzWalk gives the walker foreign blocks. Whatever they say, it reads and
// writes nothing outside: the block lies between guards, and a slice beyond it
// would differ in address.
func FuzzWalk(f *testing.F) {
	f.Add(blockOf(512, 104, rawFrame{data: []byte("hello")}, rawFrame{data: make([]byte, 64), status: unix.TP_STATUS_VLAN_VALID}), uint8(0))
	f.Add(blockOf(512, 72, rawFrame{data: make([]byte, 12), status: unix.TP_STATUS_VLAN_VALID}), uint8(1))
	f.Add(blockOf(256, 68, rawFrame{data: make([]byte, 100), protocol: unix.ETH_P_CANXL}), uint8(2))
	f.Fuzz(func(t *testing.T, in []byte, kind uint8) {
		const guard = 256
		size := max(len(in), blockHeaderLen)
		words := make([]uint64, (size+2*guard)/8+1)
		memory := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), size+2*guard)
		for i := range memory {
			memory[i] = 0xa5
		}
		block := memory[guard : guard+size : guard+size]
		copy(block, in)

		w := &walker{snapLen: packet.MaxLen, tagAt: []int{12, 14, 0, 12}[kind%4], cooked: kind&4 != 0, can: kind&8 != 0, loopback: kind&16 != 0}
		w.special = w.cooked || w.can || w.loopback
		sink := &bounds{t: t, block: block}
		delivered, _ := w.walk(block, sink)
		if delivered != uint64(sink.packets) {
			t.Errorf("delivered %d, the sink got %d", delivered, sink.packets)
		}
		for _, b := range append(memory[:guard:guard], memory[guard+size:]...) {
			if b != 0xa5 {
				t.Fatal("something was written outside the block")
			}
		}
	})
}

// bounds is a sink that checks that packets lie within a block.
type bounds struct {
	t       *testing.T
	block   []byte
	packets int
}

func (*bounds) Interface(packet.Interface) (packet.InterfaceID, error) { return 0, nil }
func (s *bounds) Packets(batch []packet.Packet) {
	low := uintptr(unsafe.Pointer(&s.block[0]))
	for _, p := range batch {
		s.packets++
		if len(p.Data) > 0 {
			if at := uintptr(unsafe.Pointer(&p.Data[0])); at < low || at+uintptr(len(p.Data)) > low+uintptr(len(s.block)) {
				s.t.Fatalf("%d bytes at offset %d of a block of %d", len(p.Data), int(at-low), len(s.block))
			}
		}
		if int(p.OrigLen) < len(p.Data) {
			s.t.Fatalf("OrigLen %d of %d bytes", p.OrigLen, len(p.Data))
		}
	}
}

func BenchmarkWalk(b *testing.B) {
	for _, size := range []int{64, 1500} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			frames := make([]rawFrame, (512<<10-blockHeaderLen)/((86+size+7)&^7))
			for i := range frames {
				frames[i].data = make([]byte, size)
			}
			block, w, sink := blockOf(512<<10, 86, frames...), ethernetWalker(), nothing{}
			b.ReportAllocs()
			for b.Loop() {
				w.walk(block, sink)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(frames)), "ns/packet")
		})
	}
}

// nothing is a sink that looks at nothing.
type nothing struct{}

func (nothing) Interface(packet.Interface) (packet.InterfaceID, error) { return 0, nil }
func (nothing) Packets([]packet.Packet)                                {}
