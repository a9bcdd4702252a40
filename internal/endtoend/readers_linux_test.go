package endtoend

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/layers"

	"github.com/packetcache/packetcache/internal/control"
)

// tshark and dumpcap read the socket like an interface.
func TestWiresharkReadsSocket(t *testing.T) {
	w := newWire(t)
	s := start(t, w.a, "--ram-size", "40MiB")
	s.awaitInterface("wire0", control.InterfaceCapturing)
	w.a.must(t, "ping", "-n", "-c", "20", "-i", "0.01", plain4)
	s.await("40 pings and answers", func(st control.Status) bool { return st.Totals.Stored.Packets >= 40 })

	stdout, stderr, code := run(t, need(t, "tshark"), "-n", "-i", s.socket(), "-T", "fields", "-e", "frame.number", "-Y", "icmp")
	if n := strings.Count(stdout, "\n"); code != 0 || n != 40 {
		t.Errorf("tshark -i: exit code %d, %d pings and answers, want 40\n%s", code, n, stderr)
	}

	file := filepath.Join(t.TempDir(), "dumpcap.pcapng")
	if _, stderr, code := run(t, need(t, "dumpcap"), "-q", "-i", s.socket(), "-w", file); code != 0 {
		t.Errorf("dumpcap -i: exit code %d, %s", code, stderr)
	}
	pings := func(path string) int {
		return len(slices.DeleteFunc(sound(t, path), func(r record) bool { return len(r.data) < 34 || r.data[12:14] != "\x08\x00" || r.data[23] != 1 }))
	}
	if n := pings(file); n != 40 {
		t.Errorf("dumpcap wrote %d pings and answers, want 40", n)
	}
}

// What an empty cache sends is a file like any other.
func TestEmptyCache(t *testing.T) {
	s := start(t, newNamespace(t), "--ram-size", "8MiB")
	for _, format := range []string{"pcap", "pcapng"} {
		if n := len(sound(t, s.dump("--format", format))); n != 0 {
			t.Errorf("%s holds %d packets", format, n)
		}
	}
	stdout, stderr, code := run(t, need(t, "tshark"), "-n", "-i", s.socket())
	if code != 0 || stdout != "" {
		t.Errorf("tshark -i: exit code %d\n%s%s", code, stdout, stderr)
	}
	if n := len(slurp(t, s.connect())); n != 24 {
		t.Errorf("the socket sends %d bytes, want the 24 of a header", n)
	}
}

// Ethernet and raw IP captured side by side.
func TestTunBesideEthernet(t *testing.T) {
	w := newWire(t)
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skip("this machine has no tun devices: ", err)
	}
	cmd := w.a.role(t, "tun", "tun0")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	tun := begin(t, cmd)
	eventually(t, "the tun device", func() bool { return strings.Contains(tun.stdout.String(), "ready") })
	w.a.ip(t, "link set tun0 up")
	s := start(t, w.a, "--ram-size", "40MiB")
	s.awaitInterface("wire0", control.InterfaceCapturing)
	s.awaitInterface("tun0", control.InterfaceCapturing)
	fmt.Fprintln(stdin)
	w.a.must(t, "ping", "-n", "-c", "5", "-i", "0.01", plain4)
	st := s.await("packets of both interfaces", func(st control.Status) bool {
		return interfaceOf(st, "tun0").Stored.Packets >= 10 && interfaceOf(st, "wire0").Stored.Packets >= 10
	})
	if tun, wire := interfaceOf(st, "tun0"), interfaceOf(st, "wire0"); tun.LinkType != "raw IP" || wire.LinkType != "Ethernet" {
		t.Errorf("tun0 is %s and wire0 %s", tun.LinkType, wire.LinkType)
	}

	var want []string
	for i := range 10 {
		want = append(want, string(rawDatagram(i, 100+i)))
	}
	ng := sound(t, s.dump("--format", "pcapng"))
	var raw, ethernet []string
	for _, r := range ng {
		switch {
		case r.iface == "tun0" && r.link == layers.LinkTypeRaw:
			raw = append(raw, r.data)
		case r.iface == "wire0" && r.link == layers.LinkTypeEthernet:
			ethernet = append(ethernet, r.data)
		default:
			t.Errorf("a packet of %s is %v", r.iface, r.link)
		}
	}
	raw = slices.DeleteFunc(raw, func(d string) bool { return d[0]>>4 == 6 }) // the kernel greets routers
	if !slices.Equal(raw, want) || len(ethernet) < 10 {
		t.Errorf("the pcapng has %d packets of tun0, want %d, and %d of wire0", len(raw), len(want), len(ethernet))
	}

	pcap := s.dump()
	classic := sound(t, pcap)
	tcpdumpReads(t, pcap, len(classic))
	for _, data := range append(ethernet, want...) {
		if !slices.ContainsFunc(classic, func(r record) bool { return strings.HasSuffix(r.data, data) }) {
			t.Errorf("the pcap lacks a packet: %x", data)
		}
	}
	decoded := must(t, need(t, "tshark"), "-n", "-r", s.dump("--filter", "udp port 4000"), "-T", "fields", "-e", "udp.dstport")
	if want := strings.Repeat("4000\n", 10); decoded != want {
		t.Errorf("tshark decodes what came through the tunnel as\n%s", decoded)
	}
}

