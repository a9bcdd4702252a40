package seal

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/packetcache/packetcache/internal/packet"
	"github.com/packetcache/packetcache/internal/record"
)

// document is docs/format.md, and its tables by the header of their columns.
func document(t *testing.T) (text string, tables map[string][][]string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "format.md"))
	if err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll(string(raw), "\r\n", "\n")
	tables = map[string][][]string{}
	header := ""
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case !strings.HasPrefix(line, "|"):
			header = ""
		case header == "":
			header = strings.Join(cells, " ")
		case cells[0] != "---":
			tables[header] = append(tables[header], cells)
		}
	}
	return text, tables
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDocumentLimits(t *testing.T) {
	_, tables := document(t)
	want := map[string]int{
		"bytes of an age header":            MaxHeader,
		"bytes of a head":                   maxHead,
		"bytes of an end":                   maxEnd,
		"logs":                              maxLogs,
		"rules":                             maxRules,
		"interface tables":                  maxTables,
		"interfaces in all tables together": maxInterfaces,
		"addresses of an interface":         maxAddresses,
		"bytes of a text of an interface":   maxText,
		"lines of coverage":                 maxCoverage,
		"segments":                          MaxSegments,
		"records of a segment":              record.MaxRecords,
		"bytes of the records of a segment": record.MaxSize,
		"bytes of the data of a segment":    maxData,
		"captured bytes of a packet":        packet.MaxLen,
	}
	rows := tables["of at most"]
	if len(rows) != len(want) {
		t.Errorf("the page has %d limits, want %d", len(rows), len(want))
	}
	for _, row := range rows {
		if want[row[0]] != number(t, row[1]) {
			t.Errorf("%s: the page says %s, the code %d", row[0], row[1], want[row[0]])
		}
	}
}

// Each field stands where the page says.
func TestDocumentSegment(t *testing.T) {
	_, tables := document(t)
	s := record.Segment{
		Log: 0x0102, Table: 0x0304, Codec: record.Zstd, Disordered: true, Many: true, Tallies: 0x0506, Records: 0x0708, Size: 0x030a0b,
		Captured: 0x0c0d0e0f10111213, Newest: 0x1415161718191a1b, Behind: 0x1c1d1e1f20212223,
		MinTime: 0x2425262728292a2b, MaxTime: 0x2c2d2e2f30313233,
		Shares: []record.Share{{Interface: 0x3435, Packets: 0x3637, Bytes: 0x38393a3b}, {Interface: 1, Packets: 2, Bytes: 3}, {Interface: 4, Packets: 5, Bytes: 6}},
	}
	var b [segmentHeader]byte
	if err := putSegment(&b, &s); err != nil {
		t.Fatal(err)
	}
	want := map[string]uint64{
		"log": 0x0102, "table": 0x0304, "codec": 1, "flags": 3, "tallies": 0x0506, "records": 0x0708, "size": 0x030a0b,
		"captured": s.Captured, "newest": uint64(s.Newest), "behind": s.Behind, "min time": uint64(s.MinTime), "max time": uint64(s.MaxTime),
		"shares": 0x38393a3b36373435, // the first, as one number
	}
	at := 0
	for _, row := range tables["offset bytes field holds"] {
		if row[2] == "data" {
			if number(t, row[0]) != segmentHeader {
				t.Errorf("the data begin at %d, not at %s", segmentHeader, row[0])
			}
			continue
		}
		if number(t, row[0]) != at {
			t.Errorf("%s stands at %d, not at %s", row[2], at, row[0])
		}
		size := number(t, row[1])
		var got uint64
		for i := min(size, 8) - 1; i >= 0; i-- {
			got = got<<8 | uint64(b[at+i])
		}
		if got != want[row[2]] {
			t.Errorf("at %d there stands %#x, and not %s, %#x", at, got, row[2], want[row[2]])
		}
		delete(want, row[2])
		at += size
	}
	if len(want) > 0 {
		t.Errorf("the page says nothing of %v", want)
	}
}

// The plaintext begins as the page says, and its frames do.
func TestDocumentFrames(t *testing.T) {
	text, tables := document(t)
	plain := frames(`{}`, frame(frameSegment, []byte("content")), endFrame(End{}))
	rows := tables["offset bytes holds"]
	if len(rows) != 4+4 {
		t.Fatalf("%q", rows)
	}
	if got := string(plain[number(t, rows[0][0]):][:number(t, rows[0][1])]); got != "PacketCache\n" {
		t.Errorf("it begins %q", got)
	}
	if plain[number(t, rows[1][0])] != Version || number(t, rows[1][1]) != 4 {
		t.Error("the version stands elsewhere")
	}
	if number(t, rows[2][0]) != len(magic) || number(t, rows[2][1]) != markSize || number(t, rows[3][0]) != len(magic)+markSize {
		t.Error("the mark stands elsewhere")
	}
	first := plain[number(t, rows[3][0]):]
	if string(first[:number(t, rows[4][1])]) != testMark || first[number(t, rows[5][0])] != frameHead ||
		first[number(t, rows[6][0])] != 2 || string(first[number(t, rows[7][0]):][:2]) != `{}` {
		t.Errorf("the first frame is %q", first)
	}
	for i, row := range tables["type frame content"] {
		if want := []string{"head", "segment", "end"}[i]; row[1] != want || number(t, row[0]) != []int{frameHead, frameSegment, frameEnd}[i] {
			t.Errorf("the page says that %s is a frame of type %s", row[1], row[0])
		}
	}
	if !strings.Contains(text, strconv.Itoa(segmentHeader)+" bytes of header") {
		t.Error("the page has another length of a segment's header")
	}
}

// The page tells each field of the JSON.
func TestDocumentFields(t *testing.T) {
	text, _ := document(t)
	for _, v := range []any{headJSON{}, interfaceJSON{}, record.Log{}, record.Rule{}, record.Span{}, Coverage{}, End{}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(v)) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name == "" || !strings.Contains(text, "`"+name+"`") {
				t.Errorf("the page does not tell %s of %T (%q)", field.Name, v, name)
			}
		}
	}
}

// The example is read as the page says.
func TestDocumentExample(t *testing.T) {
	text, _ := document(t)
	found := regexp.MustCompile("For example, `([0-9a-f ]+)`").FindStringSubmatch(text)
	if found == nil {
		t.Fatal("there is no example")
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(found[1], " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	var h record.Header
	n := h.Get(raw, record.Base{Time: 1000, Interface: 3})
	want := record.Header{Time: 1000 + int64(1500*time.Microsecond), Length: 4, Wire: 4, Interface: 3, Direction: packet.Outbound}
	if h != want || n+h.Length != len(raw) {
		t.Errorf("the example is %+v, in %d of %d bytes", h, n+h.Length, len(raw))
	}
	vector, err := os.ReadFile(filepath.Join("testdata", "v1.sealed"))
	if err != nil {
		t.Fatal(err)
	}
	header, _, err := ReadHeader(bytes.NewReader(vector))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(header), "\n")[:5] {
		if line != "" && !strings.Contains(text, line+"\n") {
			t.Errorf("line %d of the vector's header is not on the page: %s", 1+i, line)
		}
	}
}
