package endtoend

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// A clock that is set forward a day and back a year in the middle loses no
// packet and no order.
func TestClockJumps(t *testing.T) {
	m := newMaker(t, "jumps.pcap")
	at := base
	for i := range 9000 {
		switch i {
		case 3000:
			at = at.AddDate(0, 0, 1)
		case 6000:
			at = at.AddDate(-1, 0, 0)
		}
		at = at.Add(10 * time.Millisecond)
		m.add(at, datagram(i%40, 443, 60+i%1000))
	}
	m.done()
	s := start(t, "", "--ram-size", "40MiB", "--replay", m.path)
	st := s.awaitReplay()
	want := sorted(m.all)
	same(t, "pcapng", sound(t, s.dump("--format", "pcapng")), want, time.Nanosecond)
	same(t, "pcap", sound(t, s.dump()), want, time.Microsecond)

	if !st.OldestPacket.Equal(time.Unix(0, want[0].time)) || !st.NewestPacket.Equal(time.Unix(0, want[len(want)-1].time)) {
		t.Errorf("the oldest packet is from %v and the newest from %v", st.OldestPacket, st.NewestPacket)
	}
	// The cache has aged by the steps forward alone: 90 s and the day.
	for _, h := range st.Horizons {
		age := time.Duration(h.Seconds * float64(time.Second))
		if !h.Complete || age < 24*time.Hour || age > 24*time.Hour+5*time.Minute {
			t.Errorf("the horizon of the first %d bytes is %v, complete: %v", h.UpToBytes, age, h.Complete)
		}
	}
	// Each of the three stretches can be asked for by its times.
	for _, stretch := range [][]record{m.all[:3000], m.all[3000:6000], m.all[6000:]} {
		first, last := stamp(stretch[0].time), stamp(stretch[len(stretch)-1].time)
		same(t, first, readFile(t, s.dump("--format", "pcapng", "--since", first, "--until", last)), stretch, time.Nanosecond)
	}
}

func stamp(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

// The same in a cache that has to forget: what is left is in order, and the
// newest part of the capture is whole.
func TestClockJumpsInFullCache(t *testing.T) {
	m := newMaker(t, "jumps.pcap")
	random := rand.New(rand.NewPCG(2, 2))
	at := base
	for i := range 30_000 {
		switch i {
		case 10_000:
			at = at.AddDate(0, 0, 1)
		case 20_000:
			at = at.AddDate(-1, 0, 0)
		}
		at = at.Add(10 * time.Millisecond)
		frame := frameOf(i/2%40, 443, 1000, i%2 == 1)
		scramble(frame, random)
		m.add(at, frame)
	}
	m.done()
	s := start(t, "", "--ram-size", "8MiB", "--replay", m.path)
	st := s.awaitReplay()
	got := sound(t, s.dump("--format", "pcapng"))
	if held := st.Totals.Stored.Packets - st.Totals.Evicted.Packets; held != uint64(len(got)) || held > 13000 || held < 5000 {
		t.Errorf("%d packets held, %d dumped", held, len(got))
	}
	// An eighth of the budget is never a victim: about 1000 packets.
	newest := m.all[len(m.all)-900:]
	same(t, "the newest", got[slices.IndexFunc(got, func(r record) bool { return r.time == newest[0].time }):][:len(newest)], newest, time.Nanosecond)
	for i := 1; i < len(st.Horizons); i++ {
		if st.Horizons[i].Seconds > st.Horizons[i-1].Seconds {
			t.Errorf("of more of each session more is promised: %+v", st.Horizons)
		}
	}
	if out, _, _ := s.pcctl("status"); !strings.Contains(out, "How far back") {
		t.Errorf("pcctl status:\n%s", out)
	}
}

// A capture from before 1970 and from after 2038 and 2106 does no harm.
func TestFarOffTimes(t *testing.T) {
	m := newMaker(t, "far.pcap")
	for i, at := range []time.Time{
		time.Unix(0, 0), time.Unix(1<<31-1, 0), time.Unix(1<<31, 0), time.Unix(1<<32-1, 999_999_999), base,
	} {
		m.add(at, datagram(i, 443, 100))
	}
	m.done()
	s := start(t, "", "--ram-size", "8MiB", "--replay", m.path)
	s.await("all packets", func(st control.Status) bool { return st.State == control.StateIdle })
	same(t, "pcapng", readFile(t, s.dump("--format", "pcapng")), sorted(m.all), time.Nanosecond)
	same(t, "pcap", readFile(t, s.dump()), sorted(m.all), time.Microsecond)
	if out, stderr, code := s.pcctl("status"); code != 0 {
		t.Errorf("pcctl status: exit code %d\n%s%s", code, out, stderr)
	}
}

// Captures of the same hours, replayed one after the other, are merged.
func TestOverlappingReplays(t *testing.T) {
	s := start(t, "", "--ram-size", "128MiB", "--replay", office(t), "--replay", office(t))
	st := s.awaitReplay()
	file := s.dump("--format", "pcapng")
	records := readFile(t, file)
	inOrder(t, "the dump", records)
	if held := st.Totals.Stored.Packets - st.Totals.Evicted.Packets; uint64(len(records)) != held || held < 100_000 {
		t.Errorf("%d packets held, %d dumped", held, len(records))
	}
}
