package week

import (
	"encoding/binary"
	"time"
)

// A step is what one side of a conversation says before the other one speaks
// again.
type step struct {
	wait   time.Duration // before it
	server bool          // says it
	plain  []byte        // readable bytes, then
	noise  int           // so many that are not, in
	piece  int           // packets with at most so much payload,
	gap    time.Duration // and so much between two of them.
	// each stands in front of every datagram, as a header does.
	each []byte
	// readable says that what follows plain is text, not encrypted.
	readable bool
	// both says that the other side sends as much at the same time (UDP).
	both bool
}

// mss is the payload of a full segment.
const mss = 1440

// A flow is a conversation under way.
type flow struct {
	ends     [2]end
	protocol byte
	steps    []step
	rtt      time.Duration
	phase    phase
	sent     int // of the step's bytes
	record   int // bytes until the next TLS record; -1: none of it is TLS
	seq      [2]uint32
	pending  int // segments not yet acknowledged
	echo     bool
	closing  closing
}

type phase int

const (
	sendSYN phase = iota
	sendSYNACK
	sendACK
	talk
	sendFIN
	sendFINACK
	sendLast
)

// A closing is how a TCP session ends.
type closing int

const (
	byFIN closing = iota
	byRST
	refused    // the SYN is answered with RST
	unanswered // the SYN is not answered
)

const (
	flagFIN = 1
	flagSYN = 2
	flagRST = 4
	flagPSH = 8
	flagACK = 16
)

// begin starts a conversation after a time.
func (s *stream) begin(wait time.Duration, f *flow) {
	f.seq = [2]uint32{s.random.Uint32(), s.random.Uint32()}
	if f.rtt == 0 {
		f.rtt = s.between(8*time.Millisecond, 60*time.Millisecond)
	}
	for i := range f.steps {
		if f.steps[i].piece == 0 {
			f.steps[i].piece = mss
		}
	}
	if f.protocol == udp {
		f.phase = talk
		wait += f.steps[0].wait
	}
	s.add(int64(wait), f)
}

// act sends the next packet.
func (f *flow) act(s *stream) int64 {
	switch f.phase {
	case sendSYN:
		f.segment(s, 0, flagSYN)
		if f.closing == unanswered {
			f.sent++
			if f.seq[0]--; f.sent == 4 { // the same SYN again
				return over
			}
			return int64(time.Second << f.sent)
		}
		f.phase = sendSYNACK
		return int64(f.rtt)
	case sendSYNACK:
		if f.closing == refused {
			f.segment(s, 1, flagRST|flagACK)
			return over
		}
		f.segment(s, 1, flagSYN|flagACK)
		f.phase = sendACK
		return int64(100 * time.Microsecond)
	case sendACK:
		f.segment(s, 0, flagACK)
		f.phase = talk
		return int64(f.steps[0].wait)
	case talk:
		return f.talk(s)
	case sendFIN:
		if f.closing == byRST {
			f.segment(s, 0, flagRST|flagACK)
			return over
		}
		f.segment(s, 0, flagFIN|flagACK)
		f.phase = sendFINACK
		return int64(f.rtt)
	case sendFINACK:
		f.segment(s, 1, flagFIN|flagACK)
		f.phase = sendLast
		return int64(100 * time.Microsecond)
	default:
		f.segment(s, 0, flagACK)
		return over
	}
}

// talk sends the next packet of the step, or what the other side says to it.
func (f *flow) talk(s *stream) int64 {
	st := &f.steps[0]
	from := 0
	if st.server {
		from = 1
	}
	if f.echo {
		f.echo = false
		if f.protocol == tcp {
			f.pending = 0
			f.segment(s, 1-from, flagACK)
		} else {
			f.datagram(s, 1-from, st, st.piece)
		}
		return f.next(st)
	}
	size := min(st.piece, len(st.plain)+st.noise-f.sent)
	if f.protocol == udp {
		f.datagram(s, from, st, size)
		f.sent += size
		f.echo = st.both
	} else {
		flags := flagACK
		done := f.sent+size == len(st.plain)+st.noise
		if done {
			flags |= flagPSH
		}
		b := f.header(s, from, flags)
		b = f.payload(s, b, st, size)
		f.seal(s, b, from)
		f.seq[from] += uint32(size)
		f.sent += size
		f.pending++
		f.echo = f.pending == 2 || done
	}
	if f.echo {
		return int64(st.gap/2 + 20*time.Microsecond)
	}
	return f.next(st)
}

