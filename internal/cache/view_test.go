package cache

import (
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// A content is all that a reader shows of a packet.
type content struct {
	time  int64
	data  string
	wire  uint32
	iface packet.InterfaceID
	dir   packet.Direction
}

// A view is a reader and what the model held when it began.
type view struct {
	m      *model
	r      *Reader
	serial int // of the newest packet there was
	all    []*stored
	unread map[content][]*stored
	// twins are what more than one packet shows, so that which one it is
	// cannot be told.
	twins map[content]bool
	// newest is the time of the last packet read, last the packet.
	newest int64
	last   *stored
	passed uint64
	ended  bool
}

func beginView(c *Cache, m *model, q Query) *view {
	v := &view{m: m, r: c.NewReader(), serial: m.serial, unread: map[content][]*stored{}, twins: map[content]bool{}}
	for _, item := range m.all() {
		if item.time >= q.Since && item.time <= q.Until {
			v.all = append(v.all, item)
			key := content{item.time, item.data, item.wire, item.iface, item.dir}
			v.unread[key] = append(v.unread[key], item)
		}
	}
	v.r.Begin(q)
	return v
}

// read reads n packets, or with -1 all. Each must be one of the model's, not
// read before, and in its place.
func (v *view) read(t testing.TB, n int) {
	t.Helper()
	for n != 0 {
		// As many at once as come to hand, so that all sizes of batches occur.
		var batch [100]packet.Packet
		most := 1 + int(v.passed%uint64(len(batch)))
		if n > 0 {
			most = min(most, n)
		}
		got := v.r.Read(batch[:most])
		if got == 0 {
			v.ended = true
			return
		}
		v.check(t, batch[:got])
		if n > 0 {
			n -= got
		}
	}
}

// check compares packets that were read together.
func (v *view) check(t testing.TB, batch []packet.Packet) {
	t.Helper()
	for _, p := range batch {
		key := content{p.Time, string(p.Data), p.OrigLen, p.Interface, p.Direction}
		items := v.unread[key]
		if len(items) == 0 {
			t.Fatalf("a reader that began at packet %d shows at %d a packet that was not there or that it showed before: time %d, %d bytes", v.serial, v.m.serial, p.Time, len(p.Data))
		}
		item := items[0]
		v.unread[key] = items[1:]
		if len(items) > 1 {
			v.twins[key] = true
		}
		if v.passed > 0 && p.Time < v.newest {
			t.Fatalf("packet %d: time goes back by %d ns", item.serial, v.newest-p.Time)
		}
		if v.last != nil && !v.twins[key] && v.last.run == item.run && v.last.serial > item.serial {
			t.Fatalf("packets %d and %d have the same time and come in the wrong order", v.last.serial, item.serial)
		}
		v.newest = p.Time
		if v.last = item; v.twins[key] {
			v.last = nil
		}
		v.passed++
	}
}

// finish checks that what was not read has been evicted, and was counted.
func (v *view) finish(t testing.TB) {
	t.Helper()
	if !v.ended {
		t.Fatal("not at the end")
	}
	for _, items := range v.unread {
		for _, item := range items {
			// What left probation since may have been evicted there, while
			// class 0, which this reader does not see, still has it.
			if !item.gone && item.left <= v.serial {
				t.Fatalf("packet %d of class %d is there and was not read", item.serial, item.class)
			}
		}
	}
	all := v.r.query.Since == All.Since && v.r.query.Until == All.Until
	if want := uint64(len(v.all)) - v.passed; all && v.r.Missing() != want {
		t.Fatalf("the reader says that %d packets are missing, %d are", v.r.Missing(), want)
	}
}
