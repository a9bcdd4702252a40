package endtoend

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/control"
)

const settingsKey = `HKLM\SOFTWARE\PacketCache`

// set writes a setting into the registry, as a person does with reg.exe.
func (w *windows) set(name, kind, value string) {
	w.t.Helper()
	w.must("reg", "add", settingsKey, "/v", name, "/t", kind, "/d", value, "/f")
}

// startService installs the service and starts it, with so much memory.
func (w *windows) startService(ram string) {
	w.t.Helper()
	w.set("RamSize", "REG_SZ", ram)
	w.mustPcctl("install")
}

// The dump of the service is what tcpdump recorded at the same place.
func TestWindowsSameAsTcpdump(t *testing.T) {
	w := newWindows(t)
	tcpdump := startTcpdump(t, w.a)
	w.startService("512MiB")
	w.awaitInterface("wire0", control.InterfaceCapturing)

	from, to := "first "+w.dir, "last "+w.dir
	w.a.play(t, "send", net.JoinHostPort(plain4, "9"), from)
	makeAllTraffic(t, w.wire, false)
	w.a.play(t, "send", net.JoinHostPort(plain4, "9"), to)
	want := tcpdump.between(t, from, to)
	allKinds(t, want)

	var pcap string
	eventually(t, "the last packet in the dump", func() bool {
		pcap = w.dump()
		return holds(t, pcap, to)
	})
	pcapng := w.dump("--format", "pcapng")
	st, _ := w.status()
	if st.Totals.Dropped != 0 || st.Totals.Evicted.Packets != 0 {
		t.Fatalf("%d packets dropped and %d evicted: the test sends too fast for this machine", st.Totals.Dropped, st.Totals.Evicted.Packets)
	}
	fine := between(t, "pcapng", sound(t, pcapng), from, to)
	likewise(t, "pcapng", fine, want)
	same(t, "pcap", between(t, "pcap", sound(t, pcap), from, to), fine, time.Microsecond)

	w.mustPcctl("stop") // also with packets in the cache
	w.stopped("pcctl stop")
}

// An interface that appears is recorded, and one that goes is let go.
func TestWindowsInterfaceComesAndGoes(t *testing.T) {
	w := newWindows(t)
	w.startService("16MiB")
	w.awaitInterface("wire0", control.InterfaceCapturing)
	for round := range 2 {
		w.a.ip(t, "link add come0 type veth peer name peer0")
		for _, name := range []string{"peer0", "come0"} {
			w.a.ip(t, "link set "+name+" up")
		}
		w.a.ip(t, "addr add 10.78.0.1/24 dev come0")
		changed := time.Now()
		w.awaitInterface("come0", control.InterfaceCapturing)
		took(t, "recorded", changed)
		text := fmt.Sprintf("round %d of this test", round)
		w.a.play(t, "frame", "come0", text)
		eventually(t, "the packet of this round", func() bool { return holds(t, w.dump(), text) })

		w.a.ip(t, "link del come0")
		changed = time.Now()
		// Wine goes on listing it, so the service does, too.
		w.await("come0 let go", func(st control.Status) bool {
			return interfaceOf(st, "come0").State != control.InterfaceCapturing
		})
		took(t, "gone", changed)
	}
}