// next says when the next packet follows, and goes on to its step.
func (f *flow) next(st *step) int64 {
	if f.sent < len(st.plain)+st.noise {
		return int64(st.gap)
	}
	f.sent, f.record = 0, min(f.record, 0)
	f.steps = f.steps[1:]
	switch {
	case len(f.steps) > 0:
		return int64(f.steps[0].wait)
	case f.protocol == udp:
		return over
	default:
		f.phase = sendFIN
		return int64(f.rtt)
	}
}

// payload appends the next size bytes of a step.
func (f *flow) payload(s *stream, b []byte, st *step, size int) []byte {
	if f.sent < len(st.plain) {
		n := min(size, len(st.plain)-f.sent)
		b = append(b, st.plain[f.sent:f.sent+n]...)
		size -= n
	}
	if st.readable {
		return s.appendText(b, size)
	}
	if f.record == 0 && size > 5 {
		// A record ends where the step does, or after 16 KiB.
		left := len(st.plain) + st.noise - max(f.sent, len(st.plain)) - 5
		f.record = min(left, 1<<14)
		b = append(b, 0x17, 3, 3)
		b = binary.BigEndian.AppendUint16(b, uint16(f.record))
		size -= 5
	}
	if f.record >= 0 {
		f.record = max(0, f.record-size)
	}
	return s.noise.append(b, size)
}

// segment sends a TCP segment without payload.
func (f *flow) segment(s *stream, from, flags int) {
	f.seal(s, f.header(s, from, flags), from)
	if flags&(flagSYN|flagFIN) != 0 {
		f.seq[from]++
	}
}

func (f *flow) header(s *stream, from, flags int) []byte {
	b := f.ip(s, from)
	b = binary.BigEndian.AppendUint16(b, f.ends[from].port)
	b = binary.BigEndian.AppendUint16(b, f.ends[1-from].port)
	b = binary.BigEndian.AppendUint32(b, f.seq[from])
	ack, length := f.seq[1-from], byte(0x50)
	if flags&flagACK == 0 {
		ack = 0
	}
	if flags&flagSYN != 0 {
		length = 0x80
	}
	b = binary.BigEndian.AppendUint32(b, ack)
	b = append(b, length, byte(flags), 0x04, 0x02, 0, 0, 0, 0)
	if flags&flagSYN != 0 { // MSS, window scale, SACK permitted
		b = append(b, 2, 4, mss>>8, mss&0xff, 1, 3, 3, 8, 1, 1, 4, 2)
	}
	return b
}

func (f *flow) datagram(s *stream, from int, st *step, size int) {
	b := f.ip(s, from)
	b = binary.BigEndian.AppendUint16(b, f.ends[from].port)
	b = binary.BigEndian.AppendUint16(b, f.ends[1-from].port)
	b = append(b, 0, 0, 0, 0) // length and checksum
	b = append(b, st.each...)
	f.seal(s, f.payload(s, b, st, size), from)
}

// ip begins a packet; the hosts number those of IPv4.
func (f *flow) ip(s *stream, from int) []byte {
	id := &s.network.ids[from]
	*id++
	if from == 1 {
		*id += uint16(s.random.Uint32()) // of many hosts
	}
	return appendIP(s.frame, &f.ends[from], &f.ends[1-from], f.protocol, *id)
}

func (f *flow) seal(s *stream, b []byte, from int) {
	sealIP(b, &f.ends[from], f.protocol)
	s.frame = b
}