// Link types that have nothing in common, replayed from files.
func TestWirelessBesideEthernet(t *testing.T) {
	dir := corpus(t, "dev")
	var files []string
	for _, link := range []layers.LinkType{layers.LinkTypeEthernet, layers.LinkTypeIEEE802_11, layers.LinkTypeIEEE80211Radio} {
		if path := fileOf(t, dir, link); path != "" {
			files = append(files, path)
		}
	}
	if len(files) < 2 {
		t.Fatalf("the corpus has only %q", files)
	}
	var args []string
	var want []record
	for _, path := range files {
		args = append(args, "--replay", path)
		want = append(want, readFile(t, path)...)
	}
	s := start(t, "", append(args, "--ram-size", "40MiB")...)
	s.awaitReplay()

	ng := sound(t, s.dump("--format", "pcapng"))
	matches(t, "pcapng", ng, want, func(got, want record) bool { return got.link == want.link && got.data == want.data })
	pcap := s.dump()
	classic := sound(t, pcap)
	matches(t, "pcap", classic, want, func(got, want record) bool { return strings.HasSuffix(got.data, want.data) })
	tcpdumpReads(t, pcap, len(classic))
	for _, protocol := range []string{"wlan", "eth"} {
		if must(t, need(t, "tshark"), "-n", "-r", pcap, "-Y", protocol) == "" {
			t.Errorf("tshark finds no %s in the pcap of %q", protocol, files)
		}
	}
}

// matches checks that two lists hold the same packets, in any order.
func matches(t testing.TB, what string, got, want []record, equal func(got, want record) bool) {
	t.Helper()
	byTime := map[int64][]record{}
	for _, g := range got {
		us := g.time - g.time%int64(time.Microsecond)
		byTime[us] = append(byTime[us], g)
	}
	for _, w := range want {
		us := w.time - w.time%int64(time.Microsecond)
		i := slices.IndexFunc(byTime[us], func(g record) bool { return equal(g, w) })
		if i < 0 {
			t.Errorf("%s lacks %v", what, w)
			return
		}
		byTime[us] = slices.Delete(byTime[us], i, i+1)
	}
	if len(got) != len(want) {
		t.Errorf("%s has %d packets, want %d", what, len(got), len(want))
	}
}

// fileOf finds a file of a link type, with some packets and readable by
// gopacket; "" if there is none.
func fileOf(t testing.TB, dir string, link layers.LinkType) string {
	t.Helper()
	for _, path := range captures(t, dir) {
		if info, err := os.Stat(path); err != nil || info.Size() > 1<<20 {
			continue
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if all, err := read(file); err == nil && len(all) > 5 && oneLink(all) && all[0].link == link {
			return path
		}
	}
	return ""
}

// Every well-formed capture of the corpus in one cache, from thirty years in no
// order: one file holds all.
func TestCorpusInOneCache(t *testing.T) {
	files := knownToWireshark(t, captures(t, corpus(t, "dev")))
	var args []string
	for _, path := range files {
		args = append(args, "--replay", path)
	}
	s := start(t, "", append(args, "--ram-size", "64MiB")...)
	st := s.awaitReplay()
	for _, warning := range st.Warnings {
		if strings.Contains(warning, "replay") {
			t.Error(warning)
		}
	}
	stored, held := 0, int(st.Totals.Stored.Packets-st.Totals.Evicted.Packets)
	for _, i := range st.Interfaces {
		stored += int(i.Stored.Packets)
	}
	t.Logf("%d files, %d interfaces, %d packets, %d of them held", len(files), len(st.Interfaces), stored, held)
	if stored != int(st.Totals.Seen.Packets) || stored < 10*len(files) {
		t.Errorf("%d packets seen and %d stored", st.Totals.Seen.Packets, stored)
	}
	for _, format := range []string{"pcap", "pcapng"} {
		file := s.dump("--format", format)
		if n := len(sound(t, file)); n != held {
			t.Errorf("the %s has %d packets, the cache %d", format, n, held)
		}
		passed := filepath.Join(t.TempDir(), "passed")
		must(t, need(t, "tshark"), "-n", "-r", file, "-F", "pcapng", "-w", passed)
		if n := len(readFile(t, passed)); n != held {
			t.Errorf("tshark passes on %d packets of the %s, the cache has %d", n, format, held)
		}
	}
}

// knownToWireshark returns the files whose link types this Wireshark knows.
func knownToWireshark(t testing.TB, paths []string) (known []string) {
	t.Helper()
	stdout, _, _ := run(t, need(t, "capinfos"), append([]string{"-T", "-r", "-t"}, paths...)...)
	for line := range strings.Lines(stdout) {
		path, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		known = append(known, path)
	}
	if len(known) < len(paths)*9/10 {
		t.Fatalf("capinfos knows only %d of %d files", len(known), len(paths))
	}
	return known
}
