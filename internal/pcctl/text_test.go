package pcctl

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/rivo/uniseg"

	"github.com/packetcache/packetcache/internal/control"
)

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour:                         "less than 1 s",
		0:                                  "less than 1 s",
		time.Second:                        "1 s",
		59 * time.Second:                   "59 s",
		61 * time.Second:                   "1 min",
		41 * time.Minute:                   "41 min",
		time.Hour + 59*time.Second:         "1 h",
		3*time.Hour + 12*time.Minute:       "3 h 12 min",
		148 * time.Hour:                    "6 d 4 h",
		24*time.Hour + 59*time.Minute:      "1 d",
		100 * 365 * 24 * time.Hour:         "36500 d",
		seconds(math.NaN()):                "less than 1 s",
		seconds(math.Inf(-1)):              "less than 1 s",
		seconds(1.5):                       "1 s",
		seconds(math.Inf(1)) - time.Second: "53375 d 23 h",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 123456: "123,456", math.MaxUint64: "18,446,744,073,709,551,615"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestHorizonRows(t *testing.T) {
	since := func(s float64, upTo int64) control.Horizon {
		return control.Horizon{UpToBytes: upTo, Seconds: s, Complete: true}
	}
	lost := func(s float64, upTo int64) control.Horizon { return control.Horizon{UpToBytes: upTo, Seconds: s} }
	for _, test := range []struct {
		name       string
		horizons   []control.Horizon
		unanswered control.Horizon
		want       [][2]string
	}{
		{"nothing", nil, lost(1, 0), [][2]string{{"nothing is recorded yet", ""}}},
		{"all there", []control.Horizon{since(180, 1024), since(180, 2048), since(180, 0)}, since(180, 0),
			[][2]string{{"everything", "since capture began, 3 min ago"}}},
		{"heads are all there", []control.Horizon{since(7200, 1024), since(7200, 2048), lost(60, 4096), lost(60, 0)}, since(7200, 0),
			[][2]string{{"the first 2 KiB of every session", "since capture began, 2 h ago"}, {"everything", "1 min"}}},
		{"each less", []control.Horizon{lost(86400, 1024), lost(7200, 2048), lost(0.5, 0)}, lost(3600, 0),
			[][2]string{{"the first 1 KiB of every session", "1 d"}, {"the first 2 KiB", "2 h"}, {"everything", "less than 1 s"}, {"first packets that nothing followed", "1 h"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := horizonRows(test.horizons, test.unanswered, true); len(got) != len(test.want) || test.name == "all there" && got[0][1] != "all that was read" {
				t.Errorf("of a replay: %q", got)
			}
			if got := horizonRows(test.horizons, test.unanswered, false); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestClean(t *testing.T) {
	for s, want := range map[string]string{
		"Ethernet, 2":         "Ethernet, 2",
		"übermäßig 日本":        "übermäßig 日本",
		"a\x1b[31mred\x07":    "a\uFFFD[31mred\uFFFD",
		"two\nlines\tand\r":   "two lines and\uFFFD",
		"\xff\xfe":            "\uFFFD",
		"\u202eevil\u009bm":   "\uFFFDevil\uFFFDm",
		"zero\u200bwidth\x00": "zero\uFFFDwidth\uFFFD",
	} {
		if got := clean(s); got != want {
			t.Errorf("clean(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, s := range []string{"", "plain text", "日本語のインターフェース", "e\u0301e\u0301e\u0301e\u0301", "👩‍👩‍👧👩‍👩‍👧"} {
		for columns := range 30 {
			got := cut(s, columns)
			if w := uniseg.StringWidth(got); w > columns {
				t.Errorf("cut(%q, %d) = %q takes %d columns", s, columns, got, w)
			}
			if uniseg.StringWidth(s) <= columns && got != s {
				t.Errorf("cut(%q, %d) = %q, though it fits", s, columns, got)
			}
		}
	}
}

func TestTable(t *testing.T) {
	table := table{header: []string{"NAME", ">N", "EMPTY", "NOTE"}}
	table.add("日本", "7", "", "wide")
	table.add("e", "1,234", "", "")
	want := []string{
		"NAME      N  NOTE",
		"日本      7  wide",
		"e     1,234",
	}
	if got := table.lines(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDefaultName(t *testing.T) {
	at := time.Date(2018, 11, 12, 13, 37, 0, 0, time.UTC)
	for host, want := range map[string]string{
		"HOST":        "HOST_181112_1337.pcap",
		"web-01.lan":  "web-01.lan_181112_1337.pcap",
		"../../etc/x": "_.._etc_x_181112_1337.pcap",
		"-rf":         "rf_181112_1337.pcap",
		"a b\x1b":     "a_b__181112_1337.pcap",
	} {
		if got := defaultName(host, at, control.PCAP); got != want {
			t.Errorf("defaultName(%q) = %q, want %q", host, got, want)
		}
	}
	if got := defaultName("h", at, control.PCAPNG); got != "h_181112_1337.pcapng" {
		t.Errorf("pcapng: %q", got)
	}
}

func TestParseTime(t *testing.T) {
	local := func(h, m, s int) time.Time { return time.Date(2026, 3, 1, h, m, s, 0, time.Local) }
	for s, want := range map[string]time.Time{
		"2026-03-01":                local(0, 0, 0),
		"2026-03-01 09:30":          local(9, 30, 0),
		"2026-03-01T09:30":          local(9, 30, 0),
		"2026-03-01T09:30:15":       local(9, 30, 15),
		"2026-03-01 09:30:15":       local(9, 30, 15),
		"2026-03-01T09:30:15.5":     local(9, 30, 15).Add(500 * time.Millisecond),
		"2026-03-01T09:30:00+05:00": time.Date(2026, 3, 1, 4, 30, 0, 0, time.UTC),
		"2026-03-01 09:30:00Z":      time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC),
		"":                          {},
		"09:30":                     local(9, 30, 0),
		"12:00:00":                  local(12, 0, 0),
		"12:00:01":                  local(12, 0, 1).AddDate(0, 0, -1),
		"23:00":                     time.Date(2026, 2, 28, 23, 0, 0, 0, time.Local),
		"24:00":                     {},
		"9h":                        {},
		"2026-02-30":                {},
		"1.3.2026":                  {},
		"2026-03-01T25:00":          {},
	} {
		got, err := parseTime(s, local(12, 0, 0), false)
		if !got.Equal(want) || (err != nil) != want.IsZero() {
			t.Errorf("parseTime(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
}

func TestQuoted(t *testing.T) {
	for name, want := range map[string]string{
		"out.pcap": "out.pcap", "/a/b_1.pcap": "/a/b_1.pcap", "my file.pcap": `"my file.pcap"`, "-x": `"-x"`, "$x": `"$x"`, "über": "über",
	} {
		if got := quoted(name); got != want {
			t.Errorf("quoted(%q) = %s, want %s", name, got, want)
		}
	}
}

// A time of day is the last one, or for the end of a dump that follows the next one.
func TestTimeOfDay(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	for _, test := range []struct {
		of         string
		last, next time.Time
	}{
		{"11:30", noon.Add(-30 * time.Minute), noon.AddDate(0, 0, 1).Add(-30 * time.Minute)},
		{"12:00", noon, noon.AddDate(0, 0, 1)},
		{"12:00:01", noon.AddDate(0, 0, -1).Add(time.Second), noon.Add(time.Second)},
		{"2026-03-01 11:00", noon.Add(-time.Hour), noon.Add(-time.Hour)},
	} {
		last, err1 := parseTime(test.of, noon, false)
		next, err2 := parseTime(test.of, noon, true)
		if err1 != nil || err2 != nil || !last.Equal(test.last) || !next.Equal(test.next) {
			t.Errorf("%s: %v and %v (%v, %v), want %v and %v", test.of, last, next, err1, err2, test.last, test.next)
		}
	}
}
