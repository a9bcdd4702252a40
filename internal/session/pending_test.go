package session

import (
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
)

// A knock is a packet of a session that begins, and what it makes of it.
type knock struct {
	data  []byte
	event Event
}

// TestPending: the positions left with a session come back with the first packet
// that shows that there is one, and are never taken for bytes.
func TestPending(t *testing.T) {
	out := func(flags byte) []byte { return segment(client, server, flags) }
	in := func(flags byte) []byte { return segment(server, client, flags) }
	const synAck = tcpSYN | tcpACK
	tests := []struct {
		name    string
		knocks  []knock
		answers bool // the last one is the answer
		reply   int  // which of them is the first of the other side that waits, or 0
		more    bool
	}{
		{"UDP, answered", []knock{{udp4(client, server), Began}, {udp4(server, client), Resumed}}, true, 0, false},
		{"UDP, answered by A", []knock{{udp4(server, client), Began}, {udp4(client, server), Resumed}}, true, 0, false},
		{"UDP, one side only", []knock{{udp4(client, server), Began}, {udp4(client, server), Resumed}}, true, 0, false},
		{"a handshake", []knock{{out(tcpSYN), Began}, {in(synAck), Waits}, {out(tcpACK), Resumed}}, true, 1, false},
		{"a handshake begun by B", []knock{{in(tcpSYN), Began}, {out(synAck), Waits}, {in(tcpACK), Resumed}}, true, 1, false},
		{"SYNs of both sides", []knock{{out(tcpSYN), Began}, {in(tcpSYN), Waits}, {out(synAck), Waits}, {in(synAck), Waits}, {in(tcpACK), Resumed}}, true, 1, true},
		{"SYN sent again", []knock{{out(tcpSYN), Began}, {out(tcpSYN), Waits}, {out(tcpSYN), Waits}}, false, 0, true},
		{"SYN sent again, then answered", []knock{{out(tcpSYN), Began}, {out(tcpSYN), Waits}, {in(synAck), Waits}, {in(synAck), Waits}, {out(tcpACK), Resumed}}, true, 2, true},
		{"refused", []knock{{out(tcpSYN), Began}, {in(tcpRST | tcpACK), Waits}}, false, 1, false},
		{"refused, and tried again", []knock{{out(tcpSYN), Began}, {in(tcpRST | tcpACK), Waits}, {out(tcpSYN), Began}, {in(tcpRST | tcpACK), Waits}}, false, 3, false},
		{"refused, and answered all the same", []knock{{out(tcpSYN), Began}, {in(tcpRST), Waits}, {in(synAck), Waits}, {in(tcpACK), Resumed}}, true, 1, true},
		{"a half-open scan", []knock{{out(tcpSYN), Began}, {in(synAck), Waits}, {out(tcpRST), Waits}}, false, 1, true},
		{"one side only", []knock{{out(tcpSYN), Began}, {out(tcpACK), Resumed}}, true, 0, false},
		{"from its middle on", []knock{{out(tcpACK), Began}, {out(tcpACK), Resumed}}, true, 0, false},
		{"from its middle on, refused", []knock{{out(tcpACK), Began}, {in(tcpRST), Waits}}, false, 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, 32, 8)
			positions := [2]uint64{NoPosition - 5, NoPosition}
			var sent uint64
			first, began := r.now, 0
			for i, k := range tt.knocks {
				const length = 90
				slot, offset, event, f := r.visit(k.data, length)
				if event == Began {
					sent, first, began = 0, r.now, i
				}
				if event != k.event || offset != sent {
					t.Fatalf("packet %d: event %d at offset %d, want %d at %d", i, event, offset, k.event, sent)
				}
				sent += length
				if event == Began || event == Waits {
					r.SetPending(slot, f, NoPosition-uint64(5+i))
				}
				if i == began {
					positions[0] = NoPosition - uint64(5+i)
				}
				if tt.reply > 0 && i == tt.reply {
					positions[1] = NoPosition - uint64(5+i)
				}
				s := r.all()[0]
				if got := s.Bytes[0] + s.Bytes[1]; got != sent || uint64(s.Packets[0]+s.Packets[1])*length != sent {
					t.Fatalf("packet %d: %+v, want %d bytes", i, s, sent)
				}
				r.pass(Tick)
			}
			stats := r.Stats()
			if !tt.answers {
				r.pass(IdleTCP + time.Second)
				if _, _, event, _ := r.visit(tt.knocks[0].data, 60); event != Began || r.Stats().Summaries != 0 {
					t.Fatalf("after its end: event %d, %+v", event, stats)
				}
				return
			}
			want := Pending{Positions: positions, First: first, Last: r.now - 2, More: tt.more}
			if got := *r.Pending(); got != want {
				t.Errorf("pending was %+v, want %+v", got, want)
			}
			if _, offset, event, _ := r.visit(tt.knocks[len(tt.knocks)-1].data, 60); offset != sent || event != Usual {
				t.Errorf("afterwards: event %d at offset %d, want %d", event, offset, sent)
			}
		})
	}
}

// TestWaitsOnlyAtTheBeginning: what no longer stands in the first KiB does not
// wait, nor does what is larger than a handshake.
func TestWaitsOnlyAtTheBeginning(t *testing.T) {
	r := newRig(t, 32, 8)
	syn := segment(client, server, tcpSYN)
	slot, _, _, f := r.visit(syn, 100)
	r.SetPending(slot, f, 1)
	for n := uint64(100); n < MaxWaiting; n += 500 {
		if _, offset, event, _ := r.visit(syn, 500); event != Waits || offset != n {
			t.Fatalf("event %d at %d", event, offset)
		}
	}
	if _, offset, event, _ := r.visit(syn, 500); event != Resumed || offset < MaxWaiting {
		t.Fatalf("event %d at %d", event, offset)
	}
	slot, _, _, f = r.visit(segment(talker(1), server, tcpSYN), 100)
	r.SetPending(slot, f, 1)
	if _, offset, event, _ := r.visit(segment(server, talker(1), tcpSYN|tcpACK), MaxWaiting+1); event != Resumed || offset != 100 {
		t.Fatalf("event %d at %d", event, offset)
	}
}

// visit shows a packet to the table.
func (r *rig) visit(data []byte, length uint32) (slot int, offset uint64, event Event, f *Flow) {
	f = &Flow{}
	r.decoder.Decode(packet.LinkTypeRaw, data, f)
	slot, offset, event = r.Visit(f, r.Find(f.Hash), r.now, length)
	return slot, offset, event, f
}
