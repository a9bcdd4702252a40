package pcctl

import (
	"encoding/binary"
	"reflect"
	"testing"
	"time"
	"unicode/utf16"
)

// utf16Text is text as wevtutil writes it.
func utf16Text(s string) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

// TestReadEventLog reads events as wevtutil prints them.
func TestReadEventLog(t *testing.T) {
	const printed = `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='PacketCache'/><EventID Qualifiers='0'>1103</EventID><Version>0</Version><Level>2</Level><Task>2</Task><TimeCreated SystemTime='2026-03-01T09:30:00.1234567Z'/><EventRecordID>17</EventRecordID><Channel>Application</Channel><Computer>web01</Computer></System><EventData><Data>Ethernet, 2</Data><Data>no driver &amp; no luck</Data></EventData></Event>
<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='PacketCache'/><EventID>64000</EventID><TimeCreated SystemTime='2026-03-01T09:00:00Z'/></System><EventData></EventData></Event>`
	want := []happened{
		{time.Date(2026, 3, 1, 9, 30, 0, 123456700, time.UTC), 1103, "CaptureFailed", "Error", "Capture", "Capture failed on Ethernet, 2: no driver & no luck. It is tried again."},
		{time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), 64000, "", "", "", ""},
	}
	for name, text := range map[string]string{"plain": printed, "with a mark": "\uFEFF" + printed} {
		if got, err := readEventLog(utf16Text(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, err := readEventLog(nil); err != nil || len(got) != 0 {
		t.Errorf("nothing: %+v, %v", got, err)
	}
	for _, broken := range []string{"<Event>", "<Event><System><EventID>x</EventID></System></Event>", "no event"} {
		if got, err := readEventLog(utf16Text(broken)); err == nil && len(got) > 0 {
			t.Errorf("%q: %+v", broken, got)
		}
	}
}
