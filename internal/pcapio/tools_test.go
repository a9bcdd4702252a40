package pcapio

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/packetcache/packetcache/internal/packet"
)

// run runs a program and returns what it printed; any complaint of its fails
// the test.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var out, msg strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &msg
	err := cmd.Run()
	for line := range strings.Lines(msg.String()) {
		switch {
		case strings.HasPrefix(line, "Running as user"), strings.HasPrefix(line, "reading from file"),
			strings.HasPrefix(line, "Warning: interface names might be incorrect"): // of Linux cooked v2
		default:
			t.Errorf("%s %s: %s", name, strings.Join(args, " "), line)
		}
	}
	if err != nil {
		t.Errorf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return out.String()
}

// accept has every tool read file, which holds n packets.
func accept(t *testing.T, file []byte, n int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	capinfos := run(t, "capinfos", "-Tmrc", path)
	if !strings.HasSuffix(strings.TrimSpace(capinfos), fmt.Sprintf(",%d", n)) {
		t.Errorf("capinfos: %s, want %d packets", capinfos, n)
	}
	for name, lines := range map[string]string{
		"tcpdump": run(t, "tcpdump", "-nnt", "-r", path),
		"tshark":  run(t, "tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.number"),
	} {
		packets := 0
		for line := range strings.Lines(lines) {
			if line[0] != '\t' { // more about the same packet
				packets++
			}
		}
		if packets != n {
			t.Errorf("%s shows %d packets, want %d", name, packets, n)
		}
	}
	run(t, "editcap", "-F", "pcapng", path, filepath.Join(t.TempDir(), "copy"))
	return path
}

func TestToolsAccept(t *testing.T) {
	needTools(t, "capinfos", "tcpdump", "tshark", "editcap")
	all, ifaces, packets := everything()
	onePcap := AppendHeader(nil, packet.LinkTypeEthernet)
	for i := range packets {
		onePcap = AppendRecord(onePcap, &packets[i])
	}
	largest := packet.Packet{Data: make([]byte, packet.MaxLen), Direction: packet.Inbound}
	for name, c := range map[string]struct {
		file    []byte
		packets int
	}{
		"empty pcap":       {AppendHeader(nil, packet.LinkTypeEthernet), 0},
		"empty PPI":        {AppendHeader(nil, packet.LinkTypePPI), 0},
		"empty SLL2":       {AppendHeader(nil, packet.LinkTypeLinuxSLL2), 0},
		"empty pcapng":     {AppendInterface(AppendSection(nil, &Section{}), &packet.Interface{LinkType: packet.LinkTypeEthernet}), 0},
		"described pcapng": {AppendInterface(AppendSection(nil, &Section{OS: "Linux"}), &ifaces[0], "nothing seen"), 0},
		"pcap":             {onePcap, len(packets)},
		"pcapng":           {all, len(packets)},
		"largest pcap":     {AppendRecord(AppendHeader(nil, packet.LinkTypeEthernet), &largest), 1},
		"largest pcapng":   {AppendPacket(AppendInterface(AppendSection(nil, &Section{}), &packet.Interface{LinkType: packet.LinkTypeEthernet}), &largest, 3), 1},
		"largest PPI":      {AppendRecordAs(AppendHeader(nil, packet.LinkTypePPI), &largest, packet.LinkTypeEthernet, packet.LinkTypePPI), 1},
	} {
		t.Run(name, func(t *testing.T) { accept(t, c.file, c.packets) })
	}
}

// Wireshark sees every field of a pcapng file that we wrote.
func TestToolsSeeEverything(t *testing.T) {
	needTools(t, "capinfos", "tcpdump", "tshark", "editcap")
	file, _, _ := everything()
	path := accept(t, file, 8)
	infos := run(t, "capinfos", path)
	for _, want := range []string{
		"x86-64", "Linux 6.12", "packetcache 1.0", "zweiter: ä",
		"Name = Ethernet 2", "Description = Intel(R) Ethernet Connection", "Time precision = nanoseconds (9)",
		"Operating system = Windows 11 24H2", "Filter string = not port 5355", "Capture length = 262144",
		"Comment = the last 3 of 10 packets", "Name = tun0", "Number of stat entries = 1",
	} {
		if !strings.Contains(infos, want) {
			t.Errorf("capinfos does not show %q in\n%s", want, infos)
		}
	}
	fields := run(t, "tshark", "-n", "-r", path, "-T", "fields",
		"-e", "frame.time_epoch", "-e", "frame.interface_name", "-e", "frame.packet_flags_direction", "-e", "frame.drop_count", "-e", "frame.len")
	want := "1700000000.123456791\tEthernet 2\t0x00000002\t\t21"
	if lines := strings.Split(fields, "\n"); lines[2] != want {
		t.Errorf("tshark shows packet 3 as\n%q, want\n%q\nof\n%s", lines[2], want, fields)
	}
}

