package endtoend

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

// soon is how long the service may take to notice a change of interfaces: 5 s,
// and as much again for a busy machine.
const soon = 10 * time.Second

// An interface that appears is recorded, one that goes is let go, and one that
// comes back is the same.
func TestInterfaceComesAndGoes(t *testing.T) {
	ns := newNamespace(t)
	s := start(t, ns, "--ram-size", "16MiB")
	if st := s.status(); st.State != control.StateIdle || len(st.Warnings) == 0 {
		t.Errorf("without interfaces the state is %s with the warnings %q", st.State, st.Warnings)
	}
	id := -1
	for round := range 2 {
		ns.ip(t, "link add come0 type veth peer name peer0")
		for _, name := range []string{"peer0", "come0"} {
			ns.ip(t, "link set "+name+" up")
		}
		changed := time.Now()
		i := s.awaitInterface("come0", control.InterfaceCapturing)
		took(t, "recorded", changed)
		if round == 0 {
			id = i.ID
		}
		if i.ID != id {
			t.Errorf("the interface is number %d now, it was %d", i.ID, id)
		}
		text := fmt.Sprintf("round %d of this test", round)
		ns.play(t, "frame", "come0", text)
		s.await("the packet of this round", func(control.Status) bool { return holds(t, s.dump(), text) })

		ns.ip(t, "link del come0")
		changed = time.Now()
		s.awaitInterface("come0", control.InterfaceGone)
		took(t, "gone", changed)
	}
	ng := s.dump("--format", "pcapng")
	if out := must(t, need(t, "capinfos"), ng); strings.Count(out, "Name = come0\n") != 1 {
		t.Errorf("the pcapng does not have the interface once:\n%s", out)
	}
	var kinds []string
	for _, e := range s.status().Coverage {
		if e.Interface == "come0" {
			kinds = append(kinds, e.Kind)
		}
	}
	if !slices.Equal(kinds, []string{"up", "down", "up", "down"}) {
		t.Errorf("the coverage log says %q", kinds)
	}
}

func took(t *testing.T, what string, since time.Time) {
	t.Helper()
	d := time.Since(since)
	t.Logf("%s after %v", what, d.Round(time.Millisecond))
	if d > soon {
		t.Errorf("%s only after %v", what, d)
	}
}

// The settings choose interfaces by patterns.
func TestInterfacePatterns(t *testing.T) {
	ns := newNamespace(t)
	for _, name := range []string{"lab0", "lab1", "wan0"} {
		ns.ip(t, "link add "+name+" type veth peer name p-"+name)
		ns.ip(t, "link set "+name+" up")
		ns.ip(t, "link set p-"+name+" up")
	}
	s := start(t, ns, "--ram-size", "16MiB", "--interface", "lab*", "--exclude", "*1", "--interface", "Ethernet, 2")
	s.awaitInterface("lab0", control.InterfaceCapturing)
	for _, name := range []string{"lab1", "wan0", "p-lab0", "lo"} {
		s.awaitInterface(name, control.InterfaceExcluded)
	}
	s.awaitInterface("Ethernet, 2", control.InterfaceWaiting)
	if st := s.status(); interfaceOf(st, "Ethernet").State != "" || interfaceOf(st, "2").State != "" {
		t.Errorf("a name with a comma was taken apart: %+v", st.Interfaces)
	}
	stdout, _, code := s.pcctl("interfaces")
	if code != 0 || !strings.Contains(stdout, "not in the interfaces setting") || !strings.Contains(stdout, "by the exclude setting") {
		t.Errorf("pcctl interfaces: exit code %d\n%s", code, stdout)
	}
}

// An interface that was asked for and is not there is waited for.
func TestInterfaceWaitedFor(t *testing.T) {
	ns := newNamespace(t)
	s := start(t, ns, "--ram-size", "16MiB", "--interface", "late0")
	s.awaitInterface("late0", control.InterfaceWaiting)
	warns := func(st control.Status) bool {
		return slices.ContainsFunc(st.Warnings, func(w string) bool { return strings.Contains(w, "late0 is asked for and not there") })
	}
	if st := s.status(); !warns(st) {
		t.Errorf("the warnings are %q", st.Warnings)
	}
	s.awaitLog("asked for and not there")
	ns.ip(t, "link add late0 type veth peer name late1")
	ns.ip(t, "link set late0 up")
	ns.ip(t, "link set late1 up")
	changed := time.Now()
	s.awaitInterface("late0", control.InterfaceCapturing)
	took(t, "recorded", changed)
	if st := s.status(); warns(st) || st.State != control.StateCapturing {
		t.Errorf("recorded, the state is %s with the warnings %q", st.State, st.Warnings)
	}
}

// Packets that come while the service cannot read are counted if they are lost.
func TestDropsAreCounted(t *testing.T) {
	w := newWire(t)
	s := start(t, w.a, "--ram-size", "8MiB")
	s.awaitInterface("wire0", control.InterfaceCapturing)
	w.a.must(t, "ping", "-n", "-c", "1", plain4)
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	const sent = 5000
	w.a.play(t, "flood", plain4+":9", fmt.Sprint(sent))
	if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	st := s.await("the drops and their entry in the coverage log", func(st control.Status) bool {
		return st.Totals.Dropped > 0 && slices.ContainsFunc(st.Coverage, func(e control.CoverageEntry) bool { return e.Kind == "drops" })
	})
	i := interfaceOf(st, "wire0")
	t.Logf("of %d packets sent %d came and %d were dropped", sent, i.Received.Packets, i.Dropped)
	if i.Received.Packets+i.Dropped < sent || i.Received.Packets < 100 || i.Dropped < 100 {
		t.Errorf("%d received and %d dropped do not make %d", i.Received.Packets, i.Dropped, sent)
	}
	s.awaitLog("Packets were dropped")
	// isb_osdrop of draft-ietf-opsawg-pcapng, section 4.6.
	osdrop := binary.LittleEndian.AppendUint64([]byte{7, 0, 8, 0}, i.Dropped)
	if !holds(t, s.dump("--format", "pcapng"), string(osdrop)) {
		t.Error("the pcapng does not tell of drops")
	}
	out, _, _ := s.pcctl("status")
	if !strings.Contains(out, "dropped by kernel or driver") {
		t.Errorf("pcctl status does not tell of drops:\n%s", out)
	}
}
