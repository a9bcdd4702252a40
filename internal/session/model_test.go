package session

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// A modelSession is a session told plainly.
type modelSession struct {
	first, last uint32
	closed      bool
	start       uint64
	packets     [2]uint32
	bytes       [2]uint64
}

func (s *modelSession) total() uint64 { return s.bytes[0] + s.bytes[1] }

// A conversation is what the test sends packets of.
type conversation struct {
	a, b     end
	tcp      bool
	restarts bool
	build    func(from, to end, flags byte) []byte
}

func conversations() (all []conversation) {
	for n := range 40 {
		a := talker(1000 + n)
		var c conversation
		switch n % 4 {
		case 0, 1:
			c = conversation{a: a, b: server, tcp: true, build: segment}
		case 2:
			c = conversation{a: a, b: server, build: func(from, to end, _ byte) []byte { return udp4(from, to) }}
		case 3:
			a.v6 = server.v6.Next()
			for range n {
				a.v6 = a.v6.Next()
			}
			c = conversation{a: server, b: a, restarts: true, build: func(from, to end, _ byte) []byte {
				return ipv6(from, to, protoICMP6, u32(128<<24, 1))
			}}
		}
		all = append(all, c)
	}
	return all
}

// TestTableAgreesWithModel shows the table and a map the same random packets.
// In a table that is large they agree in everything; a small one forgets
// sessions, but what it still knows is true.
func TestTableAgreesWithModel(t *testing.T) {
	for name, slots := range map[string]int{"large": 4096, "small": ways} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, uint64(slots)))
			r := newRig(t, slots, 100000)
			all := conversations()
			model := make([]modelSession, len(all))
			known := make([]bool, len(all))
			var begun, forgot uint64
			for range 100000 {
				switch random.IntN(100) {
				case 0:
					r.pass(time.Duration(random.IntN(700)) * time.Second)
				case 1, 2, 3, 4:
					r.pass(time.Duration(random.IntN(100)) * time.Second)
				default:
					r.now += random.Uint32N(40)
				}
				n := random.IntN(len(all))
				if random.IntN(3) > 0 {
					n %= 7 // some speak more than others
				}
				c, s := &all[n], &model[n]
				flags := []byte{tcpSYN, tcpSYN | tcpACK, tcpACK, tcpACK, tcpACK, tcpFIN | tcpACK, tcpRST}[random.IntN(7)]
				side := random.IntN(2)
				from, to := c.a, c.b
				if side == 1 {
					from, to = to, from
				}
				length := random.Uint32N(packet.MaxLen)
				offset, event := r.seeLen(c.build(from, to, flags), length)

				limit := IdleOther
				if c.tcp {
					limit = IdleTCP
				}
				anew := !known[n] ||
					r.now-s.last > uint32(limit/Tick) ||
					c.tcp && s.closed && flags&(tcpSYN|tcpACK) == tcpSYN ||
					c.restarts && r.now-s.first >= uint32(Restart/Tick)
				if !anew && event == Began && slots == ways {
					anew = true
					forgot++
				}
				if anew {
					*s = modelSession{first: r.now}
					known[n] = true
					begun++
					if event == Began && c.tcp && flags&tcpSYN == 0 && slots == ways {
						if offset != 0 && offset != MidstreamOffset {
							t.Fatalf("a session begins at %d", offset)
						}
						s.start = offset
					}
				}
				if want := s.start + s.total(); offset != want || (event == Began) != anew {
					t.Fatalf("conversation %d: offset %d, event %d; the model says %d, new %v", n, offset, event, want, anew)
				}
				s.last = r.now
				s.packets[side]++
				s.bytes[side] += uint64(length)
				s.closed = s.closed || c.tcp && flags&(tcpFIN|tcpRST) != 0
			}
			if stats := r.Stats(); stats.Seen != begun || (forgot > 0) != (slots == ways) {
				t.Errorf("%+v; the model began %d and saw %d forgotten", stats, begun, forgot)
			}
			r.compareTotals(all, model)
		})
	}
}

// compareTotals holds what the table knows of live sessions to the model.
func (r *rig) compareTotals(all []conversation, model []modelSession) {
	newest := map[Key]Summary{}
	for _, s := range r.all() { // those that live come last
		newest[s.Key] = s
	}
	for n, c := range all {
		var f Flow
		r.decoder.Decode(packet.LinkTypeRaw, c.build(c.a, c.b, tcpACK), &f)
		got, ok := newest[f.Key]
		s := model[n]
		if f.Reverse {
			s.packets = [2]uint32{s.packets[1], s.packets[0]}
			s.bytes = [2]uint64{s.bytes[1], s.bytes[0]}
		}
		want := Summary{Key: f.Key, First: s.first, Last: s.last, Packets: s.packets, Bytes: s.bytes}
		if r.search(f.Hash) >= 0 && got != want || !ok && r.Stats().GivenUp == 0 {
			r.t.Errorf("conversation %d: %+v, want %+v", n, got, want)
		}
	}
}