// sample returns the first packets of every file of the corpus whose link type
// take accepts, and these link types.
func sample(t *testing.T, take func(packet.LinkType) bool) (records []record, types []packet.LinkType) {
	t.Helper()
	dir := corpusDir(t, "dev")
	for _, f := range manifest(t, dir) {
		file, err := os.ReadFile(filepath.Join(dir, f["file"]))
		if err != nil {
			t.Fatal(err)
		}
		all, err := collect(file, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range all[:min(len(all), 10)] {
			if !take(rec.link) {
				continue
			}
			records = append(records, rec)
			if !slices.Contains(types, rec.link) {
				types = append(types, rec.link)
			}
		}
	}
	if len(types) < 8 {
		t.Fatalf("the corpus has only %v", types)
	}
	return records, types
}

var unifications = map[packet.LinkType]func(packet.LinkType) bool{
	packet.LinkTypeEthernet: likeEthernet,
	packet.LinkTypePPI:      func(packet.LinkType) bool { return true },
}

// Packets of all link types of the corpus mean the same to Wireshark, whether
// they keep their own in a pcapng file or share one in a pcap file.
func TestWiresharkDecodesUnified(t *testing.T) {
	needTools(t, "tshark")
	for to, take := range unifications {
		t.Run(to.String(), func(t *testing.T) {
			records, types := sample(t, take)
			if got := Unify(types); got != to {
				t.Fatalf("%v becomes %v", types, got)
			}
			mixed := AppendSection(nil, &Section{})
			for _, lt := range types {
				mixed = AppendInterface(mixed, &packet.Interface{LinkType: lt})
			}
			unified := AppendHeader(nil, to)
			for _, rec := range records {
				p := packet.Packet{Time: rec.time, Data: []byte(rec.data), OrigLen: rec.origLen}
				unified = AppendRecordAs(unified, &p, rec.link, to)
				p.Interface = packet.InterfaceID(slices.Index(types, rec.link))
				mixed = AppendPacket(mixed, &p, 0)
			}
			want, got := tsharkSummary(t, mixed), tsharkSummary(t, unified)
			if len(want) != len(records) || len(got) != len(records) {
				t.Fatalf("tshark shows %d and %d packets of %d", len(want), len(got), len(records))
			}
			same := 0
			for i := range want {
				switch {
				case want[i] == got[i]:
					same++
				case strings.HasPrefix(want[i], "UNKNOWN\t"), strings.HasPrefix(want[i], "0x"), strings.HasPrefix(want[i], "\t"):
					// Wireshark 4.0 knows not the link type or, where it shows
					// a number, not the EtherType.
				default:
					t.Errorf("packet %d of %v is shown as\n%s\ninstead of\n%s", i, records[i].link, got[i], want[i])
				}
			}
			t.Logf("%d of %d packets of %d link types are shown alike", same, len(records), len(types))
			if same < len(records)*95/100 {
				t.Errorf("only %d of %d packets are shown alike", same, len(records))
			}
		})
	}
}

// tsharkSummary returns protocol and summary of each packet.
func tsharkSummary(t *testing.T, file []byte) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out := run(t, "tshark", "-n", "-r", path, "-T", "fields", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info")
	out = strings.ReplaceAll(out, "PPI version 0, 8 bytes[", "[") // where nothing else follows
	out = strings.ReplaceAll(out, "[Malformed Packet]", "")       // for one packet it depends on those before
	return strings.Split(strings.TrimSuffix(out, "\n"), "\n")
}

// The same for tcpdump, which reads one link type at a time.
func TestTcpdumpDecodesUnified(t *testing.T) {
	needTools(t, "tcpdump")
	for to, take := range unifications {
		records, types := sample(t, take)
		for _, from := range types {
			if from == to {
				continue
			}
			t.Run(fmt.Sprintf("%v to %v", from, to), func(t *testing.T) {
				before, after := AppendHeader(nil, from), AppendHeader(nil, to)
				for _, rec := range records {
					if rec.link == from {
						p := packet.Packet{Time: rec.time, Data: []byte(rec.data), OrigLen: rec.origLen}
						before = AppendRecord(before, &p)
						after = AppendRecordAs(after, &p, from, to)
					}
				}
				want, got := tcpdumpLines(t, before), tcpdumpLines(t, after)
				if len(want) != len(got) {
					t.Fatalf("%d lines became %d", len(want), len(got))
				}
				for i := range want {
					if want[i] == "UNSUPPORTED" || strings.Contains(want[i], "ethertype Unknown") {
						continue
					}
					if want[i] != got[i] {
						t.Errorf("line %d was\n%s\nand became\n%s", i, want[i], got[i])
					}
				}
			})
		}
	}
}

// onlyBefore is what tcpdump shows of headers that conversion gives up: the
// interface and direction of Linux cooked v2.
var onlyBefore = regexp.MustCompile(`^\S+ +(In |Out|B  |M  |P  ) `)

func tcpdumpLines(t *testing.T, file []byte) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(run(t, "tcpdump", "-nnt", "-r", path)) {
		if line[0] == '\t' {
			continue // a hex dump of what it does not know
		}
		line = strings.TrimPrefix(onlyBefore.ReplaceAllString(line, ""), "PPPoE  ")
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}
