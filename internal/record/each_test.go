package record

import (
	"encoding/binary"
	"reflect"
	"slices"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// A run of packets, as segments hold them.
func somePackets() (list []packet.Packet, ties []uint16) {
	time := int64(1.8e18)
	for i, length := range []int{60, 0, 1500, 0xffff, 64, 64, packet.MaxLen, 1} {
		time += int64(i%3) * 1001
		data := make([]byte, length)
		for j := range data {
			data[j] = byte(i + j)
		}
		list = append(list, packet.Packet{
			Time: time, Data: data, OrigLen: uint32(length + i%2), Interface: packet.InterfaceID(i / 3), Direction: packet.Direction(i % 3),
		})
		ties = append(ties, uint16(max(0, 1-i%3)))
	}
	return list, ties
}

// encode writes packets one after the other.
func encode(list []packet.Packet, ties []uint16, stamped bool) (raw []byte, offsets []int) {
	from := Base{None: true}
	for i := range list {
		var header [Room]byte
		n := Put(header[:], &list[i], ties[i], from, stamped)
		if stamped {
			binary.LittleEndian.PutUint32(header[n-StampSize:], uint32(i))
		}
		offsets = append(offsets, len(raw))
		raw = append(append(raw, header[:n]...), list[i].Data...)
		from = Base{Time: list[i].Time, Interface: list[i].Interface, None: stamped}
	}
	return raw, offsets
}

func TestEach(t *testing.T) {
	list, ties := somePackets()
	for _, stamped := range []bool{false, true} {
		raw, offsets := encode(list, ties, stamped)
		var got []packet.Packet
		var at []int
		var order []uint16
		all := Each(raw, stamped, func(offset int, h *Header, data []byte) bool {
			var p packet.Packet
			h.Fill(&p, data)
			got, at, order = append(got, p), append(at, offset), append(order, h.Tie)
			return true
		})
		if !all || !reflect.DeepEqual(got, list) || !slices.Equal(at, offsets) || !slices.Equal(order, ties) {
			t.Errorf("stamped %v: %d packets come back as %d, at %v; to the end: %v", stamped, len(list), len(got), at, all)
		}
		for cut := range raw[:offsets[3]] {
			n := 0
			whole := Each(raw[:cut], stamped, func(int, *Header, []byte) bool { n++; return true })
			if begun, found := slices.BinarySearch(offsets, cut); n != max(0, begun-1) && !found || whole != (found || cut == 0) {
				t.Errorf("stamped %v: of %d bytes %d records are read, to the end: %v", stamped, cut, n, whole)
			}
		}
		n := 0
		if Each(raw, stamped, func(int, *Header, []byte) bool { n++; return n < 3 }) || n != 3 {
			t.Errorf("stamped %v: told to stop after 3 records, it read %d", stamped, n)
		}
	}
}

// FuzzEach reads arbitrary bytes. They must come to no harm; what it says of the
// records must add up; and those must say the same when they are written anew.
func FuzzEach(f *testing.F) {
	list, ties := somePackets()
	for _, stamped := range []bool{false, true} {
		raw, offsets := encode(list[:6], ties, stamped)
		f.Add(raw[:offsets[3]], stamped)
		f.Add(raw[offsets[4]:], stamped)
	}
	f.Add([]byte{0x00, 0, 0, 1, 0, 0, 0, 3, 0, 1, 0, 0}, false)
	f.Fuzz(func(t *testing.T, raw []byte, stamped bool) {
		next := 0
		from := Base{None: true}
		var read []packet.Packet
		var order []uint16
		whole := Each(raw, stamped, func(offset int, h *Header, data []byte) bool {
			var again Header
			n := again.Get(raw[offset:], from)
			if offset != next || n == 0 || *h != again || len(data) != h.Length {
				t.Fatalf("at %d, behind a record that ends at %d: %+v with %d bytes, want %+v", offset, next, h, len(data), again)
			}
			if stamped {
				n += StampSize
			}
			next = offset + n + len(data)
			from = Base{Time: h.Time, Interface: h.Interface, None: stamped}
			if following := (Header{Time: from.Time, Interface: from.Interface}); !stamped && len(raw)-next >= FollowingRoom {
				n := again.Get(raw[next:], from)
				if m := following.Following(raw[next:]); m != n || n > 0 && following != again {
					t.Fatalf("the record at %d says %+v in %d bytes, want %+v in %d", next, following, m, again, n)
				}
			}
			var p packet.Packet
			h.Fill(&p, data)
			if p.OrigLen < uint32(len(p.Data)) {
				t.Fatalf("%d bytes of %d were captured", len(p.Data), p.OrigLen)
			}
			read, order = append(read, p), append(order, h.Tie)
			return true
		})
		if whole != (next == len(raw)) {
			t.Fatalf("it came to %d of %d bytes, and to the end: %v", next, len(raw), whole)
		}
		again, _ := encode(read, order, stamped)
		n := 0
		if !Each(again, stamped, func(_ int, h *Header, data []byte) bool {
			var p packet.Packet
			h.Fill(&p, data)
			same := reflect.DeepEqual(p, read[n]) && h.Tie == order[n]
			n++
			return same
		}) || n != len(read) {
			t.Fatalf("%d records, written anew, come back as %d", len(read), n)
		}
	})
}
