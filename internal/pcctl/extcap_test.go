package pcctl

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestExtcapFolders reads what versions of tshark print.
func TestExtcapFolders(t *testing.T) {
	for _, test := range []struct {
		name, printed string
		want          []extcapFolder
	}{
		{"3.6 and 4.0, Linux", "Temp:                \t/tmp\nGlobal Plugins:      \t/usr/lib/x86_64-linux-gnu/wireshark/plugins/4.0\nExtcap path:         \t/usr/lib/x86_64-linux-gnu/wireshark/extcap\nMaxMind database path:\t/usr/share/GeoIP\n",
			[]extcapFolder{{"/usr/lib/x86_64-linux-gnu/wireshark/extcap", false}}},
		{"4.2 and later, Linux", "Personal Extcap path:\t/home/alice/.local/lib/wireshark/extcap\nGlobal Extcap path:  \t/usr/lib/x86_64-linux-gnu/wireshark/extcap\n",
			[]extcapFolder{{"/usr/lib/x86_64-linux-gnu/wireshark/extcap", false}, {"/home/alice/.local/lib/wireshark/extcap", true}}},
		{"4.2, Windows", "Personal Extcap path:\tC:\\Users\\alice\\AppData\\Roaming\\Wireshark\\extcap\r\nGlobal Extcap path:  \tC:\\Program Files\\Wireshark\\extcap\r\n",
			[]extcapFolder{{`C:\Program Files\Wireshark\extcap`, false}, {`C:\Users\alice\AppData\Roaming\Wireshark\extcap`, true}}},
		{"4.4 and later, Windows", "Global Extcap path:  \tC:\\Program Files\\Wireshark\\extcap\\wireshark\r\nPersonal Extcap path:\tC:\\Users\\alice\\AppData\\Roaming\\Wireshark\\extcap\r\n",
			[]extcapFolder{{`C:\Program Files\Wireshark\extcap\wireshark`, false}, {`C:\Users\alice\AppData\Roaming\Wireshark\extcap`, true}}},
		{"none", "Temp:\t/tmp\nExtcap path:\t\n", nil},
	} {
		if got := parseFolders([]byte(test.printed)); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestExtcapArguments(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	lines := strings.Join(extcapArguments(time.Unix(1_700_000_000, 5), now), "\n")
	for _, want := range []string{
		"{call=--since}{display=From}{type=timestamp}", "{default=1700000000}{save=false}",
		"{call=--until}{display=To}{type=timestamp}", "{default=1800086400}{save=false}",
		"{call=--filter}{display=Filter}{type=string}",
		"{call=--follow}{display=Go on with what comes}{type=boolean}", "{default=true}",
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("no %s in\n%s", want, lines)
		}
	}
	if lines := extcapArguments(time.Time{}, now); !strings.Contains(lines[0], "{default=1799913600}") {
		t.Errorf("without a service: %s", lines[0])
	}
	for _, line := range append(extcapSentences("1.0 {dirty}"), extcapArguments(time.Time{}, now)...) {
		if strings.Count(line, "{") != strings.Count(line, "}") || strings.ContainsAny(line, "\n\r") {
			t.Errorf("not a sentence: %s", line)
		}
	}
}

func TestExtcapTime(t *testing.T) {
	for given, want := range map[string]time.Time{
		"": {}, "0": {}, "1700000000": time.Unix(1_700_000_000, 0),
		"2026-03-01T09:30:00+01:00": time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC),
	} {
		if got, err := extcapTime(given); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", given, got, err)
		}
	}
	if _, err := extcapTime("soon"); err == nil {
		t.Error("soon is a time")
	}
}

func TestBothFilters(t *testing.T) {
	for _, test := range [][3]string{
		{"", "", ""}, {"a", "", "a"}, {" ", "b ", "b"}, {"a or b", "c or d", "(a or b) and (c or d)"},
	} {
		if got := bothFilters(test[0], test[1]); got != test[2] {
			t.Errorf("%q", got)
		}
	}
}
