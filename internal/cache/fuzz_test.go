package cache

import (
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// Sizes and times that an operation of FuzzReplay chooses from.
var (
	fuzzSizes = [16]int{0, 60, 64, 100, 576, 1023, 1024, 1500, 2047, 2048, 2049, 9000, 16384, 65535, 131072, packet.MaxLen}
	fuzzTimes = [16]time.Duration{
		0, 0, 0, 1, 1000, time.Microsecond * 63, time.Millisecond, time.Second, 2 * time.Minute, 2*time.Minute + time.Second,
		5 * time.Minute, 11 * time.Minute, time.Hour, -time.Nanosecond, -time.Second, -time.Hour,
	}
	fuzzFlags = [4]byte{tcpACK, tcpSYN, tcpSYN | tcpACK, tcpFIN}
)

// FuzzReplay reads its input as operations, three bytes each, does them to a
// cache and to the model, and compares the two after each.
//
//	bits 0-3   of byte 0: the conversation
//	bits 4-5   the TCP flags
//	bit 6      the direction
//	bit 7      the length on the wire is the largest there is
//	byte 1     size and time, from the tables above
//	byte 2     readers: 0 begins one, 1 compares all, others read so many packets;
//	           from 240 on it changes the budget first
func FuzzReplay(f *testing.F) {
	f.Add(false, []byte("\x00\x30\x05\x11\x31\x00\x41\x32\x09"))
	full := make([]byte, 0, 300)
	for i := range 100 {
		full = append(full, byte(i*7), byte(0xf0|i%16), byte(i))
	}
	f.Add(true, full)
	sized := make([]byte, 0, 300)
	for i := range 100 {
		sized = append(sized, byte(i*5), byte(0xe0|i%16), byte(240+i*7%16))
	}
	f.Add(false, sized)
	f.Fuzz(func(t *testing.T, replay bool, ops []byte) {
		w := newWorld(1, replay)
		c := w.newCache(t, false)
		m := newModel()
		talks := w.talks[:16]
		start := w.boot
		var views []*view
		for ops = ops[:min(len(ops), 450)]; len(ops) >= 3; ops = ops[3:] {
			k := talks[ops[0]&15]
			step := fuzzTimes[ops[1]&15]
			w.wall += int64(step)
			w.boot += max(int64(step), 0)
			w.serial++
			flags := fuzzFlags[ops[0]>>4&3]
			data := k.appendTo(nil, !k.group && ops[0]&64 != 0, flags, fuzzSizes[ops[1]>>4], w.serial)
			p := packet.Packet{Time: w.wall, Data: data, OrigLen: uint32(len(data)), Interface: k.iface}
			if ops[0]&128 != 0 {
				p.OrigLen = packet.MaxLen
			}
			if !replay {
				m.now = w.boot - start
			} else {
				m.replayTo(p.Time)
			}
			m.add(k, flags, &p)
			w.feed(c, []packet.Packet{p})
			m.follow(t, c)
			if n := int(ops[2]); n >= 240 {
				if err := c.Resize(smallBudget + (n-240)*smallBudget/40); err != nil {
					t.Fatal(err)
				}
				m.follow(t, c)
			}
			switch n := int(ops[2]); {
			case n == 0 && len(views) < 4:
				views = append(views, beginView(c, m, All))
			case n == 1:
				m.checkContents(t, c)
			case len(views) > 0:
				views[n%len(views)].read(t, n)
			}
		}
		for _, v := range views {
			v.read(t, -1)
			v.finish(t)
		}
		m.checkContents(t, c)
	})
}
