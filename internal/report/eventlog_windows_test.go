package report

import (
	"errors"
	"testing"

	"github.com/packetcache/packetcache/eventlog"
)

func TestHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"":                   "",
		"100 %":              "100 %",
		"fe80::1%12 and %%3": "fe80::1% 12 and %% 3",
		"%s":                 "%s",
	} {
		if got := harmless(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// Windows takes what is reported. (Whether it can be read there, a machine
// without Event Log cannot show.)
func TestEventLogTakesEvents(t *testing.T) {
	sink, err := OpenSystem()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []eventlog.Occurrence{
		eventlog.InterfaceMissing("Ethernet 2"),
		eventlog.CaptureFailed("", errors.New("a\x00b")),
		eventlog.DumpServed(`CORP\alice`, "pid 12", 1, 2, "host fe80::1%12", 3),
	} {
		if err := sink.Event(o); err != nil {
			t.Errorf("%s: %v", o, err)
		}
	}
}
