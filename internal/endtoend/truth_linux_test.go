package endtoend

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/packetcache/packetcache/internal/control"
)

// The dump of a service with room enough is what tcpdump recorded at the same
// place.
func TestSameAsTcpdump(t *testing.T) {
	w := newWire(t)
	vlans := w.addVLANs(t)
	tcpdump := startTcpdump(t, w.a)
	s := start(t, w.a, "--ram-size", "512MiB")
	s.awaitInterface("wire0", control.InterfaceCapturing)
	for _, name := range []string{"wire0.7", "wire0.9", "qinq"} {
		if !vlans {
			break
		}
		if i := s.awaitInterface(name, control.InterfaceCovered); i.CoveredBy != "wire0" {
			t.Errorf("%s is covered by %q, want wire0", name, i.CoveredBy)
		}
	}

	// What lies between two marks is compared.
	from, to := "first "+s.dir, "last "+s.dir
	w.a.play(t, "send", net.JoinHostPort(plain4, "9"), from)
	makeAllTraffic(t, w, vlans)
	w.a.play(t, "send", net.JoinHostPort(plain4, "9"), to)

	want := tcpdump.between(t, from, to)
	allKinds(t, want)

	var pcap string
	eventually(t, "the last packet in the dump", func() bool {
		pcap = s.dump()
		return holds(t, pcap, to)
	})
	pcapng := s.dump("--format", "pcapng")
	if st := s.status(); st.Totals.Dropped != 0 || st.Totals.Evicted.Packets != 0 {
		t.Fatalf("%d packets dropped and %d evicted: the test sends too fast for this machine", st.Totals.Dropped, st.Totals.Evicted.Packets)
	}
	t.Logf("%d packets between the marks", len(want))
	fine := between(t, "pcapng", sound(t, pcapng), from, to)
	likewise(t, "pcapng", fine, want)
	same(t, "pcap", between(t, "pcap", sound(t, pcap), from, to), fine, time.Microsecond)
}

// A rival is tcpdump recording wire0.
type rival struct {
	*job
	file string
}

func startTcpdump(t testing.TB, ns namespace) rival {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tcpdump.pcap")
	r := rival{file: file, job: begin(t, ns.command(need(t, "tcpdump"), "-i", "wire0", "-B", "65536",
		"--time-stamp-precision=nano", "-n", "-U", "-Z", "root", "-w", file))}
	eventually(t, "tcpdump listening", func() bool { return strings.Contains(r.log.String(), "listening on") })
	return r
}

// between ends tcpdump once it has recorded the last mark, and returns the
// packets from one mark to the other by time.
func (r rival) between(t testing.TB, from, to string) []record {
	t.Helper()
	eventually(t, "the last packet in tcpdump's file", func() bool { return holds(t, r.file, to) })
	if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	r.exitCode(t, patience)
	if !strings.Contains(r.log.String(), "\n0 packets dropped by kernel") {
		t.Fatalf("tcpdump could not keep up: %s", r.log.String())
	}
	return between(t, "tcpdump", sorted(readFile(t, r.file)), from, to)
}

// makeAllTraffic sends from a to b and back whatever a network carries.
func makeAllTraffic(t *testing.T, w wire, vlans bool) {
	t.Helper()
	startRole(t, w.b, "server")
	throughput := begin(t, w.b.command(need(t, "iperf3"), "-s", "--forceflush"))
	eventually(t, "iperf3 listening", func() bool { return strings.Contains(throughput.stdout.String(), "listening") })

	hosts := []string{plain4, plain6}
	if vlans {
		hosts = append(hosts, vlan4, vlan6, qinq4)
	}
	w.a.play(t, "client", hosts...)
	for _, host := range hosts {
		for _, size := range []int{56, 1472, 4000, 20000} { // the last two in fragments
			w.a.must(t, "ping", "-n", "-c", "3", "-i", "0.01", "-s", strconv.Itoa(size), host)
		}
	}
	for _, args := range [][]string{
		{"-c", plain4, "-n", "40M", "-b", "300M"},
		{"-c", plain6, "-n", "20M", "-b", "300M", "-R"},
		{"-c", hosts[len(hosts)-1], "-n", "10M", "-b", "300M"},
		{"-c", plain4, "-u", "-l", "1400", "-n", "5M", "-b", "100M"},
	} {
		w.a.must(t, "iperf3", args...)
	}
	for _, ns := range []namespace{w.a, w.b} {
		ns.play(t, "tagged", "wire0")
	}
}

// allKinds checks that the traffic was what the test is about.
func allKinds(t *testing.T, records []record) {
	t.Helper()
	found := map[string]int{}
	for _, r := range records {
		p := gopacket.NewPacket([]byte(r.data), layers.LayerTypeEthernet, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
		vlans := 0
		for _, l := range p.Layers() {
			switch l := l.(type) {
			case *layers.Dot1Q:
				vlans++
			case *layers.IPv4:
				if l.Flags&layers.IPv4MoreFragments != 0 {
					found["IPv4 fragments"]++
				}
			case *layers.IPv6Fragment:
				found["IPv6 fragments"]++
			case *layers.UDP:
				if l.DstPort == 53 {
					found["queries"]++
				}
			case *layers.TCP:
				if l.DstPort == 8080 {
					found["HTTP"]++
				}
			case *layers.IPv6:
				found["IPv6"]++
			}
		}
		if vlans > 0 {
			found[fmt.Sprintf("%d VLAN tags", vlans)]++
		}
		if len(r.data) > 10000 {
			found["super-frames"]++
		}
	}
	t.Log(found)
	for _, kind := range []string{
		"IPv4 fragments", "IPv6 fragments", "queries", "HTTP", "IPv6", "1 VLAN tags", "2 VLAN tags", "super-frames",
	} {
		if found[kind] == 0 {
			t.Errorf("the traffic had no %s", kind)
		}
	}
}

// holds reports whether a file holds a text.
func holds(t testing.TB, path, words string) bool {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(b, []byte(words))
}

// What the dump endpoint sends is what pcctl writes.
func TestSocketSendsWhatPcctlWrites(t *testing.T) {
	s := start(t, "", "--ram-size", "40MiB", "--replay", bulk(t, 4<<20, 50))
	s.awaitReplay()
	b, err := os.ReadFile(s.dump())
	if err != nil {
		t.Fatal(err)
	}
	if got := slurp(t, s.connect()); !slices.Equal(got, b) {
		t.Errorf("the socket sends %d bytes, pcctl writes %d others", len(got), len(b))
	}
}
